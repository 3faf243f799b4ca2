package web

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	csvin "statincidents/internal/intake/csv"
	"statincidents/internal/intake/table"
)

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
