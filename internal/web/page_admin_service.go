package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/servicelevel"
)

// servicePage holds the unit's promises: the targets, what others would have
// made of the past, when people are warned and whether the table of clocks is
// right.
type servicePage struct {
	Page

	Tabs   Tabs
	Usual  *EmptyState // no target yet
	Rows   []targetRow
	Form   *Form
	Fields []Field
	Verb   string
	WhatIf *whatIfPart
	Warn   *Form
	Share  []Field
	Check  *checkPart
}

// targetRow is what holds today for some incidents, with what will follow.
type targetRow struct {
	What, Response, Resolution, Since string
	Edit                              string
	EditLabel                         string
	Next                              []targetNext
}

type targetNext struct {
	Text   string
	Label  string // of the button that takes it back
	Hidden []Hidden
}

type whatIfPart struct {
	Form   *Form
	Days   Field
	Rows   []whatIfFields
	Table  *Table
	Answer string
	Note   string
}

type whatIfFields struct {
	What                 string
	Response, Resolution Field
}

type checkPart struct {
	Answer string
	Good   bool
	Table  *Table
}

var serviceView = newView[servicePage]("page_admin_service.html", shell)

const servicePath = "/admin/service"

func (s *Server) adminServiceRoutes() {
	edit := needs(auth.EditService)
	s.page("GET /admin/service", s.service, edit)
	s.page("POST /admin/service", s.saveTarget, edit)
	s.page("POST /admin/service/usual", s.usualTargets, edit)
	s.page("POST /admin/service/remove", s.removeTarget, edit)
	s.page("POST /admin/service/warn", s.saveWarn, edit)
	s.page("POST /admin/service/check", s.checkClocks, edit, lasts(exportTime))
	s.adminEntry(adminPart{order: 250, key: "admin.service", icon: "timer", href: servicePath, right: auth.EditService, state: func(r *Request, _ *names) ([]string, error) {
		x, err := s.deps.Service.Index(r.Context(), r.Who.Tenant)
		if err != nil {
			return nil, err
		}
		return []string{Legend(r.N("admin.service.count", len(keysOf(x.Targets))), r.T("admin.service.warn_at", "share", r.Pct(float64(x.Warn)/100, 0)))}, nil
	}})
}

func (s *Server) service(r *Request) error {
	f := r.Blank("priority", r.Address.Get("priority"), "category", r.Address.Get("category"), "from", r.today().String())
	if r.Address.Get("priority")+r.Address.Get("category") != "" {
		x, err := s.deps.Service.Index(r.Context(), r.Who.Tenant)
		if err != nil {
			return err
		}
		if t, ok := inForce(x.Targets, servicelevel.Key{Priority: int(f.ID("priority")), Category: f.ID("category")}, r.today()); ok {
			f.values.Set("response", r.minutesText(t.Response))
			f.values.Set("resolution", r.minutesText(t.Resolution))
		}
	}
	return s.showService(r, http.StatusOK, r.Address.Get("tab"), f, nil)
}

func (s *Server) showService(r *Request, code int, tab string, f *Form, check *checkPart) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	x, err := s.deps.Service.Index(r.Context(), r.Who.Tenant)
	if err != nil {
		return err
	}
	p := &servicePage{Page: Page{Title: r.T("admin.service.title"), Lede: r.T("admin.service.what"), Crumbs: r.adminCrumbs()}, Form: f, Check: check}
	p.Tabs = r.TabsBy("tab", r.T("admin.service.tabs"), "targets", r.T("admin.service.targets"), "whatif", r.T("admin.service.whatif"), "watch", r.T("admin.service.watch"))
	for k := range p.Tabs.Items {
		p.Tabs.Items[k].Href = Address{Path: servicePath}.With("tab", []string{"", "whatif", "watch"}[k]).String()
		p.Tabs.Items[k].Current = []string{"", "whatif", "watch"}[k] == tab
	}
	switch tab {
	case "whatif":
		if p.WhatIf, err = s.whatIf(r, n, x.Targets); err != nil {
			return err
		}
	case "watch":
		p.Warn = f
		if !f.values.Has("warn") {
			f.values.Set("warn", strconv.Itoa(x.Warn))
		}
		c := f.Input("number", "warn", r.T("admin.service.warn")).Must().Hinted(r.T("admin.service.warn_hint"))
		c.Suffix = "%"
		p.Share = []Field{c}
	default:
		if len(x.Targets.All()) == 0 {
			p.Usual = &EmptyState{Icon: "timer", Title: r.T("admin.service.none"), Text: r.T("admin.service.none_text")}
		}
		p.Rows = targetRows(r, n, x.Targets)
		p.Fields, p.Verb = targetFields(r, n, f), r.T("admin.service.save")
	}
	return serviceView.show(r, code, p)
}

