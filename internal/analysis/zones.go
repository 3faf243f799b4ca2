package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/stats"
)

// What the scan for trouble zones is made with.
const (
	ZoneStudy    = 36      // open weeks that the counts are compared over
	ZoneLongest  = 6       // open weeks that a zone may have lasted
	ZonePast     = 72      // open weeks before these six from which each school's own level is learnt
	ZoneFamilies = 4       // types that are looked at beside all incidents: the most frequent
	ZoneReplicas = 999     // quiet départements that the real one is compared with
	ZoneShown    = 1. / 36 // chance from which a zone is shown: once a school year by chance, a scan
	ZoneAlert    = 0.005   // chance from which it is out of the ordinary
	zoneRadius   = 60      // km
	zoneShare    = 0.5     // of all computers that a zone may hold
	zoneLeast    = 10      // incidents of the study period under which a scan says nothing
	zoneOpen     = 0.3     // openness from which a week counts
	zoneHistory  = 16      // open weeks that are shown of a zone
	zoneOthers   = 3       // further zones of one scan
)

// Zones looks each night for schools near one another that have had more
// incidents than is usual for them, these last weeks.
var Zones = Method[ZoneInput, ZoneOutput]{
	Name: "zones", Version: 1, Seed: 45,
	Gather: func(_ context.Context, w *World) (ZoneInput, error) { return gatherZones(w), nil },
	Run: func(_ context.Context, in ZoneInput, seed uint64) (ZoneOutput, error) {
		return findZones(in, seed), nil
	},
}

// ZoneInput is what the scans look at: incidents by school and whole open week,
// with the computers in service times the openness.
type ZoneInput struct {
	Schools  []ZoneSchool `json:"schools"`
	Weeks    []Week       `json:"weeks"`
	Exposure [][]float64  `json:"exposure"` // by school and week
	Families []ZoneFamily `json:"families"`
	Unplaced int          `json:"unplaced"` // schools left out, without a place or a number of computers
	Parts    int          `json:"parts"`    // incidents left out: parts of a main one
}

