package routing

import (
	"context"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// MaxTry bounds how many past incidents rules are tried on.
const MaxTry = 10_000

// Agreement compares what rules would have done with what people did.
type Agreement struct {
	Same, Known int // of the incidents that the rule meets and that people gave to a team (or somebody)
}

// Of is the share, 0 … 1; 0 when nothing is known.
func (a Agreement) Of() float64 {
	if a.Known == 0 {
		return 0
	}
	return float64(a.Same) / float64(a.Known)
}

func (a *Agreement) count(rule, people int64) {
	if rule == 0 || people == 0 {
		return
	}
	a.Known++
	if rule == people {
		a.Same++
	}
}

// Trial is what one rule would have done.
type Trial struct {
	Rule         Rule
	Met          int // incidents that come to it: no rule before it takes them
	Team, Person Agreement
	Examples     []incident.Incident // the newest few
}

// TryReport is what all rules, on or off, would have done in their order.
type TryReport struct {
	Trials       []Trial
	Incidents    int
	Unmet        int // left to people
	Team, Person Agreement
	Whole        bool // false: only the last MaxTry were looked at
}

const examples = 3

// Try applies the rules, whether on or off, to the incidents declared since an
// instant, as they stand today (a category corrected since counts as it is
// now), and changes nothing. What people did is the team and the technician
// that the incident has, or had when it ended; the team of a technician counts
// where the incident has none.
func (s *Service) Try(ctx context.Context, by auth.Identity, since time.Time) (TryReport, error) {
	if err := by.Require(auth.EditService); err != nil {
		return TryReport{}, err
	}
	rules, err := s.Rules(ctx, by.Tenant)
	if err != nil {
		return TryReport{}, err
	}
	words, err := s.words.Index(ctx, by.Tenant)
	if err != nil {
		return TryReport{}, err
	}
	places, err := s.places.Index(ctx, by.Tenant)
	if err != nil {
		return TryReport{}, err
	}
	past, err := s.incidents.OpenedSince(ctx, by.Scope(), since, MaxTry+1)
	if err != nil {
		return TryReport{}, err
	}
	out := TryReport{Whole: len(past) <= MaxTry}
	past = past[:min(len(past), MaxTry)]
	at := make(map[int64]*Trial, len(rules))
	out.Trials = make([]Trial, len(rules))
	for k := range rules {
		out.Trials[k].Rule = rules[k]
		at[rules[k].ID] = &out.Trials[k]
	}
	for k := range past {
		i := &past[k]
		if i.State == incident.Merged || i.State == incident.Cancelled {
			continue
		}
		out.Incidents++
		rule := Meeting(rules, i, words.Path, true)
		if rule == nil {
			out.Unmet++
			continue
		}
		t := at[rule.ID]
		t.Met++
		if len(t.Examples) < examples {
			t.Examples = append(t.Examples, *i)
		}
		asked, team := teamOf(places, rule.Team, rule.Person), teamOf(places, i.Team, i.Assignee)
		t.Team.count(asked, team)
		out.Team.count(asked, team)
		t.Person.count(rule.Person, i.Assignee)
		out.Person.count(rule.Person, i.Assignee)
	}
	return out, nil
}

func teamOf(places *directory.Index, team, person int64) int64 {
	if team != 0 {
		return team
	}
	p, _ := places.Person(person)
	return p.Team
}
