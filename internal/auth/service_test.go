package auth_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

const (
	tenant = 1
	good   = "correct horse battery"
)

var system = auth.System(tenant)

type bundle struct {
	db      *sqldb.DB
	journal *journal.Journal
	*auth.Service
}

// each runs fn with a fresh service on each engine, whose directory has the
// schools 1 and 2 and the person 7.
func each(t *testing.T, cfg auth.Config, fn func(t *testing.T, b bundle)) {
	t.Helper()
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if err := tx.Insert(ctx, "school", []string{"tenant_id", "school_id", "uai", "name"}, [][]any{{1, 1, "0450001A", "Un"}, {1, 2, "0450002B", "Deux"}}, ""); err != nil {
				return err
			}
			return tx.Insert(ctx, "person", []string{"tenant_id", "person_id", "name", "kind"}, [][]any{{1, 7, "Anne Durand", "teacher"}}, "")
		})
		if err != nil {
			t.Fatal(err)
		}
		j := journal.New(db)
		fn(t, bundle{db, j, auth.New(db, j, cfg)})
	})
}

func (b bundle) create(t *testing.T, in auth.NewAccount) auth.Account {
	t.Helper()
	if in.Password == "" {
		in.Password = good
	}
	a, err := b.CreateAccount(t.Context(), system, in)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b bundle) identity(t *testing.T, a auth.Account) auth.Identity {
	t.Helper()
	id, err := b.IdentityOf(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// wants checks the code of a refusal and, if given, the fields that it names.
func wants(t *testing.T, err error, code fault.Code, keys ...string) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Fatalf("error %v, want code %s", err, code)
	}
	if len(keys) == 0 {
		return
	}
	var f *fault.Error
	if e, ok := err.(*fault.Error); ok { //nolint:errorlint // refusals come unwrapped
		f = e
	}
	got := map[string]bool{}
	for _, field := range f.Fields {
		got[field.Name+" "+field.Key] = true
	}
	for _, k := range keys {
		if !got[k] {
			t.Errorf("refusal %v lacks %q", err, k)
		}
	}
	if len(got) != len(keys) {
		t.Errorf("refusal %v, want %d fields", err, len(keys))
	}
}

func TestCreateAccountRefuses(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		b.create(t, auth.NewAccount{Login: "Élodie", Role: auth.Lead})
		for _, c := range []struct {
			name string
			in   auth.NewAccount
			keys []string
		}{
			{"taken in another case", auth.NewAccount{Login: "éLODIE ", Password: good, Role: auth.Lead}, []string{"login error.auth.login.taken"}},
			{"taken in another composition", auth.NewAccount{Login: "E\u0301lodie", Password: good, Role: auth.Lead}, []string{"login error.auth.login.taken"}},
			{"nothing", auth.NewAccount{}, []string{"login error.auth.login.missing", "password error.auth.password.short", "role error.auth.account.role_unknown"}},
			{"eleven characters", auth.NewAccount{Login: "a", Password: "ééééééééééé"[:22], Role: auth.Lead}, []string{"password error.auth.password.short"}},
			{"password is the login", auth.NewAccount{Login: "jean.dupont45", Password: "JEAN.dupont45", Role: auth.Lead}, []string{"password error.auth.password.is_login"}},
			{"space in the login", auth.NewAccount{Login: "a b", Password: good, Role: auth.Lead}, []string{"login error.auth.login.characters"}},
			{"referent of nowhere", auth.NewAccount{Login: "r", Password: good, Role: auth.Referent}, []string{"schools error.auth.account.school_missing"}},
			{"referent of an unknown school", auth.NewAccount{Login: "r", Password: good, Role: auth.Referent, Schools: []int64{9}}, []string{"schools error.auth.account.school_unknown"}},
			{"declarant who is nobody", auth.NewAccount{Login: "d", Password: good, Role: auth.Declarant}, []string{"person error.auth.account.person_missing"}},
			{"unknown person", auth.NewAccount{Login: "d", Password: good, Role: auth.Declarant, Person: 8}, []string{"person error.auth.account.person_unknown"}},
		} {
			_, err := b.CreateAccount(t.Context(), system, c.in)
			t.Log(c.name)
			wants(t, err, fault.Invalid, c.keys...)
		}
		lead, err := b.Authenticate(t.Context(), "ÉLODIE", good, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.CreateAccount(t.Context(), lead, auth.NewAccount{Login: "x", Password: good, Role: auth.Administrator})
		wants(t, err, fault.Forbidden)
		_, err = b.CreateAccount(t.Context(), auth.System(2), auth.NewAccount{Login: "x", Password: good, Role: auth.Administrator})
		wants(t, err, fault.Forbidden)
	})
}

