package web

import (
	"html/template"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/servicelevel"
)

// clockPanel says how an incident stands to the unit's promises: in a sentence
// for who waits, with the account of every minute for who works.
type clockPanel struct {
	*locale.Printer

	Plain  []string
	Clocks []clockView
}

// clockView is one clock.
type clockView struct {
	ID    string
	Name  string
	State Badge
	Said  string // spent, left, due
	Bar   bool
	Done  int // minutes, no more than Of
	Of    int
	Table *Table // nil: nothing has passed yet
	Lines string // "12 lines"
}

var clockFragment = newFragment[clockPanel]("panel_clock.html", "panel-clock")

func (s *Server) clockPanelRoutes() {
	s.incidentPanel(panel{order: 100, place: panelTop, show: s.clocks})
}

func (s *Server) clocks(r *Request, i incident.Incident) (template.HTML, error) {
	if s.deps.Service == nil {
		return "", nil
	}
	clock, err := s.deps.Service.Clock(r.Context(), r.Scope(), i.ID, r.Now())
	if err != nil {
		return "", err
	}
	n, err := r.names()
	if err != nil {
		return "", err
	}
	p := clockPanel{Printer: r.Printer}
	if !r.Who.Can(auth.HandleIncident) {
		p.Plain = plainClock(r, n, i, clock)
	}
	if r.Who.Can(auth.ViewStatistics) {
		for _, one := range []struct {
			name servicelevel.ClockName
			part servicelevel.Part
		}{{servicelevel.Response, clock.Response}, {servicelevel.Resolution, clock.Resolution}} {
			p.Clocks = append(p.Clocks, clockViewOf(r, n, one.name, one.part))
		}
	}
	if len(p.Plain) == 0 && len(p.Clocks) == 0 {
		return "", nil
	}
	return clockFragment.html(p)
}

// plainClock says what a declarant wants to know: when, and what is waited for.
func plainClock(r *Request, n *names, i incident.Incident, c servicelevel.Clock) []string {
	if !i.State.Open() {
		return nil
	}
	now := r.Now()
	var said []string
	if c.Response.Phase == servicelevel.Running && !c.Response.Due.IsZero() && !c.Response.Late {
		said = append(said, r.T("service.plain.response", "when", r.DateTime(c.Response.Due)))
	}
	if i.AtSchool() {
		if i.State == incident.Waiting {
			said = append(said, r.T("service.plain.waiting", "why", n.words.CodeLabel(i.WaitingCode, n.lang())))
		}
		return said // the panel of levels says who sees to it
	}
	if i.State == incident.Waiting {
		why := n.words.CodeLabel(i.WaitingCode, n.lang())
		if c.Resolution.Phase == servicelevel.Paused {
			said = append(said, r.T("service.plain.paused", "why", why))
		} else {
			said = append(said, r.T("service.plain.waiting", "why", why))
		}
	}
	switch due := c.Resolution.Due; {
	case due.IsZero():
	case c.Resolution.Late || !due.After(now):
		said = append(said, r.T("service.plain.late", "when", r.DateTime(due)))
	default:
		said = append(said, r.T("service.plain.resolution", "when", r.DateTime(due)))
	}
	return said
}

func clockViewOf(r *Request, n *names, name servicelevel.ClockName, p servicelevel.Part) clockView {
	v := clockView{ID: "clock-" + string(name), Name: r.T("service.clock." + string(name)), State: clockBadge(r.Printer, p.Reading, p.Late, isAway(p))}
	v.Said = clockWords(r, p)
	if p.Target > 0 && p.Phase != servicelevel.Void {
		v.Bar, v.Of, v.Done = true, p.Target, min(p.Spent, p.Target)
	}
	if len(p.Lines) > 0 {
		v.Table = clockTable(r, n, v.Name, p)
		v.Lines = r.N("service.lines", len(p.Lines))
	}
	return v
}

