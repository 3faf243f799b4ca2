package analysis

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/similar"
)

// openDays numbers the open days of each school.
type openDays struct {
	w     *World
	since calendar.Day
	known map[int64][]int // by school: open days before each day since the first
}

func (o *openDays) at(school int64, day calendar.Day) int {
	days := o.known[school]
	if days == nil {
		cal := o.w.Places.Calendar(school)
		n := 0
		for d := o.since; d <= o.w.Today+1; d++ {
			days = append(days, n)
			if cal.DayMinutes(d) > 0 {
				n++
			}
		}
		o.known[school] = days
	}
	k := int(day - o.since)
	return days[min(max(k, 0), len(days)-1)]
}

// gatherRecurrence takes what is needed of the world: incidents that are parts
// of a main one are that one coming once, not again and again.
func gatherRecurrence(ctx context.Context, w *World) (RecurrenceInput, error) {
	in := RecurrenceInput{
		Since: w.Today - RecurrenceYears*365, From: w.Today - RecurrenceWindow + 1, Today: w.Today, Until: map[int64]int{},
	}
	days := &openDays{w: w, since: in.Since, known: map[int64][]int{}}
	in.OpenDays = days.at(0, w.Today+1) - days.at(0, in.From)
	for _, years := range cube.ComputerYears(w.Places, in.From, w.Today+1) {
		in.Computers += years * 365.25 / RecurrenceWindow
	}
	for k := range w.Facts {
		f := &w.Facts[k]
		if f.Day < in.Since || f.Day > w.Today || f.Parent != 0 {
			continue
		}
		e := RecurrenceEvent{ID: f.ID, Day: f.Day, Open: days.at(f.School, f.Day), End: -1, School: f.School, Room: f.Room, Cause: f.Cause, Machine: f.Machine}
		if f.Ended != 0 {
			e.End = days.at(f.School, f.Ended)
		}
		if path := w.Words.Path(f.Category); len(path) > 0 {
			e.Family, e.Type = path[0], path[min(1, len(path)-1)]
		}
		in.Until[f.School] = days.at(f.School, w.Today)
		in.Events = append(in.Events, e)
	}
	slices.SortFunc(in.Events, func(a, b RecurrenceEvent) int { return cmp.Compare(a.ID, b.ID) })
	for _, school := range w.Places.Schools() {
		for _, room := range w.Places.Rooms(school.ID) {
			if !room.Archived {
				in.Rooms = append(in.Rooms, RecurrenceRoom{ID: room.ID, School: school.ID, Kind: RoomKind(room.Name)})
			}
		}
	}
	in.Echo.gather(in.Events, days)
	if w.texts == nil {
		return in, nil
	}
	return in, in.Echo.compare(ctx, w)
}

// gather takes the reports of the last open days and what is usual.
func (in *EchoInput) gather(events []RecurrenceEvent, days *openDays) {
	w := days.w
	in.From = w.Today
	last := days.at(0, w.Today+1)
	for in.From > days.since && last-days.at(0, in.From) < EchoDays {
		in.From--
	}
	in.Open = last - days.at(0, in.From)
	year := in.From - 365
	in.Year = days.at(0, in.From) - days.at(0, year)
	usual := map[[2]int64]int{}
	for k := range events {
		e := &events[k]
		switch {
		case e.Type == 0:
		case e.Day >= in.From:
			in.Here = append(in.Here, EchoReport{ID: e.ID, Day: e.Day, School: e.School, Type: e.Type})
		case e.Day >= year:
			usual[[2]int64{0, e.Type}]++
			usual[[2]int64{e.School, e.Type}]++
		}
	}
	if len(in.Here) > mostReports {
		in.Here = in.Here[len(in.Here)-mostReports:]
	}
	for key, n := range usual {
		in.Usual = append(in.Usual, EchoUsual{School: key[0], Type: key[1], N: n})
	}
	slices.SortFunc(in.Usual, func(a, b EchoUsual) int { return cmp.Or(cmp.Compare(a.School, b.School), cmp.Compare(a.Type, b.Type)) })
}

// compare reads the words of the reports and links those that are alike.
func (in *EchoInput) compare(ctx context.Context, w *World) error {
	words, err := w.texts(ctx, in.From.Start(w.Location))
	if err != nil {
		return err
	}
	in.Here = slices.DeleteFunc(in.Here, func(r EchoReport) bool { return words[r.ID] == "" })
	texts := make([]string, len(in.Here))
	byType := map[int64][]int{}
	for k, r := range in.Here {
		texts[k] = words[r.ID]
		byType[r.Type] = append(byType[r.Type], k)
	}
	read := similar.NewTexts(texts)
	for _, t := range slices.Sorted(maps.Keys(byType)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		for n, b := range byType[t] {
			for _, a := range byType[t][:n] {
				if like := read.Like(a, b); like >= EchoLike {
					in.Links = append(in.Links, EchoLink{a, b, like})
				}
			}
		}
	}
	return nil
}

// textsSince reads the words of the incidents declared since an instant.
type textsSince func(ctx context.Context, since time.Time) (map[int64]string, error)

func (s *Service) texts(ctx context.Context, since time.Time) (map[int64]string, error) {
	all, err := s.Incidents.OpenedSince(ctx, auth.ScopeAll(s.cfg.Tenant), since, mostReports)
	out := make(map[int64]string, len(all))
	for k := range all {
		out[all[k].ID] = all[k].Title + "\n" + all[k].Description
	}
	return out, err
}
