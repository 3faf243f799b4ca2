package analysis

import (
	"cmp"
	"context"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/stats"
)

// RateLevel is that of the limits of rates.
const RateLevel = 0.95

const (
	// FewForDigits is the count under which a rate is shown by its interval, without decimals.
	FewForDigits = 5
	// FewForPublic is the count under which nothing is shown in a public document.
	FewForPublic = 3
)

// RateBy is what rates are set side by side by.
type RateBy string

// By school, or by the type of incident just under the one that is asked for.
const (
	RateBySchool   RateBy = "school"
	RateByCategory RateBy = "category"
)

// RatesQuery asks for rates over the days [from, to); To = 0 is until now,
// From = 0 from the first incident on.
type RatesQuery struct {
	By       RateBy
	From, To calendar.Day
	School   int64 // only this one, 0 for all in scope
	Category int64 // only this type and what is under it, 0 for all
}

// RateRow is the rate of a school or of a type: incidents for 100 computers
// and a school year of SchoolYearWeeks full weeks.
type RateRow struct {
	ID   int64 // of the school or the type; 0 is a type that is not known, or of all
	Rate stats.Rate
	MidP stats.Interval // narrower limits, for tiny counts
}

// Tiny tells whether there are too few incidents for more than an interval.
func (r RateRow) Tiny() bool { return r.Rate.Events < FewForDigits }

// Rates are those of a département or a school.
type Rates struct {
	Refusal  *Refusal
	From, To calendar.Day
	All      RateRow
	Rows     []RateRow // the highest first
	Unknown  int       // schools in scope without a known number of computers
	Missed   int       // their incidents, which are in no rate
	Late     float64   // share of the last seven days' incidents that are entered by now, by the usual delays; 0 when not known
}

// Rates sets rates side by side, within the reader's scope. Incidents of
// schools whose number of computers is not known are in none.
func (s *Service) Rates(ctx context.Context, scope auth.Scope, q RatesQuery) (Rates, error) {
	var out Rates
	places, err := s.Places.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return out, err
	}
	words, err := s.Words.Index(ctx, s.cfg.Tenant)
	if err != nil {
		return out, err
	}
	list := cube.ListQuery{From: q.From, To: q.To}
	if q.School != 0 {
		list.Filters = append(list.Filters, cube.Filter{Dim: cube.DimSchool, In: []string{number(q.School)}})
	}
	if q.Category != 0 {
		list.Filters = append(list.Filters, CategoryFilter(words, q.Category))
	}
	// The cube says which days the period is.
	res, err := s.Cube.Run(ctx, scope, cube.Query{Measures: []cube.Measure{cube.Count}, From: q.From, To: q.To, Filters: list.Filters})
	if err != nil {
		return out, err
	}
	today := calendar.DayOf(s.cfg.Now(), s.cfg.Location)
	out.From, out.To = res.From, min(res.To, today+1)

	exposure := map[int64]float64{} // by school, in 100 computers × school years
	sum := 0.0
	for _, school := range places.SchoolsIn(scope) {
		if q.School != 0 && school.ID != q.School {
			continue
		}
		if w := computerWeeks(places, school.ID, out.From, out.To) / SchoolYearWeeks / 100; w > 0 {
			exposure[school.ID], sum = w, sum+w
		} else {
			out.Unknown++
		}
	}
	counts, total := map[int64]int{}, 0
	err = s.Cube.Each(ctx, scope, list, func(f *cube.Fact) {
		if exposure[f.School] == 0 {
			out.Missed++
			return
		}
		total++
		if q.By == RateBySchool {
			counts[f.School]++
		} else {
			counts[under(words.Path(f.Category), q.Category)]++
		}
	})
	if err != nil {
		return out, err
	}
	switch weeks := OpenWeeks(places.Calendar(0), out.From, out.To); {
	case sum == 0:
		out.Refusal = &Refusal{Why: NoComputers}
	case weeks < 1:
		out.Refusal = &Refusal{FewWeeks, float64(weeks), 1}
	}
	if out.Refusal != nil {
		return out, nil
	}
	out.All = rateRow(0, total, sum)
	if q.By == RateBySchool {
		for school, e := range exposure {
			out.Rows = append(out.Rows, rateRow(school, counts[school], e))
		}
	} else {
		for category, n := range counts {
			out.Rows = append(out.Rows, rateRow(category, n, sum))
		}
	}
	slices.SortFunc(out.Rows, func(a, b RateRow) int {
		return cmp.Or(cmp.Compare(b.Rate.Value, a.Rate.Value), cmp.Compare(a.ID, b.ID))
	})
	if out.To > today-7 {
		if late, _, err := Latest(ctx, s, LateEntry); err == nil && late.Entered >= LeastEvents {
			for d := range 7 {
				out.Late += late.Share.After(d) / 7
			}
		}
	}
	return out, nil
}

func rateRow(id int64, events int, exposure float64) RateRow {
	r := RateRow{ID: id}
	r.Rate, _ = stats.RateOf(events, exposure, RateLevel)
	r.MidP = stats.PoissonMidP(events, RateLevel).Over(exposure)
	return r
}

// under is the type just below another one on a path, the one itself when the
// path ends there; the top of the path when the other is 0.
func under(path []int64, category int64) int64 {
	if len(path) == 0 {
		return 0
	}
	if category == 0 {
		return path[0]
	}
	k := slices.Index(path, category)
	if k >= 0 && k+1 < len(path) {
		return path[k+1]
	}
	return category
}

// Public takes out of rates what a public document must not show: rows of
// fewer than FewForPublic incidents, and the smallest other one where a single
// hidden row could be worked out from the total.
func (r *Rates) Public() (hidden int) {
	few := func(row RateRow) bool { return row.Rate.Events > 0 && row.Rate.Events < FewForPublic }
	n := 0
	for _, row := range r.Rows {
		if few(row) {
			n++
		}
	}
	least := -1
	if n == 1 {
		for k, row := range r.Rows {
			if row.Rate.Events >= FewForPublic && (least < 0 || row.Rate.Events <= r.Rows[least].Rate.Events) {
				least = k
			}
		}
	}
	kept := r.Rows[:0:0]
	for k, row := range r.Rows {
		if few(row) || k == least {
			hidden++
			continue
		}
		kept = append(kept, row)
	}
	r.Rows = kept
	return hidden
}
