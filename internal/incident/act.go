package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Change is what someone does to an incident.
type Change struct {
	Incident int64
	// Base is the version that the person was looking at. What others changed
	// since is merged field by field: a field that both changed, to different
	// values, is a Conflict that shows each value that stands now. 0 acts on
	// what stands, whatever it is.
	Base   int64
	Action Action
	// Set holds the fields that the transition requires or accepts, and no
	// other: state, priority, counters and instants follow by rule.
	Set     Patch
	Comment string
	// Internal hides the comment from those who may not handle incidents.
	Internal bool
	// Attachments are files that come with the change; a comment may be nothing
	// else.
	Attachments []int64
	// Mentions are persons whom the comment calls, beside those whose name it
	// holds after "@".
	Mentions []int64
}

// Act does one action on an incident and gives it as it then stands. It writes
// one event, or none if everything asked is already so.
//
// Refusals: NotFound (or out of scope); Forbidden; Invalid with the fields
// concerned; Conflict "error.incident.not_possible" when the action no longer
// exists in the present state, "error.incident.changed" when somebody changed
// the same fields since Base (Fields, with Theirs).
func (s *Service) Act(ctx context.Context, by auth.Identity, c Change) (Incident, error) {
	c.Set.clean()
	c.Comment = text(c.Comment)
	at := sqldb.Now()
	check, err := s.checker(ctx, by, at)
	if err != nil {
		return Incident{}, err
	}
	var out Incident
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		judge := *check // Write may run this again
		var err error
		out, err = s.act(ctx, tx, &judge, c)
		return err
	})
	if err != nil {
		return Incident{}, err
	}
	return out, nil
}

func (s *Service) act(ctx context.Context, tx *sqldb.Tx, judge *checker, c Change) (Incident, error) {
	concerned := []int64{c.Incident}
	for _, other := range []*int64{c.Set.MergedInto, c.Set.Parent} {
		if other != nil && *other != 0 {
			concerned = append(concerned, *other)
		}
	}
	found, err := s.hold(ctx, tx, judge.by.Tenant, concerned...)
	if err != nil {
		return Incident{}, err
	}
	d, err := s.decide(ctx, tx, judge, c, found)
	if err != nil || d.nothing {
		return d.after, err
	}
	return s.writeAll(ctx, tx, judge.by, d.before, &d.after, d.kind, judge.at, d.payload, d.sides)
}

// hold keeps others from changing some incidents, and those that they are
// merged into, until the end of the transaction, and reads them.
func (s *Service) hold(ctx context.Context, tx *sqldb.Tx, tenant int64, ids ...int64) (map[int64]*Incident, error) {
	found, err := load(ctx, tx, tenant, ids)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(ids)
	for _, i := range found {
		if i.MergedInto != 0 {
			all = append(all, i.MergedInto)
		}
	}
	if tx.Dialect() == sqldb.SQLite && len(all) == len(ids) {
		return found, nil // nobody else writes
	}
	names := make([]string, len(all))
	for k, id := range all {
		names[k] = lockName(id)
	}
	if err := lock(ctx, tx, tenant, names...); err != nil {
		return nil, err
	}
	if found, err = load(ctx, tx, tenant, all); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if i := found[id]; i != nil && i.MergedInto != 0 && !slices.Contains(all, i.MergedInto) {
			return nil, fault.New(fault.Conflict, "error.incident.changed") // merged at this very moment
		}
	}
	return found, nil
}

// decision is what a change was judged to do.
type decision struct {
	before  *Incident
	after   Incident
	kind    string
	payload Payload
	sides   []side
	nothing bool // everything asked is already so
}