// clockBadge says how a clock stands in a word, an icon and a tone; away that
// the incident is with its school.
func clockBadge(p *locale.Printer, c servicelevel.Reading, late, away bool) Badge {
	word, icon, tone := "running", "timer", "info"
	switch {
	case c.Phase == servicelevel.Void:
		word, icon, tone = "void", "minus", ""
	case c.Phase == servicelevel.Paused && away:
		word, icon, tone = "away", "school", ""
	case late && c.Phase == servicelevel.Stopped:
		word, icon, tone = "missed", "triangle-alert", "warning"
	case late:
		word, icon, tone = "late", "triangle-alert", "critical"
	case c.Phase == servicelevel.Paused:
		word, icon, tone = "paused", "hourglass", "warning"
	case c.InTime():
		word, icon, tone = "met", "circle-check", "good"
	case c.Phase == servicelevel.Stopped:
		word, icon, tone = "done", "circle-check", ""
	}
	return Badge{Icon: icon, Word: p.T("service.state." + word), Tone: tone}
}

// isAway tells whether a clock waits for the school to hand over.
func isAway(p servicelevel.Part) bool {
	return p.Phase == servicelevel.Paused && len(p.Lines) > 0 && p.Lines[len(p.Lines)-1].Kind == servicelevel.Away
}

// clockWords is the line beside the bar.
func clockWords(r *Request, p servicelevel.Part) string {
	spent := r.OpenMinutes(p.Spent)
	if p.Target == 0 {
		return r.T("service.spent_only", "spent", spent)
	}
	said := []string{r.T("service.spent", "spent", spent, "target", r.OpenMinutes(p.Target))}
	switch {
	case p.Phase == servicelevel.Void:
	case p.Remaining < 0:
		said = append(said, r.T("service.over", "over", r.OpenMinutes(-p.Remaining)))
		if !p.Due.IsZero() {
			said = append(said, r.T("service.was_due", "when", r.DateTime(p.Due)))
		}
	case p.Phase == servicelevel.Running:
		said = append(said, r.T("service.left", "left", r.OpenMinutes(p.Remaining)))
		if !p.Due.IsZero() {
			said = append(said, r.T("service.due", "when", r.DateTime(p.Due)))
		}
	case isAway(p):
		said = append(said, r.T("service.left_away"))
	case p.Phase == servicelevel.Paused:
		said = append(said, r.T("service.left", "left", r.OpenMinutes(p.Remaining)), r.T("service.due_off"))
	}
	return Legend(said...)
}

// clockTable is the account of every minute; its foot is the total.
func clockTable(r *Request, n *names, name string, p servicelevel.Part) *Table {
	t := &Table{
		Printer: r.Printer, Caption: r.T("service.lines.caption", "clock", name), Hide: true, Stacked: true,
		Columns: []Column{
			{Label: r.T("service.lines.from"), Lead: true}, {Label: r.T("service.lines.to")}, {Label: r.T("service.lines.what"), Wrap: true},
			{Label: r.T("service.lines.state")}, {Label: r.T("service.lines.who")}, {Label: r.T("service.lines.minutes"), Num: true},
		},
	}
	day := func(at time.Time) string { return r.ShortDateTime(at) }
	for _, l := range p.Lines {
		counted := "–"
		if l.Kind == servicelevel.Counted {
			counted = r.OpenMinutes(l.Minutes)
		}
		who := n.places.PersonName(l.Assignee)
		if who == "" {
			who = "–"
		}
		t.Rows = append(t.Rows, TableRow{Cells: Cells(day(l.From), day(l.To), lineWords(r, n, l), r.T("incident.state."+string(l.State)), who, counted)})
	}
	t.Foot = Cells(r.T("service.lines.total"), "", "", "", "", r.OpenMinutes(p.Spent))
	return t
}

var closedWords = map[calendar.DayKind]string{
	calendar.OpenDay: "hours", calendar.Weekend: "weekend", calendar.PublicHoliday: "public", calendar.LocalClosure: "closure", calendar.SchoolHoliday: "holiday",
}

func lineWords(r *Request, n *names, l servicelevel.Line) string {
	switch l.Kind {
	case servicelevel.Pause:
		return r.T("service.line.paused", "why", n.words.CodeLabel(l.Waiting, n.lang()))
	case servicelevel.Closed:
		return r.T("service.line.closed." + closedWords[l.Day])
	case servicelevel.Counted:
		if l.State == incident.Waiting {
			return r.T("service.line.counted_waiting", "why", n.words.CodeLabel(l.Waiting, n.lang()))
		}
	case servicelevel.Between, servicelevel.Away:
	}
	return r.T("service.line." + string(l.Kind))
}
