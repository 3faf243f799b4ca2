package web

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/fault"
	csvin "statincidents/internal/intake/csv"
	"statincidents/internal/intake/table"
)

// mappingPage says how a file is understood, lets it be corrected, shows what
// comes of it, and starts the import.
type mappingPage struct {
	Page

	Path    string
	Facts   string
	Guessed bool
	Form    *Form
	Text    []Field // how the file is written
	Rows    []Field // what a row is
	Updates []Field // of a log of updates
	Fields  []mappedField
	Keep    []Field // to save the profile
	Preview previewPart
	Trial   *trialView
	Busy    bool
}

// mappedField is one field of an incident: where it comes from, what its
// values mean.
type mappedField struct {
	Name    string
	Label   string
	Needed  bool
	From    []Field // a column, or several for the category
	Text    *Field  // a constant or a template
	Values  []meaningRow
	More    []Field // default, unknown values…
	Summary string
}

type meaningRow struct {
	Written string
	Hidden  Hidden
	Field   Field
	Count   string
}

// previewPart shows the first rows as understood, and what is wrong.
type previewPart struct {
	Page

	Refused  []string // why there is no preview
	Table    Table
	Rejected []problemRow
	Doubts   []problemRow
	Ignored  string
	Read     string
}

type problemRow struct{ What, Mend, Where string }

// trialView is a dry run in the background, or what came of it.
type trialView struct {
	Page

	Path     string
	Running  bool
	Progress Progress
	Lines    []string
	Failed   string
}

var (
	mappingView = newView[mappingPage]("page_admin_imports_map.html", shell)
	trialPartV  = newFragment[trialView]("page_admin_imports_map.html", "trial")
)

// sampleRows is how much of a file the page looks at.
const sampleRows = 1000

func (s *Server) mapping(r *Request) error {
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err != nil {
		return err
	}
	return s.showMapping(r, http.StatusOK, u, r.Blank())
}

func (s *Server) showMapping(r *Request, status int, u csvin.Upload, f *Form) error {
	path := importsPath + "/files/" + u.ID
	p := &mappingPage{
		Page: Page{Title: u.Name, Crumbs: r.adminCrumbs(Link{Label: r.T("admin.imports.title"), Href: importsPath})},
		Path: path, Guessed: u.Guessed, Form: f, Busy: s.deps.Importing.Busy(),
	}
	sample, err := s.deps.Importing.Sample(u, sampleRows)
	if fault.Is(err, fault.Invalid) { // a separator or an encoding that does not fit
		f.Refused(err)
		sample, err = csvin.Sample{}, nil
	}
	if err != nil {
		return err
	}
	m := &mapper{r: r, f: f, p: u.Profile, sample: sample}
	m.fill(p)
	p.Facts = Legend(r.Bytes(u.Size), r.N("admin.imports.columns", len(sample.Header)), r.T("admin.imports.encoding_is", "encoding", cmp.Or(sample.Format.Encoding, "—")))
	p.Preview = preview(r, u.Profile, sample)
	if t, ok := s.deps.Importing.Trial(u.ID); ok {
		v := trialOf(r, path, t)
		p.Trial = &v
	}
	return mappingView.show(r, status, p)
}

// mapper makes the form of a profile, and reads it back.
type mapper struct {
	r      *Request
	f      *Form
	p      csvin.Profile
	sample csvin.Sample
}

// set gives a field of the form its value unless it was typed.
func (m *mapper) set(name, value string) {
	if !m.f.values.Has(name) {
		m.f.values.Set(name, value)
	}
}

