package cube

import (
	"fmt"
	"slices"
	"strings"

	"statincidents/internal/fault"
)

// check refuses a question that cannot be answered, field by field. Fields are
// named as in JSON: "measures", "by", "filters[2].in", "from"…
func (q Query) check() error {
	var f fault.Fields
	switch {
	case len(q.Measures) == 0:
		f.Add("measures", "error.field.required")
	case len(q.Measures) > MaxMeasures:
		f.Add("measures", "error.cube.too_many", "max", MaxMeasures)
	}
	for i, m := range q.Measures {
		switch {
		case !m.Valid():
			f.Add("measures", "error.cube.unknown_measure", "value", short(string(m)))
		case slices.Contains(q.Measures[:i], m):
			f.Add("measures", "error.cube.twice", "value", string(m))
		}
	}
	if len(q.By) > MaxDimensions {
		f.Add("by", "error.cube.too_many", "max", MaxDimensions)
	}
	for i, d := range q.By {
		switch {
		case !d.Valid():
			f.Add("by", "error.cube.unknown_dimension", "value", short(string(d)))
		case slices.Contains(q.By[:i], d):
			f.Add("by", "error.cube.twice", "value", string(d))
		}
	}
	checkFilters(&f, q.Filters)
	checkPeriod(&f, q)
	if q.Limit < 0 || q.Limit > MaxFilterValues {
		f.Add("limit", "error.field.range", "min", 0, "max", MaxFilterValues)
	}
	if name := strings.TrimPrefix(q.Order, "-"); name != "" && name != "key" && !slices.Contains(q.Measures, Measure(name)) {
		f.Add("order", "error.cube.order", "value", short(q.Order))
	} else if q.Order == "-" {
		f.Add("order", "error.cube.order", "value", "-")
	}
	switch q.Compare {
	case CompareNone:
	case ComparePrevious, CompareSchoolYear:
		if q.From == 0 {
			f.Add("compare", "error.cube.compare_without_from")
		}
	default:
		f.Add("compare", "error.field.unknown")
	}
	return f.Err()
}

func checkPeriod(f *fault.Fields, q Query) {
	for name, day := range map[string]int{"from": int(q.From), "to": int(q.To)} {
		if day < 0 || day > maxDay {
			f.Add(name, "error.field.date")
			return
		}
	}
	if q.To != 0 && q.From != 0 && q.To <= q.From {
		f.Add("to", "error.cube.period_empty")
	}
	if q.To != 0 && int(q.To-q.From) > MaxPeriod && q.From != 0 {
		f.Add("to", "error.cube.period_long", "max", MaxPeriod)
	}
}

// maxDay keeps days within two bytes in the columns: 2149-06-05.
const maxDay = 65_534

func checkFilters(f *fault.Fields, filters []Filter) {
	if len(filters) > MaxFilters {
		f.Add("filters", "error.cube.too_many", "max", MaxFilters)
		return
	}
	for i, filter := range filters {
		field := fmt.Sprintf("filters[%d]", i)
		if !filter.Dim.Valid() {
			f.Add(field+".dim", "error.cube.unknown_dimension", "value", short(string(filter.Dim)))
			continue
		}
		if len(filter.In) == 0 && len(filter.NotIn) == 0 && filter.From == "" && filter.To == "" {
			f.Add(field, "error.cube.filter_empty")
		}
		for name, keys := range map[string][]string{".in": filter.In, ".not_in": filter.NotIn} {
			if len(keys) > MaxFilterValues {
				f.Add(field+name, "error.cube.too_many", "max", MaxFilterValues)
				continue
			}
			for _, key := range keys {
				if filter.Dim.checkKey(key) != nil {
					f.Add(field+name, "error.cube.key", "value", short(key))
				}
			}
		}
		for name, key := range map[string]string{".from": filter.From, ".to": filter.To} {
			if key != "" && filter.Dim.checkKey(key) != nil {
				f.Add(field+name, "error.cube.key", "value", short(key))
			}
		}
	}
}

// check refuses a list that cannot be made.
func (q ListQuery) check() error {
	var f fault.Fields
	checkFilters(&f, q.Filters)
	checkPeriod(&f, Query{From: q.From, To: q.To})
	if q.Measure != "" && !q.Measure.Valid() {
		f.Add("measure", "error.cube.unknown_measure", "value", short(string(q.Measure)))
	}
	if q.Shift < 0 || q.Shift > MaxPeriod {
		f.Add("shift", "error.field.range", "min", 0, "max", MaxPeriod)
	}
	if _, ok := sortKeys[strings.TrimPrefix(q.Sort, "-")]; !ok && q.Sort != "" {
		f.Add("sort", "error.cube.order", "value", short(q.Sort))
	}
	if q.Limit < 0 || q.Limit > MaxList {
		f.Add("limit", "error.field.range", "min", 1, "max", MaxList)
	}
	if q.After != "" {
		if _, err := parseCursor(q.After); err != nil {
			f.Add("after", "error.field.format")
		}
	}
	return f.Err()
}

// short keeps what a refusal repeats within a sentence.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
