// Package auth says who someone is and what they may do: accounts, sessions,
// API tokens, roles with their rights, and the Scope that every read takes.
package auth

import (
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/journal"
)

// Right is one thing that a role may do.
type Right string

// The rights.
const (
	DeclareIncident Right = "incident.declare"       // report an incident in one's own schools
	CommentIncident Right = "incident.comment"       // add to an incident that one sees
	HandleSchool    Right = "incident.handle_school" // handle what one's school has before the département, and hand it over
	ConfirmIncident Right = "incident.confirm"       // say that it is fixed, or reopen it
	HandleIncident  Right = "incident.handle"        // assign, plan, hold, resolve, edit
	ViewStatistics  Right = "statistics.view"        // ask questions about what one sees
	ExportData      Right = "data.export"            // take lists and figures away
	EditDirectory   Right = "directory.edit"         // schools, rooms, people, calendar, denominators
	EditCatalog     Right = "catalog.edit"           // categories, codes, priority matrix
	ImportData      Right = "data.import"            // import incidents and schools
	ManageAccounts  Right = "account.manage"         // accounts, roles, tokens of others
	ViewSystem      Right = "system.view"            // health, journal, metrics
	ManageStock     Right = "stock.manage"           // parts: receive, move, count
	EditKnowledge   Right = "knowledge.edit"         // write articles
	SortMail        Right = "mail.sort"              // messages that no rule could place
	EditService     Right = "service.edit"           // service targets, assignment rules, check-list templates
	ManageLabels    Right = "label.manage"           // print and revoke labels, set a school's code, sort what they bring
	ManagePrivacy   Right = "privacy.manage"         // export and erasure of a person, retention
	JudgeSignal     Right = "signal.judge"           // say whether a signal was true
)

// Role is what an account is for.
type Role string

// The roles, from the widest to the narrowest.
const (
	Administrator Role = "administrator"
	Lead          Role = "lead"
	Technician    Role = "technician"
	Referent      Role = "referent"
	Declarant     Role = "declarant"
)

// Roles lists every role, widest first.
var Roles = []Role{Administrator, Lead, Technician, Referent, Declarant}

// rights is the whole policy, readable in one place. Administrators, leads and
// technicians see every school; referents their schools; declarants what they
// declared.
var rights = map[Role][]Right{
	Administrator: {DeclareIncident, CommentIncident, ConfirmIncident, HandleIncident, ViewStatistics, ExportData, EditDirectory, EditCatalog, ImportData, ManageAccounts, ViewSystem, ManageStock, ManageLabels, EditKnowledge, SortMail, EditService, ManagePrivacy, JudgeSignal},
	Lead:          {DeclareIncident, CommentIncident, ConfirmIncident, HandleIncident, ViewStatistics, ExportData, EditDirectory, EditCatalog, ImportData, ManageStock, ManageLabels, EditKnowledge, SortMail, EditService, JudgeSignal},
	Technician:    {DeclareIncident, CommentIncident, ConfirmIncident, HandleIncident, ViewStatistics, ExportData, ManageStock, ManageLabels, EditKnowledge, SortMail, JudgeSignal},
	Referent:      {DeclareIncident, CommentIncident, ConfirmIncident, HandleSchool, ViewStatistics, ExportData, ManageLabels},
	Declarant:     {DeclareIncident, CommentIncident, ConfirmIncident},
}

// Rights lists what a role may do.
func (r Role) Rights() []Right { return rights[r] }

// Valid tells whether r is one of the roles.
func (r Role) Valid() bool { _, ok := rights[r]; return ok }

// Identity is someone who is acting: an account with its role and reach, or
// the system itself.
type Identity struct {
	Tenant  int64
	Account int64
	Person  int64 // the account's person in the directory
	Login   string
	Name    string // as shown
	Role    Role
	Schools []int64 // a referent's and a declarant's schools
	Locale  string  // "fr", "en" or "" for the browser's
	Theme   string  // "light", "dark" or "" for the system's
	// Factor says that the account has a second factor; MustFactor that its role
	// must have one and it has not (an identity provider asks for its own).
	Factor     bool
	MustFactor bool
	Provider   Provider // who vouches for the account

	epoch  int64 // of the account's sessions
	system bool
}

// System is the program acting by itself (imports, readers, demonstration),
// with every right.
func System(tenant int64) Identity {
	return Identity{Tenant: tenant, Role: Administrator, Name: "system", system: true}
}

// Somebody is a person of the directory who has no account and is known by
// other means (their address, a link made for them): they see and do what a
// declarant does. Schools are where they may declare.
func Somebody(tenant, person int64, name string, schools ...int64) Identity {
	return Identity{Tenant: tenant, Person: person, Name: name, Role: Declarant, Schools: schools}
}

// Can tells whether the identity has a right.
func (i Identity) Can(r Right) bool {
	return slices.Contains(rights[i.Role], r)
}

// Require is nil if the identity has the right, else a Forbidden refusal.
func (i Identity) Require(r Right) error {
	if i.Can(r) {
		return nil
	}
	return fault.New(fault.Forbidden, "error.forbidden", "right", string(r))
}

// Scope is what the identity may see.
func (i Identity) Scope() Scope {
	switch i.Role {
	case Administrator, Lead, Technician:
		return ScopeAll(i.Tenant)
	case Referent:
		return ScopeSchools(i.Tenant, i.Schools...)
	case Declarant:
		return ScopeOwn(i.Tenant, i.Person)
	}
	return Scope{}
}

// MayDeclareIn tells whether the identity may report an incident in a school.
func (i Identity) MayDeclareIn(school int64) bool {
	if !i.Can(DeclareIncident) {
		return false
	}
	if i.Scope().All() {
		return true
	}
	return ScopeSchools(i.Tenant, i.Schools...).Sees(school, 0)
}

// Actor is how the identity signs events.
func (i Identity) Actor() journal.Actor {
	if i.system {
		return journal.Actor{Kind: journal.BySystem}
	}
	if i.Account == 0 && i.Person != 0 {
		return journal.Actor{Kind: journal.ByPerson, ID: i.Person}
	}
	return journal.Actor{Kind: journal.ByAccount, ID: i.Account}
}

func placeholders(next, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(next + i))
	}
	return b.String()
}
