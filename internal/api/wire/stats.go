package wire

import "time"

// StatsQuery is one question. Its members are cube.Query's, with days written
// as dates.
type StatsQuery struct {
	Measures []string      `json:"measures" minItems:"1" maxItems:"8" doc:"What to count or compute: count, opened, resolved, backlog, resolution_median, resolution_p90, resolution_mean, closing_median, closing_mean, unresolved; response_kept, response_late, response_open, resolution_kept, resolution_late, resolution_open, resolution_open_mean (service clocks); reopened, reopened_share, repeat, repeat_share, reassignments, per_100_computers, per_100_pupils; rated, satisfied_share, satisfaction (of 3); visits, work_time, parts, parts_cost (euros), checklists, checks_failed (sums over the incidents of the period)."`
	By       []string      `json:"by,omitempty" maxItems:"3" doc:"Dimensions to group by: school, commune, room, network, category, category2, category3, cause, resolution, priority, impact, urgency, state, open, origin, team, assignee, declarant, machine, target, reopened, response_clock, resolution_clock, waiting, rating, reassigned, hour, weekday, day, week, month, year, school_year, school_week."`
	Filters  []StatsFilter `json:"filters,omitempty" maxItems:"30" doc:"All of them must hold."`
	Text     string        `json:"text,omitempty" maxLength:"500" doc:"Only incidents with these words."`
	From     string        `json:"from,omitempty" format:"date" doc:"First day of the period; from the beginning if absent."`
	To       string        `json:"to,omitempty" format:"date" doc:"First day after the period; until now if absent."`
	Order    string        `json:"order,omitempty" maxLength:"60" doc:"A measure, or key; descending with - before. The first measure, descending, if absent."`
	Limit    int           `json:"limit,omitempty" minimum:"0" maximum:"500" doc:"Keep the first so many keys of the first dimension that is not of time, the rest in rows marked others; 0 keeps all."`
	Compare  string        `json:"compare,omitempty" enum:"previous,school_year" doc:"The same figures in the period just before, or on the same days 52 weeks earlier; needs from."`
}

// StatsFilter keeps or drops incidents by the keys of a dimension.
type StatsFilter struct {
	Dim   string   `json:"dim"`
	In    []string `json:"in,omitempty" maxItems:"500" doc:"Keys to keep; \"\" is: not known."`
	NotIn []string `json:"not_in,omitempty" maxItems:"500" doc:"Keys to drop."`
	From  string   `json:"from,omitempty" doc:"First key of a range, inclusive."`
	To    string   `json:"to,omitempty" doc:"Last key of a range, inclusive."`
}

// StatsResult is the answer.
type StatsResult struct {
	Rows       []StatsRow `json:"rows"`
	Total      StatsRow   `json:"total" doc:"Over all groups, computed from the incidents, not from the rows."`
	Population int        `json:"population" doc:"Incidents opened in the period that the scope and the filters leave."`
	Excluded   int        `json:"excluded" doc:"Merged and cancelled incidents that were left out of it."`
	From       string     `json:"from" format:"date" doc:"First day of the period answered."`
	To         string     `json:"to" format:"date" doc:"First day after it."`
	AsOf       string     `json:"as_of" doc:"Place in the journal that the figures take account of; a stream's after."`
	At         time.Time  `json:"at"`
}

// StatsRow is one group.
type StatsRow struct {
	Keys   map[string]string   `json:"keys,omitempty" doc:"Key by dimension, to be used in filters."`
	Labels map[string]string   `json:"labels,omitempty" doc:"Key by dimension as it is shown, in the reader's language."`
	Values map[string]*float64 `json:"values" doc:"Figure by measure: a number, hours for a duration or a time spent, euros for a cost, 0 to 1 for a share; null when there is nothing to compute it from."`
	N      map[string]int      `json:"n" doc:"Incidents that each figure rests on."`
	Before map[string]*float64 `json:"before,omitempty" doc:"The same figures in the period compared."`
	Others bool                `json:"others,omitempty" doc:"Stands for what limit left out."`
}