// keysOf lists what targets are about, in their order.
func keysOf(t servicelevel.Targets) []servicelevel.Key {
	var keys []servicelevel.Key
	for _, one := range t.All() {
		if n := len(keys); n == 0 || keys[n-1] != one.Key() {
			keys = append(keys, one.Key())
		}
	}
	return keys
}

// inForce gives the version of a target that holds on a day.
func inForce(t servicelevel.Targets, key servicelevel.Key, day calendar.Day) (servicelevel.Target, bool) {
	var found servicelevel.Target
	ok := false
	for _, one := range t.All() {
		if one.Key() == key && one.From <= day {
			found, ok = one, true
		}
	}
	return found, ok
}

func (r *Request) keyWords(n *names, k servicelevel.Key) string {
	var said []string
	if k.Category != 0 {
		said = append(said, n.category(k.Category))
	}
	if k.Priority != 0 {
		said = append(said, r.T("incident.priority."+strconv.Itoa(k.Priority)))
	}
	if len(said) == 0 {
		return r.T("admin.service.any")
	}
	return Legend(said...)
}

func targetRows(r *Request, n *names, t servicelevel.Targets) []targetRow {
	var rows []targetRow
	today := r.today()
	for _, key := range keysOf(t) {
		row := targetRow{What: r.keyWords(n, key), Response: "–", Resolution: "–", Since: r.T("admin.service.not_yet")}
		row.Edit = Address{Path: servicePath}.With("priority", strconv.Itoa(key.Priority)).With("category", id(key.Category)).String() + "#change"
		row.EditLabel = r.T("admin.service.change_of", "what", row.What)
		if now, ok := inForce(t, key, today); ok {
			row.Response, row.Resolution = r.targetText(now.Response), r.targetText(now.Resolution)
			row.Since = r.T("admin.service.always")
			if now.From > 0 {
				row.Since = r.T("admin.service.since", "day", r.MediumDay(now.From))
			}
		}
		for _, next := range t.All() {
			if next.Key() != key || next.From < today || next.From == 0 {
				continue
			}
			words := r.T("admin.service.next", "day", r.MediumDay(next.From), "response", r.targetText(next.Response), "resolution", r.targetText(next.Resolution))
			if next.From == today {
				words = r.T("admin.service.today")
			}
			row.Next = append(row.Next, targetNext{Text: words, Label: r.T("admin.service.remove_of", "what", row.What), Hidden: targetHidden(r, next)})
		}
		rows = append(rows, row)
	}
	return rows
}

func targetHidden(r *Request, t servicelevel.Target) []Hidden {
	return []Hidden{
		{"priority", strconv.Itoa(t.Priority)}, {"category", id(t.Category)}, {"from", t.From.String()},
		{"response", r.minutesText(t.Response)}, {"resolution", r.minutesText(t.Resolution)},
	}
}

