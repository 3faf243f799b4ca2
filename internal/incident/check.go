package incident

import (
	"slices"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// checker judges the asked fields of an incident against the directory, the
// catalog and the rules.
type checker struct {
	by     auth.Identity
	places *directory.Index
	words  *catalog.Index
	loc    *time.Location
	at     time.Time // now
	fields fault.Fields
}

// clockSkew is how much a client's clock may be ahead.
const clockSkew = 2 * time.Minute

// earliest bounds what can be meant by a date of occurrence or planning.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// check judges the fields that changed from before to i.
func (c *checker) check(before, i *Incident, changed func(Field) bool) {
	if changed(FieldTitle) {
		if i.Title == "" {
			c.add(FieldTitle, "error.field.required")
		}
		c.length(FieldTitle, i.Title, MaxTitle)
	}
	c.length(FieldDescription, i.Description, MaxText)
	c.length(FieldResolution, i.Resolution, MaxText)
	c.length(FieldTried, i.Tried, MaxTried)
	c.length(FieldMachine, i.Machine, MaxMachine)
	if changed(FieldSchool) {
		c.school(before, i)
	}
	if changed(FieldRoom) || changed(FieldSchool) {
		c.room(before, i)
	}
	if changed(FieldNetwork) && !slices.Contains([]directory.Network{directory.NetworkUnknown, directory.NetworkAdministrative, directory.NetworkTeaching}, i.Network) {
		c.add(FieldNetwork, "error.field.unknown")
	}
	if changed(FieldCategory) && i.Category != 0 {
		if cat, ok := c.words.Category(i.Category); !ok {
			c.add(FieldCategory, "error.field.unknown")
		} else if cat.Archived {
			c.add(FieldCategory, "error.incident.archived")
		}
	}
	c.level(FieldImpact, i.Impact, changed)
	c.level(FieldUrgency, i.Urgency, changed)
	c.person(FieldDeclarant, i.Declarant, changed)
	c.person(FieldAssignee, i.Assignee, changed)
	if changed(FieldTeam) && i.Team != 0 {
		if team, ok := c.places.Team(i.Team); !ok {
			c.add(FieldTeam, "error.field.unknown")
		} else if team.Archived {
			c.add(FieldTeam, "error.incident.archived")
		}
	}
	if changed(FieldOrigin) && !slices.Contains(Origins, i.Origin) {
		c.add(FieldOrigin, "error.field.unknown")
	}
	c.code(FieldWaitingCode, i.WaitingCode, catalog.Waiting, changed)
	c.code(FieldCauseCode, i.CauseCode, catalog.Cause, changed)
	c.code(FieldResolutionCode, i.ResolutionCode, catalog.Resolution, changed)
	if changed(FieldOccurredAt) {
		switch {
		case i.OccurredAt.After(c.at.Add(clockSkew)):
			c.add(FieldOccurredAt, "error.incident.occurred_in_future")
		case i.OccurredAt.Before(earliest):
			c.add(FieldOccurredAt, "error.incident.date_too_old")
		case i.OccurredAt.After(c.at):
			i.OccurredAt = c.at
		}
	}
	if changed(FieldPlannedAt) && !i.PlannedAt.IsZero() {
		switch {
		case i.PlannedAt.Before(i.OpenedAt.Add(-clockSkew)):
			c.add(FieldPlannedAt, "error.incident.planned_before_opened")
		case i.PlannedAt.After(c.at.AddDate(5, 0, 0)):
			c.add(FieldPlannedAt, "error.incident.planned_too_far")
		}
	}
}

func (c *checker) add(f Field, key string, args ...any) { c.fields.Add(string(f), key, args...) }

func (c *checker) length(f Field, s string, limit int) {
	if len(s) > limit && utf8.RuneCountInString(s) > limit {
		c.add(f, "error.field.too_long", "max", limit)
	}
}

// school says the same of a school that does not exist and of one where the
// person may not declare.
func (c *checker) school(before, i *Incident) {
	if i.School == 0 {
		c.add(FieldSchool, "error.field.required")
		return
	}
	school, ok := c.places.School(i.School)
	if !ok || !c.by.MayDeclareIn(i.School) {
		c.add(FieldSchool, "error.field.unknown")
		return
	}
	if school.Closed != 0 && before.ID == 0 && calendar.DayOf(c.at, c.loc) >= school.Closed {
		c.add(FieldSchool, "error.incident.school_closed")
	}
}

// room wants a room of the school. A room that was not asked for is dropped
// when the school changes, and a network that was not said is the room's.
func (c *checker) room(before, i *Incident) {
	if i.Room == 0 {
		return
	}
	room, ok := c.places.Room(i.Room)
	switch {
	case i.Room == before.Room && (!ok || room.School != i.School):
		i.Room = 0
	case !ok || room.School != i.School:
		c.add(FieldRoom, "error.incident.room_elsewhere")
	case room.Archived && i.Room != before.Room:
		c.add(FieldRoom, "error.incident.archived")
	case i.Network == directory.NetworkUnknown:
		i.Network = room.Network
	}
}

// Limits on what comes with a change.
const (
	MaxAttachments = 20
	MaxMentions    = 20
)

func (c *checker) attachments(ids []int64) {
	switch {
	case len(ids) > MaxAttachments:
		c.add(FieldAttachments, "error.field.too_many", "max", MaxAttachments)
	case slices.ContainsFunc(ids, func(id int64) bool { return id <= 0 }):
		c.add(FieldAttachments, "error.field.unknown")
	}
}

func (c *checker) mentions(people []int64) {
	if len(people) > MaxMentions {
		c.add(FieldMentions, "error.field.too_many", "max", MaxMentions)
		return
	}
	for _, id := range people {
		if _, ok := c.places.Person(id); !ok {
			c.add(FieldMentions, "error.field.unknown")
			return
		}
	}
}

func (c *checker) level(f Field, v int, changed func(Field) bool) {
	if changed(f) && (v < 1 || v > 3) {
		c.add(f, "error.field.unknown")
	}
}

func (c *checker) person(f Field, id int64, changed func(Field) bool) {
	if !changed(f) || id == 0 {
		return
	}
	if _, ok := c.places.Person(id); !ok {
		c.add(f, "error.field.unknown")
	}
}

func (c *checker) code(f Field, id int64, kind catalog.CodeKind, changed func(Field) bool) {
	if !changed(f) || id == 0 {
		return
	}
	code, ok := c.words.Code(id)
	switch {
	case !ok || code.Kind != kind:
		c.add(f, "error.field.unknown")
	case code.Archived:
		c.add(f, "error.incident.archived")
	}
}
