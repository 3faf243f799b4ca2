package places

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
)

// SchoolOptions say which schools of a file are taken, and how.
type SchoolOptions struct {
	Options

	// Departement keeps the schools of one ("45", "2A"); empty keeps all.
	Departement string
	// PublicOnly leaves out private schools, where the file tells.
	PublicOnly bool
	// FreeCodes takes codes that are not official ones (7 digits and their check
	// letter): for lists of another software.
	FreeCodes bool
	// From is since when the file's numbers of pupils and computers hold; 0 looks
	// for a year in the column's name ("eleves_rentree2020"). Without either the
	// numbers are not taken.
	From calendar.Day
}

// schoolColumns are the fields of a school with the usual (folded) names of
// their columns, the best first. The ministry's exports name them in three ways.
var schoolColumns = map[string][]string{
	"uai":         {"uai", "numerouai", "codeetablissement", "identifiantdeletablissement", "identifiantetablissement", "numerocollege", "codeuai", "rne", "code"},
	"name":        {"nom", "appellationofficielle", "nometablissement", "nomdeletablissement", "etablissement", "college", "name", "denominationprincipale"},
	"commune":     {"libellecommune", "nomcommune", "nomdelacommune", "ville", "city", "commune"},
	"insee":       {"codeinsee", "codecommune", "codeinseecommune", "insee"},
	"postal_code": {"codepostal", "codepostaluai", "cp"},
	"address":     {"adresse", "adresseuai", "adresse1", "address"},
	"lat":         {"latitude", "lat"},
	"lon":         {"longitude", "lon", "lng", "long"},
	"position":    {"position", "coordonnees", "geolocalisation", "geopoint"},
	"departement": {"codedepartement", "departement", "dep"},
	"sector":      {"secteurpublicpriveprivelibe", "secteurpublicprivelibe", "secteurdenseignement", "secteur", "statutpublicprive"},
	"state":       {"etatetablissementlibe", "etat", "etatetablissement"},
	"opened":      {"dateouverture", "datedouverture"},
	"closed":      {"datefermeture", "datedefermeture"},
	"zone":        {"zone", "zonevacances", "zonedevacances"},
	"pupils":      {"eleves", "effectif", "effectifs", "nombredeleves", "nombreelevestotal", "elevesrentree*", "nbeleves"},
	"computers":   {"ordinateurs", "postes", "nombredepostes", "nombredordinateurs", "computers", "parc"},
}

// schoolRow is what a row says of a school; texts are empty where it says
// nothing.
type schoolRow struct {
	school    directory.School // as the row says
	line      int
	pupils    int // -1 if not said
	computers int
}

// merge puts what the row says over what is known.
func (row schoolRow) merge(s directory.School) directory.School {
	put := func(to *string, said string) {
		if said != "" {
			*to = said
		}
	}
	put(&s.Name, row.school.Name)
	put(&s.Commune, row.school.Commune)
	put(&s.INSEE, row.school.INSEE)
	put(&s.PostalCode, row.school.PostalCode)
	put(&s.Address, row.school.Address)
	put(&s.Zone, row.school.Zone)
	if row.school.Located {
		s.Located, s.Lat, s.Lon = true, row.school.Lat, row.school.Lon
	}
	if row.school.Opened != 0 {
		s.Opened = row.school.Opened
	}
	if row.school.Closed != 0 {
		s.Closed = row.school.Closed
	}
	if s.Name == "" {
		s.Name = s.UAI
	}
	return s
}

// PreviewSchools says what importing a file of schools would change.
func PreviewSchools(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o SchoolOptions) (*Report, error) {
	report, _, _, err := planSchools(ctx, dir, by, in, o)
	return report, err
}

