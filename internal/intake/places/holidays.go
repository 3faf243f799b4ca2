package places

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
)

// HolidayOptions say which school holidays of a file are taken.
type HolidayOptions struct {
	Options

	// Zones keeps those of some zones; empty keeps A, B, C and the département's.
	// For a file that names no zone, the first one is meant.
	Zones []string
}

// holidayColumns: in the ministry's file the end is the day when classes
// resume ("resume"); other lists give the last day off ("last").
var holidayColumns = map[string][]string{
	"name":       {"description", "nom", "vacances", "libelle", "name"},
	"population": {"population"},
	"first":      {"datededebut", "startdate", "premierjour", "debut", "first", "du"},
	"resume":     {"datedefin", "enddate", "reprise", "resume"},
	"last":       {"dernierjour", "last", "au", "fin"},
	"zone":       {"zones", "zone"},
}

// PreviewSchoolHolidays says what importing a file of school holidays would change.
func PreviewSchoolHolidays(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o HolidayOptions) (*Report, error) {
	report, _, err := planSchoolHolidays(ctx, dir, by, in, o)
	return report, err
}

// ImportSchoolHolidays takes school holidays from the ministry's file, from
// another table, or from an iCalendar file. A period takes the place of those
// of its zone that it overlaps.
func ImportSchoolHolidays(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o HolidayOptions) (*Report, error) {
	report, list, err := planSchoolHolidays(ctx, dir, by, in, o)
	if err != nil {
		return nil, err
	}
	_, _, err = dir.SaveSchoolHolidays(ctx, by, list)
	return report, err
}

func planSchoolHolidays(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o HolidayOptions) (*Report, []directory.HolidayPeriod, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return nil, nil, err
	}
	index, err := dir.Index(ctx, by.Tenant)
	if err != nil {
		return nil, nil, err
	}
	zones := o.Zones
	if len(zones) == 0 {
		zones = []string{index.Settings().Zone, "A", "B", "C"}
	}
	take := &holidayTaker{zones: zones, loc: index.Settings().Location(), seen: map[directory.HolidayPeriod]bool{}}
	in, isICS, err := peekICS(in)
	if err != nil {
		return nil, nil, err
	}
	if isICS {
		err = take.fromICS(in)
	} else {
		err = take.fromTable(in, o.Options)
	}
	if err != nil {
		return nil, nil, err
	}
	add, remove := index.PlanSchoolHolidays(take.list)
	for _, h := range remove {
		take.report.Steps = append(take.report.Steps, Step{Action: Remove, What: periodName(h)})
	}
	for _, h := range add {
		take.report.Steps = append(take.report.Steps, Step{Action: Add, What: periodName(h)})
	}
	take.report.Same = max(0, len(take.list)-len(add))
	return take.report, take.list, nil
}

func periodName(h directory.HolidayPeriod) string {
	return h.Zone + ", " + h.Name + ", " + h.First.String() + " / " + h.Last.String()
}

// holidayTaker gathers the periods of a file.
type holidayTaker struct {
	zones  []string
	loc    *time.Location
	report *Report
	list   []directory.HolidayPeriod
	seen   map[directory.HolidayPeriod]bool
}

func (h *holidayTaker) fromTable(in io.Reader, o Options) error {
	r, err := open(in, o, holidayColumns, "name", "first")
	if err != nil {
		return err
	}
	h.report = r.report
	return r.each(h.row)
}

func (h *holidayTaker) row(c record) {
	zone := strings.TrimPrefix(c.get("zone"), "Zone ")
	if !c.r.has("zone") {
		zone = h.zones[0]
	}
	if !slices.Contains(h.zones, zone) || !forPupils(c.get("population")) {
		c.r.report.Skipped++
		return
	}
	name := holidayName(c.get("name"))
	if name == "" {
		c.reject("name", "places.error.missing")
		return
	}
	first, err := h.day(c.get("first"))
	if err != nil {
		c.reject("first", "error.field.date")
		return
	}
	field := "last"
	var last calendar.Day
	switch {
	case c.get("last") != "":
		last, err = h.day(c.get("last"))
	case c.get("resume") != "":
		field = "resume"
		last, err = h.day(c.get("resume"))
		last--
	default:
		last = first - 1 // not said: see endOf
	}
	if err != nil {
		c.reject(field, "error.field.date")
		return
	}
	if !h.add(directory.HolidayPeriod{Zone: zone, First: first, Last: last, Name: name}) {
		c.reject(field, "error.directory.stretch")
	}
}

// add keeps a period once; false if its days make no sense.
func (h *holidayTaker) add(p directory.HolidayPeriod) bool {
	p.Last = endOf(&p)
	p.Name = strings.TrimSpace(p.Name)
	if p.First <= 0 || p.Last < p.First || p.Last > p.First+400 || len([]rune(p.Name)) > 200 {
		return false
	}
	if !h.seen[p] {
		h.seen[p] = true
		h.list = append(h.list, p)
	}
	return true
}

