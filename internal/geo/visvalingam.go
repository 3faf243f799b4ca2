package geo

import (
	"container/heap"
	"math"
)

// visvalingam gives what each point of a closed ring is worth: the area in
// square kilometres of the triangle that goes when the point does, made never
// smaller than that of a point taken before it. Source: M. Visvalingam and
// J. D. Whyatt, Line generalisation by repeated elimination of points, The
// Cartographic Journal 30 (1993) 46-51. The last three points of a ring are
// worth the ring's own surface, so that a ring is kept or lost whole.
func visvalingam(ring []LonLat, pr Projection) []float64 {
	n := len(ring)
	worth := make([]float64, n)
	xs, ys := make([]float64, n), make([]float64, n)
	before, after := make([]int, n), make([]int, n)
	for i, p := range ring {
		xs[i], ys[i] = pr.XY(p)
		before[i], after[i] = (i+n-1)%n, (i+1)%n
	}
	area := func(i int) float64 {
		a, b := before[i], after[i]
		return math.Abs((xs[a]-xs[i])*(ys[b]-ys[i])-(xs[b]-xs[i])*(ys[a]-ys[i])) / 2
	}
	q := &queue{at: make([]int, n)}
	for i := range n {
		q.items = append(q.items, candidate{i, area(i)})
		q.at[i] = i
	}
	heap.Init(q)
	most := 0.0
	for q.Len() > 3 {
		c := heap.Pop(q).(candidate)
		most = math.Max(most, c.area)
		worth[c.point] = most
		a, b := before[c.point], after[c.point]
		after[a], before[b] = b, a
		for _, i := range []int{a, b} {
			q.items[q.at[i]].area = area(i)
			heap.Fix(q, q.at[i])
		}
	}
	whole := math.Max(most, surface(ring, pr))
	for _, c := range q.items {
		worth[c.point] = whole
	}
	return worth
}

type candidate struct {
	point int
	area  float64
}

// queue is a heap of candidates, least area first, that knows where each is.
type queue struct {
	items []candidate
	at    []int
}

func (q *queue) Len() int { return len(q.items) }

func (q *queue) Less(i, j int) bool {
	if q.items[i].area != q.items[j].area {
		return q.items[i].area < q.items[j].area
	}
	return q.items[i].point < q.items[j].point // the same result every time
}

func (q *queue) Swap(i, j int) {
	q.items[i], q.items[j] = q.items[j], q.items[i]
	q.at[q.items[i].point], q.at[q.items[j].point] = i, j
}

// Push adds a candidate, for heap.Interface.
func (q *queue) Push(x any) {
	c := x.(candidate)
	q.at[c.point] = len(q.items)
	q.items = append(q.items, c)
}

// Pop takes the last, for heap.Interface.
func (q *queue) Pop() any {
	last := q.items[len(q.items)-1]
	q.items = q.items[:len(q.items)-1]
	return last
}
