package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// History is one incident as another software tells it.
type History struct {
	Source     string // that software: "servicenow"; not empty
	ExternalID string // its number there; not empty
	Steps      []Step // sorted by ImportHistories, steps of one instant keep their order
}

// Step is one row of a history.
type Step struct {
	At    time.Time
	Actor journal.Actor
	Kind  string // EventResolved…; EventUpdated if empty. The first is always EventDeclared
	// Set holds the values that stand after the step, of the fields that the
	// row tells. The event keeps those that differ from the step before.
	Set      Patch
	Comment  string
	Internal bool
}

// ImportResult counts what an import did, or would do.
type ImportResult struct {
	Created, Updated, Unchanged int
	Events                      int
	IDs                         []int64 // number of each history's incident; 0 if rejected, and for what Preview would create
	Rejected                    []Rejection
}

// Rejection is a history that cannot be understood; the others are imported.
type Rejection struct {
	Index      int // in the list given
	ExternalID string
	Err        *fault.Error
}

// ImportHistories records incidents with their whole past: each step becomes
// an event at its own instant. It wants the right to import, commits the list
// as a whole, and trusts the identifiers (schools, people, codes) that the
// caller resolved. Some 500 to 1,000 histories a call suit both engines.
//
// An incident is known by (Source, ExternalID); the events it got from imports
// remember which steps they came from. Importing again:
//
//   - steps that are known already change nothing, so that the same file twice
//     writes nothing, and neither does an older file;
//   - new steps after the last one known are appended, as they were told. A
//     field that somebody changed here meanwhile keeps that change unless a new
//     step changes the field;
//   - steps that are new among, or in place of, those known (a corrected file or
//     a better mapping) are summed up in one EventUpdated, at the instant of
//     the last of them, which brings the fields to what the history now tells;
//     a comment among them that was not known becomes an event of its own.
//     What was recorded stays in the journal.
//
// A step that makes the incident open again empties the instants of resolution
// and closing, and one that ends it sets the instant of closing, unless the
// step says otherwise. A first step that says nothing of it gives OpenedAt its
// own instant, OccurredAt that of opening, Origin Import, State New.
func (s *Service) ImportHistories(ctx context.Context, by auth.Identity, histories []History) (ImportResult, error) {
	return s.importing(ctx, by, histories, true)
}

// PreviewHistories tells what ImportHistories would do, and does nothing.
func (s *Service) PreviewHistories(ctx context.Context, by auth.Identity, histories []History) (ImportResult, error) {
	return s.importing(ctx, by, histories, false)
}

func (s *Service) importing(ctx context.Context, by auth.Identity, histories []History, write bool) (ImportResult, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return ImportResult{}, err
	}
	now := sqldb.Now()
	var base ImportResult
	base.IDs = make([]int64, len(histories))
	plans := make([]*plan, 0, len(histories))
	seen := map[[2]string]bool{}
	for n := range histories {
		p := &plan{index: n, source: line(histories[n].Source), external: line(histories[n].ExternalID)}
		err := p.prepare(&histories[n], now)
		key := [2]string{p.source, p.external}
		if err == nil && seen[key] {
			err = fault.InvalidField(string(FieldExternalID), "error.incident.import_duplicate")
		}
		if err != nil {
			base.Rejected = append(base.Rejected, Rejection{Index: n, ExternalID: p.external, Err: err})
			continue
		}
		seen[key] = true
		plans = append(plans, p)
	}
	var result ImportResult
	work := func(ctx context.Context, tx *sqldb.Tx) error {
		result = base
		result.IDs = slices.Clone(base.IDs) // a PostgreSQL transaction may run again
		return s.importTx(ctx, tx, by.Tenant, plans, &result, write)
	}
	run := s.db.Read
	if write {
		run = s.db.Write
	}
	if err := run(ctx, work); err != nil {
		return ImportResult{}, err
	}
	return result, nil
}

func (s *Service) importTx(ctx context.Context, tx *sqldb.Tx, tenant int64, plans []*plan, result *ImportResult, write bool) error {
	if err := tx.PlanAfresh(ctx); err != nil {
		return err
	}
	known, err := s.known(ctx, tx, tenant, plans, write)
	if err != nil {
		return err
	}
	var created []*plan
	var events []journal.Event
	var changed []*Incident
	for _, p := range plans {
		p.known = known[[2]string{p.source, p.external}]
		if p.known == nil {
			created = append(created, p)
			result.Created++
		}
	}
	if write && len(created) > 0 {
		first, err := tx.NextIDs(ctx, tenant, Subject, int64(len(created)))
		if err != nil {
			return err
		}
		for k, p := range created {
			p.id = first + int64(k)
		}
	}
	for _, p := range plans {
		p.tenant = tenant
		i, own, err := p.run()
		if err != nil {
			return err
		}
		result.IDs[p.index] = i.ID
		result.Events += len(own)
		switch {
		case p.known == nil:
		case len(own) > 0:
			result.Updated++
		default:
			result.Unchanged++
		}
		if len(own) > 0 {
			changed = append(changed, i)
			events = append(events, own...)
		}
	}
	if !write || len(events) == 0 {
		return nil
	}
	if err := save(ctx, tx, tenant, s.loc, changed); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, events...)
}

