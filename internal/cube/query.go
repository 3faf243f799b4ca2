// Package cube answers every question about incidents: any measure by any
// dimensions under any filters, over a period, within the reader's scope.
//
// Two executors give the same answers: Memory, over dictionary-coded columns
// kept current from the journal, and SQL, over the incident table. Each is the
// other's test oracle. The list behind a figure comes from the same predicate
// as the figure (List), so that they always agree.
//
// # What is counted
//
// Merged incidents are not counted: the incident that they were merged into
// is. Cancelled incidents (declared by mistake) are not counted either.
// Result.Excluded says how many were left out. A filter on the state that
// names states (In, From or To) lifts the rule: then exactly the states that
// it names are counted. A NotIn alone does not lift it.
//
// # When
//
// A period is made of whole local days: From is its first day, To the first
// day after it, as in [From, To). To = 0 is tomorrow (until now), From = 0 is
// the day on which the département's first incident was opened.
//
// Each measure has a basis, the day that places an incident in the period and
// on the time dimensions: the day of opening, the day of the end, or, for the
// backlog, the state at a date. An incident has ended when nobody has to act
// any more (resolved, closed, cancelled, merged): at its resolution, else at
// its closing, else (never dated) on the day of its opening; never before its
// opening. An open incident has no end, nor any resolution or closing time,
// whatever was noted before it was reopened.
//
// Durations are whole seconds, shown in hours of 3,600 s by the clock (not
// opening hours), never negative.
//
// # Time dimensions
//
// Day, week, month, year and school year cut the period into buckets; every
// bucket of the period is there, with zeros if nothing happened in it (without
// a From, from the first bucket that holds something; with neither From nor
// To, until the last one that does). All 24 hours, all 7 weekdays and, with a
// From, all school weeks of the period are there too. A bucket at an edge of the period holds only the
// days inside it. The hour is always that of the opening. The backlog of a
// bucket is what was open at its end; by hour, weekday or school week, the
// backlog is that of the period's end, placed by the opening.
//
// A filter on a time dimension looks at the day of the measure's basis (the
// opening, for the backlog).
package cube

import (
	"context"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
)

// Measure is what is counted or computed.
type Measure string

// The measures, each with its basis (see the package comment).
const (
	Count    Measure = "count"    // incidents opened in the period (basis: opening)
	Opened   Measure = "opened"   // the same, named for use beside the next two
	Resolved Measure = "resolved" // incidents that ended in the period (basis: end)
	Backlog  Measure = "backlog"  // open at the end of the period, or of each time bucket (opened before it, not ended before it)

	ResolutionMedian Measure = "resolution_median" // hours from opening to resolution, of those opened in the period that are resolved; type-7 quantile
	ResolutionP90    Measure = "resolution_p90"    // the ninth decile of the same
	ResolutionMean   Measure = "resolution_mean"
	ClosingMedian    Measure = "closing_median" // hours from opening to closing, of those opened in the period that are closed
	ClosingMean      Measure = "closing_mean"
	Unresolved       Measure = "unresolved" // of those opened in the period, how many have no resolution time: said beside every duration

	// The service clocks (package servicelevel), of those opened in the period.
	// A clock is kept when it stopped within its target, late as soon as it is
	// past it, stopped or not; a share is of those two. Clocks without a target
	// are neither. Times are open hours of the school's calendar, pauses aside,
	// of the clocks that have stopped, with a target or not.
	ResponseKept       Measure = "response_kept"        // share of the incidents taken in hand in time, 0…1
	ResponseLate       Measure = "response_late"        // how many were not
	ResponseOpen       Measure = "response_open"        // median open hours until somebody took it in hand
	ResolutionKept     Measure = "resolution_kept"      // share resolved in time, 0…1
	ResolutionLate     Measure = "resolution_late"      // how many were not
	ResolutionOpen     Measure = "resolution_open"      // median open hours until the resolution
	ResolutionOpenMean Measure = "resolution_open_mean" // mean of the same

	Reopened      Measure = "reopened"       // of those opened in the period, how many were reopened at least once
	ReopenedShare Measure = "reopened_share" // … as a share of count, 0…1
	Repeat        Measure = "repeat"         // of those opened in the period, how many were opened within 30 days after another one on the same machine, or of the same category in the same room (merged and cancelled ones aside)
	RepeatShare   Measure = "repeat_share"   // … as a share of count, 0…1
	Reassignments Measure = "reassignments"  // how many times those opened in the period went from one technician or team to another

	// What declarants answered, of the incidents opened in the period.
	Rated          Measure = "rated"           // how many were rated
	SatisfiedShare Measure = "satisfied_share" // of those, the share of satisfied declarants, 0…1
	Satisfaction   Measure = "satisfaction"    // mean score: 3 satisfied, 2 neutral, 1 unsatisfied

	// The desk's work on the incidents opened in the period, whenever it was
	// done. These are sums: Value.N is the number of incidents that have any.
	Visits       Measure = "visits"        // visits that took place; one for two incidents counts for both
	WorkTime     Measure = "work_time"     // hours that were noted
	Parts        Measure = "parts"         // parts used, those returned taken off
	PartsCost    Measure = "parts_cost"    // what they cost, in euros
	Checklists   Measure = "checklists"    // check-lists completed
	ChecksFailed Measure = "checks_failed" // their yes-or-no items that were answered no

	// Rates: incidents opened in the period per 100 computers (pupils) in
	// service and per year of 365.25 days. Only incidents of schools whose
	// number is known on the day of the opening are in the numerator, and only
	// those schools and days in the denominator, which is weighted by time.
	// School, commune and the buckets of time, as dimensions and as filters,
	// confine the denominator; the other dimensions and filters do not. Not
	// valid when the denominator is 0, and for a reader who sees no school.
	Per100Computers Measure = "per_100_computers"
	Per100Pupils    Measure = "per_100_pupils"
)

