package ldap_test

import (
	"context"
	"slices"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/auth/ldap"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
	"statincidents/internal/testkit/slapd"
)

const tenant = 1

func people(t *testing.T) *slapd.Server {
	t.Helper()
	s := slapd.Start(t)
	person := func(uid, name, password string) string {
		dn := "uid=" + uid + "," + s.Suffix
		s.Add(dn, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {name}, "sn": {name}, "displayName": {name}, "mail": {uid + "@loiret.test"}, "userPassword": {password}})
		return dn
	}
	group := func(cn string, members ...string) {
		s.Add("cn="+cn+","+s.Suffix, map[string][]string{"objectClass": {"groupOfNames"}, "member": members})
	}
	claire := person("claire.martin", "Claire Martin", "mot de passe de Claire")
	luc := person("luc.petit", "Luc Petit", "mot de passe de Luc")
	nobody := person("sans.groupe", "Sans Groupe", "mot de passe seul")
	person("j*", "Étoile", "mot de passe étoile")
	group("techs", claire)
	group("referents-0450001a", luc, claire)
	group("ailleurs", nobody)
	return s
}

func settings(s *slapd.Server) auth.Settings {
	return auth.Settings{
		LDAP: auth.LDAP{Enabled: true, URL: s.Secure, CA: s.CA, BindDN: s.Admin, BaseDN: s.Suffix, Filter: "(uid=%s)", Groups: "memberOf"},
		Rules: []auth.Rule{
			{Group: "techs", Role: auth.Technician},
			{Group: "referents-{uai}", Role: auth.Referent},
		},
	}
}

func TestADirectorySignsIn(t *testing.T) {
	t.Parallel()
	server := people(t)
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.Insert(ctx, "school", []string{"tenant_id", "school_id", "uai", "name"}, [][]any{{tenant, 1, "0450001A", "Un"}}, "")
		})
		if err != nil {
			t.Fatal(err)
		}
		s := auth.New(db, journal.New(db), auth.Config{})
		s.Vouch(ldap.Directory{Password: func(ctx context.Context) (string, error) { return s.Secret(ctx, auth.LDAPPassword) }}.Vouch)
		by := auth.System(tenant)
		set := settings(server)
		if err := s.SaveSettings(t.Context(), by, set, map[string]string{auth.LDAPPassword: server.Password}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateAccount(t.Context(), by, auth.NewAccount{Login: "local", Password: "un mot de passe local", Role: auth.Administrator}); err != nil {
			t.Fatal(err)
		}
		cases := map[string]struct {
			login, password string
			role            auth.Role
			schools         []int64
			code            fault.Code
		}{
			"a technician by the widest of two groups": {"Claire.Martin", "mot de passe de Claire", auth.Technician, nil, ""},
			"a referent of the school of the group":    {"luc.petit", "mot de passe de Luc", auth.Referent, []int64{1}, ""},
			"a local account beside the directory":     {"local", "un mot de passe local", auth.Administrator, nil, ""},
			"a wrong password":                         {"luc.petit", "autre chose que cela", "", nil, fault.Unauthenticated},
			"no password":                              {"luc.petit", "", "", nil, fault.Unauthenticated},
			"nobody":                                   {"personne", "mot de passe de Luc", "", nil, fault.Unauthenticated},
			"a star is no wildcard":                    {"luc.*", "mot de passe de Luc", "", nil, fault.Unauthenticated},
			"a filter is no login":                     {"x)(uid=luc.petit", "mot de passe de Luc", "", nil, fault.Unauthenticated},
			"no group that counts":                     {"sans.groupe", "mot de passe seul", "", nil, fault.Forbidden},
		}
		for name, c := range cases {
			for range 2 { // the first makes the account, the second finds it
				who, err := s.Authenticate(t.Context(), c.login, c.password, "192.0.2.7")
				if c.code != "" {
					if !fault.Is(err, c.code) {
						t.Errorf("%s: told %v", name, err)
					}
					continue
				}
				if err != nil || who.Role != c.role || !slices.Equal(who.Schools, c.schools) {
					t.Errorf("%s: %+v, %v", name, who, err)
				}
			}
		}
		accounts, err := s.Accounts(t.Context(), by)
		if err != nil || len(accounts) != 3 {
			t.Errorf("%d accounts of 3: %v", len(accounts), err)
		}
		for _, a := range accounts {
			if a.Provider == auth.ByLDAP && !fault.Is(s.SetPassword(t.Context(), by, a.ID, "un autre mot de passe"), fault.Invalid) {
				t.Errorf("%s got a password here beside the directory's", a.Login)
			}
		}

		// What the rules say changes with the next sign-in.
		set.Rules = []auth.Rule{{Group: "cn=techs," + server.Suffix, Role: auth.Lead}, {Group: "referents-0450001A", Role: auth.Referent, UAI: "0450001a"}}
		if err := s.SaveSettings(t.Context(), by, set, nil); err != nil {
			t.Fatal(err)
		}
		who, err := s.Authenticate(t.Context(), "claire.martin", "mot de passe de Claire", "192.0.2.8")
		if err != nil || who.Role != auth.Lead {
			t.Errorf("after the rules changed: %+v, %v", who, err)
		}

		// An account that was disabled here stays so.
		off := true
		if _, err := s.UpdateAccount(t.Context(), by, who.Account, auth.AccountPatch{Disabled: &off}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), "claire.martin", "mot de passe de Claire", "192.0.2.9"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a disabled account: told %v", err)
		}
	})
}

