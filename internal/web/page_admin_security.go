package web

import (
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
)

// securityPage is how people sign in: second factor, directory, identity
// provider, and which groups give which role.
type securityPage struct {
	Page

	Form    *Form
	Factor  Field
	Without string // how many accounts of the chosen roles have none yet
	LDAP    []Field
	OIDC    []Field
	Rules   Field
	Back    string // our address, to be given to the identity provider
	Tried   *triedPart
}

// triedPart is what a try of the directory gave.
type triedPart struct {
	Badge  Badge
	Text   string
	Groups []string
}

var securityView = newView[securityPage]("page_admin_security.html", shell)

const securityPath = "/admin/security"

func (s *Server) adminSecurityRoutes() {
	manage := needs(auth.ManageAccounts)
	s.page("GET /admin/security", s.security, manage)
	s.page("POST /admin/security", s.saveSecurity, manage)
	s.page("POST /admin/security/try", s.tryDirectory, manage)
	s.adminEntry(adminPart{order: 120, key: "access.security", icon: "shield", href: securityPath, right: auth.ManageAccounts, state: func(r *Request, _ *names) ([]string, error) {
		set, err := s.deps.Auth.Settings(r.Context())
		if err != nil {
			return nil, err
		}
		var said []string
		if len(set.FactorRoles) == 0 {
			said = append(said, r.T("access.factor.asked_of_none"))
		} else {
			said = append(said, r.T("access.factor.asked_of", "roles", rolesWords(r, set.FactorRoles)))
		}
		if set.LDAP.Enabled {
			said = append(said, r.T("access.ldap.on", "url", set.LDAP.URL))
		}
		if set.OIDC.Enabled {
			said = append(said, r.T("access.oidc.on", "issuer", set.OIDC.Issuer))
		}
		return said, nil
	}})
}

func rolesWords(r *Request, roles []auth.Role) string {
	words := make([]string, len(roles))
	for i, role := range roles {
		words[i] = r.T("role." + string(role))
	}
	return r.List(words)
}

func (s *Server) security(r *Request) error {
	set, err := s.deps.Auth.Settings(r.Context())
	if err != nil {
		return err
	}
	return s.showSecurity(r, http.StatusOK, securityForm(r, set), nil)
}

// securityForm is filled with the settings as they stand.
func securityForm(r *Request, set auth.Settings) *Form {
	f := r.Blank(
		"ldap_url", set.LDAP.URL, "ldap_ca", set.LDAP.CA, "ldap_bind", set.LDAP.BindDN, "ldap_base", set.LDAP.BaseDN, "ldap_filter", set.LDAP.Filter,
		"ldap_key", set.LDAP.Key, "ldap_name", set.LDAP.Name, "ldap_mail", set.LDAP.Mail, "ldap_groups", set.LDAP.Groups, "ldap_members", set.LDAP.Members,
		"oidc_label", set.OIDC.Label, "oidc_issuer", set.OIDC.Issuer, "oidc_client", set.OIDC.ClientID, "oidc_scopes", strings.Join(set.OIDC.Scopes, " "),
		"oidc_login", set.OIDC.Login, "oidc_groups", set.OIDC.Groups, "rules", rulesText(set.Rules),
	)
	tick := func(name string, on bool) {
		if on {
			f.values.Set(name, "1")
		}
	}
	tick("ldap_enabled", set.LDAP.Enabled)
	tick("ldap_starttls", set.LDAP.StartTLS)
	tick("oidc_enabled", set.OIDC.Enabled)
	for _, role := range set.FactorRoles {
		f.values.Add("factor_roles", string(role))
	}
	return f
}

func (s *Server) showSecurity(r *Request, status int, f *Form, tried *triedPart) error {
	p := &securityPage{
		Page: Page{Title: r.T("access.security.title"), Lede: r.T("access.security.what"), Crumbs: r.adminCrumbs()},
		Form: f, Back: r.providerBack(), Tried: tried,
	}
	p.Factor = f.Choices("factor_roles", r.T("access.factor.roles"), roleOptions(r)).Plain().Hinted(r.T("access.factor.roles_hint"))
	p.Factor.Multiple = true
	accounts, err := s.deps.Auth.Accounts(r.Context(), r.Who)
	if err != nil {
		return err
	}
	without := 0
	for _, a := range accounts {
		if !a.Disabled && !a.Factor && a.Provider != auth.ByOIDC && slices.Contains(f.All("factor_roles"), string(a.Role)) {
			without++
		}
	}
	if without > 0 {
		p.Without = r.N("access.factor.without", without)
	}
	text := func(name string, most int, example string) Field {
		return f.Text(name, r.T("access."+name)).AtMost(most).Example(example).Plain()
	}
	hinted := func(c Field) Field { return c.Hinted(r.T("access." + c.Name + "_hint")) }
	authority := f.Area("ldap_ca", r.T("access.ldap_ca")).AtMost(20_000).Hinted(r.T("access.ldap_ca_hint"))
	p.LDAP = []Field{
		f.Check("ldap_enabled", r.T("access.ldap_enabled")), text("ldap_url", 300, "ldaps://annuaire.exemple.fr"), f.Check("ldap_starttls", r.T("access.ldap_starttls")), authority,
		text("ldap_bind", 300, "cn=lecture,dc=exemple,dc=fr"), hinted(f.Password("ldap_password", r.T("access.ldap_password")).Fill("off")),
		text("ldap_base", 300, "dc=exemple,dc=fr"), hinted(text("ldap_filter", 300, "(sAMAccountName=%s)")),
		hinted(text("ldap_key", 100, "objectGUID")), text("ldap_name", 100, "displayName"), text("ldap_mail", 100, "mail"),
		hinted(text("ldap_groups", 100, "memberOf")), hinted(text("ldap_members", 300, "(&(objectClass=group)(member=%s))")),
	}
	p.OIDC = []Field{
		f.Check("oidc_enabled", r.T("access.oidc_enabled")), hinted(text("oidc_label", 60, "ENT du département")), text("oidc_issuer", 300, "https://connexion.exemple.fr"),
		text("oidc_client", 200, "statincidents"), hinted(f.Password("oidc_secret", r.T("access.oidc_secret")).Fill("off")), text("oidc_scopes", 300, "profile email"),
		text("oidc_login", 100, "preferred_username"), text("oidc_groups", 100, "groups"),
	}
	p.Rules = f.Area("rules", r.T("access.rules")).AtMost(50_000).Hinted(r.T("access.rules_hint", "mark", "{uai}")).Example("IT-TECHNICIENS = technician\nREFERENTS-{uai} = referent")
	return securityView.show(r, status, p)
}

