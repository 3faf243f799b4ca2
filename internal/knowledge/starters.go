package knowledge

import (
	"context"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

//go:embed starters.toml
var startersTOML string

// Starter is an article that a new département is offered.
type Starter struct {
	Key       string
	Audience  Audience
	Category  []string // path in the default catalogue
	Equipment string
	Title     string
	TitleEN   string `toml:"title_en"`
	Body      string
	BodyEN    string `toml:"body_en"`
}

var readStarters = sync.OnceValue(func() []Starter {
	var file struct{ Article []Starter }
	if _, err := toml.Decode(startersTOML, &file); err != nil {
		panic("knowledge: starters.toml: " + err.Error())
	}
	return file.Article
})

// Starters lists the articles offered, those for declarants first.
func Starters() []Starter { return slices.Clone(readStarters()) }

// reviewAfter is when a new article should be read again.
const reviewAfter = 365

// AddStarters publishes the starting articles that the département does not
// have yet (whatever became of those it has), and tells how many that was.
func (s *Service) AddStarters(ctx context.Context, by auth.Identity) (int, error) {
	if err := by.Require(auth.EditKnowledge); err != nil {
		return 0, err
	}
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return 0, err
	}
	now := sqldb.Now()
	added := 0
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]journal.Event, error) {
		have, err := articles(ctx, tx, by.Tenant, 0)
		if err != nil {
			return nil, err
		}
		var all []Article
		for _, st := range readStarters() {
			if slices.ContainsFunc(have, func(a Article) bool { return a.Starter == st.Key }) {
				continue
			}
			a := Article{
				Version: 1, Audience: st.Audience, State: Published, Title: st.Title, TitleEN: st.TitleEN, Body: strings.TrimSpace(st.Body), BodyEN: strings.TrimSpace(st.BodyEN),
				Equipment: st.Equipment, Starter: st.Key, Review: calendar.Day(now.Unix()/86_400) + reviewAfter, Created: now, Updated: now, Published: now,
			}
			if c, ok := words.CategoryByPath(st.Category...); ok {
				a.Category = c.ID
			}
			if a.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
				return nil, err
			}
			all = append(all, a)
		}
		added = len(all)
		if added == 0 {
			return nil, nil
		}
		if err := room(ctx, tx, by.Tenant, added); err != nil {
			return nil, err
		}
		return events(by, EventWritten, now, all...)
	})
	return added, err
}

// Missing counts the starting articles that a département does not have.
func (s *Service) Missing(ctx context.Context, tenant int64) (int, error) {
	x, err := s.shelf.Get(ctx, tenant)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, st := range readStarters() {
		if !slices.ContainsFunc(x.all, func(a Article) bool { return a.Starter == st.Key }) {
			n++
		}
	}
	return n, nil
}

// FromResolution drafts an article from what solved an incident: title,
// symptom, cause and steps, to be completed by whoever writes it. Headings are
// the words of the sections in the reader's language.
func FromResolution(title, symptom, cause, steps string, headings [3]string) (string, string) {
	var b strings.Builder
	for k, text := range []string{symptom, cause, steps} {
		b.WriteString("## " + headings[k] + "\n\n")
		if text = lines(text); text != "" {
			b.WriteString(text + "\n\n")
		} else {
			b.WriteString("…\n\n")
		}
	}
	letters := []rune(line(title))
	return string(letters[:min(len(letters), MaxTitle)]), strings.TrimSpace(b.String())
}
