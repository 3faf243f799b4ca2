package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// accountsPage lists who may sign in.
type accountsPage struct {
	Page

	Bar   FilterBar
	Table Table
	Count string
	Empty *EmptyState
}

// accountEditPage makes or changes one account. The password of a new one, or
// a new password, is shown once (Fresh).
type accountEditPage struct {
	Page

	ID       int64
	Self     bool
	Form     *Form
	Login    Field
	Name     Field
	Role     Field
	Schools  Field
	Person   Field
	Which    *Field // the people of that name, when there are several
	Locale   Field
	Disabled Field
	Password Field
	Fresh    string
	FreshOf  string
	Secret   *Form
	Secrets  Field
	Tokens   []tokenRow
	Outside  string // who vouches for the account, "" for its password
	Factor   string // its second factor, "" if it has none
}

// peopleOptions are the names that complete what is typed.
type peopleOptions struct{ Names []string }

var (
	accountsView    = newView[accountsPage]("page_admin_accounts.html", shell)
	accountEditView = newView[accountEditPage]("page_admin_accounts_edit.html", shell)
	peopleView      = newFragment[peopleOptions]("page_admin_accounts_edit.html", "people")
)

const accountsPath = "/admin/accounts"

func (s *Server) adminAccountsRoutes() {
	manage := needs(auth.ManageAccounts)
	s.page("GET /admin/accounts", s.accounts, manage)
	s.page("GET /admin/accounts/new", s.newAccount, manage)
	s.page("POST /admin/accounts/new", s.createAccount, manage)
	s.page("GET /admin/accounts/people", s.suggestPeople, manage)
	s.page("GET /admin/accounts/{id}", s.editAccount, manage)
	s.page("POST /admin/accounts/{id}", s.saveAccount, manage)
	s.page("POST /admin/accounts/{id}/password", s.resetPassword, manage)
	s.page("GET /admin/accounts/{id}/factor", s.confirmResetFactor, manage)
	s.page("POST /admin/accounts/{id}/factor", s.resetFactor, manage)
	s.page("GET /admin/accounts/{id}/tokens/{token}", s.confirmRevokeOf, manage)
	s.page("POST /admin/accounts/{id}/tokens/{token}", s.revokeTokenOf, manage)
	s.adminEntry(adminPart{order: 100, key: "admin.accounts", icon: "users", href: accountsPath, right: auth.ManageAccounts, state: func(r *Request, _ *names) ([]string, error) {
		list, err := s.deps.Auth.Accounts(r.Context(), r.Who)
		if err != nil {
			return nil, err
		}
		off, bosses := 0, 0
		for _, a := range list {
			if a.Disabled {
				off++
			} else if a.Role == auth.Administrator {
				bosses++
			}
		}
		return []string{Legend(r.N("admin.accounts.count", len(list)-off), r.N("admin.accounts.administrators", bosses), offWord(r, off))}, nil
	}})
}

// proofOf says how an account proves who it is.
func proofOf(r *Request, a auth.Account) string {
	by := r.T("access.provider." + cmp.Or(string(a.Provider), "password"))
	if a.Factor {
		return r.T("access.with_factor", "by", by)
	}
	return by
}

func offWord(r *Request, n int) string {
	if n == 0 {
		return ""
	}
	return r.N("admin.accounts.off", n)
}

