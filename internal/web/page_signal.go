package web

import (
	"net/http"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/signal"
)

// signalPage is one signal: what was seen, since when, where, and what people
// think of it.
type signalPage struct {
	Page

	ID      string
	Badges  []Badge
	Said    []string
	Facts   []fact
	Strip   ChartFrame
	Map     ChartFrame
	HasMap  bool
	Rows    []incidentRow
	All     string // the list behind it
	AllText string
	Loading bool
	Form    *Form
	Verdict Field
	Note    Field
	May     bool // the reader may judge
	Judged  string
	Words   []string
	Story   []storyEntry
}

var signalView = newView[signalPage]("page_signal.html", shell)

func (s *Server) signal(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	return s.showSignal(r, http.StatusOK, number, nil)
}

func (s *Server) showSignal(r *Request, status int, number int64, f *Form) error {
	one, err := s.deps.Signals.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	say := n.signalNames()
	e := one.Current()
	p := &signalPage{
		Page: Page{Title: say.Title(&one), Crumbs: []Link{{Label: r.T("signal.title"), Href: "/signals"}}},
		ID:   id(one.ID), Form: f, May: r.Who.Can(auth.JudgeSignal),
		Badges: []Badge{{Icon: "bell", Word: r.T("signal.method." + string(one.Method))}, r.signalStateBadge(&one), r.verdictBadge(one.Verdict)},
	}
	for _, text := range []string{say.Sentence(&one, e), say.Pace(&one), say.New(&one)} {
		if text != "" {
			p.Said = append(p.Said, text)
		}
	}
	p.facts(r, n, &one, e)
	p.Strip, _ = n.signalStrip(&one, signal.MaxHistory, "strip")
	err = p.incidents(r, n, &one, e)
	if fault.Is(err, fault.Unavailable) {
		p.Loading, err = true, nil
	}
	if err != nil {
		return err
	}
	p.judgement(r, &one)
	if err := p.story(r, n, &one); err != nil {
		return err
	}
	return signalView.show(r, status, p)
}

func (p *signalPage) facts(r *Request, n *names, one *signal.Signal, e signal.Entry) {
	say := n.signalNames()
	add := func(key, text string) {
		if text != "" {
			p.Facts = append(p.Facts, fact{Label: r.T("signal.field." + key), Text: text})
		}
	}
	from, to := signalWeeks(one, e)
	add("when", r.spanLabel(from, to))
	add("observed", r.Num(e.Observed, 0))
	add("expected", say.Expected(e.Expected))
	add("excess", "+"+say.Expected(e.Excess()))
	if e.Ratio > 0 {
		ratio := r.Num(e.Ratio, 1)
		if e.High > e.Low {
			ratio = r.T("signal.ratio", "ratio", ratio, "low", r.Num(e.Low, 1), "high", r.Num(e.High, 1))
		}
		add("ratio", ratio)
	}
	if e.P > 0 {
		add("p", r.chance(e.P))
	}
	add("episode", r.T("signal.episode", "first", r.MediumDay(one.First()), "last", r.MediumDay(one.Last()), "weeks", r.N("signal.lasts", one.Lasts())))
	if len(one.Schools) > 1 {
		var names []string
		for _, school := range one.Schools {
			names = append(names, n.places.SchoolName(school))
		}
		add("schools", strings.Join(names, ", "))
	}
}

// signalShown is how many incidents a signal's page shows.
const signalShown = 12