// decide judges a change on incidents as they stand, and writes nothing.
func (s *Service) decide(ctx context.Context, tx *sqldb.Tx, judge *checker, c Change, found map[int64]*Incident) (decision, error) {
	by := judge.by
	before := found[c.Incident]
	if before == nil || !before.SeenBy(by.Scope()) {
		return decision{}, notFound()
	}
	row, err := choose(by, c, before)
	if err != nil {
		return decision{}, err
	}
	if err := judge.form(row, c); err != nil {
		return decision{}, err
	}
	after := *before
	asked := c.Set
	switch row.Action {
	case Take:
		if by.Person == 0 {
			return decision{}, fault.InvalidField(string(FieldAssignee), "error.incident.no_person")
		}
		asked.Assignee = &by.Person
	case Detach:
		asked.Parent = new(int64)
	default:
	}
	asked.Apply(&after)
	if row.Action == Route && (before.Team != after.Team || before.State == New) {
		after.Assignee = 0
	}
	if row.To != Same {
		after.State = row.To
	}
	theirs, err := s.since(ctx, tx, by.Tenant, before, c.Base)
	if err != nil {
		return decision{}, err
	}
	if err := clash(before, &after, &asked, row, theirs); err != nil {
		return decision{}, err
	}
	judge.check(before, &after, func(f Field) bool { return asked.Has(f) && !byField[f].same(before, &after) })
	if err := judge.links(ctx, tx, row, before, &after, found); err != nil {
		return decision{}, err
	}
	if err := judge.fields.Err(); err != nil {
		return decision{}, lostGround(err, before, theirs)
	}
	if after.Impact != before.Impact || after.Urgency != before.Urgency {
		after.Priority = judge.words.Matrix().Priority(after.Impact, after.Urgency)
	}
	after.level(row, before, by, judge.at)
	after.effects(before, judge.at)
	set, was := Diff(before, &after)
	said := c.Comment != "" || len(c.Attachments) > 0
	if set.empty() && !said {
		return decision{before: before, after: *before, nothing: true}, nil
	}
	if err := s.guarded(ctx, tx, by, row.Action, before, &after); err != nil {
		return decision{}, err
	}
	sides, err := s.sides(ctx, tx, by.Tenant, before, &after, found)
	if err != nil {
		return decision{}, err
	}
	p := Payload{Set: set, Was: was, Comment: c.Comment, Internal: c.Internal && said && row.Action != HandBack, Attachments: c.Attachments} // the school reads why it comes back
	p.Mentions = judge.called(&after, c.Comment, p.Internal, c.Mentions)
	return decision{before: before, after: after, kind: row.Event, payload: p, sides: sides}, nil
}

// links judges the other incident of a merge or of a parent.
func (c *checker) links(ctx context.Context, tx *sqldb.Tx, row *Transition, before, after *Incident, found map[int64]*Incident) error {
	switch row.Action {
	case Merge:
		c.merge(before.ID, found[after.MergedInto])
		has, err := hasChildren(ctx, tx, c.by.Tenant, before.ID)
		if has {
			c.add(FieldMergedInto, "error.incident.has_children")
		}
		return err
	case Attach:
		return c.parent(ctx, tx, before, found[after.Parent])
	default:
		return nil
	}
}

// sides are what a change does to other incidents: who is merged is followed
// by their people, and taken back with them.
func (s *Service) sides(ctx context.Context, tx *sqldb.Tx, tenant int64, before, after *Incident, found map[int64]*Incident) ([]side, error) {
	if before.MergedInto == after.MergedInto {
		return nil, nil
	}
	var all []side
	if target := found[before.MergedInto]; target != nil {
		out, err := release(ctx, tx, tenant, target, before.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, out)
	}
	if after.MergedInto != 0 && found[after.MergedInto] == nil { // a reopening that is taken back
		if err := lock(ctx, tx, tenant, lockName(after.MergedInto)); err != nil {
			return nil, err
		}
		more, err := load(ctx, tx, tenant, []int64{after.MergedInto})
		if err != nil {
			return nil, err
		}
		found[after.MergedInto] = more[after.MergedInto]
	}
	if target := found[after.MergedInto]; target != nil {
		all = append(all, absorb(target, before))
	}
	return all, nil
}

// writeAll keeps what became of an incident and of the others that go with it.
func (s *Service) writeAll(ctx context.Context, tx *sqldb.Tx, by auth.Identity, before, after *Incident, kind string, at time.Time, p Payload, sides []side) (Incident, error) {
	out, err := s.write(ctx, tx, by, before, after, kind, at, p)
	if err != nil {
		return Incident{}, err
	}
	for _, o := range sides {
		if _, err := s.write(ctx, tx, by, o.before, o.after, o.kind, at, o.payload); err != nil {
			return Incident{}, err
		}
	}
	return out, nil
}

// write keeps what became of an incident with the event that says so.
func (s *Service) write(ctx context.Context, tx *sqldb.Tx, by auth.Identity, before, after *Incident, kind string, at time.Time, p Payload) (Incident, error) {
	e, err := event(by, after, kind, at, p)
	if err != nil {
		return Incident{}, err
	}
	if err := s.attached(ctx, tx, by, after, p.Attachments, p.Internal); err != nil {
		return Incident{}, err
	}
	if err := save(ctx, tx, by.Tenant, s.loc, []*Incident{after}); err != nil {
		return Incident{}, err
	}
	if before.Affected != after.Affected {
		if err := saveFollowers(ctx, tx, by.Tenant, []*Incident{after}); err != nil {
			return Incident{}, err
		}
	}
	if err := saveMentions(ctx, tx, by.Tenant, after.ID, after.Version, at, p.Mentions); err != nil {
		return Incident{}, err
	}
	return *after, s.j.Append(ctx, tx, e)
}

