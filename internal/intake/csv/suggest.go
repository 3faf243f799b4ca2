package csvin

import (
	"slices"
	"strings"

	"statincidents/internal/incident"
)

// headers lists, for each field, the headers under which softwares export it, in
// French and in English, folded; the likeliest first. What ends with … is the
// beginning of a header.
var headers = [targetCount][]string{
	toState:          {"etat", "statut", "status", "state", "incident_state", "etat du ticket", "statut du ticket", "etat…", "statut…"},
	toTitle:          {"titre", "title", "objet", "sujet", "subject", "intitule", "resume", "summary", "short_description", "short description", "libelle"},
	toDescription:    {"description", "contenu", "content", "detail", "details", "message", "commentaire initial"},
	toSchool:         {"uai", "rne", "code uai", "code rne", "etablissement", "college", "lieu", "site", "localisation", "location", "school", "entite", "entity", "nom de l'etablissement"},
	toRoom:           {"salle", "room", "local", "piece", "bureau"},
	toNetwork:        {"reseau", "network"},
	toMachine:        {"poste", "machine", "equipement", "materiel", "numero de bien", "n° de bien", "asset", "asset_tag", "cmdb_ci", "configuration item", "ordinateur", "computer", "elements associes"},
	toImpact:         {"impact"},
	toUrgency:        {"urgence", "urgency"},
	toPriority:       {"priorite", "priority"},
	toDeclarant:      {"demandeur", "declarant", "demandeur - demandeur", "requester", "caller", "caller_id", "beneficiaire", "auteur", "appelant", "opened_by"},
	toAssignee:       {"technicien", "attribue a", "assigne a", "assigned_to", "assigned to", "assignee", "agent", "intervenant", "attribue a - technicien"},
	toTeam:           {"groupe", "equipe", "group", "team", "assignment_group", "assignment group", "groupe de techniciens", "attribue a - groupe de techniciens"},
	toOrigin:         {"origine", "canal", "source de la demande", "origin", "contact_type", "channel", "source", "mode de saisie"},
	toWaiting:        {"motif d'attente", "motif de mise en attente", "pending_reason", "hold_reason", "raison de suspension"},
	toCause:          {"cause", "cause racine", "root cause"},
	toResolutionCode: {"code de resolution", "code de cloture", "resolution_code", "close_code", "closed_code", "type de solution"},
	toResolution:     {"solution", "resolution", "close_notes", "resolution_notes"},
	toOccurred:       {"date de survenue", "survenu le", "occurred_at", "date de l'incident"},
	toOpened:         {"date d'ouverture", "ouvert le", "opened_at", "opened", "date de creation", "cree le", "created_at", "created", "date de declaration", "date d'enregistrement", "date"},
	toPlanned:        {"date d'intervention", "planifie le", "planned_at"},
	toResolved:       {"date de resolution", "resolu le", "resolved_at", "resolved", "date de solution"},
	toClosed:         {"date de cloture", "cloture le", "clos le", "ferme le", "closed_at", "closed", "date de fermeture"},
	toReopenCount:    {"reopen_count", "nombre de reouvertures"},
	toReassignCount:  {"reassignment_count", "nombre de reaffectations"},
	toTarget:         {"made_sla", "sla respecte", "delai respecte"},
	toComment:        {"commentaire", "comment", "comments", "suivi"},
}

// pathHeaders are those of the category, level by level.
var pathHeaders = [][]string{
	{"categorie", "category", "type de probleme", "type d'incident", "domaine", "famille", "sujet (niveau 1)"},
	{"sous-categorie", "sous categorie", "subcategory", "sous-type", "sous-famille", "sous famille"},
	{"rubrique", "item", "detail de la categorie"},
}

