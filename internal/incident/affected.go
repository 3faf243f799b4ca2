package incident

import (
	"context"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// MaxRemark is the length of what is said with "I have it too", in characters.
const MaxRemark = 2000

// Affected is what somebody adds to an incident that is already reported: "I
// have it too".
type Affected struct {
	// Person is who has it. Only who may handle incidents says it for somebody
	// else, or for nobody known (a room); for others it is themselves.
	Person int64
	Room   int64 // where they have it, of the incident's school
	// Comment is what they add, seen by everybody who sees the incident.
	Comment     string
	Attachments []int64
}

// AlsoAffected counts somebody among those whom an open incident concerns,
// instead of a second incident. Whoever may declare in the incident's school
// may join it, seen before or not, and sees it from then on. Saying it twice
// changes nothing.
//
// Refusals: NotFound when it does not exist or is of a school where one may
// not declare; Forbidden; Invalid with the fields concerned; Conflict
// "error.incident.not_open" when nobody works on it any more.
func (s *Service) AlsoAffected(ctx context.Context, by auth.Identity, id int64, a Affected) (Incident, error) {
	if err := by.Require(auth.DeclareIncident); err != nil {
		return Incident{}, err
	}
	a.Comment = text(a.Comment)
	return s.judged(ctx, by, func(ctx context.Context, tx *sqldb.Tx, judge *checker, at time.Time) (Incident, error) {
		return s.alsoAffected(ctx, tx, judge, id, a, at)
	})
}

func (s *Service) alsoAffected(ctx context.Context, tx *sqldb.Tx, judge *checker, id int64, a Affected, at time.Time) (Incident, error) {
	by := judge.by
	before, err := locked(ctx, tx, by.Tenant, id)
	if err != nil {
		return Incident{}, err
	}
	if before == nil || !before.SeenBy(by.Scope()) && !by.MayDeclareIn(before.School) {
		return Incident{}, notFound()
	}
	if err := judge.joining(before, &a); err != nil {
		return Incident{}, err
	}
	after := *before
	member := Member{a.Person, a.Room}
	if member.Person == before.Declarant && (member.Room == 0 || member.Room == before.Room) {
		member = Member{}
	}
	after.Affected = CircleOf(append(before.Affected.Members(), member)...)
	if after.Affected == before.Affected && a.Comment == "" && len(a.Attachments) == 0 {
		return *before, nil
	}
	if !before.State.Open() {
		return Incident{}, fault.New(fault.Conflict, "error.incident.not_open", "state", string(before.State))
	}
	if len(after.Affected.Members()) > MaxAffected {
		return Incident{}, fault.New(fault.Conflict, "error.incident.too_many_affected", "max", MaxAffected)
	}
	set, was := Diff(before, &after)
	return s.write(ctx, tx, by, before, &after, EventAffected, at, Payload{Set: set, Was: was, Comment: a.Comment, Attachments: a.Attachments})
}

// joining judges what somebody adds, and says who it is for.
func (c *checker) joining(i *Incident, a *Affected) error {
	handles := c.by.Can(auth.HandleIncident)
	switch {
	case a.Person == 0 && !handles, !handles && a.Person == c.by.Person:
		a.Person = c.by.Person
	case !handles:
		c.fields.Add("person", "error.incident.not_yourself")
	}
	if a.Person == 0 && a.Room == 0 {
		c.fields.Add("person", "error.field.required")
	} else if a.Person != 0 {
		if _, ok := c.places.Person(a.Person); !ok {
			c.fields.Add("person", "error.field.unknown")
		}
	}
	if a.Room != 0 {
		if room, ok := c.places.Room(a.Room); !ok || room.School != i.School {
			c.add(FieldRoom, "error.incident.room_elsewhere")
		}
	}
	if utf8.RuneCountInString(a.Comment) > MaxRemark {
		c.add(FieldComment, "error.field.too_long", "max", MaxRemark)
	}
	c.attachments(a.Attachments)
	return c.fields.Err()
}
