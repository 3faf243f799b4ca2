// Package live tells screens what happens, as it happens: a Hub follows the
// journal once per process and hands each incident event to the subscribers
// whose scope reaches it, as server-sent events (Serve).
//
// A subscriber sees an event's content if the incident is in its scope now. A
// subscriber that saw the incident before the event, or at its time, and no
// longer does is told only that it is gone. Whoever cannot keep up, or comes
// back after too long, is told to read again ("resync") instead of being sent
// everything: memory is bounded whatever the clients do.
package live

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
)

// Limits of the hub.
const (
	// maxQueue is how many notices wait for one subscriber before it is told
	// to read again.
	maxQueue = 128
	// maxBurst is how many incident events of one batch are told one by one;
	// past it (an import) everybody is told to read again.
	maxBurst = 200
	// maxResume is how many events are read back for a returning subscriber.
	maxResume = 1000
	// What can be asked of one process: in all, by an account that sees the
	// whole département (whose wall screens and load tests share a token), and
	// by any other.
	maxSubscribers = 20_000
	maxPerStaff    = 5_000
	maxPerAccount  = 64
)

// Incidents tells how incidents stand now (incident.Service).
type Incidents interface {
	Many(ctx context.Context, scope auth.Scope, ids []int64) ([]incident.Incident, error)
}

// Config is what a hub needs.
type Config struct {
	Tenant    int64
	Journal   *journal.Journal
	Incidents Incidents
	Clock     func() time.Time // for write deadlines
	Log       *slog.Logger     // discarded if nil
}

// Hub fans the journal out to the subscribers of one process.
type Hub struct {
	cfg   Config
	ready chan struct{} // closed once the hub knows where it starts

	mu        sync.RWMutex
	pos       journal.Pos // everything up to here has been handed out
	audiences map[string]*audience
	count     int
	accounts  map[int64]int
}

// audience is the subscribers who see the same.
type audience struct {
	Audience

	subs map[*Subscription]struct{}
}

// Audience says what a subscriber may see, and who it is.
type Audience struct {
	Scope    auth.Scope
	Internal bool  // sees the unit's internal comments
	Account  int64 // whose streams end when the account changes; 0 if nobody's
}

// AudienceOf is the audience of an identity.
func AudienceOf(id auth.Identity) Audience {
	return Audience{Scope: id.Scope(), Internal: id.Can(auth.HandleIncident), Account: id.Account}
}

// key is the same for audiences that see the same.
func (a Audience) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%t", a.Internal)
	if a.Scope.All() {
		b.WriteString(" all")
	}
	if person, ok := a.Scope.Own(); ok {
		fmt.Fprintf(&b, " own %d", person)
	}
	if schools, ok := a.Scope.Schools(); ok {
		fmt.Fprintf(&b, " schools %v", schools)
	}
	return b.String()
}

// New makes a hub; Run makes it live.
func New(cfg Config) *Hub {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Hub{cfg: cfg, ready: make(chan struct{}), audiences: map[string]*audience{}, accounts: map[int64]int{}}
}