func (s *Server) accounts(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	all, err := s.deps.Auth.Accounts(r.Context(), r.Who)
	if err != nil {
		return err
	}
	f := r.Filters()
	p := &accountsPage{
		Page: Page{
			Title: r.T("admin.accounts.title"), Lede: r.T("admin.accounts.what"), Crumbs: r.adminCrumbs(),
			Actions: []Action{{Label: r.T("access.roles.title"), Icon: "table-2", Href: rolesPath}, {Label: r.T("admin.accounts.new"), Icon: "plus", Href: accountsPath + "/new", Primary: true}},
		},
		Bar: r.FilterBar([]Field{
			f.Input("search", "q", r.T("admin.accounts.name")),
			f.Select("role", r.T("admin.accounts.role"), append([]Option{{Label: r.T("common.all")}}, roleOptions(r)...)),
			f.Select("state", r.T("admin.accounts.state"), []Option{{Label: r.T("common.all")}, {Value: "on", Label: r.T("admin.accounts.on")}, {Value: "off", Label: r.T("admin.accounts.disabled")}}),
		}),
	}
	p.Table = Table{Printer: r.Printer, Caption: r.T("admin.accounts.title"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("admin.accounts.name"), Lead: true}, {Label: r.T("login.login")}, {Label: r.T("admin.accounts.role")},
		{Label: r.T("admin.accounts.schools"), Wrap: true}, {Label: r.T("admin.accounts.state")}, {Label: r.T("access.proof"), Wrap: true}, {Label: r.T("admin.accounts.made")},
	}}
	for _, a := range all {
		if q := f.Get("q"); q != "" && !matches(a.Name+" "+a.Login+" "+n.schoolNames(a.Schools), q) ||
			f.Get("role") != "" && f.Get("role") != string(a.Role) ||
			f.Get("state") == "on" && a.Disabled || f.Get("state") == "off" && !a.Disabled {
			continue
		}
		state := Badge{Icon: "circle-check", Word: r.T("admin.accounts.on"), Tone: "good"}
		if a.Disabled {
			state = Badge{Icon: "ban", Word: r.T("admin.accounts.disabled")}
		}
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{
			{Text: a.Name, Href: accountsPath + "/" + id(a.ID)}, {Text: a.Login}, {Text: r.T("role." + string(a.Role))},
			{Text: n.schoolNames(a.Schools)}, {Badge: &state}, {Text: proofOf(r, a)}, {Text: r.MediumDate(a.CreatedAt)},
		}})
	}
	p.Count = r.N("admin.accounts.shown", len(p.Table.Rows))
	if len(p.Table.Rows) == 0 {
		p.Empty = &EmptyState{Icon: "users", Title: r.T("admin.accounts.none"), Text: r.T("admin.accounts.none_text"), Action: &Link{Label: r.T("web.filters.clear"), Href: accountsPath}}
	}
	return accountsView.show(r, http.StatusOK, p)
}

// schoolNames lists schools by name; a long list says how many more.
func (n *names) schoolNames(ids []int64) string {
	const said = 3
	var list []string
	for i, school := range ids {
		if i == said && len(ids) > said+1 {
			list = append(list, n.r.N("admin.accounts.more_schools", len(ids)-said))
			break
		}
		list = append(list, n.places.SchoolName(school))
	}
	return strings.Join(list, ", ")
}

func roleOptions(r *Request) []Option {
	var options []Option
	for _, role := range auth.Roles {
		options = append(options, Option{Value: string(role), Label: r.T("role." + string(role))})
	}
	return options
}

func (s *Server) newAccount(r *Request) error {
	f := r.Blank("role", string(auth.Referent), "person", "")
	if p, err := strconv.ParseInt(r.Address.Get("person"), 10, 64); err == nil {
		n, err := r.names()
		if err != nil {
			return err
		}
		if who, ok := n.places.Person(p); ok {
			f = r.Blank("role", string(auth.Declarant), "name", who.Name, "person", n.personLabel(who), "schools", id(who.School))
		}
	}
	return s.showAccountEdit(r, http.StatusOK, 0, f, nil, "")
}

func (s *Server) editAccount(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := s.accountForm(r, number)
	if err != nil {
		return err
	}
	return s.showAccountEdit(r, http.StatusOK, number, f, nil, "")
}

// accountForm is filled with an account as it stands.
func (s *Server) accountForm(r *Request, number int64) (*Form, error) {
	n, err := r.names()
	if err != nil {
		return nil, err
	}
	a, err := s.deps.Auth.Account(r.Context(), r.Who, number)
	if err != nil {
		return nil, err
	}
	who, _ := n.places.Person(a.Person)
	f := r.Blank("login", a.Login, "name", a.Name, "role", string(a.Role), "person", n.personLabel(who), "locale", a.Locale)
	if a.Name == who.Name || a.Name == a.Login {
		f.values.Set("name", "") // shown for want of one of its own
	}
	if a.Disabled {
		f.values.Set("disabled", "1")
	}
	for _, school := range a.Schools {
		f.values.Add("schools", id(school))
	}
	return f, nil
}