func TestSignInAndReach(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		ctx := t.Context()
		a := b.create(t, auth.NewAccount{Login: "Anne", Role: auth.Declarant, Person: 7, Schools: []int64{2, 1, 2}})
		// The same password typed decomposed or full width is the same.
		odd := b.create(t, auth.NewAccount{Login: "odd", Password: "motdépassé ﬁn long", Role: auth.Lead})
		if _, err := b.Authenticate(ctx, "odd", "motde\u0301passe\u0301 fin long", "192.0.2.1"); err != nil {
			t.Errorf("password in another composition: %v", err)
		}
		id, err := b.Authenticate(ctx, "  ANNE", good, "192.0.2.1:1234")
		if err != nil {
			t.Fatal(err)
		}
		if id.Name != "Anne Durand" || id.Account != a.ID || id.Person != 7 || len(id.Schools) != 2 || id.Role != auth.Declarant {
			t.Errorf("identity %+v", id)
		}
		for _, login := range []string{"nobody", "anne", strings.Repeat("x", 5000), "\xff"} {
			_, err := b.Authenticate(ctx, login, "wrong password", "192.0.2.9")
			wants(t, err, fault.Unauthenticated)
		}
		// A role changed takes effect at once; so does a disabled account.
		role, schools := auth.Referent, []int64{2}
		if _, err := b.UpdateAccount(ctx, system, a.ID, auth.AccountPatch{Role: &role, Schools: &schools}); err != nil {
			t.Fatal(err)
		}
		if id := b.identity(t, a); id.Role != auth.Referent || len(id.Schools) != 1 || !id.Scope().Sees(2, 0) || id.Scope().Sees(1, 0) {
			t.Errorf("identity after the change: %+v", id)
		}
		yes := true
		if _, err := b.UpdateAccount(ctx, system, a.ID, auth.AccountPatch{Disabled: &yes}); err != nil {
			t.Fatal(err)
		}
		_, err = b.IdentityOf(ctx, a.ID)
		wants(t, err, fault.Unauthenticated)
		_, err = b.Authenticate(ctx, "anne", good, "192.0.2.1")
		wants(t, err, fault.Unauthenticated)

		// What happened is in the journal, without a login, a name or a secret.
		events, err := b.journal.Read(ctx, tenant, journal.Pos{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, e := range events {
			if e.Subject == (journal.Subject{Kind: auth.Subject, ID: a.ID}) {
				kinds = append(kinds, e.Kind)
			}
			for _, word := range []string{"argon", "anne", "Anne", "odd", "Durand"} {
				if strings.Contains(string(e.Data), word) {
					t.Errorf("event %s tells %q: %s", e.Kind, word, e.Data)
				}
			}
		}
		if got := strings.Join(kinds, " "); got != "account.created account.updated account.disabled" {
			t.Errorf("events %s", got)
		}
		list, err := b.Accounts(ctx, system)
		if err != nil || len(list) != 2 || list[0].Login != "anne" || !list[0].Disabled || list[1].ID != odd.ID {
			t.Errorf("accounts %+v, %v", list, err)
		}
	})
}

func TestLastAdministratorStays(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		one := b.create(t, auth.NewAccount{Login: "one", Role: auth.Administrator})
		two := b.create(t, auth.NewAccount{Login: "two", Role: auth.Administrator})
		// Both at once, from both sides: one of them must be refused.
		yes, lead := true, auth.Lead
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() { _, errs[0] = b.UpdateAccount(t.Context(), system, one.ID, auth.AccountPatch{Disabled: &yes}) })
		wg.Go(func() { _, errs[1] = b.UpdateAccount(t.Context(), system, two.ID, auth.AccountPatch{Role: &lead}) })
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("errors %v", errs)
		}
		for _, err := range errs {
			if err != nil {
				wants(t, err, fault.Invalid)
			}
		}
		if needs, err := b.NeedsFirstAdministrator(t.Context()); needs || err != nil {
			t.Errorf("needs a first administrator: %v %v", needs, err)
		}
	})
}

func TestGuessingIsThrottled(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		ctx := t.Context()
		b.create(t, auth.NewAccount{Login: "victim", Role: auth.Lead})
		if _, err := b.Authenticate(ctx, "victim", good, "198.51.100.1"); err != nil {
			t.Fatal(err)
		}
		// Twenty at once from one address: only the free ones are heard, and one
		// more for each second that a busy machine took.
		var heard, refused int
		var mu sync.Mutex
		var wg sync.WaitGroup
		began := time.Now()
		for range 20 {
			wg.Go(func() {
				_, err := b.Authenticate(ctx, "victim", "not the password", "203.0.113.5:99")
				mu.Lock()
				defer mu.Unlock()
				switch {
				case fault.Is(err, fault.Unauthenticated):
					heard++
				case fault.Is(err, fault.TooMany) && fault.RetryAfter(err) >= 1:
					refused++
				default:
					t.Errorf("error %v", err)
				}
			})
		}
		wg.Wait()
		if most := 5 + int(time.Since(began)/time.Second); heard < 5 || heard > most || heard+refused != 20 {
			t.Errorf("%d heard, %d refused; want 5 to %d heard", heard, refused, most)
		}
		// Past ten failures the right password from there must wait too; from the
		// victim's own place it works at once.
		b.FailSignIns("victim", "203.0.113.5", 12, sqldb.Now())
		_, err := b.Authenticate(ctx, "victim", good, "203.0.113.5:99")
		wants(t, err, fault.TooMany)
		if wait := fault.RetryAfter(err); wait < 30 {
			t.Errorf("told to wait %d s", wait)
		}
		if _, err := b.Authenticate(ctx, "victim", good, "198.51.100.1"); err != nil {
			t.Errorf("the victim is shut out: %v", err)
		}
	})
}

