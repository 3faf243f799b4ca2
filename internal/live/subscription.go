package live

import (
	"sync"

	"statincidents/internal/journal"
)

// Subscription is one reader's queue of notices.
type Subscription struct {
	hub      *Hub
	audience Audience
	joined   journal.Pos // the hub's position when it joined: set once
	wake     chan struct{}

	mu      sync.Mutex
	queue   []Notice
	skip    journal.Pos // already told, by another process
	lagging bool        // the queue overflowed: one resync stands for it
	last    journal.Pos // the last position pushed, or where it joined
	ended   bool
}

// Ready receives when Take has something to give or the subscription has ended.
func (s *Subscription) Ready() <-chan struct{} { return s.wake }

// Take gives the waiting notices, appended to buf, in order, and whether the
// subscription is still open.
func (s *Subscription) Take(buf []Notice) (notices []Notice, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lagging {
		s.lagging = false
		return append(buf, Notice{Pos: s.last, Kind: Resync, Data: []byte("{}")}), !s.ended
	}
	buf = append(buf, s.queue...)
	clear(s.queue)
	s.queue = s.queue[:0]
	return buf, !s.ended
}

// Position is the place up to which the subscriber knows everything that
// concerns it once it has taken all; ok is false while notices wait.
func (s *Subscription) Position() (pos journal.Pos, ok bool) {
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	pos = s.hub.pos
	if s.skip.Compare(pos) > 0 {
		pos = s.skip
	}
	return pos, !s.lagging && len(s.queue) == 0
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.remove(s)
	s.end()
}

func (s *Subscription) push(n Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Pos.Compare(s.skip) <= 0 {
		return
	}
	s.last = n.Pos
	switch {
	case s.lagging:
		return
	case len(s.queue) >= maxQueue:
		s.lag()
	default:
		s.queue = append(s.queue, n)
	}
	s.signal()
}

func (s *Subscription) resync(pos journal.Pos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = pos
	s.lag()
	s.signal()
}

func (s *Subscription) lag() {
	s.lagging = true
	s.queue = nil
}

// backlog is what a returning subscriber missed.
type backlog struct {
	notices []Notice
	skip    journal.Pos // told up to here by another process
	resync  bool        // too much, or unknown
}

// resume puts what was missed before what came meanwhile.
func (s *Subscription) resume(b backlog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skip = b.skip
	for len(s.queue) > 0 && s.queue[0].Pos.Compare(s.skip) <= 0 {
		s.queue = s.queue[1:]
	}
	switch {
	case b.resync || len(b.notices)+len(s.queue) > maxQueue:
		s.lag()
	case !s.lagging:
		s.queue = append(b.notices, s.queue...)
	}
	s.signal()
}

func (s *Subscription) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