// ZoneSchool is where a school stands.
type ZoneSchool struct {
	ID  int64   `json:"id"`
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// ZoneFamily is one of the scans: all incidents (Category 0) or those of a type.
type ZoneFamily struct {
	Category int64   `json:"category"`
	Counts   [][]int `json:"counts"` // by school and week
}

// ZoneOutput is what the scans found.
type ZoneOutput struct {
	Refusal  *Refusal   `json:"refusal,omitempty"`
	Study    []Week     `json:"study"` // the weeks compared
	Scans    []ZoneScan `json:"scans"`
	Zones    []Zone     `json:"zones"` // the least likely by chance first
	Schools  int        `json:"schools"`
	Unplaced int        `json:"unplaced"`
	Parts    int        `json:"parts"`
}

// ZoneScan tells of one scan.
type ZoneScan struct {
	Category int64   `json:"category"`
	Events   int     `json:"events"`
	Kappa    float64 `json:"kappa"` // over-dispersion of a school's weeks
	P        float64 `json:"p"`     // of its likeliest zone, 1 when there is none
	Refused  bool    `json:"refused,omitempty"`
	// Best is its likeliest zone, shown or not.
	Best *Zone `json:"best,omitempty"`
}

// Zone is schools near one another over the last weeks.
type Zone struct {
	Category int64        `json:"category"` // 0: all incidents
	Centre   int64        `json:"centre"`   // school
	Radius   float64      `json:"radius"`   // km, to its farthest school
	Members  []ZoneMember `json:"members"`  // by distance from the centre
	Others   []ZoneMember `json:"others"`   // the other schools over the same weeks
	Since    calendar.Day `json:"since"`    // first Monday
	Weeks    int          `json:"weeks"`    // open ones, the last one included
	Last     calendar.Day `json:"last"`     // last Monday
	Observed int          `json:"observed"`
	Expected float64      `json:"expected"`
	LLR      float64      `json:"llr"`
	P        float64      `json:"p"`
	History  []ZoneWeek   `json:"history"` // of the whole zone, oldest first
}

// ZoneMember is a school over a zone's weeks.
type ZoneMember struct {
	School   int64      `json:"school"`
	Observed int        `json:"observed"`
	Expected float64    `json:"expected"`
	Weeks    []ZoneWeek `json:"weeks,omitempty"`
}

// ZoneWeek is a week of a zone or of a school.
type ZoneWeek struct {
	Monday   calendar.Day `json:"monday"`
	Observed int          `json:"observed"`
	Expected float64      `json:"expected"`
}

// Alert tells whether a zone is out of the ordinary, not only worth a look.
func (z *Zone) Alert() bool { return z.P <= ZoneAlert }

// gatherZones counts, by the day on which they happened, the incidents of the
// whole open weeks; the present one is not over.
func gatherZones(w *World) ZoneInput {
	var in ZoneInput
	var weeks []Week
	for _, week := range w.Weeks[:w.Whole()] {
		if week.Openness > zoneOpen {
			weeks = append(weeks, week)
		}
	}
	weeks = weeks[max(0, len(weeks)-ZonePast-ZoneLongest):]
	in.Weeks = weeks
	if len(weeks) == 0 {
		return in
	}
	at, column := map[int64]int{}, map[calendar.Day]int{}
	for k, week := range weeks {
		column[week.Monday] = k
	}
	for _, s := range w.Places.Schools() {
		x := make([]float64, len(weeks))
		known := false
		for k, week := range weeks {
			x[k] = w.Computers(s.ID, week) * w.Openness(s.ID, week)
			known = known || x[k] > 0
		}
		if !s.Located || !known || s.Closed != 0 && s.Closed <= w.Today {
			if s.Closed == 0 || s.Closed > w.Today {
				in.Unplaced++
			}
			continue
		}
		at[s.ID] = len(in.Schools)
		in.Schools = append(in.Schools, ZoneSchool{s.ID, s.Lat, s.Lon})
		in.Exposure = append(in.Exposure, x)
	}
	counts, sum := map[int64][][]int{}, map[int64]int{}
	first := weeks[max(0, len(weeks)-ZoneStudy)].Monday
	add := func(category int64, school, week int) {
		if counts[category] == nil {
			counts[category] = make([][]int, len(in.Schools))
			for k := range in.Schools {
				counts[category][k] = make([]int, len(weeks))
			}
		}
		counts[category][school][week]++
		if weeks[week].Monday >= first {
			sum[category]++
		}
	}
	for k := range w.Facts {
		f := &w.Facts[k]
		school, placed := at[f.School]
		week, open := column[f.Happened.Week()]
		if !placed || !open {
			continue
		}
		if f.Parent != 0 {
			in.Parts++ // one trouble, whoever reported it
			continue
		}
		if in.Exposure[school][week] == 0 {
			continue // it was closed, or had no computer yet
		}
		add(0, school, week)
		if path := w.Words.Path(f.Category); len(path) > 0 {
			add(path[0], school, week)
		}
	}
	var families []int64
	for category := range counts {
		if category != 0 {
			families = append(families, category)
		}
	}
	slices.SortFunc(families, func(a, b int64) int { return cmp.Or(cmp.Compare(sum[b], sum[a]), cmp.Compare(a, b)) })
	for _, category := range append([]int64{0}, families[:min(len(families), ZoneFamilies)]...) {
		if counts[category] != nil {
			in.Families = append(in.Families, ZoneFamily{category, counts[category]})
		}
	}
	return in
}

// findZones scans each family.
func findZones(in ZoneInput, seed uint64) ZoneOutput {
	n := len(in.Weeks)
	out := ZoneOutput{Schools: len(in.Schools), Unplaced: in.Unplaced, Parts: in.Parts, Study: in.Weeks[max(0, n-ZoneStudy):]}
	events := 0
	if len(in.Families) > 0 {
		for _, row := range in.Families[0].Counts {
			for _, y := range row[max(0, n-ZoneStudy):] {
				events += y
			}
		}
	}
	switch least := float64(LeastWeeks + ZoneLongest); {
	case len(in.Schools) < leastSchools:
		out.Refusal = &Refusal{FewSchools, float64(len(in.Schools)), leastSchools}
	case float64(n) < least:
		out.Refusal = &Refusal{FewWeeks, float64(n), least}
	case events < LeastEvents:
		out.Refusal = &Refusal{FewEvents, float64(events), LeastEvents}
	}
	if out.Refusal != nil {
		return out
	}
	// A school's computers are those of the last week; one that has none left is
	// in no circle.
	machines := make([]float64, len(in.Schools))
	for k := range in.Schools {
		machines[k] = in.Exposure[k][n-1]
	}
	circles := stats.Circles(machines, zoneShare, zoneRadius, func(a, b int) float64 {
		return stats.Kilometres(in.Schools[a].Lat, in.Schools[a].Lon, in.Schools[b].Lat, in.Schools[b].Lon)
	})
	for k, family := range in.Families {
		out.Scans = append(out.Scans, in.scan(family, circles, seed+uint64(k), &out.Zones))
	}
	slices.SortStableFunc(out.Zones, func(a, b Zone) int { return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(b.LLR, a.LLR)) })
	// The same trouble seen among all incidents and in its type is one zone: the
	// less likely of the two.
	var kept []Zone
	for _, z := range out.Zones {
		if !slices.ContainsFunc(kept, func(k Zone) bool { return k.shares(&z) }) {
			kept = append(kept, z)
		}
	}
	out.Zones = kept
	return out
}

