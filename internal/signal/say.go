package signal

import (
	"math"
	"strings"

	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/locale"
)

// Names is what sentences about signals need.
type Names struct {
	Printer *locale.Printer
	Places  *directory.Index
	Words   *catalog.Index
	Today   calendar.Day
}

// Where says the place of a signal in a few words: a school, several, all.
func (n *Names) Where(s *Signal) string {
	p := n.Printer
	switch {
	case s.Method == Zone && s.Label != "":
		return p.N("signal.where.around", len(s.Schools), "place", s.Label)
	case len(s.Schools) == 1:
		return n.Places.SchoolName(s.Schools[0])
	case len(s.Schools) > 1:
		return p.N("signal.where.schools", len(s.Schools))
	}
	return p.T("signal.where.all")
}

// What says which incidents a signal is about: their type, machine, model.
func (n *Names) What(s *Signal) string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if s.Category != 0 {
		add(n.Words.CategoryLabel(s.Category, n.Printer.Lang().String()))
	}
	add(n.Places.RoomName(s.Room))
	add(s.Machine)
	if s.Method != Zone {
		add(s.Label)
	}
	if len(parts) == 0 {
		return n.Printer.T("signal.what.all")
	}
	return strings.Join(parts, ", ")
}

// Title is the name of a signal: where, and what.
func (n *Names) Title(s *Signal) string { return n.Where(s) + " · " + n.What(s) }

// when says the weeks that figures add up.
func (n *Names) when(week calendar.Day, f *Figures) string {
	p := n.Printer
	current := week == n.Today.Week()
	switch {
	case f.Weeks() == 1 && current:
		return p.T("signal.when.now")
	case f.Weeks() == 1:
		return p.T("signal.when.week", "day", p.MediumDay(week))
	case current:
		return p.T("signal.when.weeks_now", "n", f.Weeks())
	}
	return p.T("signal.when.weeks", "n", f.Weeks(), "day", p.MediumDay(week))
}

// Expected writes what was expected: with a decimal when it is small.
func (n *Names) Expected(v float64) string {
	decimals := 0
	if v < 9.95 && math.Abs(v-math.Round(v)) >= 0.05 {
		decimals = 1
	}
	return n.Printer.Num(v, decimals)
}

// Sentence says a signal to somebody who knows no statistics, from the figures
// of a week of it.
func (n *Names) Sentence(s *Signal, e Entry) string {
	p := n.Printer
	key := "signal.say.usual"
	if s.Method == Drift {
		key = "signal.say.drift"
	}
	said := p.T(key, "where", n.Where(s), "what", n.What(s), "when", n.when(e.Week, &e.Figures),
		"observed", p.N("signal.say.observed", int(math.Round(e.Observed))),
		"expected", p.N("signal.say.expected", int(e.Expected), "v", n.Expected(e.Expected)))
	if chance := n.Chance(e.P); chance != "" {
		return p.T("signal.say.chance", "said", said, "chance", chance)
	}
	return said + "."
}

// Chance says how rare such an excess is when nothing is wrong; "" when the
// method does not say, or it is not rare.
func (n *Names) Chance(p float64) string {
	times := 1 / p
	switch {
	case p <= 0 || p > 0.5:
		return ""
	case times > 1e6:
		return n.Printer.T("signal.chance.least")
	}
	// Two significant figures: more would claim to know more.
	scale := math.Pow(10, math.Max(0, math.Floor(math.Log10(times))-1))
	return n.Printer.T("signal.chance.once", "n", n.Printer.Num(math.Round(times/scale)*scale, 0))
}

// Current is the week that a signal is told by: its last that was not calm while
// it goes on, its largest once it is over.
func (s *Signal) Current() Entry {
	if s.State == Open {
		return *s.last()
	}
	return s.Peak()
}

// Pace says since when, and from what to what; "" when it is not known.
func (n *Names) Pace(s *Signal) string {
	p := n.Printer
	if s.Since.Week == 0 {
		return ""
	}
	said := p.T("signal.since.week", "day", p.MediumDay(s.Since.Week))
	if s.Since.After > 0 {
		said = p.T("signal.since.pace", "day", p.MediumDay(s.Since.Week), "before", p.Num(s.Since.Before, 1), "after", p.Num(s.Since.After, 1))
	}
	if s.Since.Low != 0 && s.Since.High > s.Since.Low {
		said += " " + p.T("signal.since.between", "low", p.MediumDay(s.Since.Low), "high", p.MediumDay(s.Since.High))
	}
	return said
}

// New says which words have become frequent; "" when none.
func (n *Names) New(s *Signal) string {
	var words []string
	for _, w := range s.Words {
		words = append(words, n.Printer.Quote(w.Word))
	}
	if len(words) == 0 {
		return ""
	}
	return n.Printer.T("signal.words", "words", strings.Join(words, ", "))
}