var (
	ticketHeaders = []string{"numero", "n°", "no", "number", "id", "identifiant", "reference", "ref", "ticket", "numero de ticket", "n° de ticket", "numero d'incident", "ticket id", "incident", "incident number"}
	orderHeaders  = []string{"sys_mod_count", "version", "numero de mise a jour", "ordre", "sequence"}
	atHeaders     = []string{"sys_updated_at", "sys_updated_on", "updated_at", "updated", "date de mise a jour", "derniere modification", "date de derniere modification", "mis a jour le", "date de modification"}
	actorHeaders  = []string{"sys_updated_by", "updated_by", "mis a jour par", "modifie par"}
)

// meanings are the words of states, origins and so on in the softwares that
// schools come from, folded, by field.
var meanings = map[int]map[string]string{
	toState: {
		"nouveau": "new", "nouvelle": "new", "new": "new", "open": "new", "ouvert": "new", "ouverte": "new", "a traiter": "new",
		"en cours": "assigned", "en cours (attribue)": "assigned", "assigne": "assigned", "attribue": "assigned", "pris en charge": "assigned",
		"in progress": "assigned", "active": "assigned", "assigned": "assigned", "work in progress": "assigned", "en cours de traitement": "assigned", "escalade": "assigned", "reouvert": "assigned",
		"en cours (planifie)": "planned", "planifie": "planned", "planned": "planned", "scheduled": "planned",
		"en attente": "waiting", "suspendu": "waiting", "pending": "waiting", "on hold": "waiting", "stalled": "waiting", "waiting": "waiting",
		"pending reminder": "waiting", "pending close": "waiting", "en attente de reponse utilisateur": "waiting",
		"awaiting user info": "waiting", "awaiting vendor": "waiting", "awaiting problem": "waiting", "awaiting evidence": "waiting",
		"resolu": "resolved", "resolue": "resolved", "resolved": "resolved", "solved": "resolved", "termine": "resolved", "traite": "resolved",
		"clos": "closed", "close": "closed", "cloture": "closed", "cloturee": "closed", "ferme": "closed", "fermee": "closed", "closed": "closed", "archive": "closed",
		"annule": "cancelled", "annulee": "cancelled", "cancelled": "cancelled", "canceled": "cancelled", "rejete": "cancelled", "rejected": "cancelled",
		"fusionne": "merged", "merged": "merged",
	},
	toOrigin: {
		"telephone": "phone", "phone": "phone", "appel": "phone", "tel": "phone", "ivr": "phone",
		"courriel": "email", "mail": "email", "email": "email", "e-mail": "email", "messagerie": "email",
		"portail": "portal", "portal": "portal", "self service": "portal", "self-service": "portal", "web": "portal", "helpdesk": "portal", "formulaire": "portal",
		"supervision": "monitoring", "monitoring": "monitoring", "agent": "agent",
	},
	toPriority: levels(map[string]string{"critique": "1", "critical": "1", "majeure": "1", "tres haute": "1", "very high": "1", "urgente": "1", "haute": "2", "high": "2", "elevee": "2",
		"moyenne": "3", "moderate": "3", "medium": "3", "normale": "3", "normal": "3", "basse": "4", "low": "4", "faible": "4", "tres basse": "5", "very low": "5", "planifiee": "5", "planning": "5"}, 5),
	toImpact: levels(map[string]string{"haut": "1", "haute": "1", "high": "1", "fort": "1", "eleve": "1", "tres haut": "1", "tres haute": "1", "critique": "1",
		"moyen": "2", "moyenne": "2", "medium": "2", "normal": "2", "bas": "3", "basse": "3", "low": "3", "faible": "3", "tres bas": "3", "tres basse": "3"}, 3),
	toUrgency: levels(map[string]string{"haute": "1", "high": "1", "forte": "1", "elevee": "1", "tres haute": "1", "critique": "1",
		"moyenne": "2", "medium": "2", "normale": "2", "basse": "3", "low": "3", "faible": "3", "tres basse": "3"}, 3),
	toNetwork: {"administratif": "administrative", "admin": "administrative", "administrative": "administrative", "pedagogique": "teaching", "peda": "teaching", "teaching": "teaching", "enseignement": "teaching"},
	toTarget:  {"true": "met", "oui": "met", "yes": "met", "vrai": "met", "1": "met", "false": "missed", "non": "missed", "no": "missed", "faux": "missed", "0": "missed"},
}