// endOf is the last day of a period. The ministry announces the beginning of a
// summer before its end (31 August stands for it until then), and the Ascension
// bridge by its Friday alone: it lasts until Sunday.
func endOf(p *directory.HolidayPeriod) calendar.Day {
	if rest, ok := strings.CutPrefix(p.Name, "Début des "); ok {
		p.Name = holidayName(strings.ToUpper(rest[:1]) + rest[1:])
		y, _, _ := p.First.Time().Date()
		return max(p.Last, calendar.Date(y, time.August, 31))
	}
	if p.Last == p.First-1 {
		if w := p.First.Weekday(); w >= 4 {
			return p.First + calendar.Day(6-w)
		}
		return p.First
	}
	return p.Last
}

// forPupils leaves out what concerns teachers, and the other schools of a zone
// that tells them apart.
func forPupils(population string) bool {
	p := fold(population)
	return !strings.HasPrefix(p, "enseignants") && !strings.HasSuffix(p, "premierdegre") && !strings.HasSuffix(p, "lycees")
}

// holidayName writes the same holiday the same way whoever names it.
func holidayName(s string) string {
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "’", "'")), " ")
	return strings.NewReplacer("d'Hiver", "d'hiver", "d'Été", "d'été", "de Printemps", "de printemps").Replace(s)
}

// day reads a day, or the local day of an instant.
func (h *holidayTaker) day(s string) (calendar.Day, error) { return localDay(s, h.loc) }

func localDay(s string, loc *time.Location) (calendar.Day, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return calendar.DayOf(t, loc), nil
	}
	return dateOf(s)
}

var publicColumns = map[string][]string{
	"day":  {"date", "jour", "day"},
	"name": {"nomjourferie", "nom", "description", "libelle", "jourferie", "name"},
	"zone": {"zone"},
}

// PreviewPublicHolidays says what importing a file of public holidays would change.
func PreviewPublicHolidays(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o Options) (*Report, error) {
	report, _, err := planPublicHolidays(ctx, dir, by, in, o)
	return report, err
}

// ImportPublicHolidays takes public holidays from a table or an iCalendar file.
func ImportPublicHolidays(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o Options) (*Report, error) {
	report, list, err := planPublicHolidays(ctx, dir, by, in, o)
	if err != nil {
		return nil, err
	}
	_, err = dir.SavePublicHolidays(ctx, by, list)
	return report, err
}

func planPublicHolidays(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o Options) (*Report, []directory.PublicHoliday, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return nil, nil, err
	}
	index, err := dir.Index(ctx, by.Tenant)
	if err != nil {
		return nil, nil, err
	}
	loc := index.Settings().Location()
	in, isICS, err := peekICS(in)
	if err != nil {
		return nil, nil, err
	}
	var report *Report
	var list []directory.PublicHoliday
	if isICS {
		report, err = eachEvent(in, loc, func(e event) bool {
			if e.name == "" || e.last < e.first || e.last > e.first+31 {
				return false
			}
			for d := e.first; d <= e.last; d++ {
				list = append(list, directory.PublicHoliday{Day: d, Name: e.name})
			}
			return true
		})
	} else {
		report, list, err = publicRows(in, o, loc)
	}
	if err != nil {
		return nil, nil, err
	}
	list = directory.MergePublicHolidays(list)
	now := map[calendar.Day]string{}
	for _, h := range index.PublicHolidays() {
		now[h.Day] = h.Name
	}
	for _, h := range list {
		what := h.Day.String() + ", " + h.Name
		switch old, known := now[h.Day]; {
		case !known:
			report.Steps = append(report.Steps, Step{Action: Add, What: what})
		case old != h.Name:
			report.Steps = append(report.Steps, Step{Action: Change, What: what, Fields: []Difference{{"name", old, h.Name}}})
		default:
			report.Same++
		}
	}
	return report, list, nil
}

func publicRows(in io.Reader, o Options, loc *time.Location) (*Report, []directory.PublicHoliday, error) {
	r, err := open(in, o, publicColumns, "day", "name")
	if err != nil {
		return nil, nil, err
	}
	var list []directory.PublicHoliday
	err = r.each(func(c record) {
		day, err := localDay(c.get("day"), loc)
		switch name := c.get("name"); {
		case err != nil || day <= 0:
			c.reject("day", "error.field.date")
		case name == "":
			c.reject("name", "places.error.missing")
		case len([]rune(name)) > 100:
			c.reject("name", "error.field.too_long", "max", 100)
		default:
			list = append(list, directory.PublicHoliday{Day: day, Name: holidayName(name)})
		}
	})
	return r.report, list, err
}
