package demo

import (
	"fmt"
	"math"
	"slices"
	"time"

	"statincidents/internal/calendar"
)

// BadBatch is the purchase of computers of the bad model: their labels begin
// with it.
const BadBatch = "HX22C"

// Places of the stories.
var (
	zoneSchools   = []string{"0451788Z", "0451787Y", "0450004K", "0450063Z", "0450787L", "0450006M"} // around Pithiviers
	projectorRoom = "Salle 12"
	projectorUAI  = "0451038J" // Saran
	driftUAI      = "0450005L" // Beaugency
)

// badSchools are those that received computers of the bad model.
const badSchools, badPerSchool = 12, 35

// deliverBadBatch replaces computers of some schools by those of the bad model.
func (g *generator) deliverBadBatch() {
	order := g.rng.Perm(len(g.ds.Schools))
	slices.Sort(order[:badSchools])
	for _, i := range order[:badSchools] {
		computers := g.ds.Schools[i].machines[aComputer]
		for _, at := range g.rng.Perm(len(computers))[:min(badPerSchool, len(computers))] {
			computers[at] = g.newComputer(computers[at].room, BadBatch)
		}
	}
}

// plantStories plants them all and tells how many incidents that made.
func (g *generator) plantStories() int {
	g.plantBadModel()
	g.plantZone()
	g.plantProjector()
	g.plantUpdate()
	g.plantDrift()
	return len(g.ds.Incidents)
}

func (g *generator) schoolOf(uai string) int {
	i := slices.IndexFunc(g.ds.Schools, func(s School) bool { return s.UAI == uai })
	if i < 0 {
		panic("demo: no school " + uai)
	}
	return i
}

// openDays lists the open days of a stretch.
func (g *generator) openDays(first, last calendar.Day) []calendar.Day {
	var all []calendar.Day
	for d := first; d <= last; d++ {
		if g.school.Kind(d) == calendar.OpenDay {
			all = append(all, d)
		}
	}
	return all
}

// weeksBack is the Monday of the n-th whole open week before the present one.
func (g *generator) weeksBack(n int) calendar.Day {
	monday := g.today.Week()
	for n > 0 {
		monday -= 7
		if _, number := g.school.SchoolWeek(monday); number > 0 && g.school.Openness(monday) > 0.5 {
			n--
		}
	}
	return monday
}

// plantBadModel: one purchase of computers freezes and restarts by itself,
// six times as often as the others, from fourteen months ago on.
func (g *generator) plantBadModel() {
	const perMachineAndYear = 0.62
	first := g.today - 425
	days := g.openDays(first, g.today)
	story := Story{Key: BadModel, From: first, To: g.today, Room: None, Category: []string{"Ordinateur"}}
	freezes, boots := g.kindOf("Ordinateur / Se bloque ou redémarre seul"), g.kindOf("Ordinateur / Ne démarre pas / Erreur au démarrage")
	texts := []string{
		"Condensateurs de la carte mère gonflés, carte remplacée sous garantie.", "Même panne que les autres postes de cette série : carte mère échangée.",
		"Carte mère défectueuse, dossier de garantie ouvert pour la série.", "Poste de la série connue, carte remplacée et essai de deux heures.",
	}
	titles := []string{"Le poste {machine} redémarre tout seul", "Écran bleu en plein cours, {machine}", "{machine} se fige plusieurs fois par jour", "{machine} ne démarre plus"}
	for i := range g.ds.Schools {
		var bad []machine
		for _, m := range g.ds.Schools[i].machines[aComputer] {
			if m.batch == BadBatch {
				bad = append(bad, m)
				story.Machines = append(story.Machines, m.label)
			}
		}
		if len(bad) == 0 {
			continue
		}
		story.Schools = append(story.Schools, i)
		for range g.poisson(perMachineAndYear * float64(len(bad)) * 425 / 365) {
			k := freezes
			if g.rng.Float64() < 0.3 {
				k = boots
			}
			m := pick(g, bad)
			g.add(draft{
				school: i, opened: g.instantOn(pick(g, days)), kind: k, room: m.room, machine: m.label, declarant: None,
				solution: 0, story: BadModel, title: pick(g, titles), outcome: pick(g, texts),
			})
		}
	}
	g.ds.Stories = append(g.ds.Stories, story)
}

// plantZone: around Pithiviers, three open weeks of network cuts, the last of
// them two open weeks ago.
func (g *generator) plantZone() {
	first, last := g.weeksBack(4), g.weeksBack(2)+4
	story := Story{Key: Zone, From: first, To: last, Room: None, Category: []string{"Réseau et Wi-Fi", "Pas d'accès à Internet"}}
	kinds := []int{g.kindOf("Réseau et Wi-Fi / Pas d'accès à Internet / Tout le collège"), g.kindOf("Réseau et Wi-Fi / Pas d'accès à Internet / Une salle"), g.kindOf("Réseau et Wi-Fi / Pas d'accès à Internet / Un poste")}
	titles := []string{"Coupures Internet à répétition", "Internet coupé plusieurs fois dans la matinée", "Réseau très instable depuis {since}", "Plus d'Internet depuis la récréation", "Coupures toutes les dix minutes"}
	texts := []string{"Liaison de l'opérateur instable entre Pithiviers et Orléans, ticket opérateur.", "Équipement de collecte de l'opérateur en défaut, rétabli provisoirement.", "Coupure opérateur, service revenu, surveillance en cours."}
	days := g.openDays(first, last)
	for _, uai := range zoneSchools {
		i := g.schoolOf(uai)
		story.Schools = append(story.Schools, i)
		for range 9 + g.rng.IntN(6) {
			k := kinds[[]int{0, 0, 1, 1, 2}[g.rng.IntN(5)]]
			sol := 0 // carrier
			g.add(draft{school: i, opened: g.instantOn(pick(g, days)), kind: k, room: None, declarant: None, solution: sol, story: Zone, title: pick(g, titles), outcome: pick(g, texts)})
		}
	}
	g.ds.Stories = append(g.ds.Stories, story)
}

