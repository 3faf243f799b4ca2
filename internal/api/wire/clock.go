package wire

import "time"

// Clock is both service clocks of an incident, at the instant of the answer.
type Clock struct {
	Response   ClockPart `json:"response" doc:"Until somebody takes it in hand."`
	Resolution ClockPart `json:"resolution" doc:"Until it works again."`
}

// ClockPart is one clock, with what explains it. Minutes are open minutes of
// the school's calendar.
type ClockPart struct {
	Phase     string      `json:"phase" enum:"running,paused,stopped,void"`
	Target    int         `json:"target,omitempty" doc:"Minutes; absent without a target."`
	Spent     int         `json:"spent" doc:"Minutes: the sum of the lines."`
	Remaining *int        `json:"remaining,omitempty" doc:"Minutes, below zero once late; absent without a target."`
	Due       *time.Time  `json:"due,omitempty" doc:"The last instant in time; absent while a pause puts it off."`
	Late      bool        `json:"late"`
	Lines     []ClockLine `json:"lines"`
}

// ClockLine is one stretch of time; the lines follow one another.
type ClockLine struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Kind     string    `json:"kind" enum:"counted,paused,closed,between"`
	Minutes  int       `json:"minutes"`
	State    string    `json:"state"`
	Assignee int64     `json:"assignee,omitempty" doc:"Person, for whoever handles incidents."`
	Waiting  int64     `json:"waiting,omitempty" doc:"Code of the reason of a pause."`
}

// ServiceTarget is what is promised for the incidents of a priority and a
// category, from a day on.
type ServiceTarget struct {
	Priority   int    `json:"priority" minimum:"0" maximum:"5" doc:"0 for any."`
	Category   int64  `json:"category" doc:"0 for any."`
	From       string `json:"from,omitempty" format:"date" doc:"First day of declaration that it holds for; for all days before the next one if absent."`
	Response   int    `json:"response" minimum:"0" doc:"Open minutes; 0 for no target."`
	Resolution int    `json:"resolution" minimum:"0" doc:"Open minutes; 0 for no target."`
}

// ServiceTargets are all targets, and when people are warned.
type ServiceTargets struct {
	Items []ServiceTarget `json:"items"`
	Warn  int             `json:"warn" doc:"Percent of a target after which people are warned."`
}