// rulesText writes the rules one a line: "group = role", or "group = role UAI".
func rulesText(rules []auth.Rule) string {
	var b strings.Builder
	for _, rule := range rules {
		b.WriteString(rule.Group + " = " + string(rule.Role))
		if rule.UAI != "" {
			b.WriteString(" " + rule.UAI)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// rulesOf reads what rulesText writes; a role may also be said in the reader's
// words. The group may hold "=": the last one counts.
func rulesOf(r *Request, text string) ([]auth.Rule, error) {
	var rules []auth.Rule
	line := 0
	for text := range strings.Lines(text) {
		line++
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		at := strings.LastIndexByte(text, '=')
		if at < 0 {
			return nil, fault.InvalidField("rules", "error.auth.settings.rule_line", "line", line)
		}
		rule := auth.Rule{Group: strings.TrimSpace(text[:at])}
		words := strings.Fields(text[at+1:])
		if len(words) == 0 || len(words) > 2 || rule.Group == "" {
			return nil, fault.InvalidField("rules", "error.auth.settings.rule_line", "line", line)
		}
		for _, role := range auth.Roles {
			if words[0] == string(role) || fold(words[0]) == fold(r.T("role."+string(role))) {
				rule.Role = role
			}
		}
		if rule.Role == "" {
			return nil, fault.InvalidField("rules", "error.auth.settings.rule_line", "line", line)
		}
		if len(words) == 2 {
			rule.UAI = words[1]
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// typedSecurity reads the form.
func typedSecurity(r *Request, f *Form) (auth.Settings, map[string]string, error) {
	get := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	set := auth.Settings{
		LDAP: auth.LDAP{
			Enabled: f.Checked("ldap_enabled"), URL: get("ldap_url"), StartTLS: f.Checked("ldap_starttls"), CA: get("ldap_ca"), BindDN: get("ldap_bind"), BaseDN: get("ldap_base"),
			Filter: get("ldap_filter"), Key: get("ldap_key"), Name: get("ldap_name"), Mail: get("ldap_mail"), Groups: get("ldap_groups"), Members: get("ldap_members"),
		},
		OIDC: auth.OIDC{
			Enabled: f.Checked("oidc_enabled"), Label: get("oidc_label"), Issuer: get("oidc_issuer"), ClientID: get("oidc_client"), Scopes: strings.Fields(get("oidc_scopes")),
			Login: get("oidc_login"), Groups: get("oidc_groups"),
		},
	}
	for _, role := range f.All("factor_roles") {
		set.FactorRoles = append(set.FactorRoles, auth.Role(role))
	}
	secrets := map[string]string{}
	if v := f.Get("ldap_password"); v != "" {
		secrets[auth.LDAPPassword] = v
	}
	if v := f.Get("oidc_secret"); v != "" {
		secrets[auth.OIDCSecret] = v
	}
	var err error
	set.Rules, err = rulesOf(r, f.Get("rules"))
	return set, secrets, err
}

func (s *Server) saveSecurity(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	set, secrets, err := typedSecurity(r, f)
	if err == nil {
		err = s.deps.Auth.SaveSettings(r.Context(), r.Who, set, secrets)
	}
	if f.Refused(err) {
		return s.showSecurity(r, status(err), f, nil)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("access.security.saved")}); err != nil {
		return err
	}
	return r.Redirect(securityPath)
}

// tryDirectory asks the directory as it is saved, and shows what it says of a
// login.
func (s *Server) tryDirectory(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	set, err := s.deps.Auth.Settings(r.Context())
	if err != nil {
		return err
	}
	login := strings.TrimSpace(f.Get("login"))
	if len(login) > auth.MaxLogin || set.LDAP.URL == "" || s.deps.LDAP.Password == nil {
		err = fault.InvalidField("ldap_url", "error.field.required")
		f = securityForm(r, set)
		f.Refused(err)
		return s.showSecurity(r, status(err), f, nil)
	}
	who, found, err := s.deps.LDAP.Check(r.Context(), set.LDAP, login)
	tried := &triedPart{Badge: Badge{Icon: "circle-check", Word: r.T("access.try.answers"), Tone: "good"}}
	switch {
	case err != nil:
		s.log.Warn("web: try of the directory", "request", r.ID, "error", err)
		// The directory's own words help whoever connects it, and only an administrator reads them.
		tried.Badge, tried.Text = Badge{Icon: "circle-x", Word: r.T("access.try.fails"), Tone: "critical"}, err.Error()
	case login == "":
		tried.Text = r.T("access.try.no_login")
	case !found:
		tried.Text = r.T("access.try.nobody", "login", login)
	default:
		tried.Text = r.T("access.try.found", "name", who.Name, "mail", who.Email)
		tried.Groups = who.Groups
	}
	return s.showSecurity(r, http.StatusOK, securityForm(r, set), tried)
}