// browser is a client with a cookie jar before a server with sessions.
func browser(t *testing.T, b bundle) (s *auth.Sessions, get func(path string) string) {
	t.Helper()
	s = b.NewSessions(false)
	mux := http.NewServeMux()
	mux.HandleFunc("/in/{login}", func(w http.ResponseWriter, r *http.Request) {
		id, err := b.Authenticate(r.Context(), r.PathValue("login"), good, r.RemoteAddr)
		if err == nil {
			err = s.SignIn(r.Context(), id)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
		}
	})
	mux.HandleFunc("/out", func(_ http.ResponseWriter, r *http.Request) {
		if err := s.SignOut(r.Context()); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/who", func(w http.ResponseWriter, r *http.Request) {
		id, err := s.Identity(r.Context())
		if err != nil {
			w.Write([]byte(fault.CodeOf(err)))
			return
		}
		w.Write([]byte(id.Login))
	})
	srv := httptest.NewServer(s.LoadAndSave(mux))
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	return s, func(path string) string {
		t.Helper()
		res, err := client.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		buf := make([]byte, 100)
		n, _ := res.Body.Read(buf)
		return string(buf[:n])
	}
}

func TestSessions(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		ctx := t.Context()
		a := b.create(t, auth.NewAccount{Login: "lea", Role: auth.Lead})
		_, here := browser(t, b)
		_, there := browser(t, b)
		if got := here("/who"); got != "unauthenticated" {
			t.Errorf("before: %q", got)
		}
		here("/in/lea")
		there("/in/lea")
		if a, b := here("/who"), there("/who"); a != "lea" || b != "lea" {
			t.Errorf("signed in: %q, %q", a, b)
		}
		there("/out")
		if a, b := here("/who"), there("/who"); a != "lea" || b != "unauthenticated" {
			t.Errorf("after the other signed out: %q, %q", a, b)
		}
		there("/in/lea")
		// The token is not readable in the table.
		err := b.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			var n, owned int
			if err := tx.QueryRow(ctx, `SELECT count(*), COALESCE(SUM(CASE WHEN account_id = $1 AND length(token_hash) = 43 THEN 1 ELSE 0 END), 0) FROM session`, a.ID).Scan(&n, &owned); err != nil {
				return err
			}
			if n != 2 || owned != 2 {
				t.Errorf("%d sessions, %d with their account", n, owned)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// A new password signs everybody out.
		id := b.identity(t, a)
		_, err = b.ChangePassword(ctx, id, "not the former", "another password")
		wants(t, err, fault.Invalid, "former error.auth.password.former_wrong")
		if _, err := b.ChangePassword(ctx, id, good, "another password"); err != nil {
			t.Fatal(err)
		}
		if a, b := here("/who"), there("/who"); a != "unauthenticated" || b != "unauthenticated" {
			t.Errorf("after the password changed: %q, %q", a, b)
		}
		_, err = b.Authenticate(ctx, "lea", good, "192.0.2.3")
		wants(t, err, fault.Unauthenticated)
	})
}

