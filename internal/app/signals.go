package app

import (
	"context"
	"fmt"

	"statincidents/internal/analysis"
	"statincidents/internal/calendar"
	"statincidents/internal/signal"
	"statincidents/internal/stats"
)

// signals ties the night's methods to the signals: what they found is observed,
// what people judged true is not learned from.
func (a *App) signals() {
	a.Analysis.Learn(a.learned)
	a.Analysis.After(a.observe)
	a.Analysis.After(a.observeZones)
}

// learned are the stretches that people judged truly out of the ordinary.
func (a *App) learned(ctx context.Context) ([]analysis.Outbreak, error) {
	lessons, err := a.Signals.Learned(ctx)
	var out []analysis.Outbreak
	for _, l := range lessons {
		// A drift is how things have become; what other methods find is made of
		// incidents that no series of weeks holds apart.
		if l.Method == signal.Warning {
			out = append(out, analysis.Outbreak{Schools: l.About.Schools, Category: l.About.Category, From: l.First, To: l.To})
		}
	}
	return out, err
}

// observe hands what the night found to the signals, week after week from the
// last one that they have seen: at the first start the past comes first.
func (a *App) observe(ctx context.Context, w *analysis.World) error {
	out, _, err := analysis.Latest(ctx, a.Analysis, analysis.EarlyWarning)
	if err != nil {
		return err
	}
	this := w.Today.Week()
	if r := out.Refusal; r != nil {
		args := map[string]any{"have": r.Have, "least": r.Least}
		return a.Signals.Refuse(ctx, signal.Warning, this, "signal.refused."+string(r.Why), args)
	}
	seen, err := a.Signals.Seen(ctx, signal.Warning)
	if err != nil {
		return err
	}
	drifted, err := a.Signals.Seen(ctx, signal.Drift)
	if err != nil {
		return err
	}
	for k, week := range out.Weeks {
		options := []signal.Option{signal.Among(week.Tested)}
		if week.Partial {
			options = append(options, signal.Partly())
		}
		if week.Monday >= seen {
			found, err := warned(ctx, w, signal.Warning, week.Monday, week.Found, k+wordWeeks >= len(out.Weeks))
			if err == nil {
				err = a.Signals.Observe(ctx, signal.Warning, week.Monday, found, options...)
			}
			if err != nil {
				return fmt.Errorf("signals of the week of %s: %w", week.Monday, err)
			}
		}
		if week.Monday >= drifted {
			found, err := warned(ctx, w, signal.Drift, week.Monday, week.Drifts, k+1 == len(out.Weeks))
			if err == nil {
				err = a.Signals.Observe(ctx, signal.Drift, week.Monday, found, options...)
			}
			if err != nil {
				return fmt.Errorf("rises up to the week of %s: %w", week.Monday, err)
			}
		}
	}
	return nil
}

// observeZones hands the zones of the last whole week to the signals. A school
// alone is the early warning's affair.
func (a *App) observeZones(ctx context.Context, w *analysis.World) error {
	out, _, err := analysis.Latest(ctx, a.Analysis, analysis.Zones)
	if err != nil {
		return err
	}
	if r := out.Refusal; r != nil {
		args := map[string]any{"have": r.Have, "least": r.Least}
		return a.Signals.Refuse(ctx, signal.Zone, w.Today.Week(), "signal.refused."+string(r.Why), args)
	}
	if len(out.Study) == 0 {
		return nil
	}
	week := out.Study[len(out.Study)-1].Monday
	seen, err := a.Signals.Seen(ctx, signal.Zone)
	if err != nil || week < seen {
		return err
	}
	var found []signal.Finding
	for k := range out.Zones {
		if z := &out.Zones[k]; len(z.Members) > 1 {
			found = append(found, zoned(w, z))
		}
	}
	if err := a.Signals.Observe(ctx, signal.Zone, week, found, signal.Among(len(out.Scans))); err != nil {
		return fmt.Errorf("zones of the week of %s: %w", week, err)
	}
	return nil
}

// zoned makes a finding of a zone.
func zoned(w *analysis.World, z *analysis.Zone) signal.Finding {
	centre, _ := w.Places.School(z.Centre)
	f := signal.Finding{
		Series: fmt.Sprintf("zone category %d centre %d", z.Category, z.Centre), About: signal.About{Category: z.Category, Label: centre.Commune}, Flagged: z.Alert(),
		Figures: signal.Figures{Observed: float64(z.Observed), Expected: z.Expected, P: max(z.P, 1e-300), Window: z.Weeks, First: z.Since},
		Since:   signal.Since{Week: z.Since},
	}
	if z.Expected > 0 {
		f.Ratio = float64(z.Observed) / z.Expected
	}
	for _, m := range z.Members {
		f.Schools = append(f.Schools, m.School)
	}
	for _, p := range z.History[max(0, len(z.History)-signal.MaxHistory):] {
		f.History = append(f.History, signal.Point{Week: p.Monday, Observed: float64(p.Observed), Expected: p.Expected})
	}
	return f
}

// wordWeeks is how many of the last weeks are read for words: those before are
// the past, at a first start only.
const wordWeeks = 4

// warned makes findings of the series that a week was warned of.
func warned(ctx context.Context, w *analysis.World, method signal.Method, monday calendar.Day, series []analysis.Warned, worded bool) ([]signal.Finding, error) {
	words := make([][]stats.Word, len(series))
	if worded {
		var err error
		if words, err = w.EmergingWords(ctx, monday+7, series); err != nil {
			return nil, err
		}
	}
	found := make([]signal.Finding, len(series))
	for k := range series {
		one := &series[k]
		f := signal.Finding{
			Series: fmt.Sprintf("school %d category %d", one.School, one.Category), About: signal.About{Category: one.Category}, Flagged: one.Alert,
			Figures: signal.Figures{Observed: float64(one.Observed), Expected: one.Expected, Low: one.Low, High: one.High, P: one.P, Window: one.Weeks, First: one.First},
		}
		if one.School != 0 {
			f.Schools = []int64{one.School}
		}
		if one.Expected > 0 {
			f.Ratio = float64(one.Observed) / one.Expected
		}
		if method == signal.Drift {
			f.Flagged, f.P = true, 0 // a rise that is told of has not come to rest
		} else {
			f.P = max(f.P, 1e-300)
		}
		if since := one.Since; since != nil {
			f.Since = signal.Since{Week: since.Monday, Low: since.From, High: since.To, Before: since.Before, After: since.After}
		}
		for _, p := range one.History {
			f.History = append(f.History, signal.Point{Week: p.Monday, Observed: float64(p.Observed), Expected: p.Expected, Low: float64(p.Low), High: float64(p.High)})
		}
		f.Words = emerged(words[k])
		found[k] = f
	}
	return found, nil
}

func emerged(words []stats.Word) []signal.Word {
	var out []signal.Word
	for _, word := range words {
		out = append(out, signal.Word{Word: word.Word, N: word.Now, Score: word.Z})
	}
	return out
}
