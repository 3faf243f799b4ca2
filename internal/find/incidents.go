package find

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/search"
)

// place is where a page of incidents begins. Incidents are taken newest first,
// a window at a time, and within a window the best answers come first: the
// work is bounded however frequent the words are.
type place struct {
	below int64 // the window is of the incidents numbered lower; 0 all
	skip  int   // of the window, already shown
}

func (p place) String() string {
	return strconv.FormatInt(p.below, 10) + "." + strconv.Itoa(p.skip)
}

func parsePlace(s string) (place, error) {
	if s == "" {
		return place{}, nil
	}
	a, b, _ := strings.Cut(s, ".")
	below, err := strconv.ParseInt(a, 10, 64)
	skip, err2 := strconv.Atoi(b)
	if err != nil || err2 != nil || below < 0 || skip < 0 || skip > window {
		return place{}, fault.InvalidField("after", "error.field.unknown")
	}
	return place{below, skip}, nil
}

// found gives a page of incidents.
func (s *Service) found(ctx context.Context, a *asked) (Group, error) {
	at, err := parsePlace(a.After)
	if err != nil {
		return Group{}, err
	}
	var g Group
	if a.number != 0 && a.After == "" {
		i, err := s.incidents.Get(ctx, a.by.Scope(), a.number)
		switch {
		case fault.Is(err, fault.NotFound):
		case err != nil:
			return Group{}, err
		case a.keeps(&i):
			h := s.hit(a, &i)
			h.Exact = true
			g.Hits = append(g.Hits, h)
		}
	}
	kept, next, err := s.window(ctx, a, &at)
	if err != nil {
		return Group{}, err
	}
	hits := make([]scored, len(kept))
	for k := range kept {
		i := &kept[k]
		score, _ := a.score(s.parts(a, i, nil))
		if i.State.Open() {
			score += 1.5
		}
		hits[k] = scored{Hit{ID: i.ID}, score}
	}
	ranked := best(hits)
	if a.number != 0 { // it came first
		ranked = slices.DeleteFunc(ranked, func(h Hit) bool { return h.ID == a.number })
	}
	ranked = ranked[min(at.skip, len(ranked)):]
	most := max(0, a.Most-len(g.Hits))
	switch {
	case len(ranked) > most:
		ranked = ranked[:most]
		g.Next = place{at.below, at.skip + most}.String()
	case next != 0:
		g.Next = place{next, 0}.String()
	}
	g.More = g.Next != ""
	if len(ranked) == 0 {
		return g, nil
	}
	ids := make([]int64, len(ranked))
	byID := make(map[int64]*incident.Incident, len(kept))
	for k := range kept {
		byID[kept[k].ID] = &kept[k]
	}
	for k, h := range ranked {
		ids[k] = h.ID
	}
	// Comments are read where the rest does not hold every word.
	var quiet []int64
	for _, id := range ids {
		if _, all := a.score(s.parts(a, byID[id], nil)); !all {
			quiet = append(quiet, id)
		}
	}
	said := map[int64][]string{}
	if len(quiet) > 0 {
		if said, err = s.incidents.Says(ctx, a.by, quiet); err != nil {
			return Group{}, err
		}
	}
	for _, id := range ids {
		h := s.hit(a, byID[id], said[id]...)
		g.Hits = append(g.Hits, h)
	}
	return g, nil
}

// window reads the incidents of a window and gives where the next one begins, 0
// if there is none. at.below is made sure, so that what is declared meanwhile
// does not move the window.
func (s *Service) window(ctx context.Context, a *asked, at *place) (kept []incident.Incident, next int64, err error) {
	ask := search.Ask{Text: a.Text, Scope: a.by.Scope(), Inner: a.inner(), In: a.School, Below: at.below, Limit: window + 1}
	if a.filtered() {
		ask.Limit = look + 1
	}
	ids, err := s.words.Newest(ctx, ask)
	if err != nil {
		return nil, 0, fmt.Errorf("find: %w", err)
	}
	if len(ids) == ask.Limit {
		ids = ids[:ask.Limit-1]
		next = ids[len(ids)-1]
	}
	if len(ids) > 0 && at.below == 0 {
		at.below = ids[0] + 1
	}
	for part := range slices.Chunk(ids, window) {
		some, err := s.incidents.Many(ctx, a.by.Scope(), part)
		if err != nil {
			return nil, 0, err
		}
		for _, i := range some {
			if !a.keeps(&i) {
				continue
			}
			if len(kept) == window {
				return kept, kept[len(kept)-1].ID, nil
			}
			kept = append(kept, i)
		}
	}
	return kept, next, nil
}

// keeps tells whether the filters keep an incident.
func (a *asked) keeps(i *incident.Incident) bool {
	return (len(a.States) == 0 || slices.Contains(a.States, i.State)) && (a.School == 0 || i.School == a.School) &&
		(a.From.IsZero() || !i.OpenedAt.Before(a.From)) && (a.To.IsZero() || i.OpenedAt.Before(a.To))
}

// parts are the texts of an incident, the weightiest first.
func (s *Service) parts(a *asked, i *incident.Incident, said []string) []part {
	parts := []part{
		{i.Title, 8, ""}, {i.Machine, 8, InMachine}, {strconv.FormatInt(i.ID, 10), 8, ""}, {i.ExternalID, 8, InExternal},
		{a.places.RoomName(i.Room), 4, ""}, {a.place(i.School), 4, ""}, {i.Description, 3, InDescription}, {i.Resolution, 2, InResolution},
	}
	for _, c := range said {
		parts = append(parts, part{c, 1, InComment})
	}
	return parts
}

func (a *asked) place(school int64) string {
	s, _ := a.places.School(school)
	return s.Name + " " + s.Commune
}

func (s *Service) hit(a *asked, i *incident.Incident, said ...string) Hit {
	h := Hit{Kind: Incident, ID: i.ID, School: i.School, Room: i.Room, State: string(i.State), At: i.OpenedAt}
	a.show(&h, s.parts(a, i, said))
	return h
}
