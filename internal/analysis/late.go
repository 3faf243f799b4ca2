package analysis

import (
	"context"

	"statincidents/internal/stats"
)

// LateEntry is how late incidents are entered after they happened: what makes
// every last week look calm.
var LateEntry = Method[LateInput, LateOutput]{
	Name: "late-entry", Version: 1,
	Gather: func(_ context.Context, w *World) (LateInput, error) {
		first := max(0, len(w.Weeks)-lateWeeks)
		var in LateInput
		if len(w.Weeks) == 0 {
			return in, nil
		}
		from := w.Weeks[first].Monday
		for k := range w.Facts {
			f := &w.Facts[k]
			if f.Happened < from || f.Happened > w.Today {
				continue
			}
			in.Delays = append(in.Delays, stats.Delay{Days: max(0, int(f.Day-f.Happened)), Seen: int(w.Today - f.Happened)})
		}
		return in, nil
	},
	Run: func(_ context.Context, in LateInput, _ uint64) (LateOutput, error) {
		return LateOutput{Share: stats.CompletenessOf(in.Delays, lateDays), Entered: len(in.Delays)}, nil
	},
}

const (
	lateWeeks = 20 // open weeks from which delays are learnt
	lateDays  = 28 // after which an entry is no longer waited for
)

// LateInput are the delays of entry of the last open weeks.
type LateInput struct{ Delays []stats.Delay }

// LateOutput is the share entered within so many days.
type LateOutput struct {
	Share   stats.Completeness
	Entered int
}
