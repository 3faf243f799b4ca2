package demo

import (
	"math"
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// Labels of the default catalogue's waiting reasons.
const (
	waitDeclarant  = "Réponse du déclarant"
	waitPart       = "Pièce ou matériel commandé"
	waitContractor = "Prestataire ou garantie"
	waitRoom       = "Accès à la salle"
)

// fill spreads about n ordinary incidents over schools and days.
func (g *generator) fill(n int) {
	weights := g.mixes()
	// Expected numbers at unit rate first, then the rate that gives n in all.
	days := make([]float64, g.today-g.start+1)
	for i := range days {
		days[i] = g.busy(g.start + calendar.Day(i))
	}
	total := 0.0
	size := make([]float64, len(g.ds.Schools))
	for i := range g.ds.Schools {
		s := &g.ds.Schools[i]
		size[i] = float64(s.Computers) * s.appetite
		for d, busy := range days {
			total += size[i] * busy * weights[i].total(g.mixAt(g.start+calendar.Day(d)))
		}
	}
	rate := float64(n) / total
	for d, busy := range days {
		day := g.start + calendar.Day(d)
		mix := g.mixAt(day)
		for i := range g.ds.Schools {
			for range g.poisson(rate * size[i] * busy * weights[i].total(mix)) {
				g.ordinary(i, day, weights[i].draw(g, mix))
			}
		}
	}
}

// busy is how busy an ordinary day is: 1 on an average day of term.
func (g *generator) busy(d calendar.Day) float64 {
	yearly := 1 + 0.05*float64(d-g.start)/365
	switch g.school.Kind(d) {
	case calendar.Weekend, calendar.PublicHoliday:
		return 0.004
	case calendar.SchoolHoliday, calendar.LocalClosure:
		if y, m, day := d.Time().Date(); m == time.August && day >= 24 && d < calendar.Date(y, time.September, 1) {
			return 0.35 // offices prepare the rentrée
		}
		return 0.03
	case calendar.OpenDay:
	}
	f := yearly * [7]float64{1.25, 1.12, 0.62, 1.06, 0.95, 0, 0}[d.Weekday()]
	if _, m, _ := d.Time().Date(); m == time.June {
		f *= 0.85
	}
	if d.Weekday() < 2 && g.school.Kind(d-7) == calendar.SchoolHoliday {
		f *= 1.3 // what broke over the holidays is found on the first days
	}
	return f
}

// mix numbers the moments that have their own shares of kinds: each school
// year, and in it the waves of the first three weeks.
type mix struct{ year, wave int }

func (g *generator) mixAt(d calendar.Day) mix {
	year, week := g.school.SchoolWeek(d)
	m := mix{year: min(year, g.today.SchoolYear()) - g.start.SchoolYear()}
	if week >= 1 && week <= 3 {
		m.wave = 4 - week // 3 in the first week
	}
	return m
}

// shares are a school's kinds at each mix, cumulated.
type shares map[mix][]float64

func (s shares) total(m mix) float64 { return s[m][len(s[m])-1] }

func (s shares) draw(g *generator, m mix) int {
	cumulated := s[m]
	x := g.rng.Float64() * cumulated[len(cumulated)-1]
	for k, c := range cumulated {
		if x < c {
			return k
		}
	}
	return len(cumulated) - 1
}

func (g *generator) mixes() []shares {
	whole := 0.0
	for _, k := range g.kinds {
		whole += k.Weight
	}
	all := make([]shares, len(g.ds.Schools))
	for i := range g.ds.Schools {
		all[i] = shares{}
		for year := range g.today.SchoolYear() - g.start.SchoolYear() + 1 {
			for wave := range 4 {
				cumulated := make([]float64, len(g.kinds))
				sum := 0.0
				for k, kind := range g.kinds {
					september := 1 + (kind.September-1)*[4]float64{0, 0.3, 0.7, 1}[wave]
					sum += kind.Weight / whole * g.ds.Schools[i].tilt[k] * math.Pow(kind.Growth, float64(year)) * september
					cumulated[k] = sum
				}
				all[i][mix{year, wave}] = cumulated
			}
		}
	}
	return all
}

// poisson draws a number of events of small mean.
func (g *generator) poisson(mean float64) int {
	limit, n := math.Exp(-mean), 0
	for p := g.rng.Float64(); p > limit; p *= g.rng.Float64() {
		n++
	}
	return n
}

// logNormal draws a duration in minutes of a median and a spread (standard
// deviation of its logarithm), within reason.
func (g *generator) logNormal(median, spread, most float64) int {
	return int(min(most, max(2, median*math.Exp(spread*g.rng.NormFloat64()))))
}

// hourly is how many declarations fall in each hour of a day of term.
var hourly = [24]float64{7: 2, 8: 10, 9: 12, 10: 11, 11: 8, 12: 2.5, 13: 7, 14: 9, 15: 7, 16: 5, 17: 2, 18: 0.4}

// instantOn draws when in a day something is declared.
func (g *generator) instantOn(d calendar.Day) time.Time {
	sum := 0.0
	last := 23
	if d.Weekday() == 2 {
		last = 12 // Wednesday afternoons are quiet
	}
	for h := 0; h <= last; h++ {
		sum += hourly[h]
	}
	x := g.rng.Float64() * sum
	hour := 9
	for h := 0; h <= last; h++ {
		if x -= hourly[h]; x < 0 {
			hour = h
			break
		}
	}
	y, m, day := d.Time().Date()
	return time.Date(y, m, day, hour, g.rng.IntN(60), g.rng.IntN(60), 0, g.loc)
}

// ordinary makes an incident of a kind, somewhere in a school, on a day.
func (g *generator) ordinary(school int, d calendar.Day, k int) {
	g.add(draft{school: school, opened: g.instantOn(d), kind: k, room: None, declarant: None, solution: None})
}

// draft is an incident in the making; what is None or empty is drawn.
type draft struct {
	school    int
	opened    time.Time
	kind      int
	room      int
	machine   string
	declarant int
	solution  int
	story     string
	title     string
	detail    string
	outcome   string // how it was solved, in words
	faster    float64
}

// add makes the incident of a draft and lives its life until now.
func (g *generator) add(d draft) {
	if d.opened.After(g.ds.Now) {
		return
	}
	k := &g.kinds[d.kind]
	s := &g.ds.Schools[d.school]
	inc := Incident{School: d.school, Category: k.path, Opened: d.opened, Story: d.story, Impact: k.Impact, Urgency: k.Urgency}
	inc.Room, inc.Machine = g.place(s, k, d.room, d.machine)
	if inc.Room != None {
		inc.Network = g.ds.Rooms[inc.Room].Network
	}
	switch x := g.rng.Float64(); {
	case x < 0.12:
		inc.Urgency = max(1, inc.Urgency-1)
	case x < 0.22:
		inc.Urgency = min(3, inc.Urgency+1)
	}
	if g.rng.Float64() < 0.08 {
		inc.Impact = max(1, inc.Impact-1)
	}
	inc.Declarant = d.declarant
	inc.Origin = g.origin(k)
	switch {
	case inc.Origin == incident.Monitoring:
		inc.Declarant = None
	case inc.Declarant == None:
		inc.Declarant = g.declarant(s, k)
	}
	inc.Occurred = g.occurred(d.opened)
	g.write(&inc, k, d)
	g.live(&inc, k, d)
	g.ds.Incidents = append(g.ds.Incidents, inc)
}

// place draws where: the thing that breaks stands in its room.
func (g *generator) place(s *School, k *kind, room int, label string) (int, string) {
	if room != None || label != "" {
		return room, label
	}
	list := s.machines[k.Thing]
	if k.Thing == aComputer {
		list = s.computers[k.Place]
	}
	if len(list) > 0 && k.Place != useSchool && (k.Thing != aComputer || g.rng.Float64() < 0.8) {
		m := pick(g, list)
		if k.Thing == aSwitch && k.Place != useRack { // the room that it serves
			m.room = pick(g, s.rooms[k.Place])
		}
		return m.room, m.label
	}
	if rooms := s.rooms[k.Place]; len(rooms) > 0 {
		return pick(g, rooms), ""
	}
	return None, ""
}

func (g *generator) origin(k *kind) incident.Origin {
	x := g.rng.Float64()
	if (k.Place == useRack || k.Place == useSchool) && x < 0.45 {
		return incident.Monitoring
	}
	switch x = g.rng.Float64(); {
	case x < 0.6:
		return incident.Portal
	case x < 0.86:
		return incident.Phone
	}
	return incident.Email
}

func (g *generator) declarant(s *School, k *kind) int {
	x := g.rng.Float64()
	switch {
	case x < 0.18:
		return pick(g, s.people[directory.ITReferent])
	case k.Place == useOffice || k.Place == useRack || k.Place == useSchool:
		if x < 0.9 {
			return pick(g, s.people[directory.Administrative])
		}
		return pick(g, s.people[directory.Caretaker])
	case x < 0.9:
		return pick(g, s.people[directory.Teacher])
	}
	return pick(g, s.people[directory.Administrative])
}

// occurred draws when it began: mostly just before it was said.
func (g *generator) occurred(opened time.Time) time.Time {
	var minutes int
	switch x := g.rng.Float64(); {
	case x < 0.72:
		minutes = g.rng.IntN(45)
	case x < 0.93:
		minutes = 45 + g.rng.IntN(7*60)
	default:
		minutes = 24*60 + g.rng.IntN(5*24*60)
	}
	return opened.Add(-time.Duration(minutes) * time.Minute).Truncate(time.Minute)
}

// live draws what follows a declaration, and keeps what happened before now.
func (g *generator) live(inc *Incident, k *kind, d draft) {
	remote := g.rng.Float64() < k.Remote
	team := g.ds.Schools[inc.School].sector
	switch {
	case k.Place == useRack || k.Thing == aSwitch:
		team = teamNetwork
	case remote:
		team = teamRemote
	}
	tech := pick(g, g.techs[team])
	work := g.school
	if remote || team == teamNetwork {
		work = g.service
	}
	l := life{g: g, inc: inc, tech: tech, team: team, at: inc.Opened}

	if g.rng.Float64() < 0.02 && d.story == "" {
		at := g.service.AddOpenMinutes(inc.Opened, g.logNormal(50, 0.8, 600))
		by := inc.Declarant
		if by == None {
			by = tech
		}
		l.step(Step{At: at, By: by, Event: incident.EventCancelled, State: incident.Cancelled, Comment: pick(g, cancelled)})
		return
	}
	answer := g.service.AddOpenMinutes(inc.Opened, g.logNormal([]float64{0, 25, 60, 110}[inc.Urgency], 1, 2400))
	if team != teamNetwork && g.rng.Float64() < 0.07 { // another team sees it first
		other := teamRemote
		if remote {
			other = g.ds.Schools[inc.School].sector
		}
		first := pick(g, g.techs[other])
		l.step(Step{At: answer, By: first, Event: incident.EventAssigned, State: incident.Assigned, Assignee: first + 1, Team: other + 1})
		answer = g.service.AddOpenMinutes(answer, g.logNormal(90, 0.8, 1000))
	}
	l.step(Step{At: answer, By: tech, Event: incident.EventAssigned, State: incident.Assigned, Assignee: tech + 1, Team: team + 1})

	sol := d.solution
	if sol == None {
		sol = g.drawSolution(k)
	}
	end := k.Solutions[sol]
	median := k.Minutes * [4]float64{0, 0.6, 1, 1.35}[inc.Urgency]
	if d.faster > 0 {
		median *= d.faster
	}
	if g.mixAt(calendar.DayOf(inc.Opened, g.loc)).wave > 0 {
		median *= 1.3
	}
	took := g.logNormal(median, k.Spread, 12_000)
	done := work.AddOpenMinutes(inc.Opened, took)
	if least := g.service.AddOpenMinutes(answer, 6+g.rng.IntN(25)); done.Before(least) {
		done = least
	}
	if g.rng.Float64() < 0.22 {
		l.step(Step{At: between(g, answer, done), By: tech, Event: incident.EventCommented, State: incident.Assigned, Comment: pick(g, remarks), Internal: g.rng.Float64() < 0.35})
	}
	if reason, likely := waitingFor(end, inc.Room != None); g.rng.Float64() < likely {
		held := g.service.AddOpenMinutes(l.at, 10+g.rng.IntN(120))
		back := work.AddOpenMinutes(held, g.logNormal(1300, 0.9, 9000))
		l.step(Step{At: held, By: tech, Event: incident.EventHeld, State: incident.Waiting, Code: reason, Comment: pick(g, holding[reason])})
		l.step(Step{At: back, By: tech, Event: incident.EventResumed, State: incident.Assigned})
		if soonest := g.service.AddOpenMinutes(back, 15+g.rng.IntN(240)); done.Before(soonest) {
			done = soonest
		}
	}
	if !remote && g.rng.Float64() < 0.35 {
		when := work.NextOpen(done.Add(-time.Duration(30+g.rng.IntN(60)) * time.Minute)).Truncate(15 * time.Minute)
		if said := g.service.AddOpenMinutes(l.at, 5+g.rng.IntN(60)); said.Before(when) {
			l.step(Step{At: said, By: tech, Event: incident.EventPlanned, State: incident.Planned, Planned: when})
		}
	}
	l.resolve(end, d.outcome, done)
	again := g.rng.Float64() < 0.04
	if again && inc.Declarant != None {
		back := g.school.AddOpenMinutes(done, g.logNormal(500, 0.9, 2500))
		l.step(Step{At: back, By: inc.Declarant, Event: incident.EventReopened, State: incident.Assigned, Comment: pick(g, stillBroken)})
		l.resolve(k.Solutions[g.drawSolution(k)], "", work.AddOpenMinutes(back, g.logNormal(median, k.Spread, 12_000)))
	}
	if inc.Declarant != None && g.rng.Float64() < 0.35 {
		l.step(Step{At: g.school.AddOpenMinutes(l.at, g.logNormal(400, 0.8, 2400)), By: inc.Declarant, Event: incident.EventClosed, State: incident.Closed, Comment: pick(g, thanks)})
		return
	}
	l.step(Step{At: g.service.AddOpenMinutes(l.at, 5*510), By: None, Event: incident.EventClosed, State: incident.Closed})
}

// life keeps the order of an incident's steps: each comes after the one before.
type life struct {
	g          *generator
	inc        *Incident
	tech, team int
	at         time.Time
	over       bool // now was reached: nothing else has happened yet
}

// step adds a step unless it is still to come. Assignee and Team come as index
// plus one, so that a step that does not name them leaves them.
func (l *life) step(s Step) {
	if s.At.IsZero() {
		l.over = true
	}
	if s.At = s.At.Truncate(time.Second); !s.At.After(l.at) {
		s.At = l.at.Add(time.Duration(20+l.g.rng.IntN(200)) * time.Second)
	}
	l.at = s.At
	if l.over = l.over || s.At.After(l.g.ds.Now); l.over {
		return
	}
	s.Assignee--
	s.Team--
	l.inc.Steps = append(l.inc.Steps, s)
}

func (l *life) resolve(end solution, outcome string, at time.Time) {
	if outcome == "" {
		outcome = pick(l.g, end.Texts)
	}
	l.step(Step{At: at.Add(time.Duration(l.g.rng.IntN(60)) * time.Second), By: l.tech, Event: incident.EventResolved, State: incident.Resolved, Code: end.Code, Cause: end.Cause, Text: outcome})
}

func (g *generator) drawSolution(k *kind) int {
	sum := 0.0
	for _, s := range k.Solutions {
		sum += s.Weight
	}
	x := g.rng.Float64() * sum
	for i, s := range k.Solutions {
		if x -= s.Weight; x < 0 {
			return i
		}
	}
	return len(k.Solutions) - 1
}

// waitingFor is what the work waits for, and how likely.
func waitingFor(end solution, room bool) (reason string, likely float64) {
	switch {
	case end.Code == "Intervention d'un prestataire":
		return waitContractor, 0.55
	case end.Code == "Remplacement du matériel" || end.Code == "Remplacement d'une pièce":
		return waitPart, 0.28
	case end.Code == "Réparation sur place" && room:
		return waitRoom, 0.12
	}
	return waitDeclarant, 0.07
}

func between(g *generator, a, b time.Time) time.Time {
	if !b.After(a) {
		return a
	}
	return a.Add(time.Duration(g.rng.Float64() * float64(b.Sub(a))))
}
