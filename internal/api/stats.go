package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// readQuery reads the days of a question; what else may be wrong is for the cube
// to say.
func readQuery(s *wire.StatsQuery) (cube.Query, error) {
	var f fault.Fields
	q := cube.Query{Text: s.Text, Order: s.Order, Limit: s.Limit, Compare: cube.Compare(s.Compare),
		From: readDay(&f, "from", s.From), To: readDay(&f, "to", s.To)}
	for _, m := range s.Measures {
		q.Measures = append(q.Measures, cube.Measure(m))
	}
	for _, d := range s.By {
		q.By = append(q.By, cube.Dim(d))
	}
	for _, x := range s.Filters {
		q.Filters = append(q.Filters, cube.Filter{Dim: cube.Dim(x.Dim), In: x.In, NotIn: x.NotIn, From: x.From, To: x.To})
	}
	return q, f.Err()
}

// readDay reads "2026-03-03"; "" is 0.
func readDay(f *fault.Fields, field, s string) calendar.Day {
	day, err := calendar.ParseDay(s)
	if err != nil {
		f.Add(field, "error.field.date")
	}
	return day
}

func (a *API) registerStatistics() {
	register(a, huma.Operation{OperationID: "query-statistics", Method: "POST", Path: "/stats/query", Tags: []string{"statistics"},
		Summary: "Ask a question", Description: "Any measures by up to three dimensions under any filters, over a period, within the account's scope. The incidents behind a figure are read from the list of incidents under the same filters."},
		func(ctx context.Context, in *struct{ Body wire.StatsQuery }) (*output[wire.StatsResult], error) {
			who := identity(ctx)
			if err := who.Require(auth.ViewStatistics); err != nil {
				return nil, err
			}
			q, err := readQuery(&in.Body)
			if err != nil {
				return nil, err
			}
			res, err := a.deps.Cube.Run(ctx, who.Scope(), q)
			if err != nil {
				return nil, err
			}
			places, err := a.places(ctx)
			if err != nil {
				return nil, err
			}
			words, err := a.words(ctx)
			if err != nil {
				return nil, err
			}
			req := requestOf(ctx)
			cube.NewLabeler(places, words, locale.For(req.language, req.location)).Fill(&res)
			return &output[wire.StatsResult]{showResult(&res)}, nil
		})
}

func showResult(res *cube.Result) wire.StatsResult {
	out := wire.StatsResult{Rows: make([]wire.StatsRow, len(res.Rows)), Total: showRow(&res.Query, &res.Total), Population: res.Population, Excluded: res.Excluded,
		From: res.From.String(), To: res.To.String(), AsOf: res.AsOf, At: res.At}
	for i := range res.Rows {
		out.Rows[i] = showRow(&res.Query, &res.Rows[i])
	}
	return out
}

func showRow(q *cube.Query, row *cube.Row) wire.StatsRow {
	out := wire.StatsRow{Values: map[string]*float64{}, N: map[string]int{}, Others: row.Others}
	for i, key := range row.Keys {
		if out.Keys == nil {
			out.Keys, out.Labels = map[string]string{}, map[string]string{}
		}
		out.Keys[string(q.By[i])] = key
		if i < len(row.Labels) {
			out.Labels[string(q.By[i])] = row.Labels[i]
		}
	}
	for i, v := range row.Values {
		name := string(q.Measures[i])
		out.Values[name], out.N[name] = showValue(v), v.N
	}
	for i, v := range row.Before {
		if out.Before == nil {
			out.Before = map[string]*float64{}
		}
		out.Before[string(q.Measures[i])] = showValue(v)
	}
	return out
}

func showValue(v cube.Value) *float64 {
	if !v.Valid {
		return nil
	}
	return &v.V
}
