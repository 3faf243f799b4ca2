package parse

import (
	"bytes"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// Invitation is the first event of a calendar that came with a message.
type Invitation struct {
	Summary  string
	Place    string
	Begin    time.Time // zero if it cannot be read
	End      time.Time
	WholeDay bool
	Floating bool // no time zone was said: Begin and End are clock times, told in UTC
	Cancel   bool // the event is called off
}

// calendar reads an invitation and says it in words; the file is kept too.
func (r *reader) calendar(h header, params map[string]string, body []byte, name string) {
	content := r.decode(h, body)
	text, ok := decodeCharset(params["charset"], content)
	if !ok {
		r.m.flaw(FlawCharset)
	}
	if inv := Invite(text); inv != nil && r.m.Invitation == nil {
		r.m.Invitation = inv
	}
	if name == "" {
		name = "invitation.ics"
	}
	if len(r.m.Files) < MaxFiles {
		r.m.Files = append(r.m.Files, File{Name: name, Type: "text/calendar", Content: content})
	}
}

// Invite reads the first event of an iCalendar text; nil if there is none.
func Invite(text string) *Invitation {
	if len(text) > maxCalendar {
		return nil
	}
	cal, err := ics.ParseCalendar(bytes.NewReader([]byte(strings.TrimPrefix(text, "\ufeff"))))
	if err != nil || cal == nil {
		return nil
	}
	events := cal.Events()
	if len(events) == 0 {
		return nil
	}
	e := events[0]
	inv := &Invitation{Summary: property(e, ics.ComponentPropertySummary), Place: property(e, ics.ComponentPropertyLocation)}
	var floating bool
	inv.Begin, inv.WholeDay, inv.Floating = moment(e.GetProperty(ics.ComponentPropertyDtStart))
	inv.End, _, floating = moment(e.GetProperty(ics.ComponentPropertyDtEnd))
	inv.Floating = inv.Floating || floating
	for _, p := range cal.CalendarProperties {
		if strings.EqualFold(p.IANAToken, "METHOD") && strings.EqualFold(p.Value, "CANCEL") {
			inv.Cancel = true
		}
	}
	if inv.Summary == "" && inv.Begin.IsZero() {
		return nil
	}
	return inv
}

func property(e *ics.VEvent, name ics.ComponentProperty) string {
	p := e.GetProperty(name)
	if p == nil {
		return ""
	}
	return shorten(line(ics.FromText(p.Value)), 500)
}

// moment reads an instant. Time zones by their IANA name are known; others
// (those of Windows) are told as the clock times that they are.
func moment(p *ics.IANAProperty) (at time.Time, wholeDay, floating bool) {
	if p == nil {
		return time.Time{}, false, false
	}
	value := strings.TrimSpace(p.Value)
	if t, err := time.Parse("20060102", value); err == nil {
		return t, true, true
	}
	if t, err := time.Parse("20060102T150405Z", value); err == nil {
		return t, false, false
	}
	if ids := p.ICalParameters["TZID"]; len(ids) > 0 && !strings.ContainsAny(ids[0], `\.`) {
		if loc, err := time.LoadLocation(ids[0]); err == nil && ids[0] != "Local" {
			if t, err := time.ParseInLocation("20060102T150405", value, loc); err == nil {
				return t, false, false
			}
		}
	}
	t, err := time.Parse("20060102T150405", value)
	if err != nil {
		return time.Time{}, false, false
	}
	return t, false, true
}

// Text says the event in French, the language of those who read it first, at
// the clocks of a place.
func (i *Invitation) Text(loc *time.Location) string {
	var b strings.Builder
	b.WriteString("Invitation")
	if i.Cancel {
		b.WriteString(" annulée")
	}
	b.WriteString(" : " + i.Summary)
	begin, end, form := i.Begin, i.End, "02/01/2006 15:04"
	if !i.Floating && loc != nil {
		begin, end = begin.In(loc), end.In(loc)
	}
	if i.WholeDay {
		form = "02/01/2006"
	}
	if !i.Begin.IsZero() {
		b.WriteString("\nDébut : " + begin.Format(form))
		if !i.End.IsZero() && !i.WholeDay {
			b.WriteString("\nFin : " + end.Format(form))
		}
	}
	if i.Place != "" {
		b.WriteString("\nLieu : " + i.Place)
	}
	return b.String()
}
