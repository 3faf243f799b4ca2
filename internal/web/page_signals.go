package web

import (
	"net/http"
	"strings"
	"time"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
	"statincidents/internal/signal"
)

// signalsPage is what is out of the ordinary this week, and what was.
type signalsPage struct {
	Page

	Tabs    Tabs
	History bool
	Cards   []signalCard
	Empty   *EmptyState
	Watched []string // what is watched, since when, or why it is not
	Share   []string // what became of those that were judged
	Bar     FilterBar
	Table   Table
	Exports []Link
	Fresh   liveCount
	Note    MethodNote
}

var signalsView = newView[signalsPage]("page_signals.html", shell)

func (s *Server) signalsRoutes() {
	s.page("GET /signals", s.signals, needs(auth.ViewStatistics))
	s.page("GET /signals.csv", s.exportSignals, needs(auth.ExportData), lasts(exportTime))
	s.page("GET /signals.xlsx", s.exportSignals, needs(auth.ExportData), lasts(exportTime))
	s.page("GET /signals/follow", s.followSignals, needs(auth.ViewStatistics))
	s.page("POST /signals/follow", s.saveFollowSignals, needs(auth.ViewStatistics))
	s.page("GET /signals/{id}", s.signal, needs(auth.ViewStatistics))
	s.page("POST /signals/{id}/judge", s.judgeSignal, needs(auth.JudgeSignal))
	s.analysisEntry(question{order: 5, key: "signal", icon: "bell", href: "/signals", found: s.signalsFound})
	s.navEntry(entry{order: 15, key: "signal.title", icon: "bell", href: "/signals", right: auth.ViewStatistics})
}

func (s *Server) signals(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &signalsPage{
		Page:    Page{Title: r.T("signal.title"), Lede: r.T("signal.lede")},
		Tabs:    r.TabsBy("view", r.T("signal.tabs"), "now", r.T("signal.tab.now"), "history", r.T("signal.tab.history")),
		History: r.Address.Get("view") == "history",
		Fresh:   liveCount{One: r.N("signal.fresh", 1), Many: r.T("signal.fresh.other", "n", "{n}"), Href: "/signals"},
	}
	p.Actions = []Action{{Label: r.T("signal.follow"), Icon: "mail", Href: "/signals/follow"}}
	if p.History {
		if err := p.past(r, n); err != nil {
			return err
		}
	} else if err := p.now(r, n); err != nil {
		return err
	}
	if err := p.shared(r); err != nil {
		return err
	}
	if err := p.note(r); err != nil {
		return err
	}
	return signalsView.show(r, http.StatusOK, p)
}

// now shows what goes on.
func (p *signalsPage) now(r *Request, n *names) error {
	all, err := r.signalsNow(0)
	if err != nil {
		return err
	}
	for _, g := range signal.Together(all) {
		card := n.signalCard(&g.Signal, "/signals")
		for k := range g.Parts {
			part := &g.Parts[k]
			e := part.Current()
			card.Parts = append(card.Parts, signalLine{Href: "/signals/" + id(part.ID), Said: r.T("signal.part", "title", n.signalNames().Title(part), "observed", r.Num(e.Observed, 0), "expected", n.signalNames().Expected(e.Expected))})
		}
		card.PartsSaid = r.N("signal.parts", len(card.Parts))
		p.Cards = append(p.Cards, card)
	}
	watches, err := r.Server.deps.Signals.Watched(r.Context(), r.Who)
	if err != nil {
		return err
	}
	series := 0
	for _, w := range watches {
		name := r.T("signal.method." + string(w.Method))
		switch {
		case w.Refused != "":
			args := []any{}
			for key, v := range w.Args {
				args = append(args, key, v)
			}
			p.Watched = append(p.Watched, r.Label(name)+r.T(w.Refused, args...))
		default:
			series += w.Series
			p.Watched = append(p.Watched, r.Label(name)+r.N("signal.watched", w.Series, "day", r.MediumDay(w.Week), "when", r.Moment(w.At).Relative))
		}
	}
	if len(p.Cards) > 0 {
		return nil
	}
	p.Empty = &EmptyState{Icon: "circle-check", Title: r.T("signal.empty.title"), Text: r.N("signal.empty.text", series), Action: &Link{Label: r.T("signal.tab.history"), Href: "/signals?view=history", Icon: "history"}}
	switch {
	case len(watches) == 0:
		p.Empty = &EmptyState{Icon: "hourglass", Title: r.T("signal.empty.soon.title"), Text: r.T("signal.empty.soon")}
	case series == 0:
		p.Empty = &EmptyState{Icon: "info", Title: r.T("signal.empty.refused.title"), Text: strings.Join(p.Watched, " ")}
		p.Watched = nil
	case !r.Scope().All():
		p.Empty.Text = r.T("signal.empty.school")
	}
	return nil
}

