package incident

import (
	"strings"
	"time"
	"unicode"

	"statincidents/internal/directory"
)

// Field names a field of an incident everywhere: in Patch's JSON, in refusals
// (fault.Field.Name), in stories, forms and the API. "incident.field.NAME" is
// its translation key.
type Field string

// The fields.
const (
	FieldState          Field = "state"
	FieldTitle          Field = "title"
	FieldDescription    Field = "description"
	FieldSchool         Field = "school"
	FieldRoom           Field = "room"
	FieldNetwork        Field = "network"
	FieldMachine        Field = "machine"
	FieldCategory       Field = "category"
	FieldImpact         Field = "impact"
	FieldUrgency        Field = "urgency"
	FieldPriority       Field = "priority"
	FieldDeclarant      Field = "declarant"
	FieldAssignee       Field = "assignee"
	FieldTeam           Field = "team"
	FieldOrigin         Field = "origin"
	FieldWaitingCode    Field = "waiting_code"
	FieldCauseCode      Field = "cause_code"
	FieldResolutionCode Field = "resolution_code"
	FieldResolution     Field = "resolution"
	FieldMergedInto     Field = "merged_into"
	FieldTarget         Field = "target"
	FieldReopenCount    Field = "reopen_count"
	FieldReassignCount  Field = "reassign_count"
	FieldLevel          Field = "level"
	FieldLevelAt        Field = "level_at"
	FieldTried          Field = "tried"
	FieldSeenAt         Field = "seen_at"
	FieldParent         Field = "parent"
	FieldAffected       Field = "affected"
	FieldRelated        Field = "related"
	FieldRating         Field = "rating"
	FieldRatedAt        Field = "rated_at"
	FieldOccurredAt     Field = "occurred_at"
	FieldOpenedAt       Field = "opened_at"
	FieldPlannedAt      Field = "planned_at"
	FieldResolvedAt     Field = "resolved_at"
	FieldClosedAt       Field = "closed_at"
	FieldExternalSource Field = "external_source"
	FieldExternalID     Field = "external_id"

	// FieldAttachments and FieldMentions are of a change too.
	FieldAttachments Field = "attachments"
	FieldMentions    Field = "mentions"

	// FieldComment is not a field of the incident but of a change: what is
	// said with it.
	FieldComment Field = "comment"
)

// accessor is what the folding, comparing and merging of one field need.
type accessor struct {
	name  Field
	has   func(*Patch) bool
	apply func(*Patch, *Incident)         // writes the patch's value, if any, into the incident
	copy  func(from *Incident, to *Patch) // puts the incident's value into the patch
	same  func(a, b *Incident) bool       // compares two incidents
	value func(*Incident) any             // the incident's value
	in    func(*Patch) any                // the patch's value; has must be true
	move  func(from *Patch, to *Patch)    // copies the patch's value, if any
	zero  func(*Incident) bool            // is the incident's value the empty one
}

