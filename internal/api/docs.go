package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const description = `Everything that the screens show and do, for programs.

Each request carries an API token (` + "`Authorization: Bearer statinc_…`" + `) and acts as that token's account: it sees what the account sees and may do what its role may do. A browser that is signed in may also read (GET) from the product's own pages.

Refusals are problems in the form of RFC 9457, with a stable code, a sentence in the language of Accept-Language, and one entry for each input that is wrong.

Lists are read page by page: give the next of a page as the after of the following one.

An incident's ETag is its version. A change says in If-Match which version it was made on. Two people's changes are merged field by field: only a field that somebody else has changed since that version is a conflict (409), which shows the value that stands now.

A creation repeated with the same Idempotency-Key and body gives the incident that the first made.`

var tags = []*huma.Tag{
	{Name: "incidents", Description: "Declare, read and handle incidents."},
	{Name: "signals", Description: "What is out of the ordinary, as the methods found it, and what people think of it."},
	{Name: "problems", Description: "Causes behind several incidents, with their workaround."},
	{Name: "stock", Description: "Parts: what there is, and the ledger of what became of each."},
	{Name: "search", Description: "Looking for anything that the account sees."},
	{Name: "knowledge", Description: "Articles, and what worked on incidents like one."},
	{Name: "mail", Description: "What came in by e-mail, and what waits for a person."},
	{Name: "visits", Description: "Planned work at schools, and time spent."},
	{Name: "check-lists", Description: "What must be done in order and proved."},
	{Name: "service levels", Description: "What is promised, and how the clocks of an incident stand."},
	{Name: "batches", Description: "One change asked of many incidents, with a preview and a way back."},
	{Name: "presets", Description: "Templates that fill a declaration in, macros that do one action."},
	{Name: "views", Description: "Saved views of the list of incidents."},
	{Name: "labels", Description: "QR labels of rooms and machines."},
	{Name: "jobs", Description: "What the program does by itself."},
	{Name: "privacy", Description: "Who took what away."},
	{Name: "statistics", Description: "Any measure by any dimensions under any filters."},
	{Name: "live", Description: "What happens, as it happens."},
	{Name: "reference", Description: "The words that the rest is made of."},
}

// registerDocuments adds the OpenAPI document and the page made of it; they are
// written once, when every operation is known.
func (a *API) registerDocuments() {
	spec := a.huma.OpenAPI()
	yaml, err := spec.YAML()
	if err != nil {
		panic(err) // a document of ours
	}
	page, err := docsPage(spec)
	if err != nil {
		panic(err) // a template of ours, over a document of ours
	}
	a.document("/openapi.json", "application/openapi+json", mustJSON(spec))
	a.document("/openapi.yaml", "application/openapi+yaml", yaml)
	a.document("/docs.css", "text/css; charset=utf-8", docsCSS)
	a.document("/docs", "text/html; charset=utf-8", page)
}

// document serves something that is the same for everybody.
func (a *API) document(path, contentType string, content []byte) {
	pattern := "GET " + Prefix + path
	a.public[pattern] = true
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Write(content) //nolint:errcheck // the reader has gone
	})
}

//go:embed docs.css
var docsCSS []byte

//go:embed docs.tmpl
var docsText string

var docsTemplate = template.Must(template.New("docs").Parse(docsText))

// docsView is what the documentation page shows.
type docsView struct {
	Title, Version string
	Intro          []docsParagraph
	Groups         []docsGroup
	Codes          []docsCode
	Schemas        []docsSchema
}

// docsParagraph is a text whose pieces between backquotes are code.
type docsParagraph []docsPiece

type docsPiece struct {
	Text string
	Code bool
}

// paragraphs cuts a description into paragraphs and those at their backquotes.
func paragraphs(text string) []docsParagraph {
	var list []docsParagraph
	for p := range strings.SplitSeq(text, "\n\n") {
		var pieces docsParagraph
		for i, piece := range strings.Split(p, "`") {
			if piece != "" {
				pieces = append(pieces, docsPiece{piece, i%2 == 1})
			}
		}
		list = append(list, pieces)
	}
	return list
}

type docsGroup struct {
	Name, Description string
	Operations        []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary string
	Description               []docsParagraph
	Parameters                []docsMember
	Body                      *docsType
	Answers                   []docsAnswer
}

type docsMember struct {
	Name, In, About string
	Type            docsType
	Required        bool
}