func (m *mapper) fill(p *mappingPage) {
	r, f := m.r, m.f
	m.set("separator", cmp.Or(m.p.File.Separator, "auto"))
	m.set("encoding", cmp.Or(m.p.File.Encoding, "auto"))
	m.set("missing", strings.Join(m.p.File.Missing, ", "))
	m.set("zone", cmp.Or(m.p.Dates.Zone, "Europe/Paris"))
	m.set("formats", strings.Join(m.p.Dates.Formats, "\n"))
	encodings := []Option{{Value: "auto", Label: r.T("admin.imports.auto")}}
	for _, e := range table.Encodings {
		encodings = append(encodings, Option{Value: e, Label: e})
	}
	p.Text = []Field{
		f.Select("separator", r.T("admin.imports.separator"), []Option{
			{Value: "auto", Label: r.T("admin.imports.auto")}, {Value: ",", Label: r.T("admin.imports.separator.comma")}, {Value: ";", Label: r.T("admin.imports.separator.semicolon")},
			{Value: "tab", Label: r.T("admin.imports.separator.tab")}, {Value: "|", Label: r.T("admin.imports.separator.bar")},
		}).Plain(),
		f.Select("encoding", r.T("admin.imports.encoding"), encodings).Plain(),
		f.Text("missing", r.T("admin.imports.missing")).Plain().Hinted(r.T("admin.imports.missing_hint")),
		f.Text("zone", r.T("admin.imports.zone")).Plain().Hinted(r.T("admin.imports.zone_hint")),
		f.Area("formats", r.T("admin.imports.formats")).Plain().Hinted(r.T("admin.imports.formats_hint")),
	}
	m.set("per", cmp.Or(m.p.Rows.Per, csvin.PerTicket))
	m.set("ticket", m.p.Rows.Ticket)
	m.set("at", m.p.Rows.At)
	m.set("order", m.p.Rows.Order)
	m.set("actor", m.p.Rows.Actor)
	p.Rows = []Field{
		f.Choices("per", r.T("admin.imports.per"), []Option{{Value: csvin.PerTicket, Label: r.T("admin.imports.per.ticket")}, {Value: csvin.PerUpdate, Label: r.T("admin.imports.per.update")}}).Plain(),
		f.Select("ticket", r.T("admin.imports.ticket"), m.columns("")).Plain(),
	}
	p.Updates = []Field{
		f.Select("at", r.T("admin.imports.at"), m.columns("")).Plain(),
		f.Select("order", r.T("admin.imports.order"), m.columns("")).Plain(),
		f.Select("actor", r.T("admin.imports.actor"), m.columns("")).Plain(),
	}
	for _, target := range csvin.Targets() {
		p.Fields = append(p.Fields, m.field(target))
	}
	m.set("name", m.p.Name)
	m.set("title", m.p.Title[string(r.Lang())])
	m.set("source", m.p.Source)
	p.Keep = []Field{
		f.Text("source", r.T("admin.imports.source")).Plain().AtMost(60).Hinted(r.T("admin.imports.source_hint")),
		f.Text("name", r.T("admin.imports.profile_name")).Plain().AtMost(40).Hinted(r.T("admin.imports.profile_name_hint")),
		f.Text("title", r.T("admin.imports.profile_title")).Plain().AtMost(100),
	}
}

// Marks of the choices of a field that are not columns.
const (
	fromNothing  = ""
	fromConstant = "="
	fromTemplate = "{}"
	fromColumn   = "c:"
)

// columns are the columns of the file as options, each with an example.
func (m *mapper) columns(prefix string) []Option {
	options := []Option{{Label: m.r.T("admin.imports.no_column")}}
	for i, h := range m.sample.Header {
		options = append(options, Option{Value: prefix + h, Label: h + m.example(i)})
	}
	return options
}

// example is the first value of a column, after a dash.
func (m *mapper) example(column int) string {
	for _, row := range m.sample.Rows {
		if v := strings.TrimSpace(row.Fields[column]); v != "" && !slices.Contains(m.p.File.Missing, v) {
			return " — " + short(v, 30)
		}
	}
	return ""
}

