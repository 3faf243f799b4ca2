package trial

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"statincidents/internal/stats"
)

// Size of the invented départements: three years teach, one is judged.
const (
	inventedSchools    = 58
	inventedCategories = 12
	inventedYears      = 4
	openWeeks          = 36
	allWeeks           = 52
	perYear            = 12_000 // incidents
)

// openness of the 36 school weeks: whole ones, but for public holidays.
var openness = func() (o [openWeeks]float64) {
	for k := range o {
		o[k] = 1
	}
	o[9], o[29], o[31], o[32] = 7./9, 7./9, 7./9, 5./9
	return o
}()

// place of the school weeks in the year of 52, from September on: two weeks of
// holidays after 7, 13, 19 and 25 of them, eight in summer.
func placeOf(week int) int {
	year, w := week/openWeeks, week%openWeeks
	at := w
	for _, holidays := range []int{7, 13, 19, 25} {
		if w >= holidays {
			at += 2
		}
	}
	return year*allWeeks + at
}

// Like invents a département as the detector in use supposes them: schools
// differ for good, counts by week are negative binomial around them.
func Like(seed uint64) Case { return invent(seed, false) }

// Unlike invents one that breaks these suppositions: neighbouring weeks go
// together, one series in ten moves to another level for good, three in a
// hundred in the judged year itself, most of one category is filed under
// another from the middle of the judged year on, and one month of the second
// year was lost.
func Unlike(seed uint64) Case { return invent(seed, true) }

func invent(seed uint64, unlike bool) Case {
	src := rand.NewPCG(seed, 7)
	rng := rand.New(src)
	gamma := func(variance float64) float64 {
		return distuv.Gamma{Alpha: 1 / variance, Beta: 1 / variance, Src: src}.Rand()
	}
	const weeks = inventedYears * openWeeks
	p := &stats.Panel{}
	c := Case{Panel: p, First: (inventedYears - 1) * openWeeks}
	open := make([]float64, weeks)
	for t := range weeks {
		p.Number = append(p.Number, t%openWeeks+1)
		c.Place = append(c.Place, placeOf(t))
		open[t] = openness[t%openWeeks]
	}
	// Categories from frequent to rare, each with its own September and June.
	share, wave := make([]float64, inventedCategories), make([]float64, inventedCategories)
	sum := 0.0
	for k := range share {
		share[k] = math.Pow(0.76, float64(k))
		wave[k] = rng.Float64()
		sum += share[k]
	}
	season := func(category, t int) float64 {
		w := float64(t % openWeeks)
		return 0.95 + wave[category]*math.Exp(-w/3) - 0.1*math.Max(0, w-30)/6
	}
	for range inventedSchools {
		computers, level := make([]float64, weeks), gamma(0.25)
		size := 172 * math.Exp(0.35*rng.NormFloat64())
		for t := range computers {
			computers[t] = size
		}
		counts := make([][]int, inventedCategories)
		for k := range counts {
			mean := perYear / openWeeks * share[k] / sum * size / (172 * inventedSchools * 1.06) * level * gamma(0.25)
			counts[k] = make([]int, weeks)
			latent, shift, factor := 0.0, weeks, 1.0
			if unlike {
				latent = 0.4 * rng.NormFloat64()
				factor = []float64{0.5, 2}[rng.IntN(2)]
				switch u := rng.Float64(); {
				case u < 0.03:
					shift = c.First + rng.IntN(openWeeks)
				case u < 0.13:
					shift = rng.IntN(c.First)
				}
			}
			for t := range weeks {
				m := mean * season(k, t) * open[t]
				if unlike {
					latent = 0.7*latent + 0.4*math.Sqrt(1-0.7*0.7)*rng.NormFloat64()
					m *= math.Exp(latent - 0.08)
					if t >= shift {
						m *= factor
					}
				} else {
					m *= gamma(0.15)
				}
				counts[k][t] = int(distuv.Poisson{Lambda: m, Src: src}.Rand())
			}
		}
		if unlike {
			const from, to = 2, 3 // filed as the other from the middle of the year on
			for t := c.First + openWeeks/2; t < weeks; t++ {
				moved := int(distuv.Binomial{N: float64(counts[from][t]), P: 0.6, Src: src}.Rand())
				counts[from][t] -= moved
				counts[to][t] += moved
			}
			for k := range counts {
				for t := openWeeks + 10; t < openWeeks+14; t++ {
					counts[k][t] = 0
				}
			}
		}
		p.Counts, p.Computers, p.Openness = append(p.Counts, counts), append(p.Computers, computers), append(p.Openness, open)
	}
	return c
}

// Invented gives so many départements of one kind.
func Invented(kind func(uint64) Case, n int, seed uint64) []Case {
	out := make([]Case, n)
	for k := range out {
		out[k] = kind(seed + uint64(k))
	}
	return out
}
