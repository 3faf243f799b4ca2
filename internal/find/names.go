package find

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/search"
)

// names are the words of what has a name, by tenant, made anew when the
// directory changes.
type names struct {
	mu   sync.Mutex
	kept map[int64]*register
}

// entry is something that has a name.
type entry struct {
	kind   Kind
	id     int64
	school int64
	own    []string // words of its name
	around []string // words of its school
}

type register struct {
	of      *directory.Index
	entries []entry
	words   []spot // sorted
}

// spot is a word of an entry's own name.
type spot struct {
	word  string
	entry int32
}

func (n *names) register(tenant int64, x *directory.Index) *register {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.kept[tenant]; r != nil && r.of == x {
		return r
	}
	r := &register{of: x}
	add := func(e entry) {
		for _, w := range e.own {
			r.words = append(r.words, spot{w, int32(len(r.entries))})
		}
		r.entries = append(r.entries, e)
	}
	for _, s := range x.Schools() {
		around := search.Tokens(s.Name + " " + s.Commune)
		add(entry{School, s.ID, s.ID, append(search.Tokens(s.UAI), around...), nil})
		for _, room := range x.Rooms(s.ID) {
			if !room.Archived {
				add(entry{Room, room.ID, s.ID, search.Tokens(room.Name), around})
			}
		}
		for _, p := range x.PeopleOf(s.ID) {
			add(entry{Person, p.ID, s.ID, search.Tokens(p.Name), around})
		}
	}
	for _, p := range x.PeopleOf(0) {
		add(entry{Person, p.ID, 0, search.Tokens(p.Name), nil})
	}
	slices.SortFunc(r.words, func(a, b spot) int { return cmp.Or(strings.Compare(a.word, b.word), cmp.Compare(a.entry, b.entry)) })
	if n.kept == nil {
		n.kept = map[int64]*register{}
	}
	n.kept[tenant] = r
	return r
}

// enough bounds how many names one answer compares.
const enough = 3000

// named finds schools, rooms or people by the beginnings of the words of their
// names: each word typed must begin one of the name or of its school's, and one
// at least of the name itself.
func (s *Service) named(a *asked, kind Kind) Group {
	scope := a.by.Scope()
	switch {
	case len(a.tokens) == 0:
		return Group{}
	case kind == Person && !a.by.Can(auth.HandleIncident), kind != Person && !a.by.Can(auth.ViewStatistics):
		return Group{}
	}
	r := s.names.register(a.by.Tenant, a.places)
	seen := map[int32]bool{}
	var hits []scored
	for _, token := range a.tokens {
		from, _ := slices.BinarySearchFunc(r.words, token, func(x spot, w string) int { return strings.Compare(x.word, w) })
		for _, x := range r.words[from:] {
			if !strings.HasPrefix(x.word, token) || len(seen) >= enough {
				break
			}
			e := &r.entries[x.entry]
			if e.kind != kind || seen[x.entry] {
				continue
			}
			seen[x.entry] = true
			if a.School != 0 && e.school != a.School || kind != Person && !scope.SeesSchool(e.school) {
				continue
			}
			if score, ok := e.answers(a.tokens); ok {
				hits = append(hits, scored{s.name(a, e), score})
			}
		}
	}
	// In the directory's order where they are alike.
	slices.SortFunc(hits, func(x, y scored) int {
		return cmp.Or(cmp.Compare(y.score, x.score), strings.Compare(search.Plain(x.Title), search.Plain(y.Title)), cmp.Compare(x.ID, y.ID))
	})
	return a.most(best(hits))
}

// answers tells whether each token begins a word, and how well: whole words and
// words of the name itself say more.
func (e *entry) answers(tokens []string) (score float64, ok bool) {
	for _, t := range tokens {
		worth := 0.0
		for _, w := range e.own {
			switch {
			case w == t:
				worth = max(worth, 4)
			case strings.HasPrefix(w, t):
				worth = max(worth, 2)
			}
		}
		for _, w := range e.around {
			if strings.HasPrefix(w, t) {
				worth = max(worth, 1)
			}
		}
		if worth == 0 {
			return 0, false
		}
		score += worth
	}
	return score, true
}

func (s *Service) name(a *asked, e *entry) Hit {
	h := Hit{Kind: e.kind, ID: e.id, School: e.school}
	name := ""
	switch e.kind {
	case School:
		school, _ := a.places.School(e.id)
		name, h.Note = school.Name, strings.TrimPrefix(school.Commune+" · "+school.UAI, " · ")
	case Room:
		name = a.places.RoomName(e.id)
		h.Room = e.id
	case Person:
		p, _ := a.places.Person(e.id)
		name, h.Person = p.Name, p.Kind
	}
	h.Title = begun(name, a.tokens)
	return h
}

// begun marks the words of a name that begin with one typed.
func begun(name string, tokens []string) []search.Piece {
	var pieces []search.Piece
	add := func(text string, mark bool) {
		if text != "" {
			pieces = append(pieces, search.Piece{Text: text, Mark: mark})
		}
	}
	rest := name
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return r == ' ' || r == '-' || r == '\'' || r == '’' })
		word, after := rest, ""
		if n >= 0 {
			word, after = rest[:n], rest[n:]
		}
		folded := strings.Join(search.Tokens(word), "")
		add(word, folded != "" && slices.ContainsFunc(tokens, func(t string) bool { return strings.HasPrefix(folded, t) }))
		size := 0
		for _, r := range after {
			size = len(string(r))
			break
		}
		add(after[:size], false)
		rest = after[size:]
	}
	return pieces
}

// inner tells whether the words of the unit among itself are looked at.
func (a *asked) inner() bool { return a.by.Can(auth.HandleIncident) }
