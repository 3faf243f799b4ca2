package calendar

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// Period is a run of days with its name.
type Period struct {
	Range
	Name string
}

// schoolHolidays holds the pupils' holidays of the zones A, B and C, first and
// last day included: school years 2014-2015 to 2025-2026, and zone B's of
// 2026-2027. Facts published by the ministère de l'Éducation nationale
// (« Calendrier scolaire », data.education.gouv.fr). The end of the summers of
// 2026 and 2027 was not yet published: 31 August stands for it.
//
//go:embed school_holidays.csv
var schoolHolidays string

// FrenchSchoolHolidays lists the holidays of a zone ("A", "B" or "C") that the
// program knows without an import, in order; none for another zone.
func FrenchSchoolHolidays(zone string) []Period { return knownHolidays()[zone] }

var knownHolidays = sync.OnceValue(func() map[string][]Period {
	all := map[string][]Period{}
	lines := strings.Split(strings.TrimSpace(schoolHolidays), "\n")
	for i, line := range lines[1:] {
		zones, p, err := parsePeriod(line)
		if err != nil {
			panic(fmt.Sprintf("calendar: school_holidays.csv, line %d: %v", i+2, err))
		}
		for _, z := range zones {
			all[string(z)] = append(all[string(z)], p)
		}
	}
	return all
})

func parsePeriod(line string) (zones string, p Period, err error) {
	cells := strings.Split(line, ",")
	if len(cells) != 4 {
		return "", p, fmt.Errorf("%d cells", len(cells))
	}
	if p.First, err = ParseDay(cells[1]); err != nil {
		return "", p, err
	}
	if p.Last, err = ParseDay(cells[2]); err != nil {
		return "", p, err
	}
	p.Name = cells[3]
	return cells[0], p, nil
}
