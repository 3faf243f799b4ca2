package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"statincidents/internal/auth"
	"statincidents/internal/auth/oidc"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit/idp"
)

func TestSecondFactorOnPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "chef", auth.Administrator)
	b := s.as(t, "chef")
	a := b.get("/account/factor").wantStatus(http.StatusOK)
	key := strings.ReplaceAll(a.text("code.secret"), " ", "")
	code := func(steps int) string {
		t.Helper()
		c, err := totp.GenerateCode(key, sqldb.Now().Add(time.Duration(steps)*30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	b.post("/account/factor", "code", "000000").wantStatus(http.StatusUnprocessableEntity)
	a = b.post("/account/factor", "code", code(-1)).wantStatus(http.StatusOK)
	recovery := a.text(".recovery code")
	if len(recovery) != 19 {
		t.Fatalf("recovery code %q", recovery)
	}
	if strings.Contains(b.get("/account/factor").body, recovery) {
		t.Error("the recovery codes are shown twice")
	}

	stranger := s.reader(t)
	a = stranger.post("/login", "login", "chef", "password", secret, "next", "/admin/roles")
	if a.Request.URL.Path != "/login/code" || a.attr(`input[name="next"]`, "value") != "/admin/roles" {
		t.Fatalf("after the password: %s", a.Request.URL)
	}
	for _, path := range []string{"/admin", "/account", "/incidents"} {
		if a := stranger.get(path); a.Request.URL.Path != "/login" {
			t.Errorf("the password alone opens %s: %s", path, a.Request.URL)
		}
	}
	stranger.post("/login/code", "code", "123456").wantStatus(http.StatusUnauthorized)
	if a := stranger.post("/login/code", "code", code(0), "next", "/admin/roles").wantStatus(http.StatusOK); a.Request.URL.Path != "/admin/roles" {
		t.Errorf("after the code: %s", a.Request.URL)
	}
	if strings.Contains(s.log.String(), secret) || strings.Contains(s.log.String(), key) {
		t.Error("a secret is in the log")
	}
}

func TestARoleThatMustHaveASecondFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(t, "chef", auth.Administrator)
	s.account(t, "tech", auth.Technician)
	chef := s.as(t, "chef")
	a := chef.post("/admin/security", "factor_roles", "technician").wantStatus(http.StatusOK)
	if !strings.Contains(a.text("main"), "1 compte de ces rôles n’a pas encore") {
		t.Errorf("%q", a.text("main"))
	}
	b := s.reader(t)
	for _, path := range []string{"/incidents", "/account", "/schools", "/incidents.csv"} {
		b.post("/login", "login", "tech", "password", secret)
		if a := b.get(path).wantStatus(http.StatusOK); a.Request.URL.Path != "/account/factor" {
			t.Errorf("%s: at %s", path, a.Request.URL)
		}
	}
	b.post("/declare", "title", "x").wantStatus(http.StatusForbidden)
	if a := b.post("/logout"); a.Request.URL.Path != "/login" {
		t.Errorf("cannot leave: %s", a.Request.URL)
	}
}

func TestSigningInAtAProvider(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(d *Deps) {
		accounts := d.Auth
		d.OIDC = &oidc.Client{Secret: func(ctx context.Context) (string, error) { return accounts.Secret(ctx, auth.OIDCSecret) }}
	})
	s.account(t, "chef", auth.Administrator)
	provider := idp.Start(t, s.URL+"/login/oidc/back",
		idp.User{Login: "claire", Password: "mot de passe", First: "Claire", Last: "Martin", Groups: []string{"techs"}},
		idp.User{Login: "luc", Password: "mot de passe", First: "Luc", Last: "Petit", Groups: []string{"autres"}})
	s.as(t, "chef").post("/admin/security", "oidc_enabled", "1", "oidc_label", "l’ENT", "oidc_issuer", provider.Issuer, "oidc_client", idp.ClientID, "oidc_secret", idp.Secret,
		"oidc_groups", "groups", "rules", "techs = Technicien").wantStatus(http.StatusOK)
	// away goes to the provider and gives the address by which the browser comes back.
	away := func(b *reader, login string) string {
		t.Helper()
		b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		defer func() { b.CheckRedirect = nil }()
		to := b.get(b.get("/login?next=/account").attr(".door-box a.btn", "href")).Header.Get("Location")
		back, err := provider.SignIn(t.Context(), to, login, "mot de passe")
		if err != nil {
			t.Fatal(err)
		}
		return back.RequestURI()
	}
	b := s.reader(t)
	back := away(b, "claire")
	if a := s.reader(t).get(back).wantStatus(http.StatusUnauthorized); a.text(".notice") == "" {
		t.Error("another browser's answer is refused without a word")
	}
	a := b.get(back).wantStatus(http.StatusOK)
	if a.Request.URL.Path != "/account" || !strings.Contains(a.text("main"), "fournisseur d’identité") || !strings.Contains(a.text("main"), "technicien") {
		t.Errorf("at %s: %s", a.Request.URL, a.text("main"))
	}
	s.reader(t).get(back).wantStatus(http.StatusUnauthorized)

	other := s.reader(t)
	if a := other.get(away(other, "luc")).wantStatus(http.StatusForbidden); !strings.Contains(a.text(".notice"), "aucun de vos groupes") {
		t.Errorf("somebody of no group is told %q", a.text(".notice"))
	}
	if strings.Contains(s.log.String(), idp.Secret) {
		t.Error("the client's secret is in the log")
	}
}
