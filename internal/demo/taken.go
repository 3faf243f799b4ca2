package demo

import (
	"context"
	"fmt"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/directory"
)

// Taken is something that somebody took away.
type Taken struct {
	Door, What, Format, Question, Address string
	Entries                               int64
}

// LoadTaken shows what the list of exports looks like.
func LoadTaken(ctx context.Context, note func(context.Context, auth.Identity, Taken) error, who Players, home int64, schools []directory.School) error {
	if len(schools) == 0 {
		return nil
	}
	school := strconv.FormatInt(schools[len(schools)/3].ID, 10)
	own := strconv.FormatInt(home, 10)
	for _, t := range []struct {
		by auth.Identity
		Taken
	}{
		{who.Lead, Taken{"web", "/incidents", "xlsx", "from=2026-09-01&school=" + school + "&to=2026-12-01", "192.0.2.14", 184}},
		{who.Lead, Taken{"web", "/explore", "csv", "by=school&by=month&measure=resolution_median&period=school-year", "192.0.2.14", 412}},
		{who.Lead, Taken{"web", "/schools/compare", "xlsx", "period=12m", "192.0.2.14", 62}},
		{who.Technician, Taken{"web", "/stock/consumption", "csv", "period=school-year", "192.0.2.77", 27}},
		{who.Technician, Taken{"web", "/incidents", "csv", "open=yes&priority=1&q=vid%C3%A9oprojecteur", "192.0.2.77", 9}},
		{who.Referent, Taken{"web", "/incidents", "csv", "open=yes&school=" + own, "198.51.100.23", 6}},
		{who.Lead, Taken{"api", "/api/v1/incidents", "json", "period=12m", "203.0.113.5", 5000}},
		{who.Lead, Taken{"api", "/api/v1/stats/query", "json", "", "203.0.113.5", 48}},
	} {
		if err := note(ctx, t.by, t.Taken); err != nil {
			return fmt.Errorf("demo: exports: %w", err)
		}
	}
	return nil
}
