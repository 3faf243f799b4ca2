package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/checklist"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/visit"
)

// Work are the rooms of planned work that LoadVisits fills.
type Work struct {
	Visits *visit.Service
	Checks *checklist.Service
}

// LoadVisits plans the week of a loaded demonstration, as a technician: visits
// done, under way and to come, for incidents that are open in the dataset,
// with check-lists in hand and time spent. Where visits are already, nothing is
// added.
func LoadVisits(ctx context.Context, by auth.Identity, s Services, work Work, ds *Dataset) error {
	if found, err := work.Visits.List(ctx, by, visit.Filter{Limit: 1}); err != nil || len(found) > 0 {
		return err
	}
	if err := work.Checks.Seed(ctx, auth.System(by.Tenant)); err != nil {
		return fmt.Errorf("demo: check-lists: %w", err)
	}
	l := &loader{by: by, s: s, work: work, ds: ds}
	var err error
	if l.places, err = s.Directory.Index(ctx, by.Tenant); err != nil {
		return err
	}
	if l.templates, err = work.Checks.Templates(ctx, by); err != nil {
		return err
	}
	return l.week(ctx)
}

type loader struct {
	by        auth.Identity
	s         Services
	work      Work
	ds        *Dataset
	places    *directory.Index
	templates []checklist.Template
	host      int64 // school of the teacher's account; 0 if nothing waits there
}

// open gives incidents of the dataset that are not ended, youngest first, by
// school.
func (l *loader) open(ctx context.Context) (map[int64][]incident.Incident, []int64, error) {
	found := map[int64][]incident.Incident{}
	var order []int64
	// What the teacher's account waits for comes first.
	if i, err := l.s.Incidents.ByExternal(ctx, auth.ScopeAll(l.by.Tenant), Source, desk("board")); err == nil && i.State.Open() {
		l.host = i.School
		order, found[i.School] = append(order, i.School), append(found[i.School], i)
	}
	for k := len(l.ds.Incidents) - 1; k >= 0 && len(order) < 24; k-- {
		steps := l.ds.Incidents[k].Steps
		if len(steps) > 0 && !steps[len(steps)-1].State.Open() {
			continue
		}
		i, err := l.s.Incidents.ByExternal(ctx, auth.ScopeAll(l.by.Tenant), Source, number(k))
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if i.State.Open() && i.School != 0 && len(found[i.School]) < 3 {
			if found[i.School] == nil {
				order = append(order, i.School)
			}
			found[i.School] = append(found[i.School], i)
		}
	}
	return found, order, nil
}

