package cube

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"statincidents/internal/calendar"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// dimKind is how the keys of a dimension are made and ordered.
type dimKind int

const (
	kindID     dimKind = iota // positive identifiers, by value
	kindWord                  // a closed list, in its order
	kindText                  // free text, by bytes
	kindBucket                // time that cuts the period: day, week, month…
	kindCycle                 // time that comes back: hour, weekday, school week
)

// dimension is what is known of a Dim.
type dimension struct {
	kind    dimKind
	words   []string // of kindWord
	ordered bool     // keeps its natural order beside other dimensions
}

var (
	priorityWords = []string{"1", "2", "3", "4", "5"}
	levelWords    = []string{"1", "2", "3"}
	yesNo         = []string{"yes", "no"}
	networkWords  = []string{string(directory.NetworkAdministrative), string(directory.NetworkTeaching)}
	targetWords   = []string{string(incident.TargetMet), string(incident.TargetMissed)}
	kindWords     = []string{
		string(directory.Teacher), string(directory.Administrative), string(directory.Caretaker),
		string(directory.ITReferent), string(directory.Staff), string(directory.OtherPerson),
	}
	clockWords   = []string{"kept", "late", "running"}
	ratingWords  = texts(incident.Ratings)
	changesWords = []string{"0", "1", "2", "3"}
	stateWords   = texts(incident.States)
	originWords  = texts(incident.Origins)
	// Direct has a key of its own: "" would be "not known".
	handledWords = append([]string{directWord}, texts(incident.Levels[1:])...)
)

// directWord is the key of incident.Direct.
const directWord = "direct"

// handledWord is the key of a level.
func handledWord(l incident.Level) string {
	if l == incident.Direct {
		return directWord
	}
	return string(l)
}