func TestSessionEnds(t *testing.T) {
	const idle = time.Second
	each(t, auth.Config{SessionIdle: idle}, func(t *testing.T, b bundle) {
		b.create(t, auth.NewAccount{Login: "lea", Role: auth.Lead})
		_, get := browser(t, b)
		get("/in/lea")
		began, last := time.Now(), time.Now()
		for time.Since(began) < idle+idle/2 { // past the idle limit, in use
			got := get("/who")
			if slow := time.Since(last) >= idle; slow {
				t.Skip("this machine is too busy to keep a session in use")
			}
			if got != "lea" {
				t.Fatalf("ended while in use, after %s: %s", time.Since(began), got)
			}
			last = time.Now()
			time.Sleep(50 * time.Millisecond)
			if err := b.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(idle + 100*time.Millisecond)
		if got := get("/who"); got != "unauthenticated" {
			t.Errorf("after the idle limit: %q", got)
		}
		if err := b.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.sessions(t, 0)
	})
}

func TestSessionDies(t *testing.T) {
	each(t, auth.Config{SessionLife: 100 * time.Millisecond}, func(t *testing.T, b bundle) {
		b.create(t, auth.NewAccount{Login: "lea", Role: auth.Lead})
		_, get := browser(t, b)
		get("/in/lea")
		time.Sleep(110 * time.Millisecond)
		if got := get("/who"); got != "unauthenticated" {
			t.Errorf("after its life: %q", got)
		}
	})
}

// sessions checks how many the table holds.
func (b bundle) sessions(t *testing.T, want int) {
	t.Helper()
	var n int
	err := b.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM session`).Scan(&n)
	})
	if err != nil || n != want {
		t.Errorf("%d sessions, want %d, %v", n, want, err)
	}
}

func TestTokens(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		ctx := t.Context()
		a := b.create(t, auth.NewAccount{Login: "lea", Role: auth.Lead})
		other := b.create(t, auth.NewAccount{Login: "tom", Role: auth.Technician})
		me, him := b.identity(t, a), b.identity(t, other)

		secret, token, err := b.CreateToken(ctx, me, a.ID, " tableau de bord ", 0)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(secret, auth.TokenPrefix) || len(secret) != len(auth.TokenPrefix)+43 || token.Label != "tableau de bord" {
			t.Errorf("token %q %+v", secret, token)
		}
		got, n, err := b.IdentityOfToken(ctx, secret)
		if err != nil || got.Account != a.ID || n != token.ID {
			t.Errorf("identity %+v %d %v", got, n, err)
		}
		for _, bad := range []string{"", "statinc_", secret + "x", secret[:len(secret)-1], strings.ToUpper(secret)} {
			_, _, err := b.IdentityOfToken(ctx, bad)
			wants(t, err, fault.Unauthenticated)
		}
		if err := b.Tidy(ctx); err != nil {
			t.Fatal(err)
		}
		list, err := b.Tokens(ctx, me, a.ID)
		if err != nil || len(list) != 1 || list[0].LastUsed.IsZero() {
			t.Errorf("tokens %+v %v", list, err)
		}
		// Another's tokens are an administrator's business.
		_, err = b.Tokens(ctx, him, a.ID)
		wants(t, err, fault.Forbidden)
		_, _, err = b.CreateToken(ctx, him, a.ID, "x", 0)
		wants(t, err, fault.Forbidden)
		wants(t, b.RevokeToken(ctx, him, token.ID), fault.NotFound)
		if _, _, err := b.IdentityOfToken(ctx, secret); err != nil {
			t.Errorf("revoked by a stranger: %v", err)
		}
		if err := b.RevokeToken(ctx, me, token.ID); err != nil {
			t.Fatal(err)
		}
		_, _, err = b.IdentityOfToken(ctx, secret)
		wants(t, err, fault.Unauthenticated)

		short, _, err := b.CreateToken(ctx, system, other.ID, "court", 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(60 * time.Millisecond)
		_, _, err = b.IdentityOfToken(ctx, short)
		wants(t, err, fault.Unauthenticated)

		long, _, err := b.CreateToken(ctx, system, other.ID, "long", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		yes := true
		if _, err := b.UpdateAccount(ctx, system, other.ID, auth.AccountPatch{Disabled: &yes}); err != nil {
			t.Fatal(err)
		}
		_, _, err = b.IdentityOfToken(ctx, long)
		wants(t, err, fault.Unauthenticated)
	})
}

func TestFirstRun(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		ctx := t.Context()
		first, second := b.NewFirstRun(), b.NewFirstRun() // two processes
		if needed, err := first.Needed(ctx); !needed || err != nil {
			t.Fatalf("needed %v %v", needed, err)
		}
		in := auth.NewAccount{Login: "root", Password: good, Role: auth.Declarant}
		_, err := first.Claim(ctx, second.Code(), in)
		wants(t, err, fault.Invalid, "code error.auth.first_run.wrong_code")
		_, err = first.Claim(ctx, first.Code(), auth.NewAccount{Login: "root", Password: "short"})
		wants(t, err, fault.Invalid, "password error.auth.password.short")
		// Both at once: one administrator.
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() { _, errs[0] = first.Claim(ctx, strings.ToLower(first.Code()), in) })
		wg.Go(func() {
			other := in
			other.Login = "root2"
			_, errs[1] = second.Claim(ctx, second.Code(), other)
		})
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("errors %v", errs)
		}
		_, err = first.Claim(ctx, first.Code(), auth.NewAccount{Login: "root3", Password: good})
		wants(t, err, fault.Forbidden)
		list, err := b.Accounts(ctx, system)
		if err != nil || len(list) != 1 || list[0].Role != auth.Administrator {
			t.Errorf("accounts %+v %v", list, err)
		}
	})
}
