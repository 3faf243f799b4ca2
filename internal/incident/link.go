package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// side is what a change of one incident does to another, in its transaction.
type side struct {
	before, after *Incident
	kind          string
	payload       Payload
}

// absorb makes the target of a merge carry whoever the merged incident
// concerned: its declarant and those who joined it follow the target.
func absorb(target, merged *Incident) side {
	after := *target
	members := append(target.Affected.Members(), merged.Affected.Members()...)
	if merged.Declarant != target.Declarant || merged.Room != target.Room {
		m := Member{merged.Declarant, merged.Room}
		if merged.Declarant == target.Declarant {
			m.Person = 0
		}
		members = append(members, m)
	}
	if c := CircleOf(members...); len(c.Members()) <= MaxAffected {
		after.Affected = c
	}
	set, was := Diff(target, &after)
	return side{before: target, after: &after, kind: EventAbsorbed, payload: Payload{Set: set, Was: was, Other: merged.ID}}
}

// release takes out of the target of a merge those who came with an incident
// that is no longer merged into it. Whoever joined both stays.
func release(ctx context.Context, tx *sqldb.Tx, tenant int64, target *Incident, merged int64) (side, error) {
	events, err := journal.Of(ctx, tx, tenant, subject(target.ID))
	if err != nil {
		return side{}, err
	}
	var came []Member
	for k := range events {
		var p Payload
		if events[k].Kind != EventAbsorbed {
			continue
		}
		if err := json.Unmarshal(events[k].Data, &p); err != nil {
			return side{}, fmt.Errorf("incident %d: event %s: %w", target.ID, events[k].Pos, err)
		}
		if p.Other != merged {
			continue
		}
		came = nil
		if p.Set.Affected != nil && p.Was.Affected != nil {
			before := p.Was.Affected.Members()
			came = slices.DeleteFunc(p.Set.Affected.Members(), func(m Member) bool { return slices.Contains(before, m) })
		}
	}
	after := *target
	after.Affected = CircleOf(slices.DeleteFunc(target.Affected.Members(), func(m Member) bool { return slices.Contains(came, m) })...)
	set, was := Diff(target, &after)
	return side{before: target, after: &after, kind: EventReleased, payload: Payload{Set: set, Was: was, Other: merged}}, nil
}

// parent judges the main incident that one becomes a part of.
func (c *checker) parent(ctx context.Context, tx *sqldb.Tx, i, parent *Incident) error {
	switch {
	case parent == nil || !parent.SeenBy(c.by.Scope()):
		c.add(FieldParent, "error.field.unknown")
	case parent.ID == i.ID:
		c.add(FieldParent, "error.incident.link_itself")
	case parent.Parent != 0:
		c.add(FieldParent, "error.incident.parent_is_child", "number", parent.Parent)
	case parent.State == Merged || parent.State == Cancelled:
		c.add(FieldParent, "error.incident.merge_ended")
	}
	has, err := hasChildren(ctx, tx, c.by.Tenant, i.ID)
	if has {
		c.add(FieldParent, "error.incident.has_children")
	}
	return err
}

