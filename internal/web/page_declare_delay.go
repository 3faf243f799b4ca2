package web

import (
	"statincidents/internal/auth"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
)

// How far back the usual delay looks, and of how many incidents it must be
// made to be said.
const (
	delayDays = 365
	delayFrom = 20
)

// usualDelay is a sentence on how long such an incident takes: the median of
// its category, or of the nearest one above it with enough of them, over the
// last year in the whole département. It says what it rests on; "" when too
// little is known.
func (s *Server) usualDelay(r *Request, n *names, category int64) (string, error) {
	if s.deps.Cube == nil {
		return "", nil
	}
	from := r.today() - delayDays
	path := n.words.Path(category)
	for at := len(path); at >= 0; at-- {
		q := cube.Query{Measures: []cube.Measure{cube.ResolutionMedian}, From: from}
		what := r.T("declared.delay.any")
		if at > 0 {
			q.Filters = []cube.Filter{{Dim: levels[at-1], In: []string{id(path[at-1])}}}
			what = r.Quote(n.words.CategoryLabel(path[at-1], n.lang()))
		}
		// A figure of the département, which names no school and nobody.
		res, err := s.deps.Cube.Run(r.Context(), auth.ScopeAll(r.Who.Tenant), q)
		if fault.Is(err, fault.Unavailable) {
			return "", nil // the figures are still being loaded
		}
		if err != nil {
			return "", err
		}
		if v := res.Total.Values[0]; v.Valid && v.N >= delayFrom {
			return r.T("declared.delay", "delay", r.Hours(v.V), "what", what, "n", v.N, "since", r.Day(from)), nil
		}
	}
	return "", nil
}
