package places

import (
	"context"
	"io"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/directory"
)

// ExposureOptions say how a file of denominators is read.
type ExposureOptions struct {
	Options

	From   calendar.Day // since when the numbers hold, for a file without dates
	Source string       // where the numbers come from, kept beside them
}

var exposureColumns = map[string][]string{
	"uai":       schoolColumns["uai"],
	"from":      {"date", "depuis", "from", "anneescolaire", "rentree", "jour"},
	"computers": schoolColumns["computers"],
	"pupils":    schoolColumns["pupils"],
}

// PreviewExposures says what importing a file of denominators would change.
func PreviewExposures(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o ExposureOptions) (*Report, error) {
	report, _, err := planExposureFile(ctx, dir, by, in, o)
	return report, err
}

// ImportExposures notes the numbers of computers in service and of pupils, by
// school and date.
func ImportExposures(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o ExposureOptions) (*Report, error) {
	report, list, err := planExposureFile(ctx, dir, by, in, o)
	if err != nil {
		return nil, err
	}
	_, err = dir.SaveExposures(ctx, by, list)
	return report, err
}

func planExposureFile(ctx context.Context, dir *directory.Service, by auth.Identity, in io.Reader, o ExposureOptions) (*Report, []directory.Exposure, error) {
	if err := by.Require(auth.ImportData); err != nil {
		return nil, nil, err
	}
	index, err := dir.Index(ctx, by.Tenant)
	if err != nil {
		return nil, nil, err
	}
	required := []string{"uai"}
	if o.From == 0 {
		required = append(required, "from")
	}
	r, err := open(in, o.Options, exposureColumns, required...)
	if err != nil {
		return nil, nil, err
	}
	var figures []figure
	err = r.each(func(c record) {
		f := figure{from: o.From, pupils: -1, computers: -1}
		s, known := index.SchoolByUAI(c.get("uai"))
		switch {
		case c.get("uai") == "":
			c.reject("uai", "places.error.missing")
			return
		case !known:
			c.reject("uai", "error.directory.school_not_found")
			return
		}
		f.school, f.name = s.ID, s.Name
		if !readDay(c, "from", &f.from) || !readCount(c, "computers", &f.computers) || !readCount(c, "pupils", &f.pupils) {
			return
		}
		switch {
		case f.from == 0:
			c.reject("from", "places.error.missing")
		case f.pupils < 0 && f.computers < 0:
			c.reject("computers", "places.error.missing")
		default:
			figures = append(figures, f)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	source := o.Source
	if source == "" {
		source = "import"
	}
	plan := planExposures(index, figures, source)
	r.report.Steps, r.report.Same = plan.steps, plan.same
	return r.report, plan.list, nil
}
