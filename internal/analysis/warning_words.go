package analysis

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"statincidents/internal/calendar"
	"statincidents/internal/stats"
)

// What emerging words are shown with.
const (
	wordWeeks   = 84 // days before, that words are compared with
	wordAtLeast = 3  // incidents that hold a word
	wordLetters = 3
	wordAbove   = 3.0  // standard errors
	wordChance  = 0.01 // of one such word among all, for those never met before
	mostWords   = 8
)

// EmergingWords gives, for each series warned of in a week (To is the Monday
// after it), the words that its incidents hold more than the others of the same
// type, the most surprising first. Names of people of the directory and numbers
// are left out. Nothing of it is kept with the results of the night.
func (w *World) EmergingWords(ctx context.Context, to calendar.Day, series []Warned) ([][]stats.Word, error) {
	out := make([][]stats.Word, len(series))
	if len(series) == 0 || w.texts == nil {
		return out, nil
	}
	texts, err := w.texts(ctx, (to - wordWeeks).Start(w.Location))
	if err != nil {
		return nil, err
	}
	unsaid := map[string]bool{}
	for _, p := range w.Places.People() {
		for _, name := range wordsOf(p.Name) {
			unsaid[name.key] = true
		}
	}
	held := map[int64][]word{} // by incident
	for id, text := range texts {
		once := map[string]bool{}
		for _, one := range wordsOf(text) {
			if !once[one.key] && !unsaid[one.key] {
				once[one.key] = true
				held[id] = append(held[id], one)
			}
		}
	}
	for k := range series {
		out[k] = w.emerging(&series[k], to, held)
	}
	return out, nil
}

func (w *World) emerging(s *Warned, to calendar.Day, held map[int64][]word) []stats.Word {
	now, before, shown := map[string]int{}, map[string]int{}, map[string]string{}
	for k := range w.Facts {
		f := &w.Facts[k]
		words := held[f.ID]
		if len(words) == 0 || f.Happened >= to {
			continue
		}
		path := w.Words.Path(f.Category)
		if s.Category != 0 && (len(path) == 0 || path[0] != s.Category) {
			continue
		}
		into := before
		if f.Happened >= s.First && (s.School == 0 || f.School == s.School) {
			into = now
		}
		for _, one := range words {
			into[one.key]++
			if shown[one.key] == "" {
				shown[one.key] = one.text
			}
		}
	}
	if len(before) == 0 {
		return nil
	}
	var out []stats.Word
	all := stats.EmergingWords(now, before)
	for _, one := range all {
		if one.Now >= wordAtLeast && one.LogOdds > 0 && (one.Z > wordAbove || one.P*float64(len(all)) < wordChance) {
			one.Word = shown[one.Word]
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(a, b stats.Word) int { return cmp.Compare(a.P, b.P) })
	return out[:min(len(out), mostWords)]
}

// word is a word as it is compared, and as it is written.
type word struct{ key, text string }

func wordsOf(text string) []word {
	var out []word
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len([]rune(w)) < wordLetters || strings.ContainsFunc(w, unicode.IsDigit) {
			continue
		}
		key, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), w)
		if err == nil {
			out = append(out, word{key, w})
		}
	}
	return out
}
