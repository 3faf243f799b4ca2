package visit

import (
	"fmt"
	"strings"

	ics "github.com/arran4/golang-ical"
)

// CalendarEntry is a visit in the words of a calendar.
type CalendarEntry struct {
	Visit       Visit
	Summary     string
	Place       string
	Description string
	Address     string // of the visit's page
}

// UID names a visit in every calendar, for ever.
func UID(tenant, id int64) string { return fmt.Sprintf("visit-%d-%d@statincidents", tenant, id) }

// Calendar writes visits as iCalendar (RFC 5545): lines folded at 75 octets,
// texts escaped, instants in UTC. A cancelled visit stays, as cancelled.
func Calendar(tenant int64, name string, entries []CalendarEntry) []byte {
	cal := ics.NewCalendarFor("Stat Incidents")
	cal.SetProductId("-//Stat Incidents//visits//FR")
	cal.SetMethod(ics.MethodPublish)
	cal.SetVersion("2.0")
	cal.SetCalscale("GREGORIAN")
	cal.SetXWRCalName(name)
	cal.SetName(name)
	cal.SetRefreshInterval("PT30M", ics.WithValue("DURATION"))
	cal.SetXPublishedTTL("PT30M")
	for _, e := range entries {
		v := e.Visit
		event := cal.AddEvent(UID(tenant, v.ID))
		event.SetDtStampTime(v.UpdatedAt.UTC())
		event.SetModifiedAt(v.UpdatedAt.UTC())
		event.SetSequence(v.Sequence)
		event.SetStartAt(v.Start.UTC())
		event.SetEndAt(v.End().UTC())
		event.SetSummary(plainText(e.Summary))
		if e.Place != "" {
			event.SetLocation(plainText(e.Place))
		}
		if e.Description != "" {
			event.SetDescription(plainText(e.Description))
		}
		if e.Address != "" {
			event.SetURL(e.Address)
		}
		switch v.State {
		case Cancelled:
			event.SetStatus(ics.ObjectStatusCancelled)
			event.SetTimeTransparency(ics.TransparencyTransparent)
		case Planned, Started, Done:
			event.SetStatus(ics.ObjectStatusConfirmed)
			event.SetTimeTransparency(ics.TransparencyOpaque)
		}
	}
	return []byte(cal.Serialize(ics.WithNewLineWindows))
}

// plainText leaves out what no calendar shows.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
