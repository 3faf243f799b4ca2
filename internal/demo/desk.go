package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/label"
	"statincidents/internal/preset"
	"statincidents/internal/problem"
	"statincidents/internal/queue"
	"statincidents/internal/routing"
)

// Desk are the rooms of the unit's daily work that LoadDesk fills.
type Desk struct {
	Problems *problem.Service
	Presets  *preset.Service
	Routing  *routing.Service
	Labels   *label.Service
	Queue    *queue.Service
}

// Players are the accounts of the demonstration for whom something is made.
type Players struct{ Lead, Technician, Referent auth.Identity }

// outageSchools is how many collèges the outage that is under way touches.
const outageSchools = 7

// LoadDesk gives a loaded demonstration what its people are in the middle of:
// an outage over several collèges, problems with their workaround, incidents of
// the teacher's at every stage, macros, templates, rules, views and labels.
// Where the rules are already, nothing is added.
func LoadDesk(ctx context.Context, s Services, d Desk, who Players, ds *Dataset) error {
	tenant := who.Lead.Tenant
	if there, err := d.Routing.Rules(ctx, tenant); err != nil || len(there) > 0 {
		return err
	}
	if ds.numbers == nil {
		return errors.New("demo: the département is not loaded")
	}
	b := &busy{s: s, d: d, who: who, ds: ds, n: ds.numbers, by: auth.System(tenant)}
	var err error
	if b.places, err = s.Directory.Index(ctx, tenant); err != nil {
		return err
	}
	cast, ok := CastOf(b.places)
	if !ok {
		return errors.New("demo: the people of the accounts are missing")
	}
	b.cast = cast
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"the teacher's incidents", b.teacher}, {"school first", b.chain}, {"outage", b.outage}, {"problems", b.problems}, {"duplicates", b.together}, {"presets", b.presets},
		{"views", b.views}, {"labels", b.labels}, {"rules", b.rules}, // last: they say that everything is there
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("demo: %s: %w", step.what, err)
		}
	}
	return nil
}

// busy fills the desk.
type busy struct {
	s      Services
	d      Desk
	who    Players
	by     auth.Identity
	ds     *Dataset
	n      *numbers
	places *directory.Index
	cast   Cast
	main   int64 // the outage
}

// desk is the number, in the former software as it were, of an incident that
// is not of the dataset.
func desk(key string) string { return "B-" + key }

func (b *busy) code(kind catalog.CodeKind, label string) *int64 {
	c, _ := b.n.words.CodeByLabel(kind, label)
	return &c.ID
}

func (b *busy) category(path ...string) *int64 {
	c, _ := b.n.words.CategoryByPath(path...)
	return &c.ID
}

// told is an incident told from its beginning, for ImportHistories.
type told struct {
	h incident.History
	b *busy
}

func (b *busy) tell(key string, at time.Time, by int64, origin incident.Origin, title, text string, set incident.Patch) *told {
	actor := journal.Actor{Kind: journal.ByPerson, ID: by}
	if by == 0 {
		actor = journal.Actor{Kind: journal.BySystem}
	}
	matrix := b.n.words.Matrix()
	set.State, set.Title, set.Description, set.Declarant, set.Origin = new(incident.New), &title, &text, &by, &origin
	set.OpenedAt, set.OccurredAt = &at, new(at.Add(-10*time.Minute))
	set.Priority = new(matrix.Priority(*set.Impact, *set.Urgency))
	return &told{b: b, h: incident.History{Source: Source, ExternalID: desk(key), Steps: []incident.Step{{At: at, Actor: actor, Kind: incident.EventDeclared, Set: set}}}}
}

func (t *told) then(at time.Time, by int64, kind string, comment string, set incident.Patch) *told {
	actor := journal.Actor{Kind: journal.ByPerson, ID: by}
	t.h.Steps = append(t.h.Steps, incident.Step{At: at, Actor: actor, Kind: kind, Set: set, Comment: comment})
	return t
}

func (b *busy) record(ctx context.Context, all ...*told) error {
	var list []incident.History
	for _, t := range all {
		list = append(list, t.h)
	}
	done, err := b.s.Incidents.ImportHistories(ctx, b.by, list)
	if err != nil {
		return err
	}
	for _, r := range done.Rejected {
		return fmt.Errorf("incident %s: %w", r.ExternalID, r.Err)
	}
	return nil
}

