package auth

import (
	"container/list"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// throttle slows password guessing down. Three tallies are kept, each of which
// may refuse an attempt until some instant:
//
//   - of a login from one address: a person who mistypes, or a guesser;
//   - of an address (an IPv6 /64): one machine trying many logins. It is
//     lenient, a whole school stands behind one address;
//   - of a login from everywhere: guessing spread over many addresses. Its
//     delay stays short, so that a stranger cannot shut somebody out, and an
//     address from which that login has succeeded before is exempt from it.
//
// Past its free attempts a tally doubles the delay with each failure up to a
// limit, and forgets one failure per decay. An attempt counts as failed from
// its beginning, so that a hundred at once are not a hundred for free; success
// takes it back. Tallies live in memory, the least recently used of a kind
// being forgotten past maxTallies; each process of an installation counts its own.
type throttle struct {
	mu        sync.Mutex
	pairs     tallies
	addresses tallies
	logins    tallies
	trusted   tallies // pairs that have succeeded
}

type limit struct {
	free  int
	first time.Duration
	most  time.Duration
	decay time.Duration
}

var (
	pairLimit    = limit{free: 5, first: time.Second, most: 15 * time.Minute, decay: 10 * time.Minute}
	addressLimit = limit{free: 40, first: time.Second, most: 15 * time.Minute, decay: 30 * time.Second}
	loginLimit   = limit{free: 20, first: time.Second, most: time.Minute, decay: time.Minute}
)

const maxTallies = 20_000

func newThrottle() *throttle {
	return &throttle{pairs: newTallies(), addresses: newTallies(), logins: newTallies(), trusted: newTallies()}
}

// begin notes an attempt; wait is how long the caller must wait before the
// next one, 0 if this one may go on.
func (t *throttle) begin(login, from string, now time.Time) (wait time.Duration) {
	l, a, p := keyOf("login", login), keyOf("address", addressKey(from)), keyOf("pair", login+"\x00"+addressKey(from))
	t.mu.Lock()
	defer t.mu.Unlock()
	wait = max(t.pairs.wait(p, now), t.addresses.wait(a, now))
	known := t.trusted.get(p) != nil
	if !known {
		wait = max(wait, t.logins.wait(l, now))
	}
	if wait > 0 {
		return wait
	}
	t.pairs.fail(p, pairLimit, now)
	t.addresses.fail(a, addressLimit, now)
	if !known {
		t.logins.fail(l, loginLimit, now)
	}
	return 0
}

// succeed takes the attempt back. The address's other failures stay: one good
// account must not pay for guesses at others.
func (t *throttle) succeed(login, from string) {
	l, a, p := keyOf("login", login), keyOf("address", addressKey(from)), keyOf("pair", login+"\x00"+addressKey(from))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pairs.drop(p)
	t.logins.undo(l)
	t.addresses.undo(a)
	t.trusted.touch(p)
}

type key [16]byte

func keyOf(kind, s string) key {
	sum := sha256.Sum256([]byte(kind + "\x00" + s))
	return key(sum[:16])
}

// AddressKey groups the addresses that one subscriber has, for what is counted
// by address: an IPv6 /64, an IPv4 address.
func AddressKey(from string) string { return addressKey(from) }

// addressKey groups the addresses that one subscriber has: an IPv6 /64, an
// IPv4 address.
func addressKey(from string) string {
	ap, err := netip.ParseAddrPort(from)
	addr := ap.Addr()
	if err != nil {
		if addr, err = netip.ParseAddr(from); err != nil {
			return from
		}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}

type tally struct {
	key      key
	failures int
	since    time.Time // from when on the next failure to forget is counted
	until    time.Time // no attempt before
}

// tallies is a map that forgets its least recently used entry.
type tallies struct {
	m   map[key]*list.Element
	lru *list.List // of *tally, most recent first
}

func newTallies() tallies { return tallies{m: map[key]*list.Element{}, lru: list.New()} }

func (t *tallies) get(k key) *tally {
	if e := t.m[k]; e != nil {
		return e.Value.(*tally) //nolint:forcetypeassert // the list holds nothing else
	}
	return nil
}

func (t *tallies) touch(k key) *tally {
	if e := t.m[k]; e != nil {
		t.lru.MoveToFront(e)
		return e.Value.(*tally) //nolint:forcetypeassert // the list holds nothing else
	}
	if t.lru.Len() >= maxTallies {
		oldest := t.lru.Back()
		delete(t.m, oldest.Value.(*tally).key) //nolint:forcetypeassert // the list holds nothing else
		t.lru.Remove(oldest)
	}
	entry := &tally{key: k}
	t.m[k] = t.lru.PushFront(entry)
	return entry
}

func (t *tallies) drop(k key) {
	if e := t.m[k]; e != nil {
		t.lru.Remove(e)
		delete(t.m, k)
	}
}

func (t *tallies) wait(k key, now time.Time) time.Duration {
	if entry := t.get(k); entry != nil {
		return max(0, entry.until.Sub(now))
	}
	return 0
}

func (t *tallies) fail(k key, l limit, now time.Time) {
	entry := t.touch(k)
	if entry.failures > 0 {
		forgotten := int(now.Sub(entry.since) / l.decay)
		entry.failures = max(0, entry.failures-forgotten)
		entry.since = entry.since.Add(time.Duration(forgotten) * l.decay)
	}
	if entry.failures == 0 {
		entry.since = now
	}
	entry.failures++
	if over := entry.failures - l.free; over >= 0 {
		entry.until = now.Add(min(l.most, l.first<<min(over, 20)))
	}
}

func (t *tallies) undo(k key) {
	if entry := t.get(k); entry != nil {
		entry.failures = max(0, entry.failures-1)
		entry.until = time.Time{}
	}
}
