package similar

import (
	"math"
	"slices"
	"strings"

	"statincidents/internal/search"
)

// Do two texts say the same thing? Half the cosine of their stems, half that of
// their groups of three to five letters, which bear typing mistakes; both
// weighted by how rare each is among the texts that are compared (Salton G.,
// Buckley C. (1988), Inf. Process. Manag. 24, 513-523; as scikit-learn's
// TfidfVectorizer with sublinear_tf and char_wb).
//
// Text alone is not enough: on French tickets with typing mistakes and words
// dropped, the best of these measures finds near-duplicates with an F1 of 0.6.
// Who groups incidents asks for the same place, machine or type as well, and a
// person confirms.

const (
	fewestLetters = 3
	mostLetters   = 5
	// maxRead cuts what is read of a text, in bytes.
	maxRead = 1200
)

// spoken are the abbreviations of the trade, written out before texts are
// compared; all folded.
var spoken = map[string]string{
	"mdp": "mot passe", "hs": "hors service", "vp": "videoprojecteur", "video": "videoprojecteur", "ordi": "ordinateur", "pc": "ordinateur",
	"imp": "imprimante", "photocopieur": "copieur", "photocopieuse": "copieur", "wi": "wifi", "maj": "mise jour", "tni": "tbi", "vpi": "tbi",
}

// feature is a stem or a group of letters of a text, with its weight.
type feature struct {
	id     uint32
	weight float64
}

// vectors are texts as weights of their features, each of length 1.
type vectors [][]feature

// weigh makes vectors of texts given by their features, repeats included.
func weigh(texts [][]string) vectors {
	number := map[string]uint32{}
	var df []float64
	out := make(vectors, len(texts))
	for k, features := range texts {
		times := map[uint32]float64{}
		for _, f := range features {
			id, known := number[f]
			if !known {
				id = uint32(len(df))
				number[f] = id
				df = append(df, 0)
			}
			if times[id]++; times[id] == 1 {
				df[id]++
			}
		}
		out[k] = make([]feature, 0, len(times))
		for id, n := range times {
			out[k] = append(out[k], feature{id, 1 + math.Log(n)})
		}
		slices.SortFunc(out[k], func(a, b feature) int { return int(a.id) - int(b.id) })
	}
	n := float64(len(texts))
	for _, v := range out {
		length := 0.0
		for k := range v {
			v[k].weight *= math.Log((1+n)/(1+df[v[k].id])) + 1
			length += v[k].weight * v[k].weight
		}
		length = math.Sqrt(length)
		for k := range v {
			v[k].weight /= length
		}
	}
	return out
}

// cosine of two of them.
func (v vectors) cosine(i, j int) float64 {
	a, b := v[i], v[j]
	sum := 0.0
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].id < b[0].id:
			a = a[1:]
		case a[0].id > b[0].id:
			b = b[1:]
		default:
			sum += a[0].weight * b[0].weight
			a, b = a[1:], b[1:]
		}
	}
	return sum
}

// letters are the groups of letters of words, each word with a blank on either
// side; a group does not run over a blank.
func letters(words []string) []string {
	var out []string
	for _, w := range words {
		w = " " + w + " "
		for n := fewestLetters; n <= mostLetters; n++ {
			if len(w) <= n {
				out = append(out, w)
				break
			}
			for at := 0; at+n <= len(w); at++ {
				out = append(out, w[at:at+n])
			}
		}
	}
	return out
}

// Texts compares some texts with one another.
type Texts struct{ stems, letters vectors }

// NewTexts reads texts; what is rare is what is rare among them.
func NewTexts(texts []string) *Texts {
	stems, groups := make([][]string, len(texts)), make([][]string, len(texts))
	for k, text := range texts {
		if len(text) > maxRead {
			text = strings.ToValidUTF8(text[:maxRead], "")
		}
		var words []string
		search.EachWord(text, func(w string) {
			if long, ok := spoken[w]; ok {
				words = append(words, strings.Fields(long)...)
				return
			}
			words = append(words, w)
		})
		for _, w := range words {
			if search.Says(w) {
				stems[k] = append(stems[k], search.Stem(w))
			}
		}
		groups[k] = letters(words)
	}
	return &Texts{weigh(stems), weigh(groups)}
}

// Like is how much two of the texts, given by their places, say the same: from
// 0 to 1.
func (a *Texts) Like(i, j int) float64 {
	return min(1, (a.stems.cosine(i, j)+a.letters.cosine(i, j))/2)
}

// Link is a pair of things that go together.
type Link struct{ A, B int }

// Clusters puts n things in groups, so that those linked are together (single
// linkage): for each, the lowest place in its group.
func Clusters(n int, links []Link) []int {
	at := make([]int, n)
	for k := range at {
		at[k] = k
	}
	find := func(k int) int {
		for at[k] != k {
			at[k] = at[at[k]]
			k = at[k]
		}
		return k
	}
	for _, l := range links {
		a, b := find(l.A), find(l.B)
		at[max(a, b)] = min(a, b)
	}
	for k := range at {
		at[k] = find(k)
	}
	return at
}