func (b *busy) find(ctx context.Context, key string) (incident.Incident, error) {
	return b.s.Incidents.ByExternal(ctx, auth.ScopeAll(b.by.Tenant), Source, key)
}

// back is an hour of the n-th open day of collèges before today.
func (b *busy) back(days, hour, minute int) time.Time {
	loc := b.places.Settings().Location()
	open := b.places.Calendar(0)
	day := calendar.DayOf(b.ds.Now, loc)
	for days > 0 {
		if day--; open.Kind(day) == calendar.OpenDay {
			days--
		}
	}
	y, m, d := day.Time().Date()
	return time.Date(y, m, d, hour, minute, 0, 0, loc)
}

// teacher gives the teacher's account an incident at each stage: resolved and
// to be confirmed, waiting for an answer, closed and to be rated, to be visited.
func (b *busy) teacher(ctx context.Context) error {
	school, teacher, tech := b.cast.Declarant.School, b.cast.Declarant.ID, b.cast.Technician.ID
	room := func(name string) *int64 {
		r, _ := b.places.RoomByName(school, name)
		return &r.ID
	}
	place := func(name string, impact, urgency int, category *int64) incident.Patch {
		return incident.Patch{School: &school, Room: room(name), Network: new(directory.NetworkTeaching), Category: category, Impact: &impact, Urgency: &urgency}
	}
	taken := incident.Patch{State: new(incident.Assigned), Assignee: &tech}
	solved := func(at time.Time, cause, code, text string) incident.Patch {
		return incident.Patch{State: new(incident.Resolved), ResolvedAt: &at, CauseCode: b.code(catalog.Cause, cause), ResolutionCode: b.code(catalog.Resolution, code), Resolution: &text}
	}
	mended, ended := b.back(1, 15, 40), b.back(2, 9, 10)
	sound := b.tell("sound", b.back(2, 10, 5), teacher, incident.Portal, "Plus de son au tableau en salle 12", "L'image est là, mais aucun son ne sort des haut-parleurs.",
		place("Salle 12", 3, 2, b.category("Vidéoprojecteur ou écran interactif", "Son"))).
		then(b.back(2, 11, 0), tech, incident.EventAssigned, "", taken).
		then(mended, tech, incident.EventResolved, "", solved(mended, "Configuration", "Reconfiguration", "La sortie audio était restée sur le casque : remise sur le vidéoprojecteur, essayée avec une vidéo."))
	tablet := b.tell("tablets", b.back(3, 9, 15), teacher, incident.Portal, "Trois tablettes ne se connectent plus au Wi-Fi", "Le message dit « mot de passe incorrect ». Les autres tablettes du chariot marchent.",
		place("Salle 8", 3, 3, b.category("Réseau et Wi-Fi", "Wi-Fi faible ou absent"))).
		then(b.back(3, 10, 30), tech, incident.EventAssigned, "", taken).
		then(b.back(2, 14, 20), tech, incident.EventHeld, "Pouvez-vous me donner le numéro inscrit au dos des trois tablettes ?", incident.Patch{State: new(incident.Waiting), WaitingCode: b.code(catalog.Waiting, waitDeclarant)})
	mouse := b.tell("mouse", b.back(4, 14, 0), teacher, incident.Portal, "La souris du poste du professeur saute", "Le curseur se bloque toutes les dix secondes.",
		place("Salle 12", 3, 3, b.category("Périphériques", "Clavier ou souris"))).
		then(b.back(4, 15, 0), tech, incident.EventAssigned, "", taken).
		then(b.back(3, 9, 40), tech, incident.EventResolved, "", solved(b.back(3, 9, 40), "Usure ou fin de vie", "Remplacement d'une pièce", "Souris remplacée par une souris du stock.")).
		then(ended, teacher, incident.EventClosed, "C'est parfait, merci.", incident.Patch{State: new(incident.Closed), ClosedAt: &ended})
	board := b.tell("board", b.back(1, 8, 50), teacher, incident.Portal, "Le stylet de l'écran interactif écrit à côté", "Le trait apparaît à deux centimètres de la pointe.",
		place("Salle 14", 3, 2, b.category("Vidéoprojecteur ou écran interactif", "Stylet ou tactile"))).
		then(b.back(1, 9, 30), tech, incident.EventAssigned, "", taken)
	if err := b.record(ctx, sound, tablet, mouse, board); err != nil {
		return err
	}
	// They call one another in comments: the lead the technician, who answers and
	// asks the school.
	for _, c := range []struct {
		by       auth.Identity
		key      string
		comment  string
		internal bool
	}{
		{b.who.Lead, "board", "@" + b.cast.Technician.Name + " le collège reçoit les parents jeudi : pouvez-vous passer avant ?", true},
		{b.who.Technician, "board", "@" + b.cast.Lead.Name + " c'est prévu dans la tournée de cette semaine.", true},
		{b.who.Technician, "tablets", "@" + b.cast.Referent.Name + " le chariot est-il bien rangé au CDI le soir ?", false},
	} {
		i, err := b.find(ctx, desk(c.key))
		if err != nil {
			return err
		}
		if _, err := b.s.Incidents.Act(ctx, c.by, incident.Change{Incident: i.ID, Action: incident.Comment, Comment: c.comment, Internal: c.internal}); err != nil {
			return err
		}
	}
	return nil
}

