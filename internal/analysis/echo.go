package analysis

import (
	"cmp"
	"maps"
	"slices"

	"statincidents/internal/calendar"
	"statincidents/internal/similar"
	"statincidents/internal/stats"
)

// Reports that say the same thing: near-duplicates in words, of one type and
// one stretch of days, in one school or in several, more than usual of that
// type. They are proposed as a problem; a person decides.

// What echoes are found with.
const (
	EchoDays     = 15    // open days looked back on
	EchoLike     = 0.6   // of two texts
	EchoLeast    = 3     // reports of a group
	echoHere     = 0.01  // chance of as many of the type in that school
	echoAcross   = 0.001 // … in the département: there are more places to look at
	mostReports  = 4_000
	mostEchoes   = 60
	mostOfAnEcho = 200
)

// EchoInput are the reports of the last open days, and which of them are alike
// in words (the words themselves are not kept).
type EchoInput struct {
	From  calendar.Day `json:"from"` // first day looked at
	Open  int          `json:"open"` // open days from there to today
	Year  int          `json:"year"` // open days of the year before
	Here  []EchoReport `json:"reports,omitempty"`
	Links []EchoLink   `json:"links,omitempty"`
	// Usual counts the incidents of a type in the year before: in a school, and
	// in all (school 0).
	Usual []EchoUsual `json:"usual,omitempty"`
}

// EchoReport is one report.
type EchoReport struct {
	ID     int64        `json:"i"`
	Day    calendar.Day `json:"d"`
	School int64        `json:"s"`
	Type   int64        `json:"t"`
}

// EchoLink are two reports, by their place, that are alike.
type EchoLink struct {
	A    int     `json:"a"`
	B    int     `json:"b"`
	Like float64 `json:"l"`
}

// EchoUsual is how many incidents of a type a school had in the year before.
type EchoUsual struct {
	School int64 `json:"s,omitempty"`
	Type   int64 `json:"t"`
	N      int   `json:"n"`
}

// Echo is a group of reports that say the same thing.
type Echo struct {
	IDs      []int64      `json:"ids"` // the oldest first
	Schools  []int64      `json:"schools"`
	Type     int64        `json:"type"`
	From     calendar.Day `json:"from"`
	To       calendar.Day `json:"to"`
	Like     float64      `json:"like"`     // of the links between them, on average
	Expected float64      `json:"expected"` // incidents of the type in as many open days
	P        float64      `json:"p"`        // chance of as many of the type
}

func echoes(in *EchoInput) []Echo {
	usual := map[[2]int64]int{}
	for _, u := range in.Usual {
		usual[[2]int64{u.School, u.Type}] = u.N
	}
	var links, near []similar.Link
	for _, l := range in.Links {
		one := similar.Link{A: l.A, B: l.B}
		links = append(links, one)
		if in.Here[l.A].School == in.Here[l.B].School {
			near = append(near, one)
		}
	}
	var found []Echo
	taken := map[int64]bool{}
	look := func(links []similar.Link, across bool) {
		groups := map[int][]int{}
		for k, g := range similar.Clusters(len(in.Here), links) {
			groups[g] = append(groups[g], k)
		}
		for _, g := range slices.Sorted(maps.Keys(groups)) {
			e, ok := in.echo(groups[g], usual, across)
			if !ok || slices.ContainsFunc(e.IDs, func(id int64) bool { return taken[id] }) {
				continue
			}
			for _, id := range e.IDs {
				taken[id] = true
			}
			found = append(found, e)
		}
	}
	look(links, true)
	look(near, false)
	slices.SortStableFunc(found, func(a, b Echo) int { return cmp.Compare(a.P, b.P) })
	return found[:min(len(found), mostEchoes)]
}

// echo makes a group of reports, if they are more than usual.
func (in *EchoInput) echo(members []int, usual map[[2]int64]int, across bool) (Echo, bool) {
	if len(members) < EchoLeast {
		return Echo{}, false
	}
	first := in.Here[members[0]]
	e := Echo{Type: first.Type, From: first.Day, To: first.Day}
	inside := map[int]bool{}
	for _, k := range members {
		r := in.Here[k]
		inside[k] = true
		e.IDs = append(e.IDs, r.ID)
		if !slices.Contains(e.Schools, r.School) {
			e.Schools = append(e.Schools, r.School)
		}
		e.From, e.To = min(e.From, r.Day), max(e.To, r.Day)
	}
	slices.Sort(e.IDs)
	slices.Sort(e.Schools)
	if across != (len(e.Schools) > 1) || len(e.IDs) > mostOfAnEcho {
		return Echo{}, false
	}
	place, limit := int64(0), echoAcross
	if !across {
		place, limit = e.Schools[0], echoHere
	}
	before := usual[[2]int64{place, e.Type}]
	open, year := float64(max(in.Open, 1)), float64(max(in.Year, 1))
	ratio, ok := stats.CompareRates(len(e.IDs), open, before, year, 0.9)
	if !ok || ratio.More > limit {
		return Echo{}, false
	}
	e.Expected, e.P = float64(before)*open/year, ratio.More
	n := 0.0
	for _, l := range in.Links {
		if inside[l.A] && inside[l.B] {
			e.Like, n = e.Like+l.Like, n+1
		}
	}
	e.Like /= max(n, 1)
	return e, true
}
