package web

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/chart"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// wallPage is a screen on a wall: boards that follow each other, read from
// across the room. Without script they stand in a column.
type wallPage struct {
	Page

	Boards  []board
	Clock   string
	Now     string // ISO 8601
	Zone    string
	Place   string // what the boards are about
	Loading bool
}

// board is one of them. Its content is asked for again when events come, and
// before it is shown.
type board struct {
	*locale.Printer

	Key      string
	Title    string
	Short    string // among the others
	Question string
	Src      string
	Number   string // one figure, as large as the screen
	Said     []string
	Drawing  template.HTML
	Rows     []incidentRow
	Empty    string
}

var (
	wallView  = newView[wallPage]("page_wall.html", wall)
	boardPart = newFragment[board]("page_wall.html", "board")
)

func (s *Server) wallRoutes() {
	s.page("GET /wall", s.wall, needs(auth.ViewStatistics))
	s.page("GET /wall/board", s.wallBoard, needs(auth.ViewStatistics))
	s.navEntry(entry{order: 900, key: "wall.title", icon: "tv", href: "/wall", right: auth.ViewStatistics, end: true})
}

// wallBoards are the boards in their order, each drawn for a reader. A board
// that has nothing to say to this reader (a map of one school) gives nil.
var wallBoards = []struct {
	key  string
	draw func(*Request, *names) (*board, error)
}{
	{"open", wallOpen},
	{"map", wallMap},
	{"latest", wallLatest},
	{"types", wallTypes},
	{"schools", wallSchools},
}

func (s *Server) wall(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	now := r.Now().In(r.Location())
	p := &wallPage{
		Page: Page{Title: r.T("wall.title")}, Zone: r.Location().String(), Now: now.Format(time.RFC3339),
		Clock: r.T("wall.clock", "day", r.Day(r.today()), "time", r.Time(now)), Place: r.Settings.Name,
	}
	if seen := n.places.SchoolsIn(r.Scope()); len(seen) == 1 {
		p.Place = seen[0].Name
	}
	chosen := strings.Split(r.Address.Get("boards"), ",")
	known := slices.ContainsFunc(wallBoards, func(b struct {
		key  string
		draw func(*Request, *names) (*board, error)
	}) bool {
		return slices.Contains(chosen, b.key)
	})
	for _, b := range wallBoards {
		if known && !slices.Contains(chosen, b.key) {
			continue
		}
		drawn, err := r.board(n, b.key, b.draw)
		if fault.Is(err, fault.Unavailable) {
			p.Loading = true
			break
		}
		if err != nil {
			return err
		}
		if drawn != nil {
			p.Boards = append(p.Boards, *drawn)
		}
	}
	return wallView.show(r, http.StatusOK, p)
}

func (r *Request) board(n *names, key string, draw func(*Request, *names) (*board, error)) (*board, error) {
	b, err := draw(r, n)
	if err != nil || b == nil {
		return nil, err
	}
	b.Printer, b.Key, b.Short = r.Printer, key, r.T("wall.short."+key)
	b.Src = Address{Path: "/wall/board"}.With("board", key).String()
	return b, nil
}

// wallBoard gives one board's content.
func (s *Server) wallBoard(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	for _, b := range wallBoards {
		if b.key != r.Address.Get("board") {
			continue
		}
		drawn, err := r.board(n, b.key, b.draw)
		if err != nil {
			return err
		}
		if drawn != nil {
			return boardPart.show(r, *drawn)
		}
	}
	return fault.New(fault.NotFound, "error.not_found")
}

// silent figures lead nowhere: a wall has no pointer.
func (r *Request) silent(n *names, res cube.Result) figures {
	f := r.figures(n, res)
	f.click = func([]cube.Dim, cube.Row, cube.Measure) string { return "" }
	return f
}

// wallWidth is the one width at which boards are drawn: the style sheet makes
// the drawing as large as the screen, and its words with it.
var wallWidth = []chart.Width{chart.Medium}

// wallDays is how far back the curve of what is open goes: eight weeks.
const wallDays = 56

func wallOpen(r *Request, n *names) (*board, error) {
	today := r.today()
	results, err := r.Server.deps.Cube.RunAll(r.Context(), r.Scope(), []cube.Query{
		{Measures: []cube.Measure{cube.Opened, cube.Resolved, cube.Backlog}, From: today, To: today + 1},
		{By: []cube.Dim{cube.DimDay}, Measures: []cube.Measure{cube.Backlog}, From: today - wallDays, To: today + 1},
	})
	if err != nil {
		return nil, err
	}
	day, course := r.silent(n, results[0]), r.silent(n, results[1])
	total := day.res.Total
	open := int(day.value(total, cube.Backlog).V)
	b := &board{Title: r.T("wall.open.title"), Number: r.Int(open)}
	b.Said = append(b.Said, r.T("wall.open.today", "opened", int(day.value(total, cube.Opened).V), "resolved", int(day.value(total, cube.Resolved).V)))
	if rows := course.res.Rows; len(rows) > 7 {
		change := open - int(rows[len(rows)-8].Values[0].V)
		switch {
		case change > 0:
			b.Said = append(b.Said, r.N("wall.open.more", change))
		case change < 0:
			b.Said = append(b.Said, r.N("wall.open.less", -change))
		default:
			b.Said = append(b.Said, r.T("wall.open.same"))
		}
	}
	by := course.res.Query.By
	b.Question = r.T("wall.open.question")
	b.Drawing = chart.Render(&chart.Lines{
		Head: chart.Head{ID: "wall-open", Label: b.Question}, Period: course.period(by[0]),
		Series: []chart.Series{{Label: r.T("wall.open.series"), Category: 1, Points: course.points(course.res.Rows, by, 0, cube.Backlog, false)}},
	}, r.Printer, wallWidth)
	return b, nil
}