// ImportSchools creates and changes schools as a file says, and notes its
// numbers of pupils and computers. What the file does not say stays.
func ImportSchools(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o SchoolOptions) (*Report, error) {
	report, rows, from, err := planSchools(ctx, dir, by, in, o)
	if err != nil {
		return nil, err
	}
	byUAI := make(map[string]schoolRow, len(rows))
	uais := make([]string, len(rows))
	for i, row := range rows {
		uais[i] = row.school.UAI
		byUAI[row.school.UAI] = row
	}
	if _, _, err := dir.UpdateSchools(ctx, by, uais, func(s directory.School) directory.School { return byUAI[s.UAI].merge(s) }); err != nil {
		return nil, err
	}
	if from == 0 {
		return report, nil
	}
	index, err := dir.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	var figures []figure
	for _, row := range rows {
		if s, ok := index.SchoolByUAI(row.school.UAI); ok && (row.pupils >= 0 || row.computers >= 0) {
			figures = append(figures, figure{school: s.ID, name: s.Name, from: from, pupils: row.pupils, computers: row.computers})
		}
	}
	_, err = dir.SaveExposures(ctx, by, planExposures(index, figures, "import").list)
	return report, err
}

func planSchools(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o SchoolOptions) (*Report, []schoolRow, calendar.Day, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return nil, nil, 0, err
	}
	index, err := dir.Index(ctx, by.Tenant)
	if err != nil {
		return nil, nil, 0, err
	}
	r, err := open(in, o.Options, schoolColumns, "uai")
	if err != nil {
		return nil, nil, 0, err
	}
	from := o.From
	if from == 0 {
		from = yearIn(r.report.Mapping["pupils"])
	}
	var rows []schoolRow
	seen := map[string]int{}
	err = r.each(func(c record) {
		row, ok := readSchool(c, o)
		if !ok {
			return
		}
		if first, twice := seen[row.school.UAI]; twice {
			c.reject("uai", "places.error.twice", "line", first)
			return
		}
		seen[row.school.UAI] = c.line
		rows = append(rows, row)
	})
	if err != nil {
		return nil, nil, 0, err
	}
	for _, row := range rows {
		old, known := index.SchoolByUAI(row.school.UAI)
		old.UAI = row.school.UAI
		next := row.merge(old)
		what := strings.TrimSuffix(fmt.Sprintf("%s %s, %s", next.UAI, next.Name, next.Commune), ", ")
		switch diff := differences(old, next); {
		case !known:
			r.report.Steps = append(r.report.Steps, Step{Action: Add, What: what})
		case len(diff) > 0:
			r.report.Steps = append(r.report.Steps, Step{Action: Change, What: what, Fields: diff})
		default:
			r.report.Same++
		}
	}
	if from != 0 {
		var figures []figure
		for _, row := range rows {
			if row.pupils >= 0 || row.computers >= 0 {
				old, _ := index.SchoolByUAI(row.school.UAI)
				figures = append(figures, figure{school: old.ID, name: row.school.Name, from: from, pupils: row.pupils, computers: row.computers})
			}
		}
		plan := planExposures(index, figures, "import")
		r.report.Steps = append(r.report.Steps, plan.steps...)
		r.report.Same += plan.same
	}
	return r.report, rows, from, nil
}

var yearIn4 = regexp.MustCompile(`(?:19|20)\d\d`)

// yearIn is the first of September of the year in a column's name, 0 if there
// is none.
func yearIn(column string) calendar.Day {
	year, err := strconv.Atoi(yearIn4.FindString(column))
	if err != nil {
		return 0
	}
	return calendar.Date(year, 9, 1)
}

var uai = regexp.MustCompile(`^\d{7}[A-Z]$`)

// ValidUAI tells whether a code is an official one: seven digits, and the
// letter that checks them (their remainder by 23 in an alphabet without I, O, Q).
func ValidUAI(code string) bool {
	if !uai.MatchString(code) {
		return false
	}
	n, err := strconv.Atoi(code[:7])
	return err == nil && "ABCDEFGHJKLMNPRSTUVWXYZ"[n%23] == code[7]
}

