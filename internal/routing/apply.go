package routing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
)

// Reader is the rules' name among the journal's readers.
const Reader = "routing"

const jobRoute = "routing.route"

// routed is the work on one incident.
type routed struct {
	Tenant   int64 `json:"tenant"`
	Incident int64 `json:"incident"`
}

// late is how old a declaration may be when it comes to the rules: one that
// was recorded long before (the journal of a restored or upgraded database) is
// people's affair already.
const late = time.Hour

// Run asks for the work on each incident as it is declared, or handed over by
// its school, until ctx ends.
// Imported histories are left alone.
func (s *Service) Run(ctx context.Context, tenant int64) error {
	return s.j.Run(ctx, tenant, Reader, func(ctx context.Context, tx *sqldb.Tx, events []journal.Event) error {
		now := sqldb.Now()
		for k := range events {
			e := &events[k]
			if e.Kind != incident.EventDeclared && e.Kind != incident.EventHandedOver || now.Sub(e.RecordedAt) > late {
				continue
			}
			var p incident.Payload
			if err := json.Unmarshal(e.Data, &p); err != nil {
				return fmt.Errorf("routing: event %s: %w", e.Pos, err)
			}
			if len(p.Steps) > 0 || p.Set.Level != nil && *p.Set.Level == incident.AtSchoolLevel {
				continue
			}
			if _, err := s.jobs.Insert(ctx, tx, jobRoute, routed{e.Tenant, e.Subject.ID}, jobs.Insertion{Priority: jobs.Urgent}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Route gives an incident to whom the first rule that is on and that it meets
// says, and tells which; nil if there is none. What people have taken,
// transferred or ended meanwhile is left to them. The incident's story says
// which rule it was, to the unit.
func (s *Service) Route(ctx context.Context, tenant, id int64) (*Rule, error) {
	by := auth.System(tenant)
	rules, err := s.Rules(ctx, tenant)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	i, err := s.incidents.Get(ctx, by.Scope(), id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // erased meanwhile: nothing to route
	}
	if err != nil {
		return nil, err
	}
	if i.State != incident.New || i.Assignee != 0 || i.Team != 0 || i.AtSchool() {
		return nil, nil //nolint:nilnil // people were faster
	}
	words, err := s.words.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	rule := Meeting(rules, &i, words.Path, false)
	if rule == nil {
		return nil, nil //nolint:nilnil // no rule is an answer
	}
	places, err := s.places.Index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	person, err := s.chosen(ctx, by, places, rule)
	if err != nil {
		return nil, err
	}
	say := locale.For(locale.Lang(places.Settings().Language), places.Settings().Location())
	c := incident.Change{Incident: id, Base: i.Version, Internal: true, Comment: say.T("routing.comment", "rule", rule.Name), Action: incident.Route, Set: incident.Patch{Team: &rule.Team}}
	if person != 0 {
		c.Action, c.Set = incident.Assign, incident.Patch{Assignee: &person}
		if rule.Team != 0 {
			c.Set.Team = &rule.Team
		}
	} else if rule.Team == 0 {
		return nil, nil //nolint:nilnil // its technician has left
	}
	_, err = s.incidents.Act(ctx, by, c)
	if fault.Is(err, fault.Conflict) {
		return nil, nil //nolint:nilnil // people were faster
	}
	if err != nil && fault.CodeOf(err) != fault.Internal {
		return nil, jobs.Cancel(err) // a rule that no longer fits: trying again changes nothing
	}
	return rule, err
}

// chosen is whom a rule names: its technician, or who of the team has the
// fewest open incidents; 0 for the team's queue.
func (s *Service) chosen(ctx context.Context, by auth.Identity, places *directory.Index, r *Rule) (int64, error) {
	if r.Person != 0 {
		if p, ok := places.Person(r.Person); ok && p.Kind == directory.Staff {
			return r.Person, nil
		}
		return 0, nil
	}
	if !r.Least {
		return 0, nil
	}
	var people []int64
	for _, p := range places.Technicians() {
		if p.Team == r.Team {
			people = append(people, p.ID)
		}
	}
	loads, err := s.incidents.Loads(ctx, by.Scope(), people)
	if err != nil {
		return 0, err
	}
	var least int64
	for _, id := range people { // by name: the first of equals
		if least == 0 || loads[id] < loads[least] {
			least = id
		}
	}
	return least, nil
}
