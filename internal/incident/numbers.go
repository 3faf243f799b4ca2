package incident

import (
	"slices"
	"strconv"
	"strings"
)

// MaxRelated is how many incidents one may be related to.
const MaxRelated = 50

// Numbers is a set of incidents in the one form that compares as a value:
// "12 47 113", in order.
type Numbers string

// List gives the numbers in order.
func (n Numbers) List() []int64 {
	if n == "" {
		return nil
	}
	var ids []int64
	for word := range strings.FieldsSeq(string(n)) {
		if id, err := strconv.ParseInt(word, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// NumbersOf makes a set of numbers, in any order.
func NumbersOf(ids ...int64) Numbers {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	words := make([]string, 0, len(ids))
	for _, id := range slices.Compact(ids) {
		words = append(words, strconv.FormatInt(id, 10))
	}
	return Numbers(strings.Join(words, " "))
}

// With adds a number.
func (n Numbers) With(id int64) Numbers { return NumbersOf(append(n.List(), id)...) }

// Without takes a number out.
func (n Numbers) Without(id int64) Numbers {
	return NumbersOf(slices.DeleteFunc(n.List(), func(other int64) bool { return other == id })...)
}
