package web

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// Form holds what was typed and what was refused, so that a refused form comes
// back as it was with a sentence beside each field. Its builders make the
// fields; a page's struct keeps them, its template shows them with "field".
type Form struct {
	*locale.Printer

	values  url.Values
	refused map[string]string
	theirs  map[string]string
	labels  map[string]string
	Summary string // why the form was refused, "" if it was not
}

// Typed is the form that was posted. A body that cannot be read is a refusal.
func (r *Request) Typed() (*Form, error) {
	if err := r.readForm(); err != nil {
		if err := understood(err); fault.CodeOf(err) != fault.Internal {
			return nil, err
		}
		return nil, &fault.Error{Code: fault.Invalid, Key: "error.invalid", Err: err}
	}
	return &Form{Printer: r.Printer, values: r.PostForm}, nil
}

// inMemory is how much of a form with files stays in memory, the rest goes to
// temporary files.
const inMemory = 8 << 20

func (r *Request) readForm() error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return r.ParseMultipartForm(inMemory) //nolint:gosec // the route bounds the body
	}
	return r.ParseForm()
}

// dropFiles removes the temporary files of a form. The server does it for the
// request that it made, which sessions and deadlines have replaced by copies.
func (r *Request) dropFiles() {
	if r.MultipartForm == nil {
		return
	}
	if err := r.MultipartForm.RemoveAll(); err != nil {
		r.Server.deps.Log.ErrorContext(r.Context(), "web: temporary files of a form", "request", r.ID, "error", err)
	}
}

