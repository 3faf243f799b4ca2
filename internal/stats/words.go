package stats

// Words that emerge: those that tickets of now hold more than those of before.
//
// Monroe B. L., Colaresi M. P., Quinn K. M. (2008), Fightin' Words: lexical
// feature selection and evaluation for identifying the content of political
// conflict, Polit. Anal. 16, 372-403.

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Word is a word with the number of tickets that hold it now and before, the
// log-odds ratio and how many standard errors it is away from none. P is the
// chance that so many of the tickets that hold it are of now, if now and before
// use words alike (exact): Z stays small, by its construction, for a word never
// met before, however often it comes now.
type Word struct {
	Word        string
	Now, Before int
	LogOdds     float64
	Z           float64
	P           float64
}

// wordPrior is the weight, in words, of the shares over both periods.
const wordPrior = 10

// EmergingWords compares the words of tickets (each word once a ticket): all
// those of now, the most surprising first. Those to show have Z above 3.
func EmergingWords(now, before map[string]int) []Word {
	n1, n2 := 0, 0
	for _, n := range now {
		n1 += n
	}
	for _, n := range before {
		n2 += n
	}
	all := float64(n1 + n2)
	out := make([]Word, 0, len(now))
	for w := range now {
		out = append(out, wordOdds(w, now[w], before[w], float64(n1), float64(n2), all))
	}
	for w := range before {
		if _, both := now[w]; !both {
			out = append(out, wordOdds(w, 0, before[w], float64(n1), float64(n2), all))
		}
	}
	slices.SortFunc(out, func(a, b Word) int { return cmp.Or(cmp.Compare(b.Z, a.Z), cmp.Compare(a.Word, b.Word)) })
	return out
}

func wordOdds(word string, now, before int, n1, n2, all float64) Word {
	x, y := float64(now), float64(before)
	a := wordPrior * (x + y) / all
	w := Word{Word: word, Now: now, Before: before}
	w.LogOdds = math.Log((x+a)/(n1+wordPrior-x-a)) - math.Log((y+a)/(n2+wordPrior-y-a))
	w.Z = w.LogOdds / math.Sqrt(1/(x+a)+1/(y+a))
	w.P = 1
	if now > 0 {
		w.P = mathext.RegIncBeta(x, y+1, n1/(n1+n2)) // binomial tail
	}
	return w
}
