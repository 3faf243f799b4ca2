// Package find answers what people look for, whatever it is: an incident by its
// number or its words, a school, a room, a machine, a person, a problem, an
// article. One question gives groups of hits, within what the person may see,
// the same on both engines. The words of incidents are found by search, which
// is bounded by what is shown; the rest is few and in memory.
package find

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/knowledge"
	"statincidents/internal/problem"
	"statincidents/internal/search"
)

// Kind is what a hit is.
type Kind string

// The kinds.
const (
	Incident Kind = "incident"
	School   Kind = "school"
	Room     Kind = "room"
	Machine  Kind = "machine"
	Person   Kind = "person"
	Problem  Kind = "problem"
	Article  Kind = "article"
)

// Kinds lists every kind, in the order of the answer: names that were asked for
// before texts that speak of them.
var Kinds = []Kind{School, Room, Machine, Person, Incident, Problem, Article}

// Limits.
const (
	MaxPage = 50 // hits of a kind at a time
	window  = 200
	look    = 1000 // incidents looked at in one answer when filters hide some
)

// Question is what is looked for. Zero values limit nothing.
type Question struct {
	Text   string
	Kinds  []Kind
	School int64
	States []incident.State // of incidents
	From   time.Time        // when incidents were declared
	To     time.Time        // before this
	Most   int              // hits of each kind
	After  string           // Next of a former answer: the following incidents
	// Language of articles: "fr", "en".
	Language string
}

func (q *Question) filtered() bool {
	return len(q.States) > 0 || !q.From.IsZero() || !q.To.IsZero()
}

func (q *Question) wants(k Kind) bool { return len(q.Kinds) == 0 || slices.Contains(q.Kinds, k) }

// Field is where the words of a hit were found.
type Field string

// The fields that a snippet is of.
const (
	InDescription Field = "description"
	InMachine     Field = "machine"
	InResolution  Field = "resolution"
	InExternal    Field = "external"
	InComment     Field = "comment"
	InCause       Field = "cause"
	InWorkaround  Field = "workaround"
)

// Hit is something found.
type Hit struct {
	Kind    Kind
	ID      int64 // 0 for a machine
	Title   []search.Piece
	Snippet []search.Piece // where else the words stand
	In      Field          // of the snippet
	Exact   bool           // the number that was typed

	School int64
	Room   int64
	State  string    // of an incident or a problem
	Count  int       // incidents of a machine or a problem
	At     time.Time // declared, changed
	Person directory.PersonKind
	Note   string // commune and code of a school
}

// Group is the hits of one kind, the best first.
type Group struct {
	Kind Kind
	Hits []Hit
	More bool   // there are others
	Next string // of incidents: where the following ones begin
}

// Answer is what was found.
type Answer struct {
	Groups []Group
	// Short says that the text holds no word to look for in texts: names were
	// looked at only.
	Short bool
}

// Hits counts what the answer shows.
func (a *Answer) Hits() int {
	n := 0
	for _, g := range a.Groups {
		n += len(g.Hits)
	}
	return n
}

// Service finds things.
type Service struct {
	words     *search.Service
	incidents *incident.Service
	places    *directory.Service
	problems  *problem.Service
	articles  *knowledge.Service
	names     names
}

// New makes the service.
func New(words *search.Service, incidents *incident.Service, places *directory.Service, problems *problem.Service, articles *knowledge.Service) *Service {
	return &Service{words: words, incidents: incidents, places: places, problems: problems, articles: articles}
}

// Ask answers a question within what the person may see. A text past the
// limits of search is Invalid.
func (s *Service) Ask(ctx context.Context, by auth.Identity, q Question) (Answer, error) {
	q.Text = strings.TrimSpace(q.Text)
	if utf8.RuneCountInString(q.Text) > search.MaxQuery {
		return Answer{}, fault.InvalidField("q", "error.search.too_long", "max", search.MaxQuery)
	}
	for _, k := range q.Kinds {
		if !slices.Contains(Kinds, k) {
			return Answer{}, fault.InvalidField("kind", "error.field.unknown")
		}
	}
	q.Most = min(max(q.Most, 1), MaxPage)
	if q.Text == "" {
		return Answer{}, nil
	}
	x, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return Answer{}, err
	}
	a := asked{Question: q, by: by, places: x, terms: search.NewTerms(q.Text), tokens: search.Tokens(q.Text)}
	a.number, _ = number(q.Text)
	var answer Answer
	answer.Short = a.terms.Count() == 0
	for _, k := range Kinds {
		if !q.wants(k) || q.After != "" && k != Incident {
			continue
		}
		var g Group
		var err error
		switch k {
		case School, Room, Person:
			g = s.named(&a, k)
		case Machine:
			g, err = s.machines(ctx, &a)
		case Incident:
			g, err = s.found(ctx, &a)
		case Problem:
			g, err = s.causes(ctx, &a)
		case Article:
			g, err = s.advice(ctx, &a)
		}
		if err != nil {
			return Answer{}, err
		}
		if len(g.Hits) > 0 || g.Next != "" {
			g.Kind = k
			answer.Groups = append(answer.Groups, g)
		}
	}
	// The very number that was typed comes before everything.
	for k, g := range answer.Groups {
		if len(g.Hits) > 0 && g.Hits[0].Exact && k > 0 {
			answer.Groups = slices.Insert(slices.Delete(answer.Groups, k, k+1), 0, g)
		}
	}
	return answer, nil
}

