package incident

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Level says who handles an incident: some schools' referents have the first
// go (directory.Support), and hand over to the département what is beyond
// them. "incident.level.NAME" is its translation key.
type Level string

// The levels. All but AtSchoolLevel are the département's; they differ in how
// the incident came to it.
const (
	Direct        Level = ""       // it has never been at its school
	AtSchoolLevel Level = "school" // its school handles it, or has resolved it
	HandedOver    Level = "handed" // the referent handed it over, saying what was tried
	Lapsed        Level = "lapsed" // nobody at the school took it in hand in time
	Fetched       Level = "taken"  // the département did not wait
)

// Levels lists every level, Direct first.
var Levels = []Level{Direct, AtSchoolLevel, HandedOver, Lapsed, Fetched}

// Place limits a transition by who handles the incident.
type Place string

// The places.
const (
	Anywhere   Place = ""
	AtSchool   Place = "at_school"   // its school handles it
	FromSchool Place = "from_school" // the département does, after its school
)

// AtSchool tells whether the incident is with its school.
func (i *Incident) AtSchool() bool { return i.Level == AtSchoolLevel }

// FromSchool tells whether the département has it after its school.
func (i *Incident) FromSchool() bool { return i.Level != Direct && i.Level != AtSchoolLevel }

// comes is the level at which a declaration begins. What somebody of a school
// declares, and what comes in by mail or from a label, begins where the
// school's choice says; who notes a call says so (asked). A referent who says
// what they have tried hands over at once.
func (c *checker) comes(by auth.Identity, i *Incident, asked bool, tried string, now time.Time) {
	handles := by.Can(auth.HandleIncident)
	first := c.places.HandlesFirst(i.School, c.words.Path(i.Category))
	if handles && i.Origin != Email && i.Origin != Label {
		if asked && !first {
			c.add(FieldLevel, "error.incident.not_school_first")
		}
		first = first && asked
	}
	if !first {
		return
	}
	i.Level, i.LevelAt = AtSchoolLevel, now
	if i.Tried = text(tried); i.Tried == "" {
		return
	}
	if !by.Can(auth.HandleSchool) {
		i.Tried = ""
		return
	}
	i.Level = HandedOver
}

// fetching are the actions by which the département takes over what was with a
// school, by doing something to it.
var fetching = []Action{Take, Assign, Route, Plan, Hold, Resume, Resolve}

// level changes what follows for the levels from an action: who handles it
// now, and whether they have done something.
func (i *Incident) level(row *Transition, before *Incident, by auth.Identity, at time.Time) {
	switch {
	case row.Action == HandOver:
		i.pass(HandedOver, at)
	case row.Action == HandBack:
		i.pass(AtSchoolLevel, at)
		i.Team, i.Tried = 0, ""
	case before.AtSchool() && row.Right == auth.HandleIncident && slices.Contains(fetching, row.Action):
		i.Level, i.LevelAt, i.SeenAt = Fetched, at, time.Time{}
		if i.Assignee == before.Assignee && row.Action != Route {
			i.Assignee = by.Person // not the referent any more
		}
	case before.AtSchool() && row.Action == Reopen:
		i.LevelAt, i.SeenAt = at, time.Time{}
	}
	if i.Assignee != before.Assignee {
		i.SeenAt = time.Time{}
	}
	if !i.SeenAt.IsZero() {
		return
	}
	// Whoever does something about it has seen it; a comment of the school's
	// referent counts too, before anybody there has taken it.
	doing := slices.Contains([]Action{Acknowledge, Take, Plan, Hold, Resume, Resolve}, row.Action)
	mine := by.Person != 0 && i.Assignee == by.Person
	school := i.AtSchool() && by.Can(auth.HandleSchool)
	if doing && (mine || school) || row.Action == Comment && (mine || school) && by.Person != i.Declarant {
		i.SeenAt = at
	}
}

// pass puts an incident before those of another level, as new to them.
func (i *Incident) pass(to Level, at time.Time) {
	i.State, i.Level, i.LevelAt = New, to, at
	i.Assignee, i.SeenAt = 0, time.Time{}
}

