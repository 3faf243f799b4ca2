package web

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// guidePage shows every component in its states: what authors choose from, and
// what the browser tests look at. It exists in demonstrations only. Its texts
// are samples, in French.
type guidePage struct {
	Page

	Swatches []string
	Bar      FilterBar
	Tabs     Tabs
	States   []Badge
	Levels   []Badge
	Keys     []KeyFigure
	Charts   []ChartFrame
	Table    Table
	Pager    Pager
	Blank    []Field
	Form     *Form
	Wrong    []Field
	Empty    EmptyState
	Progress []Progress
	Moments  []Moment
	Notices  []Notice
	LiveOne  string
	LiveMany string
}

var guideView = newView[guidePage]("page_styleguide.html", shell)

func (s *Server) styleGuideRoutes() {
	if !s.deps.Demo {
		return
	}
	s.page("GET /styleguide", s.styleGuide)
	s.page("GET /styleguide/confirm", func(r *Request) error {
		return r.Confirm(Confirm{
			Title: locale.Typeset(locale.French, "Supprimer la catégorie « Vidéoprojecteur interactif » ?"), Verb: "Supprimer la catégorie", Action: "/styleguide/confirm", Cancel: "/styleguide",
			Text:   locale.Typeset(locale.French, "Les 38 incidents de cette catégorie resteront, sous « Affichage ». Cela ne peut pas être défait."),
			Facts:  []string{"38 incidents changent de catégorie", "2 sous-catégories disparaissent"},
			Crumbs: []Link{{Label: "Guide de style", Href: "/styleguide"}},
		})
	})
	s.page("GET /styleguide/fault/{code}", func(r *Request) error {
		if code := fault.Code(r.PathValue("code")); code == "panic" {
			panic("style guide")
		} else if code != fault.Internal {
			return fault.New(code, "error."+string(code), "right", string(auth.ManageAccounts))
		}
		return fmt.Errorf("style guide: %s", r.PathValue("code"))
	})
	s.page("POST /styleguide/fault", func(*Request) error { return fault.New(fault.Unavailable, "error.unavailable") })
	s.navEntry(entry{order: 800, key: "web.nav.guide", icon: "palette", href: "/styleguide", end: true, roles: []auth.Role{auth.Administrator}})
}

const longSchool = "Collège Marguerite-de-Navarre-et-François-de-La-Rochefoucauld" // 61 characters