// note says how it was done, from what, and how to do it again.
func (p *signalsPage) note(r *Request) error {
	p.Note = r.methodNote("signal", "signaux")
	p.Note.Steps = []string{r.T("signal.note.usual"), r.T("signal.note.tests"), r.T("signal.note.life", "p", r.Pct(signal.StayP, 0), "weeks", signal.CalmWeeks)}
	if r.Server.deps.Analysis == nil {
		return nil
	}
	_, made, err := analysis.Latest(r.Context(), r.Server.deps.Analysis, analysis.EarlyWarning)
	switch {
	case fault.Is(err, fault.Unavailable):
		return nil
	case err != nil:
		return err
	}
	r.recorded(&p.Note, made)
	return nil
}

// signalsFound says how many signals go on.
func (s *Server) signalsFound(r *Request) (string, error) {
	all, err := r.signalsNow(0)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return r.N("signal.found", len(all)), nil
}

// shared says what people thought of the signals of the last twelve months.
func (p *signalsPage) shared(r *Request) error {
	share, err := r.Server.deps.Signals.Share(r.Context(), r.Who, r.Now())
	if err != nil {
		return err
	}
	switch judged := share.Judged(); {
	case judged > 0:
		p.Share = append(p.Share, r.N("signal.share", judged, "true", r.Int(share.True), "expected", r.Int(share.Expected), "false", r.Int(share.False), "share", r.Pct(float64(share.True)/float64(judged), 0)))
	case share.Unjudged > 0 && r.Who.Can(auth.JudgeSignal):
		p.Share = append(p.Share, r.T("signal.share.none"))
	}
	if share.Unjudged > 0 && r.Who.Can(auth.JudgeSignal) {
		p.Share = append(p.Share, r.N("signal.share.left", share.Unjudged))
	}
	return nil
}

// signalFilter reads the filters of the history.
func (r *Request) signalFilter(f *Form) signal.Filter {
	span := r.signalSpan()
	return signal.Filter{
		Method: signal.Method(f.Get("method")), School: f.ID("school"), Category: f.ID("category"), Verdict: f.Get("verdict"), State: signal.State(f.Get("state")),
		From: span.From, To: span.To,
	}
}

// signalSpan is the period of the history: the last twelve months unless said
// otherwise.
func (r *Request) signalSpan() period {
	if r.Address.Get("period") == "" && r.Address.Get("from") == "" && r.Address.Get("to") == "" {
		from, to, _ := span("12m", r.today())
		return period{Preset: "12m", From: from, To: to, Label: r.T("period.12m")}
	}
	return r.period()
}

