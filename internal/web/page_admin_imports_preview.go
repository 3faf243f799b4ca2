package web

import (
	"errors"
	"slices"
	"strings"

	"statincidents/internal/fault"
	csvin "statincidents/internal/intake/csv"
)

// previewRows is how many rows the page shows as understood.
const previewRows = 8

func preview(r *Request, p csvin.Profile, s csvin.Sample) previewPart {
	out := previewPart{Page: Page{Printer: r.Printer}, Read: r.N("admin.imports.looked", len(s.Rows)+len(s.Problems)), Ignored: strings.Join(p.Ignore, ", ")}
	made, err := csvin.Preview(p, s)
	if err != nil {
		out.Refused = r.profileFaults(err)
		return out
	}
	out.Rejected, out.Doubts = problemRows(r, made.Rejected), problemRows(r, made.Doubts)
	out.Table = Table{Printer: r.Printer, Caption: r.T("admin.imports.preview"), Hide: true, Columns: []Column{{Label: r.T("admin.imports.ticket_short"), Lead: true}}}
	shown := made.Rows[:min(len(made.Rows), previewRows)]
	var columns []string
	for _, target := range csvin.Targets() {
		if slices.ContainsFunc(shown, func(u csvin.Understood) bool {
			return slices.ContainsFunc(u.Values, func(v csvin.Value) bool { return v.Field == target && said(r, v) != "" })
		}) {
			columns = append(columns, target)
			out.Table.Columns = append(out.Table.Columns, Column{Label: r.T("admin.field." + target)})
		}
	}
	for _, u := range shown {
		cells := []Cell{{Text: u.Ticket}}
		for _, target := range columns {
			c := Cell{}
			for _, v := range u.Values {
				if v.Field == target {
					c.Text = short(said(r, v), 60)
				}
			}
			cells = append(cells, c)
		}
		out.Table.Rows = append(out.Table.Rows, TableRow{Cells: cells})
	}
	return out
}

// said is a value as the import understands it, in words.
func said(r *Request, v csvin.Value) string {
	switch {
	case !v.At.IsZero():
		return r.ShortDateTime(v.At)
	case len(v.Path) > 0:
		return strings.Join(v.Path, " › ")
	case v.Text == "":
		return ""
	}
	if key := wordKey(v.Field, v.Text); r.Has(key) {
		return r.T(key)
	}
	return v.Text
}

// profileFaults are the sentences about a profile that does not hold yet.
func (r *Request) profileFaults(err error) []string {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || len(e.Fields) == 0 {
		summary, _ := r.Error(err)
		return []string{summary}
	}
	_, fields := r.Error(err)
	var list []string
	for _, name := range slices.Sorted(keys(fields)) {
		text := fields[name]
		// A profile of a page has no lines.
		if rest, ok := strings.CutPrefix(text, r.T("admin.imports.line", "line", 0)); ok {
			text = strings.TrimLeft(rest, " :\u202f\u00a0")
		}
		label := name
		if parts := strings.Split(name, "."); len(parts) > 1 && parts[0] == "fields" && r.Has("admin.field."+parts[1]) {
			label = r.T("admin.field." + parts[1])
		}
		list = append(list, r.Label(label)+text)
	}
	return list
}

// problemRows tells problems of one kind together, the most frequent first.
func problemRows(r *Request, problems []*csvin.Problem) []problemRow {
	type key struct {
		reason csvin.Reason
		column string
	}
	first, count := map[key]*csvin.Problem{}, map[key]int{}
	var order []key
	for _, p := range problems {
		k := key{p.Reason, p.Column}
		if first[k] == nil {
			first[k] = p
			order = append(order, k)
		}
		count[k]++
	}
	slices.SortStableFunc(order, func(a, b key) int { return count[b] - count[a] })
	var rows []problemRow
	for _, k := range order {
		p := first[k]
		row := problemRow{
			What:  r.T("intake.reason."+string(p.Reason), p.Args...),
			Mend:  r.T("intake.mend."+string(p.Reason), p.Args...),
			Where: r.T("admin.imports.line", "line", p.Line),
		}
		if p.Column != "" {
			row.Where += ", " + r.T("admin.imports.in_column", "column", p.Column)
		}
		if count[k] > 1 {
			row.Where += " (" + r.T("admin.imports.and_more", "n", count[k]-1) + ")"
		}
		rows = append(rows, row)
	}
	return rows
}