// field makes the controls of one field of an incident.
func (m *mapper) field(target string) mappedField {
	r, f := m.r, m.f
	now := m.p.Fields[target]
	name := func(part string) string { return target + "." + part }
	out := mappedField{Name: target, Label: r.T("admin.field." + target), Needed: target == "state" || target == "title" || target == "opened_at"}
	levels := 1
	if target == "category" {
		levels = 3
	}
	columns := now.Columns
	if now.Column != "" {
		columns = []string{now.Column}
	}
	for level := range levels {
		part := "from"
		if level > 0 {
			part += strconv.Itoa(level + 1)
		}
		chosen := fromNothing
		switch {
		case level < len(columns):
			chosen = fromColumn + columns[level]
		case level == 0 && now.Template != "":
			chosen = fromTemplate
		case level == 0 && now.Constant != "":
			chosen = fromConstant
		}
		m.set(name(part), chosen)
		options := m.columns(fromColumn)
		if level == 0 {
			options = append(options, Option{Value: fromConstant, Label: r.T("admin.imports.constant")})
			if target == "title" || target == "description" || target == "comment" || target == "resolution" || target == "machine" {
				options = append(options, Option{Value: fromTemplate, Label: r.T("admin.imports.template")})
			}
		}
		label := out.Label
		if levels > 1 {
			label = r.T("admin.imports.level", "field", out.Label, "n", level+1)
		}
		out.From = append(out.From, f.Select(name(part), label, options).Plain())
	}
	switch f.Get(name("from")) {
	case fromConstant, fromTemplate:
		m.set(name("text"), cmp.Or(now.Constant, now.Template))
		text := f.Text(name("text"), r.T("admin.imports.text")).Plain()
		if words := csvin.WordsOf(target); words != nil {
			text = f.Select(name("text"), r.T("admin.imports.text"), m.words(target)).Plain()
		} else if f.Get(name("from")) == fromTemplate {
			text = text.Hinted(r.T("admin.imports.template_hint"))
		}
		out.Text = &text
		return out
	case fromNothing:
		return out
	}
	m.meanings(target, now, &out)
	m.set(name("unknown"), now.Unknown)
	m.set(name("default"), now.Default)
	if len(out.Values) > 0 || csvin.WordsOf(target) != nil {
		out.More = append(out.More, f.Select(name("unknown"), r.T("admin.imports.unknown"), []Option{
			{Value: "", Label: r.T("admin.imports.unknown.reject")}, {Value: csvin.Keep, Label: r.T("admin.imports.unknown.keep")},
			{Value: csvin.UseDefault, Label: r.T("admin.imports.unknown.default")}, {Value: csvin.Ignore, Label: r.T("admin.imports.unknown.ignore")},
		}).Plain())
	}
	if !strings.HasSuffix(target, "_at") {
		out.More = append(out.More, f.Text(name("default"), r.T("admin.imports.default")).Plain())
	}
	if slices.Contains(creatable, target) {
		create := target != "school"
		if now.Create != nil {
			create = *now.Create
		}
		m.set(name("create"), map[bool]string{true: "yes", false: "no"}[create])
		out.More = append(out.More, f.Select(name("create"), r.T("admin.imports.create"), []Option{
			{Value: "yes", Label: r.T("admin.imports.create.yes")}, {Value: "no", Label: r.T("admin.imports.create.no")},
		}).Plain())
	}
	return out
}

// creatable are the fields whose values can be made when they are not there.
var creatable = []string{"school", "room", "category", "declarant", "assignee", "team", "waiting_code", "cause_code", "resolution_code"}

// maxMeanings bounds the values whose meaning is asked on the page.
const maxMeanings = 40