// showAccountEdit shows the form of an account (0: a new one), refused or not;
// fresh is a password to be shown once, secret the refused form of a password.
func (s *Server) showAccountEdit(r *Request, status int, number int64, f, secret *Form, fresh string) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &accountEditPage{
		Page: Page{Title: r.T("admin.accounts.new"), Crumbs: r.adminCrumbs(Link{Label: r.T("admin.accounts.title"), Href: accountsPath})},
		ID:   number, Self: number != 0 && number == r.Who.Account, Form: f, Fresh: fresh,
	}
	p.Login = f.Text("login", r.T("login.login")).Must().AtMost(auth.MaxLogin).Hinted(r.T("admin.accounts.login_hint")).Fill("off")
	p.Name = f.Text("name", r.T("admin.accounts.name")).AtMost(200).Hinted(r.T("admin.accounts.name_hint"))
	p.Role = f.Choices("role", r.T("admin.accounts.role"), roleOptions(r)).Must()
	var schools []Option
	for _, school := range n.places.Schools() {
		schools = append(schools, Option{Value: id(school.ID), Label: school.Name + " (" + school.Commune + ")"})
	}
	slices.SortStableFunc(schools, func(a, b Option) int { // those chosen first
		chosen := f.All("schools")
		return cmp.Compare(map[bool]int{true: 0, false: 1}[slices.Contains(chosen, a.Value)], map[bool]int{true: 0, false: 1}[slices.Contains(chosen, b.Value)])
	})
	p.Schools = f.Choices("schools", r.T("admin.accounts.schools"), schools).Hinted(r.T("admin.accounts.schools_hint")).Plain()
	p.Schools.Multiple = true
	p.Person = f.Text("person", r.T("admin.accounts.person")).Hinted(r.T("admin.accounts.person_hint"))
	p.Person.List, p.Person.Ask, p.Person.Auto = "people", accountsPath+"/people", "off"
	if found := n.peopleNamed(f.Get("person")); len(found) > 1 && f.refused["person"] != "" {
		which := f.Choices("which", r.T("admin.accounts.which"), found).Plain()
		p.Which = &which
	}
	p.Locale = f.Choices("locale", r.T("web.account.language"), []Option{
		{Value: "", Label: r.T("web.account.language.auto")}, {Value: "fr", Label: r.T("web.language.fr")}, {Value: "en", Label: r.T("web.language.en")},
	}).Plain()
	p.Password = f.Password("password", r.T("login.password")).Fill("new-password").Hinted(r.T("admin.accounts.password_hint", "min", auth.MinPassword))
	if number == 0 {
		return accountEditView.show(r, status, p)
	}
	a, err := s.deps.Auth.Account(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	p.Title, p.FreshOf = a.Name, a.Login
	p.Lede = Legend(a.Login, r.T("role."+string(a.Role)), r.T("admin.accounts.made_on", "day", r.MediumDate(a.CreatedAt)))
	p.Disabled = f.Check("disabled", r.T("admin.accounts.disable")).Hinted(r.T("admin.accounts.disable_hint"))
	if secret == nil {
		secret = r.Blank()
	}
	if a.Provider != auth.ByPassword {
		p.Outside = r.T("access.outside." + string(a.Provider))
	}
	factor, err := s.deps.Auth.FactorOf(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	if !factor.Since.IsZero() {
		p.Factor = Legend(r.T("access.factor.since", "day", r.Date(factor.Since)), r.N("access.recovery.left", factor.Recovery))
	}
	p.Secret = secret
	p.Secrets = secret.Password("password", r.T("web.account.password.new")).Fill("new-password").Hinted(r.T("admin.accounts.password_hint", "min", auth.MinPassword))
	p.Secrets.ID = "f-new-password"
	tokens, err := s.deps.Auth.Tokens(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if row := r.tokenRow(t); !row.Revoked {
			p.Tokens = append(p.Tokens, row)
		}
	}
	return accountEditView.show(r, status, p)
}

// personLabel tells people apart by their school.
func (n *names) personLabel(p directory.Person) string {
	return Legend(p.Name, n.places.SchoolName(p.School))
}

// peopleNamed are those whose label or whole name is what was typed.
func (n *names) peopleNamed(text string) []Option {
	var found []Option
	text = fold(strings.TrimSpace(text))
	if text == "" {
		return nil
	}
	var named []Option
	for _, p := range n.places.People() {
		label := n.personLabel(p)
		o := Option{Value: id(p.ID), Label: Legend(label, n.r.T("directory.person_kind."+string(p.Kind)), p.Email)}
		switch text {
		case fold(label):
			found = append(found, o)
		case fold(p.Name):
			named = append(named, o)
		}
	}
	if len(found) == 0 {
		return named
	}
	return found
}

func (s *Server) suggestPeople(r *Request) error {
	const shown = 12
	n, err := r.names()
	if err != nil {
		return err
	}
	var out peopleOptions
	typed := r.Address.Get("person")
	for _, p := range n.places.People() {
		label := n.personLabel(p)
		if strings.TrimSpace(typed) != "" && matches(label, typed) {
			out.Names = append(out.Names, label)
		}
		if len(out.Names) == shown {
			break
		}
	}
	return peopleView.show(r, out)
}

// typedAccount is what the form of an account means.
type typedAccount struct {
	role    auth.Role
	schools []int64
	person  int64
}

// typedAccount reads what was typed; before is the form as it was, so that the
// person who was not touched is not looked for by name.
func (r *Request) typedAccount(f, before *Form, person int64) (typedAccount, error) {
	n, err := r.names()
	if err != nil {
		return typedAccount{}, err
	}
	t := typedAccount{role: auth.Role(f.Get("role")), person: f.ID("which")}
	for _, v := range f.All("schools") {
		if school, err := strconv.ParseInt(v, 10, 64); err == nil {
			t.schools = append(t.schools, school)
		}
	}
	text := strings.TrimSpace(f.Get("person"))
	switch {
	case text == "":
		t.person = 0
	case before != nil && text == before.Get("person"):
		t.person = person
	case t.person == 0:
		switch found := n.peopleNamed(text); len(found) {
		case 0:
			return t, fault.InvalidField("person", "admin.accounts.person_unknown")
		case 1:
			t.person, _ = strconv.ParseInt(found[0].Value, 10, 64)
		default:
			return t, fault.InvalidField("person", "admin.accounts.person_several", "n", len(found))
		}
	}
	return t, nil
}

func (s *Server) createAccount(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	t, err := r.typedAccount(f, nil, 0)
	fresh := ""
	var a auth.Account
	if err == nil {
		in := auth.NewAccount{
			Login: f.Get("login"), Name: f.Get("name"), Password: f.Get("password"), Role: t.role,
			Person: t.person, Schools: t.schools, Locale: f.Get("locale"),
		}
		if in.Password == "" {
			fresh = auth.NewPassword()
			in.Password = fresh
		}
		a, err = s.deps.Auth.CreateAccount(r.Context(), r.Who, in)
	}
	if f.Refused(err) {
		return s.showAccountEdit(r, status(err), 0, f, nil, "")
	}
	if err != nil {
		return err
	}
	if fresh != "" {
		// Shown by this answer and never again, hence no redirection.
		if f, err = s.accountForm(r, a.ID); err != nil {
			return err
		}
		return s.showAccountEdit(r, http.StatusCreated, a.ID, f, nil, fresh)
	}
	if err := r.Say(Notice{Text: r.T("admin.accounts.created", "name", a.Name), Link: &Link{Label: r.T("common.open"), Href: accountsPath + "/" + id(a.ID)}}); err != nil {
		return err
	}
	return r.Redirect(accountsPath)
}

func (s *Server) saveAccount(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	before, err := s.accountForm(r, number)
	if err != nil {
		return err
	}
	was, err := s.deps.Auth.Account(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	t, err := r.typedAccount(f, before, was.Person)
	var a auth.Account
	if err == nil {
		login, name, locale, off := f.Get("login"), f.Get("name"), f.Get("locale"), f.Checked("disabled")
		a, err = s.deps.Auth.UpdateAccount(r.Context(), r.Who, number, auth.AccountPatch{
			Login: &login, Name: &name, Role: &t.role, Person: &t.person, Schools: &t.schools, Locale: &locale, Disabled: &off,
		})
	}
	if f.Refused(err) {
		return s.showAccountEdit(r, status(err), number, f, nil, "")
	}
	if err != nil {
		return err
	}
	undo := &Undo{Action: accountsPath + "/" + id(number), Values: map[string]string{}}
	for name, values := range before.values {
		if len(values) > 1 {
			undo = nil // one value a name is all that an undo can carry
			break
		}
		undo.Values[name] = values[0]
	}
	if err := r.Say(Notice{Text: r.T("admin.accounts.saved", "name", a.Name), Undo: undo}); err != nil {
		return err
	}
	return r.Redirect(accountsPath + "/" + id(number))
}