// plantProjector: the projector of one room fails again and again over the
// last 200 days, is plugged back each time, until the cable is changed.
func (g *generator) plantProjector() {
	i := g.schoolOf(projectorUAI)
	room := slices.IndexFunc(g.ds.Rooms, func(r Room) bool { return r.School == i && r.Name == projectorRoom })
	label := ""
	for _, m := range g.ds.Schools[i].machines[aProjector] {
		if m.room == room {
			label = m.label
		}
	}
	k := g.kindOf("Vidéoprojecteur ou écran interactif / Pas d'image / Câble ou prise")
	const times = 14
	first := g.today - 200
	story := Story{Key: Projector, From: first, To: g.today - 3, Schools: []int{i}, Machines: []string{label}, Room: room, Category: g.kinds[k].path}
	titles := []string{"Vidéoprojecteur noir, salle 12", "Encore le vidéoprojecteur de la salle 12", "Plus d'image au tableau en salle 12", "Salle 12 : « aucun signal » au vidéoprojecteur", "Vidéoprojecteur de la salle 12, toujours lui"}
	texts := []string{"Câble HDMI rebranché dans le boîtier mural, image revenue.", "Connecteur remis en place, image revenue.", "Prise murale resserrée.", "Rebranché, fonctionne."}
	days := g.openDays(first, g.today-3)
	teacher := g.ds.Schools[i].people["teacher"][0]
	for n := range times {
		d := days[(2*n+1)*len(days)/(2*times)]
		dr := draft{school: i, opened: g.instantOn(d), kind: k, room: room, machine: label, declarant: teacher, solution: 0, story: Projector, title: titles[n%len(titles)], outcome: pick(g, texts), faster: 0.6}
		if n == times-1 {
			dr.solution, dr.outcome = 1, "Câble HDMI encastré remplacé sur toute la longueur : il était pincé par la goulotte."
		}
		g.add(dr)
	}
	g.ds.Stories = append(g.ds.Stories, story)
}

// plantUpdate: an update of Windows that fails in one week, in most schools.
func (g *generator) plantUpdate() {
	// An open week near the middle of last school year.
	monday := calendar.Date(g.today.SchoolYear(), time.March, 16).Week()
	if monday+7 > g.today {
		monday -= 364
	}
	for g.school.Openness(monday) < 1 {
		monday -= 7
	}
	k := g.kindOf("Ordinateur / Mise à jour Windows")
	story := Story{Key: Update, From: monday, To: monday + 4, Room: None, Category: g.kinds[k].path}
	titles := []string{"Mise à jour Windows en échec, {room}", "Écran bleu après la mise à jour de la nuit", "« Annulation des modifications » sur tous les postes", "Postes bloqués sur la mise à jour, {room}", "Mise à jour refusée, le poste redémarre en boucle"}
	texts := []string{"Mise à jour de mars retirée à distance, bloquée sur le serveur en attendant le correctif.", "Retour à la version précédente, mise à jour suspendue.", "Mise à jour désinstallée depuis l'environnement de récupération."}
	for i := range g.ds.Schools {
		n := g.poisson(2.7)
		if n > 0 {
			story.Schools = append(story.Schools, i)
		}
		for range n {
			// Most on the day after the night of the update, fewer each day.
			d := monday + 1 + calendar.Day([]int{0, 0, 0, 0, 1, 1, 2, 2, 3}[g.rng.IntN(9)])
			g.add(draft{school: i, opened: g.instantOn(d), kind: k, room: None, declarant: None, solution: 1, story: Update, title: pick(g, titles), outcome: pick(g, texts)})
		}
	}
	g.ds.Stories = append(g.ds.Stories, story)
}

// plantDrift: at one collège, slow computers are reported a little more often
// each month, from a year and a half ago to today.
func (g *generator) plantDrift() {
	i := g.schoolOf(driftUAI)
	k := g.kindOf("Ordinateur / Lenteur")
	const length = 550
	first := g.today - length
	story := Story{Key: Drift, From: first, To: g.today, Schools: []int{i}, Room: None, Category: g.kinds[k].path}
	days := g.openDays(first, g.today)
	for _, d := range days {
		// From nothing to one incident every two days, straight up.
		if g.rng.Float64() < 0.5*math.Pow(float64(d-first)/length, 1.2) {
			g.add(draft{school: i, opened: g.instantOn(d), kind: k, room: None, declarant: None, solution: None, story: Drift})
		}
	}
	g.ds.Stories = append(g.ds.Stories, story)
}

// String tells a story in a line, for logs and documentation.
func (s Story) String() string {
	return fmt.Sprintf("%s: %d incidents from %s to %s in %d schools", s.Key, s.Incidents, s.From, s.To, len(s.Schools))
}