// meanings asks what the values of a column mean, where the field has a closed
// list or the profile says some already.
func (m *mapper) meanings(target string, now csvin.Field, out *mappedField) {
	words := m.words(target)
	column, ok := strings.CutPrefix(m.f.Get(target+".from"), fromColumn)
	if !ok || words == nil && len(now.Values) == 0 {
		return
	}
	counts := map[string]int{}
	if i := slices.Index(m.sample.Header, column); i >= 0 {
		for _, row := range m.sample.Rows {
			if v := strings.TrimSpace(row.Fields[i]); v != "" && !slices.Contains(m.p.File.Missing, v) {
				counts[v]++
			}
		}
	}
	for v := range now.Values {
		if _, seen := counts[v]; !seen {
			counts[v] = 0
		}
	}
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	known := 0
	for i, v := range values[:min(len(values), maxMeanings)] {
		suffix := strconv.Itoa(i)
		meaning := now.Values[v]
		if meaning == "" && slices.ContainsFunc(words, func(o Option) bool { return o.Value == v }) {
			meaning = v
		}
		// What was typed belongs to the value it stood beside.
		if m.f.Get(target+".v."+suffix) != v {
			m.f.values.Set(target+".m."+suffix, meaning)
		}
		m.set(target+".m."+suffix, meaning)
		if m.f.Get(target+".m."+suffix) != "" {
			known++
		}
		label := m.r.T("admin.imports.means", "value", v)
		field := m.f.Text(target+".m."+suffix, label).Plain()
		if words != nil {
			field = m.f.Select(target+".m."+suffix, label, words).Plain()
		}
		row := meaningRow{Written: v, Hidden: Hidden{target + ".v." + suffix, v}, Field: field}
		if counts[v] > 0 {
			row.Count = m.r.N("admin.imports.rows_count", counts[v])
		}
		out.Values = append(out.Values, row)
	}
	out.Summary = m.r.T("admin.imports.known", "known", known, "values", len(values))
}

// words are the values of a field with a closed list; nil for another field.
func (m *mapper) words(target string) []Option {
	none := Option{Label: m.r.T("admin.imports.no_meaning")}
	numbers := map[string]int{"impact": 3, "urgency": 3, "priority": 5}
	if most := numbers[target]; most > 0 {
		options := []Option{none}
		for n := 1; n <= most; n++ {
			options = append(options, Option{Value: strconv.Itoa(n), Label: m.r.T("admin.imports.word", "n", n, "word", m.r.T(wordKey(target, strconv.Itoa(n))))})
		}
		return options
	}
	words := csvin.WordsOf(target)
	if words == nil {
		return nil
	}
	options := []Option{none}
	for _, w := range words {
		options = append(options, Option{Value: w, Label: m.r.T(wordKey(target, w))})
	}
	return options
}

func wordKey(target, word string) string {
	if target == "state" {
		return "incident.state." + word
	}
	return "incident." + target + "." + word
}

// read makes the profile that the form says, on the ground of the present one.
func (m *mapper) read() csvin.Profile {
	f, p := m.f, m.p
	p.File.Separator, p.File.Encoding = f.Get("separator"), f.Get("encoding")
	p.File.Missing = split(f.Get("missing"), ",")
	p.Dates.Zone = strings.TrimSpace(f.Get("zone"))
	p.Dates.Formats = split(f.Get("formats"), "\n")
	p.Rows.Per, p.Rows.Ticket, p.Rows.At = f.Get("per"), f.Get("ticket"), f.Get("at")
	p.Rows.Order, p.Rows.Actor = "", ""
	if p.Rows.Per == csvin.PerUpdate {
		p.Rows.Order, p.Rows.Actor = f.Get("order"), f.Get("actor")
	} else {
		p.Rows.ActorKind = ""
	}
	used := map[string]bool{p.Rows.Ticket: true, p.Rows.At: true, p.Rows.Order: true, p.Rows.Actor: true}
	fields := map[string]csvin.Field{}
	for _, target := range csvin.Targets() {
		if field, ok := m.readField(target); ok {
			fields[target] = field
			for _, c := range append(field.Columns, field.Column) {
				used[c] = true
			}
			for _, h := range m.sample.Header {
				used[h] = used[h] || strings.Contains(field.Template, "{"+h+"}")
			}
		}
	}
	p.Fields = fields
	p.Ignore = nil
	for _, h := range m.sample.Header {
		if !used[h] && !strings.HasPrefix(h, "!") {
			p.Ignore = append(p.Ignore, h)
		}
	}
	p.Name, p.Source = strings.TrimSpace(f.Get("name")), strings.TrimSpace(f.Get("source"))
	if title := strings.TrimSpace(f.Get("title")); title != "" {
		p.Title = maps.Clone(p.Title)
		if p.Title == nil {
			p.Title = map[string]string{}
		}
		p.Title[string(m.r.Lang())] = title
	}
	return p
}

