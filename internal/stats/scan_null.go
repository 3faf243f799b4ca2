package stats

// What a scan finds where there is nothing to find: replicas under a null
// hypothesis, and the chance that follows.
//
// Monte Carlo: Dwass M. (1957), Modified randomization tests for nonparametric
// hypotheses, Ann. Math. Stat. 28, 181-187. Gumbel's law for the tail: Abrams
// A., Kleinman K., Kulldorff M. (2010), Gumbel based p-value approximations for
// spatial scan statistics, Int. J. Health Geogr. 9, 61. Alias method: Vose M.
// (1991), IEEE Trans. Softw. Eng. 17, 972-975.

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Null draws one quiet set of counts, with what is expected of it, into its
// two last arguments. It keeps nothing: several draw at once.
type Null func(r *rand.Rand, observed [][]int, expected [][]float64)

// Quiet is the null of the product: each cell is negative binomial around its
// expected count, with a variance of mean + kappa·mean² (Poisson under 0.001),
// and what is expected is worked out again from the drawn weekly totals, as it
// was from the real ones. The rows are sites, the columns weeks.
func Quiet(expected [][]float64, kappa float64) Null {
	weeks := 0
	if len(expected) > 0 {
		weeks = len(expected[0])
	}
	share := make([][]float64, len(expected))
	cells := make([][]counts, len(expected))
	for site := range expected {
		share[site], cells[site] = make([]float64, weeks), make([]counts, weeks)
	}
	for t := range weeks {
		sum := 0.0
		for site := range expected {
			sum += expected[site][t]
		}
		for site := range expected {
			if sum > 0 {
				share[site][t] = expected[site][t] / sum
			}
			cells[site][t] = countsOf(expected[site][t], kappa)
		}
	}
	return func(r *rand.Rand, y [][]int, e [][]float64) {
		for t := range weeks {
			sum := 0
			for site := range cells {
				y[site][t] = cells[site][t].draw(r)
				sum += y[site][t]
			}
			for site := range cells {
				e[site][t] = float64(sum) * share[site][t]
			}
		}
	}
}

// counts is a distribution of counts: the smallest that matters, and the
// cumulative chances from it.
type counts struct {
	from int
	upTo []float64
}

// countsOf tabulates the negative binomial of a mean, or Poisson's law.
func countsOf(mean, kappa float64) counts {
	if !(mean > 0) {
		return counts{0, []float64{1}}
	}
	from := int(max(0, mean-12*math.Sqrt(mean+kappa*mean*mean)))
	k := float64(from)
	factorial, _ := math.Lgamma(k + 1)
	log, ratio := k*math.Log(mean)-mean-factorial, func(k float64) float64 { return mean / (k + 1) }
	if kappa >= 0.001 {
		size := 1 / kappa
		a, _ := math.Lgamma(k + size)
		b, _ := math.Lgamma(size)
		odds := mean / (mean + size)
		log = a - b - factorial - size*math.Log1p(mean*kappa) + k*math.Log(odds)
		ratio = func(k float64) float64 { return (k + size) / (k + 1) * odds }
	}
	c := counts{from: from}
	sum := 0.0
	for p := math.Exp(log); ; k++ {
		sum += p
		c.upTo = append(c.upTo, sum)
		if p *= ratio(k); k > mean && p < 1e-15 {
			c.upTo[len(c.upTo)-1] = 1
			return c
		}
	}
}

func (c counts) draw(r *rand.Rand) int {
	u := r.Float64()
	if len(c.upTo) <= 16 {
		for k, v := range c.upTo {
			if u < v {
				return c.from + k
			}
		}
	}
	k, _ := slices.BinarySearch(c.upTo, u)
	return c.from + min(k, len(c.upTo)-1)
}

// FixedTotal is the null of the textbook: the same number of events, each in a
// cell with a chance proportional to what is expected there.
func FixedTotal(observed [][]int, expected [][]float64) Null {
	total := 0
	var weights []float64
	for site := range expected {
		for t, e := range expected[site] {
			weights = append(weights, e)
			total += observed[site][t]
		}
	}
	pick := aliasOf(weights)
	return func(r *rand.Rand, y [][]int, e [][]float64) {
		for site := range y {
			clear(y[site])
			copy(e[site], expected[site])
		}
		for range total {
			k := pick(r)
			y[k/len(y[0])][k%len(y[0])]++
		}
	}
}