// accessors lists every field, in the order in which a story tells them.
var accessors = []accessor{
	access(FieldState, func(i *Incident) *State { return &i.State }, func(p *Patch) **State { return &p.State }),
	access(FieldTitle, func(i *Incident) *string { return &i.Title }, func(p *Patch) **string { return &p.Title }),
	access(FieldDescription, func(i *Incident) *string { return &i.Description }, func(p *Patch) **string { return &p.Description }),
	access(FieldSchool, func(i *Incident) *int64 { return &i.School }, func(p *Patch) **int64 { return &p.School }),
	access(FieldRoom, func(i *Incident) *int64 { return &i.Room }, func(p *Patch) **int64 { return &p.Room }),
	access(FieldNetwork, func(i *Incident) *directory.Network { return &i.Network }, func(p *Patch) **directory.Network { return &p.Network }),
	access(FieldMachine, func(i *Incident) *string { return &i.Machine }, func(p *Patch) **string { return &p.Machine }),
	access(FieldCategory, func(i *Incident) *int64 { return &i.Category }, func(p *Patch) **int64 { return &p.Category }),
	access(FieldImpact, func(i *Incident) *int { return &i.Impact }, func(p *Patch) **int { return &p.Impact }),
	access(FieldUrgency, func(i *Incident) *int { return &i.Urgency }, func(p *Patch) **int { return &p.Urgency }),
	access(FieldPriority, func(i *Incident) *int { return &i.Priority }, func(p *Patch) **int { return &p.Priority }),
	access(FieldDeclarant, func(i *Incident) *int64 { return &i.Declarant }, func(p *Patch) **int64 { return &p.Declarant }),
	access(FieldAssignee, func(i *Incident) *int64 { return &i.Assignee }, func(p *Patch) **int64 { return &p.Assignee }),
	access(FieldTeam, func(i *Incident) *int64 { return &i.Team }, func(p *Patch) **int64 { return &p.Team }),
	access(FieldOrigin, func(i *Incident) *Origin { return &i.Origin }, func(p *Patch) **Origin { return &p.Origin }),
	access(FieldWaitingCode, func(i *Incident) *int64 { return &i.WaitingCode }, func(p *Patch) **int64 { return &p.WaitingCode }),
	access(FieldCauseCode, func(i *Incident) *int64 { return &i.CauseCode }, func(p *Patch) **int64 { return &p.CauseCode }),
	access(FieldResolutionCode, func(i *Incident) *int64 { return &i.ResolutionCode }, func(p *Patch) **int64 { return &p.ResolutionCode }),
	access(FieldResolution, func(i *Incident) *string { return &i.Resolution }, func(p *Patch) **string { return &p.Resolution }),
	access(FieldMergedInto, func(i *Incident) *int64 { return &i.MergedInto }, func(p *Patch) **int64 { return &p.MergedInto }),
	access(FieldTarget, func(i *Incident) *Target { return &i.Target }, func(p *Patch) **Target { return &p.Target }),
	access(FieldReopenCount, func(i *Incident) *int { return &i.ReopenCount }, func(p *Patch) **int { return &p.ReopenCount }),
	access(FieldReassignCount, func(i *Incident) *int { return &i.ReassignCount }, func(p *Patch) **int { return &p.ReassignCount }),
	access(FieldLevel, func(i *Incident) *Level { return &i.Level }, func(p *Patch) **Level { return &p.Level }),
	accessTime(FieldLevelAt, func(i *Incident) *time.Time { return &i.LevelAt }, func(p *Patch) **time.Time { return &p.LevelAt }),
	access(FieldTried, func(i *Incident) *string { return &i.Tried }, func(p *Patch) **string { return &p.Tried }),
	accessTime(FieldSeenAt, func(i *Incident) *time.Time { return &i.SeenAt }, func(p *Patch) **time.Time { return &p.SeenAt }),
	access(FieldParent, func(i *Incident) *int64 { return &i.Parent }, func(p *Patch) **int64 { return &p.Parent }),
	access(FieldAffected, func(i *Incident) *Circle { return &i.Affected }, func(p *Patch) **Circle { return &p.Affected }),
	access(FieldRelated, func(i *Incident) *Numbers { return &i.Related }, func(p *Patch) **Numbers { return &p.Related }),
	access(FieldRating, func(i *Incident) *Rating { return &i.Rating }, func(p *Patch) **Rating { return &p.Rating }),
	accessTime(FieldRatedAt, func(i *Incident) *time.Time { return &i.RatedAt }, func(p *Patch) **time.Time { return &p.RatedAt }),
	accessTime(FieldOccurredAt, func(i *Incident) *time.Time { return &i.OccurredAt }, func(p *Patch) **time.Time { return &p.OccurredAt }),
	accessTime(FieldOpenedAt, func(i *Incident) *time.Time { return &i.OpenedAt }, func(p *Patch) **time.Time { return &p.OpenedAt }),
	accessTime(FieldPlannedAt, func(i *Incident) *time.Time { return &i.PlannedAt }, func(p *Patch) **time.Time { return &p.PlannedAt }),
	accessTime(FieldResolvedAt, func(i *Incident) *time.Time { return &i.ResolvedAt }, func(p *Patch) **time.Time { return &p.ResolvedAt }),
	accessTime(FieldClosedAt, func(i *Incident) *time.Time { return &i.ClosedAt }, func(p *Patch) **time.Time { return &p.ClosedAt }),
	access(FieldExternalSource, func(i *Incident) *string { return &i.ExternalSource }, func(p *Patch) **string { return &p.ExternalSource }),
	access(FieldExternalID, func(i *Incident) *string { return &i.ExternalID }, func(p *Patch) **string { return &p.ExternalID }),
}