func (m *mapper) readField(target string) (csvin.Field, bool) {
	was := m.p.Fields[target]
	get := func(part string) string { return strings.TrimSpace(m.f.Get(target + "." + part)) }
	out := csvin.Field{Kind: was.Kind}
	from := get("from")
	column, isColumn := strings.CutPrefix(from, fromColumn)
	switch {
	case from == fromConstant:
		out.Constant, out.Kind = get("text"), ""
		return out, true
	case from == fromTemplate:
		out.Template, out.Default = get("text"), was.Default
		return out, true
	case !isColumn:
		return csvin.Field{}, false
	}
	if target == "category" {
		out.Columns = []string{column}
		for _, part := range []string{"from2", "from3"} {
			if c, ok := strings.CutPrefix(get(part), fromColumn); ok && len(out.Columns) > 0 {
				out.Columns = append(out.Columns, c)
			}
		}
	} else {
		out.Column = column
	}
	same := was.Column == out.Column && slices.Equal(was.Columns, out.Columns)
	out.Optional = same && was.Optional
	if same {
		out.Values = maps.Clone(was.Values) // those past the page's bound stay
	}
	if out.Values == nil {
		out.Values = map[string]string{}
	}
	for i := range maxMeanings {
		value, meaning := m.f.Get(target+".v."+strconv.Itoa(i)), get("m."+strconv.Itoa(i))
		switch {
		case value == "" || !m.f.values.Has(target+".m."+strconv.Itoa(i)):
		case meaning == "":
			delete(out.Values, value)
		case meaning != value:
			out.Values[value] = meaning
		}
	}
	if len(out.Values) == 0 {
		out.Values = nil
	}
	if m.f.values.Has(target+".unknown") || m.f.values.Has(target+".default") {
		out.Unknown, out.Default = get("unknown"), get("default")
	} else {
		out.Unknown, out.Default = was.Unknown, was.Default
	}
	if c := get("create"); c != "" {
		yes := c == "yes"
		out.Create = &yes
	} else {
		out.Create = was.Create
	}
	return out, true
}

