package live

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Options tune one stream; zero values are right for production.
type Options struct {
	Heartbeat time.Duration // a sign of life and the reader's position, 20 s if 0
	Life      time.Duration // the stream ends after a while between Life and twice Life, 15 min if 0; the client comes back
	// Check is asked every minute whether the reader may still read; the stream
	// ends when it fails. (A changed account ends its streams at once anyway.)
	Check func(context.Context) error
}

const (
	// writeLimit is how long a client may take to accept what is written.
	writeLimit = 30 * time.Second
	checkEvery = time.Minute
	// calm is the least time between a resync and what follows it: the client
	// is reading everything again meanwhile.
	calm = 3 * time.Second
)

// Serve streams to one reader as server-sent events until the client leaves,
// the stream's life is over, or the hub stops. The reader resumes after its
// Last-Event-ID, or after the address's "after" parameter (the as_of of the
// page or answer that it has just read). An error means that nothing has been
// written yet.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, who Audience, opts Options) error {
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	sub, err := h.Subscribe(r.Context(), who, after)
	if err != nil {
		return err
	}
	defer sub.Close()
	s := &stream{hub: h, w: w, rc: http.NewResponseController(w)}
	s.open()
	if s.flush() != nil {
		return nil
	}
	s.run(r.Context(), sub, opts)
	return nil
}

func (s *stream) run(ctx context.Context, sub *Subscription, opts Options) {
	heartbeat := time.NewTicker(withDefault(opts.Heartbeat, 20*time.Second))
	defer heartbeat.Stop()
	life := withDefault(opts.Life, 15*time.Minute)
	end := time.NewTimer(life + rand.N(life))
	defer end.Stop()
	check := time.NewTicker(checkEvery)
	defer check.Stop()

	ready := sub.Ready()
	var quiet <-chan time.Time // while not nil, notices gather
	var buf []Notice
	for {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-heartbeat.C:
			s.beat(sub)
		case <-check.C:
			if opts.Check != nil && opts.Check(ctx) != nil {
				return
			}
			continue
		case <-quiet:
			quiet, ready = nil, sub.Ready()
			sub.signal()
			continue
		case <-ready:
			var open bool
			buf, open = sub.Take(buf[:0])
			for _, n := range buf {
				s.write(n)
				if n.Kind == Resync {
					quiet, ready = time.After(calm+rand.N(calm)), nil
				}
			}
			if !open {
				s.flush() //nolint:errcheck // the stream ends either way
				return
			}
		}
		if s.flush() != nil {
			return
		}
	}
}

func withDefault(d, usual time.Duration) time.Duration {
	if d <= 0 {
		return usual
	}
	return d
}

// stream writes server-sent events.
type stream struct {
	hub *Hub
	w   http.ResponseWriter
	rc  *http.ResponseController
	buf []byte
}

// open writes the headers and asks the client to come back after some seconds
// of its own, so that a thousand screens do not return together.
func (s *stream) open() {
	// The server's own limits are for requests that end.
	s.rc.SetReadDeadline(time.Time{}) //nolint:errcheck // where it is not supported there is none
	header := s.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would keep events back
	s.w.WriteHeader(http.StatusOK)
	s.buf = append(s.buf, "retry: "...)
	s.buf = strconv.AppendInt(s.buf, 1000+rand.Int64N(4000), 10)
	s.buf = append(s.buf, "\n\n"...)
}

func (s *stream) write(n Notice) {
	s.buf = append(s.buf, "id: "...)
	s.buf = append(s.buf, n.Pos.String()...)
	s.buf = append(s.buf, "\nevent: "...)
	s.buf = append(s.buf, n.Kind...)
	s.buf = append(s.buf, "\ndata: "...)
	s.buf = append(s.buf, n.Data...)
	s.buf = append(s.buf, "\n\n"...)
}

// beat is a comment, and moves the client's Last-Event-ID past what did not
// concern it, so that it does not have to be read back.
func (s *stream) beat(sub *Subscription) {
	s.buf = append(s.buf, ":\n"...)
	if pos, ok := sub.Position(); ok {
		s.buf = append(s.buf, "id: "...)
		s.buf = append(s.buf, pos.String()...)
		s.buf = append(s.buf, '\n')
	}
	s.buf = append(s.buf, '\n')
}

// flush sends what was written, within writeLimit.
func (s *stream) flush() error {
	// Set before and cleared after: a deadline left behind would end an idle
	// HTTP/2 stream.
	s.rc.SetWriteDeadline(s.hub.cfg.Clock().Add(writeLimit)) //nolint:errcheck // where it is not supported the connection's own limits hold
	_, err := s.w.Write(s.buf)
	if err == nil {
		err = s.rc.Flush()
	}
	s.rc.SetWriteDeadline(time.Time{}) //nolint:errcheck // as above
	s.buf = s.buf[:0]
	return err
}
