package web

import (
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/signal"
)

// signalCard is a signal in a list: its sentence, its course, what one can do.
type signalCard struct {
	ID        string
	Href      string
	Name      string
	Said      string // its sentence
	Badges    []Badge
	Pace      string // since when
	Words     string // what is new in what people write
	Strip     ChartFrame
	HasStrip  bool
	Incidents string // the list behind it, "" if no address says it
	Count     string // of that list
	Judge     *judgeForm
	Parts     []signalLine // the signals that are part of it
	PartsSaid string
}

// judgeForm is the judgement in one click; its note is on the signal's page.
type judgeForm struct {
	Action  string
	Back    string
	Options []judgeOption
}

type judgeOption struct {
	Verdict string
	Label   string
	Icon    string
	Chosen  bool
}

var verdictLooks = map[signal.Verdict]Badge{
	signal.True: {Icon: "circle-check", Tone: "warning"}, signal.Expected: {Icon: "calendar-days"}, signal.False: {Icon: "circle-x"}, "": {Icon: "circle-help", Tone: "new"},
}

func (r *Request) verdictBadge(v signal.Verdict) Badge {
	b := verdictLooks[v]
	b.Word = r.T("signal.verdict." + verdictKey(v))
	return b
}

func verdictKey(v signal.Verdict) string {
	if v == "" {
		return signal.Unjudged
	}
	return string(v)
}

var signalStates = map[signal.State]Badge{signal.Open: {Icon: "activity", Tone: "critical"}, signal.Closed: {Icon: "check", Tone: "good"}}

func (r *Request) signalStateBadge(s *signal.Signal) Badge {
	b := signalStates[s.State]
	b.Word = r.T("signal.state." + string(s.State))
	return b
}

// signalNames are the words that sentences about signals need.
func (n *names) signalNames() *signal.Names {
	return &signal.Names{Printer: n.r.Printer, Places: n.places, Words: n.words, Today: n.r.today()}
}

// signalWeeks is the stretch of days that an entry's figures add up.
func signalWeeks(s *signal.Signal, e signal.Entry) (from, to calendar.Day) {
	from = e.Week
	switch {
	case e.First != 0 && e.First <= e.Week:
		from = e.First
	case e.Weeks() > 1:
		// The weeks of its series are the open ones.
		k := slices.IndexFunc(s.History, func(p signal.Point) bool { return p.Week == e.Week })
		if k >= 0 {
			from = s.History[max(0, k-e.Weeks()+1)].Week
		} else {
			from = e.Week - calendar.Day(7*(e.Weeks()-1))
		}
	}
	return from, e.Week + 7
}

// signalList asks for the incidents that a signal is about, over some days;
// false when no question of ours says them all (a model, a given set).
func (n *names) signalList(s *signal.Signal, from, to calendar.Day) (cube.ListQuery, bool) {
	q := cube.ListQuery{From: from, To: to}
	if len(s.Schools) > 0 {
		q.Filters = append(q.Filters, cube.Filter{Dim: cube.DimSchool, In: ids(s.Schools)})
	}
	if s.Category != 0 {
		dims := []cube.Dim{cube.DimCategory, cube.DimCategory2, cube.DimCategory3}
		depth := len(n.words.Path(s.Category))
		if depth == 0 || depth > len(dims) {
			return q, false
		}
		q.Filters = append(q.Filters, cube.Filter{Dim: dims[depth-1], In: []string{id(s.Category)}})
	}
	if s.Room != 0 {
		q.Filters = append(q.Filters, cube.Filter{Dim: cube.DimRoom, In: []string{id(s.Room)}})
	}
	if s.Machine != "" {
		q.Filters = append(q.Filters, cube.Filter{Dim: cube.DimMachine, In: []string{s.Machine}})
	}
	if len(s.Incidents) > 0 {
		q.Only = s.Incidents
		return q, false
	}
	return q, s.Label == "" || s.Method == signal.Zone
}

func ids(list []int64) []string {
	out := make([]string, len(list))
	for k, v := range list {
		out[k] = id(v)
	}
	return out
}

// stripWeeks is how many open weeks a strip shows in a list; the signal's page
// shows all that is kept.
const stripWeeks = 40