func hasChildren(ctx context.Context, tx *sqldb.Tx, tenant, id int64) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM incident WHERE tenant_id = $1 AND parent_id = $2 AND parent_id <> 0 AND state <> 'merged'`, tenant, id).Scan(&n)
	return n > 0, err
}

// Children lists the incidents of which one is the main one, as far as the
// scope goes, by number.
func (s *Service) Children(ctx context.Context, scope auth.Scope, id int64) ([]Incident, error) {
	return s.list(ctx, scope, " AND parent_id = $2 AND parent_id <> 0", scope.Tenant(), id)
}

// Current follows an incident to the one that it was merged into, if any, and
// on to where that stands: what an answer to an old message is about. It is
// NotFound when that is out of scope.
func (s *Service) Current(ctx context.Context, scope auth.Scope, id int64) (Incident, error) {
	i, err := s.Get(ctx, scope, id)
	for n := 0; err == nil && i.State == Merged && i.MergedInto != 0 && n < 20; n++ {
		i, err = s.Get(ctx, scope, i.MergedInto)
	}
	return i, err
}

// Relate notes that two incidents have to do with each other; Unrelate takes
// it back. Who handles one and sees both may. It gives the first as it stands.
func (s *Service) Relate(ctx context.Context, by auth.Identity, id, other int64) (Incident, error) {
	return s.relate(ctx, by, id, other, EventRelated, Numbers.With)
}

// Unrelate takes back that two incidents have to do with each other.
func (s *Service) Unrelate(ctx context.Context, by auth.Identity, id, other int64) (Incident, error) {
	return s.relate(ctx, by, id, other, EventUnrelated, Numbers.Without)
}

func (s *Service) relate(ctx context.Context, by auth.Identity, id, other int64, kind string, change func(Numbers, int64) Numbers) (Incident, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Incident{}, err
	}
	at := sqldb.Now()
	var out Incident
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := lock(ctx, tx, by.Tenant, lockName(id), lockName(other)); err != nil {
			return err
		}
		found, err := load(ctx, tx, by.Tenant, []int64{id, other})
		if err != nil {
			return err
		}
		a, b := found[id], found[other]
		switch {
		case a == nil || !a.SeenBy(by.Scope()):
			return notFound()
		case id == other:
			return fault.InvalidField(string(FieldRelated), "error.incident.link_itself")
		case b == nil || !b.SeenBy(by.Scope()):
			return fault.InvalidField(string(FieldRelated), "error.field.unknown")
		}
		out = *a
		for _, pair := range [][2]*Incident{{a, b}, {b, a}} {
			before, after := pair[0], *pair[0]
			after.Related = change(before.Related, pair[1].ID)
			if after.Related == before.Related {
				continue
			}
			if len(after.Related.List()) > MaxRelated {
				return fault.InvalidField(string(FieldRelated), "error.field.too_many", "max", MaxRelated)
			}
			set, was := Diff(before, &after)
			done, err := s.write(ctx, tx, by, before, &after, kind, at, Payload{Set: set, Was: was, Other: pair[1].ID})
			if err != nil {
				return err
			}
			if done.ID == id {
				out = done
			}
		}
		return nil
	})
	if err != nil {
		return Incident{}, err
	}
	return out, nil
}

// Split is the second incident that is taken out of one where two things were
// reported.
type Split struct {
	Title       string
	Description string        // what of the description belongs to it
	Category    int64         // the original's if 0
	Room        int64         // the original's if 0
	Comments    []journal.Pos // entries of the story whose comments are told again there
}

// Split makes a new incident of a part of another, for the same declarant and
// in the same school, related to it both ways. Comments are told again in the
// new one by who said them and when; nothing leaves the original. It gives the
// new incident.
func (s *Service) Split(ctx context.Context, by auth.Identity, id int64, part Split) (Incident, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return Incident{}, err
	}
	return s.judged(ctx, by, func(ctx context.Context, tx *sqldb.Tx, judge *checker, at time.Time) (Incident, error) {
		return s.split(ctx, tx, judge, id, part, at)
	})
}

func (s *Service) split(ctx context.Context, tx *sqldb.Tx, judge *checker, id int64, part Split, at time.Time) (Incident, error) {
	by := judge.by
	from, err := locked(ctx, tx, by.Tenant, id)
	if err != nil {
		return Incident{}, err
	}
	if from == nil || !from.SeenBy(by.Scope()) {
		return Incident{}, notFound()
	}
	fresh := Incident{
		State: New, Title: line(part.Title), Description: text(part.Description), School: from.School, Room: from.Room, Network: from.Network,
		Category: from.Category, Impact: from.Impact, Urgency: from.Urgency, Declarant: from.Declarant, Team: from.Team, Origin: from.Origin,
		OccurredAt: from.OccurredAt, OpenedAt: at, Related: NumbersOf(from.ID),
	}
	if fresh.Impact == 0 || fresh.Urgency == 0 { // imported without
		fresh.Impact, fresh.Urgency = DefaultImpact, DefaultUrgency
	}
	if part.Category != 0 {
		fresh.Category = part.Category
	}
	if part.Room != 0 {
		fresh.Room = part.Room
	}
	asked := func(f Field) bool {
		return f == FieldTitle || f == FieldCategory && part.Category != 0 || f == FieldRoom && part.Room != 0
	}
	judge.check(&Incident{ID: from.ID, School: from.School}, &fresh, asked)
	if len(part.Comments) > MaxSplit {
		judge.fields.Add("comments", "error.field.too_many", "max", MaxSplit)
	}
	if err := judge.fields.Err(); err != nil {
		return Incident{}, err
	}
	fresh.Priority = judge.words.Matrix().Priority(fresh.Impact, fresh.Urgency)
	said, err := comments(ctx, tx, by.Tenant, from.ID, part.Comments)
	if err != nil {
		return Incident{}, err
	}
	if fresh.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
		return Incident{}, err
	}
	after := *from
	after.Related = from.Related.With(fresh.ID)
	set, was := Diff(from, &after)
	if _, err := s.write(ctx, tx, by, from, &after, EventSplit, at, Payload{Set: set, Was: was, Other: fresh.ID}); err != nil {
		return Incident{}, err
	}
	set, was = Diff(&Incident{}, &fresh)
	declared, err := event(by, &fresh, EventDeclared, at, Payload{Set: set, Was: was, Other: from.ID})
	if err != nil {
		return Incident{}, err
	}
	events := []journal.Event{declared}
	for _, e := range said {
		fresh.stamp(e.At)
		e.Subject, e.School = subject(fresh.ID), fresh.School
		events = append(events, e)
	}
	if err := save(ctx, tx, by.Tenant, s.loc, []*Incident{&fresh}); err != nil {
		return Incident{}, err
	}
	return fresh, s.j.Append(ctx, tx, events...)
}

// MaxSplit is how many comments a part takes along.
const MaxSplit = 100

// comments gives the events that tell again what was said in some entries of
// an incident's story.
func comments(ctx context.Context, tx *sqldb.Tx, tenant, id int64, wanted []journal.Pos) ([]journal.Event, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	events, err := journal.Of(ctx, tx, tenant, subject(id))
	if err != nil {
		return nil, err
	}
	var told []journal.Event
	for k := range events {
		e := &events[k]
		if !slices.Contains(wanted, e.Pos) {
			continue
		}
		var p Payload
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return nil, fmt.Errorf("incident %d: event %s: %w", id, e.Pos, err)
		}
		if p.Comment == "" {
			continue
		}
		data, err := json.Marshal(Payload{Comment: p.Comment, Internal: p.Internal, Other: id})
		if err != nil {
			return nil, err
		}
		told = append(told, journal.Event{Tenant: tenant, At: e.At, Actor: e.Actor, Kind: EventCommented, Data: data})
	}
	if len(told) != len(wanted) {
		return nil, fault.InvalidField("comments", "error.field.unknown")
	}
	return told, nil
}
