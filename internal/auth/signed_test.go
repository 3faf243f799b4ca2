package auth_test

import (
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func TestSignedLink(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		now := time.Unix(1_800_000_000, 0)
		s := auth.NewSigner(db, tenant)
		sign := func(purpose, payload string, until time.Time) string {
			t.Helper()
			link, err := s.Sign(t.Context(), purpose, payload, until)
			if err != nil {
				t.Fatal(err)
			}
			return link
		}
		link := sign("room", "12", now.Add(time.Hour))
		if got, err := auth.NewSigner(db, tenant).Open(t.Context(), "room", link, now); err != nil || got != "12" {
			t.Errorf("another server reads %q, %v", got, err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(link)
		if err != nil {
			t.Fatal(err)
		}
		refused := map[string]struct {
			purpose, link, key string
			at                 time.Time
		}{
			"for another purpose": {"answer", link, "error.link.unknown", now},
			"after its end":       {"room", link, "error.link.expired", now.Add(2 * time.Hour)},
			"cut":                 {"room", link[:len(link)-2], "error.link.unknown", now},
			"nothing":             {"room", "", "error.link.unknown", now},
			"not base64":          {"room", "é" + link, "error.link.unknown", now},
			"too long":            {"room", strings.Repeat("A", 5000), "error.link.unknown", now},
		}
		for k := range raw {
			changed := append([]byte(nil), raw...)
			changed[k] ^= 1
			refused["byte "+string(rune('a'+k))] = struct {
				purpose, link, key string
				at                 time.Time
			}{"room", base64.RawURLEncoding.EncodeToString(changed), "error.link.unknown", now}
		}
		for name, c := range refused {
			_, err := s.Open(t.Context(), c.purpose, c.link, c.at)
			if !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), c.key) {
				t.Errorf("%s: told %v", name, err)
			}
		}
		if got, err := s.Open(t.Context(), "room", sign("room", "", time.Time{}), now.AddDate(100, 0, 0)); err != nil || got != "" {
			t.Errorf("an endless link without payload: %q, %v", got, err)
		}
		if _, err := s.Sign(t.Context(), "room", strings.Repeat("x", 2000), time.Time{}); err == nil {
			t.Error("a payload of any length was signed")
		}
	})
}

func TestServersShareOneSigningKey(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		links := make([]string, 8)
		var wg sync.WaitGroup
		for k := range links {
			wg.Go(func() {
				var err error
				if links[k], err = auth.NewSigner(db, tenant).Sign(t.Context(), "p", "x", time.Time{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, l := range links {
			if l != links[0] {
				t.Fatalf("two keys: %s and %s", l, links[0])
			}
		}
	})
}