// Dim is a dimension to group or filter by.
type Dim string

// The dimensions.
const (
	DimSchool     Dim = "school"
	DimCommune    Dim = "commune" // of the school; the key is its name
	DimRoom       Dim = "room"
	DimNetwork    Dim = "network"
	DimCategory   Dim = "category"  // top level of the tree
	DimCategory2  Dim = "category2" // second level; "" for an incident filed at the top
	DimCategory3  Dim = "category3" // third level
	DimCause      Dim = "cause"
	DimResolution Dim = "resolution"
	DimPriority   Dim = "priority" // "1" critical … "5" planned
	DimImpact     Dim = "impact"   // "1" high … "3" low
	DimUrgency    Dim = "urgency"  // "1" high … "3" low
	DimState      Dim = "state"
	DimOpen       Dim = "open" // "yes" while somebody has to act, else "no"
	DimOrigin     Dim = "origin"
	DimHandled    Dim = "level" // at its school, or how it came to the département
	DimTeam       Dim = "team"
	DimAssignee   Dim = "assignee"
	DimDeclarant  Dim = "declarant" // kind of declarant, never the person
	DimMachine    Dim = "machine"   // label on the machine
	DimTarget     Dim = "target"    // service target: "met", "missed", "" unknown
	DimReopened   Dim = "reopened"  // "yes" or "no"

	DimResponseClock   Dim = "response_clock"   // "kept", "late" (even if it still runs), "running" in time, "" without a target
	DimResolutionClock Dim = "resolution_clock" // the same
	DimWaiting         Dim = "waiting"          // why it waits; "" when it does not
	DimRating          Dim = "rating"           // "satisfied", "neutral", "unsatisfied", "" without an answer
	DimReassigned      Dim = "reassigned"       // how many times: "0", "1", "2", "3" and more

	// Time dimensions, in the tenant's time zone.
	DimHour       Dim = "hour"        // "00" … "23", of the opening
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
// keys instead (inclusive, ordered as the dimension is: numbers by value,
// words in the order of their list, the rest by bytes), for ranges; what is
// not known is in no range. All that a filter says must hold, and all filters.
type Filter struct {
	Dim   Dim      `json:"dim"`
	In    []string `json:"in,omitempty"`
	NotIn []string `json:"not_in,omitempty"`
	From  string   `json:"from,omitempty"`
	To    string   `json:"to,omitempty"`
}

// Limits of a question; beyond them it is refused.
const (
	MaxMeasures     = 8
	MaxDimensions   = 3
	MaxFilters      = 30
	MaxFilterValues = 500    // in one filter; also the largest Limit
	MaxRows         = 10_000 // of one result
	MaxPeriod       = 36_525 // days
	MaxList         = 1_000  // incidents of one page of a list
)

// Query is one question.
type Query struct {
	Measures []Measure    `json:"measures"`
	By       []Dim        `json:"by,omitempty"` // up to three, each once
	Filters  []Filter     `json:"filters,omitempty"`
	Text     string       `json:"text,omitempty"` // full-text condition
	From     calendar.Day `json:"from,omitempty"` // first day of the period, 0 = from the beginning
	To       calendar.Day `json:"to,omitempty"`   // first day after the period, 0 = until now

	// Order sorts the rows: "key" (the natural order of the dimensions),
	// "count" or any other measure asked (ascending), with "-" before it
	// descending. Rows are sorted by their first dimension, then by the second,
	// then by the third. By a measure, each dimension is ranked by its own
	// figure over the other dimensions, ties by key; dimensions with an order
	// of their own (time, priority, impact, urgency, state, open) keep it when
	// there are others. "" is the natural order for a lone dimension that has an
	// order of its own, else the descending first measure.
	Order string `json:"order,omitempty"`

	// Limit keeps the first N keys, in that order, of the first dimension that
	// is not of time; the rest goes to the key OthersKey, computed from the
	// incidents like any other row, and sorted last. 0 keeps all.
	Limit   int     `json:"limit,omitempty"`
	Compare Compare `json:"compare,omitempty"`
}

// OthersKey stands for the keys that Limit left out.
const OthersKey = "~others"

// Compare asks for the same figures in an earlier period; the question must
// then have a From.
type Compare string

// The comparisons.
const (
	CompareNone       Compare = ""
	ComparePrevious   Compare = "previous"    // the period of the same length just before
	CompareSchoolYear Compare = "school_year" // the same days, 52 weeks (364 days) earlier: weekdays and school weeks match
)

// Row is one group: its key for each dimension of By, and a value for each
// measure. Others marks a row that stands for what the top-N left out.
type Row struct {
	Keys   []string
	Labels []string // as shown, in the reader's language; filled by a Labeler
	Values []Value
	Before []Value // comparison, if asked: a bucket of time is compared with the same days, shifted
	Others bool
}

// Value is a figure. A rate, share or duration without anything to compute it
// from is not valid. N is the number of incidents that the figure rests on:
// the count itself, the durations behind a median or mean, the incidents a
// share is a share of, the numerator of a rate, those that have any of what a
// sum adds up.
type Value struct {
	V     float64
	Valid bool
	N     int
}

// Result is the answer.
type Result struct {
	Query      Query
	From, To   calendar.Day // the period answered: [From, To), never 0
	Shift      int          // days between the period and the one compared; 0 without comparison
	Rows       []Row
	Margins    [][]Row  // with two dimensions or more: for each, its rows over all the others, in the same order as in Rows
	Total      Row      // over all groups, computed from the incidents, not from the rows; no keys
	Top        []string // with Limit: the keys that were kept of the limited dimension
	Population int      // incidents opened in the period that the scope and the filters leave
	Excluded   int      // merged and cancelled ones that were left out of it
	AsOf       string   // position in the journal
	At         time.Time
}

// ListQuery asks for the incidents behind a figure.
type ListQuery struct {
	Filters []Filter     `json:"filters,omitempty"`
	Text    string       `json:"text,omitempty"`
	From    calendar.Day `json:"from,omitempty"`
	To      calendar.Day `json:"to,omitempty"`

	// Measure says which incidents are behind the figure: those counted by
	// Count, Opened, Resolved, Backlog, Unresolved, Reopened, Repeat, Rated or a
	// late clock; the numerator of a share or rate; those with a duration or a
	// rating for a median, decile or mean; those that have any of a sum's
	// quantity. "" is Count.
	Measure Measure `json:"measure,omitempty"`

	// Shift moves the period, and the buckets of time named in Filters, that
	// many days back: the list behind a comparison.
	Shift int `json:"shift,omitempty"`

	// Only keeps these incidents, found by another room; nil for all. It is the
	// program's own: no address holds it.
	Only []int64 `json:"-"`

	// Sort is opened, resolved (the end), updated, priority, number, school (by
	// name) or age (youngest first), with "-" before it descending. Unknown
	// comes last both ways, ties are sorted by number the same way. "" is
	// "-opened".
	Sort  string `json:"sort,omitempty"`
	After string `json:"after,omitempty"` // cursor of the last page; "" for the first
	Limit int    `json:"limit,omitempty"` // 0 = 50
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
	// RunAll answers several questions of one screen from the same instant.
	RunAll(ctx context.Context, scope auth.Scope, qs []Query) ([]Result, error)
	List(ctx context.Context, scope auth.Scope, q ListQuery) (Page, error)
	// Each calls fn with every incident of a list, in the order in which they came.
	Each(ctx context.Context, scope auth.Scope, q ListQuery, fn func(*Fact)) error
}

// TextIndex finds incidents by words; internal/search satisfies it.
type TextIndex interface {
	// Match gives the numbers of the tenant's incidents that match the text, in any order.
	Match(ctx context.Context, tenant int64, text string) ([]int64, error)
}

// SchoolWeeks numbers the open weeks of a school year; *calendar.Calendar
// satisfies it.
type SchoolWeeks interface {
	// SchoolWeek gives the school year of a day's ISO week, and the week's number
	// in it: from 1 for open weeks, 0 in holidays.
	SchoolWeek(day calendar.Day) (year, number int)
}
