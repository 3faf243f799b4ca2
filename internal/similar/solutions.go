package similar

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mathext"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

const (
	// HeldDays is for how many open days of the school a repair must hold: no
	// reopening, and no other incident of the same kind on the same machine
	// (in the same room where no machine was named).
	HeldDays = 20
	// MaxSolutions is how many solutions are shown, MaxBehind how many of the
	// incidents that one rests on, MaxAlike how many incidents like one.
	MaxSolutions, MaxBehind, MaxAlike = 3, 12, 5
	// Sparse is under how many similar resolved incidents nothing is said: two
	// cases are an anecdote.
	Sparse = 3
	// ease is how many of a technician's cases weigh as much as everybody's in
	// what is expected of their repairs.
	ease = 10
)

// Solution is what was done on incidents like one, and how often it held.
type Solution struct {
	Code, Cause int64
	Words       string // what was done, in the words of the incident most alike; may be empty
	Key         string // names it, within its code and cause, in Refuse and Applied

	Uses   int // that can be judged
	Held   int // of them
	Recent int // uses too recent to be judged
	// Least is the proportion that it holds at least, with 95 % confidence.
	Least   float64
	Minutes int       // median open minutes from declaration to resolution
	Last    time.Time // when it was last used
	// OneTechnician says that one person made all its uses: their ease and the
	// solution's cannot be told apart.
	OneTechnician bool
	// Common says that several schools read these very words: they name nobody,
	// and may be said again on another incident.
	Common    bool
	Refused   int     // how often it was set aside on incidents of this type
	Rests     int     // on how many incidents
	Incidents []int64 // those, the most alike first, up to MaxBehind
	Score     float64 // what it is ranked by
}

// Alike is a resolved incident like another.
type Alike struct {
	Incident int64
	Likeness float64 // from 0 to 1
}

// Suggestions is what is known that may help with an incident.
type Suggestions struct {
	Ready     bool // false while the memory is being made
	Looked    int  // resolved incidents that are like it
	Alike     []Alike
	Solutions []Solution // the best first; none under Sparse
	SetAside  []Solution // refused on this incident
}

// Solutions gives what worked on incidents like one, in the scope of whoever
// asks. It is NotFound when the incident is out of it.
//
// Likeness is half words (BM25), half attributes, and fades over a year. Of
// the most alike, the resolutions are grouped by code, cause and words. A
// group ranks by its likeness, by how often it holds at least (Beta posterior,
// lower 5 %), and by how fast it is. What a technician's repairs hold in these
// cases, whatever the solution, is expected of each of their uses: a solution
// is not better because those who use it take the easy cases.
func (s *Service) Solutions(ctx context.Context, by auth.Identity, i incident.Incident) (Suggestions, error) {
	if by.Tenant == 0 || !i.SeenBy(by.Scope()) {
		return Suggestions{}, fault.New(fault.NotFound, "error.incident.not_found")
	}
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return Suggestions{}, fmt.Errorf("similar: directory: %w", err)
	}
	aside, err := s.Verdicts(ctx, by, i)
	if err != nil {
		return Suggestions{}, err
	}
	var out Suggestions
	t := s.tenant(by.Tenant)
	t.mu.RLock()
	out.Ready = t.m != nil
	t.mu.RUnlock()
	err = s.use(ctx, by.Tenant, func(m *memory) error {
		looked := m.suggest(&i, by.Scope(), places, seconds(s.now()), aside)
		looked.Ready = out.Ready
		out = looked
		return nil
	})
	if err != nil {
		return Suggestions{}, err
	}
	return out, s.word(ctx, by, &out)
}

