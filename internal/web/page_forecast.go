package web

import (
	"net/http"

	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/chart"
	"statincidents/internal/fault"
	"statincidents/internal/sheet"
)

// forecastPage shows the incidents to expect in the next open weeks.
type forecastPage struct {
	Page

	Waiting  string
	Refused  string
	Findings Findings
	Bar      FilterBar
	Fan      ChartFrame
	Weeks    Table
	Series   Table
	Simpler  Table
	HasTrial bool
	TrialSay string
	Exports  []Link
	Note     MethodNote
}

var forecastView = newView[forecastPage]("page_forecast.html", shell)

// The forecast is of the département: it is for who plans rounds.
func (s *Server) forecastRoutes() {
	s.page("GET /forecast", s.forecast, needs(auth.HandleIncident))
	s.page("GET /forecast.csv", s.exportForecast, needs(auth.HandleIncident))
	s.page("GET /forecast.xlsx", s.exportForecast, needs(auth.HandleIncident))
	s.analysisEntry(question{order: 90, key: "forecast", icon: "calendar-days", href: "/forecast", right: auth.HandleIncident, found: func(r *Request) (string, error) {
		out, _, err := analysis.Latest(r.Context(), s.deps.Analysis, analysis.ComingWeeks)
		if err != nil || out.Refusal != nil || len(out.Series) == 0 {
			return "", err
		}
		n, err := r.names()
		if err != nil {
			return "", err
		}
		return forecastWords{r, n, out}.sentence(&out.Series[0]), nil
	}})
}

// forecastWords says a forecast to a reader.
type forecastWords struct {
	*Request

	n   *names
	out analysis.ForecastOutput
}

