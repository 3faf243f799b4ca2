package cube

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/locale"
)

// Labeler says keys, measures and dimensions in a reader's language. It is
// cheap to make, one a request, and immutable.
type Labeler struct {
	places *directory.Index
	words  *catalog.Index
	say    *locale.Printer
}

// NewLabeler makes a labeler of the directory and catalog as they stand.
func NewLabeler(places *directory.Index, words *catalog.Index, say *locale.Printer) *Labeler {
	return &Labeler{places: places, words: words, say: say}
}

// Measure names a measure: "Délai médian de résolution".
func (l *Labeler) Measure(m Measure) string { return l.say.T("cube.measure." + string(m)) }

// Unit names what a measure counts: "incidents", "heures".
func (l *Labeler) Unit(m Measure) string { return l.say.T("cube.unit." + string(m)) }

// Help says in a sentence what a measure counts and what it leaves out.
func (l *Labeler) Help(m Measure) string { return l.say.T("cube.help." + string(m)) }

// Dim names a dimension: "Collège".
func (l *Labeler) Dim(d Dim) string { return l.say.T("cube.dim." + string(d)) }

// Value writes a figure of a measure, with its unit for durations and shares:
// "1 234", "5 h 40", "18,5 %", "2,4"; "–" when there is none.
func (l *Labeler) Value(m Measure, v Value) string {
	const none = "–"
	switch {
	case !v.Valid:
		return none
	case m.Money():
		return l.say.T("cube.euros", "n", l.say.Num(v.V, 2))
	case m.Mean():
		return l.say.Num(v.V, 2)
	case m.Hours():
		return l.say.Hours(v.V)
	case m.Share():
		return l.say.Pct(v.V, 1)
	case m.Rate():
		return l.say.Num(v.V, 1)
	}
	return l.say.Int(int64(v.V))
}

// wordKeys are the catalogue keys of the closed lists that other areas name.
var wordKeys = map[Dim]string{
	DimState: "incident.state.", DimOrigin: "incident.origin.", DimHandled: "incident.level.", DimTarget: "incident.target.", DimNetwork: "incident.network.",
	DimPriority: "incident.priority.", DimImpact: "incident.impact.", DimUrgency: "incident.urgency.",
	DimResponseClock: "cube.word.clock.", DimResolutionClock: "cube.word.clock.", DimRating: "desk.rating.", DimReassigned: "cube.word.reassigned.",
	DimOpen: "cube.word.open.", DimReopened: "cube.word.reopened.", DimDeclarant: "cube.word.declarant.",
}

// Label says a key in full.
func (l *Labeler) Label(d Dim, key string) string { return l.label(d, key, false) }

// Short says a key for an axis or a narrow column: "S10" for a week, "mars"
// for a month, a category without its parents, a room without its school.
func (l *Labeler) Short(d Dim, key string) string { return l.label(d, key, true) }

func (l *Labeler) label(d Dim, key string, short bool) string {
	switch {
	case key == OthersKey:
		return l.say.T("cube.others")
	case key == "":
		if own := "cube.unknown." + string(d); l.say.Has(own) {
			return l.say.T(own)
		}
		return l.say.T("cube.unknown")
	case d.Time():
		return l.time(d, key, short)
	}
	if prefix, ok := wordKeys[d]; ok {
		return l.say.T(prefix + key)
	}
	if dimensions[d].kind == kindText {
		return key
	}
	id, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		return key
	}
	if name := l.name(d, id, short); name != "" {
		return name
	}
	return l.say.T("cube.gone", "id", key)
}

// name is the name of an identified thing, empty if it is gone.
func (l *Labeler) name(d Dim, id int64, short bool) string {
	lang := l.say.Lang().String()
	switch d {
	case DimSchool:
		return l.places.SchoolName(id)
	case DimRoom:
		r, ok := l.places.Room(id)
		if school := l.places.SchoolName(r.School); ok && !short && school != "" {
			return l.say.T("cube.room_of", "room", r.Name, "school", school)
		}
		return r.Name
	case DimTeam:
		return l.places.TeamName(id)
	case DimAssignee:
		return l.places.PersonName(id)
	case DimCause, DimResolution, DimWaiting:
		return l.words.CodeLabel(id, lang)
	case DimCategory, DimCategory2, DimCategory3:
		if short {
			return l.words.CategoryLabel(id, lang)
		}
		return strings.Join(l.words.PathLabels(id, lang), " › ")
	}
	return ""
}

func (l *Labeler) time(d Dim, key string, short bool) string {
	ord, err := d.ordOf(key)
	if err != nil {
		return key
	}
	switch d {
	case DimHour:
		return l.say.Hour(ord)
	case DimWeekday:
		day := time.Weekday(ord % 7) // 7 is Sunday
		if short {
			return l.say.ShortWeekday(day)
		}
		return l.say.Weekday(day)
	case DimDay:
		if short {
			t := calendar.Day(ord).Time()
			return l.say.T("cube.day_short", "day", strconv.Itoa(t.Day()), "month", l.say.ShortMonth(t.Month()))
		}
		return l.say.Day(calendar.Day(ord))
	case DimWeek:
		y, w := calendar.Day(ord).Time().ISOWeek()
		if short {
			return l.say.T("cube.week_short", "week", strconv.Itoa(w))
		}
		return l.say.T("cube.week", "week", strconv.Itoa(w), "year", strconv.Itoa(y))
	case DimMonth:
		m := time.Month(ord%12 + 1)
		if short {
			return l.say.ShortMonth(m)
		}
		return l.say.Month(m) + " " + strconv.Itoa(ord/12)
	case DimSchoolWeek:
		if short {
			return l.say.T("cube.week_short", "week", strconv.Itoa(ord))
		}
		return l.say.T("cube.school_week", "week", strconv.Itoa(ord))
	}
	return key
}

