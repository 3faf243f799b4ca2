package auth

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)

// hammer tries as often as the throttle lets it for a span, from the
// addresses in turn, and counts the attempts that were heard.
func hammer(th *throttle, login func(i int) string, from func(i int) string, span time.Duration) (heard int) {
	for now, i := t0, 0; now.Before(t0.Add(span)); i++ {
		wait := th.begin(login(i), from(i), now)
		if wait == 0 {
			heard++
			now = now.Add(50 * time.Millisecond) // the hash
			continue
		}
		now = now.Add(min(wait, 100*time.Millisecond))
	}
	return heard
}

func fixed(s string) func(int) string { return func(int) string { return s } }

func TestThrottleBoundsGuesses(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, c := range []struct {
		name        string
		login, from func(int) string
		most        int
	}{
		// 5 free, doubling to 15 min: about one each 10–15 min.
		{"one login, one address", fixed("a"), fixed("192.0.2.1"), 200},
		// A /64 is one address.
		{"one login, one IPv6 subscriber", fixed("a"), func(i int) string { return fmt.Sprintf("[2001:db8::%x]:80", i%65536) }, 200},
		// Spread over 1,000 addresses: one a minute.
		{"one login, many addresses", fixed("a"), func(i int) string { return fmt.Sprintf("10.0.%d.%d", i%1000/250, i%250) }, 1700},
		// One machine over many logins: one each 30 s at most in the long run.
		{"many logins, one address", func(i int) string { return fmt.Sprint("user", i) }, fixed("192.0.2.1"), 3000},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			heard := hammer(newThrottle(), c.login, c.from, day)
			t.Logf("%d guesses a day", heard)
			if heard > c.most {
				t.Errorf("%d guesses heard in a day, want at most %d", heard, c.most)
			}
		})
	}
}

// While a login is guessed at from everywhere, the person who has signed in
// from a place before is never made to wait there, and a newcomer waits a
// minute at most.
func TestThrottleDoesNotShutOut(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	th.begin("victim", "198.51.100.7", t0)
	th.succeed("victim", "198.51.100.7")
	heard := hammer(th, fixed("victim"), func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i/62500%250, i/250%250, i%250) }, time.Hour)
	now := t0.Add(time.Hour)
	if wait := th.begin("victim", "198.51.100.7", now); wait != 0 {
		t.Errorf("after %d guesses the victim waits %s at home", heard, wait)
	}
	if wait := th.begin("victim", "198.51.100.8", now); wait > time.Minute {
		t.Errorf("elsewhere the victim waits %s", wait)
	}
}

// A school signs in behind one address: mistakes of many people do not add up.
func TestThrottleIsLenientToASchool(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	now := t0
	for i := range 300 { // two mistakes each, then right, in the first twenty minutes of the day
		login := fmt.Sprint("teacher", i)
		for try := range 3 {
			if wait := th.begin(login, "192.0.2.1", now); wait > 4*time.Second {
				t.Fatalf("teacher %d waits %s", i, wait)
			} else if wait > 0 {
				now = now.Add(wait)
				continue
			}
			if try == 2 {
				th.succeed(login, "192.0.2.1")
			}
			now = now.Add(20 * time.Second)
		}
	}
}

// Whatever comes, memory stays bounded and a wait stays under the longest.
func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	for i := range 3 * maxTallies {
		th.begin(fmt.Sprint(i), fmt.Sprint("10.", i/65536, ".", i/256%256, ".", i%256), t0)
		th.succeed(fmt.Sprint(i), fmt.Sprint(i))
	}
	for name, k := range map[string]tallies{"pairs": th.pairs, "addresses": th.addresses, "logins": th.logins, "trusted": th.trusted} {
		if len(k.m) > maxTallies || k.lru.Len() != len(k.m) {
			t.Errorf("%s: %d entries, %d in order", name, len(k.m), k.lru.Len())
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		th := newThrottle()
		now := t0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Minute)).Draw(t, "pause")))
			login, from := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "login"), rapid.SampledFrom([]string{"::1", "192.0.2.1"}).Draw(t, "from")
			wait := th.begin(login, from, now)
			if wait < 0 || wait > 15*time.Minute {
				t.Fatalf("wait %s", wait)
			}
			if wait == 0 && rapid.Bool().Draw(t, "right") {
				th.succeed(login, from)
				if w := th.pairs.wait(keyOf("pair", login+"\x00"+addressKey(from)), now); w != 0 {
					t.Fatalf("after success the pair waits %s", w)
				}
			}
		}
	})
}

func TestAddressKey(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "pipe": "pipe", "": "",
	} {
		if got := addressKey(from); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
}
