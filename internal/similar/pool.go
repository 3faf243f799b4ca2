package similar

import "sync"

// scorePool keeps lists of scores between questions: one has a number for each
// incident remembered.
var scorePool = sync.Pool{New: func() any { return new([]float32) }}

func blankScores(n int) []float32 {
	scores := *scorePool.Get().(*[]float32)
	if cap(scores) < n {
		return make([]float32, n, n+n/8)
	}
	scores = scores[:n]
	clear(scores)
	return scores
}