// word gives each solution its words: those of the incident most alike.
func (s *Service) word(ctx context.Context, by auth.Identity, out *Suggestions) error {
	var ids []int64
	for _, list := range [][]Solution{out.Solutions, out.SetAside} {
		for k := range list {
			ids = append(ids, list[k].Incidents...)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := s.texts(ctx, by.Scope(), ids)
	if err != nil {
		return err
	}
	for _, list := range [][]Solution{out.Solutions, out.SetAside} {
		for k := range list {
			for _, id := range list[k].Incidents {
				if i, ok := found[id]; ok && i.Resolution != "" && i.ResolutionCode == list[k].Code && i.CauseCode == list[k].Cause {
					list[k].Words = i.Resolution
					break
				}
			}
		}
	}
	return nil
}

// use is one time that something was done.
type use struct {
	neighbour
	code, cause, by uint32
	words           []count
	verdict         verdict
	minutes         int
}

type verdict uint8

const (
	held verdict = iota
	failed
	tooRecent
)

// group is the uses of one solution.
type group struct {
	resolution resolution
	words      []count // of the use most alike
	uses       []use
}

type resolution struct{ code, cause uint32 }

// suggest is Solutions on a memory.
func (m *memory) suggest(i *incident.Incident, scope auth.Scope, places *directory.Index, now uint32, aside []Verdict) Suggestions {
	q, text := m.question(i)
	near := m.near(&q, text, scope, now)
	out := Suggestions{Ready: true, Looked: len(near)}
	for _, n := range near[:min(len(near), MaxAlike)] {
		out.Alike = append(out.Alike, Alike{m.records[n.at].id, n.like})
	}
	if len(near) < Sparse {
		return out
	}
	var late []Solution
	for _, s := range m.ranked(near, places, now, q.category) {
		switch {
		case slices.ContainsFunc(aside, func(v Verdict) bool { return v.Refused && m.sameAs(&v, &s) }):
			if len(out.SetAside) < MaxSolutions {
				out.SetAside = append(out.SetAside, s.Solution)
			}
		case repeats(out.Solutions, &s) >= maxSameCode:
			late = append(late, s.Solution)
		case len(out.Solutions) < MaxSolutions:
			out.Solutions = append(out.Solutions, s.Solution)
		}
	}
	out.Solutions = append(out.Solutions, late[:min(len(late), MaxSolutions-len(out.Solutions))]...)
	return out
}

// maxSameCode is how many of the solutions shown may have the same code and
// cause, as long as there are others: the third way to plug a cable in again
// says less than what else was done.
const maxSameCode = 2

func repeats(shown []Solution, s *rankedSolution) int {
	n := 0
	for k := range shown {
		if shown[k].Code == s.Code && shown[k].Cause == s.Cause {
			n++
		}
	}
	return n
}

// ranked groups and ranks what was done on the neighbours.
func (m *memory) ranked(near []neighbour, places *directory.Index, now, category uint32) []rankedSolution {
	uses := m.uses(near, places, now)
	return m.rank(gather(uses), uses, category)
}

// uses lists what was done on the neighbours, and judges whether it held.
func (m *memory) uses(near []neighbour, places *directory.Index, now uint32) []use {
	var all []use
	for _, n := range near {
		r := &m.records[n.at]
		for _, a := range r.attempts {
			if a.code != 0 {
				all = append(all, use{n, a.code, a.cause, a.assignee, m.terms(a.solution), failed, 0})
			}
		}
		cal := places.Calendar(int64(r.school))
		u := use{n, r.code, r.cause, r.assignee, m.terms(r.solution), m.judge(r, cal, now), 0}
		if r.opened != 0 && r.resolved > r.opened {
			u.minutes = cal.OpenMinutes(instant(r.opened), instant(r.resolved))
		}
		all = append(all, u)
	}
	return all
}

// judge tells whether a repair held, as far as can be known now.
func (m *memory) judge(r *record, cal *calendar.Calendar, now uint32) verdict {
	end := openDaysAfter(cal, cal.Day(instant(r.resolved)), HeldDays)
	until := seconds((end + 1).Start(cal.Location()))
	for _, t := range r.things() {
		for _, at := range m.things[t] {
			o := &m.records[at]
			if o.id != r.id && o.opened > r.resolved && o.opened < until && o.opened <= now && m.sameTop(o.category, r.category) {
				return failed
			}
		}
	}
	if until > now {
		return tooRecent
	}
	return held
}

// sameTop tells whether two categories are of the same branch.
func (m *memory) sameTop(a, b uint32) bool {
	if a == b {
		return true
	}
	p, q := m.model.catalogue.Path(int64(a)), m.model.catalogue.Path(int64(b))
	return len(p) > 0 && len(q) > 0 && p[0] == q[0]
}

// openDaysAfter is the day by which a school has had n open days after one; a
// calendar without open days ends it after a year.
func openDaysAfter(cal *calendar.Calendar, day calendar.Day, n int) calendar.Day {
	for end := day + 366; n > 0 && day < end; {
		day++
		if cal.Kind(day) == calendar.OpenDay {
			n--
		}
	}
	return day
}

// gather groups uses by code, cause and words; the first use of a group is the
// most alike, and gives it its words.
func gather(uses []use) []*group {
	var all []*group
	for k := range uses {
		u := &uses[k]
		r := resolution{u.code, u.cause}
		at := slices.IndexFunc(all, func(g *group) bool { return g.resolution == r && sameWords(g.words, u.words) })
		if at < 0 {
			at = len(all)
			all = append(all, &group{resolution: r, words: u.words})
		}
		all[at].uses = append(all[at].uses, *u)
	}
	return all
}

// sameWords tells whether two texts say the same was done: most words of the
// shorter are in the longer.
func sameWords(a, b []count) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return len(b) == 0
	}
	both, k := 0, 0
	for _, c := range a {
		for k < len(b) && b[k].term < c.term {
			k++
		}
		if k < len(b) && b[k].term == c.term {
			both++
		}
	}
	return float64(both) >= 0.6*float64(len(a))
}