// Run follows the journal until ctx ends, starting again after a failure of
// the database, and then ends every subscription.
func (h *Hub) Run(ctx context.Context) error {
	defer h.endAll()
	started := false
	for ctx.Err() == nil {
		err := h.follow(ctx, &started)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		h.cfg.Log.Error("live: follow the journal", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (h *Hub) follow(ctx context.Context, started *bool) error {
	if !*started {
		head, err := h.cfg.Journal.Head(ctx, h.cfg.Tenant)
		if err != nil {
			return err
		}
		h.mu.Lock()
		h.pos = head
		h.mu.Unlock()
		*started = true
		close(h.ready)
	}
	return h.cfg.Journal.Follow(ctx, h.cfg.Tenant, h.Position(), h.publish)
}

// Position is the place up to which everything has been handed out.
func (h *Hub) Position() journal.Pos {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.pos
}

// Subscribers counts the open subscriptions, for metrics.
func (h *Hub) Subscribers() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.count
}

// publish hands a batch of events to whoever may see them.
func (h *Hub) publish(ctx context.Context, events []journal.Event) error {
	last := events[len(events)-1].Pos
	h.mu.RLock()
	nobody := h.count == 0
	h.mu.RUnlock()
	var told []*telling
	burst := false
	if !nobody {
		var err error
		if told, burst, err = h.prepare(ctx, events, maxBurst); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	// Whoever joined while nothing was being prepared must not miss the batch.
	burst = burst || nobody && h.count > 0
	for _, a := range h.audiences {
		if burst {
			for s := range a.subs {
				s.resync(last)
			}
		}
		for _, t := range told {
			n, ok := t.notice(a.Audience)
			if !ok {
				continue
			}
			for s := range a.subs {
				s.push(n)
			}
		}
	}
	h.pos = last
	for i := range events {
		if events[i].Subject.Kind == auth.Subject {
			h.dropLocked(events[i].Subject.ID)
		}
	}
	return nil
}

// prepare reads what is needed to judge and tell the events of incidents and their clocks among
// events. More than limit are a burst: nothing is prepared.
func (h *Hub) prepare(ctx context.Context, events []journal.Event, limit int) (told []*telling, burst bool, err error) {
	var ids []int64
	for i := range events {
		if e := &events[i]; e.Subject.Kind == incident.Subject || slices.Contains(clockEvents, e.Kind) || e.Kind == signalEvent {
			t, err := newTelling(e)
			if err != nil {
				// An event that cannot be read is not worth stopping for: the
				// incident's page will say what is wrong.
				h.cfg.Log.Error("live: event", "pos", e.Pos.String(), "error", err)
				continue
			}
			told = append(told, t)
			if t.sight == nil {
				ids = append(ids, e.Subject.ID)
			}
		}
	}
	if len(told) > limit {
		return nil, true, nil
	}
	if len(told) == 0 {
		return nil, false, nil
	}
	slices.Sort(ids)
	now, err := h.cfg.Incidents.Many(ctx, auth.ScopeAll(h.cfg.Tenant), slices.Compact(ids))
	if err != nil {
		return nil, false, err
	}
	for _, t := range told {
		if t.sight != nil {
			continue
		}
		if i, ok := slices.BinarySearchFunc(now, t.event.Subject.ID, func(i incident.Incident, id int64) int { return cmp.Compare(i.ID, id) }); ok {
			t.now = place{now[i].School, now[i].Declarant, now[i].Affected, true}
			t.version = now[i].Version
		}
	}
	return told, false, nil
}

// Subscribe opens a subscription. After is the last position that the
// subscriber has seen ("" for a new one, which is told what happens from now
// on): what it missed comes first, or a resync if that is too much or unknown.
func (h *Hub) Subscribe(ctx context.Context, who Audience, after string) (*Subscription, error) {
	if who.Scope.Tenant() != h.cfg.Tenant || who.Scope.Nothing() {
		return nil, fault.New(fault.Forbidden, "error.forbidden")
	}
	select {
	case <-h.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s := &Subscription{hub: h, audience: who, wake: make(chan struct{}, 1)}
	if err := h.add(s); err != nil {
		return nil, err
	}
	if after == "" {
		return s, nil
	}
	missed, err := h.missed(ctx, who, after, s.joined)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.resume(missed)
	return s, nil
}

func (h *Hub) add(s *Subscription) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count >= maxSubscribers {
		return fault.New(fault.Unavailable, "error.unavailable", "seconds", 30)
	}
	most := maxPerAccount
	if s.audience.Scope.All() {
		most = maxPerStaff
	}
	if s.audience.Account != 0 && h.accounts[s.audience.Account] >= most {
		return fault.New(fault.TooMany, "error.too_many", "seconds", 30)
	}
	k := s.audience.key()
	a := h.audiences[k]
	if a == nil {
		a = &audience{Audience: s.audience, subs: map[*Subscription]struct{}{}}
		h.audiences[k] = a
	}
	a.subs[s] = struct{}{}
	h.count++
	h.accounts[s.audience.Account]++
	// From here on publish hands everything after pos to s.
	s.joined, s.last = h.pos, h.pos
	return nil
}

// missed gives the notices between a subscriber's last position and the place
// where it joined the live ones.
func (h *Hub) missed(ctx context.Context, who Audience, after string, joined journal.Pos) (backlog, error) {
	pos, err := journal.ParsePos(after)
	if err != nil || pos.Compare(joined) > 0 && h.beyond(ctx, pos) {
		return backlog{resync: true}, nil
	}
	if pos.Compare(joined) >= 0 { // another process of this installation is ahead of this one
		return backlog{skip: pos}, nil
	}
	events, err := h.cfg.Journal.Read(ctx, h.cfg.Tenant, pos, maxResume+1)
	if err != nil {
		return backlog{}, err
	}
	if i := slices.IndexFunc(events, func(e journal.Event) bool { return e.Pos.Compare(joined) > 0 }); i >= 0 {
		events = events[:i] // these come, or came, live
	}
	if len(events) > maxResume {
		return backlog{resync: true}, nil
	}
	told, _, err := h.prepare(ctx, events, maxResume)
	if err != nil {
		return backlog{}, err
	}
	var b backlog
	for _, t := range told {
		if n, ok := t.notice(who); ok {
			b.notices = append(b.notices, n)
		}
	}
	return b, nil
}

// beyond tells whether a position is past the journal's end: it comes from
// another database, or from before a restoration.
func (h *Hub) beyond(ctx context.Context, pos journal.Pos) bool {
	head, err := h.cfg.Journal.Head(ctx, h.cfg.Tenant)
	return err != nil || pos.Compare(head) > 0
}

// remove forgets a subscription.
func (h *Hub) remove(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.removeLocked(s)
}

func (h *Hub) removeLocked(s *Subscription) {
	k := s.audience.key()
	a := h.audiences[k]
	if a == nil {
		return
	}
	if _, ok := a.subs[s]; !ok {
		return
	}
	delete(a.subs, s)
	if len(a.subs) == 0 {
		delete(h.audiences, k)
	}
	h.count--
	if h.accounts[s.audience.Account]--; h.accounts[s.audience.Account] == 0 {
		delete(h.accounts, s.audience.Account)
	}
}

// dropLocked ends the subscriptions of an account: the client comes back and is
// judged anew.
func (h *Hub) dropLocked(account int64) {
	if h.accounts[account] == 0 || account == 0 {
		return
	}
	for _, a := range h.audiences {
		for s := range a.subs {
			if s.audience.Account == account {
				h.removeLocked(s)
				s.end()
			}
		}
	}
}

func (h *Hub) endAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.audiences {
		for s := range a.subs {
			h.removeLocked(s)
			s.end()
		}
	}
}
