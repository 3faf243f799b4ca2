// Package servicelevel keeps the promises of the unit: how long until somebody
// takes an incident in hand (response clock, délai de prise en charge) and
// until it works again (resolution clock, délai de résolution), in open
// minutes of the school's calendar.
//
// Clocks are a pure function of the incident's story, the targets, the
// calendar and an instant (Compute). A reader of the journal keeps how the
// clocks stand (Tally, which depends on no instant) in a table, so that lists
// sort and filter by it; recomputing proves the table right (Service.Check).
// docs/service-clocks.md says how each case is decided.
package servicelevel

import (
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/incident"
)

// Phase says what a clock does.
type Phase string

// The phases.
const (
	Running Phase = "running" // open minutes count
	Paused  Phase = "paused"  // waiting, for a reason that stops the clock
	Stopped Phase = "stopped" // what it measures has happened
	Void    Phase = "void"    // cancelled or merged: nothing is measured
)

// LineKind says what a stretch of time did to a clock.
type LineKind string

// The kinds of line.
const (
	Counted LineKind = "counted" // its open minutes count
	Pause   LineKind = "paused"  // waiting, for a reason that stops the clock
	Closed  LineKind = "closed"  // the school is closed
	Away    LineKind = "away"    // with its school, which handles it first
	Between LineKind = "between" // resolved, then reopened: nobody had to act
)

// Line is one stretch of an incident's time as a clock sees it. The lines of a
// clock follow one another without a gap.
type Line struct {
	From, To time.Time
	Kind     LineKind
	Minutes  int // counted; 0 unless Kind is Counted
	State    incident.State
	Assignee int64            // who had it; 0 for nobody
	Waiting  int64            // why it waited, for a pause
	Day      calendar.DayKind // why the school was closed, for Closed; OpenDay is outside hours
}

// Reading is how one clock stands, whatever the present instant: what a table
// can keep. Minutes are open minutes, instants are zero where not known.
type Reading struct {
	Phase  Phase
	Target int       // minutes; 0 without a target
	Spent  int       // minutes until Since while running, else in all
	Since  time.Time // while running: since when minutes are added to Spent
	// Due is when the target is used up: the last instant in time. It is not
	// known while a pause puts it off.
	Due    time.Time
	WarnAt time.Time // when people are warned, while there is something left to do
	LateAt time.Time // the first instant that is too late; zero if it stopped in time
}

// Tally is how both clocks of an incident stand, whatever the present instant.
type Tally struct {
	Response, Resolution Reading

	School int64 // whose calendar counts what is running
}

// Late tells whether a clock has gone, or stopped, past its target.
func (r Reading) Late(now time.Time) bool { return !r.LateAt.IsZero() && !r.LateAt.After(now) }

// InTime tells whether a clock has stopped within its target.
func (r Reading) InTime() bool { return r.Phase == Stopped && r.Target > 0 && r.LateAt.IsZero() }

// SpentAt is how many open minutes were used by an instant, with the calendar
// of Tally.School.
func (r Reading) SpentAt(c *calendar.Calendar, now time.Time) int {
	if r.Phase == Running && now.After(r.Since) {
		return r.Spent + c.OpenMinutes(r.Since, now)
	}
	return r.Spent
}

// Part is one clock of an incident at an instant, with what explains it.
type Part struct {
	Reading

	Spent     int // minutes until the instant: the sum of the lines
	Remaining int // minutes; negative once late; 0 without a target
	Late      bool
	Lines     []Line
}

// Clock is both clocks of an incident at an instant.
type Clock struct {
	Response, Resolution Part
}

// stretch is a part of a story during which a clock does one thing.
type stretch struct {
	from, to time.Time // to is zero for the last one, still open
	phase    Phase
	step     *Step
}

// response cuts a story for the response clock, until it stops.
func (s *Story) response(r *Rules) []stretch {
	var cut []stretch
	for k := range s.Steps {
		step := &s.Steps[k]
		phase := Running
		switch {
		case step.AtSchool:
			phase = away(step.State)
		case step.Answers:
			phase = Stopped
		case step.State == incident.Cancelled || step.State == incident.Merged:
			phase = Void
		case step.State == incident.Resolved || step.State == incident.Closed:
			phase = Stopped // the program resolved it: nobody need take it
		case step.State == incident.Waiting && r.Pauses(step.Waiting):
			phase = Paused
		}
		cut = s.push(cut, k, phase)
		if phase == Stopped {
			break
		}
	}
	return cut
}

// resolution cuts a story for the resolution clock.
func (s *Story) resolution(r *Rules) []stretch {
	var cut []stretch
	for k := range s.Steps {
		step := &s.Steps[k]
		phase := Running
		switch {
		case step.AtSchool:
			phase = away(step.State)
		case step.State == incident.Cancelled || step.State == incident.Merged:
			phase = Void
		case !step.State.Open():
			phase = Stopped
		case step.State == incident.Waiting && r.Pauses(step.Waiting):
			phase = Paused
		}
		cut = s.push(cut, k, phase)
	}
	return cut
}

// away is what the clocks of the département do while an incident is with its
// school: they wait for it to be handed over, and measure nothing if it is
// resolved there.
func away(s incident.State) Phase {
	if s.Open() {
		return Paused
	}
	return Void
}

// push adds the k-th step's stretch; the last stretch of a list has no end.
func (s *Story) push(cut []stretch, k int, phase Phase) []stretch {
	step := &s.Steps[k]
	if n := len(cut); n > 0 {
		cut[n-1].to = step.At
		if over(cut[n-1].phase) && over(phase) {
			// Closed after resolved: nothing new. What the incident was when the
			// clock stopped is what it is judged by.
			cut[n-1].to = time.Time{}
			cut[n-1].phase = phase
			return cut
		}
	}
	return append(cut, stretch{from: step.At, phase: phase, step: step})
}