// readSchool reads a row; false if it was rejected or does not concern us.
func readSchool(c record, o SchoolOptions) (schoolRow, bool) {
	s := directory.School{
		UAI: strings.ToUpper(strings.ReplaceAll(c.get("uai"), " ", "")), Name: c.get("name"), Commune: c.get("commune"), INSEE: c.get("insee"),
		PostalCode: c.get("postal_code"), Address: c.get("address"), Zone: strings.TrimPrefix(c.get("zone"), "Zone "),
	}
	row := schoolRow{line: c.line, pupils: -1, computers: -1}
	if o.Departement != "" && departement(c, s) != strings.TrimLeft(strings.ToUpper(o.Departement), "0") ||
		o.PublicOnly && strings.HasPrefix(fold(c.get("sector")), "pri") || strings.HasPrefix(fold(c.get("state")), "ferm") && c.get("closed") == "" {
		c.r.report.Skipped++
		return row, false
	}
	switch {
	case s.UAI == "":
		c.reject("uai", "places.error.missing")
		return row, false
	case !o.FreeCodes && !ValidUAI(s.UAI):
		c.reject("uai", "places.error.uai")
		return row, false
	}
	if !readPlace(c, &s) || !readDay(c, "opened", &s.Opened) || !readDay(c, "closed", &s.Closed) ||
		!readCount(c, "pupils", &row.pupils) || !readCount(c, "computers", &row.computers) {
		return row, false
	}
	for _, text := range []struct {
		field, value string
		limit        int
	}{{"name", s.Name, 200}, {"commune", s.Commune, 200}, {"insee", s.INSEE, 10}, {"postal_code", s.PostalCode, 20}, {"address", s.Address, 500}, {"zone", s.Zone, 40}, {"uai", s.UAI, 64}} {
		if len([]rune(text.value)) > text.limit {
			c.reject(text.field, "error.field.too_long", "max", text.limit)
			return row, false
		}
	}
	row.school = s
	return row, true
}

// departement is a row's département without leading zeros: by its column, or
// by the municipality's or the school's code.
func departement(c record, s directory.School) string {
	code := strings.ToUpper(c.get("departement"))
	if code == "" || !strings.ContainsAny(code, "0123456789") {
		code = s.INSEE
		if len(code) < 2 {
			code = s.UAI
		}
		if len(code) < 3 {
			return ""
		}
		if strings.HasPrefix(code, "97") || strings.HasPrefix(code, "98") {
			code = code[:3]
		} else {
			code = code[:2]
			if s.INSEE == "" {
				code = s.UAI[:3]
			}
		}
	}
	return strings.TrimLeft(code, "0")
}

// readPlace reads coordinates from two columns or from one ("47.98, 2.76").
func readPlace(c record, s *directory.School) bool {
	lat, lon, field := c.get("lat"), c.get("lon"), "lat"
	if lat == "" && lon == "" {
		field = "position"
		var two bool
		if lat, lon, two = strings.Cut(c.get("position"), ","); !two {
			return true // a position without a comma is a rank or a remark
		}
	}
	var err, err2 error
	s.Lat, err = decimal(lat)
	s.Lon, err2 = decimal(lon)
	if err != nil || err2 != nil || s.Lat < -90 || s.Lat > 90 || s.Lon < -180 || s.Lon > 180 {
		c.reject(field, "places.error.position")
		return false
	}
	s.Located = true
	return true
}

func readDay(c record, field string, to *calendar.Day) bool {
	text := c.get(field)
	if text == "" {
		return true
	}
	d, err := dateOf(text)
	if err != nil {
		c.reject(field, "error.field.date")
		return false
	}
	*to = d
	return true
}

// readCount reads a count; -1 stays where nothing is said.
func readCount(c record, field string, to *int) bool {
	text := c.get(field)
	if text == "" {
		return true
	}
	n, err := number(text)
	if err != nil || n > 1_000_000 {
		c.reject(field, "places.error.count")
		return false
	}
	*to = n
	return true
}

