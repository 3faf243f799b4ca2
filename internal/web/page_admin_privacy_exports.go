package web

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strconv"
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
	err := s.deps.Privacy.Note(ctx, r.Who, privacy.Record{What: what, Format: format, Question: r.URL.Query().Encode(), Address: s.deps.ClientAddress(r.Request), Entries: int64(r.entries)})
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

// noteFilter reads the filter of the list from the address.
func (r *Request) noteFilter(limit int) privacy.RecordFilter {
	f := privacy.RecordFilter{Door: privacy.Door(r.Address.Get("door")), What: r.Address.Get("what"), Limit: limit}
	f.Account, _ = strconv.ParseInt(r.Address.Get("account"), 10, 64) // what is no number is anybody
	if from, ok := dayOf(r.Address.Get("from")); ok {
		f.From = from.Start(r.Location())
	}
	if to, ok := dayOf(r.Address.Get("to")); ok {
		f.To = (to + 1).Start(r.Location())
	}
	f.Before, _ = strconv.ParseInt(r.Address.Get("after"), 10, 64)
	return f
}

func (s *Server) exportNotes(r *Request) error {
	p := r.privacyPage("exports")
	list, n, err := s.notes(r, shownNotes+1)
	if err != nil {
		return err
	}
	p.Note = r.T("privacy.exports.lede")
	if p.Bar, err = s.noteBar(r, n); err != nil {
		return err
	}
	if len(list) == 0 {
		p.Empty = &EmptyState{Icon: "download", Title: r.T("privacy.exports.none"), Text: r.T("privacy.exports.none_text")}
		if len(p.Bar.Active) > 0 {
			p.Empty = &EmptyState{Icon: "search", Title: r.T("privacy.exports.none_here"), Action: &Link{Label: r.T("privacy.exports.all"), Href: exportsPath}}
		}
		return privacyView.show(r, http.StatusOK, p)
	}
	if len(list) > shownNotes {
		list = list[:shownNotes]
		p.More = &Link{Label: r.T("privacy.exports.older"), Href: r.Address.With("after", id(list[shownNotes-1].ID)).String()}
	}
	file := r.Address.Without("after")
	p.Exports = []Link{{Label: r.T("export.csv"), Href: file.At(exportsPath + ".csv").String(), Icon: "download"}, {Label: r.T("export.xlsx"), Href: file.At(exportsPath + ".xlsx").String(), Icon: "download"}}
	p.Table = &Table{Printer: r.Printer, Caption: r.T("privacy.tab.exports"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("privacy.field.at")}, {Label: r.T("privacy.exports.who"), Lead: true}, {Label: r.T("privacy.field.what"), Wrap: true}, {Label: r.T("privacy.field.entries"), Num: true}, {Label: r.T("privacy.field.times"), Num: true}, {Label: r.T("privacy.exports.scope")}, {Label: r.T("privacy.exports.from")},
	}}
	for _, k := range list {
		at := r.Moment(k.At)
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: []Cell{{Moment: &at}, {Text: n.taker(k)}, {Text: r.noteWhat(k), Note: n.noteWords(k)}, {Text: r.Int(k.Entries)}, {Text: r.Int(k.Times)}, {Text: r.reach(k.Scope)}, {Text: k.Address}}})
	}
	return privacyView.show(r, http.StatusOK, p)
}

// noteBar filters by who, what, by which way and when.
func (s *Server) noteBar(r *Request, n *names) (FilterBar, error) {
	accounts, whats, err := s.deps.Privacy.Takers(r.Context(), r.Who)
	if err != nil {
		return FilterBar{}, err
	}
	f := r.Filters()
	who, what, door := []Option{{Label: r.T("common.all")}}, []Option{{Label: r.T("common.all")}}, []Option{{Label: r.T("common.all")}}
	for _, a := range accounts {
		who = append(who, Option{Value: id(a), Label: n.accounts[a]})
	}
	slices.SortStableFunc(who[1:], func(a, b Option) int { return strings.Compare(fold(a.Label), fold(b.Label)) })
	for _, w := range whats {
		what = append(what, Option{Value: w, Label: r.noteWhat(privacy.Record{What: w})})
	}
	slices.SortStableFunc(what[1:], func(a, b Option) int { return strings.Compare(fold(a.Label), fold(b.Label)) })
	for _, d := range privacy.Doors {
		door = append(door, Option{Value: string(d), Label: r.T("privacy.door." + string(d))})
	}
	return r.FilterBar([]Field{
		f.Select("account", r.T("privacy.exports.who"), who), f.Select("what", r.T("privacy.field.what"), what), f.Select("door", r.T("privacy.exports.door"), door),
		f.Input("date", "from", r.T("privacy.exports.since")), f.Input("date", "to", r.T("privacy.exports.until")),
	}), nil
}

func (r *Request) reach(role string) string {
	if key := "role." + role; role != "" && r.Has(key) {
		return r.T(key)
	}
	return ""
}

func (s *Server) notes(r *Request, limit int) ([]privacy.Record, *names, error) {
	list, err := s.deps.Privacy.Records(r.Context(), r.Who, r.noteFilter(limit))
	if err != nil {
		return nil, nil, err
	}
	n, err := r.names()
	if err != nil {
		return nil, nil, err
	}
	n.accounts, err = s.deps.Auth.Names(r.Context())
	return list, n, err
}

func (s *Server) downloadNotes(r *Request) error {
	list, n, err := s.notes(r, mostNotes)
	if err != nil {
		return err
	}
	out, err := r.download("exports", []sheet.Column{{Title: r.T("privacy.field.at"), Kind: sheet.DateTime}, {Title: r.T("privacy.exports.who"), Width: 30}, {Title: r.T("privacy.field.what"), Width: 40}, {Title: r.T("privacy.field.question"), Width: 60}, {Title: r.T("privacy.exports.door")},
		{Title: r.T("privacy.field.format")}, {Title: r.T("privacy.field.entries"), Kind: sheet.Number}, {Title: r.T("privacy.field.times"), Kind: sheet.Number}, {Title: r.T("privacy.exports.scope")}, {Title: r.T("privacy.exports.from")}, {Title: r.T("privacy.exports.path"), Width: 40}, {Title: r.T("privacy.exports.query"), Width: 60}})
	if err != nil {
		return err
	}
	for _, k := range list {
		if err := out.Row(k.At, n.taker(k), r.noteWhat(k), n.noteWords(k), r.T("privacy.door."+string(k.Door)), k.Format, k.Entries, k.Times, r.reach(k.Scope), k.Address, k.What, k.Question); err != nil {
			return err
		}
	}
	return out.Close()
}