func targetFields(r *Request, n *names, f *Form) []Field {
	priorities := []Option{{Value: "0", Label: r.T("admin.service.any_priority")}}
	for level := 1; level <= 5; level++ {
		priorities = append(priorities, Option{Value: strconv.Itoa(level), Label: r.T("incident.priority." + strconv.Itoa(level))})
	}
	categories := []Option{{Value: "0", Label: r.T("admin.service.any_category")}}
	for _, c := range n.words.Categories() {
		if !c.Archived || f.ID("category") == c.ID {
			categories = append(categories, Option{Value: id(c.ID), Label: n.category(c.ID)})
		}
	}
	return []Field{
		f.Select("category", r.T("incident.field.category"), categories).Plain(), f.Select("priority", r.T("incident.field.priority"), priorities).Plain(),
		f.Text("response", r.T("service.clock.response")).AtMost(20).Example("8 h 30").Hinted(r.T("admin.service.minutes_hint")),
		f.Text("resolution", r.T("service.clock.resolution")).AtMost(20).Example("38 h"),
		f.Input("date", "from", r.T("admin.service.from")).Must().Hinted(r.T("admin.service.from_hint")),
	}
}

// targetText is a target as a table says it.
func (r *Request) targetText(minutes int) string {
	if minutes == 0 {
		return r.T("admin.service.no_target")
	}
	return r.OpenMinutes(minutes)
}

// minutesText is a target as its field holds it.
func (r *Request) minutesText(minutes int) string {
	if minutes == 0 {
		return ""
	}
	return r.OpenMinutes(minutes)
}

var (
	hoursMinutes = regexp.MustCompile(`^(\d{1,5}) ?(?:h|:) ?(?:([0-5]?\d) ?(?:min|m)?)?$`)
	onlyMinutes  = regexp.MustCompile(`^(\d{1,7}) ?(?:min|mn|m)$`)
	onlyHours    = regexp.MustCompile(`^(\d{1,5}(?:[.,]\d{1,3})?) ?h?$`)
)

// minutesOf reads a length as people write it: "8 h 30", "8:30", "8,5",
// "45 min". Nothing is 0.
func minutesOf(text string) (int, bool) {
	text = strings.ToLower(strings.Join(strings.Fields(strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)), " "))
	if text == "" {
		return 0, true
	}
	if m := hoursMinutes.FindStringSubmatch(text); m != nil {
		h, _ := strconv.Atoi(m[1])
		minutes, _ := strconv.Atoi(m[2])
		return h*60 + minutes, true
	}
	if m := onlyMinutes.FindStringSubmatch(text); m != nil {
		minutes, _ := strconv.Atoi(m[1])
		return minutes, true
	}
	if m := onlyHours.FindStringSubmatch(text); m != nil {
		h, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", "."), 64)
		return int(h*60 + 0.5), err == nil
	}
	return 0, false
}

// typedTarget reads a target from its form.
func typedTarget(f *Form) (servicelevel.Target, error) {
	t := servicelevel.Target{Priority: int(f.ID("priority")), Category: f.ID("category")}
	var wrong fault.Fields
	var ok bool
	if t.Response, ok = minutesOf(f.Get("response")); !ok {
		wrong.Add("response", "admin.service.minutes_unread")
	}
	if t.Resolution, ok = minutesOf(f.Get("resolution")); !ok {
		wrong.Add("resolution", "admin.service.minutes_unread")
	}
	day, err := calendar.ParseDay(f.Get("from"))
	if err != nil || f.Get("from") == "" {
		wrong.Add("from", "error.field.required")
	}
	t.From = day
	return t, wrong.Err()
}