func TestALocalAccountIsNotTakenOver(t *testing.T) {
	t.Parallel()
	server := people(t)
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := auth.New(db, journal.New(db), auth.Config{})
		s.Vouch(ldap.Directory{Password: func(context.Context) (string, error) { return server.Password, nil }}.Vouch)
		by := auth.System(tenant)
		if err := s.SaveSettings(t.Context(), by, settings(server), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateAccount(t.Context(), by, auth.NewAccount{Login: "claire.martin", Password: "un mot de passe local", Role: auth.Administrator}); err != nil {
			t.Fatal(err)
		}
		if who, err := s.Authenticate(t.Context(), "claire.martin", "mot de passe de Claire", "192.0.2.7"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("the directory's password opened the local account: %+v, %v", who, err)
		}
		_, err := s.Admit(t.Context(), auth.Outsider{Provider: auth.ByOIDC, Subject: "1", Login: "claire.martin", Groups: []string{"techs"}})
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("another provider took the local account: %v", err)
		}
	})
}

func TestTheDirectoryIsDown(t *testing.T) {
	t.Parallel()
	server := people(t)
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := auth.New(db, journal.New(db), auth.Config{})
		s.Vouch(ldap.Directory{Password: func(context.Context) (string, error) { return server.Password, nil }}.Vouch)
		by := auth.System(tenant)
		set := settings(server)
		set.LDAP.URL = "ldap://127.0.0.1:1" // nobody listens there
		if err := s.SaveSettings(t.Context(), by, set, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateAccount(t.Context(), by, auth.NewAccount{Login: "local", Password: "un mot de passe local", Role: auth.Administrator}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), "luc.petit", "mot de passe de Luc", "192.0.2.7"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("told %v", err)
		}
		if _, err := s.Authenticate(t.Context(), "local", "un mot de passe local", "192.0.2.7"); err != nil {
			t.Errorf("a local account while the directory is down: %v", err)
		}
	})
}

func TestConnections(t *testing.T) {
	t.Parallel()
	server := people(t)
	good := settings(server).LDAP
	good.Name, good.Mail, good.Key = "displayName", "mail", "entryUUID"
	cases := map[string]struct {
		change func(*auth.LDAP)
		ok     bool
	}{
		"encrypted":                    {func(*auth.LDAP) {}, true},
		"encrypted after the fact":     {func(l *auth.LDAP) { l.URL, l.StartTLS = server.URL, true }, true},
		"an authority nobody knows":    {func(l *auth.LDAP) { l.CA = "" }, false},
		"an authority that is no PEM":  {func(l *auth.LDAP) { l.CA = "nonsense" }, false},
		"groups found by a search":     {func(l *auth.LDAP) { l.Groups, l.Members = "", "(&(objectClass=groupOfNames)(member=%s))" }, true},
		"a wrong searching account":    {func(l *auth.LDAP) { l.BindDN = "cn=other," + server.Suffix }, false},
		"a base that does not exist":   {func(l *auth.LDAP) { l.BaseDN = "dc=nowhere" }, false},
		"a filter that cannot be read": {func(l *auth.LDAP) { l.Filter = "((uid=%s" }, false},
	}
	d := ldap.Directory{Password: func(context.Context) (string, error) { return server.Password, nil }}
	for name, c := range cases {
		set := good
		c.change(&set)
		who, found, err := d.Check(t.Context(), set, "luc.petit")
		if c.ok != (err == nil && found) {
			t.Errorf("%s: %+v, %v, %v", name, who, found, err)
		}
		if c.ok && (who.Name != "Luc Petit" || who.Email != "luc.petit@loiret.test" || len(who.Groups) != 1 || len(who.Subject) != 36) {
			t.Errorf("%s: read %+v", name, who)
		}
	}
}
