package stats

// Poisson regression by iteratively reweighted least squares, with the
// variance that the data show (quasi-Poisson).
//
// McCullagh P., Nelder J. A. (1989), Generalized Linear Models, 2nd ed.,
// Chapman and Hall, sections 2.5, 6.2 and 9.2.

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Model is a fitted regression. Errors are the standard errors times √Phi,
// where Phi is Pearson's chi-square by degree of freedom.
type Model struct {
	Coefficients, Errors []float64
	Deviance, Phi        float64
	Freedom              int
}

// P is the two-sided chance of a coefficient as far from zero where it is
// zero, by Student's distribution.
func (m Model) P(coefficient int) float64 {
	t := math.Abs(m.Coefficients[coefficient] / m.Errors[coefficient])
	return 2 * distuv.StudentsT{Sigma: 1, Nu: float64(m.Freedom)}.Survival(t)
}

// Limits are the confidence limits of a coefficient.
func (m Model) Limits(coefficient int, level float64) Interval {
	half := distuv.StudentsT{Sigma: 1, Nu: float64(m.Freedom)}.Quantile((1+level)/2) * m.Errors[coefficient]
	return Interval{m.Coefficients[coefficient] - half, m.Coefficients[coefficient] + half}
}

// converged is the relative change of the deviance at which the fit ends.
const converged = 1e-12

// PoissonRegression fits log(mean) = log(exposure) + row · coefficients. It is
// refused (ok false) when the rows do not tell the coefficients apart, when
// there are no more rows than coefficients, or when it does not settle.
func PoissonRegression(rows [][]float64, events []int, exposure []float64) (m Model, ok bool) {
	n := len(rows)
	if n == 0 || n != len(events) || n != len(exposure) || n <= len(rows[0]) {
		return Model{}, false
	}
	p := len(rows[0])
	sum := 0
	mean := make([]float64, n)
	for k := range rows {
		if len(rows[k]) != p || !(exposure[k] > 0) || events[k] < 0 {
			return Model{}, false
		}
		sum += events[k]
		mean[k] = float64(events[k]) + 0.1
	}
	if sum == 0 {
		return Model{}, false
	}
	x := mat.NewDense(n, p, nil)
	z := mat.NewVecDense(n, nil)
	var chol mat.Cholesky
	beta := mat.NewVecDense(p, nil)
	last := math.Inf(1)
	for range 60 {
		for k := range rows {
			w := math.Sqrt(mean[k])
			for c, v := range rows[k] {
				x.Set(k, c, w*v)
			}
			z.SetVec(k, w*(math.Log(mean[k]/exposure[k])+(float64(events[k])-mean[k])/mean[k]))
		}
		var normal mat.SymDense
		normal.SymOuterK(1, x.T())
		if !chol.Factorize(&normal) || chol.Cond() > 1e12 {
			return Model{}, false
		}
		var right mat.VecDense
		right.MulVec(x.T(), z)
		if err := chol.SolveVecTo(beta, &right); err != nil {
			return Model{}, false
		}
		m.Deviance = 0
		for k := range rows {
			eta := 0.0
			for c, v := range rows[k] {
				eta += v * beta.AtVec(c)
			}
			mean[k] = exposure[k] * math.Exp(eta)
			if !(mean[k] > 0) || math.IsInf(mean[k], 0) {
				return Model{}, false
			}
			y := float64(events[k])
			m.Deviance += 2 * (mean[k] - y)
			if y > 0 {
				m.Deviance += 2 * y * math.Log(y/mean[k])
			}
		}
		if math.Abs(m.Deviance-last) <= converged*(math.Abs(m.Deviance)+0.1) {
			return m.finish(rows, events, mean, beta), true
		}
		last = m.Deviance
	}
	return Model{}, false
}

// finish works out the errors at the fitted means.
func (m Model) finish(rows [][]float64, events []int, mean []float64, beta *mat.VecDense) Model {
	n, p := len(rows), beta.Len()
	x := mat.NewDense(n, p, nil)
	m.Freedom = n - p
	for k := range rows {
		d := float64(events[k]) - mean[k]
		m.Phi += d * d / mean[k] / float64(m.Freedom)
		for c, v := range rows[k] {
			x.Set(k, c, math.Sqrt(mean[k])*v)
		}
	}
	var normal, inverse mat.SymDense
	normal.SymOuterK(1, x.T())
	var chol mat.Cholesky
	m.Coefficients, m.Errors = make([]float64, p), make([]float64, p)
	known := chol.Factorize(&normal) && chol.InverseTo(&inverse) == nil
	for c := range p {
		m.Coefficients[c], m.Errors[c] = beta.AtVec(c), math.Inf(1)
		if known {
			m.Errors[c] = math.Sqrt(m.Phi * inverse.At(c, c))
		}
	}
	return m
}
