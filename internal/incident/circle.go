package incident

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
)

// MaxAffected is how many people and rooms may join one incident beside its
// declarant. Past it is a mass incident, whose children count their own.
const MaxAffected = 500

// Circle is who said "I have it too", beside the declarant, in the one form
// that compares as a value: "person@room" in order, 0 when not known.
type Circle string

// Member is one of a circle: a person, a room, or a person in a room.
type Member struct {
	Person int64 `json:"person,omitempty"`
	Room   int64 `json:"room,omitempty"`
}

// Members lists the circle, by person and room.
func (c Circle) Members() []Member {
	if c == "" {
		return nil
	}
	parts := strings.Fields(string(c))
	members := make([]Member, 0, len(parts))
	for _, part := range parts {
		person, room, _ := strings.Cut(part, "@")
		var m Member
		m.Person, _ = strconv.ParseInt(person, 10, 64) // ours, or 0
		m.Room, _ = strconv.ParseInt(room, 10, 64)
		members = append(members, m)
	}
	return members
}

// CircleOf makes a circle of members, in any order. Those who are nowhere and
// nobody are left out, and so is a person without a room who is there with one.
func CircleOf(members ...Member) Circle {
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b Member) int { return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Room, b.Room)) })
	members = slices.Compact(members)
	var b strings.Builder
	for k, m := range members {
		known := k+1 < len(members) && members[k+1].Person == m.Person && m.Room == 0
		if m == (Member{}) || known && m.Person != 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatInt(m.Person, 10))
		b.WriteByte('@')
		b.WriteString(strconv.FormatInt(m.Room, 10))
	}
	return Circle(b.String())
}

// Has tells whether a person is of the circle.
func (c Circle) Has(person int64) bool {
	if c == "" || person == 0 {
		return false
	}
	p := strconv.FormatInt(person, 10) + "@"
	return strings.HasPrefix(string(c), p) || strings.Contains(string(c), " "+p)
}

// People lists the persons of the circle, once each, in order.
func (c Circle) People() []int64 {
	var people []int64
	for _, m := range c.Members() {
		if m.Person != 0 && (len(people) == 0 || people[len(people)-1] != m.Person) {
			people = append(people, m.Person)
		}
	}
	return people
}

// AffectedPeople counts the people known to be concerned: the declarant and
// those who joined.
func (i *Incident) AffectedPeople() int {
	people := i.Affected.People()
	n := len(people)
	if i.Declarant != 0 && !slices.Contains(people, i.Declarant) {
		n++
	}
	return n
}

// AffectedRooms counts the rooms known to be concerned: the incident's own and
// those of the people who joined.
func (i *Incident) AffectedRooms() int {
	rooms := map[int64]bool{i.Room: true}
	for _, m := range i.Affected.Members() {
		rooms[m.Room] = true
	}
	delete(rooms, 0)
	return len(rooms)
}

// SeenBy tells whether the incident is within a scope: whoever sees only their
// own sees what they declared and what they joined.
func (i *Incident) SeenBy(scope auth.Scope) bool {
	return Visible(scope, i.School, i.Declarant, i.Affected)
}

// Visible is SeenBy for who has the parts of an incident only.
func Visible(scope auth.Scope, school, declarant int64, affected Circle) bool {
	if scope.Sees(school, declarant) {
		return true
	}
	person, own := scope.Own()
	return own && affected.Has(person)
}

// ScopeSQL gives the condition (to be joined by AND) that keeps a query of the
// incident table, under an alias, within a scope, with its arguments numbered
// from $next on. The tenant condition is the caller's.
func ScopeSQL(scope auth.Scope, alias string, next int) (cond string, args []any) {
	cond, args = scope.SQL(alias+".school_id", alias+".declarant_id", next)
	if person, own := scope.Own(); own && person != 0 {
		n := "$" + strconv.Itoa(next)
		cond = "(" + cond + " OR " + alias + ".incident_id IN (SELECT w.incident_id FROM incident_follower w WHERE w.tenant_id = " + alias + ".tenant_id AND w.person_id = " + n + "))"
	}
	return cond, args
}