type docsAnswer struct {
	Status, About string
	Type          *docsType
}

// docsType is a type as it is written: a word, or a link to a schema.
type docsType struct {
	Word   string
	Schema string // name of the schema it links to
	List   bool
}

type docsSchema struct {
	Name    string
	Members []docsMember
}

type docsCode struct {
	Code   string
	Status int
	About  string
}

var codeMeanings = map[string]string{
	"invalid":               "The input breaks a rule; errors says where.",
	"malformed":             "The body is not JSON, or not of a known content type.",
	"unauthenticated":       "No token, or one that is unknown, expired or revoked.",
	"forbidden":             "The role may not do that.",
	"not_found":             "No such thing, or the account does not see it: the two are never told apart.",
	"method_not_allowed":    "The path exists, for the methods in Allow.",
	"conflict":              "Somebody changed the same field first, or the incident's state no longer allows the action.",
	"precondition_required": "A change must say in If-Match which version it was made on.",
	"idempotency_mismatch":  "The Idempotency-Key has already served for another body.",
	"too_many":              "Slow down: Retry-After says for how long.",
	"too_large":             "The body is over the limit.",
	"unavailable":           "A part is not ready, or took too long; try again.",
	"internal":              "Ours. The server's log has the cause under request_id.",
}

func docsPage(spec *huma.OpenAPI) ([]byte, error) {
	view := docsView{Title: spec.Info.Title, Version: spec.Info.Version, Intro: paragraphs(spec.Info.Description)}
	for _, tag := range spec.Tags {
		group := docsGroup{Name: tag.Name, Description: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(spec.Paths)) {
			for _, op := range operations(spec.Paths[path]) {
				if slices.Contains(op.Tags, tag.Name) {
					group.Operations = append(group.Operations, docsOp(op))
				}
			}
		}
		view.Groups = append(view.Groups, group)
	}
	for _, c := range codes {
		view.Codes = append(view.Codes, docsCode{string(c), statuses[c], codeMeanings[string(c)]})
	}
	schemas := spec.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		view.Schemas = append(view.Schemas, docsSchema{name, docsMembers(schemas[name])})
	}
	var b bytes.Buffer
	err := docsTemplate.Execute(&b, view)
	return b.Bytes(), err
}

// operations lists the operations of a path.
func operations(item *huma.PathItem) []*huma.Operation {
	var ops []*huma.Operation
	for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
		if op != nil {
			ops = append(ops, op)
		}
	}
	return ops
}

func docsOp(op *huma.Operation) docsOperation {
	out := docsOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary}
	out.Description = paragraphs(op.Description)
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, docsMember{p.Name, p.In, firstOf(p.Description, p.Schema), typeOf(p.Schema), p.Required})
	}
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			t := typeOf(media.Schema)
			out.Body = &t
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		answer := docsAnswer{Status: status, About: op.Responses[status].Description}
		for _, media := range op.Responses[status].Content {
			t := typeOf(media.Schema)
			answer.Type = &t
		}
		out.Answers = append(out.Answers, answer)
	}
	return out
}

func firstOf(text string, s *huma.Schema) string {
	if text == "" && s != nil {
		return s.Description
	}
	return text
}

func docsMembers(s *huma.Schema) []docsMember {
	var list []docsMember
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		list = append(list, docsMember{Name: name, About: p.Description, Type: typeOf(p), Required: slices.Contains(s.Required, name)})
	}
	return list
}

// typeOf writes a schema as a type.
func typeOf(s *huma.Schema) docsType {
	switch {
	case s == nil:
		return docsType{Word: "anything"}
	case s.Ref != "":
		return docsType{Schema: s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]}
	case s.Type == huma.TypeArray:
		t := typeOf(s.Items)
		t.List = true
		return t
	case len(s.OneOf) > 0:
		var words []string
		for _, o := range s.OneOf {
			words = append(words, typeOf(o).Word)
		}
		return docsType{Word: strings.Join(words, " or ")}
	case len(s.Enum) > 0:
		var words []string
		for _, e := range s.Enum {
			if w, ok := e.(string); ok {
				words = append(words, w)
			}
		}
		return docsType{Word: strings.Join(words, " | ")}
	case s.Format != "":
		return docsType{Word: s.Type + " (" + s.Format + ")"}
	case s.Type == "":
		return docsType{Word: "anything"}
	}
	return docsType{Word: s.Type}
}