// asked is a question made ready.
type asked struct {
	Question

	by     auth.Identity
	places *directory.Index
	terms  search.Terms
	tokens []string
	number int64 // when the text is one
}

// number reads "4812", "#4812", "n° 4812".
func number(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	for _, before := range []string{"#", "n°", "N°", "no ", "nº"} {
		text = strings.TrimSpace(strings.TrimPrefix(text, before))
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

// most cuts a group to what is shown.
func (a *asked) most(hits []Hit) Group {
	if len(hits) > a.Most {
		return Group{Hits: hits[:a.Most], More: true}
	}
	return Group{Hits: hits}
}

func (s *Service) machines(ctx context.Context, a *asked) (Group, error) {
	scope := a.by.Scope()
	if a.School != 0 {
		if !scope.SeesSchool(a.School) {
			return Group{}, nil
		}
		scope = auth.ScopeSchools(a.by.Tenant, a.School)
	}
	found, err := s.words.Machines(ctx, scope, a.Text, a.Most+1)
	if err != nil {
		return Group{}, err
	}
	var hits []Hit
	for _, m := range found {
		hits = append(hits, Hit{Kind: Machine, Title: a.terms.Marked(m.Label), School: m.School, Count: m.Count})
	}
	return a.most(hits), nil
}

func (s *Service) causes(ctx context.Context, a *asked) (Group, error) {
	if !a.by.Can(auth.HandleIncident) || a.School != 0 {
		return Group{}, nil
	}
	all, err := s.problems.List(ctx, a.by)
	if err != nil {
		return Group{}, err
	}
	n, err := strconv.ParseInt(strings.TrimLeft(strings.ToUpper(a.Text), "#P"), 10, 64)
	if err != nil {
		n = 0
	}
	var hits []scored
	for k := range all {
		p := &all[k]
		parts := []part{{p.Title, 8, ""}, {p.Workaround, 3, InWorkaround}, {p.Cause, 3, InCause}, {p.Description, 2, InDescription}}
		score, ok := a.score(parts)
		exact := n != 0 && p.ID == n
		if !ok && !exact {
			continue
		}
		h := Hit{Kind: Problem, ID: p.ID, State: string(p.State), Count: p.Incidents, At: p.UpdatedAt, Exact: exact && a.number == 0}
		a.show(&h, parts)
		if exact {
			score += 100
		}
		if p.State.Active() {
			score++
		}
		hits = append(hits, scored{h, score})
	}
	return a.most(best(hits)), nil
}

func (s *Service) advice(ctx context.Context, a *asked) (Group, error) {
	if a.School != 0 {
		return Group{}, nil
	}
	all, err := s.articles.List(ctx, a.by, knowledge.Filter{})
	if err != nil {
		return Group{}, err
	}
	var hits []scored
	for k := range all {
		x := &all[k]
		title, body := x.In(a.Language)
		parts := []part{{title, 8, ""}, {x.Equipment, 4, InMachine}, {words(body), 2, InDescription}}
		score, ok := a.score(parts)
		if !ok {
			continue
		}
		h := Hit{Kind: Article, ID: x.ID, State: string(x.State), At: x.Updated}
		a.show(&h, parts)
		if x.State == knowledge.Published {
			score++
		}
		hits = append(hits, scored{h, score})
	}
	return a.most(best(hits)), nil
}

// words leaves what is read of a Markdown text.
func words(body string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("#*_`[]<>|", r) {
			return -1
		}
		return r
	}, body)
}

// part is a text of something, what a word found there is worth, and its name
// when a snippet may be taken of it.
type part struct {
	text   string
	weight float64
	field  Field
}

type scored struct {
	Hit

	score float64
}

// best puts the hits with the highest score first; those alike keep their
// order.
func best(hits []scored) []Hit {
	slices.SortStableFunc(hits, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	out := make([]Hit, len(hits))
	for k := range hits {
		out[k] = hits[k].Hit
	}
	return out
}

// score is what the terms found are worth, each where it is worth most; all
// tells whether every term was found.
func (a *asked) score(parts []part) (score float64, all bool) {
	var seen search.Found
	rest := a.terms.All()
	for _, p := range parts { // the weightiest first
		f := a.terms.In(p.text)
		if f == rest && seen == 0 {
			score += p.weight / 2 // all of it together
		}
		score += p.weight * float64((f &^ seen).Count())
		seen |= f
	}
	return score, seen == rest && rest != 0
}

// snippet is how long an excerpt is, in bytes.
const snippet = 150

// show fills the title of a hit and the excerpt that says most beside it.
func (a *asked) show(h *Hit, parts []part) {
	h.Title = a.terms.Marked(parts[0].text)
	missing := a.terms.All() &^ a.terms.In(parts[0].text)
	most := 0
	for _, p := range parts[1:] {
		if p.field == "" {
			continue
		}
		f := a.terms.In(p.text)
		if n := 2*(f&missing).Count() + f.Count(); n > most {
			most, h.In = n, p.field
			h.Snippet = a.terms.Snippet(p.text, snippet)
		}
	}
}