func (s *Server) styleGuide(r *Request) error {
	now := r.Now()
	f := r.Blank("title", "Vidéoprojecteur noir en salle 12", "network", "teaching")
	wrong := r.Blank("title", "Vid", "login", "mme la gestionnaire")
	var bad fault.Fields
	bad.Add("title", "error.field.too_short", "min", 5)
	bad.Add("school", "error.field.required")
	wrong.Refused(bad.Err())
	schools := []Option{{Value: "", Label: "Tous"}, {Value: "1", Label: longSchool, Group: "Pithiviers"}, {Value: "2", Label: "Collège Jean-Rostand", Group: "Orléans"}}
	networks := []Option{{Value: "teaching", Label: "Pédagogique"}, {Value: "administrative", Label: "Administratif"}, {Value: "", Label: "Je ne sais pas"}}
	filters := r.Filters()
	p := &guidePage{
		Page: Page{
			Title: "Guide de style", Heading: "Guide de style", Lede: "Tous les composants, dans tous leurs états. Les textes et les chiffres sont inventés.",
			Crumbs:  []Link{{Label: "Administration", Href: "/menu"}, {Label: longSchool, Href: "/menu"}},
			Actions: []Action{{Label: "Modifier", Icon: "pencil", Href: "/styleguide/confirm", Key: "e"}, {Label: "Prendre en charge", Icon: "user-check", Href: "/styleguide/fault", Post: true, Primary: true}},
			Notice:  &Notice{Text: "L'incident 4812 est pris en charge.", Undo: &Undo{Action: "/styleguide/fault", Values: map[string]string{"id": "4812"}}},
		},
		Swatches: strings.Fields("paper panel raised hover ink ink-2 ink-3 rule rule-strong accent accent-strong accent-wash critical warning good info planned neutral cat-1 cat-2 cat-3 cat-4 cat-5 cat-6 cat-7 cat-8 cat-others seq-0 seq-1 seq-2 seq-3 seq-4 seq-5 seq-6 seq-7 div-low-2 div-low-1 div-mid div-high-1 div-high-2"),
		Bar: r.FilterBar([]Field{
			filters.Input("search", "q", "Texte").Example("Numéro, mot, salle…"),
			filters.Select("school", "Collège", schools),
			filters.Select("state", "État", []Option{{Value: "", Label: "Tous"}, {Value: "open", Label: "À traiter"}, {Value: "waiting", Label: "En attente"}}),
			filters.Select("period", "Période", []Option{{Value: "", Label: "Année scolaire 2025-2026"}, {Value: "30", Label: "30 derniers jours"}}),
		}, "sort"),
		Tabs: r.TabsBy("tab", "Vues", "all", "Tous", "open", "À traiter", "waiting", "En attente", "closed", "Clos et annulés"),
		Keys: []KeyFigure{
			{Label: "Incidents à traiter", Value: r.Int(143), Href: "/styleguide", Trend: &Trend{Dir: "up", Text: "+12 %", Against: "que la semaine dernière", Tone: "worse"}, Note: "58 collèges, au 12 mars", Spark: r.guideSpark("s1", 98, 102, 97, 110, 108, 121, 119, 127, 125, 131, 128, 143)},
			{Label: "Délai médian de résolution", Value: r.Num(5.6, 1), Unit: "h", Trend: &Trend{Dir: "down", Text: "−18 %", Against: "que l'an dernier", Tone: "better"}, Note: "612 résolus, 31 encore ouverts", Spark: r.guideSpark("s2", 8, 7.5, 7.9, 7, 6.8, 6.9, 6.1, 6, 5.8, 6.2, 5.7, 5.6)},
			{Label: "Déclarés cette semaine", Value: r.Int(1234), Trend: &Trend{Dir: "flat", Text: "stable"}, Note: "du 9 au 15 mars"},
			{Label: "Rouverts au moins une fois", Value: r.Pct(0.183, 0), Note: "sur 612 résolus"},
			{Label: "Pour 100 ordinateurs", Value: "—", Note: "nombre d'ordinateurs non renseigné"},
		},
		Empty:    EmptyState{Icon: "inbox", Title: "Aucun incident à traiter", Text: "Tout est résolu dans ce périmètre. Les incidents déclarés apparaîtront ici.", Action: &Link{Label: "Déclarer un incident", Href: "/styleguide", Icon: "circle-plus"}},
		Progress: []Progress{{ID: "p1", Label: "Import de incidents-2025.csv", Done: 12300, Total: 24918, Said: "12 300 lignes sur 24 918, encore 4 s"}, {ID: "p2", Label: "Vérification", Said: "Comptage des lignes…"}},
		Moments:  []Moment{r.Moment(now.Add(-3 * time.Minute)), r.Moment(now.Add(-5 * time.Hour)), r.Moment(now.Add(-9 * 24 * time.Hour))},
		Notices: []Notice{
			{Text: "Le collège a été fermé à la déclaration pendant les vacances. Rouvrez-le avant la rentrée.", Tone: "warning", Link: &Link{Label: "Ouvrir le calendrier", Href: "/styleguide"}},
			{Text: "Quelqu'un a modifié la priorité avant vous : elle est maintenant « 2 haute ».", Tone: "critical"},
		},
		Form: wrong,
		Blank: []Field{
			f.Text("title", "En une phrase").Must().AtMost(200),
			f.Select("school2", "Collège", schools).Must(),
			f.Choices("network", "Réseau", networks),
			f.Area("story", "Ce qui se passe").Hinted("Depuis quand, sur quelle machine, ce qui a déjà été essayé."),
			f.File("photo", "Photo", "image/*"),
			f.Check("notify", "Me prévenir quand c'est résolu"),
		},
		Wrong: []Field{
			wrong.Text("title", "En une phrase").Must(),
			wrong.Select("school", "Collège", schools).Must(),
		},
		LiveOne: r.N("web.live.new", 1), LiveMany: r.N("web.live.new", 3),
	}
	p.Blank[0].ID, p.Wrong[0].ID = "f-title-blank", "f-title"
	for _, st := range incident.States {
		p.States = append(p.States, StateBadge(r.Printer, st))
	}
	for i := range 6 {
		p.Levels = append(p.Levels, PriorityBadge(r.Printer, i))
	}
	p.Table = Table{
		Printer: r.Printer, Caption: "Derniers incidents", Stacked: true,
		Columns: []Column{
			{Label: "Incident", Lead: true, Sort: r.SortBy("number", "-", "-opened")}, {Label: "Collège", Wrap: true}, {Label: "État"}, {Label: "Priorité", Sort: r.SortBy("priority", "", "-opened")},
			{Label: "Déclaré", Sort: r.SortBy("opened", "-", "-opened")}, {Label: "Délai", Num: true},
		},
		Foot: []Cell{{Text: "Total"}, {}, {}, {}, {}, {Text: "5,6 h"}},
	}
	for i, st := range incident.States {
		at, state, level := r.Moment(now.Add(-time.Duration(i*i)*97*time.Minute)), p.States[i], p.Levels[i%6]
		where := "Collège Jean-Rostand"
		if i%3 == 0 {
			where = longSchool
		}
		row := TableRow{Cells: []Cell{
			{Text: fmt.Sprintf("%d Vidéoprojecteur noir en cours", 4812-i), Href: "/styleguide", Note: "salle 12"}, {Text: where}, {Badge: &state}, {Badge: &level}, {Moment: &at}, {Text: r.Num(float64(i)*1.7, 1) + " h"},
		}}
		if st.Open() {
			row.Cells[5].Text = ""
		}
		p.Table.Rows = append(p.Table.Rows, row)
	}
	p.Pager = r.Pager(8, 1234, "abc")
	small := Table{Printer: r.Printer, Caption: "Incidents par type", Hide: true, Columns: []Column{{Label: "Type", Lead: true}, {Label: "Incidents", Num: true}}}
	for _, row := range [][2]string{{"Impression", "214"}, {"Vidéoprojection", "180"}, {"Réseau", "96"}} {
		small.Rows = append(small.Rows, TableRow{Cells: Cells(row[0], row[1])})
	}
	p.Charts = []ChartFrame{
		{
			Printer: r.Printer, ID: "c1", Title: "Les pannes d'impression ont doublé à Pithiviers", Question: "Incidents déclarés, 58 collèges, année scolaire 2025-2026, au 12 mars",
			Drawing: r.guideBars(), Table: &small, How: "Chaque barre compte les incidents déclarés ; un clic ouvre leur liste.", Exports: []Link{{Label: "CSV", Href: "/styleguide"}, {Label: "XLSX", Href: "/styleguide"}},
		},
		{Printer: r.Printer, ID: "c3", Title: "Les lundis matin sont les plus chargés", Question: "Incidents déclarés par heure et par jour, 58 collèges", Drawing: r.guideHeat(), How: "Plus la case est foncée, plus on a déclaré d'incidents dans l'heure."},
		{Printer: r.Printer, ID: "c2", Title: "Incidents par commune", Question: "Aucune déclaration dans cette période", Empty: "Il n'y a rien à dessiner : choisissez une période plus longue."},
	}
	return guideView.show(r, http.StatusOK, p)
}