// incidents shows those that the signal rests on, and where they are.
func (p *signalPage) incidents(r *Request, n *names, one *signal.Signal, e signal.Entry) error {
	from, to := signalWeeks(one, e)
	q, whole := n.signalList(one, from, to)
	if whole {
		p.All = listAddress(q).String()
	}
	if !whole && len(q.Only) == 0 {
		return nil
	}
	q.Limit = signalShown
	page, err := r.Server.deps.Cube.List(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	p.AllText = r.N("signal.incidents", page.Total)
	found, err := r.Server.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
	if err != nil {
		return err
	}
	for _, i := range found {
		p.Rows = append(p.Rows, r.incidentRow(n, i))
	}
	if len(one.Schools) == 1 || len(q.Only) > 0 {
		return nil
	}
	return p.where(r, n, q, from, to)
}

// where puts the signal's incidents on the map.
func (p *signalPage) where(r *Request, n *names, q cube.ListQuery, from, to calendar.Day) error {
	res, err := r.Server.deps.Cube.Run(r.Context(), r.Scope(), cube.Query{By: []cube.Dim{cube.DimSchool}, Measures: []cube.Measure{cube.Count}, Filters: q.Filters, From: from, To: to})
	if err != nil {
		return err
	}
	f := r.figures(n, res)
	m, ok := f.places(cube.Count, "", func(school directory.School, row cube.Row) string {
		return r.Label(school.Name) + r.N("signal.say.observed", int(f.value(row, cube.Count).V))
	})
	if !ok {
		return nil
	}
	touched := 0
	for _, row := range res.Rows {
		if row.Values[0].N > 0 {
			touched++
		}
	}
	p.Map = ChartFrame{Printer: r.Printer, ID: "map", Under: true, Title: r.N("signal.map", touched), Question: r.T("signal.map.what", "period", r.spanLabel(from, to)), How: r.T("signal.map.how"), Table: f.table(f.sorted(cube.Count), res.Query.By, &res.Total, r.T("signal.map.table"))}
	m.Head = chart.Head{ID: "map-chart", Label: p.Map.Title, Desc: p.Map.Question}
	m.SizeLabel = r.T("signal.strip.counted")
	p.Map.Drawing, p.HasMap = chart.Render(m, r.Printer, chart.Half), true
	return nil
}

// judgement fills the form, with what was typed when it was refused.
func (p *signalPage) judgement(r *Request, one *signal.Signal) {
	if p.Form == nil {
		p.Form = r.Blank("verdict", string(one.Verdict), "note", one.Note)
	}
	var options []Option
	for _, v := range signal.Verdicts {
		options = append(options, Option{Value: string(v), Label: r.T("signal.judge." + string(v))})
	}
	p.Verdict = p.Form.Choices("verdict", r.T("signal.field.verdict"), options).Must()
	p.Note = p.Form.Area("note", r.T("signal.field.note")).AtMost(signal.MaxNote)
	if one.Verdict == "" {
		p.Judged = r.T("signal.judged.none")
	}
}

// story tells what happened to the signal, the latest first.
func (p *signalPage) story(r *Request, n *names, one *signal.Signal) error {
	steps, err := r.Server.deps.Signals.Story(r.Context(), r.Who, one.ID)
	if err != nil {
		return err
	}
	for k := len(steps) - 1; k >= 0 && len(p.Story) < problemShown; k-- {
		step := steps[k]
		who, err := n.actor(step.Actor)
		if err != nil {
			return err
		}
		s := storyEntry{Who: who, When: r.Moment(step.At)}
		switch {
		case step.Judgement != nil && step.Judgement.Verdict == "":
			s.Icon, s.What = "undo-2", r.T("signal.event.unjudged")
		case step.Judgement != nil:
			s.Icon, s.What, s.Comment = verdictLooks[step.Judgement.Verdict].Icon, r.T("signal.event.judged", "verdict", r.T("signal.verdict."+string(step.Judgement.Verdict))), step.Judgement.Note
			if one.Verdict != "" && p.Judged == "" {
				p.Judged = r.T("signal.judged", "verdict", r.T("signal.verdict."+string(one.Verdict)), "who", who, "when", s.When.Relative)
			}
		case step.Kind == signal.EventClosed:
			s.Icon, s.What = "check", r.T("signal.event.closed", "day", r.MediumDay(step.Week))
		default:
			s.Icon, s.What = "bell", r.T("signal.event.opened", "day", r.MediumDay(step.Week))
		}
		p.Story = append(p.Story, s)
	}
	return nil
}

// judgeSignal keeps what a person thinks of a signal.
func (s *Server) judgeSignal(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	verdict := signal.Verdict(f.Get("verdict"))
	if verdict == "" && f.Get("undo") == "" {
		if _, err := s.deps.Signals.Get(r.Context(), r.Who, number); err != nil {
			return err
		}
		if !f.Refused(requiredField("verdict")) {
			return requiredField("verdict")
		}
		return s.showSignal(r, http.StatusUnprocessableEntity, number, f)
	}
	note := f.Get("note")
	if f.Get("quick") != "" {
		// One click in the list keeps the note that was written on the signal's page.
		now, err := s.deps.Signals.Get(r.Context(), r.Who, number)
		if err != nil {
			return err
		}
		note = now.Note
	}
	_, before, err := s.deps.Signals.Judge(r.Context(), r.Who, number, verdict, note)
	if err != nil {
		if f.Refused(err) {
			return s.showSignal(r, status(err), number, f)
		}
		return err
	}
	back := "/signals/" + id(number)
	if f.Get("back") == "/signals" {
		back = "/signals"
	}
	said := r.T("signal.said", "verdict", r.T("signal.verdict."+verdictKey(verdict)))
	undo := &Undo{Action: "/signals/" + id(number) + "/judge", Values: map[string]string{"verdict": string(before.Verdict), "note": before.Note, "undo": "1", "back": f.Get("back")}}
	if f.Get("undo") != "" {
		undo = nil
	}
	if err := r.Say(Notice{Text: said, Undo: undo}); err != nil {
		return err
	}
	return r.Redirect(back)
}
