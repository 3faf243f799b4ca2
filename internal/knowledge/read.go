package knowledge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/journal"
	"statincidents/internal/search"
	"statincidents/internal/sqldb"
)

// shelf is a tenant's articles in memory, at one version, with the words by
// which they are found. It never changes.
type shelf struct {
	all   []Article // the last changed first
	byID  map[int64]int
	words []map[string]float64 // by article: weight of each stem
	has   map[string]int       // how many articles have a stem
}

// A word of the title says more than one of the body.
const (
	titleWeight = 3
	bodyWeight  = 1
)

func load(ctx context.Context, tx *sqldb.Tx, tenant, _ int64) (*shelf, error) {
	all, err := articles(ctx, tx, tenant, 0)
	if err != nil {
		return nil, err
	}
	counts, err := uses(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Article) int { return b.Updated.Compare(a.Updated) })
	x := &shelf{all: all, byID: make(map[int64]int, len(all)), has: map[string]int{}}
	for k := range all {
		a := &all[k]
		a.Uses = counts[a.ID]
		x.byID[a.ID] = k
		words := map[string]float64{}
		for _, text := range []string{a.Title, a.TitleEN, a.Equipment} {
			for _, w := range search.Words(text, 200) {
				words[w.Stem] = titleWeight
			}
		}
		for _, text := range []string{a.Body, a.BodyEN} {
			for _, w := range search.Words(text, 4000) {
				if words[w.Stem] == 0 {
					words[w.Stem] = bodyWeight
				}
			}
		}
		for stem := range words {
			x.has[stem]++
		}
		x.words = append(x.words, words)
	}
	return x, nil
}

// Get reads an article; NotFound when it does not exist or is not for the
// person.
func (s *Service) Get(ctx context.Context, by auth.Identity, id int64) (Article, error) {
	x, err := s.shelf.Get(ctx, by.Tenant)
	if err != nil {
		return Article{}, err
	}
	k, ok := x.byID[id]
	if !ok || !x.all[k].visible(by) {
		return Article{}, notFound()
	}
	return x.all[k], nil
}

// Filter limits a list of articles; zero values limit nothing.
type Filter struct {
	Text      string
	State     State
	Audience  Audience
	Category  int64     // itself or one below it
	ReviewDue time.Time // those to be read again by then
}

// List gives the articles that a person may read: by how well they answer a
// text, or the last changed first.
func (s *Service) List(ctx context.Context, by auth.Identity, f Filter) ([]Article, error) {
	x, err := s.shelf.Get(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	asked := search.Words(f.Text, 30)
	scores := map[int64]float64{}
	var out []Article
	for k := range x.all {
		a := &x.all[k]
		switch {
		case !a.visible(by), f.State != "" && a.State != f.State, f.Audience != "" && a.Audience != f.Audience,
			f.Category != 0 && !slices.Contains(words.Path(a.Category), f.Category),
			!f.ReviewDue.IsZero() && (a.Review == 0 || a.Review.Time().After(f.ReviewDue)):
			continue
		}
		if len(asked) > 0 {
			score, found := x.score(k, asked)
			if found == 0 {
				continue
			}
			scores[a.ID] = score
		}
		out = append(out, *a)
	}
	slices.SortStableFunc(out, func(a, b Article) int { return cmp.Compare(scores[b.ID], scores[a.ID]) })
	return out, nil
}

// fewest is for how many articles a small shelf counts: how rare a word is
// cannot be told from three articles.
const fewest = 30

// score is how well an article answers words: what each that it has tells,
// more in the title; and how many it has.
func (x *shelf) score(k int, asked []search.Word) (score float64, found int) {
	seen := map[string]bool{}
	for _, w := range asked {
		if weight := x.words[k][w.Stem]; weight > 0 && !seen[w.Stem] {
			seen[w.Stem] = true
			n, df := float64(max(len(x.all), fewest)), float64(x.has[w.Stem])
			score += weight * math.Log(1+(n-df+0.5)/(df+0.5))
			found++
		}
	}
	return score, found
}

// MaxProposals is how many articles are proposed at most.
const MaxProposals = 3

// everywhere are words that any report may hold: they are no reason to propose.
var everywhere = map[string]bool{"salle": true, "salles": true, "college": true, "classe": true, "cours": true, "eleves": true, "eleve": true, "matin": true, "probleme": true, "panne": true, "marche": true, "fonctionne": true, "room": true, "school": true}

// likelyEnough is the score under which an article is not proposed: a rare
// word of its title, or several of its body.
const likelyEnough = 4

// Propose gives the published articles that may help with what someone writes
// (the text of a declaration, an incident's title and description), of a
// category or of any (0), the most likely first: none rather than noise. Those
// for technicians are given to those who handle incidents only.
func (s *Service) Propose(ctx context.Context, by auth.Identity, text string, category int64) ([]Article, error) {
	x, err := s.shelf.Get(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	asked := slices.DeleteFunc(search.Words(text, 60), func(w search.Word) bool { return !search.Says(w.Folded) || everywhere[w.Folded] })
	type likely struct {
		k     int
		score float64
	}
	var found []likely
	for k := range x.all {
		a := &x.all[k]
		if a.State != Published || !a.visible(by) {
			continue
		}
		score, n := x.score(k, asked)
		switch near := nearness(words, a.Category, category); {
		case n == 0 && near < 2:
			continue
		case near > 0:
			score += 2 * float64(near)
		case a.Category != 0 && category != 0:
			score /= 2 // of another kind of trouble
		}
		if score >= likelyEnough {
			found = append(found, likely{k, score + math.Log1p(float64(a.Uses.Helped+a.Uses.Avoided+a.Uses.Applied))/4})
		}
	}
	slices.SortStableFunc(found, func(a, b likely) int { return cmp.Compare(b.score, a.score) })
	var out []Article
	for _, f := range found[:min(len(found), MaxProposals)] {
		if f.score >= found[0].score/2 {
			out = append(out, x.all[f.k])
		}
	}
	return out, nil
}

// nearness is how many levels of the tree two categories share.
func nearness(words *catalog.Index, a, b int64) int {
	p, q := words.Path(a), words.Path(b)
	n := 0
	for n < len(p) && n < len(q) && p[n] == q[n] {
		n++
	}
	return n
}

// Edition is an article as it stood after one of its changes.
type Edition struct {
	Article

	Kind  string
	Actor journal.Actor
}

// Versions tells an article's history to those who write, the last change
// first.
func (s *Service) Versions(ctx context.Context, by auth.Identity, id int64) ([]Edition, error) {
	if err := by.Require(auth.EditKnowledge); err != nil {
		return nil, err
	}
	var events []journal.Event
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		events, err = journal.Of(ctx, tx, by.Tenant, journal.Subject{Kind: Subject, ID: id})
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []Edition
	for k := range events {
		e := &events[k]
		if e.Kind == EventUsed || e.Kind == EventUnused {
			continue
		}
		edition := Edition{Kind: e.Kind, Actor: e.Actor}
		if err := json.Unmarshal(e.Data, &edition.Article); err != nil {
			return nil, fmt.Errorf("knowledge: article %d, event %s: %w", id, e.Pos, err)
		}
		all = append(all, edition)
	}
	if len(all) == 0 {
		return nil, notFound()
	}
	slices.Reverse(all)
	return all, nil
}
