package cube

import (
	"strconv"

	"statincidents/internal/incident"
)

// column names a column of a chunk.
type column int

const (
	colSchool column = iota
	colCategory
	colCause
	colSolution
	colTeam
	colRoom
	colMachine
	colDeclarant
	colAssignee
	colSeverity
	colStatus
	colSource
	colHandled
	colOutcome
	colWaiting
	colOpenedDay
	colEndedDay
)

// axis is a dimension over the columns: a column, and what its codes stand for.
type axis struct {
	col   column
	table []uint32 // the axis's code of a column's code; nil if they are the same
	card  int      // codes are 0 … card-1
	key   func(code uint32) string
	code  func(key string) (uint32, bool)
}

func idAxis(col column, d *dict[int64], table []uint32) axis {
	return axis{
		col: col, table: table, card: len(d.keys),
		key: func(code uint32) string { return idKey(d.keys[code]) },
		code: func(key string) (uint32, bool) {
			var id int64
			if key != "" {
				id, _ = strconv.ParseInt(key, 10, 64) // keys were checked
			}
			code, ok := d.codes[id]
			return code, ok
		},
	}
}

func textAxis(col column, d *dict[string], table []uint32) axis {
	return axis{
		col: col, table: table, card: len(d.keys),
		key:  func(code uint32) string { return d.keys[code] },
		code: func(key string) (uint32, bool) { code, ok := d.codes[key]; return code, ok },
	}
}

// wordAxis has code 0 for "" and 1 + place for the words of a list.
func wordAxis(col column, words []string, table []uint32) axis {
	return axis{
		col: col, table: table, card: len(words) + 1,
		key:  func(code uint32) string { return wordOf(words, uint8(code)) },
		code: func(key string) (uint32, bool) { c := word(words, key); return uint32(c), c > 0 || key == "" },
	}
}

func byteTable(of func(uint8) uint8) []uint32 {
	t := make([]uint32, 256)
	for i := range t {
		t[i] = uint32(of(uint8(i)))
	}
	return t
}

var (
	priorityTable = byteTable(func(s uint8) uint8 { return s & 7 })
	impactTable   = byteTable(func(s uint8) uint8 { return s >> 3 & 3 })
	urgencyTable  = byteTable(func(s uint8) uint8 { return s >> 5 & 3 })
	stateTable    = byteTable(func(s uint8) uint8 { return s&7 + 1 })
	networkTable  = byteTable(func(s uint8) uint8 { return s >> 3 & 3 })
	targetTable   = byteTable(func(s uint8) uint8 { return s >> 5 & 3 })
	originTable   = byteTable(func(s uint8) uint8 { return s & 7 })
	handledTable  = byteTable(func(s uint8) uint8 { return s })
	hourTable     = byteTable(func(s uint8) uint8 { return s >> 3 })
	openTable     = byteTable(func(s uint8) uint8 {
		if incident.States[s&7].Open() {
			return 1
		}
		return 2
	})
	reopenedTable = byteTable(func(s uint8) uint8 { return 2 - s>>7 })

	responseTable   = byteTable(func(s uint8) uint8 { return s & 3 })
	resolutionTable = byteTable(func(s uint8) uint8 { return s >> 2 & 3 })
	ratingTable     = byteTable(func(s uint8) uint8 { return s >> 4 & 3 })
	changesTable    = byteTable(func(s uint8) uint8 { return s>>6 + 1 })
)

// axis gives the axis of a dimension that is not of time.
func (f *facts) axis(d Dim) axis {
	switch d {
	case DimSchool:
		return idAxis(colSchool, f.schools, nil)
	case DimCommune:
		return textAxis(colSchool, f.communes, f.commune)
	case DimRoom:
		return idAxis(colRoom, f.rooms, nil)
	case DimCategory:
		return idAxis(colCategory, f.categories, f.level[0])
	case DimCategory2:
		return idAxis(colCategory, f.categories, f.level[1])
	case DimCategory3:
		return idAxis(colCategory, f.categories, f.level[2])
	case DimCause:
		return idAxis(colCause, f.codes, nil)
	case DimResolution:
		return idAxis(colSolution, f.codes, nil)
	case DimTeam:
		return idAxis(colTeam, f.teams, nil)
	case DimAssignee:
		return idAxis(colAssignee, f.people, nil)
	case DimMachine:
		return textAxis(colMachine, f.machines, nil)
	case DimDeclarant:
		return wordAxis(colDeclarant, kindWords, f.kind)
	case DimNetwork:
		return wordAxis(colStatus, networkWords, networkTable)
	case DimTarget:
		return wordAxis(colStatus, targetWords, targetTable)
	case DimState:
		return wordAxis(colStatus, stateWords, stateTable)
	case DimOpen:
		return wordAxis(colStatus, yesNo, openTable)
	case DimReopened:
		return wordAxis(colStatus, yesNo, reopenedTable)
	case DimResponseClock:
		return wordAxis(colOutcome, clockWords, responseTable)
	case DimResolutionClock:
		return wordAxis(colOutcome, clockWords, resolutionTable)
	case DimRating:
		return wordAxis(colOutcome, ratingWords, ratingTable)
	case DimReassigned:
		return wordAxis(colOutcome, changesWords, changesTable)
	case DimWaiting:
		return idAxis(colWaiting, f.reasons, nil)
	case DimOrigin:
		return wordAxis(colSource, originWords, originTable)
	case DimHandled:
		return wordAxis(colHandled, handledWords, handledTable)
	case DimPriority:
		return wordAxis(colSeverity, priorityWords, priorityTable)
	case DimImpact:
		return wordAxis(colSeverity, levelWords, impactTable)
	case DimUrgency:
		return wordAxis(colSeverity, levelWords, urgencyTable)
	}
	panic("cube: no axis for " + string(d))
}

// domain is how many codes a column can hold.
func (f *facts) domain(col column) int {
	switch col {
	case colSchool:
		return len(f.schools.keys)
	case colCategory:
		return len(f.categories.keys)
	case colCause, colSolution:
		return len(f.codes.keys)
	case colTeam:
		return len(f.teams.keys)
	case colRoom:
		return len(f.rooms.keys)
	case colMachine:
		return len(f.machines.keys)
	case colDeclarant, colAssignee:
		return len(f.people.keys)
	case colWaiting:
		return len(f.reasons.keys)
	case colOpenedDay, colEndedDay:
		return maxDay + 1
	}
	return 256
}
