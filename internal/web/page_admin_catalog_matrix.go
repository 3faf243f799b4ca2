package web

import (
	"fmt"
	"strconv"
	"strings"

	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// matrixPart is the form of the matrix: a select for each impact and urgency.
type matrixPart struct {
	Form      *Form
	Urgencies []string
	Rows      []matrixRow
}

type matrixRow struct {
	Label  string
	Fields []Field
}

// matrixOf is the form of the matrix, filled as it stands unless it is a
// refused one.
func matrixOf(r *Request, n *names, f *Form) *matrixPart {
	m := n.words.Matrix()
	if f == nil {
		f = r.Blank()
		for i, row := range m {
			for u, priority := range row {
				f.values.Set(cellName(i, u), strconv.Itoa(priority))
			}
		}
	}
	var priorities []Option
	for priority := 1; priority <= 5; priority++ {
		priorities = append(priorities, Option{Value: strconv.Itoa(priority), Label: r.T("priority." + strconv.Itoa(priority))})
	}
	part := &matrixPart{Form: f}
	for u := range 3 {
		part.Urgencies = append(part.Urgencies, n.value(incident.FieldUrgency, u+1))
	}
	for i := range 3 {
		row := matrixRow{Label: n.value(incident.FieldImpact, i+1)}
		for u := range 3 {
			row.Fields = append(row.Fields, f.Select(cellName(i, u), r.T("admin.catalog.cell", "impact", row.Label, "urgency", part.Urgencies[u]), priorities).Plain())
		}
		part.Rows = append(part.Rows, row)
	}
	return part
}

func cellName(impact, urgency int) string { return fmt.Sprintf("m%d%d", impact+1, urgency+1) }

func (s *Server) saveMatrix(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	was := n.words.Matrix()
	var now catalog.Matrix
	undo := map[string]string{}
	var changes []string
	for i := range now {
		for u := range now[i] {
			name := cellName(i, u)
			now[i][u] = int(f.ID(name))
			undo[name] = strconv.Itoa(was[i][u])
			if now[i][u] != was[i][u] {
				changes = append(changes, r.T("admin.catalog.matrix_change",
					"impact", n.value(incident.FieldImpact, i+1), "urgency", n.value(incident.FieldUrgency, u+1),
					"from", r.T("priority."+strconv.Itoa(was[i][u])), "to", r.T("priority."+strconv.Itoa(min(max(now[i][u], 1), 5)))))
			}
		}
	}
	if len(changes) == 0 {
		if err := r.Say(Notice{Text: r.T("admin.catalog.matrix_same")}); err != nil {
			return err
		}
		return r.Redirect(catalogPath + "?tab=matrix")
	}
	err = s.deps.Catalog.SaveMatrix(r.Context(), r.Who, now)
	if f.Refused(err) {
		return s.showCatalog(r, status(err), f)
	}
	if err != nil {
		return err
	}
	open, err := s.openIncidents(r)
	if err != nil {
		return err
	}
	text := r.T("admin.catalog.matrix_saved", "changes", strings.Join(changes, " ; "))
	if r.Lang() != "fr" {
		text = r.T("admin.catalog.matrix_saved", "changes", strings.Join(changes, "; "))
	}
	if err := r.Say(Notice{Text: text + " " + r.N("admin.catalog.matrix_keep", open), Undo: &Undo{Action: catalogPath + "/matrix", Values: undo}}); err != nil {
		return err
	}
	return r.Redirect(catalogPath + "?tab=matrix")
}

// openIncidents counts what somebody has yet to act upon; 0 while the
// statistics are not ready.
func (s *Server) openIncidents(r *Request) (int, error) {
	res, err := s.deps.Cube.Run(r.Context(), r.Scope(), cube.Query{Measures: []cube.Measure{cube.Backlog}})
	if fault.Is(err, fault.Unavailable) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int(res.Total.Values[0].V), nil
}