// Lapse hands over to the département the incidents that nobody at their
// school took in hand, nor wrote about, within the open hours that the school
// gave itself, and gives how many. It is to be called now and then.
func (s *Service) Lapse(ctx context.Context, tenant int64, now time.Time) (int, error) {
	places, err := s.places.Index(ctx, tenant)
	if err != nil {
		return 0, err
	}
	var waiting []Incident
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		waiting, err = query(ctx, tx, " AND level = 'school' AND seen_at = 0 AND state IN ('new', 'assigned', 'planned') ORDER BY level_at LIMIT 5000", tenant)
		return err
	})
	if err != nil {
		return 0, err
	}
	done := 0
	for k := range waiting {
		due, ok := lapses(places, &waiting[k])
		if !ok || due.After(now) {
			continue
		}
		moved, err := s.lapse(ctx, tenant, waiting[k].ID, due, now)
		switch {
		case fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict):
			continue
		case err != nil:
			return done, err
		}
		if moved {
			done++
		}
	}
	return done, nil
}

// lapses is when an incident goes to the département by itself if nobody at
// its school does anything.
func lapses(places *directory.Index, i *Incident) (time.Time, bool) {
	hours := places.Support(i.School).Hours
	if hours == 0 || !i.AtSchool() || !i.State.Open() || i.State == Waiting || !i.SeenAt.IsZero() {
		return time.Time{}, false
	}
	return places.Calendar(i.School).AddOpenMinutes(i.LevelAt, hours*60), true
}

// LapsesAt is when an incident that is with its school goes to the
// département if nobody there does anything; zero if it does not.
func LapsesAt(places *directory.Index, i Incident) time.Time {
	at, _ := lapses(places, &i)
	return at
}

func (s *Service) lapse(ctx context.Context, tenant, id int64, due, now time.Time) (moved bool, err error) {
	by := auth.System(tenant)
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		moved = false
		found, err := s.hold(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		before := found[id]
		if before == nil || !before.AtSchool() || !before.SeenAt.IsZero() || !before.State.Open() || before.State == Waiting || before.LevelAt.After(due) {
			return nil // somebody did something meanwhile
		}
		after := *before
		after.pass(Lapsed, now)
		after.effects(before, now)
		set, was := Diff(before, &after)
		moved = true
		_, err = s.write(ctx, tx, by, before, &after, EventHandedOver, now, Payload{Set: set, Was: was})
		return err
	})
	return moved, err
}

// lapseEvery is how often Run looks for what nobody took in hand.
const lapseEvery = 30 * time.Second

// Run hands over what nobody at a school took in hand, until ctx ends.
func (s *Service) Run(ctx context.Context, tenant int64) error {
	t := time.NewTicker(lapseEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if _, err := s.Lapse(ctx, tenant, sqldb.Now()); err != nil {
			if ctx.Err() != nil || errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		}
	}
}

// Passage is one change of level in an incident's story.
type Passage struct {
	At       time.Time
	From, To Level
	Why      string // what was tried, or why it was handed back
	By       journal.Actor
}

// Passages tells how an incident went between its school and the département,
// oldest first. What was taken back is left out.
func (s *Service) Passages(ctx context.Context, scope auth.Scope, id int64) ([]Passage, error) {
	var all []Passage
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := load(ctx, tx, scope.Tenant(), []int64{id})
		if err != nil {
			return err
		}
		i := found[id]
		if i == nil || !i.SeenBy(scope) {
			return notFound()
		}
		all = nil
		if i.Level == Direct && i.LevelAt.IsZero() {
			return nil
		}
		events, err := journal.Of(ctx, tx, scope.Tenant(), subject(id))
		if err != nil {
			return err
		}
		var now Incident
		for k := range events {
			before := now
			if err := now.Fold(&events[k]); err != nil {
				return err
			}
			if before.Level == now.Level && before.LevelAt.Equal(now.LevelAt) {
				continue
			}
			if events[k].Kind == EventUndone && len(all) > 0 {
				all = all[:len(all)-1]
				continue
			}
			p := Passage{At: events[k].At, From: before.Level, To: now.Level, Why: now.Tried, By: events[k].Actor}
			if now.AtSchool() {
				var said Payload
				if err := json.Unmarshal(events[k].Data, &said); err != nil {
					return err
				}
				p.Why = said.Comment
			}
			all = append(all, p)
		}
		return nil
	})
	return all, err
}
