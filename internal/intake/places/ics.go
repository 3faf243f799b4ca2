package places

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
)

// maxICS bounds an iCalendar file, which is read whole.
const maxICS = 8 << 20

// peekICS tells whether a file is an iCalendar one.
func peekICS(in io.Reader) (io.Reader, bool, error) {
	buffered := bufio.NewReaderSize(in, 4096)
	head, err := buffered.Peek(1024)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("places: read: %w", err)
	}
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))
	return buffered, bytes.HasPrefix(bytes.ToUpper(head), []byte("BEGIN:VCALENDAR")), nil
}

// event is a whole-day event of a calendar, both days in it.
type event struct {
	name, place string
	first, last calendar.Day
}

// eachEvent calls fn for each event of a calendar; false from fn, or days that
// cannot be read, reject it. Events have no line: they are counted.
func eachEvent(in io.Reader, loc *time.Location, fn func(event) bool) (*Report, error) {
	raw, err := io.ReadAll(io.LimitReader(in, maxICS+1))
	if err != nil {
		return nil, fmt.Errorf("places: read: %w", err)
	}
	if len(raw) > maxICS {
		return nil, fault.New(fault.TooLarge, "places.error.ics_too_large", "limit", maxICS>>20)
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	if err != nil {
		return nil, &fault.Error{Code: fault.Invalid, Key: "places.error.ics", Err: err}
	}
	report := &Report{}
	for _, e := range cal.Events() {
		report.Rows++
		got, err := eventOf(e, loc)
		if err != nil || !fn(got) {
			report.reject(report.Rows, "VEVENT", text(e, ics.ComponentPropertySummary), "places.error.event")
		}
	}
	return report, nil
}

func text(e *ics.VEvent, p ics.ComponentProperty) string {
	property := e.GetProperty(p)
	if property == nil {
		return ""
	}
	return strings.Join(strings.Fields(property.Value), " ")
}

func eventOf(e *ics.VEvent, loc *time.Location) (event, error) {
	out := event{name: text(e, ics.ComponentPropertySummary), place: text(e, ics.ComponentPropertyLocation) + " " + text(e, ics.ComponentPropertyDescription)}
	var err error
	if out.first, err = icsDay(text(e, ics.ComponentPropertyDtStart), loc); err != nil {
		return out, err
	}
	end := text(e, ics.ComponentPropertyDtEnd)
	if end == "" {
		out.last = out.first
		return out, nil
	}
	out.last, err = icsDay(end, loc)
	out.last-- // DTEND is not in the event
	if out.last < out.first {
		out.last = out.first
	}
	return out, err
}

// icsDay reads a date (20251018), or the local day of an instant in UTC; an
// instant of another clock stands for its date.
func icsDay(s string, loc *time.Location) (calendar.Day, error) {
	if t, err := time.Parse("20060102T150405Z", s); err == nil {
		return calendar.DayOf(t, loc), nil
	}
	date, _, _ := strings.Cut(s, "T")
	t, err := time.Parse("20060102", date)
	if err != nil {
		return 0, fmt.Errorf("places: %q is not a date", s)
	}
	return calendar.Date(t.Date()), nil
}

var zoneInText = regexp.MustCompile(`(?i)zones? ([ABC](?:\s*[,/&+-]\s*[ABC])*)`)

func (h *holidayTaker) fromICS(in io.Reader) error {
	var err error
	skipped := 0
	h.report, err = eachEvent(in, h.loc, func(e event) bool {
		name, named := holidayName(zoneInText.ReplaceAllString(e.name, "")), false
		name = strings.Trim(name, " -–:,()")
		for _, m := range zoneInText.FindAllStringSubmatch(e.name+" "+e.place, -1) {
			for _, letter := range strings.ToUpper(m[1]) {
				zone := string(letter)
				if letter < 'A' || letter > 'C' {
					continue
				}
				named = true
				if !slices.Contains(h.zones, zone) {
					skipped++
					continue
				}
				if name == "" || !h.add(directory.HolidayPeriod{Zone: zone, First: e.first, Last: e.last, Name: name}) {
					return false
				}
			}
		}
		if named {
			return true
		}
		return name != "" && h.add(directory.HolidayPeriod{Zone: h.zones[0], First: e.first, Last: e.last, Name: name})
	})
	if h.report != nil {
		h.report.Skipped = skipped
	}
	return err
}