func (s *Server) saveTarget(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	t, err := typedTarget(f)
	x, indexErr := s.deps.Service.Index(r.Context(), r.Who.Tenant)
	if indexErr != nil {
		return indexErr
	}
	undo := &Undo{Action: servicePath + "/remove", Values: map[string]string{"priority": f.Get("priority"), "category": f.Get("category"), "from": f.Get("from")}}
	for _, was := range x.Targets.All() {
		if was.Key() == t.Key() && was.From == t.From {
			undo = &Undo{Action: servicePath, Values: map[string]string{}}
			for _, h := range targetHidden(r, was) {
				undo.Values[h.Name] = h.Value
			}
		}
	}
	if err == nil {
		err = s.deps.Service.SaveTarget(r.Context(), r.Who, t)
	}
	if f.Refused(err) {
		return s.showService(r, status(err), "", f, nil)
	}
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.service.saved", "what", r.keyWords(n, t.Key()), "day", r.MediumDay(t.From)), Undo: undo}); err != nil {
		return err
	}
	return r.Redirect(servicePath)
}

func (s *Server) usualTargets(r *Request) error {
	if err := s.deps.Service.SeedUsual(r.Context(), r.Who); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.service.usual_done")}); err != nil {
		return err
	}
	return r.Redirect(servicePath)
}

func (s *Server) removeTarget(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	t, err := typedTarget(f)
	if err != nil {
		return err
	}
	if err := s.deps.Service.RemoveTarget(r.Context(), r.Who, t.Key(), t.From); err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	notice := Notice{Text: r.T("admin.service.removed", "what", r.keyWords(n, t.Key()))}
	if f.values.Has("resolution") {
		notice.Undo = &Undo{Action: servicePath, Values: map[string]string{"priority": f.Get("priority"), "category": f.Get("category"), "from": f.Get("from"), "response": f.Get("response"), "resolution": f.Get("resolution")}}
	}
	if err := r.Say(notice); err != nil {
		return err
	}
	return r.Redirect(servicePath)
}

func (s *Server) saveWarn(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	x, err := s.deps.Service.Index(r.Context(), r.Who.Tenant)
	if err != nil {
		return err
	}
	err = s.deps.Service.SaveWarn(r.Context(), r.Who, int(f.ID("warn")))
	if f.Refused(err) {
		return s.showService(r, status(err), "watch", f, nil)
	}
	if err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.service.warn_saved"), Undo: &Undo{Action: servicePath + "/warn", Values: map[string]string{"warn": strconv.Itoa(x.Warn)}}}); err != nil {
		return err
	}
	return r.Redirect(servicePath + "?tab=watch")
}

// checkClocks proves that the table of clocks is what the stories say.
func (s *Server) checkClocks(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	report, err := s.deps.Service.Check(r.Context(), r.Who, f.Checked("repair"), nil)
	if err != nil {
		return err
	}
	part := &checkPart{Good: report.Differences == 0, Answer: r.T("admin.service.checked", "incidents", report.Incidents, "differences", report.Differences)}
	if f.Checked("repair") && report.Differences > 0 {
		part.Answer = r.T("admin.service.repaired", "incidents", report.Incidents, "differences", report.Differences)
	}
	if !part.Good {
		part.Table = &Table{Printer: r.Printer, Caption: r.T("admin.service.differences"), Stacked: true, Columns: []Column{
			{Label: r.T("incident.field.number"), Lead: true}, {Label: r.T("admin.service.kept"), Wrap: true}, {Label: r.T("admin.service.proper"), Wrap: true},
		}}
		for _, d := range report.First {
			part.Table.Rows = append(part.Table.Rows, TableRow{Cells: []Cell{{Text: r.T("incident.number", "number", id(d.Incident)), Href: "/incidents/" + id(d.Incident)}, {Text: d.Kept}, {Text: d.Proper}}})
		}
	}
	return s.showService(r, http.StatusOK, "watch", r.Blank(), part)
}

