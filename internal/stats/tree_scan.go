package stats

// What do cases have in common? Tree-based scan: of many sets of units, each
// given by what its members have in common, the one that holds more cases than
// its share, and how often chance alone would find one as far out anywhere.
//
// Kulldorff M., Fang Z., Walsh S. J. (2003), A tree-based scan statistic for
// database disease surveillance, Biometrics 59, 323-331; Kulldorff M. (1997),
// A spatial scan statistic, Commun. Stat. Theory Methods 26, 1481-1496 (both
// likelihood ratios); chances by Monte Carlo: Dwass M. (1957), Ann. Math. Stat.
// 28, 181-187.

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
)

// ScanSettings are the parameters of a scan.
type ScanSettings struct {
	Least      int // cases that a set must hold to be looked at; at least 1
	Replicates int // draws; 999 gives chances down to one in a thousand
	Seed       uint64
}

// ScanSet is what a scan says of one set.
type ScanSet struct {
	Cases    int
	Expected float64 // of them, if cases fell anywhere alike
	LLR      float64 // log of the likelihood ratio; 0 if it holds no more than its share
	P        float64 // chance that the best of all sets would be as far out
}

// scanStreams is how many streams of random numbers draw the replicates: the
// same on every machine, so that the chances are too.
const scanStreams = 4

// TreeScan scans cells that hold cases, each of a weight (machines in service,
// machine-weeks) that says how many it would hold by chance: the conditional
// Poisson model. Sets list cells by their place.
func TreeScan(ctx context.Context, cases []int, weight []float64, sets [][]int32, with ScanSettings) ([]ScanSet, error) {
	total, mass := 0, 0.0
	until := make([]float64, len(weight)) // running sum
	for k, w := range weight {
		total += cases[k]
		mass += max(0, w)
		until[k] = mass
	}
	out := make([]ScanSet, len(sets))
	if total == 0 || mass <= 0 {
		for k := range out {
			out[k].P = 1
		}
		return out, ctx.Err()
	}
	c := float64(total)
	llr := func(n int, expected float64) float64 {
		y := float64(n)
		if n < max(1, with.Least) || y <= expected {
			return 0
		}
		v := y * math.Log(y/expected)
		if n < total {
			v += (c - y) * math.Log((c-y)/(c-expected))
		}
		return v
	}
	count := func(cells []int, set []int32) (n int) {
		for _, k := range set {
			n += cells[k]
		}
		return n
	}
	for k, set := range sets {
		for _, cell := range set {
			out[k].Expected += max(0, weight[cell]) * c / mass
		}
		out[k].Cases = count(cases, set)
		out[k].LLR = llr(out[k].Cases, out[k].Expected)
	}
	maxima, err := replicate(ctx, with, func(draw *rand.Rand) func() float64 {
		cells := make([]int, len(cases))
		return func() float64 {
			clear(cells)
			for range total {
				k := sort.SearchFloat64s(until, draw.Float64()*mass)
				for k < len(weight)-1 && weight[k] <= 0 {
					k++
				}
				cells[k]++
			}
			most := 0.0
			for k, set := range sets {
				most = max(most, llr(count(cells, set), out[k].Expected))
			}
			return most
		}
	})
	if err != nil {
		return nil, err
	}
	chances(out, maxima)
	return out, nil
}