// byField finds a field's accessor.
var byField = func() map[Field]*accessor {
	m := make(map[Field]*accessor, len(accessors))
	for i := range accessors {
		m[accessors[i].name] = &accessors[i]
	}
	return m
}()

func access[T comparable](name Field, of func(*Incident) *T, in func(*Patch) **T) accessor {
	var empty T
	return accessor{
		name: name,
		has:  func(p *Patch) bool { return *in(p) != nil },
		apply: func(p *Patch, i *Incident) {
			if v := *in(p); v != nil {
				*of(i) = *v
			}
		},
		copy:  func(from *Incident, to *Patch) { v := *of(from); *in(to) = &v },
		same:  func(a, b *Incident) bool { return *of(a) == *of(b) },
		value: func(i *Incident) any { return *of(i) },
		in:    func(p *Patch) any { return **in(p) },
		move: func(from, to *Patch) {
			if v := *in(from); v != nil {
				*in(to) = v
			}
		},
		zero: func(i *Incident) bool { return *of(i) == empty },
	}
}

// accessTime differs from access in that two instants are the same whatever
// their place, to the millisecond that the database keeps.
func accessTime(name Field, of func(*Incident) *time.Time, in func(*Patch) **time.Time) accessor {
	a := access(name, of, in)
	a.apply = func(p *Patch, i *Incident) {
		if v := *in(p); v != nil {
			*of(i) = instant(*v)
		}
	}
	a.same = func(x, y *Incident) bool { return of(x).Equal(*of(y)) }
	a.zero = func(i *Incident) bool { return of(i).IsZero() }
	return a
}

// instant is how an instant is kept: UTC, to the millisecond.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// Apply folds a patch into an incident.
func (p *Patch) Apply(i *Incident) {
	for k := range accessors {
		accessors[k].apply(p, i)
	}
}

// Fields lists the fields that the patch changes.
func (p *Patch) Fields() []Field {
	var fs []Field
	for k := range accessors {
		if accessors[k].has(p) {
			fs = append(fs, accessors[k].name)
		}
	}
	return fs
}

// Has tells whether the patch changes a field.
func (p *Patch) Has(f Field) bool {
	a := byField[f]
	return a != nil && a.has(p)
}

// Value gives the value that the patch sets for a field; nil if it does not.
func (p *Patch) Value(f Field) any {
	if a := byField[f]; a != nil && a.has(p) {
		return a.in(p)
	}
	return nil
}

// Value gives the present value of a field, of the type that Incident has for it.
func (i *Incident) Value(f Field) any {
	if a := byField[f]; a != nil {
		return a.value(i)
	}
	return nil
}

// Diff gives what changes from one state of an incident to another, with the
// former values.
func Diff(from, to *Incident) (set, was Patch) {
	for k := range accessors {
		if a := &accessors[k]; !a.same(from, to) {
			a.copy(to, &set)
			a.copy(from, &was)
		}
	}
	return set, was
}

// empty tells whether nothing is set.
func (p *Patch) empty() bool { return *p == Patch{} }

// clean makes texts safe to store and show on both engines: valid UTF-8, no
// control characters, "\n" line ends, no spaces around.
func (p *Patch) clean() {
	for _, s := range []**string{&p.Title, &p.Machine, &p.ExternalSource, &p.ExternalID} {
		if *s != nil {
			v := line(**s)
			*s = &v
		}
	}
	for _, s := range []**string{&p.Description, &p.Resolution, &p.Tried} {
		if *s != nil {
			v := text(**s)
			*s = &v
		}
	}
	for _, t := range []**time.Time{&p.OccurredAt, &p.OpenedAt, &p.PlannedAt, &p.ResolvedAt, &p.ClosedAt, &p.LevelAt, &p.SeenAt} {
		if *t != nil {
			v := instant(**t)
			*t = &v
		}
	}
}

// text cleans a text of several lines.
func text(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\n' || c >= 0x7f {
			plain = false
			break
		}
	}
	if !plain {
		s = strings.ToValidUTF8(s, "\uFFFD")
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\r':
				return '\n'
			case r == '\t':
				return ' '
			case r != '\n' && unicode.IsControl(r):
				return -1
			}
			return r
		}, s)
	}
	return strings.TrimSpace(s)
}

// line cleans a text of one line.
func line(s string) string {
	s = text(s)
	if strings.ContainsRune(s, '\n') {
		s = strings.Join(strings.Fields(s), " ")
	}
	return s
}