func (s *Server) forecast(r *Request) error {
	p := &forecastPage{Page: Page{Title: r.T("forecast.title"), Lede: r.T("forecast.lede"), Crumbs: []Link{{Label: r.T("analyses.title"), Href: "/analyses"}}}}
	p.Note = r.methodNote("forecast", "previsions")
	out, made, err := analysis.Latest(r.Context(), s.deps.Analysis, analysis.ComingWeeks)
	switch {
	case fault.Is(err, fault.Unavailable):
		p.Waiting = r.T("error.analysis.none")
		return forecastView.show(r, http.StatusOK, p)
	case err != nil:
		return err
	}
	r.recorded(&p.Note, made)
	if out.Refusal != nil {
		p.Refused = r.refusal(out.Refusal)
		return forecastView.show(r, http.StatusOK, p)
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	w := forecastWords{r, n, out}
	one := w.chosen()
	p.Findings = Findings{r.Printer, w.findings(one)}
	f := r.Filters()
	p.Bar = r.FilterBar([]Field{f.Select("of", r.T("forecast.of"), w.choices())})
	p.Fan = w.fan(one)
	p.Weeks = w.weeks(one)
	p.Series = w.all()
	p.Simpler, p.HasTrial = w.simpler(one)
	if s, better := one.Simpler(); better {
		p.TrialSay = r.T("forecast.simpler.yes", "rival", r.T("forecast.rival."+string(s.Rival)))
	} else if p.HasTrial {
		p.TrialSay = r.T("forecast.simpler.no", "rival", r.T("forecast.rival."+string(s.Rival)))
	}
	if one.Back != nil {
		p.Note.Quality = append(p.Note.Quality, r.T("forecast.coverage", "share", r.Pct(one.Back.Coverage, 0), "weeks", r.Int(one.Back.Weeks)))
	}
	theta := r.T("forecast.theta.none")
	if one.Theta > 0 {
		theta = r.Num(one.Theta, 1)
	}
	key := "forecast.method.average"
	switch {
	case !one.Seasonal:
		key = "forecast.method.flat"
	case !one.Averaged:
		key = "forecast.method.level"
	}
	p.Note.Steps = []string{
		r.T("forecast.method.data", "weeks", r.Int(out.Known)), r.T(key, "alpha", r.Num(one.Alpha, 2)), r.T("forecast.method.interval", "theta", theta),
		r.T("forecast.method.test", "ahead", analysis.ForecastAhead, "origins", analysis.ForecastOrigins),
	}
	if r.Who.Can(auth.ExportData) {
		for _, kind := range []string{"csv", "xlsx"} {
			p.Exports = append(p.Exports, Link{Label: r.T("export." + kind), Href: "/forecast." + kind, Icon: "download"})
		}
	}
	return forecastView.show(r, http.StatusOK, p)
}

// name of a series.
func (w forecastWords) name(s *analysis.ForecastSeries) string {
	switch s.Kind {
	case analysis.SeriesCategory:
		return w.n.words.CategoryLabel(s.ID, string(w.Lang()))
	case analysis.SeriesTeam:
		return w.T("forecast.team", "team", w.n.places.TeamName(s.ID))
	}
	return w.T("forecast.all")
}

func seriesKey(s *analysis.ForecastSeries) string {
	if s.Kind == analysis.SeriesAll {
		return ""
	}
	return string(s.Kind) + "-" + id(s.ID)
}

func (w forecastWords) chosen() *analysis.ForecastSeries {
	for k := range w.out.Series {
		if seriesKey(&w.out.Series[k]) == w.Address.Get("of") {
			return &w.out.Series[k]
		}
	}
	return &w.out.Series[0]
}

func (w forecastWords) choices() []Option {
	var out []Option
	for k := range w.out.Series {
		s := &w.out.Series[k]
		out = append(out, Option{Value: seriesKey(s), Label: w.name(s)})
	}
	return out
}

func (w forecastWords) sentence(s *analysis.ForecastSeries) string {
	first := s.Ahead[0]
	return w.T("forecast.said.week", "day", w.Day(w.out.Ahead[0].Monday), "n", w.N("forecast.incidents", int(first.Mean+0.5)), "low", w.Int(first.Low), "high", w.Int(first.High))
}

func (w forecastWords) findings(s *analysis.ForecastSeries) []string {
	said := []string{w.sentence(s)}
	last := w.out.Ahead[len(w.out.Ahead)-1]
	said = append(said, w.T("forecast.said.all", "weeks", w.N("forecast.weeks", len(w.out.Ahead)), "until", w.Day(last.Monday+6), "n", w.N("forecast.incidents", int(s.Sum()+0.5))))
	busiest, usual := 0, 0.0
	for k, f := range s.Ahead {
		usual += f.Mean / float64(len(s.Ahead))
		if f.Mean > s.Ahead[busiest].Mean {
			busiest = k
		}
	}
	if f := s.Ahead[busiest]; f.Mean > 1.15*usual {
		said = append(said, w.T("forecast.said.busiest", "day", w.Day(w.out.Ahead[busiest].Monday), "n", w.N("forecast.incidents", int(f.Mean+0.5))))
	}
	if n := len(s.Checked); n > 0 {
		inside, miss := 0, 0.0
		for k, f := range s.Checked {
			y := s.Counts[len(s.Counts)-n+k]
			if y >= f.Low && y <= f.High {
				inside++
			}
			miss += max(f.Mean-float64(y), float64(y)-f.Mean) / float64(n)
		}
		said = append(said, w.T("forecast.said.checked", "weeks", w.N("forecast.weeks", n), "miss", w.N("forecast.incidents", int(miss+0.5)), "inside", w.Int(inside)))
	}
	if !s.Seasonal {
		said = append(said, w.T("forecast.said.short"))
	}
	return said
}

// incidents of a week.
func (w forecastWords) incidents(s *analysis.ForecastSeries, monday calendar.Day) string {
	a := w.Address.Without("of", "sort").At("/incidents").With("from", monday.String()).With("to", (monday + 7).String())
	if s.Kind != analysis.SeriesAll {
		a = a.With(string(s.Kind), id(s.ID))
	}
	return a.String()
}

// fan shows the last weeks, as foreseen eight weeks before, and the next ones.
func (w forecastWords) fan(s *analysis.ForecastSeries) ChartFrame {
	f := ChartFrame{Printer: w.Printer, ID: "fan", Title: w.T("forecast.fan.title"), Question: w.T("forecast.fan.what", "of", w.name(s)), How: w.T("forecast.fan.how")}
	loc, from, to := w.Location(), w.out.Past[0].Monday, w.out.Ahead[len(w.out.Ahead)-1].Monday+7
	c := &chart.Strip{
		Head:    chart.Head{ID: "fan-chart", Label: f.Title, Desc: f.Question},
		Period:  chart.Period{From: from.Start(loc), To: to.Start(loc), Grain: chart.Week, Shades: zoneWords{w.Request, w.n}.holidays(from, to)},
		Counted: w.T("forecast.counted"), Expected: w.T("forecast.foreseen"), Band: w.T("forecast.band"),
	}
	for k, week := range w.out.Past {
		one := chart.StripWeek{At: week.Monday.Start(loc), Counted: float64(s.Counts[k]), Expected: chart.None(), Href: w.incidents(s, week.Monday), Title: w.T("forecast.mark.past", "day", w.Day(week.Monday), "n", w.N("forecast.incidents", s.Counts[k]))}
		if at := k - (len(w.out.Past) - len(s.Checked)); at >= 0 {
			was := s.Checked[at]
			one.Expected, one.Low, one.High = was.Mean, float64(was.Low), float64(was.High)
			one.Title = w.T("forecast.mark.checked", "day", w.Day(week.Monday), "n", w.N("forecast.incidents", s.Counts[k]), "mean", w.Num(was.Mean, 0), "low", w.Int(was.Low), "high", w.Int(was.High))
		}
		c.Weeks = append(c.Weeks, one)
	}
	for k, week := range w.out.Ahead {
		next := s.Ahead[k]
		c.Weeks = append(c.Weeks, chart.StripWeek{
			At: week.Monday.Start(loc), Counted: chart.None(), Expected: next.Mean, Low: float64(next.Low), High: float64(next.High),
			Title: w.T("forecast.mark.ahead", "day", w.Day(week.Monday), "mean", w.Num(next.Mean, 0), "low", w.Int(next.Low), "high", w.Int(next.High)),
		})
	}
	f.Drawing = chart.Render(c, w.Printer, chart.Full)
	return f
}

func (w forecastWords) weeks(s *analysis.ForecastSeries) Table {
	t := Table{Printer: w.Printer, ID: "forecast-weeks", Caption: w.T("forecast.table", "of", w.name(s)), Hide: true, Stacked: true, Columns: []Column{
		{Label: w.T("forecast.column.week"), Lead: true}, {Label: w.T("forecast.column.number"), Num: true}, {Label: w.T("forecast.column.open"), Num: true}, {Label: w.T("forecast.column.mean"), Num: true}, {Label: w.T("forecast.column.between"), Num: true},
	}}
	for k, week := range w.out.Ahead {
		f := s.Ahead[k]
		t.Rows = append(t.Rows, TableRow{Cells(w.T("forecast.week", "day", w.MediumDay(week.Monday)), w.Int(week.Number), w.Pct(week.Openness, 0), w.Num(f.Mean, 0), w.T("forecast.between", "low", w.Int(f.Low), "high", w.Int(f.High)))})
	}
	return t
}

// all is every series over the whole stretch.
func (w forecastWords) all() Table {
	t := Table{Printer: w.Printer, ID: "forecast-series", Caption: w.T("forecast.series"), Hide: true, Stacked: true, Columns: []Column{{Label: w.T("forecast.column.series"), Lead: true}}}
	for _, week := range w.out.Ahead {
		t.Columns = append(t.Columns, Column{Label: w.ShortDay(week.Monday), Num: true})
	}
	t.Columns = append(t.Columns, Column{Label: w.T("forecast.column.sum"), Num: true}, Column{Label: w.T("forecast.column.mase"), Num: true})
	for k := range w.out.Series {
		s := &w.out.Series[k]
		row := []Cell{{Text: w.name(s), Href: w.Address.With("of", seriesKey(s)).String()}}
		for _, f := range s.Ahead {
			row = append(row, Cell{Text: w.Num(f.Mean, 0), Note: w.T("forecast.between", "low", w.Int(f.Low), "high", w.Int(f.High))})
		}
		mase := "—"
		if s.Back != nil {
			mase = w.Num(s.Back.Trials[0].MASE, 2)
		}
		t.Rows = append(t.Rows, TableRow{append(row, Cell{Text: w.Num(s.Sum(), 0)}, Cell{Text: mase})})
	}
	return t
}

// simpler compares ours with what people do by hand.
func (w forecastWords) simpler(s *analysis.ForecastSeries) (Table, bool) {
	if s.Back == nil {
		return Table{}, false
	}
	t := Table{Printer: w.Printer, ID: "forecast-simpler", Caption: w.T("forecast.simpler"), Hide: true, Stacked: true, Columns: []Column{
		{Label: w.T("forecast.column.method"), Lead: true}, {Label: w.T("forecast.column.mae"), Num: true}, {Label: w.T("forecast.column.mase"), Num: true}, {Label: w.T("forecast.column.p"), Num: true}, {Label: w.T("forecast.column.verdict")},
	}}
	for k, x := range s.Back.Trials {
		p, verdict := "—", Badge{Icon: "equal", Word: w.T("forecast.verdict.same")}
		switch {
		case k == 0:
			verdict = Badge{Icon: "check", Tone: "good", Word: w.T("forecast.verdict.ours")}
		case x.Tested:
			p = w.chance(x.Test.P)
			if x.Test.P < 0.05 {
				verdict = Badge{Icon: "arrow-up", Word: w.T("forecast.verdict.worse")}
				if x.MAE < s.Back.Trials[0].MAE {
					verdict = Badge{Icon: "arrow-down", Tone: "warning", Word: w.T("forecast.verdict.better")}
				}
			}
		}
		t.Rows = append(t.Rows, TableRow{[]Cell{{Text: w.T("forecast.rival." + string(x.Rival))}, {Text: w.Num(x.MAE, 1)}, {Text: w.Num(x.MASE, 2)}, {Text: p}, {Badge: &verdict}}})
	}
	return t, true
}

// exportForecast sends every series by week.
func (s *Server) exportForecast(r *Request) error {
	out, _, err := analysis.Latest(r.Context(), s.deps.Analysis, analysis.ComingWeeks)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	w := forecastWords{r, n, out}
	columns := []sheet.Column{{Title: r.T("forecast.column.series"), Width: 30}, {Title: r.T("forecast.column.week"), Width: 12}}
	for _, key := range []string{"number", "open", "counted", "mean", "low", "high"} {
		columns = append(columns, sheet.Column{Title: r.T("forecast.column." + key), Kind: sheet.Number, Width: 12})
	}
	file, err := r.download("forecast", columns)
	if err != nil {
		return err
	}
	for k := range out.Series {
		one := &out.Series[k]
		for at, week := range out.Past {
			if err := file.Row(w.name(one), week.Monday.String(), float64(week.Number), week.Openness, float64(one.Counts[at]), chart.None(), chart.None(), chart.None()); err != nil {
				return err
			}
		}
		for at, week := range out.Ahead {
			f := one.Ahead[at]
			if err := file.Row(w.name(one), week.Monday.String(), float64(week.Number), week.Openness, chart.None(), f.Mean, float64(f.Low), float64(f.High)); err != nil {
				return err
			}
		}
	}
	return file.Close()
}