// week plans two visits a day for the account's technician, one for others, in
// the week of now and the next one.
func (l *loader) week(ctx context.Context) error {
	found, schools, err := l.open(ctx)
	if err != nil || len(schools) == 0 {
		return err
	}
	loc := l.places.Settings().Location()
	today := calendar.DayOf(l.ds.Now, loc)
	first := today.Week()
	if today.Weekday() > 4 {
		first += 7 // at the weekend, the weeks to come
	}
	technicians := []int64{l.by.Person}
	for _, p := range l.places.Technicians() {
		if p.ID != l.by.Person && len(technicians) < 6 {
			technicians = append(technicians, p.ID)
		}
	}
	next := 0
	for _, day := range l.openDays(first, first+11) {
		for who, technician := range technicians {
			if who > 0 && (int(day-first)+who)%2 == 1 {
				continue
			}
			hours := []int{9}
			if who == 0 {
				hours = []int{9, 14}
			}
			for _, hour := range hours {
				y, m, d := day.Time().Date()
				v := visit.Draft{
					Kind: visit.OnSite, Technician: technician, Start: time.Date(y, m, d, hour, 0, 0, 0, loc), Minutes: 90 + 30*(next%2),
					Purpose: [...]string{"Passage de la semaine", "Remplacement de postes", "Contrôle de la baie", "Copieur du secrétariat"}[next%4],
				}
				// Nothing is repaired before it was declared: a school whose incidents
				// wait goes to the first visit that comes after them.
				v.School = schools[(3+5*next)%len(schools)]
				fits := func(s int64) bool {
					if s == l.host && (who > 0 || v.Start.Before(l.ds.Now)) {
						return false // the teacher's collège: the account's technician is to come
					}
					return len(found[s]) > 0 && found[s][0].OpenedAt.Before(v.Start)
				}
				if k := slices.IndexFunc(schools, fits); k >= 0 && day >= today {
					v.School = schools[k]
					for n, i := range found[v.School] {
						if i.OpenedAt.Before(v.Start) && n < 2 { // the third is for "while you are there"
							v.Incidents = append(v.Incidents, i.ID)
						}
					}
					delete(found, v.School)
				}
				if (next+who)%7 == 6 {
					v.Kind, v.Minutes = visit.Remote, 45
				}
				if next%3 == 0 {
					v.Note = "Passer d'abord à la loge : la clé de la salle y est."
				}
				next++
				if err := l.plan(ctx, v, day, today, next); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// openDays are the days of a stretch on which collèges are open.
func (l *loader) openDays(first, last calendar.Day) []calendar.Day {
	var all []calendar.Day
	for d := first; d <= last; d++ {
		if l.places.Calendar(0).Kind(d) == calendar.OpenDay {
			all = append(all, d)
		}
	}
	return all
}

// plan records one visit and brings it to where it is today.
func (l *loader) plan(ctx context.Context, d visit.Draft, day, today calendar.Day, n int) error {
	v, err := l.work.Visits.Plan(ctx, l.by, d)
	if err != nil {
		return fmt.Errorf("demo: visit: %w", err)
	}
	if day > today {
		return nil
	}
	on := checklist.On{Visit: v.ID}
	if len(v.Incidents) > 0 {
		on = checklist.On{Incident: v.Incidents[0]}
	}
	if n%2 == 1 && len(l.templates) > 0 {
		if err := l.tick(ctx, l.templates[n%len(l.templates)], on, day < today); err != nil {
			return err
		}
	}
	now := l.ds.Now
	if v.Start.After(now) {
		return nil
	}
	if _, err := l.work.Visits.Act(ctx, l.by, v.ID, 0, visit.Begin); err != nil {
		return fmt.Errorf("demo: visit begun: %w", err)
	}
	if v.End().After(now) {
		return nil
	}
	for k, incident := range append([]int64{0}, v.Incidents...) {
		minutes := []int{15, 60, 30}[k%3]
		if _, err := l.work.Visits.LogTime(ctx, l.by, visit.Time{Visit: v.ID, Incident: incident, Technician: v.Technician, Day: day, Minutes: minutes}); err != nil {
			return fmt.Errorf("demo: time: %w", err)
		}
	}
	_, err = l.work.Visits.Act(ctx, l.by, v.ID, 0, visit.Finish)
	if fault.Is(err, fault.Invalid) {
		return nil // a list of the visit is still in hand: it shows what that does
	}
	return err
}

var demoValues = map[checklist.Kind][]string{
	checklist.Text: {"Selon le relevé du jour"}, checklist.Number: {"42", "118"}, checklist.Asset: {"HX25A-104", "HX25A-117"}, checklist.IP: {"10.45.12.34", "10.45.12.1"},
	checklist.Version: {"23H2", "1.18.0"}, checklist.YesNo: {"yes"}, checklist.Machine: {"HX25A-104"},
}

// tick begins a list and does about half of it, or all that must be done.
func (l *loader) tick(ctx context.Context, t checklist.Template, on checklist.On, all bool) error {
	list, err := l.work.Checks.Add(ctx, l.by, t.ID, on)
	if err != nil {
		if slices.Contains([]fault.Code{fault.Conflict, fault.Invalid}, fault.CodeOf(err)) {
			return nil
		}
		return fmt.Errorf("demo: check-list: %w", err)
	}
	for k, c := range list.Checks {
		values := demoValues[c.Kind]
		if c.Kind == checklist.Photo || !all && k >= len(list.Checks)/2 || all && !c.Mandatory {
			continue
		}
		value := ""
		if len(values) > 0 {
			value = values[k%len(values)]
		}
		if _, err := l.work.Checks.Set(ctx, l.by, list.ID, checklist.Change{Item: k, Done: true, Value: value}); err != nil {
			return fmt.Errorf("demo: check-list: %w", err)
		}
	}
	return nil
}
