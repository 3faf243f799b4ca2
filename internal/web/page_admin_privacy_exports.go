package web

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"statincidents/internal/privacy"
	"statincidents/internal/sheet"
)

const (
	exportsPath = privacyPath + "/exports"
	shownNotes  = 300
	mostNotes   = 100_000
)

// noteExport keeps that a file was taken away: every answer that is a download
// or a calendar, whatever page gave it.
func (s *Server) noteExport(r *Request) {
	h := r.W.Header()
	taken := strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || strings.HasPrefix(h.Get("Content-Type"), "text/calendar")
	if !taken || s.deps.Privacy == nil || r.Method == http.MethodHead {
		return
	}
	format := strings.TrimPrefix(path.Ext(r.URL.Path), ".")
	if format == "" {
		format, _, _ = strings.Cut(h.Get("Content-Type"), ";")
	}
	what := strings.TrimSuffix(r.URL.Path, path.Ext(r.URL.Path))
	if strings.Contains(r.Pattern, "{token}") {
		what, _, _ = strings.Cut(r.Pattern[strings.IndexByte(r.Pattern, '/'):], "{") // a token is a secret
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	var question []string
	query := r.URL.Query()
	for _, k := range slices.Sorted(keys(query)) {
		question = append(question, k+" = "+strings.Join(query[k], ", "))
	}
	err := s.deps.Privacy.Note(ctx, r.Who, privacy.Record{What: what, Format: format, Question: strings.Join(question, " · "), Address: s.deps.ClientAddress(r.Request), Entries: int64(r.entries)})
	if err != nil {
		s.log.Error("an export could not be noted", "error", err, "request", r.ID)
	}
}

// counted counts the rows of a file.
type counted struct {
	sheet.Writer

	r *Request
}

func (c counted) Row(cells ...any) error {
	c.r.exported(1)
	return c.Writer.Row(cells...)
}

func (s *Server) exportNotes(r *Request) error {
	p := r.privacyPage("exports")
	list, names, err := s.notes(r, shownNotes)
	if err != nil {
		return err
	}
	p.Note = r.T("privacy.exports.lede")
	if len(list) == 0 {
		p.Empty = &EmptyState{Icon: "download", Title: r.T("privacy.exports.none"), Text: r.T("privacy.exports.none_text")}
		return privacyView.show(r, http.StatusOK, p)
	}
	p.Exports = []Link{{Label: r.T("export.csv"), Href: exportsPath + ".csv", Icon: "download"}, {Label: r.T("export.xlsx"), Href: exportsPath + ".xlsx", Icon: "download"}}
	p.Table = &Table{Printer: r.Printer, Caption: r.T("privacy.tab.exports"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("privacy.field.at")}, {Label: r.T("privacy.exports.who"), Lead: true}, {Label: r.T("privacy.field.what"), Wrap: true}, {Label: r.T("privacy.field.entries"), Num: true}, {Label: r.T("privacy.field.times"), Num: true}, {Label: r.T("privacy.exports.scope")}, {Label: r.T("privacy.exports.from")},
	}}
	for _, n := range list {
		at := r.Moment(n.At)
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Moment: &at}, {Text: names(n.Account)}, {Text: n.What + " (" + n.Format + ")", Note: n.Question}, {Text: r.Int(n.Entries)}, {Text: r.Int(n.Times)}, {Text: r.reach(n.Scope)}, {Text: n.Address}}})
	}
	return privacyView.show(r, http.StatusOK, p)
}

func (r *Request) reach(role string) string {
	if key := "role." + role; role != "" && r.Has(key) {
		return r.T(key)
	}
	return ""
}

func (s *Server) notes(r *Request, limit int) ([]privacy.Record, func(int64) string, error) {
	list, err := s.deps.Privacy.Records(r.Context(), r.Who, 0, limit)
	if err != nil {
		return nil, nil, err
	}
	accounts, err := s.deps.Auth.Names(r.Context())
	return list, func(account int64) string {
		if account == 0 {
			return r.T("privacy.exports.link")
		}
		return accounts[account]
	}, err
}

func (s *Server) downloadNotes(r *Request) error {
	list, names, err := s.notes(r, mostNotes)
	if err != nil {
		return err
	}
	out, err := r.download("exports", []sheet.Column{{Title: r.T("privacy.field.at"), Kind: sheet.DateTime}, {Title: r.T("privacy.exports.who"), Width: 30}, {Title: r.T("privacy.field.what"), Width: 40}, {Title: r.T("privacy.field.format")},
		{Title: r.T("privacy.field.question"), Width: 60}, {Title: r.T("privacy.field.entries"), Kind: sheet.Number}, {Title: r.T("privacy.field.times"), Kind: sheet.Number}, {Title: r.T("privacy.exports.scope")}, {Title: r.T("privacy.exports.from")}})
	if err != nil {
		return err
	}
	for _, n := range list {
		if err := out.Row(n.At, names(n.Account), n.What, n.Format, n.Question, n.Entries, n.Times, r.reach(n.Scope), n.Address); err != nil {
			return err
		}
	}
	return out.Close()
}