// levels adds the numbers themselves, alone or before a word ("2 - High").
func levels(m map[string]string, most int) map[string]string {
	for n := 1; n <= most; n++ {
		digit := string(rune('0' + n))
		m[digit] = digit
	}
	return m
}

// meaning is what a value written in a file means for a field, if it is known.
func meaning(to int, v string) (string, bool) {
	v = fold(v)
	if m, ok := meanings[to][v]; ok {
		return m, true
	}
	if slices.Contains(targets[to].words, v) {
		return v, true
	}
	if targets[to].sort == sortNumber { // "3 - Moderate"
		digit, rest, ok := strings.Cut(v, "-")
		if m, known := meanings[to][strings.TrimSpace(digit)]; ok && known && strings.TrimSpace(rest) != "" {
			return m, true
		}
	}
	return "", false
}

// Suggest guesses a profile from the first rows of a file: what the columns
// are from their names, what their values mean from the words that softwares
// use, whether a ticket has several rows. The guess is a start for a person to
// correct: what could not be guessed is simply not there.
func Suggest(s Sample) Profile {
	g := guess{sample: s, used: make([]bool, len(s.Header)), p: Profile{
		Name: "import", Source: "import", Fields: map[string]Field{},
		File: File{Encoding: s.Format.Encoding, Separator: separatorName(s.Format.Separator)},
	}}
	g.folded = make([]string, len(s.Header))
	for i, h := range s.Header {
		g.folded[i] = fold(h)
		if strings.HasPrefix(h, ownColumn) {
			g.used[i] = true
		}
	}
	g.p.File.Missing = g.missing()
	g.rows()
	g.path()
	for to := range targets {
		if to != toCategory {
			g.field(to)
		}
	}
	g.complete()
	g.p.Dates.Formats = g.formats()
	for i, h := range s.Header {
		if !g.used[i] {
			g.p.Ignore = append(g.p.Ignore, h)
		}
	}
	return g.p
}

type guess struct {
	sample Sample
	folded []string
	used   []bool
	p      Profile
}

// find gives the column with one of the names, the first name first.
func (g *guess) find(names []string) int {
	for _, name := range names {
		start, open := strings.CutSuffix(name, "…")
		for i, h := range g.folded {
			h2 := strings.NewReplacer("_", " ").Replace(h)
			if g.used[i] {
				continue
			}
			if h == name || h2 == name || open && strings.HasPrefix(h, start) {
				return i
			}
		}
	}
	return -1
}

func (g *guess) take(names []string) string {
	if i := g.find(names); i >= 0 {
		g.used[i] = true
		return g.sample.Header[i]
	}
	return ""
}

// missing finds the values that exports write for "nothing".
func (g *guess) missing() []string {
	var found []string
	for _, mark := range []string{"?", "-", "N/A", "n/a", "NULL", "null", "(vide)", "(empty)"} {
		for _, row := range g.sample.Rows {
			if slices.Contains(row.Fields, mark) {
				found = append(found, mark)
				break
			}
		}
	}
	return found
}

// rows guesses what a row is: a number that comes back makes a log of updates,
// if the instants of the updates are there too.
func (g *guess) rows() {
	r := &g.p.Rows
	r.Per = PerTicket
	ticket := g.find(ticketHeaders)
	if ticket < 0 {
		return
	}
	g.used[ticket] = true
	r.Ticket = g.sample.Header[ticket]
	seen := map[string]bool{}
	for _, row := range g.sample.Rows {
		seen[row.Fields[ticket]] = true
	}
	repeated := len(seen)*10 < len(g.sample.Rows)*9
	if at := g.find(atHeaders); at >= 0 {
		r.At = g.sample.Header[at]
		g.used[at] = true
		if repeated {
			r.Per = PerUpdate
			r.Order = g.take(orderHeaders)
			r.Actor = g.take(actorHeaders)
		}
	}
}

