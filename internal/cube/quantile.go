package cube

import (
	"math"
	"slices"
)

// quantiles computes several quantiles of unsorted values without sorting them
// all. Values are left as they are; scratch is reused.
func quantiles(values []uint32, qs []quantile, scratch *[]uint32) []float64 {
	out := make([]float64, len(qs))
	n := len(values)
	if n == 0 {
		return out
	}
	if n < histogramFrom {
		*scratch = append((*scratch)[:0], values...)
		s := *scratch
		if n < 32 {
			slices.Sort(s)
		}
		for k, q := range qs {
			i, weight := q.index(n)
			out[k] = between(s, i, weight, q)
		}
		return out
	}
	var counts [buckets]uint32
	for _, v := range values {
		counts[bucketOf(v)]++
	}
	for k, q := range qs {
		i, weight := q.index(n)
		// The bucket of the i-th value, and how many values come before it.
		b, before := 0, 0
		for before+int(counts[b]) <= i {
			before += int(counts[b])
			b++
		}
		// The next value is in the same bucket or the next one that holds any.
		last := b
		if i+1 >= before+int(counts[b]) && i+1 < n {
			for last++; counts[last] == 0; last++ {
			}
		}
		size := 0
		for x := b; x <= last; x++ {
			size += int(counts[x])
		}
		s := slices.Grow((*scratch)[:0], size+1)[:size+1]
		lo, hi := uint32(firstOf(uint32(b))), uint32(firstOf(uint32(last)+1)-1)
		at := 0
		for _, v := range values {
			s[at] = v // kept if in the buckets; else the next one takes its place
			at += bit(v-lo <= hi-lo)
		}
		s = s[:size]
		*scratch = s
		out[k] = between(s, i-before, weight, q)
	}
	return out
}

// histogramFrom is from how many values on two passes with a histogram beat
// selection in place (measured).
const histogramFrom = 2048

// bucketOf places a value on a scale of 64 steps a doubling: the exponent and
// six bits of the value as a floating-point number, which keep its order.
func bucketOf(v uint32) uint32 {
	if v == 0 {
		return 0
	}
	return math.Float32bits(float32(v))>>17 - 127<<6 + 1
}

// firstOf is the smallest value of a bucket (or of a later one, when rounding
// to a floating-point number leaves the bucket without any).
func firstOf(bucket uint32) uint64 {
	if bucket == 0 {
		return 0
	}
	f := math.Float32frombits((bucket - 1 + 127<<6) << 17)
	v := min(uint64(math.Ceil(float64(f))), 1<<32)
	// Values of more than 24 bits are rounded to the nearest float, which may
	// lift the last ones of the bucket below.
	for v > 0 && bucketOf(uint32(v-1)) >= bucket {
		v--
	}
	return v
}

const buckets = 33*64 + 2

// between gives the value a weight of the way from the i-th smallest to the
// next one. It reorders s.
func between(s []uint32, i int, weight float64, q quantile) float64 {
	a := nth(s, i)
	if weight == 0 || i+1 >= len(s) {
		return float64(a)
	}
	return q.of(a, slices.Min(s[i+1:]), weight)
}

// nth puts the i-th smallest value in its place, the smaller ones before it and
// the others after (Hoare's selection, median of three).
func nth(s []uint32, i int) uint32 {
	lo, hi := 0, len(s)-1
	for hi-lo > 16 {
		mid := lo + (hi-lo)/2
		if s[mid] < s[lo] {
			s[mid], s[lo] = s[lo], s[mid]
		}
		if s[hi] < s[lo] {
			s[hi], s[lo] = s[lo], s[hi]
		}
		if s[hi] < s[mid] {
			s[hi], s[mid] = s[mid], s[hi]
		}
		pivot := s[mid]
		a, b := lo, hi
		for a <= b {
			for s[a] < pivot {
				a++
			}
			for s[b] > pivot {
				b--
			}
			if a <= b {
				s[a], s[b] = s[b], s[a]
				a++
				b--
			}
		}
		switch {
		case i <= b:
			hi = b
		case i >= a:
			lo = a
		default:
			return s[i]
		}
	}
	slices.Sort(s[lo : hi+1])
	return s[i]
}