// ShuffledDates is the null of the permutation scan: each event keeps its site
// and takes the date of another, so that both totals are kept.
func ShuffledDates(observed [][]int, expected [][]float64) Null {
	var sites, dates []int
	for site := range observed {
		for t, y := range observed[site] {
			for range y {
				sites, dates = append(sites, site), append(dates, t)
			}
		}
	}
	return func(r *rand.Rand, y [][]int, e [][]float64) {
		for site := range y {
			clear(y[site])
			copy(e[site], expected[site])
		}
		own := slices.Clone(dates)
		r.Shuffle(len(own), func(a, b int) { own[a], own[b] = own[b], own[a] })
		for k, site := range sites {
			y[site][own[k]]++
		}
	}
}

// aliasOf draws an index with a chance proportional to its weight, in constant
// time.
func aliasOf(weights []float64) func(*rand.Rand) int {
	n, sum := len(weights), 0.0
	for _, w := range weights {
		sum += w
	}
	chance, other := make([]float64, n), make([]int, n)
	var small, large []int
	for k, w := range weights {
		chance[k], other[k] = w/sum*float64(n), k
		if chance[k] < 1 {
			small = append(small, k)
		} else {
			large = append(large, k)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		other[s] = l
		if chance[l] -= 1 - chance[s]; chance[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, k := range slices.Concat(small, large) {
		chance[k] = 1
	}
	return func(r *rand.Rand) int {
		k := r.IntN(n)
		if r.Float64() < chance[k] {
			return k
		}
		return other[k]
	}
}

// Chance is what the replicas say of a scan: the highest LLR of each, lowest
// first.
type Chance struct{ Highest []float64 }

// Replicate draws so many quiet sets of counts and scans each. The same seed
// gives the same, on any number of processors.
func (s Scan) Replicate(null Null, replicas int, seed uint64) Chance {
	if !s.sound() || replicas < 1 {
		return Chance{}
	}
	out := make([]float64, replicas)
	workers := min(replicas, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for first := range workers {
		wait.Go(func() {
			f := s.field()
			y, e := make([][]int, len(s.Observed)), make([][]float64, len(s.Observed))
			for site := range y {
				y[site], e[site] = make([]int, len(s.Observed[site])), make([]float64, len(s.Observed[site]))
			}
			for k := first; k < replicas; k += workers {
				null(rand.New(rand.NewPCG(seed, uint64(k))), y, e)
				f.fill(y, e)
				out[k] = f.highest()
			}
		})
	}
	wait.Wait()
	slices.Sort(out)
	return Chance{out}
}

// P is the Monte-Carlo chance of an LLR as high in a quiet period: never 0.
func (c Chance) P(llr float64) float64 {
	k, _ := slices.BinarySearch(c.Highest, llr-1e-9)
	return float64(1+len(c.Highest)-k) / float64(1+len(c.Highest))
}

// Tail is the same by Gumbel's law fitted by moments to the replicas: for
// chances too small for Monte Carlo.
func (c Chance) Tail(llr float64) float64 {
	n := float64(len(c.Highest))
	if n < 2 {
		return 1
	}
	var mean, square float64
	for _, v := range c.Highest {
		mean += v / n
	}
	for _, v := range c.Highest {
		square += (v - mean) * (v - mean) / (n - 1)
	}
	beta := math.Sqrt(6*square) / math.Pi
	if beta == 0 {
		return 1
	}
	const euler = 0.57721566490153286
	return -math.Expm1(-math.Exp(-(llr - (mean - euler*beta)) / beta))
}

// Of is the chance to show: Monte Carlo's where it can tell, Gumbel's below
// that, never above Monte Carlo's smallest.
func (c Chance) Of(llr float64) float64 {
	p := c.P(llr)
	if least := 1 / float64(1+len(c.Highest)); p <= least*1.5 {
		return min(least, c.Tail(llr))
	}
	return p
}
