package parse

import (
	"regexp"
	"slices"
	"strings"
)

// PartKind says what a stretch of a text is.
type PartKind string

// The kinds of stretch.
const (
	Said      PartKind = "said"      // what this message says
	Quoted    PartKind = "quoted"    // what others said before
	Forwarded PartKind = "forwarded" // what is passed on, which is to be read
	Signature PartKind = "signature" // who says it, notices of confidentiality
)

// Part is a stretch of a text.
type Part struct {
	Kind PartKind
	Text string
}

// Body is a message's text, whole, in stretches.
type Body []Part

// Said is what the message says: its own words, and what it passes on. A
// message that holds nothing else than quotes says them.
func (b Body) Said() string {
	var said []string
	for _, p := range b {
		if (p.Kind == Said || p.Kind == Forwarded) && strings.TrimSpace(p.Text) != "" {
			said = append(said, strings.Trim(p.Text, "\n"))
		}
	}
	if len(said) == 0 {
		return strings.TrimSpace(b.Whole())
	}
	return strings.Join(said, "\n\n")
}

// Own is what the message says in its own words; "" if it has none.
func (b Body) Own() string {
	var said []string
	for _, p := range b {
		if p.Kind == Said && strings.TrimSpace(p.Text) != "" {
			said = append(said, strings.Trim(p.Text, "\n"))
		}
	}
	return strings.Join(said, "\n\n")
}

// Whole is the text as it came: every line of every stretch.
func (b Body) Whole() string {
	parts := make([]string, len(b))
	for i, p := range b {
		parts[i] = p.Text
	}
	return strings.Join(parts, "\n")
}

var (
	original = regexp.MustCompile(`(?i)^[\s>*]*[-_=]{2,}\s*(message d['’]origine|message original|original message|original appointment|réponse d['’]origine|courriel d['’]origine|mail d['’]origine|message de réponse|ursprüngliche nachricht)\s*[-_=]{2,}`)
	passedOn = regexp.MustCompile(`(?i)^[\s>*]*([-_=]{2,}\s*(message transféré|message transmis|message suivi|forwarded message|mail transféré|courriel transféré)\s*[-_=]{2,}|début du (message|courriel|mail) (transféré|réexpédié)\s*:|begin forwarded message\s*:)`)
	// Attributions, on one line or folded on two or three.
	wrote      = regexp.MustCompile(`(?i)^[\s*]*(le\s.{3,200}\s(a|à) (écrit|ecrit)|on\s.{3,200}\swrote|.{3,200}\s(a|à) (écrit|ecrit)|.{3,200}\sécrivait)\s*[:.]?[\s*]*$`)
	wroteStart = regexp.MustCompile(`(?i)^[\s*]*(le\s.{0,20}\d|on\s.{0,20}\d|le (lun|mar|mer|jeu|ven|sam|dim)|on (mon|tue|wed|thu|fri|sat|sun))`)
	isoWrote   = regexp.MustCompile(`^\d{4}-\d{2}-\d{2} \d{1,2}:\d{2}.{0,20} .{3,120}<[^<>\s]+@[^<>\s]+>\s*:$`)
	headFrom   = regexp.MustCompile(`(?i)^[\s*>]*(de|from|expéditeur|émetteur|exp)\s?\*?\s*:\*?\s*\S`)
	headMore   = regexp.MustCompile(`(?i)^[\s*>]*(envoyé|envoyé le|date|sent|à|a|to|pour|destinataire|cc|objet|sujet|subject|reply-to|répondre à)\s?\*?\s*:\*?(\s|$)`)
	rule       = regexp.MustCompile(`^\s*(_{8,}|-{8,}|={8,}|\*{8,})\s*$`)
	quoteLine  = regexp.MustCompile(`^\s{0,3}(>|\|\s?>)`)

	dashes   = regexp.MustCompile(`^(-- ?|—|––)$`)
	mobile   = regexp.MustCompile(`(?i)^\s*(envoyé (de|depuis|à partir de|avec|par) (mon |ma |l['’]|un |une |outlook|yahoo|gmail|orange|sfr|courrier|proton|la messagerie|le webmail|samsung|galaxy|iphone|ipad|huawei|xiaomi)|sent from (my|outlook|mail|yahoo|samsung)|get outlook for|obtenez outlook|obtenir outlook|téléchargez outlook|télécharger outlook|provenance\s*: (courrier|mail) (pour|for) windows|message envoyé depuis (mon|ma|l['’]ent|la messagerie))`)
	goodbye  = regexp.MustCompile(`(?i)^\s*(bien |très |sincèrement |sinceres? |sincères? )?(cordialement|cordialment|cdlt|cdt|bien à (vous|toi)|(sincères |cordiales )?salutations( distinguées)?|amicalement|respectueusement|sportivement|bonne (journée|soirée|réception|continuation|fin de (journée|semaine)|semaine)|bon week-?end|belle journée|dans l['’]attente de votre (retour|réponse)|en vous remerciant( par avance| d['’]avance)?|merci (d['’]avance|par avance|beaucoup|bien)|(kind|best|warm) regards|regards|sincerely( yours)?|yours (sincerely|faithfully)|best)\s*(à (vous|tous|toutes et à tous))?[\s,.!;:)-]*$`)
	notice   = regexp.MustCompile(`(?i)^\s*\*?(ce message( électronique)?( et (toutes les|ses|les) pièces jointes)?.{0,80}(confidentiel|destiné|exclusivement|établi)|this (e-?mail|message).{0,80}(confidential|intended)|avis de confidentialité|pensez à l['’]environnement|n['’]imprimez ce (message|mail|courriel)|afin de respecter l['’]environnement|avant d['’]imprimer)`)
	postWord = regexp.MustCompile(`(?i)^\s*(p\.?\s?-?\s?s\.?|nb|n\.b\.)\s*[:\-–,.]`)
)

