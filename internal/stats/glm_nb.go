package stats

// Negative-binomial regression: variance = mean + mean²/theta, theta by maximum
// likelihood.
//
// Lawless J. F. (1987), Negative binomial and mixed Poisson regression, Can. J.
// Stat. 15, 209-225; Venables W. N., Ripley B. D. (2002), Modern Applied
// Statistics with S, 4th ed., section 7.4.

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// NBModel is a fitted regression.
type NBModel struct {
	Coefficients []float64
	Theta        float64 // +Inf where the counts are no more dispersed than Poisson's
	ThetaError   float64
	LogLik       float64
}

// NegativeBinomialRegression fits log(mean) = log(exposure) + row · coefficients
// and theta in turns. It is refused as PoissonRegression is.
func NegativeBinomialRegression(rows [][]float64, events []int, exposure []float64) (m NBModel, ok bool) {
	start, ok := PoissonRegression(rows, events, exposure)
	if !ok {
		return NBModel{}, false
	}
	n := len(rows)
	mean := make([]float64, n)
	m.Coefficients = start.Coefficients
	place := func() {
		for k, row := range rows {
			eta := 0.0
			for c, v := range row {
				eta += v * m.Coefficients[c]
			}
			mean[k] = exposure[k] * math.Exp(eta)
		}
	}
	place()
	m.Theta = math.Inf(1)
	for range 25 {
		theta, se := thetaOf(events, mean)
		if theta >= maxTheta {
			m.Theta, m.ThetaError = math.Inf(1), 0
			break
		}
		settled := math.Abs(theta-m.Theta) < 1e-7*theta
		m.Theta, m.ThetaError = theta, se
		if settled {
			break
		}
		if m.Coefficients, ok = m.refit(rows, events, exposure, mean); !ok {
			return NBModel{}, false
		}
		place()
	}
	for k, y := range events {
		m.LogLik += math.Log(NBAt(y, mean[k], min(m.Theta, 1e7)))
	}
	return m, true
}

// maxTheta is that from which the counts are taken for Poisson's.
const maxTheta = 1e5

// refit does iteratively reweighted least squares at the present theta.
func (m *NBModel) refit(rows [][]float64, events []int, exposure, mean []float64) ([]float64, bool) {
	n, p := len(rows), len(rows[0])
	x, z := mat.NewDense(n, p, nil), mat.NewVecDense(n, nil)
	beta := mat.NewVecDense(p, append([]float64(nil), m.Coefficients...))
	mu := append([]float64(nil), mean...)
	var chol mat.Cholesky
	for range 50 {
		for k := range rows {
			w := math.Sqrt(mu[k] / (1 + mu[k]/m.Theta))
			for c, v := range rows[k] {
				x.Set(k, c, w*v)
			}
			z.SetVec(k, w*(math.Log(mu[k]/exposure[k])+(float64(events[k])-mu[k])/mu[k]))
		}
		var normal mat.SymDense
		normal.SymOuterK(1, x.T())
		var right, next mat.VecDense
		right.MulVec(x.T(), z)
		if !chol.Factorize(&normal) || chol.SolveVecTo(&next, &right) != nil {
			return nil, false
		}
		moved := 0.0
		for c := range p {
			moved = max(moved, math.Abs(next.AtVec(c)-beta.AtVec(c)))
		}
		beta.CopyVec(&next)
		for k, row := range rows {
			eta := 0.0
			for c, v := range row {
				eta += v * beta.AtVec(c)
			}
			if mu[k] = exposure[k] * math.Exp(eta); !(mu[k] > 0) || math.IsInf(mu[k], 0) {
				return nil, false
			}
		}
		if moved < 1e-9 {
			break
		}
	}
	return append([]float64(nil), beta.RawVector().Data...), true
}

// thetaOf is the maximum-likelihood theta for given means, with its standard
// error, by Newton's method.
func thetaOf(events []int, mean []float64) (theta, se float64) {
	var sum, excess float64
	for k, y := range events {
		d := float64(y)/mean[k] - 1
		sum += d * d
		excess += d*d*mean[k]*mean[k] - float64(y)
	}
	if excess <= 0 { // the slope of the likelihood at 1/theta = 0
		return maxTheta, 0
	}
	theta = float64(len(events)) / max(sum, 1e-9)
	info := 0.0
	for range 40 {
		score := 0.0
		info = 0
		for k, v := range events {
			y, mu := float64(v), mean[k]
			score += mathext.Digamma(theta+y) - mathext.Digamma(theta) + math.Log(theta) + 1 - math.Log(theta+mu) - (y+theta)/(mu+theta)
			info += -mathext.Zeta(2, theta+y) + mathext.Zeta(2, theta) - 1/theta + 2/(mu+theta) - (y+theta)/((mu+theta)*(mu+theta))
		}
		if info <= 0 { // flat, towards Poisson
			if score > 0 {
				return maxTheta, 0
			}
			theta /= 2
			continue
		}
		step := score / info
		if theta+step <= 0 {
			step = -theta / 2
		}
		theta = min(theta+step, 2*maxTheta)
		if theta >= maxTheta {
			return maxTheta, 0
		}
		if math.Abs(step) < 1e-9*theta {
			break
		}
	}
	return theta, math.Sqrt(1 / info)
}