// recorded is what is here already of an imported incident.
type recorded struct {
	now      Incident // as it stands
	told     Incident // as its imported steps alone left it
	steps    map[string]bool
	comments map[comment]bool
	last     time.Time // instant of its last imported step
}

type comment struct {
	at   int64
	text string
}

// known reads what is here of the incidents of some histories.
func (s *Service) known(ctx context.Context, tx *sqldb.Tx, tenant int64, plans []*plan, write bool) (map[[2]string]*recorded, error) {
	bySource := map[string][]string{}
	var sources []string
	for _, p := range plans {
		if bySource[p.source] == nil {
			sources = append(sources, p.source)
		}
		bySource[p.source] = append(bySource[p.source], p.external)
	}
	if write {
		names := make([]string, len(sources))
		for k, source := range sources {
			names[k] = "import/" + source
		}
		if err := lock(ctx, tx, tenant, names...); err != nil {
			return nil, err
		}
	}
	found := map[[2]string]*recorded{}
	for _, source := range sources {
		for part := range slices.Chunk(bySource[source], perStatement) {
			if err := knownOf(ctx, tx, tenant, source, part, write, found); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func knownOf(ctx context.Context, tx *sqldb.Tx, tenant int64, source string, externals []string, write bool, found map[[2]string]*recorded) error {
	args := []any{tenant, source}
	for _, x := range externals {
		args = append(args, x)
	}
	condition := " AND external_source = $2 AND external_id IN (" + marks(3, len(externals)) + ") AND external_id <> ''"
	all, err := query(ctx, tx, condition, args...)
	if err != nil || len(all) == 0 {
		return err
	}
	ids, names := make([]int64, len(all)), make([]string, len(all))
	for k := range all {
		ids[k], names[k] = all[k].ID, lockName(all[k].ID)
	}
	if write && tx.Dialect() == sqldb.PostgreSQL {
		if err := lock(ctx, tx, tenant, names...); err != nil {
			return err
		}
		if all, err = query(ctx, tx, condition, args...); err != nil { // as it stands now that nobody else may change it
			return err
		}
	}
	byID := make(map[int64]*recorded, len(all))
	for k := range all {
		r := &recorded{now: all[k], told: Incident{ID: all[k].ID}, steps: map[string]bool{}, comments: map[comment]bool{}}
		byID[all[k].ID] = r
		found[[2]string{all[k].ExternalSource, all[k].ExternalID}] = r
	}
	events, err := journal.OfMany(ctx, tx, tenant, Subject, ids)
	if err != nil {
		return err
	}
	for k := range events {
		var p Payload
		if err := json.Unmarshal(events[k].Data, &p); err != nil {
			return fmt.Errorf("incident %d: event %s: %w", events[k].Subject.ID, events[k].Pos, err)
		}
		r := byID[events[k].Subject.ID]
		if r == nil || len(p.Steps) == 0 {
			continue
		}
		p.Set.Apply(&r.told)
		for _, step := range p.Steps {
			r.steps[step] = true
		}
		if p.Comment != "" {
			r.comments[comment{events[k].At.UnixMilli(), p.Comment}] = true
		}
		if events[k].At.After(r.last) {
			r.last = events[k].At
		}
	}
	return nil
}

// plan is one history on its way in.
type plan struct {
	index            int
	source, external string
	steps            []Step
	digests          []string
	known            *recorded // nil for a new incident
	id, tenant       int64     // of a new incident
}

// prepare cleans, judges and sorts the steps, and drops repeated ones.
func (p *plan) prepare(h *History, now time.Time) *fault.Error {
	var fields fault.Fields
	if p.external == "" || p.source == "" {
		fields.Add(string(FieldExternalID), "error.incident.import_no_id")
	}
	for _, s := range []string{p.external, p.source} {
		if utf8.RuneCountInString(s) > MaxKey {
			fields.Add(string(FieldExternalID), "error.field.too_long", "max", MaxKey)
		}
	}
	if len(h.Steps) == 0 {
		fields.Add("steps", "error.incident.import_no_steps")
	}
	p.steps = slices.Clone(h.Steps)
	for n := range p.steps {
		s := &p.steps[n]
		s.Set.clean()
		s.Comment = text(s.Comment)
		s.At = instant(s.At)
		if s.Kind == "" {
			s.Kind = EventUpdated
		}
		if s.Actor.Kind == "" {
			s.Actor.Kind = journal.BySystem
		}
		s.judge(n+1, now, &fields)
	}
	if len(fields) > 0 {
		return &fault.Error{Code: fault.Invalid, Key: "error.invalid", Fields: fields}
	}
	slices.SortStableFunc(p.steps, func(a, b Step) int { return a.At.Compare(b.At) })
	seen := make(map[string]bool, len(p.steps))
	kept := p.steps[:0]
	for n := range p.steps {
		d := p.steps[n].digest()
		if !seen[d] {
			seen[d] = true
			kept = append(kept, p.steps[n])
			p.digests = append(p.digests, d)
		}
	}
	p.steps = kept
	return nil
}

// kinds of event that an import may tell.
var kinds = []string{
	EventDeclared, EventEdited, EventAssigned, EventPlanned, EventHeld, EventResumed, EventResolved,
	EventClosed, EventReopened, EventCancelled, EventMerged, EventCommented, EventRated, EventUpdated,
	EventAcknowledged, EventHandedOver, EventHandedBack,
}

// judge wants a plausible instant and values that exist; step is its number in
// the history, from 1.
func (s *Step) judge(step int, now time.Time, fields *fault.Fields) {
	if s.At.Year() < 1980 || s.At.After(now.AddDate(0, 0, 1)) {
		fields.Add("at", "error.incident.import_no_date", "step", step)
	}
	var i Incident
	s.Set.Apply(&i)
	bad := func(f Field, wrong bool) {
		if wrong {
			fields.Add(string(f), "error.incident.import_bad_value", "step", step)
		}
	}
	bad("kind", !slices.Contains(kinds, s.Kind))
	bad(FieldState, s.Set.State != nil && !slices.Contains(States, i.State))
	bad(FieldNetwork, !slices.Contains([]directory.Network{directory.NetworkUnknown, directory.NetworkAdministrative, directory.NetworkTeaching}, i.Network))
	bad(FieldOrigin, s.Set.Origin != nil && !slices.Contains(Origins, i.Origin))
	bad(FieldTarget, !slices.Contains([]Target{TargetUnknown, TargetMet, TargetMissed}, i.Target))
	bad(FieldImpact, i.Impact < 0 || i.Impact > 3)
	bad(FieldUrgency, i.Urgency < 0 || i.Urgency > 3)
	bad(FieldPriority, i.Priority < 0 || i.Priority > 5)
	bad(FieldReopenCount, i.ReopenCount < 0)
	bad(FieldReassignCount, i.ReassignCount < 0)
	bad(FieldOpenedAt, s.Set.OpenedAt != nil && i.OpenedAt.IsZero())
	bad(FieldOccurredAt, s.Set.OccurredAt != nil && i.OccurredAt.IsZero())
	bad(FieldLevel, !slices.Contains(Levels, i.Level))
	bad(FieldParent, s.Set.Parent != nil)     // what other software calls a parent is not ours
	bad(FieldAffected, s.Set.Affected != nil) // nobody joins by an import
	bad(FieldRelated, s.Set.Related != nil)
	bad(FieldRating, s.Set.Rating != nil && i.Rating != "" && !slices.Contains(Ratings, i.Rating))
	bad(FieldExternalID, s.Set.ExternalID != nil || s.Set.ExternalSource != nil) // said by the history
	for _, t := range []struct {
		field Field
		text  string
		limit int
	}{{FieldTitle, i.Title, MaxTitle}, {FieldMachine, i.Machine, MaxMachine}, {FieldDescription, i.Description, MaxText}, {FieldResolution, i.Resolution, MaxText}, {FieldTried, i.Tried, MaxTried}, {FieldComment, s.Comment, MaxText}} {
		if len(t.text) > t.limit && utf8.RuneCountInString(t.text) > t.limit {
			fields.Add(string(t.field), "error.field.too_long", "max", t.limit)
		}
	}
}

// digest knows a step again in another file.
func (s *Step) digest() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s %d %t %q ", s.At.UnixMilli(), s.Kind, s.Actor.Kind, s.Actor.ID, s.Internal, s.Comment)
	if err := json.NewEncoder(h).Encode(&s.Set); err != nil {
		panic(err) // every field of a patch can be written
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// run gives the incident as it will stand and the events that lead there.
func (p *plan) run() (*Incident, []journal.Event, error) {
	if p.known == nil {
		b := &builder{plan: p, now: Incident{ID: p.id}, told: Incident{ID: p.id}}
		for n := range p.steps {
			s := &p.steps[n]
			if n == 0 {
				s = p.first()
			}
			b.tell(s, p.digests[n])
		}
		return &b.now, b.events, b.err
	}
	b := &builder{plan: p, now: p.known.now, told: p.known.told}
	early, tail := p.fresh()
	if len(early)+len(tail) > 0 {
		if len(early) > 0 {
			b.correct(early, tail)
		}
		for _, n := range tail {
			b.tell(&p.steps[n], p.digests[n])
		}
	}
	return &b.now, b.events, b.err
}

// first is the first step with what it must say.
func (p *plan) first() *Step {
	s := p.steps[0]
	s.Kind = EventDeclared
	set := s.Set
	if set.State == nil {
		set.State = new(New)
	}
	if set.Origin == nil {
		set.Origin = new(Import)
	}
	if set.OpenedAt == nil {
		set.OpenedAt = new(s.At)
	}
	if set.OccurredAt == nil {
		set.OccurredAt = new(*set.OpenedAt)
	}
	if set.Title == nil || *set.Title == "" {
		set.Title = new(p.external)
	}
	set.ExternalSource, set.ExternalID = new(p.source), new(p.external)
	s.Set = set
	return &s
}

// fresh finds the steps that are not recorded yet: those among the recorded
// ones, and those after them.
func (p *plan) fresh() (early, tail []int) {
	last := -1
	for n := range p.steps {
		if p.known.steps[p.digests[n]] {
			last = n
		}
	}
	for n := range p.steps {
		if p.known.steps[p.digests[n]] {
			continue
		}
		at := p.steps[n].At
		after := at.After(p.known.last) || at.Equal(p.known.last) && last >= 0 && p.steps[last].At.Equal(at)
		if n > last && after {
			tail = append(tail, n)
		} else {
			early = append(early, n)
		}
	}
	return early, tail
}

// builder makes the events of one history.
type builder struct {
	plan      *plan
	now, told Incident // as it stands with what was done here, and by imports alone
	events    []journal.Event
	err       error
}

// tell makes the event of one step.
func (b *builder) tell(s *Step, digest string) {
	next := b.told
	advance(&next, s)
	set, _ := Diff(&b.told, &next)
	b.add(s, s.Kind, set, s.Comment, digest)
	b.told = next
}

// correct sums up the steps that are new among those recorded.
func (b *builder) correct(early, tail []int) {
	next, p := b.told, b.plan
	for n := range p.steps {
		if !slices.Contains(tail, n) {
			advance(&next, &p.steps[n])
		}
	}
	var rest []string
	for _, n := range early {
		s := &p.steps[n]
		if s.Comment == "" || p.known.comments[comment{s.At.UnixMilli(), s.Comment}] {
			rest = append(rest, p.digests[n])
			continue
		}
		b.add(s, EventCommented, Patch{}, s.Comment, p.digests[n])
	}
	set, _ := Diff(&b.told, &next)
	last := early[len(early)-1]
	if len(rest) == 0 && !set.empty() {
		rest = []string{p.digests[last]}
	}
	if len(rest) > 0 {
		b.add(&p.steps[last], EventUpdated, set, "", rest...)
	}
	b.told = next
}

// add makes an event that sets fields, whatever they were.
func (b *builder) add(s *Step, kind string, set Patch, comment string, digests ...string) {
	after := b.now
	set.Apply(&after)
	payload := Payload{Set: set, Comment: comment, Internal: s.Internal && comment != "", Steps: digests}
	for k := range accessors {
		if accessors[k].has(&set) {
			accessors[k].copy(&b.now, &payload.Was)
		}
	}
	data, err := json.Marshal(payload)
	if err != nil {
		b.err = fmt.Errorf("incident: payload of %s: %w", kind, err)
	}
	after.stamp(s.At)
	b.now = after
	b.events = append(b.events, journal.Event{
		Tenant: b.plan.tenant, At: s.At, Actor: s.Actor, Subject: journal.Subject{Kind: Subject, ID: after.ID}, School: after.School, Kind: kind, Data: data,
	})
}

// advance applies a step and what follows from its state.
func advance(i *Incident, s *Step) {
	was := i.State
	s.Set.Apply(i)
	switch {
	case i.State == was:
	case i.State.Open():
		if s.Set.ResolvedAt == nil {
			i.ResolvedAt = time.Time{}
		}
		if s.Set.ClosedAt == nil {
			i.ClosedAt = time.Time{}
		}
	case i.State != Resolved && s.Set.ClosedAt == nil && i.ClosedAt.IsZero():
		i.ClosedAt = s.At
	}
}