// shares tells whether two zones have a school in common.
func (z *Zone) shares(other *Zone) bool {
	return slices.ContainsFunc(z.Members, func(a ZoneMember) bool {
		return slices.ContainsFunc(other.Members, func(b ZoneMember) bool { return a.School == b.School })
	})
}

// scan looks at one family, and adds the zones to show.
func (in *ZoneInput) scan(family ZoneFamily, circles []stats.Neighbourhood, seed uint64, zones *[]Zone) ZoneScan {
	n := len(in.Weeks)
	past, study := n-ZoneLongest, max(0, n-ZoneStudy)
	cut := func(from, to int) (y [][]int, x [][]float64) {
		for k := range in.Schools {
			y, x = append(y, family.Counts[k][from:to]), append(x, in.Exposure[k][from:to])
		}
		return y, x
	}
	said := ZoneScan{Category: family.Category, P: 1}
	y, x := cut(study, n)
	for _, row := range y {
		for _, v := range row {
			said.Events += v
		}
	}
	before, exposed := cut(0, past)
	levels, kappa, ok := stats.OwnLevels(before, exposed)
	if !ok || said.Events < zoneLeast {
		said.Refused = true
		return said
	}
	said.Kappa = kappa
	s := stats.Scan{Observed: y, Expected: stats.KeptTotals(y, x, levels), Neighbourhoods: circles, Windows: stats.LastWeeks(n-study, ZoneLongest)}
	found := stats.Apart(s.Clusters())
	if len(found) == 0 {
		return said
	}
	chance := s.Replicate(stats.Quiet(s.Expected, kappa), ZoneReplicas, seed)
	for k, c := range found[:min(len(found), zoneOthers+1)] {
		z := in.zone(family.Category, &s, c)
		z.P = chance.Of(c.LLR)
		if k == 0 {
			said.P, said.Best = z.P, &z
		}
		if z.P <= ZoneShown {
			*zones = append(*zones, z)
		}
	}
	return said
}