// guideSpark is a course of twelve weeks.
func (r *Request) guideSpark(id string, values ...float64) template.HTML {
	return (&chart.Spark{Head: chart.Head{ID: id, Label: "douze dernières semaines"}, Values: values}).HTML(r.Printer)
}

func (r *Request) guideBars() template.HTML {
	bars := &chart.Bars{Head: chart.Head{ID: "g-bars", Label: "Incidents par type"}, Ghost: "2024-2025"}
	for i, row := range []struct {
		label         string
		value, before float64
	}{{"Impression", 214, 103}, {"Vidéoprojection", 180, 171}, {"Réseau et accès à Internet", 96, 110}, {"Logiciel pédagogique", 41, 38}} {
		bars.Items = append(bars.Items, chart.Bar{Label: row.label, Value: row.value, Ghost: row.before, Category: i + 1, Href: r.Address.Toggle("state", "open").String()})
	}
	return chart.Render(bars, r.Printer, chart.Half)
}

func (r *Request) guideHeat() template.HTML {
	heat := &chart.Heat{Head: chart.Head{ID: "g-heat", Label: "Incidents par heure et par jour"}}
	for hour := 8; hour <= 17; hour++ {
		heat.Cols = append(heat.Cols, r.Hour(hour))
	}
	for day := time.Monday; day <= time.Friday; day++ {
		heat.Rows = append(heat.Rows, r.Weekday(day))
		row := make([]chart.Cell, len(heat.Cols))
		for i := range row {
			row[i] = chart.Cell{Value: float64((i*7 + int(day)*5) % 23), Href: r.Address.With("hour", heat.Cols[i]).String()}
		}
		heat.Cells = append(heat.Cells, row)
	}
	return chart.Render(heat, r.Printer, chart.Half)
}