func over(p Phase) bool { return p == Stopped || p == Void }

// read is what a clock's stretches come to; minutes picks its target.
func (s *Story) read(r *Rules, cut []stretch, minutes func(Target) int) Reading {
	if len(cut) == 0 {
		return Reading{Phase: Void}
	}
	last := &cut[len(cut)-1]
	out := Reading{Phase: last.phase, Target: minutes(r.target(s.Opened, last.step))}
	warn := (out.Target*r.Warn + 99) / 100
	reach := func(at *time.Time, part *stretch, m, n int) {
		if out.Target > 0 && at.IsZero() && (part.to.IsZero() || out.Spent+m >= n) {
			*at = r.Calendar(part.step.School).AddOpenMinutes(part.from, n-out.Spent)
		}
	}
	for k := range cut {
		part := &cut[k]
		if part.phase != Running {
			continue
		}
		m := 0
		if !part.to.IsZero() {
			m = r.Calendar(part.step.School).OpenMinutes(part.from, part.to)
		}
		reach(&out.WarnAt, part, m, warn)
		reach(&out.Due, part, m, out.Target)
		reach(&out.LateAt, part, m, out.Target+1)
		out.Spent += m
	}
	switch out.Phase {
	case Running:
		out.Since = last.from
	case Void:
		out.Due, out.LateAt, out.WarnAt = time.Time{}, time.Time{}, time.Time{}
	case Paused, Stopped:
		out.WarnAt = time.Time{}
	}
	return out
}

func responseOf(t Target) int   { return t.Response }
func resolutionOf(t Target) int { return t.Resolution }

// TallyOf is how both clocks of a story stand.
func TallyOf(s Story, r Rules) Tally {
	t := Tally{Response: s.read(&r, s.response(&r), responseOf), Resolution: s.read(&r, s.resolution(&r), resolutionOf)}
	if n := len(s.Steps); n > 0 {
		t.School = s.Steps[n-1].School
	}
	return t
}

// Compute is both clocks of a story at an instant; what happened later is not
// looked at.
func Compute(s Story, r Rules, now time.Time) Clock {
	n := len(s.Steps)
	for n > 0 && s.Steps[n-1].At.After(now) {
		n--
	}
	s.Steps = s.Steps[:n]
	return Clock{
		Response:   s.part(&r, s.response(&r), responseOf, now),
		Resolution: s.part(&r, s.resolution(&r), resolutionOf, now),
	}
}

func (s *Story) part(r *Rules, cut []stretch, minutes func(Target) int, now time.Time) Part {
	p := Part{Reading: s.read(r, cut, minutes)}
	for k := range cut {
		to := cut[k].to
		if to.IsZero() || to.After(now) {
			to = now
		}
		p.Lines = cut[k].lines(r, p.Lines, to, k == len(cut)-1)
	}
	for _, l := range p.Lines {
		p.Spent += l.Minutes
	}
	if p.Target > 0 {
		p.Remaining = p.Target - p.Spent
	}
	p.Late = p.Reading.Late(now)
	return p
}

// byDay is how long a stretch may be to be told day by day; a longer one is
// told week by week.
const byDay = 14

// lines adds what a stretch did until an instant.
func (c *stretch) lines(r *Rules, all []Line, to time.Time, last bool) []Line {
	base := Line{From: c.from, To: to, State: c.step.State, Assignee: c.step.Assignee, Waiting: c.step.Waiting}
	switch {
	case !to.After(c.from):
		return all
	case c.phase == Paused && c.step.AtSchool:
		base.Kind = Away
		return append(all, base)
	case c.phase == Paused:
		base.Kind = Pause
		return append(all, base)
	case c.phase == Running:
		return split(r.Calendar(c.step.School), all, base)
	case last:
		return all
	}
	base.Kind = Between
	return append(all, base)
}

// split cuts a stretch that counts into open and closed lines: a day, or a
// week, is one counted line from its first open minute to its last (the
// minutes say what a break at noon takes off), closed time in between is one
// line. The closed lines count no minute, so that the sum is kept.
func split(c *calendar.Calendar, all []Line, base Line) []Line {
	first := len(all)
	add := func(kind LineKind, from, to time.Time, minutes int, day calendar.DayKind) {
		if !to.After(from) {
			return
		}
		if n := len(all); kind == Closed && n > first && all[n-1].Kind == Closed {
			all[n-1].To, all[n-1].Day = to, max(all[n-1].Day, day)
			return
		}
		l := base
		l.Kind, l.From, l.To, l.Minutes, l.Day = kind, from, to, minutes, day
		all = append(all, l)
	}
	weekly := c.Day(base.To)-c.Day(base.From) > byDay
	for from := base.From; from.Before(base.To); {
		day := c.Day(from)
		next := day + 1
		if weekly {
			next = day.Week() + 7
		}
		to := next.Start(c.Location())
		if !to.After(from) || to.After(base.To) {
			to = base.To
		}
		n := c.OpenMinutes(from, to)
		if n == 0 {
			add(Closed, from, to, 0, c.Kind(day))
		} else {
			opens, closes := c.NextOpen(from), c.AddOpenMinutes(from, n)
			add(Closed, from, opens, 0, c.Kind(day))
			add(Counted, opens, closes, n, calendar.OpenDay)
			add(Closed, closes, to, 0, calendar.OpenDay)
		}
		from = to
	}
	return all
}
