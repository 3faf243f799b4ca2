package demo

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

var (
	greetings    = []string{"Bonjour.", "Bonjour.", "Bonjour à l'équipe.", "", "", ""}
	consequences = []string{
		"Je ne peux pas faire mon cours de {subject} comme prévu.", "J'ai les {class} à 14 h.", "La classe de {class} attend.", "Ce n'est pas bloquant mais gênant.",
		"Cela fait la deuxième fois cette année.", "Nous nous débrouillons en attendant.", "Merci de prévenir le secrétariat avant de passer.", "Salle libre de 12 h à 14 h.",
		"Je suis joignable à la récréation de 10 h.", "Le cours de {subject} a dû être adapté.", "Pas d'urgence absolue, mais avant la fin de semaine si possible.",
	}
	goodbyes  = []string{"Merci d'avance.", "Merci.", "Cordialement.", "Bonne journée.", "Merci pour votre aide.", "", "", ""}
	cancelled = []string{"Cela remarche, désolé pour le dérangement.", "Fausse alerte, c'était la multiprise.", "Déjà signalé par un collègue.", "Erreur de ma part, tout va bien."}
	remarks   = []string{
		"Appelé au collège, pas de réponse.", "Vu avec la personne au téléphone, essais en cours.", "Prise en main à distance faite, cause non trouvée.", "Le référent passe vérifier la salle à midi.",
		"Matériel préparé à l'atelier.", "Même symptôme vu la semaine dernière dans un autre collège.", "Photo demandée au déclarant.", "Garantie vérifiée : encore valable.", "À grouper avec la visite de jeudi.",
	}
	holding = map[string][]string{
		waitDeclarant:  {"Message laissé, en attente de votre retour.", "Pouvez-vous nous dire si cela se produit sur un autre poste ?", "Merci de nous rappeler quand la salle est libre."},
		waitPart:       {"Pièce commandée.", "Commande passée, délai d'une dizaine de jours.", "Plus en stock, réapprovisionnement en cours."},
		waitContractor: {"Ticket ouvert chez le prestataire.", "Retour en garantie demandé.", "Passage du prestataire attendu."},
		waitRoom:       {"Salle occupée toute la journée, nouveau passage à prévoir.", "Salle fermée à clé lors du passage."},
	}
	stillBroken = []string{"Le problème est revenu dès le lendemain.", "Cela recommence, rien n'a changé.", "Ça a tenu deux heures puis de nouveau la panne.", "Toujours pareil ce matin."}
	thanks      = []string{"Tout fonctionne, merci.", "Parfait, merci beaucoup.", "Confirmé, merci pour la rapidité.", "C'est réglé.", "Merci à l'équipe !"}

	classes   = []string{"6e A", "6e B", "6e C", "5e A", "5e B", "5e D", "4e A", "4e B", "4e C", "3e A", "3e B", "3e D"}
	subjects  = []string{"mathématiques", "français", "histoire-géographie", "anglais", "espagnol", "allemand", "technologie", "SVT", "physique-chimie", "musique", "arts plastiques"}
	softwares = []string{"Audacity", "GeoGebra", "Scratch", "Sweet Home 3D", "Stellarium", "VLC", "FreePlane", "Arduino IDE", "Inkscape", "Shotcut", "PhotoFiltre", "Anki"}
	sites     = []string{"un site de cartes anciennes", "un musée en ligne", "une vidéothèque éducative", "un exerciseur de mathématiques", "un dictionnaire en ligne", "un site d'orientation", "une radio en ligne"}
)

