// Package signal keeps signals: what a statistical method found out of the
// ordinary, from the week in which it was first seen until it is calm again.
//
// A signal is one episode of one series of one method (collège × category for
// the early warning; a zone, a machine, a model for others). It opens when the
// method flags the series, stays open while the series is not calm, closes after
// CalmWeeks calm open weeks, and is told once. The same series flagged later is a
// new episode. Every method comes by the same door, Service.Observe.
//
// A person judges a signal: it was true, it was to be expected (start of the
// school year, a deployment), it was false. The weeks of the true ones are left
// out of what later runs take for usual (Service.Learned).
//
// Source of the life of an alert and of its constants: the false-discovery
// control of Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57, 289-300,
// decides what is flagged; how long an alert lasts is this product's rule.
package signal

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
)

// Subject is the journal's subject kind for signals, WatchSubject that of what
// is watched.
const (
	Subject      = "signal"
	WatchSubject = "signal_watch"
)

// Method is the method that found something.
type Method string

// The methods. "signal.method.NAME" is the translation key.
const (
	Warning Method = "warning" // weekly counts above what is usual
	Drift   Method = "drift"   // a small rise that lasts
	Zone    Method = "zone"    // schools near one another
	Factor  Method = "factor"  // what incidents have in common
	Repeat  Method = "repeat"  // what comes back
)

// Methods lists every method, the most general first.
var Methods = []Method{Warning, Drift, Zone, Factor, Repeat}

// Valid tells whether m is one of the methods.
func (m Method) Valid() bool { return slices.Contains(Methods, m) }

// The life of a signal.
const (
	StayP     = 0.2 // a series is not calm while its p is below
	CalmWeeks = 2   // calm open weeks that end an episode
)

// State is whether an episode goes on.
type State string

// The states.
const (
	Open   State = "open"
	Closed State = "closed"
)

// Verdict is what a person thinks of a signal; "" is not judged.
type Verdict string

// The verdicts. "signal.verdict.NAME" is the translation key.
const (
	True     Verdict = "true"     // something was wrong
	Expected Verdict = "expected" // it was to be expected: start of the year, a deployment
	False    Verdict = "false"    // nothing was wrong
)

// Verdicts lists every verdict.
var Verdicts = []Verdict{True, Expected, False}

// Limits.
const (
	MaxNote    = 2000   // characters of a note
	MaxHistory = 160    // weeks of a series that a signal keeps
	MaxWords   = 12     // words that a signal shows
	maxSeries  = 200    // bytes of the name of a series
	maxLabel   = 200    // characters of a label
	maxFound   = 20_000 // findings of one observation
	maxNamed   = 500    // schools and incidents of one signal
)

// About is what a signal is about: the incidents that meet all that is given.
type About struct {
	Schools   []int64 `json:"schools,omitempty"` // none: the whole département
	Category  int64   `json:"category,omitempty"`
	Room      int64   `json:"room,omitempty"`
	Machine   string  `json:"machine,omitempty"`   // label on it
	Label     string  `json:"label,omitempty"`     // what none of the above says: a model, a batch
	Incidents []int64 `json:"incidents,omitempty"` // exactly these, where no condition says them
}

// school is the one school that a signal is about, 0 for several or all: what
// decides who may see it.
func (a *About) school() int64 {
	if len(a.Schools) == 1 {
		return a.Schools[0]
	}
	return 0
}

// Point is a week of a series.
type Point struct {
	Week     calendar.Day `json:"w"` // its Monday
	Observed float64      `json:"y"`
	Expected float64      `json:"m"`
	Low      float64      `json:"lo,omitempty"` // what nine weeks in ten stay within, by chance
	High     float64      `json:"hi,omitempty"`
}

// Word is a word that has become frequent.
type Word struct {
	Word  string  `json:"word"`
	N     int     `json:"n"`           // incidents that hold it
	Score float64 `json:"z,omitempty"` // standard deviations above its usual share
}

// Since is when the pace changed.
type Since struct {
	Week calendar.Day `json:"week,omitzero"`
	Low  calendar.Day `json:"low,omitzero"` // the change lies between these
	High calendar.Day `json:"high,omitzero"`
	// Before and After are the paces, incidents a full open week.
	Before float64 `json:"before,omitempty"`
	After  float64 `json:"after,omitempty"`
}

