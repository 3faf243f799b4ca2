package oidc_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/auth"
	"statincidents/internal/auth/oidc"
	"statincidents/internal/testkit/idp"
)

const back = "http://incidents.test/login/oidc/back"

func TestSigningInElsewhere(t *testing.T) {
	t.Parallel()
	p := idp.Start(t, back, idp.User{Login: "claire", Password: "mot de passe", First: "Claire", Last: "Martin", Groups: []string{"techs", "tous"}})
	c := &oidc.Client{Secret: func(context.Context) (string, error) { return idp.Secret, nil }}
	set := auth.OIDC{Issuer: p.Issuer, ClientID: idp.ClientID, Scopes: []string{"profile", "email"}, Login: "preferred_username", Groups: "groups"}
	// begin goes to the provider and comes back with a code.
	begin := func() (r oidc.Round, state, code string) {
		t.Helper()
		r = oidc.NewRound()
		to, err := c.Begin(t.Context(), set, back, r)
		if err != nil {
			t.Fatal(err)
		}
		at, err := p.SignIn(t.Context(), to, "claire", "mot de passe")
		if err != nil {
			t.Fatal(err)
		}
		return r, at.Query().Get("state"), at.Query().Get("code")
	}

	r, state, code := begin()
	got, err := c.Finish(t.Context(), set, back, r, state, code)
	want := auth.Outsider{Provider: auth.ByOIDC, Subject: p.Issuer + " claire", Login: "claire", Name: "Claire Martin", Email: "claire@loiret.test", Groups: []string{"techs", "tous"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
	if _, err := c.Finish(t.Context(), set, back, r, state, code); !errors.Is(err, oidc.ErrRefused) {
		t.Errorf("a code served twice: %v", err)
	}

	refused := map[string]func(r *oidc.Round, state, code *string){
		"another state":       func(_ *oidc.Round, state, _ *string) { *state += "x" },
		"no state at all":     func(r *oidc.Round, state, _ *string) { r.State, *state = "", "" },
		"another nonce":       func(r *oidc.Round, _, _ *string) { r.Nonce = oidc.NewRound().Nonce },
		"another verifier":    func(r *oidc.Round, _, _ *string) { r.Verifier = oidc.NewRound().Verifier },
		"no code":             func(_ *oidc.Round, _, code *string) { *code = "" },
		"a code of one's own": func(_ *oidc.Round, _, code *string) { *code = "abc" },
	}
	for name, change := range refused {
		r, state, code := begin()
		change(&r, &state, &code)
		if who, err := c.Finish(t.Context(), set, back, r, state, code); !errors.Is(err, oidc.ErrRefused) {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}

	wrong := &oidc.Client{Secret: func(context.Context) (string, error) { return "another", nil }}
	r, state, code = begin()
	if _, err := wrong.Finish(t.Context(), set, back, r, state, code); !errors.Is(err, oidc.ErrRefused) {
		t.Errorf("another client: %v", err)
	}
	set.Issuer = "http://127.0.0.1:1"
	if _, err := c.Begin(t.Context(), set, back, r); err == nil || errors.Is(err, oidc.ErrRefused) {
		t.Errorf("a provider that is down: %v", err)
	}
}
