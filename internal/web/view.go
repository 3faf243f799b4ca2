package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed *.html
var templates embed.FS

// The frames that a page stands in: each is a template of layout.html that
// calls the page's "content".
const (
	shell = "shell" // navigation and page, for people signed in
	door  = "door"  // the page alone, for people outside
	wall  = "wall"  // a board: no navigation, no controls
)

// ground is what every page's template begins with: frames and components.
var ground = template.Must(template.New("ground").Funcs(template.FuncMap{
	"icon":  built.icon,
	"asset": built.path,
	"fonts": built.fonts,
}).ParseFS(templates, "layout.html", "part_*.html"))

// view is a page's template, tied to the type of its struct. Views are package
// variables, parsed once; TestTemplates checks each against its type.
type view[P any, PP interface {
	*P
	page() *Page
}] struct {
	file, frame string
	t           *template.Template
}

// checked are all the views, for the test that checks them.
var checked []struct {
	name string
	t    *template.Template
	zero any
}

// newView parses a page's template, to be shown in a frame.
func newView[P any, PP interface {
	*P
	page() *Page
}](file, frame string) *view[P, PP] {
	t := template.Must(template.Must(ground.Clone()).ParseFS(templates, file)).Lookup(frame)
	var zero P
	checked = append(checked, struct {
		name string
		t    *template.Template
		zero any
	}{file + " in " + frame, t, &zero})
	return &view[P, PP]{file: file, frame: frame, t: t}
}

// show renders the page into memory, then sends it: an error on the way leaves
// nothing half sent.
func (v *view[P, PP]) show(r *Request, status int, p PP) error {
	if err := r.dress(p.page()); err != nil {
		return err
	}
	return r.send(v.t, status, p)
}

func (r *Request) send(t *template.Template, status int, data any) error {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return fmt.Errorf("web: render %s: %w", t.Name(), err)
	}
	h := r.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", r.Lang().String())
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	r.W.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	if _, err := r.W.Write(b.Bytes()); err != nil {
		r.Server.log.Debug("web: reader went away", "request", r.ID, "error", err)
	}
	return nil
}

// fragment is a part of a page, asked for by scripts.
type fragment[P any] struct{ t *template.Template }

// newFragment parses a file whose template NAME is shown alone.
func newFragment[P any](file, name string) *fragment[P] {
	t := template.Must(template.Must(ground.Clone()).ParseFS(templates, file)).Lookup(name)
	var zero P
	checked = append(checked, struct {
		name string
		t    *template.Template
		zero any
	}{name + " of " + file, t, zero})
	return &fragment[P]{t}
}

func (f *fragment[P]) show(r *Request, p P) error { return r.send(f.t, http.StatusOK, p) }