// Blank is a form that nobody has filled, with its first values: pairs of name
// and value.
func (r *Request) Blank(pairs ...string) *Form {
	f := &Form{Printer: r.Printer, values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// Get is what was typed in a field.
func (f *Form) Get(name string) string { return f.values.Get(name) }

// All are the values of a field that may have several.
func (f *Form) All(name string) []string { return f.values[name] }

// ID is a field that holds the number of something; 0 if empty or not a number.
func (f *Form) ID(name string) int64 {
	n, err := strconv.ParseInt(f.Get(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Checked tells whether a box is ticked.
func (f *Form) Checked(name string) bool { return f.Get(name) != "" }

// Refused takes in an error that the reader can mend in the form (invalid
// input, a conflict, wrong credentials, too many attempts) and tells whether it
// was one: show the form again with r.RefusedStatus. Any other error is for the
// caller to return.
func (f *Form) Refused(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Invalid, fault.Conflict, fault.Unauthenticated, fault.TooMany:
	default:
		return false
	}
	f.Summary, f.refused = f.Error(err)
	if e, ok := errors.AsType[*fault.Error](err); ok {
		f.theirs = map[string]string{}
		for _, field := range e.Fields {
			if field.Theirs != nil {
				f.theirs[field.Name] = f.Value(field.Theirs)
			}
		}
	}
	return true
}

// Wrong lists the refused fields, for the summary above the form. A field
// without a control in the form is said without a link.
func (f *Form) Wrong() []Link {
	var list []Link
	for _, name := range slices.Sorted(keys(f.refused)) {
		link := Link{Label: f.refused[name]}
		if label := f.labels[name]; label != "" {
			link = Link{Label: f.Label(label) + link.Label, Href: "#f-" + name}
		} else if strings.HasPrefix(name, "checklist.") {
			link.Href = "#" + strings.ReplaceAll(name, ".", "-") // an item of a list on the same page
		}
		list = append(list, link)
	}
	return list
}

// Field is one control with its label, hint and refusal.
type Field struct {
	Kind     string // text, password, email, number, date, time, search, file, textarea, select, choices, check
	Name     string
	ID       string
	Label    string
	Hint     string
	Value    string
	Error    string
	Theirs   string // the value that stands now, after a conflict
	Options  []Option
	Required bool
	Optional string // the word "optional", shown when set
	Auto     string // autocomplete
	Max      int    // characters
	Mode     string // inputmode
	Accept   string // of a file
	Capture  string // of a file: "environment" for the camera
	Multiple bool
	Focus    bool // takes the focus when the page opens
	Suffix   string
	Holder   string // placeholder: an example, never the label
	Key      string // shortcut that focuses it
	List     string // id of the suggestions of a text, which Options hold
	Ask      string // where more suggestions come from while one types, as <option>s; of a text of several lines: names after "@"
}

// Option is one value of a select or of choices.
type Option struct {
	Value  string
	Label  string
	Icon   string
	Group  string // heading under which a select shows it
	Chosen bool
}

func (f *Form) field(kind, name, label string) Field {
	if f.labels == nil {
		f.labels = map[string]string{}
	}
	f.labels[name] = label
	return Field{
		Kind: kind, Name: name, ID: "f-" + name, Label: label, Value: f.Get(name),
		Error: f.refused[name], Theirs: f.theirs[name], Optional: f.T("common.optional"),
	}
}

// Text is a line of text.
func (f *Form) Text(name, label string) Field { return f.field("text", name, label) }

// Password is a secret: what was typed is never sent back.
func (f *Form) Password(name, label string) Field {
	c := f.field("password", name, label)
	c.Value = ""
	return c
}

// Input is a line of another kind: email, number, date, time, search, tel.
func (f *Form) Input(kind, name, label string) Field { return f.field(kind, name, label) }

// Area is a text of several lines.
func (f *Form) Area(name, label string) Field { return f.field("textarea", name, label) }

// File is one file to send, or several.
func (f *Form) File(name, label, accept string) Field {
	c := f.field("file", name, label)
	c.Accept = accept
	return c
}

// Check is one box.
func (f *Form) Check(name, label string) Field { return f.field("check", name, label) }

// Select is a choice in a list; the option that was typed is chosen.
func (f *Form) Select(name, label string, options []Option) Field {
	c := f.field("select", name, label)
	c.Options = f.choose(name, options)
	return c
}

// Choices is a choice among few, all visible.
func (f *Form) Choices(name, label string, options []Option) Field {
	c := f.field("choices", name, label)
	c.Options = f.choose(name, options)
	return c
}

func (f *Form) choose(name string, options []Option) []Option {
	chosen := slices.Clone(options)
	for i := range chosen {
		chosen[i].Chosen = slices.Contains(f.values[name], chosen[i].Value) || !f.values.Has(name) && chosen[i].Value == ""
	}
	return chosen
}

// Must says that the field has to be filled.
func (c Field) Must() Field { c.Required, c.Optional = true, ""; return c }

// Plain leaves the word "optional" out, for filters and preferences.
func (c Field) Plain() Field { c.Optional = ""; return c }

// Hinted adds a sentence under the label.
func (c Field) Hinted(hint string) Field { c.Hint = hint; return c }

// Fill says what a browser may fill in: "username", "current-password"…
func (c Field) Fill(autocomplete string) Field { c.Auto = autocomplete; return c }

// AtMost bounds the text, in characters.
func (c Field) AtMost(n int) Field { c.Max = n; return c }

// First gives the field the focus when the page opens.
func (c Field) First() Field { c.Focus = true; return c }

// Example is shown in the empty field.
func (c Field) Example(text string) Field { c.Holder = text; return c }

// Describes lists the ids that explain the control, for aria-describedby.
func (c Field) Describes() string {
	ids := ""
	if c.Hint != "" {
		ids = c.ID + "-hint"
	}
	if c.Error != "" {
		if ids != "" {
			ids += " "
		}
		ids += c.ID + "-error"
	}
	return ids
}

// Grouped gives the options under their headings, in order of appearance.
func (c Field) Grouped() []OptionGroup {
	var groups []OptionGroup
	for _, o := range c.Options {
		if n := len(groups); n == 0 || groups[n-1].Label != o.Group {
			groups = append(groups, OptionGroup{Label: o.Group})
		}
		g := &groups[len(groups)-1]
		g.Options = append(g.Options, o)
	}
	return groups
}

// OptionGroup is the options of a select under one heading, "" for none.
type OptionGroup struct {
	Label   string
	Options []Option
}
