package visit

import (
	"context"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
)

// ClashKind is why a visit may not go as planned. "visit.clash.NAME" is its
// translation key.
type ClashKind string

// The kinds of clash.
const (
	Overlap       ClashKind = "overlap"        // the technician is elsewhere
	Weekend       ClashKind = "weekend"        // the school never opens that day
	PublicHoliday ClashKind = "public_holiday" //
	SchoolHoliday ClashKind = "school_holiday" // open to technicians at times: the school tells
	Closure       ClashKind = "closure"        //
	Hours         ClashKind = "hours"          // before it opens, after it closes, at noon
)

// Clash is one reason.
type Clash struct {
	Kind  ClashKind
	Day   calendar.Day // the day concerned
	Visit *Visit       // the other visit of an overlap
}

var closed = map[calendar.DayKind]ClashKind{
	calendar.Weekend: Weekend, calendar.PublicHoliday: PublicHoliday, calendar.SchoolHoliday: SchoolHoliday, calendar.LocalClosure: Closure,
}

// Clashes tells what speaks against a visit, planned or only thought of. None
// of it forbids the visit: the technician may know better. Work at a distance
// does not need an open school.
func (s *Service) Clashes(ctx context.Context, by auth.Identity, v Visit) ([]Clash, error) {
	var all []Clash
	if v.Technician != 0 && !v.Start.IsZero() && v.Minutes > 0 {
		others, err := s.List(ctx, auth.System(by.Tenant), Filter{From: v.Start, To: v.End(), Technician: v.Technician, States: []State{Planned, Started}})
		if err != nil {
			return nil, err
		}
		cal, err := s.places.Calendar(ctx, by.Tenant, v.School)
		if err != nil {
			return nil, err
		}
		for k := range others {
			if o := &others[k]; o.ID != v.ID && o.Overlaps(&v) && by.Scope().SeesSchool(o.School) {
				all = append(all, Clash{Kind: Overlap, Day: cal.Day(o.Start), Visit: o})
			}
		}
		if v.Kind == OnSite {
			all = append(all, opening(cal, v)...)
		}
	}
	return all, nil
}

// opening compares a visit with the days and hours of its school.
func opening(cal *calendar.Calendar, v Visit) []Clash {
	var all []Clash
	last := cal.Day(v.End().Add(-time.Minute))
	for d := cal.Day(v.Start); d <= last; d++ {
		if kind, ok := closed[cal.Kind(d)]; ok {
			all = append(all, Clash{Kind: kind, Day: d})
		}
	}
	if len(all) == 0 && cal.OpenMinutes(v.Start, v.End()) < v.Minutes {
		all = append(all, Clash{Kind: Hours, Day: cal.Day(v.Start)})
	}
	return all
}

// Between finds the overlaps among visits that were read together: for each
// visit, those of the same technician that want the same minutes.
func Between(visits []Visit) map[int64][]int64 {
	found := map[int64][]int64{}
	for a := range visits {
		for b := a + 1; b < len(visits); b++ {
			x, y := &visits[a], &visits[b]
			if x.Technician == y.Technician && x.State.Active() && y.State.Active() && x.Overlaps(y) {
				found[x.ID] = append(found[x.ID], y.ID)
				found[y.ID] = append(found[y.ID], x.ID)
			}
		}
	}
	return found
}
