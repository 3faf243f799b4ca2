package auth

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestPasswordHash(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := newHasher()
	stored, err := h.hash(ctx, "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || outdated(stored) {
		t.Errorf("stored %s", stored)
	}
	// The reference implementation's answer for "password" and "somesalt" with
	// other parameters (the tests of phc-winner-argon2).
	const reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, c := range []struct {
		name, stored, password string
		want                   bool
	}{
		{"right", stored, "correct horse battery", true},
		{"wrong", stored, "correct horse batterz", false},
		{"empty", stored, "", false},
		{"far too long", stored, strings.Repeat("é", 100_000), false},
		{"other parameters", reference, "password", true},
		{"no account", "", "correct horse battery", false},
	} {
		got, err := h.verify(ctx, c.stored, c.password)
		if err != nil || got != c.want {
			t.Errorf("%s: %v %v", c.name, got, err)
		}
	}
	if !outdated(reference) {
		t.Error("other parameters are not outdated")
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65", "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"} {
		if ok, err := h.verify(ctx, bad, "password"); ok || err == nil {
			t.Errorf("%s: %v %v", bad, ok, err)
		}
	}
}

// More sign-ins than the queue holds are told to come back, and a caller who
// leaves the queue gives its place back.
func TestHasherIsBounded(t *testing.T) {
	t.Parallel()
	h := newHasher()
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	results := make(chan error, maxWaiting)
	for range maxWaiting {
		go func() {
			_, err := h.hash(ctx, "x")
			results <- err
		}()
	}
	for h.waiting.Load() < maxWaiting {
		time.Sleep(time.Millisecond)
	}
	if _, err := h.hash(context.Background(), "x"); err == nil || !strings.HasPrefix(err.Error(), "too_many") {
		t.Errorf("error %v", err)
	}
	cancel()
	for range maxWaiting {
		if err := <-results; err == nil {
			t.Error("a cancelled caller got a hash")
		}
	}
	if n := h.waiting.Load(); n != 0 {
		t.Errorf("%d still waiting", n)
	}
}

func BenchmarkPasswordHash(b *testing.B) {
	for b.Loop() {
		phc("correct horse battery")
	}
}
