package web

import (
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/sheet"
)

// rolesPage is who may what: roles × rights, how far each role sees, and what
// each may do to an incident in each state. It is read from the policy and the
// state machine themselves, so that it cannot differ from them.
type rolesPage struct {
	Page

	Rights  Table
	States  Table
	School  Table // of what a school handles first
	Exports []Link
}

var rolesView = newView[rolesPage]("page_admin_roles.html", shell)

const rolesPath = "/admin/roles"

func (s *Server) adminRolesRoutes() {
	who := needsAny(auth.ManageAccounts, auth.EditDirectory)
	s.page("GET /admin/roles", s.roles, who)
	s.page("GET /admin/roles.csv", s.exportRoles, who)
	s.page("GET /admin/roles.xlsx", s.exportRoles, who)
	s.adminEntry(adminPart{order: 110, key: "access.roles", icon: "table-2", href: rolesPath, right: auth.EditDirectory})
}

func (s *Server) roles(r *Request) error {
	return rolesView.show(r, http.StatusOK, &rolesPage{
		Page: Page{
			Title: r.T("access.roles.title"), Lede: r.T("access.roles.what"), Crumbs: r.adminCrumbs(),
		},
		Rights: rightsTable(r), States: statesTable(r, "states", r.T("access.roles.states"), handledBy[false]), School: statesTable(r, "school", r.T("chain.roles.school"), handledBy[true]),
		Exports: []Link{{Label: r.T("export.csv"), Href: rolesPath + ".csv", Icon: "download"}, {Label: r.T("export.xlsx"), Href: rolesPath + ".xlsx", Icon: "download"}},
	})
}

// rightsTable says what each role may do: the policy itself, read from it.
func rightsTable(r *Request) Table {
	t := Table{Printer: r.Printer, ID: "rights", Caption: r.T("admin.rights.caption"), Hide: true, Columns: []Column{{Label: r.T("admin.rights.right"), Lead: true, Wrap: true}}}
	for _, role := range auth.Roles {
		t.Columns = append(t.Columns, Column{Label: r.T("role." + string(role))})
	}
	for _, right := range allRights() {
		cells := Cells(r.T("right." + string(right)))
		for _, role := range auth.Roles {
			b := Badge{Icon: "minus", Word: r.T("common.no")}
			if slices.Contains(role.Rights(), right) {
				b = Badge{Icon: "check", Word: r.T("common.yes"), Tone: "good"}
			}
			cells = append(cells, Cell{Badge: &b})
		}
		t.Rows = append(t.Rows, TableRow{Cells: cells})
	}
	reach := Cells(r.T("admin.rights.reach"))
	for _, role := range auth.Roles {
		reach = append(reach, Cell{Text: r.T("admin.reach." + string(role))})
	}
	t.Foot = reach
	return t
}

// allRights lists every right that some role has, widest role first.
func allRights() []auth.Right {
	var all []auth.Right
	for _, role := range auth.Roles {
		for _, right := range role.Rights() {
			if !slices.Contains(all, right) {
				all = append(all, right)
			}
		}
	}
	return all
}

// someone is an identity of a role that sees an incident of school 1 declared
// by person 1.
func someone(role auth.Role) auth.Identity {
	return auth.Identity{Tenant: 1, Account: 1, Person: 1, Role: role, Schools: []int64{1}}
}

// handledBy are the levels of incidents that the département handles, and of
// those that a school handles first (true).
var handledBy = map[bool][]incident.Level{
	false: {incident.Direct, incident.HandedOver},
	true:  {incident.AtSchoolLevel},
}

// mayDo lists what a role may do to an incident in a state at some levels,
// with nobody who looks after it, somebody else or oneself.
func mayDo(role auth.Role, state incident.State, at []incident.Level) []incident.Action {
	var actions []incident.Action
	for _, level := range at {
		for _, assignee := range []int64{0, 2, 1} {
			i := incident.Incident{ID: 1, State: state, School: 1, Declarant: 1, Assignee: assignee, Level: level}
			for _, t := range incident.Available(someone(role), i) {
				if !slices.Contains(actions, t.Action) {
					actions = append(actions, t.Action)
				}
			}
		}
	}
	return actions
}

// statesTable has one column for the roles that may do the same in every state.
func statesTable(r *Request, name, caption string, at []incident.Level) Table {
	t := Table{Printer: r.Printer, ID: name, Caption: caption, Hide: true, Stacked: true, Columns: []Column{{Label: r.T("incident.field.state"), Lead: true}}}
	var groups [][]auth.Role
	for _, role := range auth.Roles {
		last := len(groups) - 1
		if last >= 0 && sameActions(groups[last][0], role, at) {
			groups[last] = append(groups[last], role)
			continue
		}
		groups = append(groups, []auth.Role{role})
	}
	for _, roles := range groups {
		words := make([]string, len(roles))
		for i, role := range roles {
			words[i] = r.T("role." + string(role))
		}
		t.Columns = append(t.Columns, Column{Label: strings.Join(words, ", "), Wrap: true})
	}
	for _, state := range incident.States {
		badge := StateBadge(r.Printer, state)
		cells := []Cell{{Badge: &badge}}
		for _, roles := range groups {
			cells = append(cells, Cell{Text: actionWords(r, mayDo(roles[0], state, at))})
		}
		t.Rows = append(t.Rows, TableRow{Cells: cells})
	}
	return t
}

func sameActions(a, b auth.Role, at []incident.Level) bool {
	return !slices.ContainsFunc(incident.States, func(s incident.State) bool { return !slices.Equal(mayDo(a, s, at), mayDo(b, s, at)) })
}

func actionWords(r *Request, actions []incident.Action) string {
	words := make([]string, len(actions))
	for i, a := range actions {
		words[i] = r.T("incident.action." + string(a))
	}
	return strings.Join(words, ", ")
}

// exportRoles sends both tables, one below the other.
func (s *Server) exportRoles(r *Request) error {
	columns := []sheet.Column{{Title: r.T("access.roles.what_column"), Width: 50}}
	for _, role := range auth.Roles {
		columns = append(columns, sheet.Column{Title: r.T("role." + string(role)), Width: 40})
	}
	out, err := r.download("roles", columns)
	if err != nil {
		return err
	}
	row := func(name string, cell func(auth.Role) string) error {
		cells := []any{name}
		for _, role := range auth.Roles {
			cells = append(cells, cell(role))
		}
		return out.Row(cells...)
	}
	for _, right := range allRights() {
		err := row(r.T("right."+string(right)), func(role auth.Role) string {
			if slices.Contains(role.Rights(), right) {
				return r.T("common.yes")
			}
			return r.T("common.no")
		})
		if err != nil {
			return err
		}
	}
	if err := row(r.T("admin.rights.reach"), func(role auth.Role) string { return r.T("admin.reach." + string(role)) }); err != nil {
		return err
	}
	for _, state := range incident.States {
		if err := row(r.T("incident.state."+string(state)), func(role auth.Role) string { return actionWords(r, mayDo(role, state, handledBy[false])) }); err != nil {
			return err
		}
	}
	for _, state := range incident.States {
		if err := row(Legend(r.T("chain.row.school"), r.T("incident.state."+string(state))), func(role auth.Role) string { return actionWords(r, mayDo(role, state, handledBy[true])) }); err != nil {
			return err
		}
	}
	return out.Close()
}
