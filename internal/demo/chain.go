package demo

import (
	"context"
	"time"

	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// chain lets three collèges handle first what is declared there, the
// referent's among them, and gives that referent an incident at each stage.
func (b *busy) chain(ctx context.Context) error {
	school, teacher, referent := b.cast.Declarant.School, b.cast.Declarant.ID, b.cast.Referent.ID
	devices, screens := b.category("Périphériques"), b.category("Vidéoprojecteur ou écran interactif")
	choices := []directory.Support{{School: school, First: true, Hours: 16}}
	for _, other := range b.sector(1) {
		if other != school && len(choices) < 3 {
			choices = append(choices, directory.Support{School: other, First: true, Hours: 8, Categories: []int64{*devices, *screens}})
		}
	}
	for _, c := range choices {
		if _, err := b.s.Directory.SaveSupport(ctx, b.by, c); err != nil {
			return err
		}
	}
	place := func(at time.Time, school int64, name string, category *int64) incident.Patch {
		p := incident.Patch{School: &school, Network: new(directory.NetworkTeaching), Category: category, Impact: new(3), Urgency: new(2), Level: new(incident.AtSchoolLevel), LevelAt: &at}
		if r, ok := b.places.RoomByName(school, name); ok {
			p.Room = &r.ID
		}
		return p
	}
	taken := func(at time.Time) incident.Patch {
		return incident.Patch{State: new(incident.Assigned), Assignee: &referent, SeenAt: &at}
	}
	solved := func(at time.Time, cause, code, text string) incident.Patch {
		return incident.Patch{State: new(incident.Resolved), ResolvedAt: &at, CauseCode: b.code(catalog.Cause, cause), ResolutionCode: b.code(catalog.Resolution, code), Resolution: &text}
	}
	passed := func(at time.Time, level incident.Level, tried string) incident.Patch {
		return incident.Patch{State: new(incident.New), Assignee: new(int64(0)), Level: &level, LevelAt: &at, Tried: &tried, SeenAt: new(time.Time{})}
	}
	keyboard, sound := b.category("Périphériques", "Clavier ou souris"), b.category("Vidéoprojecteur ou écran interactif", "Son")
	picture := b.category("Vidéoprojecteur ou écran interactif", "Stylet ou tactile")
	fresh, held, over := b.ds.Now.Add(-50*time.Minute), b.back(1, 10, 20), b.back(1, 9, 5)
	all := []*told{
		b.tell("chain-new", fresh, teacher, incident.Portal, "Deux touches du clavier restent enfoncées", "Poste du professeur, salle 14.", place(fresh, school, "Salle 14", keyboard)),
		b.tell("chain-taken", held, teacher, incident.Portal, "Un casque sur deux est muet au laboratoire de langues", "Rangée du fond.", place(held, school, "Salle 12", sound)).
			then(held.Add(2*time.Hour), referent, incident.EventAssigned, "Je passe les essayer avec un autre poste.", taken(held.Add(2*time.Hour))),
		b.tell("chain-handed", over, teacher, incident.Portal, "L'écran interactif ne réagit plus au doigt", "Le stylet non plus.", place(over, school, "Salle 12", picture)).
			then(over.Add(time.Hour), referent, incident.EventAssigned, "", taken(over.Add(time.Hour))).
			then(over.Add(3*time.Hour), referent, incident.EventHandedOver, "", passed(over.Add(3*time.Hour), incident.HandedOver, "Écran éteint et rallumé, câble USB changé, essayé avec un portable : toujours rien.")),
	}
	for k, c := range []struct {
		title, cause, code, text string
		category                 *int64
	}{
		{"La souris du CDI ne répond plus", "Usure ou fin de vie", "Remplacement d'une pièce", "Souris prise dans l'armoire du collège.", keyboard},
		{"Pas de son dans la salle 8", "Configuration", "Reconfiguration", "Le son était coupé sur le poste.", sound},
		{"Clavier en anglais au poste 4", "Configuration", "Reconfiguration", "Langue du clavier remise sur le français.", keyboard},
	} {
		at := b.back(3+2*k, 9, 15*k)
		all = append(all, b.tell("chain-done-"+c.title, at, teacher, incident.Portal, c.title, "", place(at, school, "Salle 8", c.category)).
			then(at.Add(time.Hour), referent, incident.EventAssigned, "", taken(at.Add(time.Hour))).
			then(at.Add(2*time.Hour), referent, incident.EventResolved, "", solved(at.Add(2*time.Hour), c.cause, c.code, c.text)).
			then(at.Add(26*time.Hour), teacher, incident.EventClosed, "", incident.Patch{State: new(incident.Closed), ClosedAt: new(at.Add(26 * time.Hour))}))
	}
	if len(choices) > 1 {
		at, gone := b.back(2, 8, 30), b.back(1, 8, 40)
		all = append(all, b.tell("chain-lapsed", at, 0, incident.Label, "Une souris manque en salle informatique", "", place(at, choices[1].School, "", keyboard)).
			then(gone, 0, incident.EventHandedOver, "", passed(gone, incident.Lapsed, "")))
		all[len(all)-1].h.Steps[1].Actor = b.by.Actor()
	}
	return b.record(ctx, all...)
}
