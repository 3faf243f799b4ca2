package stats

// Space-time scan statistic: which zone, over which weeks, holds more events
// than it should, once the choice among thousands of zones is paid for.
//
// Kulldorff M. (1997), A spatial scan statistic, Commun. Stat. Theory Methods
// 26, 1481-1496; Kulldorff M. (2001), Prospective time periodic geographical
// disease surveillance using a scan statistic, J. R. Stat. Soc. A 164, 61-72;
// Kulldorff M. et al. (2005), A space-time permutation scan statistic for
// disease outbreak detection, PLoS Med. 2, e59.

import (
	"cmp"
	"math"
	"slices"
)

// Neighbourhood is a zone that grows: its first site, its first two, and so
// on. A circle is the sites by distance from its centre; a technician's sector
// or a delivery batch is any order of its sites.
type Neighbourhood struct {
	Sites []int
	Least int // smallest number of sites that makes a zone; 0 is 1
}

// Whole is a neighbourhood that is looked at as one: a sector, a batch.
func Whole(sites []int) Neighbourhood { return Neighbourhood{sites, len(sites)} }

// Span is a run of weeks, both ends included.
type Span struct{ From, To int }

// LastWeeks are the windows that end with the last of so many weeks and last
// from one week to the longest.
func LastWeeks(weeks, longest int) []Span {
	var out []Span
	for l := 1; l <= min(longest, weeks); l++ {
		out = append(out, Span{weeks - l, weeks - 1})
	}
	return out
}

// AnyWeeks are all windows up to a length, wherever they end.
func AnyWeeks(weeks, longest int) []Span {
	var out []Span
	for from := range weeks {
		for to := from; to < min(weeks, from+longest); to++ {
			out = append(out, Span{from, to})
		}
	}
	return out
}

// Circles gives, for each site, the sites by distance from it, as far as the
// radius and as long as they hold no more than a share of the whole weight.
// Sites at the same distance are taken in their order.
func Circles(weights []float64, share, radius float64, distance func(a, b int) float64) []Neighbourhood {
	limit := 0.0
	for _, w := range weights {
		limit += share * w
	}
	var out []Neighbourhood
	far := make([]float64, len(weights))
	for centre := range weights {
		order := make([]int, len(weights))
		for k := range weights {
			order[k], far[k] = k, distance(centre, k)
		}
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(far[a], far[b]), cmp.Compare(a, b))
		})
		held, n := 0.0, 0
		for _, k := range order {
			if held += weights[k]; held > limit*(1+1e-12) || far[k] > radius {
				break
			}
			n++
		}
		if n > 0 {
			out = append(out, Neighbourhood{Sites: order[:n:n]})
		}
	}
	return out
}

// Kilometres is the great-circle distance between two places in degrees.
func Kilometres(latA, lonA, latB, lonB float64) float64 {
	const earth, degree = 6371.0, math.Pi / 180
	dLat, dLon := (latB-latA)*degree/2, (lonB-lonA)*degree/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(latA*degree)*math.Cos(latB*degree)*math.Sin(dLon)*math.Sin(dLon)
	return 2 * earth * math.Asin(math.Sqrt(min(1, h)))
}

// Scan is what is searched: events and expected events by site and week.
type Scan struct {
	Observed       [][]int
	Expected       [][]float64
	Neighbourhoods []Neighbourhood
	Windows        []Span
	Least          int // fewest events of a cluster; 0 is 2
}

// Cluster is a zone over a window, with how much likelier its events are with
// a rate of its own than with that of all (the logarithm of the ratio).
type Cluster struct {
	Sites         []int
	Neighbourhood int
	Window        Span
	Observed      int
	Expected      float64
	LLR           float64
}

// Ratio is observed over expected.
func (c Cluster) Ratio() float64 { return float64(c.Observed) / c.Expected }

// Overlaps tells whether two clusters share a site.
func (c Cluster) Overlaps(d Cluster) bool {
	return slices.ContainsFunc(c.Sites, func(site int) bool { return slices.Contains(d.Sites, site) })
}

// ScanLLR is the log-likelihood ratio of y events where e were expected, out
// of a total; 0 unless more than expected.
func ScanLLR(y, total int, e float64) float64 {
	if float64(y) <= e || e <= 0 {
		return 0
	}
	inside, outside := float64(y), float64(total-y)
	llr := inside * math.Log(inside/e)
	if outside > 0 {
		llr += outside * math.Log(outside/(float64(total)-e))
	}
	return llr
}