// CommonFactor scans units of which some are cases (machines touched, among
// machines): the Bernoulli model, given how many cases there are. Sets list
// units by their place, each once.
func CommonFactor(ctx context.Context, cases []bool, sets [][]int32, with ScanSettings) ([]ScanSet, error) {
	n, c := len(cases), 0
	for _, is := range cases {
		if is {
			c++
		}
	}
	out := make([]ScanSet, len(sets))
	if c == 0 || c == n {
		for k := range out {
			out[k].Cases, out[k].P = len(sets[k]), 1
			if c == 0 {
				out[k].Cases = 0
			}
			out[k].Expected = float64(out[k].Cases)
		}
		return out, ctx.Err()
	}
	b := newBernoulli(n, c, max(1, with.Least))
	for k, set := range sets {
		for _, u := range set {
			if cases[u] {
				out[k].Cases++
			}
		}
		out[k].Expected = float64(len(set)) * float64(c) / float64(n)
		out[k].LLR = b.llr(len(set), out[k].Cases)
	}
	// A large set counts its cases by words of 64 units, a small one by member.
	words := (n + 63) / 64
	masks := make([][]uint64, len(sets))
	for k, set := range sets {
		if len(set) > words {
			masks[k] = make([]uint64, words)
			for _, u := range set {
				masks[k][u>>6] |= 1 << (u & 63)
			}
		}
	}
	drawn := min(c, n-c) // the fewer of cases and others are drawn
	maxima, err := replicate(ctx, with, func(draw *rand.Rand) func() float64 {
		order := make([]int32, n)
		for k := range order {
			order[k] = int32(k)
		}
		chosen := make([]uint64, words)
		return func() float64 {
			clear(chosen)
			for k := range drawn {
				at := k + draw.IntN(n-k)
				order[k], order[at] = order[at], order[k]
				chosen[order[k]>>6] |= 1 << (order[k] & 63)
			}
			most := 0.0
			for k, set := range sets {
				in := 0
				if mask := masks[k]; mask != nil {
					for w, m := range mask {
						in += bits.OnesCount64(m & chosen[w])
					}
				} else {
					for _, u := range set {
						in += int(chosen[u>>6] >> (u & 63) & 1)
					}
				}
				if drawn != c {
					in = len(set) - in
				}
				most = max(most, b.llr(len(set), in))
			}
			return most
		}
	})
	if err != nil {
		return nil, err
	}
	chances(out, maxima)
	return out, nil
}

// bernoulli computes likelihood ratios from a table of x ln x.
type bernoulli struct {
	n, c, least int
	xlogx       []float64
	none        float64 // of the whole
}

func newBernoulli(n, c, least int) *bernoulli {
	b := &bernoulli{n: n, c: c, least: least, xlogx: make([]float64, n+1)}
	for k := 1; k <= n; k++ {
		b.xlogx[k] = float64(k) * math.Log(float64(k))
	}
	b.none = b.xlogx[c] + b.xlogx[n-c] - b.xlogx[n]
	return b
}

func (b *bernoulli) llr(size, in int) float64 {
	if in < b.least || in*b.n <= size*b.c {
		return 0
	}
	x := b.xlogx
	out := b.c - in
	return x[in] + x[size-in] - x[size] + x[out] + x[b.n-size-out] - x[b.n-size] - b.none
}

// replicate draws the maxima of all replicates, in ascending order. Each
// stream has its own random numbers and takes every scanStreams-th draw.
func replicate(ctx context.Context, with ScanSettings, stream func(*rand.Rand) func() float64) ([]float64, error) {
	maxima := make([]float64, with.Replicates)
	var group sync.WaitGroup
	for s := range scanStreams {
		group.Go(func() {
			next := stream(rand.New(rand.NewPCG(with.Seed, uint64(s))))
			for k := s; k < len(maxima) && ctx.Err() == nil; k += scanStreams {
				maxima[k] = next()
			}
		})
	}
	group.Wait()
	slices.Sort(maxima)
	return maxima, ctx.Err()
}

// chances gives each set the chance of as high a maximum, itself counted.
func chances(sets []ScanSet, maxima []float64) {
	for k := range sets {
		sets[k].P = 1
		if sets[k].LLR <= 0 {
			continue
		}
		// As the reference rounds: a draw that equals the data counts.
		below := sort.SearchFloat64s(maxima, sets[k].LLR*(1-1e-12))
		sets[k].P = float64(1+len(maxima)-below) / float64(1+len(maxima))
	}
}