// choose finds the row of the state machine, or says why there is none.
func choose(by auth.Identity, c Change, i *Incident) (*Transition, error) {
	row, known := find(by, c.Action, i)
	if row != nil {
		return row, nil
	}
	if known {
		for k := range Transitions {
			if t := &Transitions[k]; t.Action == c.Action && t.meets(i) {
				if err := by.Require(t.Right); err != nil {
					return nil, err
				}
				return nil, fault.New(fault.Forbidden, "error.incident.only_declarant")
			}
		}
	}
	if !slices.ContainsFunc(Transitions, func(t Transition) bool { return t.Action == c.Action }) {
		return nil, fault.InvalidField("action", "error.field.unknown")
	}
	return nil, &fault.Error{
		Code: fault.Conflict, Key: "error.incident.not_possible",
		Args:   map[string]any{"action": string(c.Action), "state": string(i.State)},
		Fields: []fault.Field{{Name: string(FieldState), Key: "error.incident.changed_meanwhile", Theirs: i.State}},
	}
}

// form judges the shape of a change: what the row requires is there, and
// nothing that it does not take.
func (c *checker) form(row *Transition, ch Change) error {
	for _, f := range ch.Set.Fields() {
		if !row.takes(f) {
			c.add(f, "error.incident.field_not_taken")
		}
	}
	var given Incident
	ch.Set.Apply(&given)
	for _, f := range row.Required {
		if f == FieldComment {
			if ch.Comment == "" && (row.Action != Comment || len(ch.Attachments) == 0) {
				c.add(f, "error.field.required")
			}
		} else if !ch.Set.Has(f) || byField[f].zero(&given) {
			c.add(f, "error.field.required")
		}
	}
	if (ch.Comment != "" || len(ch.Attachments) > 0) && !row.takes(FieldComment) {
		c.add(FieldComment, "error.incident.field_not_taken")
	}
	c.length(FieldComment, ch.Comment, MaxText)
	c.attachments(ch.Attachments)
	c.mentions(ch.Mentions)
	if ch.Internal && !c.by.Can(auth.HandleIncident) {
		return c.by.Require(auth.HandleIncident)
	}
	return c.fields.Err()
}

// merge judges the incident that another is merged into.
func (c *checker) merge(id int64, into *Incident) {
	switch {
	case into == nil || !into.SeenBy(c.by.Scope()):
		c.add(FieldMergedInto, "error.field.unknown")
	case into.ID == id:
		c.add(FieldMergedInto, "error.incident.merge_itself")
	case into.State == Merged || into.State == Cancelled:
		c.add(FieldMergedInto, "error.incident.merge_ended")
	}
}

// since tells which fields others changed after a version, from the journal.
func (s *Service) since(ctx context.Context, tx *sqldb.Tx, tenant int64, i *Incident, base int64) (map[Field]bool, error) {
	switch {
	case base == 0 || base == i.Version:
		return nil, nil
	case base < 0 || base > i.Version:
		return nil, fault.InvalidField("version", "error.field.unknown")
	}
	events, err := journal.Of(ctx, tx, tenant, subject(i.ID))
	if err != nil {
		return nil, err
	}
	if int64(len(events)) != i.Version {
		return nil, fmt.Errorf("incident %d: version %d but %d events", i.ID, i.Version, len(events))
	}
	theirs := map[Field]bool{}
	for _, e := range events[base:] {
		var p Payload
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return nil, fmt.Errorf("incident %d: event %s: %w", i.ID, e.Pos, err)
		}
		for _, f := range p.Set.Fields() {
			theirs[f] = true
		}
	}
	return theirs, nil
}

// clash refuses what was asked of a field that somebody else has changed since
// to another value.
func clash(before, after *Incident, asked *Patch, row *Transition, theirs map[Field]bool) error {
	if len(theirs) == 0 {
		return nil
	}
	var fields []fault.Field
	for k := range accessors {
		a := &accessors[k]
		mine := asked.Has(a.name) || a.name == FieldState && row.To != Same
		if mine && theirs[a.name] && !a.same(before, after) {
			fields = append(fields, fault.Field{Name: string(a.name), Key: "error.incident.changed_meanwhile", Theirs: a.value(before)})
		}
	}
	return conflict(fields)
}

func conflict(fields []fault.Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &fault.Error{Code: fault.Conflict, Key: "error.incident.changed", Fields: fields}
}

// lostGround turns the refusal of a room into a conflict when what made it
// wrong is that somebody else moved the incident to another school meanwhile.
func lostGround(err error, before *Incident, theirs map[Field]bool) error {
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok || !theirs[FieldSchool] || len(refusal.Fields) != 1 || refusal.Fields[0].Name != string(FieldRoom) {
		return err
	}
	return conflict([]fault.Field{{Name: string(FieldSchool), Key: "error.incident.changed_meanwhile", Theirs: before.School}})
}
