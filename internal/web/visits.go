package web

import (
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/visit"
)

// visitLine is a visit as lists tell it.
type visitLine struct {
	ID        int64
	Href      string // "" for who may not open it
	When      string // day and hours
	Day       string
	Hours     string
	Who       string
	School    string
	Purpose   string
	Kind      string
	KindIcon  string
	State     Badge
	Ended     bool // done or cancelled
	Mine      bool
	Incidents []Link
	Clash     string // what speaks against it
}

var visitLooks = map[visit.State]Badge{
	visit.Planned:   {Icon: "calendar-clock", Tone: "planned"},
	visit.Started:   {Icon: "map-pin", Tone: "info"},
	visit.Done:      {Icon: "circle-check", Tone: "good"},
	visit.Cancelled: {Icon: "ban"},
}

// VisitBadge shows where a visit stands.
func VisitBadge(p *locale.Printer, s visit.State) Badge {
	b := visitLooks[s]
	b.Word = p.T("visit.state." + string(s))
	return b
}

func kindIcon(k visit.Kind) string {
	if k == visit.Remote {
		return "monitor-smartphone"
	}
	return "map-pin"
}

// hours says from when to when, with the day of the end if it is another.
func (r *Request) hours(v *visit.Visit) string {
	end := r.Time(v.End())
	if calendar.DayOf(v.Start, r.Location()) != calendar.DayOf(v.End(), r.Location()) {
		end = r.DateTime(v.End())
	}
	return r.T("visit.hours", "from", r.Time(v.Start), "to", end)
}

// visitLine tells a visit; titles are those of its incidents.
func (n *names) visitLine(v *visit.Visit, titles map[int64]incident.Incident) visitLine {
	r := n.r
	l := visitLine{
		ID: v.ID, Day: r.Date(v.Start), Hours: r.hours(v), Who: n.places.PersonName(v.Technician), School: n.places.SchoolName(v.School), Purpose: v.Purpose,
		Kind: r.T("visit.kind." + string(v.Kind)), KindIcon: kindIcon(v.Kind), State: VisitBadge(r.Printer, v.State), Ended: !v.State.Active(),
		Mine: v.Technician == r.Who.Person && v.Technician != 0,
	}
	l.When = l.Day + ", " + l.Hours
	if r.Scope().SeesSchool(v.School) {
		l.Href = "/visits/" + id(v.ID)
	}
	for _, number := range v.Incidents {
		if i, ok := titles[number]; ok {
			l.Incidents = append(l.Incidents, Link{Label: i.Title, Href: "/incidents/" + id(number)})
		}
	}
	if l.Purpose == "" && len(l.Incidents) > 0 {
		l.Purpose = l.Incidents[0].Label
		if more := len(l.Incidents) - 1; more > 0 {
			l.Purpose = r.N("visit.and_more", more, "first", l.Purpose)
		}
	}
	return l
}

// titlesOf reads the incidents of visits, as far as the reader sees them.
func (r *Request) titlesOf(visits ...visit.Visit) (map[int64]incident.Incident, error) {
	var ids []int64
	seen := map[int64]bool{}
	for k := range visits {
		for _, number := range visits[k].Incidents {
			if !seen[number] {
				seen[number] = true
				ids = append(ids, number)
			}
		}
	}
	found, err := r.Server.deps.Incidents.Many(r.Context(), r.Scope(), ids)
	if err != nil {
		return nil, err
	}
	titles := make(map[int64]incident.Incident, len(found))
	for _, i := range found {
		titles[i.ID] = i
	}
	return titles, nil
}

// openAt lists the open incidents of a school, the most urgent first. While
// the figures are being loaded there are none to propose.
func (r *Request) openAt(school int64) ([]incident.Incident, error) {
	q := cube.ListQuery{
		Filters: []cube.Filter{{Dim: cube.DimSchool, In: []string{id(school)}}, {Dim: cube.DimOpen, In: []string{"yes"}}},
		Limit:   visit.MaxIncidents,
	}
	page, err := r.Server.deps.Cube.List(r.Context(), r.Scope(), q)
	if fault.Is(err, fault.Unavailable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.Server.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
}

// clashes says what speaks against a visit, a sentence each.
func (r *Request) clashes(n *names, v visit.Visit) ([]string, error) {
	found, err := r.Server.deps.Visits.Clashes(r.Context(), r.Who, v)
	if err != nil {
		return nil, err
	}
	var said []string
	school := n.places.SchoolName(v.School)
	for _, c := range found {
		switch c.Kind {
		case visit.Overlap:
			said = append(said, r.T("visit.clash.overlap", "who", n.places.PersonName(c.Visit.Technician), "school", n.places.SchoolName(c.Visit.School), "hours", r.hours(c.Visit)))
		case visit.Hours:
			said = append(said, r.T("visit.clash.hours", "school", school, "hours", n.openHours(v.School, c.Day)))
		case visit.Weekend, visit.PublicHoliday, visit.SchoolHoliday, visit.Closure:
			said = append(said, r.T("visit.clash."+string(c.Kind), "day", r.Day(c.Day), "school", school))
		}
	}
	return said, nil
}

// openHours says when a school is open on a day.
func (n *names) openHours(school int64, d calendar.Day) string {
	week, _ := n.places.Hours(school)
	var spans []string
	for _, s := range week[d.Weekday()] {
		at := func(minute int) string {
			y, m, day := d.Time().Date()
			return n.r.Time(time.Date(y, m, day, 0, minute, 0, 0, n.r.Location()))
		}
		spans = append(spans, n.r.T("visit.hours", "from", at(s.From), "to", at(s.To)))
	}
	return n.r.List(spans)
}

// mayPlan tells whether the reader plans visits.
func (r *Request) mayPlan() bool { return r.Who.Can(auth.HandleIncident) }

// dayAt is the local day of an instant.
func (r *Request) dayAt(t time.Time) calendar.Day { return calendar.DayOf(t, r.Location()) }