// past lists the signals of a period.
func (p *signalsPage) past(r *Request, n *names) error {
	f := r.Filters()
	all, err := r.Server.deps.Signals.List(r.Context(), r.Who, r.signalFilter(f))
	if err != nil {
		return err
	}
	methods, verdicts := []Option{{Label: r.T("signal.any")}}, []Option{{Label: r.T("signal.any")}}
	for _, m := range signal.Methods {
		methods = append(methods, Option{Value: string(m), Label: r.T("signal.method." + string(m))})
	}
	for _, v := range append([]signal.Verdict{""}, signal.Verdicts...) {
		verdicts = append(verdicts, Option{Value: verdictKey(v), Label: r.T("signal.verdict." + verdictKey(v))})
	}
	fields := []Field{r.periodField(f, r.signalSpan()), f.Select("method", r.T("signal.field.method"), methods), f.Select("verdict", r.T("signal.field.verdict"), verdicts)}
	if r.Scope().All() {
		fields = append(fields, f.Select("school", r.T("incident.field.school"), n.schoolOptions(r.Scope(), r.T("signal.any"))))
	}
	fields = append(fields, f.Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("signal.any"))))
	p.Bar = r.FilterBar(fields, "view")
	p.Table = Table{Printer: r.Printer, ID: "signals", Caption: r.T("signal.history"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("signal.field.signal"), Lead: true, Wrap: true}, {Label: r.T("signal.field.weeks")}, {Label: r.T("signal.field.observed"), Num: true}, {Label: r.T("signal.field.expected"), Num: true},
		{Label: r.T("signal.field.excess"), Num: true}, {Label: r.T("signal.field.method")}, {Label: r.T("signal.field.state")}, {Label: r.T("signal.field.verdict")},
	}}
	say := n.signalNames()
	for k := range all {
		one := &all[k]
		peak, state, verdict := one.Peak(), r.signalStateBadge(one), r.verdictBadge(one.Verdict)
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{
			{Text: say.Title(one), Href: "/signals/" + id(one.ID)}, {Text: r.spanLabel(one.First(), one.Last()+7)}, {Text: r.Num(peak.Observed, 0)}, {Text: say.Expected(peak.Expected)},
			{Text: "+" + say.Expected(peak.Excess())}, {Text: r.T("signal.method." + string(one.Method))}, {Badge: &state}, {Badge: &verdict},
		}})
	}
	if len(all) == 0 {
		p.Empty = &EmptyState{Icon: "bell", Title: r.T("signal.history.empty"), Text: r.T("signal.history.empty.text")}
		return nil
	}
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: r.Address.At("/signals." + kind).String(), Icon: "download"})
		}
	}
	return nil
}

// exportSignals sends the history with every figure.
func (s *Server) exportSignals(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	all, err := s.deps.Signals.List(r.Context(), r.Who, r.signalFilter(r.Filters()))
	if err != nil {
		return err
	}
	field := func(name string) string { return r.T("signal.field." + name) }
	number := func(name string) sheet.Column { return sheet.Column{Title: field(name), Kind: sheet.Number, Width: 14} }
	out, err := r.download("signals", []sheet.Column{
		{Title: field("number"), Kind: sheet.Number}, {Title: field("signal"), Width: 50}, {Title: field("method"), Width: 20}, {Title: field("first"), Width: 12}, {Title: field("last"), Width: 12},
		number("observed"), number("expected"), number("excess"), number("ratio"), number("low"), number("high"), number("p"), number("window"),
		{Title: field("state"), Width: 12}, {Title: field("verdict"), Width: 12}, {Title: field("note"), Width: 40}, {Title: field("judged_by"), Width: 24}, {Title: field("judged_at"), Kind: sheet.DateTime},
	})
	if err != nil {
		return err
	}
	say := n.signalNames()
	for k := range all {
		one := &all[k]
		e, who := one.Peak(), ""
		if one.Verdict != "" {
			if who, err = n.actor(one.By); err != nil {
				return err
			}
		}
		var at any = one.At
		if one.Verdict == "" {
			at = time.Time{}
		}
		if err := out.Row(one.ID, say.Title(one), r.T("signal.method."+string(one.Method)), one.First().String(), one.Last().String(), e.Observed, e.Expected, e.Excess(), e.Ratio, e.Low, e.High, e.P, float64(e.Weeks()),
			r.T("signal.state."+string(one.State)), r.T("signal.verdict."+verdictKey(one.Verdict)), one.Note, who, at); err != nil {
			return err
		}
	}
	return out.Close()
}