type rankedSolution struct {
	Solution
	words []count
}

// rank judges groups beside one another, the best first.
func (m *memory) rank(groups []*group, uses []use, category uint32) []rankedSolution {
	var minutes []int
	n, k := 0, 0
	for i := range uses {
		if uses[i].minutes > 0 {
			minutes = append(minutes, uses[i].minutes)
		}
		switch uses[i].verdict {
		case held:
			n, k = n+1, k+1
		case failed:
			n++
		case tooRecent:
		}
	}
	usual := float64(k+2) / float64(n+3)
	expected := expectations(uses, usual)
	whole := median(minutes)
	out := make([]rankedSolution, 0, len(groups))
	for _, g := range groups {
		s := rankedSolution{Solution: Solution{Code: int64(g.resolution.code), Cause: int64(g.resolution.cause)}, words: g.words}
		weight, hoped := 0.0, 0.0
		var own []int
		var behind []int64
		technicians, readers, same := map[uint32]bool{}, map[uint32]bool{}, 0
		for i := range g.uses {
			u := &g.uses[i]
			r := &m.records[u.at]
			weight += closeness(u.like)
			technicians[u.by] = true
			if slices.Equal(u.words, g.words) {
				readers[r.school] = true
				same++
			}
			switch u.verdict {
			case held:
				s.Uses++
				s.Held++
				hoped += expected[u.by]
			case failed:
				s.Uses++
				hoped += expected[u.by]
			case tooRecent:
				s.Recent++
			}
			if u.minutes > 0 {
				own = append(own, u.minutes)
			}
			if at := instant(r.resolved); at.After(s.Last) {
				s.Last = at
			}
			if !slices.Contains(behind, r.id) {
				behind = append(behind, r.id)
			}
		}
		s.OneTechnician = len(technicians) == 1 && len(g.uses) > 1
		s.Rests, s.Incidents = len(behind), behind[:min(len(behind), MaxBehind)]
		s.Common = len(g.words) > 0 && same >= 3 && len(readers) >= 2
		s.Minutes = median(own)
		s.Refused = m.refused(g, category)
		successes := float64(s.Held)
		if hoped > 0 {
			// Never above what was seen: a bound must stay one.
			successes = min(successes, successes*usual*float64(s.Uses)/hoped)
		}
		s.Least = Bound(successes, float64(s.Uses))
		slow := 0.5
		if whole > 0 && s.Minutes > 0 {
			slow = 1 / (1 + float64(s.Minutes)/float64(whole))
		}
		s.Score = math.Sqrt(weight) * Bound(successes, float64(s.Uses+s.Refused)) * slow
		s.Key = m.key(g.words)
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b rankedSolution) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

// expectations is, by technician, how often their repairs hold in these cases,
// pulled towards everybody's while they have few.
func expectations(uses []use, usual float64) map[uint32]float64 {
	type tally struct{ n, k float64 }
	by := map[uint32]tally{}
	for i := range uses {
		t := by[uses[i].by]
		switch uses[i].verdict {
		case held:
			t.n++
			t.k++
		case failed:
			t.n++
		case tooRecent:
		}
		by[uses[i].by] = t
	}
	out := make(map[uint32]float64, len(by))
	for who, t := range by {
		out[who] = (t.k + ease*usual) / (t.n + ease)
	}
	return out
}

func median(all []int) int {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// Bound is the proportion that something which succeeded k times of n reaches
// at least, with 95 % confidence: the lower 5 % quantile of Beta(k+2, n−k+1),
// the posterior of a prior Beta(2, 1) (a repair is rather expected to hold).
func Bound(k, n float64) float64 { return mathext.InvRegIncBeta(k+2, n-k+1, 0.05) }