// outage is a mass incident under way around the teacher's collège: one main
// incident, its parts, one message to all.
func (b *busy) outage(ctx context.Context) error {
	home := b.places.SchoolName(b.cast.Declarant.School)
	near := slices.Clone(b.ds.Schools)
	at := slices.IndexFunc(near, func(s School) bool { return s.Name == home })
	slices.SortStableFunc(near, func(x, y School) int {
		away := func(s School) float64 {
			return math.Hypot(s.Lat-b.ds.Schools[at].Lat, (s.Lon-b.ds.Schools[at].Lon)*0.67)
		}
		return cmp.Compare(away(x), away(y))
	})
	begun := b.ds.Now.Add(-100 * time.Minute)
	if here := begun.In(b.places.Settings().Location()); here.Hour() < 7 || here.Hour() > 16 || b.places.Calendar(0).Kind(calendar.DayOf(here, here.Location())) != calendar.OpenDay {
		begun = b.back(1, 14, 5)
	}
	network := b.n.people[b.ds.teamOf(teamNetwork)[0]]
	set := func(school int64) incident.Patch {
		return incident.Patch{School: &school, Network: new(directory.NetworkTeaching), Category: b.category("Réseau et Wi-Fi", "Pas d'accès à Internet", "Tout le collège"), Impact: new(1), Urgency: new(1)}
	}
	words := []string{"Plus d'Internet dans tout le collège", "Internet coupé depuis ce matin", "Pronote et l'ENT ne répondent plus", "Aucun accès à Internet, réseau administratif compris", "Plus de connexion, téléphones compris", "Internet coupé, les cours en salle informatique sont arrêtés"}
	var all []*told
	for k, school := range near[:outageSchools] {
		number, _ := b.places.SchoolByUAI(school.UAI)
		if k == 0 {
			all = append(all, b.tell("outage", begun, 0, incident.Monitoring, "Liaison Internet coupée au nord d'Orléans", "La supervision ne voit plus les routeurs de plusieurs collèges depuis la même minute.", set(number.ID)).
				then(begun.Add(6*time.Minute), network, incident.EventAssigned, "", incident.Patch{State: new(incident.Assigned), Assignee: &network, Team: &b.n.teams[teamNetwork]}).
				then(begun.Add(25*time.Minute), network, incident.EventHeld, "Ticket ouvert chez l'opérateur : fibre coupée sur un chantier.", incident.Patch{State: new(incident.Waiting), WaitingCode: b.code(catalog.Waiting, waitContractor)}))
			continue
		}
		by := b.ds.Schools[slices.IndexFunc(b.ds.Schools, func(s School) bool { return s.UAI == school.UAI })].people[directory.Administrative][0]
		all = append(all, b.tell(fmt.Sprintf("outage-%d", k), begun.Add(time.Duration(4+5*k)*time.Minute), b.n.people[by], incident.Phone, words[(k-1)%len(words)], "", set(number.ID)))
	}
	if err := b.record(ctx, all...); err != nil {
		return err
	}
	main, err := b.find(ctx, desk("outage"))
	if err != nil {
		return err
	}
	b.main = main.ID
	ids := []int64{main.ID}
	for k := 1; k < outageSchools; k++ {
		i, err := b.find(ctx, desk(fmt.Sprintf("outage-%d", k)))
		if err != nil {
			return err
		}
		if _, err := b.s.Incidents.Act(ctx, b.who.Lead, incident.Change{Incident: i.ID, Action: incident.Attach, Set: incident.Patch{Parent: &main.ID}}); err != nil {
			return err
		}
		ids = append(ids, i.ID)
	}
	for _, id := range ids {
		if _, err := b.s.Incidents.Act(ctx, b.who.Lead, incident.Change{Incident: id, Action: incident.Comment, Comment: "La fibre de l'opérateur est coupée sur un chantier à Saran. Le rétablissement est annoncé pour la fin de l'après-midi ; sept collèges sont touchés. Nous vous tenons au courant ici."}); err != nil {
			return err
		}
	}
	_, err = b.s.Incidents.AlsoAffected(ctx, auth.Somebody(b.by.Tenant, b.cast.Declarant.ID, b.cast.Declarant.Name, b.cast.Declarant.School), main.ID, incident.Affected{Comment: "Même chose en salle 12 : impossible d'ouvrir Pronote."})
	return err
}

