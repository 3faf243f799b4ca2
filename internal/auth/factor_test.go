package auth_test

import (
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// code is what a telephone shows, some steps of 30 s from now.
func code(t *testing.T, secret string, steps int) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, sqldb.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSecondFactor(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		a := b.create(t, auth.NewAccount{Login: "chef", Role: auth.Administrator})
		who, err := b.Authenticate(t.Context(), "chef", good, "192.0.2.1")
		if err != nil || who.Factor || who.MustFactor {
			t.Fatalf("%+v, %v", who, err)
		}
		draft, err := b.DraftFactor(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := b.DraftFactor(t.Context(), who); err != nil || again.Secret != draft.Secret {
			t.Errorf("the page shown again has another secret: %v", err)
		}
		if _, err := b.ConfirmFactor(t.Context(), who, "000000"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a wrong code confirmed: %v", err)
		}
		if err := b.CheckFactor(t.Context(), who, code(t, draft.Secret, 0), "192.0.2.1"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a factor that was not confirmed counts: %v", err)
		}
		used := code(t, draft.Secret, -1)
		recovery, err := b.ConfirmFactor(t.Context(), who, used[:3]+" "+used[3:])
		if err != nil || len(recovery) != 10 {
			t.Fatalf("%d recovery codes, %v", len(recovery), err)
		}
		if who, err = b.Authenticate(t.Context(), "chef", good, "192.0.2.1"); err != nil || !who.Factor {
			t.Errorf("%+v, %v", who, err)
		}
		now := code(t, draft.Secret, 0)
		steps := []struct {
			name, code string
			ok         bool
		}{
			{"the code that confirmed", used, false},
			{"a recovery code, badly copied", " " + recovery[3][:9] + recovery[3][10:], true},
			{"the same recovery code", recovery[3], false},
			{"the present code", now, true},
			{"the present code again", now, false},
			{"nothing", "", false},
			{"too long", now + now, false},
		}
		for _, s := range steps {
			if err := b.CheckFactor(t.Context(), who, s.code, "192.0.2.2"); (err == nil) != s.ok {
				t.Errorf("%s: told %v", s.name, err)
			}
		}
		if f, err := b.FactorOf(t.Context(), who, a.ID); err != nil || f.Recovery != 9 || f.Since.IsZero() {
			t.Errorf("%+v, %v", f, err)
		}

		if err := b.SaveSettings(t.Context(), system, auth.Settings{FactorRoles: []auth.Role{auth.Administrator}}, nil); err != nil {
			t.Fatal(err)
		}
		if err := b.RemoveFactor(t.Context(), who, code(t, draft.Secret, 1)); !fault.Is(err, fault.Conflict) {
			t.Errorf("a required factor was removed: %v", err)
		}
		if err := b.ResetFactor(t.Context(), system, a.ID); err != nil {
			t.Fatal(err)
		}
		if who, err = b.Authenticate(t.Context(), "chef", good, "192.0.2.1"); err != nil || who.Factor || !who.MustFactor {
			t.Errorf("after the reset: %+v, %v", who, err)
		}
		if err := b.CheckFactor(t.Context(), who, recovery[5], "192.0.2.3"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a recovery code of the former factor: %v", err)
		}
	})
}

func TestGuessingCodesIsThrottled(t *testing.T) {
	each(t, auth.Config{}, func(t *testing.T, b bundle) {
		b.create(t, auth.NewAccount{Login: "chef", Role: auth.Administrator})
		who, err := b.Authenticate(t.Context(), "chef", good, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		for k := range 20 {
			err = b.CheckFactor(t.Context(), who, "123456", "192.0.2.1")
			if fault.Is(err, fault.TooMany) {
				if k < 3 {
					t.Errorf("throttled after %d", k)
				}
				return
			}
		}
		t.Errorf("twenty guesses: told %v", err)
	})
}