func differences(a, b directory.School) []Difference {
	var out []Difference
	add := func(field, from, to string) {
		if from != to {
			out = append(out, Difference{field, from, to})
		}
	}
	place := func(s directory.School) string {
		if !s.Located {
			return ""
		}
		return fmt.Sprintf("%.6f, %.6f", s.Lat, s.Lon)
	}
	add("name", a.Name, b.Name)
	add("commune", a.Commune, b.Commune)
	add("insee", a.INSEE, b.INSEE)
	add("postal_code", a.PostalCode, b.PostalCode)
	add("address", a.Address, b.Address)
	add("zone", a.Zone, b.Zone)
	add("position", place(a), place(b))
	add("opened", a.Opened.String(), b.Opened.String())
	add("closed", a.Closed.String(), b.Closed.String())
	return out
}

// figure is a denominator that a file gives; -1 where it says nothing.
type figure struct {
	school            int64 // 0 for a school that is not there yet
	name              string
	from              calendar.Day
	pupils, computers int
}

type exposurePlan struct {
	list  []directory.Exposure // what to save
	steps []Step
	same  int
}

// planExposures works out the denominators that figures make: what a file does
// not say (pupils where it gives computers, or the reverse) is what held
// before, and later rows that knew nothing of it take it over.
func planExposures(index *directory.Index, figures []figure, source string) exposurePlan {
	var plan exposurePlan
	bySchool := map[int64][]figure{}
	var order []int64
	for _, f := range figures {
		if f.school == 0 { // of a school to come: nothing to merge with
			plan.steps = append(plan.steps, Step{Action: Add, What: exposureName(f)})
			continue
		}
		if bySchool[f.school] == nil {
			order = append(order, f.school)
		}
		bySchool[f.school] = append(bySchool[f.school], f)
	}
	for _, school := range order {
		plan.school(index.Exposures(school), school, bySchool[school], source)
	}
	return plan
}

func (plan *exposurePlan) school(stored []directory.Exposure, school int64, figures []figure, source string) {
	now := map[calendar.Day]directory.Exposure{}
	before := map[calendar.Day]directory.Exposure{}
	for _, e := range stored {
		now[e.From], before[e.From] = e, e
	}
	said := map[calendar.Day]bool{}
	for _, f := range figures {
		e, ok := now[f.from]
		if !ok {
			e = directory.Exposure{School: school, From: f.from}
		}
		if f.pupils >= 0 {
			e.Pupils = f.pupils
		}
		if f.computers >= 0 {
			e.Computers = f.computers
		}
		if e.Source == "" {
			e.Source = source
		}
		now[f.from], said[f.from] = e, true
	}
	var at []calendar.Day
	for d := range now {
		at = append(at, d)
	}
	slices.Sort(at)
	for i, d := range at {
		e := now[d]
		if i > 0 && e.Pupils == 0 {
			e.Pupils = now[at[i-1]].Pupils
		}
		if i > 0 && e.Computers == 0 {
			e.Computers = now[at[i-1]].Computers
		}
		now[d] = e
		old, known := before[d]
		if known && old == e {
			if said[d] {
				plan.same++
			}
			continue
		}
		plan.list = append(plan.list, e)
		name := exposureName(figure{name: figures[0].name, from: d})
		if !known {
			plan.steps = append(plan.steps, Step{Action: Add, What: name})
			continue
		}
		step := Step{Action: Change, What: name}
		if old.Computers != e.Computers {
			step.Fields = append(step.Fields, Difference{"computers", strconv.Itoa(old.Computers), strconv.Itoa(e.Computers)})
		}
		if old.Pupils != e.Pupils {
			step.Fields = append(step.Fields, Difference{"pupils", strconv.Itoa(old.Pupils), strconv.Itoa(e.Pupils)})
		}
		plan.steps = append(plan.steps, step)
	}
}

func exposureName(f figure) string { return f.name + ", " + f.from.String() }
