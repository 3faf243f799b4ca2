package client

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/api/wire"
)

func TestReaderParsesEvents(t *testing.T) {
	t.Parallel()
	const stream = "retry: 2500\n\n" +
		"id: 1\nevent: incident\ndata: {\"pos\":\"1\",\"kind\":\"incident.declared\",\ndata: \"incident\":7}\n\n" + // data on two lines
		":\nid: 4\n\n" + // a heartbeat moves the id
		"id: 5\nevent: gone\ndata: {\"incident\":7}\n\n" +
		"event: later\ndata: x\n\n" + // unknown: passed over
		"id: 6\r\nevent:resync\r\ndata:{}\r\n\r\n" + // no space, CRLF
		"id: 9\nevent: resync\ndata: {}\n" // cut short: not an event
	var got []Event
	r := reader{after: "0", fn: func(e Event) error { got = append(got, e); return nil }}
	if err := r.read(strings.NewReader(stream), func() {}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Change == nil || got[0].Change.Incident != 7 || got[0].ID != "1" || got[1].Gone == nil || got[1].ID != "5" || !got[2].Resync || got[2].ID != "6" {
		t.Errorf("events %+v", got)
	}
	if r.after != "6" || r.retry != 2500*time.Millisecond {
		t.Errorf("after %q, retry %s", r.after, r.retry)
	}
}

func TestReaderStops(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	r := reader{fn: func(Event) error { return enough }}
	if err := r.read(strings.NewReader("event: resync\ndata: {}\n\n"), func() {}); !errors.Is(err, enough) || !errors.Is(r.stopped, enough) {
		t.Errorf("error %v", err)
	}
	r = reader{fn: func(Event) error { return nil }}
	if err := r.read(strings.NewReader("event: incident\ndata: {\n\n"), func() {}); err == nil || r.stopped == nil {
		t.Error("an event that cannot be read is passed over")
	}
	for status, want := range map[int]bool{401: true, 403: true, 404: true, 429: false, 408: false, 500: false, 503: false} {
		if got := lasting(&wire.Problem{Status: status}); got != want {
			t.Errorf("lasting(%d) = %v", status, got)
		}
	}
}

// Whatever a server sends, cut wherever, the events are those of the whole.
func FuzzReader(f *testing.F) {
	f.Add("id: 1\nevent: resync\ndata: {}\n\nid: 2\nevent: gone\ndata: {\"incident\":3}\n\n", 9)
	f.Add("retry: x\n:c\n\ndata\n\n", 2)
	f.Fuzz(func(t *testing.T, stream string, cut int) {
		read := func(parts ...string) (ids []string, after string) {
			for _, part := range parts {
				r := reader{after: after, fn: func(e Event) error { ids = append(ids, e.ID); return nil }}
				r.read(strings.NewReader(part), func() {})
				after = r.after
				if r.stopped != nil {
					break
				}
			}
			return ids, after
		}
		whole, _ := read(stream)
		// Cut after a complete event: what follows goes on.
		marks := strings.SplitAfter(stream, "\n\n")
		if cut < 0 || len(marks) == 0 || strings.Contains(stream, "\r") {
			return
		}
		k := cut % len(marks)
		parts, _ := read(strings.Join(marks[:k], ""), strings.Join(marks[k:], ""))
		if !slices.Equal(whole, parts) {
			t.Errorf("whole %q, in two %q", whole, parts)
		}
	})
}