// split cuts a text at a mark, leaving out what is empty.
func split(text, mark string) []string {
	var list []string
	for part := range strings.SplitSeq(text, mark) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

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

func (s *Server) correctMapping(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err != nil {
		return err
	}
	sample, err := s.deps.Importing.Sample(u, sampleRows)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	m := &mapper{r: r, f: f, p: u.Profile, sample: sample}
	if u, err = s.deps.Importing.Correct(r.Who, u.ID, m.read()); err != nil {
		return err
	}
	path := importsPath + "/files/" + u.ID
	switch f.Get("then") {
	case "save":
		if err := s.deps.Imports.SaveProfile(r.Context(), r.Who, u.Profile); err != nil {
			return s.refusedMapping(r, u, f, err)
		}
		if err := r.Say(Notice{Text: r.T("admin.imports.profile_saved", "name", profileTitle(r, u.Profile))}); err != nil {
			return err
		}
	case "try":
		if _, err := s.deps.Importing.Start(r.Context(), r.Who, u.ID, true, r.Printer); err != nil {
			return s.refusedMapping(r, u, f, err)
		}
		path += "#trial"
	case "import":
		run, err := s.deps.Importing.Start(r.Context(), r.Who, u.ID, false, r.Printer)
		if err != nil {
			return s.refusedMapping(r, u, f, err)
		}
		path = importsPath + "/runs/" + id(run)
	default:
		// What a script sends while one corrects, and the button without one.
		if r.Fragmentary() {
			return s.showMapping(r, http.StatusOK, u, f)
		}
	}
	return r.Redirect(path)
}

// refusedMapping shows the form again with what its profile lacks.
func (s *Server) refusedMapping(r *Request, u csvin.Upload, f *Form, err error) error {
	if !f.Refused(err) {
		return err
	}
	f.refused = map[string]string{}
	for i, text := range r.profileFaults(err) {
		f.refused[fmt.Sprintf("%03d", i)] = text
	}
	if fault.Is(err, fault.Conflict) {
		f.refused = nil
	}
	return s.showMapping(r, status(err), u, f)
}

func trialOf(r *Request, path string, t csvin.TaskState) trialView {
	v := trialView{Page: Page{Printer: r.Printer}, Path: path, Running: t.Running}
	switch {
	case t.Running:
		v.Progress = r.importProgressOf(t, r.T("admin.imports.trial_running"))
	case t.Err != nil:
		v.Failed, _ = r.Error(t.Err)
	default:
		v.Lines = t.Report.Lines(r.Printer)
	}
	return v
}

// importProgressOf says how far an import is.
func (r *Request) importProgressOf(t csvin.TaskState, label string) Progress {
	p := Progress{ID: "import", Label: label, Done: int(t.Share() * 1000), Total: 1000}
	switch {
	case t.Progress.Total == 0 && t.Progress.Size > 0:
		p.Said = r.T("admin.imports.reading", "done", r.Bytes(t.Progress.Bytes), "size", r.Bytes(t.Progress.Size))
	case t.Progress.Total == 0:
		p.Said = r.T("common.loading")
	case t.Rate == 0:
		p.Said = r.T("admin.imports.writing_first", "rows", t.Progress.Rows, "total", t.Progress.Total)
	default:
		p.Said = r.T("admin.imports.writing", "rows", t.Progress.Rows, "total", t.Progress.Total, "rate", int(t.Rate), "left", r.Duration(t.Left))
	}
	return p
}

func (s *Server) trialPart(r *Request) error {
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err != nil {
		return err
	}
	t, ok := s.deps.Importing.Trial(u.ID)
	if !ok {
		return fault.New(fault.NotFound, "error.not_found")
	}
	if !t.Running { // the rest of the page waited for it
		r.W.Header().Set("Hx-Refresh", "true")
	}
	return trialPartV.show(r, trialOf(r, importsPath+"/files/"+u.ID, t))
}

func (s *Server) cancelTrial(r *Request) error {
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err == nil {
		err = s.deps.Importing.Cancel(r.Who, 0, u.ID)
	}
	if err != nil && !fault.Is(err, fault.NotFound) || u.ID == "" {
		return err
	}
	return r.Redirect(importsPath + "/files/" + u.ID)
}

func (s *Server) confirmForget(r *Request) error {
	u, err := s.deps.Importing.Upload(r.Who, r.PathValue("file"))
	if err != nil {
		return err
	}
	back := importsPath + "/files/" + u.ID
	return r.Confirm(Confirm{
		Title: r.T("admin.imports.forget", "file", u.Name), Text: r.T("admin.imports.forget_text"), Verb: r.T("common.delete"), Action: r.URL.Path, Cancel: back,
		Crumbs: r.adminCrumbs(Link{Label: r.T("admin.imports.title"), Href: importsPath}, Link{Label: u.Name, Href: back}),
	})
}

func (s *Server) forgetUpload(r *Request) error {
	if err := s.deps.Importing.Forget(r.Who, r.PathValue("file")); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("admin.imports.forgotten")}); err != nil {
		return err
	}
	return r.Redirect(importsPath)
}
