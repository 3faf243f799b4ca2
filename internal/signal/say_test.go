package signal

import (
	"strings"
	"testing"
	"time"

	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/locale"
)

// Sentences of signals, as people read them.
func TestSentence(t *testing.T) {
	t.Parallel()
	fr := Names{Printer: locale.For(locale.French, time.UTC), Places: &directory.Index{}, Words: &catalog.Index{}, Today: monday + 2}
	en := fr
	en.Printer = locale.For(locale.English, time.UTC)
	one := func(m Method, f Figures) *Signal {
		return &Signal{Method: m, About: About{Label: "OptiPlex 7010"}, State: Open, Entries: []Entry{{Week: monday, Figures: f}}}
	}
	for name, c := range map[string]struct {
		in     *Names
		signal *Signal
		want   string
	}{
		"this week":  {&fr, one(Factor, Figures{Observed: 9, Expected: 2, P: 1 / 397.0}), "Tout le département, OptiPlex 7010 : 9 incidents au lieu de 2 attendus cette semaine ; un tel écart n’arrive par hasard qu’une semaine sur 400."},
		"one":        {&fr, one(Factor, Figures{Observed: 1, Expected: 0.2, P: 0.04}), "Tout le département, OptiPlex 7010 : 1 incident au lieu de 0,2 attendu cette semaine ; un tel écart n’arrive par hasard qu’une semaine sur 25."},
		"without p":  {&fr, one(Drift, Figures{Observed: 20, Expected: 15.3, Window: 6}), "Tout le département, OptiPlex 7010 : petite hausse, mais qui dure ; 20 incidents au lieu de 15 attendus en 6 semaines d’ouverture."},
		"very rare":  {&en, one(Factor, Figures{Observed: 146, Expected: 2, P: 1e-90}), "The whole département, OptiPlex 7010: 146 incidents instead of 2 expected this week; such a gap comes by chance in less than one week out of a million."},
		"of a place": {&en, &Signal{Method: Zone, About: About{Label: "Pithiviers", Schools: []int64{1, 2, 3}}, Entries: []Entry{{Week: monday - 7, Figures: Figures{Observed: 77, Expected: 42, Window: 3}}}}, "Around Pithiviers (3 schools), all types of problem: 77 incidents instead of 42 expected in 3 open weeks, up to that of 23 February 2026."},
	} {
		if got := plain(c.in.Sentence(c.signal, c.signal.Current())); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
	s := one(Warning, Figures{})
	s.Since = Since{Week: monday, Low: monday - 7, High: monday + 7, Before: 4, After: 7}
	if got, want := plain(en.Pace(s)), "The pace changed around the week of 2 March 2026: from 4.0 to 7.0 incidents a week. That date lies, at 95%, between 23 February 2026 and 9 March 2026."; got != want {
		t.Error(got)
	}
}

// plain has ordinary spaces.
func plain(s string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(s)
}