// write gives the incident its words.
func (g *generator) write(inc *Incident, k *kind, d draft) {
	title, detail := d.title, d.detail
	for title == "" || inc.Machine == "" && strings.Contains(title, "{machine}") || inc.Room == None && strings.Contains(title, "{room}") {
		title = pick(g, k.Titles)
	}
	if detail == "" {
		detail = pick(g, k.Details)
		if g.rng.Float64() < 0.35 {
			if second := pick(g, k.Details); second != detail {
				detail += " " + second
			}
		}
	}
	if inc.Origin == incident.Monitoring {
		inc.Title, inc.Description = g.slots(title, inc), "Signalé par la supervision."
		return
	}
	parts := []string{pick(g, greetings), detail}
	switch x := g.rng.Float64(); {
	case x < 0.3:
		parts = append(parts, "Depuis {since}.")
	case x < 0.62 && (k.Place == useClass || k.Place == useLab):
		parts = append(parts, pick(g, consequences))
	}
	if inc.Origin == incident.Phone {
		parts[0] = "Appel téléphonique."
	} else {
		parts = append(parts, pick(g, goodbyes))
	}
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	inc.Title = g.slots(title, inc)
	inc.Description = g.slots(strings.Join(said, " "), inc)
}

// slots puts names in the place of {slots}.
func (g *generator) slots(text string, inc *Incident) string {
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			break
		}
		j := i + strings.IndexByte(text[i:], '}')
		before, name := text[:i], text[i+1:j]
		var value string
		if name == "room" {
			before, value = g.roomAfter(before, inc)
		} else {
			value = g.slot(name, inc)
			if rest, ok := strings.CutSuffix(before, "de "); ok && strings.ContainsRune("aeiouhéèêAEIOUHÉÈÊ", []rune(value)[0]) {
				before = rest + "d'" // d'anglais, d'histoire, d'Agnès
			}
		}
		text = before + value + text[j+1:]
	}
	return upperFirst(text)
}

func upperFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 || unicode.IsUpper(r) {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

func (g *generator) slot(name string, inc *Incident) string {
	switch name {
	case "machine":
		if inc.Machine == "" {
			return "du fond"
		}
		return inc.Machine
	case "since":
		return g.since(inc.Opened)
	case "class":
		return pick(g, classes)
	case "subject":
		return pick(g, subjects)
	case "software":
		return pick(g, softwares)
	case "site":
		return pick(g, sites)
	case "person":
		s := g.ds.Schools[inc.School]
		return g.ds.People[pick(g, s.people[directory.Teacher])].Name
	}
	panic("demo: no slot " + name)
}

// roomAfter writes a room after what comes before it: "en salle 12", "au CDI",
// "de la salle 12".
func (g *generator) roomAfter(before string, inc *Incident) (trimmed, room string) {
	name := "salle des professeurs"
	if inc.Room != None {
		name = g.ds.Rooms[inc.Room].Name
		if name != "CDI" {
			name = strings.ToLower(name[:1]) + name[1:]
		}
	}
	masculine := name == "CDI" || name == "secrétariat" || name == "local technique"
	inRoom := strings.HasPrefix(name, "salle")
	if rest, ok := strings.CutSuffix(before, "en "); ok && !inRoom {
		switch {
		case masculine:
			return rest, "au " + name
		case name == "infirmerie":
			return rest, "à l'" + name
		}
		return rest, "à la " + name
	}
	if rest, ok := strings.CutSuffix(before, "de "); ok {
		switch {
		case masculine:
			return rest, "du " + name
		case name == "infirmerie":
			return before, "l'" + name
		}
		return before, "la " + name
	}
	return before, name
}

var weekdays = [5]string{"lundi", "mardi", "mercredi", "jeudi", "vendredi"}

func (g *generator) since(t time.Time) string {
	d := calendar.DayOf(t, g.loc)
	switch g.rng.IntN(6) {
	case 0:
		return "ce matin"
	case 1:
		return "hier"
	case 2:
		return weekdays[max(0, min(4, d.Weekday()-1-g.rng.IntN(3)))]
	case 3:
		return "quelques jours"
	case 4:
		return fmt.Sprintf("%d jours", 2+g.rng.IntN(6))
	}
	return "une semaine"
}
