package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Mentionable lists the persons that a comment of an incident may call: the
// unit, and unless the comment is for the unit only, the people of the school
// and those whom the incident concerns.
func Mentionable(places *directory.Index, i *Incident, internal bool) []directory.Person {
	people := slices.Clone(places.Technicians())
	if internal {
		return people
	}
	add := func(id int64) {
		if p, ok := places.Person(id); ok && !slices.Contains(people, p) {
			people = append(people, p)
		}
	}
	for _, p := range places.PeopleOf(i.School) {
		if p.Kind == directory.ITReferent || p.Kind == directory.Administrative {
			add(p.ID)
		}
	}
	add(i.Declarant)
	for _, id := range i.Affected.People() {
		add(id)
	}
	return people
}

// Mentioned finds the persons whom a text calls by "@name", among some: by the
// whole name, the name without what is before it (M., Mme), turned around, or
// its last word when only one of them has it. Accents and case do not matter;
// the longest name wins; two people of one name are both called.
func Mentioned(text string, people []directory.Person) []int64 {
	if !strings.Contains(text, "@") || len(people) == 0 {
		return nil
	}
	calls := map[string][]int64{}
	for _, p := range people {
		for _, form := range callNames(p.Name) {
			if !slices.Contains(calls[form], p.ID) {
				calls[form] = append(calls[form], p.ID)
			}
		}
	}
	last := map[string][]int64{}
	for _, p := range people {
		words := strings.Fields(bare(p.Name))
		if len(words) > 1 {
			w := words[len(words)-1]
			last[w] = append(last[w], p.ID)
		}
	}
	for w, ids := range last {
		if len(ids) == 1 && calls[w] == nil {
			calls[w] = ids
		}
	}
	var found []int64
	folded := bare(text)
	for at, r := range folded {
		if r != '@' {
			continue
		}
		if before := []rune(folded[:at]); len(before) > 0 && (unicode.IsLetter(before[len(before)-1]) || unicode.IsDigit(before[len(before)-1])) {
			continue // an e-mail address
		}
		rest := folded[at+1:]
		best := ""
		for name := range calls {
			if len(name) > len(best) && strings.HasPrefix(rest, name) && ends(rest[len(name):]) {
				best = name
			}
		}
		for _, id := range calls[best] {
			if !slices.Contains(found, id) && len(found) < MaxMentions {
				found = append(found, id)
			}
		}
	}
	return found
}

// ends tells whether no letter or digit goes on after a name.
func ends(rest string) bool {
	rest = strings.TrimLeft(rest, "-'’") // Jean is not Jean-Luc
	for _, r := range rest {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}
	return true
}

// callNames are the folded forms by which a person may be called.
func callNames(name string) []string {
	name = strings.Join(strings.Fields(bare(name)), " ")
	if name == "" {
		return nil
	}
	forms := []string{name}
	words := strings.Fields(name)
	if len(words) > 1 && slices.Contains([]string{"m", "m.", "mme", "mlle", "mr", "mrs", "dr"}, words[0]) {
		words = words[1:]
		forms = append(forms, strings.Join(words, " "))
	}
	if len(words) > 1 {
		forms = append(forms, strings.Join(append(slices.Clone(words[1:]), words[0]), " "))
	}
	return forms
}

// bare folds accents and case away and makes every space one.
func bare(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// called completes the persons that a comment calls with those it names.
func (c *checker) called(i *Incident, comment string, internal bool, given []int64) []int64 {
	people := Mentionable(c.places, i, internal)
	all := slices.Clone(given)
	for _, id := range Mentioned(comment, people) {
		if !slices.Contains(all, id) && len(all) < MaxMentions {
			all = append(all, id)
		}
	}
	// Whom nobody may call (the comment is not for them) is left out.
	return slices.DeleteFunc(all, func(id int64) bool {
		return !slices.ContainsFunc(people, func(p directory.Person) bool { return p.ID == id })
	})
}

// saveMentions writes down whom an event of an incident calls.
func saveMentions(ctx context.Context, tx *sqldb.Tx, tenant, incident, version int64, at time.Time, people []int64) error {
	rows := make([][]any, 0, len(people))
	for _, person := range people {
		rows = append(rows, []any{tenant, person, incident, version, sqldb.Millis(at)})
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.Insert(ctx, "incident_mention", []string{"tenant_id", "person_id", "incident_id", "version", "at"}, rows, "")
}

// Mention is a comment that calls somebody.
type Mention struct {
	Incident Incident
	Entry    Entry
}

// MaxMentioned is how many mentions are shown of one person, the latest first.
const MaxMentioned = 100

// Mentions lists the comments that call the person of an account, latest
// first, of incidents that they see.
func (s *Service) Mentions(ctx context.Context, by auth.Identity) ([]Mention, error) {
	if by.Person == 0 {
		return nil, nil
	}
	type place struct{ incident, version int64 }
	var order []place
	var events []journal.Event
	var found map[int64]*Incident
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		order = nil
		rows, err := tx.Query(ctx, `SELECT incident_id, version FROM incident_mention WHERE tenant_id = $1 AND person_id = $2 ORDER BY at DESC, incident_id DESC, version DESC LIMIT $3`, by.Tenant, by.Person, MaxMentioned)
		if err != nil {
			return err
		}
		defer rows.Close()
		var ids []int64
		for rows.Next() {
			var p place
			if err := rows.Scan(&p.incident, &p.version); err != nil {
				return err
			}
			order = append(order, p)
			if !slices.Contains(ids, p.incident) {
				ids = append(ids, p.incident)
			}
		}
		if err := rows.Err(); err != nil || len(ids) == 0 {
			return err
		}
		if found, err = load(ctx, tx, by.Tenant, ids); err != nil {
			return err
		}
		events, err = journal.OfMany(ctx, tx, by.Tenant, Subject, ids)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("incident: mentions: %w", err)
	}
	told := map[place]Entry{}
	count := map[int64]int64{}
	for k := range events {
		e := &events[k]
		count[e.Subject.ID]++
		at := place{e.Subject.ID, count[e.Subject.ID]}
		if !slices.Contains(order, at) {
			continue
		}
		entry, err := tell(*e)
		if err != nil {
			return nil, err
		}
		told[at] = entry
	}
	var all []Mention
	for _, p := range order {
		i := found[p.incident]
		entry, ok := told[p]
		if i == nil || !ok || !i.SeenBy(by.Scope()) || entry.Internal && !by.Can(auth.HandleIncident) {
			continue
		}
		all = append(all, Mention{*i, entry})
	}
	return all, nil
}

// mentions are the persons whom an event calls.
func mentions(e *journal.Event) ([]int64, error) {
	if !strings.Contains(string(e.Data), `"mentions"`) {
		return nil, nil
	}
	var p Payload
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return nil, fmt.Errorf("incident %d: event %s: %w", e.Subject.ID, e.Pos, err)
	}
	return p.Mentions, nil
}
