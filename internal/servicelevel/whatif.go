package servicelevel

import (
	"context"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Share is how many of the incidents that can be judged were on time. An
// incident is judged once its clock has stopped, or is past its target.
type Share struct{ InTime, Judged int }

// Of is the share itself, 0 … 1; 0 when nothing can be judged.
func (s Share) Of() float64 {
	if s.Judged == 0 {
		return 0
	}
	return float64(s.InTime) / float64(s.Judged)
}

func (s *Share) count(r Reading, c *calendar.Calendar, now time.Time) {
	if r.Target == 0 || r.Phase == Void {
		return
	}
	switch spent := r.SpentAt(c, now); {
	case spent > r.Target:
		s.Judged++
	case r.Phase == Stopped:
		s.Judged++
		s.InTime++
	}
}

// WhatIfRow compares the targets as they stand with proposed ones for the
// incidents of a priority (0: of all).
type WhatIfRow struct {
	Priority                             int
	Incidents                            int
	Response, Resolution                 Share // by the targets in force
	ProposedResponse, ProposedResolution Share
	MedianResponse, MedianResolution     int // open minutes, of those whose clock has stopped
	responses, resolutions               []int
}

// WhatIfReport is what the targets of a proposal would have made of incidents
// declared in a stretch of days.
type WhatIfReport struct {
	Rows  []WhatIfRow // all together first, then by priority
	Whole bool        // false: only the last MaxWhatIf were looked at
}

// MaxWhatIf bounds how many incidents a proposal is tried on.
const MaxWhatIf = 20_000

// WhatIf tries targets on the incidents that were declared in [from, to).
func (s *Service) WhatIf(ctx context.Context, by auth.Identity, proposal []Target, from, to, now time.Time) (WhatIfReport, error) {
	out := WhatIfReport{Whole: true}
	if err := by.Require(auth.EditService); err != nil {
		return out, err
	}
	rules, err := s.ruling(ctx, by.Tenant)
	if err != nil {
		return out, err
	}
	proposed := rules.Rules
	proposed.Targets = NewTargets(proposal)
	var ids []int64
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT incident_id FROM service_clock WHERE tenant_id = $1 AND opened_at >= $2 AND opened_at < $3 ORDER BY opened_at DESC, incident_id DESC LIMIT $4`,
			by.Tenant, sqldb.Millis(from), sqldb.Millis(to), MaxWhatIf+1)
		if err != nil {
			return fmt.Errorf("servicelevel: what if: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	if err != nil {
		return out, err
	}
	if len(ids) > MaxWhatIf {
		ids, out.Whole = ids[:MaxWhatIf], false
	}
	rows := make([]WhatIfRow, 6)
	for part := range slices.Chunk(ids, perStatement) {
		stories, err := s.stories(ctx, by.Tenant, part)
		if err != nil {
			return out, err
		}
		for k := range stories {
			story := &stories[k]
			priority := story.Steps[len(story.Steps)-1].Priority
			for _, at := range slices.Compact([]int{0, priority}) {
				rows[at].add(story, rules.Rules, proposed, now)
			}
		}
	}
	for k := range rows {
		rows[k].Priority = k
		rows[k].MedianResponse, rows[k].MedianResolution = median(rows[k].responses), median(rows[k].resolutions)
		if k == 0 || rows[k].Incidents > 0 {
			out.Rows = append(out.Rows, rows[k])
		}
	}
	return out, nil
}

func (w *WhatIfRow) add(story *Story, rules, proposed Rules, now time.Time) {
	a, b := TallyOf(*story, rules), TallyOf(*story, proposed)
	c := rules.Calendar(a.School)
	w.Incidents++
	w.Response.count(a.Response, c, now)
	w.Resolution.count(a.Resolution, c, now)
	w.ProposedResponse.count(b.Response, c, now)
	w.ProposedResolution.count(b.Resolution, c, now)
	if a.Response.Phase == Stopped {
		w.responses = append(w.responses, a.Response.Spent)
	}
	if a.Resolution.Phase == Stopped {
		w.resolutions = append(w.resolutions, a.Resolution.Spent)
	}
}

func median(list []int) int {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// stories reads the stories of some incidents.
func (s *Service) stories(ctx context.Context, tenant int64, ids []int64) ([]Story, error) {
	var events []journal.Event
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		events, err = journal.OfMany(ctx, tx, tenant, incident.Subject, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return eachStory(events)
}

// eachStory tells events, in the journal's order, apart by incident.
func eachStory(events []journal.Event) ([]Story, error) {
	slices.SortStableFunc(events, func(a, b journal.Event) int { return int(a.Subject.ID - b.Subject.ID) })
	var all []Story
	for from := 0; from < len(events); {
		to := from + 1
		for to < len(events) && events[to].Subject.ID == events[from].Subject.ID {
			to++
		}
		story, err := StoryOf(events[from:to])
		if err != nil {
			return nil, err
		}
		all = append(all, story)
		from = to
	}
	return all, nil
}