// signalStrip draws a signal's series.
func (n *names) signalStrip(s *signal.Signal, weeks int, frameID string) (ChartFrame, bool) {
	r := n.r
	history := s.History
	if len(history) > weeks {
		history = history[len(history)-weeks:]
	}
	if len(history) < 2 {
		return ChartFrame{}, false
	}
	loc := r.Location()
	first, last := history[0].Week, history[len(history)-1].Week
	g := &chart.Strip{
		Head:    chart.Head{ID: frameID + "-chart", Label: r.T("signal.strip.title", "title", n.signalNames().Title(s))},
		Period:  chart.Period{From: first.Start(loc), To: (last + 7).Start(loc), Grain: chart.Week, Until: r.Now()},
		Counted: r.T("signal.strip.counted"), Expected: r.T("signal.strip.expected"), Band: r.T("signal.strip.band"), Alert: r.T("signal.strip.alert"),
	}
	for _, h := range n.places.SchoolHolidays(r.Settings.Zone) {
		if h.Last >= first && h.First < last+7 {
			g.Shades = append(g.Shades, chart.Shade{From: h.First.Start(loc), To: (h.Last + 1).Start(loc), Label: h.Name})
		}
	}
	out := map[calendar.Day]bool{}
	for _, e := range s.Entries {
		if !e.Calm {
			out[e.Week] = true
		}
	}
	if s.Since.Week > first && s.Since.Week <= last {
		g.Notes = append(g.Notes, chart.Note{At: s.Since.Week.Start(loc), Label: r.T("signal.strip.since")})
	}
	t := &Table{Printer: r.Printer, Caption: r.T("signal.strip.table"), Columns: []Column{
		{Label: r.T("signal.strip.week"), Lead: true}, {Label: r.T("signal.strip.counted"), Num: true}, {Label: r.T("signal.strip.expected"), Num: true}, {Label: r.T("signal.strip.band"), Num: true}, {Label: r.T("signal.strip.alert")},
	}}
	for _, p := range history {
		w := chart.StripWeek{At: p.Week.Start(loc), Counted: p.Observed, Expected: p.Expected, Low: p.Low, High: p.High, Out: out[p.Week]}
		w.Title = r.T("signal.strip.point", "day", r.MediumDay(p.Week), "observed", r.N("signal.say.observed", int(p.Observed)), "expected", n.signalNames().Expected(p.Expected))
		if q, ok := n.signalList(s, p.Week, p.Week+7); ok && p.Observed > 0 {
			w.Href = listAddress(q).String()
		}
		g.Weeks = append(g.Weeks, w)
		mark := ""
		if w.Out {
			mark = r.T("signal.strip.out")
		}
		between := "—"
		if p.High > p.Low {
			between = r.T("compare.between", "low", r.Num(p.Low, 0), "high", r.Num(p.High, 0))
		}
		t.Rows = append(t.Rows, TableRow{Cells: []Cell{
			{Text: r.T("signal.when.week", "day", r.MediumDay(p.Week))}, {Text: r.Num(p.Observed, 0), Href: w.Href, Aside: true}, {Text: n.signalNames().Expected(p.Expected)}, {Text: between}, {Text: mark},
		}})
	}
	slices.Reverse(t.Rows)
	f := ChartFrame{Printer: r.Printer, ID: frameID, Under: true, Title: r.T("signal.strip.name"), Question: n.signalNames().Title(s), Table: t, How: r.T("signal.strip.how")}
	g.Desc = f.Question
	f.Drawing = chart.Render(g, r.Printer, chart.Full)
	return f, true
}

// signalCard shows a signal.
func (n *names) signalCard(s *signal.Signal, back string) signalCard {
	r, say := n.r, n.signalNames()
	e := s.Current()
	c := signalCard{
		ID: id(s.ID), Href: "/signals/" + id(s.ID), Name: say.Title(s), Said: say.Sentence(s, e), Pace: say.Pace(s), Words: say.New(s),
		Badges: []Badge{{Icon: "bell", Word: r.T("signal.method." + string(s.Method))}},
	}
	if s.Lasts() > 1 {
		c.Badges = append(c.Badges, Badge{Icon: "history", Word: r.N("signal.lasts", s.Lasts())})
	}
	if s.Verdict != "" {
		c.Badges = append(c.Badges, r.verdictBadge(s.Verdict))
	}
	from, to := signalWeeks(s, e)
	if q, ok := n.signalList(s, from, to); ok {
		c.Incidents, c.Count = listAddress(q).String(), r.N("signal.incidents", int(e.Observed))
	}
	c.Strip, c.HasStrip = n.signalStrip(s, stripWeeks, "strip-"+id(s.ID))
	c.Judge = r.judgeForm(s, back)
	return c
}

// judgeForm offers the judgement to who may give it.
func (r *Request) judgeForm(s *signal.Signal, back string) *judgeForm {
	if !r.Who.Can(auth.JudgeSignal) {
		return nil
	}
	f := &judgeForm{Action: "/signals/" + id(s.ID) + "/judge", Back: back}
	for _, v := range signal.Verdicts {
		f.Options = append(f.Options, judgeOption{Verdict: string(v), Label: r.T("signal.verdict." + string(v)), Icon: verdictLooks[v].Icon, Chosen: s.Verdict == v})
	}
	return f
}

// signalsNow gives the signals that go on and concern a school (0: all), the
// largest excess first.
func (r *Request) signalsNow(school int64) ([]signal.Signal, error) {
	return r.Server.deps.Signals.List(r.Context(), r.Who, signal.Filter{State: signal.Open, School: school})
}

// signalLine is a signal in a few words, for the pages of other things.
type signalLine struct{ Href, Said string }

// signalLines says the signals that go on.
func (r *Request) signalLines(n *names, school int64) ([]signalLine, error) {
	all, err := r.signalsNow(school)
	var lines []signalLine
	for _, g := range signal.Together(all) {
		lines = append(lines, signalLine{Href: "/signals/" + strconv.FormatInt(g.ID, 10), Said: n.signalNames().Sentence(&g.Signal, g.Current())})
	}
	return lines, err
}