// whatIf tries proposed targets on the incidents of the last days.
func (s *Server) whatIf(r *Request, n *names, t servicelevel.Targets) (*whatIfPart, error) {
	f := r.Filters()
	if !f.values.Has("days") {
		f.values.Set("days", "30")
	}
	p := &whatIfPart{Form: f}
	var days []Option
	for _, d := range []string{"30", "90", "365"} {
		days = append(days, Option{Value: d, Label: r.T("admin.service.days." + d)})
	}
	p.Days = f.Select("days", r.T("admin.service.days"), days).Plain()
	var proposal []servicelevel.Target
	readable := true
	for _, key := range keysOf(t) {
		now, ok := inForce(t, key, r.today())
		if !ok {
			continue
		}
		name := fmt.Sprintf("%d-%d", key.Priority, key.Category)
		row := whatIfFields{What: r.keyWords(n, key)}
		read := func(prefix string, standing int) (int, Field) {
			asked := f.values.Has(prefix + name)
			if !asked {
				f.values.Set(prefix+name, r.minutesText(standing))
			}
			minutes, ok := minutesOf(f.Get(prefix + name))
			c := f.Text(prefix+name, r.T("service.clock."+map[string]string{"r": "response", "s": "resolution"}[prefix])+" · "+row.What).AtMost(20).Plain()
			if !ok || minutes > servicelevel.MaxMinutes {
				c.Error, readable = r.T("admin.service.minutes_unread"), false
			}
			return minutes, c
		}
		proposed := servicelevel.Target{Priority: key.Priority, Category: key.Category}
		proposed.Response, row.Response = read("r", now.Response)
		proposed.Resolution, row.Resolution = read("s", now.Resolution)
		proposal = append(proposal, proposed)
		p.Rows = append(p.Rows, row)
	}
	if len(p.Rows) == 0 || !readable {
		return p, nil
	}
	back := map[string]int{"30": 30, "90": 90, "365": 365}[f.Get("days")]
	if back == 0 {
		back = 30
	}
	report, err := s.deps.Service.WhatIf(r.Context(), r.Who, proposal, r.Now().AddDate(0, 0, -back), r.Now(), r.Now())
	if err != nil {
		return nil, err
	}
	whole := report.Rows[0]
	if whole.ProposedResolution.Judged == 0 {
		p.Answer = r.T("admin.service.whatif_nothing")
		return p, nil
	}
	p.Answer = r.T("admin.service.whatif_answer", "proposed", r.Pct(whole.ProposedResolution.Of(), 0), "now", r.Pct(whole.Resolution.Of(), 0))
	p.Note = r.N("admin.service.whatif_note", whole.Incidents, "judged", whole.ProposedResolution.Judged)
	if !report.Whole {
		p.Note += " " + r.T("admin.service.whatif_capped", "max", servicelevel.MaxWhatIf)
	}
	share := func(s servicelevel.Share) string {
		if s.Judged == 0 {
			return "–"
		}
		return r.Pct(s.Of(), 0)
	}
	p.Table = &Table{Printer: r.Printer, Caption: r.T("admin.service.whatif_table"), Stacked: true, Columns: []Column{
		{Label: r.T("incident.field.priority"), Lead: true}, {Label: r.T("admin.service.incidents"), Num: true},
		{Label: r.T("admin.service.response_now"), Num: true}, {Label: r.T("admin.service.response_then"), Num: true}, {Label: r.T("admin.service.response_median"), Num: true},
		{Label: r.T("admin.service.resolution_now"), Num: true}, {Label: r.T("admin.service.resolution_then"), Num: true}, {Label: r.T("admin.service.resolution_median"), Num: true},
	}}
	for _, row := range report.Rows[1:] {
		p.Table.Rows = append(p.Table.Rows, TableRow{Cells: whatIfCells(r, r.T("incident.priority."+strconv.Itoa(row.Priority)), row, share)})
	}
	p.Table.Foot = whatIfCells(r, r.T("admin.service.together"), whole, share)
	return p, nil
}

func whatIfCells(r *Request, name string, row servicelevel.WhatIfRow, share func(servicelevel.Share) string) []Cell {
	return Cells(name, r.Int(row.Incidents), share(row.Response), share(row.ProposedResponse), r.OpenMinutes(row.MedianResponse),
		share(row.Resolution), share(row.ProposedResolution), r.OpenMinutes(row.MedianResolution))
}
