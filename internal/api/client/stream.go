package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/api/wire"
)

// Event is one thing that the stream tells: exactly one of Change and Gone is
// set, or Resync is true (read again what you show).
type Event struct {
	ID     string // what to give as after to go on from here
	Change *wire.Change
	Gone   *wire.Departure
	Resync bool
}

// silence is how long a stream may say nothing: heartbeats come every 20 s.
const silence = time.Minute

// Stream gives what happens to incidents, after a place ("" for from now on;
// else an answer's as_of or an event's ID), until ctx ends or fn returns an
// error, which it returns. A connection that ends or breaks is resumed without
// loss or duplicate; a refusal that trying again would not change is returned.
func (c *Client) Stream(ctx context.Context, after string, fn func(Event) error) error {
	failures := 0
	retry := time.Second
	for {
		r := reader{after: after, retry: retry, fn: fn}
		err := c.follow(ctx, &r)
		after, retry = r.after, r.retry
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case r.stopped != nil:
			return r.stopped
		case lasting(err):
			return err
		}
		if failures++; r.heard {
			failures = 0
		}
		// The server's own pause, doubled with each failure up to a minute.
		pause := min(time.Minute, retry<<min(failures, 6))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause/2 + mathrand.N(pause/2+1)):
		}
	}
}

// lasting tells whether trying again would give the same refusal.
func lasting(err error) bool {
	p, ok := errors.AsType[*wire.Problem](err)
	return ok && p.Status >= 400 && p.Status < 500 && p.Status != http.StatusTooManyRequests && p.Status != http.StatusRequestTimeout
}

// follow reads one connection to its end.
func (c *Client) follow(ctx context.Context, r *reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A connection that has died without a word is closed.
	quiet := time.AfterFunc(silence, cancel)
	defer quiet.Stop()
	query := url.Values{}
	if r.after != "" {
		query.Set("after", r.after)
	}
	res, err := c.send(ctx, call{method: http.MethodGet, path: "stream", query: query}, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return refusal(res)
	}
	return r.read(res.Body, func() { quiet.Reset(silence) })
}

// reader parses server-sent events.
type reader struct {
	after   string
	retry   time.Duration
	fn      func(Event) error
	heard   bool  // something came
	stopped error // what fn returned, or an event that cannot be read
}

// maxEvent bounds one line of the stream.
const maxEvent = 16 << 20

// read parses a stream to its end, as the HTML standard says.
func (r *reader) read(body io.Reader, alive func()) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 4096), maxEvent)
	var id, event string
	var data strings.Builder
	id = r.after
	for lines.Scan() {
		alive()
		r.heard = true
		line := lines.Text()
		if line == "" {
			r.after = id
			if data.Len() > 0 {
				if err := r.dispatch(id, event, strings.TrimSuffix(data.String(), "\n")); err != nil {
					return err
				}
			}
			event = ""
			data.Reset()
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			data.WriteString(value)
			data.WriteByte('\n')
		case "retry":
			if ms, err := strconv.Atoi(value); err == nil && ms >= 0 && ms < 3_600_000 {
				r.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
	return lines.Err()
}

func (r *reader) dispatch(id, event, data string) error {
	e := Event{ID: id}
	switch event {
	case "incident":
		e.Change = &wire.Change{}
		if err := json.Unmarshal([]byte(data), e.Change); err != nil {
			r.stopped = fmt.Errorf("client: event %s: %w", id, err)
			return r.stopped
		}
	case "gone":
		e.Gone = &wire.Departure{}
		if err := json.Unmarshal([]byte(data), e.Gone); err != nil {
			r.stopped = fmt.Errorf("client: event %s: %w", id, err)
			return r.stopped
		}
	case "resync":
		e.Resync = true
	default:
		return nil // an event of a later version
	}
	r.stopped = r.fn(e)
	return r.stopped
}
