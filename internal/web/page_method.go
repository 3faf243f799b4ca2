package web

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"statincidents/docs"
	"statincidents/internal/analysis"
	"statincidents/internal/auth"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// Findings are sentences made from the data, above the figures that they are
// about.
type Findings struct {
	*locale.Printer

	Said []string
}

// MethodNote is what stands under the figures of a statistical method: how it
// was done, from what data, and how to do it again.
type MethodNote struct {
	*locale.Printer

	Steps   []string // what was done, with its parameters
	Source  string   // the references
	Page    Link     // the page on the method
	Quality []string // what the data lack
	Replay  *Replay  // of a result of the night
}

// Replay says how a result came about, and gives all that it takes to do it
// again.
type Replay struct {
	Words string // version, seed, day
	Href  string // "" for who may not take it away
}

// methodNote begins the note of a page whose words begin with key: "KEY.method.sources"
// are its references, page is its page on the method.
func (r *Request) methodNote(key, page string) MethodNote {
	return MethodNote{Printer: r.Printer, Source: r.T(key + ".method.sources"), Page: Link{Label: r.T("method.page"), Href: "/methods/" + page}}
}

// recorded adds to a note how a night's result was made.
func (r *Request) recorded(n *MethodNote, made analysis.Made) {
	words := r.T("method.made", "day", r.Day(made.Today), "at", r.DateTime(made.At), "version", made.Version)
	if made.Seed != 0 {
		words = r.T("method.made.seed", "day", r.Day(made.Today), "at", r.DateTime(made.At), "version", made.Version, "seed", made.Seed)
	}
	n.Replay = &Replay{Words: words}
	if r.Who.Can(auth.ExportData) && r.Scope().All() {
		n.Replay.Href = "/methods/replay/" + made.Method + ".json"
	}
	if made.Failure != "" {
		n.Quality = append(n.Quality, r.T("method.failed", "day", r.Day(made.Today)))
	}
}

// refusal says in a sentence why a method concludes nothing.
func (r *Request) refusal(x *analysis.Refusal) string {
	return r.T("refusal."+string(x.Why), "n", r.Num(x.Have, 0), "least", r.Num(x.Least, 0))
}

// quality says how much of what a method looks at is not known, of the
// incidents that filters keep.
func (s *Server) quality(r *Request, q cube.ListQuery, dims ...cube.Dim) ([]string, error) {
	ask := func(more ...cube.Filter) cube.Query {
		return cube.Query{Measures: []cube.Measure{cube.Count}, From: q.From, To: q.To, Filters: append(append([]cube.Filter{}, q.Filters...), more...)}
	}
	asked := []cube.Query{ask()}
	for _, d := range dims {
		asked = append(asked, ask(cube.Filter{Dim: d, In: []string{""}}))
	}
	found, err := s.deps.Cube.RunAll(r.Context(), r.Scope(), asked)
	if err != nil {
		return nil, err
	}
	all := found[0].Total.Values[0].N
	if all == 0 {
		return nil, nil
	}
	said := make([]string, 0, len(dims))
	for k, d := range dims {
		without := found[k+1].Total.Values[0].N
		said = append(said, r.T("method.lacks."+string(d), "n", r.Int(without), "all", r.Int(all), "share", r.Pct(float64(without)/float64(all), 0)))
	}
	return said, nil
}

// methodPage shows the page on a method.
type methodPage struct {
	Page

	Body template.HTML
}

var methodView = newView[methodPage]("page_method.html", shell)

func (s *Server) methodRoutes() {
	s.page("GET /methods/{name}", s.method, needs(auth.ViewStatistics))
	s.page("GET /methods/replay/{file}", s.replay, needs(auth.ExportData))
}

var methodText = goldmark.New(goldmark.WithExtensions(extension.Table))

var methodName = regexp.MustCompile(`^[a-z0-9-]{1,60}$`)

func (s *Server) method(r *Request) error {
	name := r.PathValue("name")
	if !methodName.MatchString(name) {
		return fault.New(fault.NotFound, "error.not_found")
	}
	text, err := docs.Methods.ReadFile("methods/" + name + ".md")
	if err != nil {
		return fault.New(fault.NotFound, "error.not_found")
	}
	head, body, _ := strings.Cut(string(text), "\n")
	var out bytes.Buffer
	if err := methodText.Convert([]byte(body), &out); err != nil {
		return err
	}
	return methodView.show(r, http.StatusOK, &methodPage{
		Page: Page{Title: strings.TrimPrefix(head, "# ")},
		Body: template.HTML(out.String()), //nolint:gosec // our own pages, built into the program
	})
}

// replay sends a night's result with all that it was made from, for "statincidents replay".
func (s *Server) replay(r *Request) error {
	name, ok := strings.CutSuffix(r.PathValue("file"), ".json")
	if !ok || !r.Scope().All() {
		return fault.New(fault.NotFound, "error.not_found")
	}
	recording, err := s.deps.Analysis.Recorded(r.Context(), name)
	if err != nil {
		return err
	}
	r.W.Header().Set("Content-Type", "application/json; charset=utf-8")
	r.W.Header().Set("Content-Disposition", `attachment; filename="`+name+`.json"`)
	return json.NewEncoder(r.W).Encode(recording)
}