// problems are the causes behind several incidents, with the way round them.
func (b *busy) problems(ctx context.Context) error {
	for _, p := range []struct {
		problem.Content

		story string
		most  int
	}{
		{problem.Content{
			State: problem.Known, Title: "Liaison de l'opérateur coupée au nord d'Orléans", Category: *b.category("Réseau et Wi-Fi", "Pas d'accès à Internet"), Owner: b.n.people[b.ds.teamOf(teamNetwork)[0]], Public: true,
			Description: "Une seule fibre dessert sept collèges ; elle passe sous le chantier de la tangentielle.", Cause: "Fibre arrachée par un engin de chantier.",
			Workaround: "Pour l'appel et Pronote, utilisez le partage de connexion du téléphone de service du secrétariat. Les cours enregistrés sur le serveur du collège restent accessibles.",
		}, "", 1},
		{problem.Content{
			State: problem.Known, Title: "Postes de la série HX22C : carte mère", Category: *b.category("Ordinateur", "Se bloque ou redémarre seul"), Owner: b.cast.Technician.ID,
			Description: "Les postes livrés en 2022 sous cette série redémarrent ou se figent six fois plus que les autres.", Cause: "Condensateurs de la carte mère défectueux, reconnu par le constructeur.",
			Workaround: "Ne masterisez pas à nouveau : ouvrez le dossier de garantie de la série (référence constructeur SR-2291) et échangez la carte mère.",
		}, BadModel, 24},
		{problem.Content{
			State: problem.Open, Title: "Coupures Internet autour de Pithiviers", Category: *b.category("Réseau et Wi-Fi", "Pas d'accès à Internet"), Owner: b.n.people[b.ds.teamOf(teamNetwork)[1]], Public: true,
			Description: "Trois semaines de coupures de quelques minutes dans six collèges.",
			Workaround:  "Attendez cinq minutes avant de redémarrer quoi que ce soit : la liaison revient d'elle-même.",
		}, Zone, 16},
		{problem.Content{
			State: problem.Resolved, Title: "Câble encastré de la salle 12 à Saran", Category: *b.category("Vidéoprojecteur ou écran interactif", "Pas d'image", "Câble ou prise"), Owner: b.cast.Technician.ID,
			Description: "Le vidéoprojecteur a été rebranché treize fois en six mois.", Cause: "Câble HDMI pincé par la goulotte.",
		}, Projector, 14},
	} {
		made, err := b.d.Problems.Open(ctx, b.who.Lead, p.Content)
		if err != nil {
			return err
		}
		left := p.most
		if p.story == "" {
			if _, err := b.d.Problems.Link(ctx, b.who.Lead, made.ID, b.main); err != nil {
				return err
			}
			continue
		}
		for k := len(b.ds.Incidents) - 1; k >= 0 && left > 0; k-- {
			if b.ds.Incidents[k].Story != p.story {
				continue
			}
			i, err := b.find(ctx, number(k))
			if err != nil {
				return err
			}
			if _, err := b.d.Problems.Link(ctx, b.who.Lead, made.ID, i.ID); err != nil {
				return err
			}
			left--
		}
	}
	return nil
}

