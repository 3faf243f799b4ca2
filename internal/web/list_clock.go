package web

import (
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/servicelevel"
)

// pressures are the values of the list's parameter "clock".
var pressures = []servicelevel.Pressure{servicelevel.Late, servicelevel.Soon, servicelevel.Due, riskPressure}

// pressure is how pressing the incidents of the reader's list are to be; ""
// for any.
func (r *Request) pressure() servicelevel.Pressure { return pressureOf(r.Address.Get("clock")) }

func pressureOf(text string) servicelevel.Pressure {
	if p := servicelevel.Pressure(text); slices.Contains(pressures, p) {
		return p
	}
	return ""
}

// pressing keeps, of a list, the incidents whose clock presses so, the most
// pressing first.
func (r *Request) pressing(p servicelevel.Pressure, q *cube.ListQuery) error {
	if p == "" || r.Server.deps.Service == nil {
		return nil
	}
	if p == riskPressure {
		ids, err := r.Server.risky(r)
		q.Only = append([]int64{}, ids...)
		return err
	}
	ids, err := r.Server.deps.Service.Pressing(r.Context(), r.Scope(), p, r.Now())
	q.Only = append([]int64{}, ids...)
	return err
}

// duePage is a page of a list in the order in which clocks press: that of
// q.Only. The clocks that run are those of open incidents, so that the list is
// short enough to be looked at as a whole.
func (s *Server) duePage(r *Request, q cube.ListQuery) (cube.Page, error) {
	q.Limit, q.After, q.Sort = cube.MaxList, "", ""
	kept := map[int64]bool{}
	var page cube.Page
	for {
		part, err := s.deps.Cube.List(r.Context(), r.Scope(), q)
		if err != nil {
			return cube.Page{}, err
		}
		for _, id := range part.IDs {
			kept[id] = true
		}
		page.Total, page.AsOf = part.Total, part.AsOf
		if q.After = part.Next; q.After == "" {
			break
		}
	}
	for _, id := range q.Only {
		if kept[id] {
			page.IDs = append(page.IDs, id)
		}
	}
	return page, nil
}

// rowsOfAPage is how many incidents a page of the list in order of pressure
// shows, as others do.
const rowsOfAPage = 50

// cut keeps the reader's page of a list that is whole, and gives its pager.
func (r *Request) cut(page *cube.Page) Pager {
	skip, err := strconv.Atoi(r.Address.Get("skip"))
	if err != nil || skip < 0 {
		skip = 0
	}
	whole := len(page.IDs)
	page.IDs = page.IDs[min(skip, whole):min(skip+rowsOfAPage, whole)]
	p := Pager{Printer: r.Printer, Shown: len(page.IDs), Total: page.Total}
	if skip > 0 {
		p.First = r.Address.Without("skip").String()
	}
	if skip+rowsOfAPage < whole {
		p.Next = r.Address.With("skip", strconv.Itoa(skip+rowsOfAPage)).String()
	}
	return p
}

// clockFields filter a list by how pressing its incidents are; none for who is
// not shown the clocks.
func (r *Request) clockFields() []Field {
	if r.Server.deps.Service == nil || !r.Who.Can(auth.ViewStatistics) {
		return nil
	}
	options := []Option{{Label: r.T("common.all")}}
	for _, p := range pressures {
		options = append(options, Option{Value: string(p), Label: r.T("service.pressure." + string(p))})
	}
	return []Field{r.Filters().Select("clock", r.T("service.pressure"), options)}
}

// sortsByDue adds the order of the clocks to those of a list: it keeps the
// incidents that have an instant to keep to.
func (r *Request) sortsByDue(sorts []sortChoice) []sortChoice {
	if len(r.clockFields()) == 0 {
		return sorts
	}
	if r.pressure() != "" {
		for k := range sorts {
			sorts[k].Current = false
			sorts[k].Href = r.Address.Without("clock", "skip").With("sort", sorts[k].Key).String()
		}
	}
	at := r.Address.Without("sort", "after").With("clock", string(servicelevel.Due))
	if r.pressure() != "" {
		at = r.Address
	}
	return append(sorts, sortChoice{Label: r.T("service.sort"), Href: at.String(), Current: r.pressure() != ""})
}

// clockRows says, on the rows of a list, how much time is left.
func (r *Request) clockRows(places *directory.Index, found []incident.Incident, rows []incidentRow) error {
	if r.Server.deps.Service == nil || !r.Who.Can(auth.ViewStatistics) {
		return nil
	}
	ids := make([]int64, 0, len(found))
	for k := range found {
		if found[k].State.Open() && !found[k].AtSchool() { // there the clocks wait
			ids = append(ids, found[k].ID)
		}
	}
	stands, err := r.Server.deps.Service.Standings(r.Context(), r.Scope(), ids)
	if err != nil {
		return err
	}
	for k := range found {
		if t, ok := stands[found[k].ID]; ok {
			rows[k].Clock = r.rowClock(places, t)
		}
	}
	return nil
}

// rowClock is the clock that matters now: the response until somebody has
// taken the incident in hand, then the resolution; nil without a target.
func (r *Request) rowClock(places *directory.Index, t servicelevel.Tally) *Badge {
	name, reading := "response", t.Response
	if reading.Target == 0 || reading.Phase != servicelevel.Running && reading.Phase != servicelevel.Paused {
		name, reading = "resolution", t.Resolution
	}
	if reading.Target == 0 || reading.Phase != servicelevel.Running && reading.Phase != servicelevel.Paused {
		return nil
	}
	now := r.Now()
	left := reading.Target - reading.SpentAt(places.Calendar(t.School), now)
	switch {
	case reading.Late(now):
		return &Badge{Icon: "triangle-alert", Word: r.T("service.row.late."+name, "over", r.OpenMinutes(-left)), Tone: "critical"}
	case reading.Phase == servicelevel.Paused:
		return &Badge{Icon: "hourglass", Word: r.T("service.row.paused", "left", r.OpenMinutes(left))}
	case !reading.WarnAt.IsZero() && !reading.WarnAt.After(now):
		return &Badge{Icon: "timer", Word: r.T("service.row.left."+name, "left", r.OpenMinutes(left)), Tone: "warning"}
	}
	return &Badge{Icon: "timer", Word: r.T("service.row.left."+name, "left", r.OpenMinutes(left))}
}
