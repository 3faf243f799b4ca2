// Package cube answers every question about incidents: any measure by any
// dimensions under any filters, over a period, within the reader's scope.
//
// Two executors give the same answers: Memory, over dictionary-coded columns
// kept current from the journal, and SQL, over the incident table. Each is the
// other's test oracle. The list behind a figure comes from the same predicate
// as the figure (List), so that they always agree.
package cube

import (
	"context"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
)

// Measure is what is counted or computed.
type Measure string

// The measures. Each has a time basis: the instant that places an incident in
// the period and on the time dimensions.
const (
	Count    Measure = "count"    // incidents opened in the period (basis: opened)
	Opened   Measure = "opened"   // the same, named for use beside the next two
	Resolved Measure = "resolved" // incidents resolved (or closed unresolved) in the period (basis: resolved)
	Backlog  Measure = "backlog"  // still open at the end of the period, or of each time bucket (basis: state at a date)

	ResolutionMedian Measure = "resolution_median" // hours from opened to resolved, of those opened in the period
	ResolutionP90    Measure = "resolution_p90"
	ResolutionMean   Measure = "resolution_mean"
	ClosingMedian    Measure = "closing_median" // hours from opened to closed
	ClosingMean      Measure = "closing_mean"
	Unresolved       Measure = "unresolved" // of those opened in the period, how many have no resolution time: said beside every duration

	Reopened      Measure = "reopened"       // how many were reopened at least once
	ReopenedShare Measure = "reopened_share" // … as a share of count, 0…1
	Repeat        Measure = "repeat"         // opened within 30 days of an earlier one on the same machine, or of the same category in the same room
	RepeatShare   Measure = "repeat_share"

	Per100Computers Measure = "per_100_computers" // count per 100 computers in service and year of 365.25 days
	Per100Pupils    Measure = "per_100_pupils"
)

// Dim is a dimension to group or filter by.
type Dim string

// The dimensions.
const (
	DimSchool     Dim = "school"
	DimCommune    Dim = "commune"
	DimRoom       Dim = "room"
	DimNetwork    Dim = "network"
	DimCategory   Dim = "category"  // top level of the tree
	DimCategory2  Dim = "category2" // second level
	DimCategory3  Dim = "category3" // third level
	DimCause      Dim = "cause"
	DimResolution Dim = "resolution"
	DimPriority   Dim = "priority"
	DimImpact     Dim = "impact"
	DimUrgency    Dim = "urgency"
	DimState      Dim = "state"
	DimOpen       Dim = "open" // "yes" while somebody has to act, else "no"
	DimOrigin     Dim = "origin"
	DimTeam       Dim = "team"
	DimAssignee   Dim = "assignee"
	DimDeclarant  Dim = "declarant" // kind of declarant, never the person
	DimMachine    Dim = "machine"   // label on the machine
	DimTarget     Dim = "target"    // service target: met, missed, unknown
	DimReopened   Dim = "reopened"  // "yes" or "no"

	// Time dimensions, on the measure's basis, in the tenant's time zone.
	DimHour       Dim = "hour"        // "00" … "23", of opening
	DimWeekday    Dim = "weekday"     // "1" Monday … "7" Sunday
	DimDay        Dim = "day"         // "2026-03-03"
	DimWeek       Dim = "week"        // ISO week: "2026-W10"
	DimMonth      Dim = "month"       // "2026-03"
	DimYear       Dim = "year"        // "2026"
	DimSchoolYear Dim = "school_year" // "2025-2026"
	DimSchoolWeek Dim = "school_week" // number of the open week since the start of the school year, "01" … "36"; "" in holidays
)

// Filter keeps (In) or drops (NotIn) incidents by the keys of a dimension.
// Keys are stable identifiers: the number of a school, category, room, team,
// person or code, or the words above; "" is "not known". From and To bound the
// keys instead (inclusive, ordered as the dimension is), for ranges.
type Filter struct {
	Dim   Dim      `json:"dim"`
	In    []string `json:"in,omitempty"`
	NotIn []string `json:"not_in,omitempty"`
	From  string   `json:"from,omitempty"`
	To    string   `json:"to,omitempty"`
}

// Query is one question.
type Query struct {
	Measures []Measure    `json:"measures"`
	By       []Dim        `json:"by,omitempty"` // up to three
	Filters  []Filter     `json:"filters,omitempty"`
	Text     string       `json:"text,omitempty"` // full-text condition
	From     calendar.Day `json:"-"`              // first day of the period, 0 = from the beginning
	To       calendar.Day `json:"-"`              // first day after the period, 0 = until now
	Order    string       `json:"order,omitempty"`
	Limit    int          `json:"limit,omitempty"` // top-N of the first dimension, the rest in a row "others"; 0 = all
	Compare  Compare      `json:"compare,omitempty"`
}

// Compare asks for the same figures in an earlier period.
type Compare string

// The comparisons.
const (
	CompareNone       Compare = ""
	ComparePrevious   Compare = "previous"    // the period of the same length just before
	CompareSchoolYear Compare = "school_year" // the same days, 52 weeks earlier (weekdays and school weeks match)
)

// Row is one group: its key for each dimension of By, and a value for each
// measure. Others marks the row that stands for what the top-N left out.
type Row struct {
	Keys   []string
	Labels []string // as shown, in the reader's language
	Values []Value
	Before []Value // comparison, if asked
	Others bool
}

// Value is a figure. A rate or a duration without anything to compute it from
// is not valid. N is the number of incidents that the figure rests on.
type Value struct {
	V     float64
	Valid bool
	N     int
}

// Result is the answer.
type Result struct {
	Query      Query
	Rows       []Row
	Total      Row // over all groups, computed from the incidents, not from the rows
	Population int // incidents that the filters and scope leave in the period (opened)
	AsOf       string
	At         time.Time
}

// Basis is the instant that places an incident in a period.
type Basis string

// The bases.
const (
	ByOpened   Basis = "opened"
	ByResolved Basis = "resolved"
	OpenAtEnd  Basis = "open_at" // opened before To and not resolved before it
)

// ListQuery asks for the incidents behind a figure.
type ListQuery struct {
	Filters []Filter
	Text    string
	From    calendar.Day
	To      calendar.Day
	Basis   Basis
	Sort    string // "-opened" (default), "opened", "-resolved", "priority", "-updated", "number", "age"…
	After   string // keyset cursor of the last page; "" for the first
	Limit   int
}

// Page is a part of a list.
type Page struct {
	IDs   []int64
	Next  string // cursor of the next page; "" at the end
	Total int    // length of the whole list
	AsOf  string
}

// Executor answers questions; both executors satisfy it.
type Executor interface {
	Run(ctx context.Context, scope auth.Scope, q Query) (Result, error)
	List(ctx context.Context, scope auth.Scope, q ListQuery) (Page, error)
}