// together relates the last incidents of the room of the projector, and merges
// what was declared twice.
func (b *busy) together(ctx context.Context) error {
	var last incident.Incident
	related := 0
	for k := len(b.ds.Incidents) - 1; k >= 0 && related < 3; k-- {
		if b.ds.Incidents[k].Story != Projector {
			continue
		}
		i, err := b.find(ctx, number(k))
		if err != nil {
			return err
		}
		if last.ID != 0 {
			if _, err := b.s.Incidents.Relate(ctx, b.who.Technician, last.ID, i.ID); err != nil {
				return err
			}
			related++
		}
		last = i
	}
	// The same copier, told by two people of one office.
	school := b.ds.Schools[b.ds.home()]
	office, _ := b.places.RoomByName(b.cast.Declarant.School, "Secrétariat")
	at := b.back(1, 10, 20)
	set := func() incident.Patch {
		return incident.Patch{School: &b.cast.Declarant.School, Room: &office.ID, Network: new(directory.NetworkAdministrative), Category: b.category("Impression et copieur", "Bourrage papier"), Impact: new(2), Urgency: new(2)}
	}
	people := school.people[directory.Administrative]
	if err := b.record(ctx,
		b.tell("copier", at, b.n.people[people[0]], incident.Portal, "Le copieur du secrétariat affiche « bourrage »", "Les deux capots ont été ouverts, il n'y a pas de papier coincé.", set()),
		b.tell("copier-again", at.Add(25*time.Minute), b.n.people[people[1]], incident.Phone, "Copieur du secrétariat bloqué", "", set()),
	); err != nil {
		return err
	}
	one, err := b.find(ctx, desk("copier"))
	if err != nil {
		return err
	}
	two, err := b.find(ctx, desk("copier-again"))
	if err != nil {
		return err
	}
	_, err = b.s.Incidents.Act(ctx, b.who.Technician, incident.Change{Incident: two.ID, Action: incident.Merge, Set: incident.Patch{MergedInto: &one.ID}})
	return err
}

func (b *busy) presets(ctx context.Context) error {
	template := func(label, title, text string, impact, urgency int, path ...string) preset.Preset {
		return preset.Preset{Kind: preset.Template, Label: label, Filled: preset.Filled{Title: title, Description: text, Category: *b.category(path...), Impact: impact, Urgency: urgency}}
	}
	solve := func(label, key, cause, code, text string) preset.Preset {
		return preset.Preset{Kind: preset.Macro, Label: label, Key: key, Change: preset.Change{Action: incident.Resolve, Set: incident.Patch{
			CauseCode: b.code(catalog.Cause, cause), ResolutionCode: b.code(catalog.Resolution, code), Resolution: &text,
		}}}
	}
	hold := func(label, key, reason, comment string) preset.Preset {
		return preset.Preset{Kind: preset.Macro, Label: label, Key: key, Change: preset.Change{Action: incident.Hold, Set: incident.Patch{WaitingCode: b.code(catalog.Waiting, reason)}, Comment: comment}}
	}
	own := hold("Demander une photo", "q", waitDeclarant, "Pouvez-vous joindre une photo de l'écran et du câble branché derrière ?")
	own.Owner = b.who.Technician.Account
	for _, p := range []preset.Preset{
		template("Mot de passe oublié", "Mot de passe oublié", "Identifiant : \nDernière connexion réussie : ", 3, 2, "Comptes et mots de passe", "Mot de passe oublié ou expiré"),
		template("Copieur en panne", "Copieur en panne", "Message affiché : \nNombre de personnes gênées : ", 2, 2, "Impression et copieur", "N'imprime pas"),
		template("Plus d'Internet", "Plus d'Internet dans tout le collège", "Depuis : \nLe téléphone marche-t-il ? ", 1, 1, "Réseau et Wi-Fi", "Pas d'accès à Internet", "Tout le collège"),
		template("Poste qui ne démarre pas", "Le poste ne démarre pas", "Numéro de bien : \nVoyants : \nMessage : ", 3, 2, "Ordinateur", "Ne démarre pas"),
		solve("Mot de passe réinitialisé", "b", "Compte ou droits", "Réinitialisation du mot de passe", "Mot de passe réinitialisé, à changer à la première connexion."),
		solve("Câble rebranché", "c", "Câblage ou branchement", "Rebranchement", "Câble rebranché, essayé avec la personne."),
		solve("Redémarrage suffisant", "d", "Défaut du logiciel", "Redémarrage", "Redémarré à distance, essai concluant."),
		hold("Pièce commandée", "f", waitPart, "La pièce est commandée : nous revenons dès qu'elle est livrée."),
		hold("Salle fermée", "g", waitRoom, "La salle était fermée à notre passage. Quand pouvons-nous y entrer ?"),
	} {
		if _, err := b.d.Presets.Save(ctx, b.who.Lead, p); err != nil {
			return err
		}
	}
	_, err := b.d.Presets.Save(ctx, b.who.Technician, own)
	return err
}

