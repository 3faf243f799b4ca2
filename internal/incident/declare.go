package incident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// What is meant by a declaration that does not say: one person or one machine
// is concerned, work goes on otherwise.
const (
	DefaultImpact  = 3
	DefaultUrgency = 2
)

// Declaration is what someone says does not work. Title and School are
// needed; a zero value elsewhere means "not said".
type Declaration struct {
	Title       string            `json:"title"`
	Description string            `json:"description,omitempty"`
	School      int64             `json:"school"`
	Room        int64             `json:"room,omitempty"`
	Network     directory.Network `json:"network,omitempty"` // the room's if not said
	Machine     string            `json:"machine,omitempty"`
	Category    int64             `json:"category,omitempty"`
	Impact      int               `json:"impact,omitempty"`
	Urgency     int               `json:"urgency,omitempty"`
	// Declarant is who reports it. Only who may handle incidents declares for
	// someone else (a phone call); for others it is themselves.
	Declarant int64 `json:"declarant,omitempty"`
	// Origin is Portal unless someone who may handle incidents says otherwise.
	Origin     Origin    `json:"origin,omitempty"`
	OccurredAt time.Time `json:"occurred_at,omitzero"` // when it began; now if not said, never in the future
	// SchoolFirst leaves it to the school's referent first, where the school
	// handles first (directory.Support): who handles incidents says so; for
	// others, mail and labels the school's choice decides.
	SchoolFirst bool `json:"school_first,omitempty"`
	// Tried is what a referent has tried already: where their school handles
	// first, it hands over to the département at once.
	Tried string `json:"tried,omitempty"`
	// Attachments are files that come with it (internal/attachment).
	Attachments []int64 `json:"attachments,omitempty"`
}

// Declare records an incident in state New and gives it its number. The
// refusals are Forbidden, and Invalid with the fields concerned (a school
// where the person may not declare is an unknown one).
func (s *Service) Declare(ctx context.Context, by auth.Identity, d Declaration) (Incident, error) {
	i, _, err := s.DeclareOnce(ctx, by, "", d)
	return i, err
}

// DeclareOnce is Declare for a client that may repeat itself: the same account
// with the same key and the same declaration is given the incident that the
// first call made (again is true); with another declaration it is refused by
// Conflict "error.incident.key_used". An empty key is no key.
func (s *Service) DeclareOnce(ctx context.Context, by auth.Identity, key string, d Declaration) (_ Incident, again bool, err error) {
	if err := by.Require(auth.DeclareIncident); err != nil {
		return Incident{}, false, err
	}
	if utf8.RuneCountInString(key) > MaxKey || !utf8.ValidString(key) {
		return Incident{}, false, fault.InvalidField("idempotency_key", "error.field.too_long", "max", MaxKey)
	}
	now := sqldb.Now()
	// The same files sent again have other numbers.
	words := d
	words.Attachments = nil
	said, err := json.Marshal(words)
	if err != nil {
		return Incident{}, false, err
	}
	i, err := s.declared(ctx, by, d, now)
	if err != nil {
		return Incident{}, false, err
	}
	digest := sha256.Sum256(said)
	request := hex.EncodeToString(digest[:])
	var out Incident
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		out, again = i, false
		if key != "" {
			if err := lock(ctx, tx, by.Tenant, "key/"+key); err != nil {
				return err
			}
			id, before, err := seenKey(ctx, tx, by, key)
			if err != nil {
				return err
			}
			if id != 0 {
				again = true
				return repeated(ctx, tx, by, id, before == request, &out)
			}
		}
		var err error
		if out.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
			return err
		}
		set, was := Diff(&Incident{}, &out)
		if key != "" {
			if err := keepKey(ctx, tx, by, key, request, out.ID, now); err != nil {
				return err
			}
		}
		_, err = s.write(ctx, tx, by, &Incident{}, &out, EventDeclared, now, Payload{Set: set, Was: was, Attachments: d.Attachments})
		return err
	})
	if err != nil {
		return Incident{}, false, err
	}
	return out, again, nil
}

func repeated(ctx context.Context, tx *sqldb.Tx, by auth.Identity, id int64, same bool, out *Incident) error {
	if !same {
		return fault.New(fault.Conflict, "error.incident.key_used")
	}
	found, err := load(ctx, tx, by.Tenant, []int64{id})
	if err != nil {
		return err
	}
	if found[id] == nil {
		return notFound()
	}
	*out = *found[id]
	return nil
}

// declared is the incident that a declaration makes, not yet numbered.
func (s *Service) declared(ctx context.Context, by auth.Identity, d Declaration, now time.Time) (Incident, error) {
	c, err := s.checker(ctx, by, now)
	if err != nil {
		return Incident{}, err
	}
	i := Incident{
		State: New, Title: line(d.Title), Description: text(d.Description),
		School: d.School, Room: d.Room, Network: d.Network, Machine: line(d.Machine), Category: d.Category,
		Impact: d.Impact, Urgency: d.Urgency, Declarant: d.Declarant, Origin: d.Origin,
		OccurredAt: instant(d.OccurredAt), OpenedAt: now,
	}
	if i.Impact == 0 {
		i.Impact = DefaultImpact
	}
	if i.Urgency == 0 {
		i.Urgency = DefaultUrgency
	}
	if i.OccurredAt.IsZero() {
		i.OccurredAt = now
	}
	handles := by.Can(auth.HandleIncident)
	if i.Declarant == 0 || !handles && i.Declarant == by.Person {
		i.Declarant = by.Person
	} else if !handles {
		c.add(FieldDeclarant, "error.incident.not_yourself")
	}
	if i.Declarant == 0 && !handles {
		// Nobody could follow it: a declarant sees what their person declared.
		c.add(FieldDeclarant, "error.incident.no_person")
	}
	switch {
	case i.Origin == "":
		i.Origin = Portal
	case !handles && i.Origin != Portal:
		c.add(FieldOrigin, "error.field.unknown")
	}
	c.attachments(d.Attachments)
	before := Incident{}
	c.check(&before, &i, func(f Field) bool { return true })
	c.comes(by, &i, d.SchoolFirst, d.Tried, now)
	c.length(FieldTried, i.Tried, MaxTried)
	if err := c.fields.Err(); err != nil {
		return Incident{}, err
	}
	i.Priority = c.words.Matrix().Priority(i.Impact, i.Urgency)
	return i, nil
}

// subject is how the journal knows an incident.
func subject(id int64) journal.Subject { return journal.Subject{Kind: Subject, ID: id} }