func texts[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

var dimensions = map[Dim]dimension{
	DimSchool:     {kind: kindID},
	DimCommune:    {kind: kindText},
	DimRoom:       {kind: kindID},
	DimNetwork:    {kind: kindWord, words: networkWords},
	DimCategory:   {kind: kindID},
	DimCategory2:  {kind: kindID},
	DimCategory3:  {kind: kindID},
	DimCause:      {kind: kindID},
	DimResolution: {kind: kindID},
	DimPriority:   {kind: kindWord, words: priorityWords, ordered: true},
	DimImpact:     {kind: kindWord, words: levelWords, ordered: true},
	DimUrgency:    {kind: kindWord, words: levelWords, ordered: true},
	DimState:      {kind: kindWord, words: stateWords, ordered: true},
	DimOpen:       {kind: kindWord, words: yesNo, ordered: true},
	DimOrigin:     {kind: kindWord, words: originWords},
	DimHandled:    {kind: kindWord, words: handledWords, ordered: true},
	DimTeam:       {kind: kindID},
	DimAssignee:   {kind: kindID},
	DimDeclarant:  {kind: kindWord, words: kindWords},
	DimMachine:    {kind: kindText},
	DimTarget:     {kind: kindWord, words: targetWords},
	DimReopened:   {kind: kindWord, words: yesNo},

	DimResponseClock:   {kind: kindWord, words: clockWords, ordered: true},
	DimResolutionClock: {kind: kindWord, words: clockWords, ordered: true},
	DimWaiting:         {kind: kindID},
	DimRating:          {kind: kindWord, words: ratingWords, ordered: true},
	DimReassigned:      {kind: kindWord, words: changesWords, ordered: true},

	DimHour:       {kind: kindCycle, ordered: true},
	DimWeekday:    {kind: kindCycle, ordered: true},
	DimSchoolWeek: {kind: kindCycle, ordered: true},
	DimDay:        {kind: kindBucket, ordered: true},
	DimWeek:       {kind: kindBucket, ordered: true},
	DimMonth:      {kind: kindBucket, ordered: true},
	DimYear:       {kind: kindBucket, ordered: true},
	DimSchoolYear: {kind: kindBucket, ordered: true},
}

// Dims lists every dimension in the order in which a reader is offered them.
var Dims = []Dim{
	DimSchool, DimCommune, DimRoom, DimNetwork, DimCategory, DimCategory2, DimCategory3, DimCause, DimResolution,
	DimPriority, DimImpact, DimUrgency, DimState, DimOpen, DimOrigin, DimHandled, DimTeam, DimAssignee, DimDeclarant, DimMachine, DimTarget, DimReopened,
	DimResponseClock, DimResolutionClock, DimWaiting, DimRating, DimReassigned,
	DimHour, DimWeekday, DimDay, DimWeek, DimMonth, DimYear, DimSchoolYear, DimSchoolWeek,
}

// Valid tells whether d is one of the dimensions.
func (d Dim) Valid() bool { _, ok := dimensions[d]; return ok }

// Time tells whether d is a dimension of time.
func (d Dim) Time() bool { return d.bucket() || dimensions[d].kind == kindCycle && d.Valid() }

// Ordered tells whether the keys of d have an order of their own that a chart
// should keep (time, priority…).
func (d Dim) Ordered() bool { return dimensions[d].ordered }

// Words gives the keys of a dimension that is a closed list, in its order,
// without "" (not known); nil for the others.
func (d Dim) Words() []string { return slices.Clone(dimensions[d].words) }

func (d Dim) bucket() bool { return dimensions[d].kind == kindBucket }

// checkKey is nil if the key is well formed for the dimension.
func (d Dim) checkKey(key string) error {
	dim := dimensions[d]
	switch dim.kind {
	case kindBucket, kindCycle:
		if key == "" && d == DimSchoolWeek {
			return nil
		}
		_, err := d.ordOf(key)
		return err
	case kindID:
		if key == "" {
			return nil
		}
		id, err := strconv.ParseInt(key, 10, 64)
		if err != nil || id <= 0 || strconv.FormatInt(id, 10) != key {
			return fmt.Errorf("cube: %q is not a number of %s", key, d)
		}
	case kindWord:
		if key != "" && !slices.Contains(dim.words, key) {
			return fmt.Errorf("cube: %q is not a word of %s", key, d)
		}
	}
	return nil
}

// compareKeys orders two keys of a dimension as it is: numbers by value, words
// by their list, the rest by bytes; "" (not known) last.
func (d Dim) compareKeys(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	switch dim := dimensions[d]; dim.kind {
	case kindID:
		// Keys were checked, or made here.
		x, _ := strconv.ParseInt(a, 10, 64)
		y, _ := strconv.ParseInt(b, 10, 64)
		return cmp.Compare(x, y)
	case kindWord:
		return cmp.Compare(slices.Index(dim.words, a), slices.Index(dim.words, b))
	}
	return cmp.Compare(a, b)
}

// ord numbers the days' keys of a dimension of days, in their order, so that
// days are compared without making text; weeks numbers school weeks.
func (d Dim) ord(day calendar.Day, weeks SchoolWeeks) int {
	switch d {
	case DimDay:
		return int(day)
	case DimWeek:
		return int(day.Week())
	case DimMonth:
		y, m, _ := day.Time().Date()
		return y*12 + int(m) - 1
	case DimYear:
		return day.Time().Year()
	case DimSchoolYear:
		return day.SchoolYear()
	case DimWeekday:
		return day.Weekday() + 1
	case DimSchoolWeek:
		if weeks == nil {
			return 0
		}
		_, n := weeks.SchoolWeek(day)
		return n
	}
	return 0
}

// key writes the key of an ord.
func (d Dim) key(ord int) string {
	switch d {
	case DimDay:
		return calendar.Day(ord).Time().Format("2006-01-02")
	case DimWeek:
		y, w := calendar.Day(ord).Time().ISOWeek()
		return fmt.Sprintf("%04d-W%02d", y, w)
	case DimMonth:
		return fmt.Sprintf("%04d-%02d", ord/12, ord%12+1)
	case DimYear:
		return fmt.Sprintf("%04d", ord)
	case DimSchoolYear:
		return fmt.Sprintf("%04d-%04d", ord, ord+1)
	case DimWeekday:
		return strconv.Itoa(ord)
	case DimHour:
		return fmt.Sprintf("%02d", ord)
	case DimSchoolWeek:
		if ord == 0 {
			return ""
		}
		return fmt.Sprintf("%02d", ord)
	}
	return ""
}

// ordOf reads what key wrote.
func (d Dim) ordOf(key string) (int, error) {
	bad := fmt.Errorf("cube: %q is not a key of %s", key, d)
	number := func(s string, lo, hi int) (int, bool) {
		n, err := strconv.Atoi(s)
		return n, err == nil && n >= lo && n <= hi
	}
	var ord int
	var ok bool
	switch d {
	case DimDay:
		day, err := calendar.ParseDay(key)
		ord, ok = int(day), err == nil && key != ""
	case DimWeek:
		if len(key) != 8 || key[4:6] != "-W" {
			return 0, bad
		}
		y, ok1 := number(key[:4], 1, 9999)
		w, ok2 := number(key[6:], 1, 53)
		// The fourth of January is always in the first ISO week.
		ord, ok = int(calendar.Date(y, 1, 4).Week())+7*(w-1), ok1 && ok2
	case DimMonth:
		if len(key) != 7 || key[4] != '-' {
			return 0, bad
		}
		y, ok1 := number(key[:4], 1, 9999)
		m, ok2 := number(key[5:], 1, 12)
		ord, ok = y*12+m-1, ok1 && ok2
	case DimYear:
		ord, ok = number(key, 1, 9999)
	case DimSchoolYear:
		if len(key) != 9 || key[4] != '-' {
			return 0, bad
		}
		ord, ok = number(key[:4], 1, 9998)
	case DimWeekday:
		ord, ok = number(key, 1, 7)
	case DimHour:
		ord, ok = number(key, 0, 23)
	case DimSchoolWeek:
		ord, ok = number(key, 1, 53)
	default:
		return 0, bad
	}
	if !ok || d.key(ord) != key {
		return 0, bad
	}
	return ord, nil
}