func (b *busy) views(ctx context.Context) error {
	for _, v := range []struct {
		by   auth.Identity
		view queue.View
	}{
		{b.who.Technician, queue.View{Name: "Ma journée", Query: "open=yes&assignee=" + fmt.Sprint(b.cast.Technician.ID) + "&sort=priority", Audience: queue.Own}},
		{b.who.Lead, queue.View{Name: "Copieurs en panne", Query: "open=yes&category=" + fmt.Sprint(*b.category("Impression et copieur")), Audience: queue.Unit}},
		{b.who.Lead, queue.View{Name: "En attente d'un prestataire", Query: "state=waiting&team=" + fmt.Sprint(b.n.teams[teamNetwork]), Audience: queue.Unit}},
		{b.who.Referent, queue.View{Name: "Réparations à confirmer", Query: "state=resolved", Audience: queue.Own}},
	} {
		if _, err := b.d.Queue.SaveView(ctx, queue.Reader{Identity: v.by}, v.view); err != nil {
			return err
		}
	}
	return nil
}

// labels are stuck in the rooms of the teacher's collège, which has its code;
// one report waits for somebody of the school.
func (b *busy) labels(ctx context.Context) error {
	school := b.cast.Declarant.School
	var places []label.Place
	for _, r := range b.places.Rooms(school) {
		if len(places) < 20 {
			places = append(places, label.Place{School: school, Room: r.ID})
		}
	}
	for _, m := range b.ds.Schools[b.ds.home()].machines[aCopier] {
		places = append(places, label.Place{School: school, Machine: m.label})
	}
	made, err := b.d.Labels.Make(ctx, b.who.Referent, places)
	if err != nil {
		return err
	}
	if _, err := b.d.Labels.SetCode(ctx, b.who.Referent, school); err != nil {
		return err
	}
	token, err := b.d.Labels.Token(ctx, made[0])
	if err != nil {
		return err
	}
	_, err = b.d.Labels.Submit(ctx, token, label.Report{
		Title: "L'écran du poste du fond est éteint", Category: *b.category("Ordinateur", "Écran"), Name: "Une surveillante", Email: "vie.scolaire@college.example", Once: "demonstration", Language: "fr", From: "127.0.0.1",
	})
	return err
}

func (b *busy) rules(ctx context.Context) error {
	for _, r := range []routing.Rule{
		{Name: "Réseau et serveurs", Categories: []int64{*b.category("Réseau et Wi-Fi", "Pas d'accès à Internet"), *b.category("Serveur et baie")}, Team: b.n.teams[teamNetwork], Least: true},
		{Name: "Mots de passe : assistance à distance", Categories: []int64{*b.category("Comptes et mots de passe")}, Team: b.n.teams[teamRemote], Least: true},
		{Name: "Urgences du secteur d'Orléans", Schools: b.sector(teamOrleans), Priorities: []int{1, 2}, Team: b.n.teams[teamOrleans]},
		{Name: "Pithiviers : au plus disponible du secteur", Schools: b.sector(teamEast), Team: b.n.teams[teamEast], Least: true},
	} {
		made, err := b.d.Routing.Save(ctx, b.who.Lead, r)
		if err != nil {
			return err
		}
		if r.Priorities != nil {
			continue // being tried: not switched on yet
		}
		if _, err := b.d.Routing.Switch(ctx, b.who.Lead, made.ID, true); err != nil {
			return err
		}
	}
	return nil
}

// sector are some of the collèges of a team.
func (b *busy) sector(team int) []int64 {
	var all []int64
	for k, s := range b.ds.Schools {
		if s.sector == team && len(all) < 12 {
			all = append(all, b.n.schools[k])
		}
	}
	return all
}

// home is the collège of the teacher's account.
func (ds *Dataset) home() int {
	return slices.IndexFunc(ds.Schools, func(s School) bool { return s.UAI == projectorUAI })
}

// teamOf lists the people of a team.
func (ds *Dataset) teamOf(team int) []int {
	var all []int
	for k, p := range ds.People {
		if p.Team == teamNames[team] {
			all = append(all, k)
		}
	}
	return all
}