// Fill says the keys of every row of a result.
func (l *Labeler) Fill(res *Result) {
	fill := func(by []Dim, rows []Row) {
		said := make([]map[string]string, len(by))
		for i := range said {
			said[i] = map[string]string{}
		}
		for r := range rows {
			row := &rows[r]
			row.Labels = make([]string, len(row.Keys))
			for i, key := range row.Keys {
				label, ok := said[i][key]
				if !ok {
					label = l.Label(by[i], key)
					said[i][key] = label
				}
				row.Labels[i] = label
			}
		}
	}
	fill(res.Query.By, res.Rows)
	for i, rows := range res.Margins {
		fill(res.Query.By[i:i+1], rows)
	}
}

// Compare orders two keys as a reader expects to find them in a list: names by
// the alphabet of the language, categories as in their tree, the rest in its
// own order; what is not known and the others come last.
func (l *Labeler) Compare(d Dim, a, b string) int {
	if a == b {
		return 0
	}
	for _, last := range []string{OthersKey, ""} {
		if a == last {
			return 1
		}
		if b == last {
			return -1
		}
	}
	switch d {
	case DimCategory, DimCategory2, DimCategory3:
		return cmp.Or(slices.Compare(l.place(a), l.place(b)), d.compareKeys(a, b))
	case DimSchool, DimRoom, DimTeam, DimAssignee, DimCause, DimResolution, DimWaiting, DimCommune, DimMachine:
		return cmp.Or(l.say.Compare(l.Label(d, a), l.Label(d, b)), d.compareKeys(a, b))
	}
	return d.compareKeys(a, b)
}

// place is a category's place in the tree: the position of each ancestor.
func (l *Labeler) place(key string) []int {
	id, _ := strconv.ParseInt(key, 10, 64) // a key that is no number has no place
	var out []int
	for _, at := range l.words.Path(id) {
		c, _ := l.words.Category(at)
		siblings := l.words.Children(c.Parent)
		out = append(out, slices.IndexFunc(siblings, func(s catalog.Category) bool { return s.ID == at }))
	}
	return out
}

// Option is a key that a reader can choose to filter by.
type Option struct{ Key, Label string }

// Options lists the keys of a dimension that a reader may choose, in the order
// of Compare, with "not known" last; nil for a dimension whose keys are not
// listed anywhere (machines, time other than weekdays and hours).
func (l *Labeler) Options(d Dim, scope auth.Scope) []Option {
	keys := l.keys(d, scope)
	if keys == nil {
		return nil
	}
	slices.SortFunc(keys, func(a, b string) int { return l.Compare(d, a, b) })
	keys = slices.Compact(keys)
	options := make([]Option, len(keys))
	for i, k := range keys {
		options[i] = Option{k, l.Label(d, k)}
	}
	return options
}

func (l *Labeler) keys(d Dim, scope auth.Scope) []string {
	keys := []string{""}
	switch d {
	case DimSchool:
		for _, s := range l.places.SchoolsIn(scope) {
			keys = append(keys, idKey(s.ID))
		}
	case DimCommune:
		for _, s := range l.places.SchoolsIn(scope) {
			keys = append(keys, s.Commune)
		}
	case DimRoom:
		for _, s := range l.places.SchoolsIn(scope) {
			for _, r := range l.places.Rooms(s.ID) {
				keys = append(keys, idKey(r.ID))
			}
		}
	case DimTeam:
		for _, t := range l.places.Teams() {
			keys = append(keys, idKey(t.ID))
		}
	case DimAssignee:
		for _, p := range l.places.Technicians() {
			keys = append(keys, idKey(p.ID))
		}
	case DimCause:
		for _, c := range l.words.Codes(catalog.Cause) {
			keys = append(keys, idKey(c.ID))
		}
	case DimResolution:
		for _, c := range l.words.Codes(catalog.Resolution) {
			keys = append(keys, idKey(c.ID))
		}
	case DimWaiting:
		for _, c := range l.words.Codes(catalog.Waiting) {
			keys = append(keys, idKey(c.ID))
		}
	case DimCategory, DimCategory2, DimCategory3:
		depth := map[Dim]int{DimCategory: 1, DimCategory2: 2, DimCategory3: 3}[d]
		for _, c := range l.words.Categories() {
			if len(l.words.Path(c.ID)) == depth {
				keys = append(keys, idKey(c.ID))
			}
		}
	case DimWeekday:
		keys = nil
		for n := range 7 {
			keys = append(keys, d.key(n+1))
		}
	case DimHour:
		keys = nil
		for n := range 24 {
			keys = append(keys, d.key(n))
		}
	case DimOpen, DimReopened, DimReassigned, DimState:
		keys = d.Words()
	default:
		if words := d.Words(); words != nil {
			return append(keys, words...)
		}
		return nil
	}
	return keys
}