// zone tells of a cluster.
func (in *ZoneInput) zone(category int64, s *stats.Scan, c stats.Cluster) Zone {
	weeks := in.Weeks[max(0, len(in.Weeks)-ZoneStudy):]
	from, to := c.Window.From, c.Window.To
	shown := max(0, len(weeks)-zoneHistory)
	z := Zone{Category: category, Since: weeks[from].Monday, Weeks: to - from + 1, Last: weeks[to].Monday, Observed: c.Observed, Expected: round(c.Expected), LLR: c.LLR}
	z.Centre, z.Radius = in.middle(c.Sites)
	sums := make([]ZoneWeek, len(weeks))
	for k := range in.Schools {
		m := ZoneMember{School: in.Schools[k].ID}
		for t := from; t <= to; t++ {
			m.Observed += s.Observed[k][t]
			m.Expected += s.Expected[k][t]
		}
		m.Expected = round(m.Expected)
		if !slices.Contains(c.Sites, k) {
			z.Others = append(z.Others, m)
		}
	}
	for _, k := range c.Sites {
		m := ZoneMember{School: in.Schools[k].ID}
		exact := 0.0
		for t := range weeks {
			sums[t].Observed += s.Observed[k][t]
			sums[t].Expected += s.Expected[k][t]
			if t >= from && t <= to {
				m.Observed += s.Observed[k][t]
				exact += s.Expected[k][t]
			}
			if t >= shown {
				m.Weeks = append(m.Weeks, ZoneWeek{weeks[t].Monday, s.Observed[k][t], round(s.Expected[k][t])})
			}
		}
		m.Expected = round(exact)
		z.Members = append(z.Members, m)
	}
	for t := shown; t < len(weeks); t++ {
		z.History = append(z.History, ZoneWeek{weeks[t].Monday, sums[t].Observed, round(sums[t].Expected)})
	}
	return z
}

// middle is the school of a zone around which the smallest circle holds its
// schools and no other, and that circle's radius: the same schools are often
// those around several of them.
func (in *ZoneInput) middle(sites []int) (school int64, radius float64) {
	radius = math.Inf(1)
	for _, a := range sites {
		far, near := 0.0, math.Inf(1) // its farthest school inside, the nearest outside
		for b := range in.Schools {
			d := stats.Kilometres(in.Schools[a].Lat, in.Schools[a].Lon, in.Schools[b].Lat, in.Schools[b].Lon)
			if slices.Contains(sites, b) {
				far = max(far, d)
			} else {
				near = min(near, d)
			}
		}
		if far < radius && (far < near || a == sites[0]) {
			school, radius = in.Schools[a].ID, far
		}
	}
	return school, radius
}

// round keeps a figure as precise as it is of use.
func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// SeenZone is a zone as a reader may see it.
type SeenZone struct {
	Zone

	Hidden int // schools of it that the reader does not see: they are not in Members, nor in the figures
}

// ZonesFor gives the last night's zones as a reader may see them: those that
// touch a school of theirs, with the figures of their own schools only.
func (s *Service) ZonesFor(ctx context.Context, scope auth.Scope) ([]SeenZone, ZoneOutput, Made, error) {
	out, made, err := Latest(ctx, s, Zones)
	if err != nil {
		return nil, out, made, err
	}
	var seen []SeenZone
	for _, z := range out.Zones {
		if one, ok := z.seenBy(scope); ok {
			seen = append(seen, one)
		}
	}
	if !scope.All() { // what is said of all names schools
		scans := slices.Clone(out.Scans)
		for k := range scans {
			scans[k].Best = nil
		}
		out.Scans, out.Zones = scans, nil
	}
	return seen, out, made, nil
}

func (z *Zone) seenBy(scope auth.Scope) (SeenZone, bool) {
	one := SeenZone{Zone: *z}
	if scope.All() {
		return one, true
	}
	hides := func(m ZoneMember) bool { return !scope.SeesSchool(m.School) }
	one.Members = slices.DeleteFunc(slices.Clone(z.Members), hides)
	one.Others = slices.DeleteFunc(slices.Clone(z.Others), hides)
	one.Hidden = len(z.Members) - len(one.Members)
	if one.Hidden == 0 || len(one.Members) == 0 {
		return one, len(one.Members) > 0
	}
	one.Centre, one.Radius = one.Members[0].School, 0
	one.Observed, one.Expected, one.History = 0, 0, make([]ZoneWeek, len(z.History))
	for _, m := range one.Members {
		one.Observed += m.Observed
		one.Expected += m.Expected
		for k, week := range m.Weeks {
			one.History[k].Monday = week.Monday
			one.History[k].Observed += week.Observed
			one.History[k].Expected += week.Expected
		}
	}
	return one, true
}
