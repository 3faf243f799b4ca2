package chart_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"statincidents/internal/chart"
	"statincidents/internal/geo"
	"statincidents/internal/locale"
)

func paris(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// sample is a chart with its name and the headline that stands over it.
type sample struct {
	name, headline, question string
	chart                    chart.Chart
	widths                   []chart.Width
}

var schools = []string{
	"Montjoie, Saint-Jean-de-Braye", "Jean Rostand, Orléans", "Denis Poisson, Pithiviers", "Robert Schuman, Amilly",
	"Établissement public local d’enseignement Jacques-de-Tristan", "Max Jacob, Saint-Jean-de-la-Ruelle", "Les Clorisseaux, Poilly-lez-Gien",
	"Ernest Bildstein, Gien", "Gaston Couté, Meung-sur-Loire", "Louis-Joseph Soulas, Bazoches-les-Gallerandes", "Le Clos Ferbois, Jargeau", "Alfred de Musset, Patay",
}

// samples is one chart of every kind and of every trap: full, empty, long
// names, one value, unknown values.
func samples(t testing.TB) []sample {
	t.Helper()
	loc := paris(t)
	draw := rand.New(rand.NewPCG(45, 2026))
	date := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, loc) }
	holidays := []chart.Shade{
		{From: date(2025, 7, 5), To: date(2025, 9, 1), Label: "été"},
		{From: date(2025, 10, 18), To: date(2025, 11, 3), Label: "Toussaint"},
		{From: date(2025, 12, 20), To: date(2026, 1, 5), Label: "Noël"},
		{From: date(2026, 2, 14), To: date(2026, 3, 2), Label: "hiver"},
		{From: date(2026, 4, 11), To: date(2026, 4, 27), Label: "printemps"},
	}
	closed := func(d time.Time) bool {
		for _, h := range holidays {
			if !d.Before(h.From) && d.Before(h.To) {
				return true
			}
		}
		return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
	}
	days := func(from, to time.Time, level float64) []chart.Point {
		var out []chart.Point
		for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
			if closed(d) {
				continue
			}
			wave := 1 + 1.4*math.Exp(-d.Sub(date(2025, 9, 1)).Hours()/24/18)
			if d.Before(date(2025, 9, 1)) {
				wave = 1
			}
			v := math.Round(level * wave * (0.7 + 0.6*draw.Float64()))
			out = append(out, chart.Point{At: d, Value: v, Href: "/incidents?day=" + d.Format(time.DateOnly)})
		}
		return out
	}
	group := func(g chart.Grain, in []chart.Point) []chart.Point {
		var out []chart.Point
		for _, p := range in {
			y, m, d := p.At.Date()
			at := time.Date(y, m, 1, 0, 0, 0, 0, loc)
			if g == chart.Week {
				at = time.Date(y, m, d-(int(p.At.Weekday())+6)%7, 0, 0, 0, 0, loc)
			}
			if n := len(out); n > 0 && out[n-1].At.Equal(at) {
				out[n-1].Value += p.Value
				continue
			}
			out = append(out, chart.Point{At: at, Value: p.Value, Href: "/incidents?from=" + at.Format(time.DateOnly)})
		}
		return out
	}
	year := chart.Period{From: date(2025, 9, 1), To: date(2026, 7, 4), Until: date(2026, 6, 18), Shades: holidays[1:]}
	weeks, months, dailies := year, year, year
	weeks.Grain, months.Grain, dailies.Grain = chart.Week, chart.Month, chart.Day
	weeks.Notes = []chart.Note{{At: date(2025, 11, 18), Label: "mise à jour ratée", Href: "/incidents?q=maj"}, {At: date(2026, 1, 12), Label: "nouveau serveur d’impression à Pithiviers"}, {At: date(2026, 1, 20), Label: "panne de fibre"}}
	opened, resolved := days(year.From, year.Until, 40), days(year.From.AddDate(0, 0, 2), year.Until, 38)
	month := chart.Period{From: date(2026, 3, 2), To: date(2026, 4, 11), Grain: chart.Day}

	bars := &chart.Bars{Head: chart.Head{ID: "bars", Label: "Incidents par collège", Desc: "Le tableau suit le graphique."}, Ghost: "2024-2025", Ref: &chart.Ref{Value: 212, Label: "médiane des collèges : 212"}}
	long := &chart.Bars{Head: chart.Head{ID: "bars58", Label: "Incidents par collège"}}
	funnel := &chart.Funnel{Head: chart.Head{ID: "funnel", Label: "Observés sur attendus"}, Across: "Incidents attendus", Target: chart.Ref{Value: 1, Label: "Niveau de l’ensemble"}}
	for _, l := range []struct {
		label string
		z     float64
		line  chart.FunnelLine
	}{{"Hasard seul", 3.09, chart.ByChance}, {"Bande intérieure", 2.4, chart.Inner}, {"Bande extérieure", 3.8, chart.Outer}} {
		funnel.Limits = append(funnel.Limits, chart.FunnelLimit{Label: l.label, Line: l.line,
			Low:  func(e float64) float64 { return math.Pow(math.Max(0, 1-l.z/(2*math.Sqrt(e))), 2) },
			High: func(e float64) float64 { return math.Pow(1+l.z/(2*math.Sqrt(e)), 2) },
		})
	}
	for k, name := range schools {
		e := 8 + 11*float64(k)
		p := chart.FunnelPoint{Label: name, X: e, Y: 1 + 0.6*math.Sin(float64(3*k))/math.Sqrt(float64(k+1)), Href: fmt.Sprintf("/schools/%d", k)}
		if k == 9 {
			p.Y, p.Out = 1.7, true
		}
		funnel.Points = append(funnel.Points, p)
	}
	rates := &chart.Bars{Head: chart.Head{ID: "rates", Label: "Incidents pour 100 ordinateurs"}}
	stacked := &chart.Bars{Head: chart.Head{ID: "stack", Label: "Incidents par collège et par priorité"}, Parts: []chart.Part{{Label: "critique", Category: 2}, {Label: "haute", Category: 4}, {Label: "normale", Category: 1}, {Label: "planifiée", Category: 3}}}
	for i, name := range schools {
		v := float64(420 - i*31)
		href := fmt.Sprintf("/incidents?school=%d&from=2025-09-01", i)
		b := chart.Bar{Label: name, Value: v, Ghost: v * (0.7 + 0.5*draw.Float64()), Href: href}
		if i == 3 {
			b.State = chart.On
		}
		if i > 7 {
			b.State = chart.Off
		}
		bars.Items = append(bars.Items, b)
		r := 38 - float64(i)*2.3
		rates.Items = append(rates.Items, chart.Bar{Label: name, Value: r, Low: r - 4, High: r + 5, Href: href, Category: 1, Note: fmt.Sprintf("%.0f sur %d", r*3, 300)})
		stacked.Items = append(stacked.Items, chart.Bar{Label: name, Href: href, Values: []float64{v * 0.05, v * 0.2, v * 0.6, v * 0.15}, Hrefs: []string{href + "&priority=1", href + "&priority=2", href + "&priority=3", href + "&priority=4"}})
	}
	for i := range 58 {
		long.Items = append(long.Items, chart.Bar{Label: schools[i%12], Value: float64(1200 / (i + 1)), Href: fmt.Sprintf("/incidents?school=%d", i)})
	}
	heat := &chart.Heat{Head: chart.Head{ID: "heat", Label: "Incidents par heure et par jour"}, Rows: []string{"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"}, Trim: true, ShortRows: []string{"lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."}}
	for h := range 24 {
		heat.Cols = append(heat.Cols, fmt.Sprintf("%d\u00a0h", h))
		heat.ShortCols = append(heat.ShortCols, fmt.Sprint(h))
	}
	for d := range 7 {
		var row []chart.Cell
		for h := range 24 {
			v := 0.0
			if h > 6 && h < 19 && d < 5 {
				v = math.Round(140 * math.Exp(-math.Pow(float64(h-9)/3, 2)) * (1 - 0.08*float64(d)) * (0.6 + draw.Float64()*0.5))
			}
			c := chart.Cell{Value: v}
			if v > 0 {
				c.Href = fmt.Sprintf("/incidents?weekday=%d&hour=%02d", d+1, h)
			}
			row = append(row, c)
		}
		heat.Cells = append(heat.Cells, row)
	}
	shape, ok := geo.Outline("45")
	if !ok {
		t.Fatal("no outline of 45")
	}
	pr := shape.Projection()
	places := &chart.Places{Head: chart.Head{ID: "map", Label: "Carte des incidents"}, SizeLabel: "incidents", ShadeLabel: "pour 100 ordinateurs"}
	around, ahead := pr.XY(geo.LonLat{2.3, 48.2})
	places.Areas = []chart.Area{{At: chart.XY{X: around, Y: ahead}, Radius: 16}}
	for _, ring := range shape.Rings {
		var out []chart.XY
		for _, p := range ring {
			x, y := pr.XY(p)
			out = append(out, chart.XY{X: x, Y: y})
		}
		places.Outline = append(places.Outline, out)
	}
	for i, p := range []struct {
		name     string
		lat, lon float64
		n        float64
	}{
		{"Orléans", 47.902, 1.909, 420}, {"Saint-Jean-de-Braye", 47.912, 1.973, 310}, {"Fleury-les-Aubrais", 47.931, 1.915, 280}, {"Olivet", 47.862, 1.9, 190}, {"Pithiviers", 48.172, 2.252, 390}, {"Montargis", 47.997, 2.733, 260},
		{"Amilly", 47.989, 2.766, 160}, {"Gien", 47.685, 2.63, 210}, {"Briare", 47.634, 2.743, 80}, {"Meung-sur-Loire", 47.83, 1.697, 120}, {"Beaugency", 47.777, 1.63, 140}, {"Artenay", 48.08, 1.876, 60},
		{"Malesherbes", 48.295, 2.417, 110}, {"Courtenay", 48.04, 3.058, 90}, {"Sully-sur-Loire", 47.767, 2.374, 100}, {"La Ferté-Saint-Aubin", 47.718, 1.94, 130}, {"Châteauneuf-sur-Loire", 47.866, 2.219, 150}, {"Châtillon-sur-Loire", 47.59, 2.76, 12},
	} {
		x, y := pr.XY(geo.LonLat{p.lon, p.lat})
		places.Items = append(places.Items, chart.Place{Label: p.name, At: chart.XY{X: x, Y: y}, Value: p.n, Shade: 8 + float64(i*7%29), Href: fmt.Sprintf("/incidents?commune=%d", i)})
	}
	multiples := &chart.Multiples{Head: chart.Head{ID: "multi", Label: "Incidents par type et par mois"}, Period: months, Ghost: "2024-2025"}
	for i, name := range []string{"ordinateur", "vidéoprojecteur", "impression", "réseau", "messagerie", "logiciel pédagogique", "tablette", "téléphonie"} {
		multiples.Panels = append(multiples.Panels, chart.Panel{Label: name, Note: fmt.Sprintf("%+d %%", 77-i*11), Category: i + 1, Points: group(chart.Month, days(year.From, year.Until, 12-float64(i))), Ghost: group(chart.Month, days(year.From, year.To, 9)), Href: fmt.Sprintf("/explore?category=%d", i)})
	}
	banded := group(chart.Week, opened)
	for i := range banded {
		banded[i].Low, banded[i].High = banded[i].Value*0.8, banded[i].Value*1.25
	}
	ghost := &chart.Series{Label: "2024-2025", Points: group(chart.Week, days(year.From, year.To, 33))}
	backlog := func(level float64) []chart.Point {
		var out []chart.Point
		v := level
		for d := year.From; d.Before(year.Until); d = d.AddDate(0, 0, 7) {
			v = math.Max(5, v+20*(draw.Float64()-0.45))
			out = append(out, chart.Point{At: d, Value: math.Round(v), Href: "/incidents?at=" + d.Format(time.DateOnly)})
		}
		return out
	}
	waited := &chart.Steps{Head: chart.Head{ID: "steps", Label: "Part encore en panne", Unit: chart.Share}, Across: "heures d’ouverture depuis la déclaration", AcrossU: chart.Number, Top: 1, To: 40, Marks: []chart.Ref{{Value: 17, Label: "délai : 2 jours"}}}
	for k, name := range []string{"Secteur Orléans", "Secteur Montargis et Pithiviers"} {
		curve := chart.Steep{Label: name, Category: k + 1, Points: []chart.StepPoint{{X: 0, Y: 1, Low: 1, High: 1}}}
		for x := 0.5; x < 60; x += 0.5 + 1.4*math.Abs(math.Sin(7*x)) {
			y := math.Exp(-x / float64(9+6*k))
			curve.Points = append(curve.Points, chart.StepPoint{X: x, Y: y, Low: y * 0.9, High: math.Min(1, y*1.1+0.01)})
		}
		for _, x := range []float64{4, 8, 17, 34} {
			curve.Hits = append(curve.Hits, chart.StepHit{X: x, Y: math.Exp(-x / float64(9+6*k)), Href: "/incidents?team=1", Title: fmt.Sprintf("%s : après %.0f h", name, x)})
		}
		waited.Curves = append(waited.Curves, curve)
	}
	strip := &chart.Strip{Head: chart.Head{ID: "strip", Label: "Mise à jour Windows par semaine"}, Period: weeks, Counted: "incidents", Expected: "attendus", Band: "ce que le hasard fait 9 fois sur 10", Alert: "alerte"}
	for d := year.From; d.Before(year.Until); d = d.AddDate(0, 0, 7) {
		if shaded(weeks.Shades, d) {
			continue
		}
		w := chart.StripWeek{At: d, Counted: float64(d.YearDay() * 7 % 5), Expected: 2.1, High: 5, Href: "/incidents?week=" + d.Format(time.DateOnly)}
		if n := len(strip.Weeks); n == 14 || n == 15 {
			w.Counted, w.Out = float64(12-4*(n-14)), true
		}
		strip.Weeks = append(strip.Weeks, w)
	}
	head := func(id, label string, u chart.Unit) chart.Head { return chart.Head{ID: id, Label: label, Unit: u} }
	return []sample{
		{"bars", "Montjoie déclare deux fois plus que la médiane", "incidents déclarés, 12 collèges, année scolaire 2025-2026", bars, chart.Half},
		{"funnel", "Un collège hors de la bande extérieure", "rapport des incidents observés aux attendus", funnel, chart.Half},
		{"strip", "Douze incidents au lieu de deux", "incidents « Mise à jour Windows » par semaine", strip, chart.Full},
		{"rates", "Pour 100 ordinateurs, quatre collèges se détachent", "taux annuel et intervalle à 95 %", rates, chart.Half},
		{"stacked", "Un incident sur quatre est urgent", "incidents par collège et par priorité", stacked, chart.Half},
		{"columns-month", "La rentrée pèse deux mois ordinaires", "incidents par mois", &chart.Columns{Head: head("cm", "Incidents par mois", chart.Number), Period: months, Series: []chart.Series{{Label: "déclarés", Points: group(chart.Month, opened)}}, Ghost: &chart.Series{Label: "2024-2025", Points: group(chart.Month, days(year.From, year.To, 33))}}, chart.Half},
		{"opened-resolved", "On résout un peu moins qu’on ne déclare", "incidents déclarés et résolus par semaine", &chart.Columns{Head: head("or", "Déclarés et résolus", chart.Number), Period: weeks, Series: []chart.Series{{Label: "déclarés", Category: 1, Points: group(chart.Week, opened)}, {Label: "résolus", Category: 3, Points: group(chart.Week, resolved), Below: true}}}, chart.Full},
		{"area", "Le stock suit les vacances", "incidents en cours par priorité", &chart.Columns{Head: head("ar", "En cours par priorité", chart.Number), Period: weeks, Area: true, Series: []chart.Series{{Label: "critique", Category: 2, Points: backlog(30)}, {Label: "haute", Category: 4, Points: backlog(50)}, {Label: "normale", Category: 1, Points: backlog(120)}}}, chart.Half},
		{"columns-day", "Mars, jour par jour", "incidents par jour, du 2 mars au 10 avril", &chart.Columns{Head: head("cd", "Incidents par jour", chart.Number), Period: month, Series: []chart.Series{{Label: "déclarés", Points: days(month.From, month.To, 40)}}, Ref: &chart.Ref{Value: 42, Label: "moyenne : 42"}}, chart.Half},
		{"lines", "L’impression s’est calmée depuis janvier", "incidents par semaine et intervalle attendu", &chart.Lines{Head: head("li", "Incidents par semaine", chart.Number), Period: weeks, Series: []chart.Series{{Label: "déclarés", Category: 1, Points: banded}}, Ghost: ghost}, chart.Full},
		{"lines-many", "Quatre types font les trois quarts", "incidents par semaine et par type", &chart.Lines{Head: head("lm", "Incidents par type", chart.Number), Period: weeks, Series: []chart.Series{{Label: "ordinateur", Category: 1, Points: group(chart.Week, days(year.From, year.Until, 14))}, {Label: "vidéoprojecteur", Category: 2, Points: group(chart.Week, days(year.From, year.Until, 9))}, {Label: "impression", Category: 3, Points: group(chart.Week, days(year.From, year.Until, 7))}, {Label: "réseau", Category: 4, Points: group(chart.Week, days(year.From, year.Until, 3))}}}, chart.Half},
		{"lines-day", "Une année, jour par jour", "incidents par jour", &chart.Lines{Head: head("ld", "Incidents par jour", chart.Number), Period: dailies, Series: []chart.Series{{Label: "déclarés", Points: opened, Gaps: true}}}, chart.Full},
		{"heat", "Le lundi à 9 h, deux fois la moyenne", "incidents par heure et par jour de déclaration", heat, chart.Half},
		{"map", "Le nord du département déclare le plus", "incidents par commune, 2025-2026", places, chart.Half},
		{"multiples", "Les ordinateurs montent, la téléphonie s’éteint", "incidents par mois, même échelle", multiples, chart.Full},
		{"bars-58", "Tous les collèges", "incidents, 2025-2026", long, chart.Half},
		{"hours", "La moitié est résolue en un jour ouvré", "délai de résolution médian", &chart.Bars{Head: head("ho", "Délai médian", chart.Hours), Items: []chart.Bar{{Label: "vidéoprojecteur", Value: 76.4, Href: "/a"}, {Label: "ordinateur", Value: 5.67, Href: "/b"}, {Label: "messagerie", Value: 0.4, Href: "/c"}, {Label: "non renseigné", Value: math.NaN(), Category: 9}}}, chart.Half},
		{"steps", "La moitié est réparée en sept heures d’ouverture", "part encore en panne selon le temps écoulé", waited, chart.Full},
		{"empty", "Rien à montrer", "période sans incident", &chart.Bars{Head: head("em", "Vide", chart.Number)}, chart.Half},
		{"zeros", "Que des zéros", "incidents par mois", &chart.Columns{Head: head("ze", "Zéros", chart.Number), Period: months, Series: []chart.Series{{Label: "déclarés"}}}, chart.Half},
	}
}

func printer(t testing.TB) *locale.Printer {
	t.Helper()
	return locale.For(locale.French, paris(t))
}

func shaded(shades []chart.Shade, d time.Time) bool {
	for _, s := range shades {
		if !d.Before(s.From) && d.Before(s.To) {
			return true
		}
	}
	return false
}