// Figures are what a method says of a series in a week.
type Figures struct {
	Observed float64 `json:"observed"`
	Expected float64 `json:"expected"`
	// Ratio of the two with an interval of 90 %; Low 0 and High 0: none.
	Ratio float64 `json:"ratio,omitempty"`
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`
	// P is the chance of such an excess when nothing is wrong, 0 when the method
	// gives none.
	P float64 `json:"p,omitempty"`
	// Window is how many open weeks Observed and Expected add up; 0 is 1.
	Window int `json:"window,omitempty"`
	// First is the Monday of the first week of the window; 0: Window weeks before
	// the end of the week, holidays aside, are not known.
	First calendar.Day `json:"first,omitzero"`
}

// Excess is how many incidents more than expected there are.
func (f *Figures) Excess() float64 { return f.Observed - f.Expected }

// Weeks is the length of the window.
func (f *Figures) Weeks() int { return max(f.Window, 1) }

// Finding is what a method says of one series in one week. Findings of a series
// that is not flagged are needed only while p < StayP, so that an episode goes
// on; a series that is not told of is calm.
type Finding struct {
	// Series names the series within its method, the same every week:
	// "school 12 category 3".
	Series string
	About
	Figures
	Flagged bool    // it is out of the ordinary: opens an episode
	History []Point // the series over the last open weeks, oldest first
	Words   []Word
	Since   Since
}

// calm tells whether the finding does not keep an episode open.
func (f *Finding) calm() bool { return !f.Flagged && (f.P <= 0 || f.P >= StayP) }

// Entry is a week of an episode.
type Entry struct {
	Week calendar.Day `json:"week"`
	Calm bool         `json:"calm,omitempty"`
	Figures
}

// Judgement is what a person thinks of a signal.
type Judgement struct {
	Verdict Verdict       `json:"verdict,omitempty"`
	Note    string        `json:"note,omitempty"`
	By      journal.Actor `json:"-"`
	At      time.Time     `json:"-"`
}

// Signal is an episode as it stands.
type Signal struct {
	About

	ID      int64
	Version int64 // counts its events
	Method  Method
	Series  string
	State   State
	Entries []Entry // its weeks, oldest first; the first is never calm
	History []Point
	Words   []Word
	Since   Since

	Judgement

	OpenedAt  time.Time
	ClosedAt  time.Time // zero while it goes on
	UpdatedAt time.Time
}

// First is the Monday of the week in which it was first seen.
func (s *Signal) First() calendar.Day { return s.Entries[0].Week }

// Observed is the last week that was looked at.
func (s *Signal) Observed() calendar.Day { return s.Entries[len(s.Entries)-1].Week }

// Last is the last week that was not calm.
func (s *Signal) Last() calendar.Day { return s.last().Week }

func (s *Signal) last() *Entry {
	for k := len(s.Entries) - 1; k > 0; k-- {
		if !s.Entries[k].Calm {
			return &s.Entries[k]
		}
	}
	return &s.Entries[0]
}

// Now gives the figures of the last week that was not calm.
func (s *Signal) Now() Figures { return s.last().Figures }

// Peak gives the week of the largest excess.
func (s *Signal) Peak() Entry {
	best := s.Entries[0]
	for _, e := range s.Entries[1:] {
		if !e.Calm && e.Excess() > best.Excess() {
			best = e
		}
	}
	return best
}

// calmFor counts the calm weeks at the end.
func (s *Signal) calmFor() int {
	n := 0
	for k := len(s.Entries) - 1; k > 0 && s.Entries[k].Calm; k-- {
		n++
	}
	return n
}

// Lasts counts the weeks that were not calm.
func (s *Signal) Lasts() int {
	n := 0
	for _, e := range s.Entries {
		if !e.Calm {
			n++
		}
	}
	return n
}

// Kinds of signal event; each carries a Payload.
const (
	EventOpened   = Subject + ".opened"   // an episode begins
	EventObserved = Subject + ".observed" // a week of it, or a week seen again
	EventClosed   = Subject + ".closed"   // a week of it, the last
	EventJudged   = Subject + ".judged"   // what a person thinks of it, or nothing any more
	EventWatched  = WatchSubject + ".seen"
)

// Payload is the data of every signal event.
type Payload struct {
	Method Method `json:"method,omitempty"` // with the opening
	Series string `json:"series,omitempty"`
	// What the method said that week.
	About   *About  `json:"about,omitempty"`
	Entry   *Entry  `json:"entry,omitempty"`
	History []Point `json:"history,omitempty"`
	Words   []Word  `json:"words,omitempty"`
	Since   *Since  `json:"since,omitempty"`

	Judgement *Judgement `json:"judgement,omitempty"`
}

// fold applies an event: from a zero Signal with its ID, folding every event
// gives the stored state.
func (s *Signal) fold(kind string, at time.Time, actor journal.Actor, p *Payload) {
	at = at.UTC().Truncate(time.Millisecond)
	if kind == EventOpened {
		s.Method, s.Series, s.OpenedAt = p.Method, p.Series, at
	}
	if e := p.Entry; e != nil {
		entry := *e
		if n := len(s.Entries); n > 0 && s.Entries[n-1].Week == entry.Week {
			s.Entries = s.Entries[:n-1]
		}
		entry.Calm = entry.Calm && len(s.Entries) > 0
		s.Entries = append(slices.Clone(s.Entries), entry)
		was := s.State
		s.State = Open
		if s.calmFor() >= CalmWeeks {
			s.State = Closed
		}
		switch {
		case s.State == Open:
			s.ClosedAt = time.Time{}
		case was != Closed:
			s.ClosedAt = at
		}
	}
	if p.About != nil {
		s.About = *p.About
	}
	if len(p.History) > 0 {
		s.History = p.History
	}
	if len(p.Words) > 0 {
		s.Words = p.Words
	}
	if p.Since != nil {
		s.Since = *p.Since
	}
	if p.Judgement != nil {
		s.Judgement = *p.Judgement
		s.By, s.At = actor, at
		if s.Verdict == "" {
			s.Judgement = Judgement{}
		}
	}
	s.Version++
	if at.After(s.UpdatedAt) {
		s.UpdatedAt = at
	}
}

// entry is the week that a finding adds to an episode.
func (f *Finding) entry(week calendar.Day) Entry {
	return Entry{Week: week, Calm: f.calm(), Figures: f.Figures}
}

// payload is what a finding changes in an episode.
func (f *Finding) payload(week calendar.Day) Payload {
	e := f.entry(week)
	return Payload{About: &f.About, Entry: &e, History: f.History, Words: f.Words, Since: &f.Since}
}

// continues tells whether a finding is about the same episode as a signal of its
// method: the same series, or, for zones, which move by a school or two from one
// week to the next, most of the schools and the same category.
func (f *Finding) continues(s *Signal) bool {
	if f.Series == s.Series {
		return true
	}
	if s.Method != Zone || f.Category != s.Category || len(f.Schools) == 0 || len(s.Schools) == 0 {
		return false
	}
	both := 0
	for _, school := range f.Schools {
		if slices.Contains(s.Schools, school) {
			both++
		}
	}
	return 2*both >= min(len(f.Schools), len(s.Schools))
}

// tidy makes a finding safe to keep, in one form whatever the order in which its
// lists came.
func (f *Finding) tidy() {
	f.Schools = unique(f.Schools)
	f.Incidents = unique(f.Incidents)
	f.Label = cut(line(f.Label), maxLabel)
	f.Machine = cut(line(f.Machine), maxLabel)
	if n := len(f.History); n > MaxHistory {
		f.History = f.History[n-MaxHistory:]
	}
	if len(f.Words) > MaxWords {
		f.Words = f.Words[:MaxWords]
	}
}

func unique(ids []int64) []int64 {
	if len(ids) == 0 {
		return nil
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids[:min(len(ids), maxNamed)]
}

func line(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// judge says what is wrong with a judgement, and makes its note safe to keep.
func (j *Judgement) judge() error {
	var fields fault.Fields
	if j.Verdict != "" && !slices.Contains(Verdicts, j.Verdict) {
		fields.Add("verdict", "error.field.unknown")
	}
	j.Note = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r != '\n' && unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ReplaceAll(strings.ToValidUTF8(j.Note, "\uFFFD"), "\r\n", "\n")))
	if len([]rune(j.Note)) > MaxNote {
		fields.Add("note", "error.field.too_long", "max", MaxNote)
	}
	if j.Verdict == "" {
		j.Note = ""
	}
	return fields.Err()
}