func wallMap(r *Request, n *names) (*board, error) {
	f, err := r.openBy(n, cube.DimSchool)
	if err != nil {
		return nil, err
	}
	if len(n.places.SchoolsIn(r.Scope())) < 2 {
		return nil, nil
	}
	b := &board{Title: r.T("wall.map.title"), Question: r.T("wall.map.question")}
	m, ok := f.places(cube.Backlog, "", func(school directory.School, row cube.Row) string {
		return r.Label(school.Name) + r.N("wall.open.count", int(f.value(row, cube.Backlog).V))
	})
	if !ok {
		b.Empty = r.T("wall.map.none")
		return b, nil
	}
	m.Head, m.SizeLabel = chart.Head{ID: "wall-map", Label: b.Title, Desc: b.Question}, r.T("wall.map.size")
	// A map is as high as it is wide: drawn for a narrow place, its names are
	// large on the screen.
	b.Drawing = chart.Render(m, r.Printer, []chart.Width{chart.Narrow})
	return b, nil
}

// openBy counts what is open now.
func (r *Request) openBy(n *names, d cube.Dim) (figures, error) {
	res, err := r.Server.deps.Cube.Run(r.Context(), r.Scope(), cube.Query{By: []cube.Dim{d}, Measures: []cube.Measure{cube.Backlog}, From: r.today()})
	return r.silent(n, res), err
}

// wallRows is how many incidents can be read on a wall.
const wallRows = 5

func wallLatest(r *Request, n *names) (*board, error) {
	b := &board{Title: r.T("wall.latest.title")}
	page, err := r.Server.deps.Cube.List(r.Context(), r.Scope(), cube.ListQuery{Limit: wallRows})
	if err != nil {
		return nil, err
	}
	found, err := r.Server.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		b.Rows = append(b.Rows, r.incidentRow(n, i))
	}
	if len(b.Rows) == 0 {
		b.Empty = r.T("overview.latest.none")
	}
	return b, nil
}

// wallBars is how many bars can be read on a wall.
const wallBars = 8

func wallTypes(r *Request, n *names) (*board, error) {
	res, err := r.Server.deps.Cube.Run(r.Context(), r.Scope(), cube.Query{
		By: []cube.Dim{cube.DimCategory}, Measures: []cube.Measure{cube.Count}, From: r.today() - 6, To: r.today() + 1, Compare: cube.ComparePrevious, Limit: wallBars - 1,
	})
	if err != nil {
		return nil, err
	}
	f := r.silent(n, res)
	b := &board{Title: r.T("wall.types.title"), Question: r.T("wall.types.question")}
	if res.Population == 0 {
		b.Empty = r.T("wall.types.none")
		return b, nil
	}
	b.Drawing = chart.Render(&chart.Bars{Head: chart.Head{ID: "wall-types", Label: b.Title, Desc: b.Question}, Items: f.bars(res.Rows, res.Query.By, cube.Count), Ghost: r.T("wall.types.before")}, r.Printer, wallWidth)
	return b, nil
}

// wallSchools shows where most waits: by school, or by room for who has one.
func wallSchools(r *Request, n *names) (*board, error) {
	d, key := cube.DimSchool, "wall.schools"
	one := len(n.places.SchoolsIn(r.Scope())) == 1
	if one {
		d, key = cube.DimRoom, "wall.rooms"
	}
	f, err := r.openBy(n, d)
	if err != nil {
		return nil, err
	}
	b := &board{Title: r.T(key + ".title"), Question: r.T(key + ".question")}
	rows := f.sorted(cube.Backlog)
	rows = slices.DeleteFunc(rows, func(row cube.Row) bool { return row.Values[0].N == 0 })
	if len(rows) == 0 {
		b.Empty = r.T("wall.schools.none")
		return b, nil
	}
	bars := f.bars(rows[:min(len(rows), wallBars)], f.res.Query.By, cube.Backlog)
	if one { // the school's name is said once
		for i, row := range rows[:len(bars)] {
			if room, ok := n.roomOfKey(row.Keys[0]); ok {
				bars[i].Label = room.Name
			}
		}
	}
	b.Drawing = chart.Render(&chart.Bars{Head: chart.Head{ID: "wall-schools", Label: b.Title, Desc: b.Question}, Items: bars}, r.Printer, wallWidth)
	return b, nil
}