func (g *guess) path() {
	var columns []string
	for _, names := range pathHeaders {
		c := g.take(names)
		if c == "" {
			break
		}
		columns = append(columns, c)
	}
	if len(columns) > 0 {
		g.p.Fields["category"] = Field{Columns: columns}
	}
}

func (g *guess) field(to int) {
	column := g.take(headers[to])
	if column == "" {
		return
	}
	f := Field{Column: column}
	if known := meanings[to]; known != nil {
		f.Values = map[string]string{}
		for v := range g.values(column) {
			if m, ok := meaning(to, v); ok && m != fold(v) {
				f.Values[v] = m
			}
		}
		if len(f.Values) == 0 {
			f.Values = nil
		}
	}
	switch to {
	case toOrigin:
		f.Default, f.Unknown = string(incident.Import), UseDefault
	case toImpact, toUrgency, toPriority, toNetwork, toTarget:
		f.Unknown = Ignore
	}
	g.p.Fields[targets[to].name] = f
}

// values counts the values of a column in the sample.
func (g *guess) values(column string) map[string]int {
	i := slices.Index(g.sample.Header, column)
	counts := map[string]int{}
	for _, row := range g.sample.Rows {
		if v := tidy(row.Fields[i]); v != "" && !slices.Contains(g.p.File.Missing, v) {
			counts[v]++
		}
	}
	return counts
}

// complete gives a profile what it cannot do without.
func (g *guess) complete() {
	if _, ok := g.p.Fields["title"]; !ok {
		switch c := g.p.Fields["category"]; {
		case len(c.Columns) > 0:
			g.p.Fields["title"] = Field{Template: "{" + c.Columns[len(c.Columns)-1] + "}"}
		case g.p.Fields["description"].Column != "":
			g.p.Fields["title"] = Field{Column: g.p.Fields["description"].Column}
		}
	}
	if _, ok := g.p.Fields["state"]; !ok {
		g.p.Fields["state"] = Field{Constant: string(incident.Closed)}
	}
	if _, ok := g.p.Fields["origin"]; !ok {
		g.p.Fields["origin"] = Field{Constant: string(incident.Import)}
	}
}

// formats keeps the usual formats that read every instant of the sample. Day
// first is tried before month first, which is kept only when days past 12 say so.
func (g *guess) formats() []string {
	columns := []string{g.p.Rows.At}
	for _, to := range []int{toOccurred, toOpened, toPlanned, toResolved, toClosed} {
		columns = append(columns, g.p.Fields[targets[to].name].Column)
	}
	values := map[string]bool{}
	for _, c := range columns {
		if c == "" {
			continue
		}
		for v := range g.values(c) {
			values[v] = true
		}
	}
	if len(values) == 0 {
		return nil
	}
	monthFirst := []string{"1/2/2006 15:04:05", "1/2/2006 15:04", "1/2/2006 3:04 PM", "1/2/2006 3:04:05 PM", "1/2/2006"}
	dayFirst, left := cover(usualFormats, values)
	if left == 0 {
		return dayFirst
	}
	if other, rest := cover(slices.Concat(monthFirst, usualFormats), values); rest < left {
		return other
	}
	return dayFirst
}

// cover gives the formats that read some of the values, and how many values
// none of them reads.
func cover(formats []string, values map[string]bool) (used []string, left int) {
	for v := range values {
		c := clock{formats: formats, loc: utc}
		if i := c.parse(v); !i.ok {
			left++
		}
	}
	for _, f := range formats {
		one := clock{formats: []string{f}, loc: utc}
		before := clock{formats: used, loc: utc}
		for v := range values {
			if one.parse(v).ok && !before.parse(v).ok {
				used = append(used, f)
				break
			}
		}
	}
	return used, left
}

func separatorName(r rune) string {
	if r == '\t' {
		return "tab"
	}
	if r == 0 {
		return ""
	}
	return string(r)
}