// signatureLines is how many lines may follow "Cordialement": a name, an
// office, a telephone. More is no signature.
const signatureLines = 14

// fold parts a text in stretches. No line is lost: the stretches put end to
// end are the text.
func fold(text string, forward bool) Body {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	kinds := make([]PartKind, len(lines))
	for i := range kinds {
		kinds[i] = Said
	}
	markQuotes(lines, kinds, forward)
	markSignatures(lines, kinds)
	return gather(lines, kinds)
}

func gather(lines []string, kinds []PartKind) Body {
	var body Body
	for from := 0; from < len(lines); {
		to := from + 1
		for to < len(lines) && kinds[to] == kinds[from] {
			to++
		}
		body = append(body, Part{kinds[from], strings.Join(lines[from:to], "\n")})
		from = to
	}
	return body
}

// markQuotes finds what others said before.
func markQuotes(lines []string, kinds []PartKind, forward bool) {
	for i := 0; i < len(lines); {
		switch {
		case passedOn.MatchString(lines[i]):
			// What is passed on is for the reader, also what it quotes itself.
			setFrom(kinds, i, Forwarded)
			return
		case original.MatchString(lines[i]), headers(lines, i):
			from := i
			if from > 0 && rule.MatchString(lines[from-1]) {
				from--
			}
			kind := Quoted
			if forward {
				kind = Forwarded
			}
			setFrom(kinds, from, kind)
			return
		case attribution(lines, i) > 0:
			n := attribution(lines, i)
			next := i + n
			for next < len(lines) && strings.TrimSpace(lines[next]) == "" {
				next++
			}
			if next < len(lines) && quoteLine.MatchString(lines[next]) {
				// What follows the quoted lines is said below them.
				for k := i; k < next; k++ {
					kinds[k] = Quoted
				}
				i = next
				continue
			}
			setFrom(kinds, i, Quoted)
			return
		case quoteLine.MatchString(lines[i]):
			kinds[i] = Quoted
			// Lines that mail programs wrapped, and empty ones between.
			k := i + 1
			for k < len(lines) && strings.TrimSpace(lines[k]) == "" {
				k++
			}
			if k < len(lines) && quoteLine.MatchString(lines[k]) {
				for e := i + 1; e < k; e++ {
					kinds[e] = Quoted
				}
			}
			i++
		default:
			i++
		}
	}
}

func setFrom(kinds []PartKind, from int, k PartKind) {
	for i := from; i < len(kinds); i++ {
		kinds[i] = k
	}
}

// attribution gives how many lines say "On …, somebody wrote:" from here.
func attribution(lines []string, i int) int {
	if len(lines[i]) > 400 {
		return 0
	}
	if wrote.MatchString(lines[i]) && (wroteStart.MatchString(lines[i]) || strings.Contains(lines[i], "@") || strings.HasSuffix(strings.TrimSpace(lines[i]), ":")) || isoWrote.MatchString(strings.TrimSpace(lines[i])) {
		return 1
	}
	if !wroteStart.MatchString(lines[i]) {
		return 0
	}
	for n := 2; n <= 3 && i+n <= len(lines); n++ {
		joined := strings.Join(lines[i:i+n], " ")
		if len(joined) > 500 {
			return 0
		}
		if wrote.MatchString(joined) {
			return n
		}
	}
	return 0
}

// headers tells whether the header of a former message is copied here, as
// Outlook does: "De : … Envoyé : … À : … Objet : …".
func headers(lines []string, i int) bool {
	if !headFrom.MatchString(lines[i]) || len(lines[i]) > 400 {
		return false
	}
	found := 0
	for k := i + 1; k < len(lines) && k <= i+8; k++ {
		if headMore.MatchString(lines[k]) {
			found++
		}
	}
	return found >= 2
}

// markSignatures finds signatures in what is said.
func markSignatures(lines []string, kinds []PartKind) {
	for from := 0; from < len(lines); {
		if kinds[from] != Said {
			from++
			continue
		}
		to := from
		for to < len(lines) && kinds[to] == Said {
			to++
		}
		if at := signatureAt(lines[from:to]); at >= 0 {
			for k := from + at; k < to; k++ {
				if k > from+at && postWord.MatchString(lines[k]) {
					break
				}
				kinds[k] = Signature
			}
		}
		from = to
	}
}

// signatureAt gives the line at which a signature begins; -1 for none.
func signatureAt(lines []string) int {
	for i, l := range lines {
		if dashes.MatchString(l) || mobile.MatchString(l) || notice.MatchString(l) {
			if i == 0 && dashes.MatchString(l) && len(lines) > signatureLines {
				continue
			}
			return earlier(lines, i)
		}
	}
	for i, l := range slices.Backward(lines) {
		if !goodbye.MatchString(l) {
			continue
		}
		if below(lines[i+1:]) <= signatureLines {
			return i
		}
		return -1
	}
	return -1
}

// earlier moves the beginning of a signature up to the good-bye above it.
func earlier(lines []string, at int) int {
	for i := at - 1; i >= 0; i-- {
		if goodbye.MatchString(lines[i]) && below(lines[i+1:at]) <= signatureLines {
			return i
		}
	}
	return at
}

// below counts the lines of a signature; a long line is no part of one.
func below(lines []string) int {
	n := 0
	for _, l := range lines {
		switch {
		case postWord.MatchString(l):
			return n
		case len(l) > 160 || strings.HasSuffix(strings.TrimSpace(l), "?"):
			n += signatureLines + 1 // somebody still speaks
		case strings.TrimSpace(l) != "":
			n++
		}
	}
	return n
}