// sound tells whether the counts, the expected ones, the zones and the windows
// go together.
func (s Scan) sound() bool {
	if len(s.Observed) == 0 || len(s.Observed) != len(s.Expected) || len(s.Neighbourhoods) == 0 || len(s.Windows) == 0 {
		return false
	}
	weeks := len(s.Observed[0])
	for k := range s.Observed {
		if len(s.Observed[k]) != weeks || len(s.Expected[k]) != weeks {
			return false
		}
	}
	for _, w := range s.Windows {
		if w.From < 0 || w.To < w.From || w.To >= weeks {
			return false
		}
	}
	for _, n := range s.Neighbourhoods {
		for _, site := range n.Sites {
			if site < 0 || site >= len(s.Observed) {
				return false
			}
		}
	}
	return true
}

// Clusters gives the best window and size of each neighbourhood, the likeliest
// cluster first. None when the counts are not as the scan needs them.
func (s Scan) Clusters() []Cluster {
	if !s.sound() {
		return nil
	}
	f := s.field()
	f.fill(s.Observed, s.Expected)
	var out []Cluster
	for k := range s.Neighbourhoods {
		if c := f.best(k); c.LLR > 0 {
			w := s.Windows[c.window]
			out = append(out, Cluster{slices.Clone(s.Neighbourhoods[k].Sites[:c.size]), k, w, c.observed, c.expected, c.LLR})
		}
	}
	// Of clusters as likely, the one with fewer sites: a site without events adds
	// nothing to a zone.
	bits := func(c Cluster) float64 { return math.Round(c.LLR * 1e8) }
	slices.SortStableFunc(out, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(bits(b), bits(a)), cmp.Compare(len(a.Sites), len(b.Sites)))
	})
	return out
}

// Apart keeps of clusters, in their order, those that share no site with one
// kept before.
func Apart(clusters []Cluster) []Cluster {
	var out []Cluster
	for _, c := range clusters {
		if !slices.ContainsFunc(out, c.Overlaps) {
			out = append(out, c)
		}
	}
	return out
}

// field holds the sums of one set of counts by site and window, flat, so that
// a thousand replicas cost no allocation.
type field struct {
	scan    Scan
	windows int
	least   int
	total   int
	y       []int     // site × window
	e       []float64 // site × window
	sumY    []int     // running sums of a growing zone, by window
	sumE    []float64
	upY     []int     // running sums of a site, by week
	upE     []float64 // the same
	logs    []float64 // n ln n
}

func (s Scan) field() *field {
	w, weeks := len(s.Windows), len(s.Observed[0])
	least := s.Least
	if least == 0 {
		least = 2
	}
	return &field{
		scan: s, windows: w, least: least,
		y: make([]int, len(s.Observed)*w), e: make([]float64, len(s.Observed)*w),
		sumY: make([]int, w), sumE: make([]float64, w), upY: make([]int, weeks+1), upE: make([]float64, weeks+1),
	}
}

func (f *field) fill(observed [][]int, expected [][]float64) {
	f.total = 0
	for site := range observed {
		for t, y := range observed[site] {
			f.upY[t+1] = f.upY[t] + y
			f.upE[t+1] = f.upE[t] + expected[site][t]
		}
		f.total += f.upY[len(observed[site])]
		for k, w := range f.scan.Windows {
			f.y[site*f.windows+k] = f.upY[w.To+1] - f.upY[w.From]
			f.e[site*f.windows+k] = f.upE[w.To+1] - f.upE[w.From]
		}
	}
	for n := len(f.logs); n <= f.total; n++ {
		v := 0.0
		if n > 0 {
			v = float64(n) * math.Log(float64(n))
		}
		f.logs = append(f.logs, v)
	}
}

type found struct {
	size, window, observed int
	expected, LLR          float64
}

// best is the likeliest cluster of one neighbourhood.
func (f *field) best(neighbourhood int) found {
	var best found
	n := f.scan.Neighbourhoods[neighbourhood]
	clear(f.sumY)
	clear(f.sumE)
	c := float64(f.total)
	for k, site := range n.Sites {
		y, e := f.y[site*f.windows:(site+1)*f.windows], f.e[site*f.windows:(site+1)*f.windows]
		for w := range y {
			f.sumY[w] += y[w]
			f.sumE[w] += e[w]
		}
		if k+1 < n.Least {
			continue
		}
		for w, sum := range f.sumY {
			in, ex := float64(sum), f.sumE[w]
			if in <= ex || sum < f.least || ex <= 0 {
				continue
			}
			// y ln(y/e) + (c−y) ln((c−y)/(c−e))
			llr := f.logs[sum] - in*math.Log(ex)
			if out := f.total - sum; out > 0 {
				llr += f.logs[out] - float64(out)*math.Log(c-ex)
			}
			if llr > best.LLR+1e-9 {
				best = found{k + 1, w, sum, ex, llr}
			}
		}
	}
	return best
}

// highest is the LLR of the likeliest cluster of all.
func (f *field) highest() float64 {
	top := 0.0
	for k := range f.scan.Neighbourhoods {
		top = max(top, f.best(k).LLR)
	}
	return top
}
