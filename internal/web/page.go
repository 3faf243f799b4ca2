package web

import (
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// Page is embedded by every page's struct. The handler sets the first fields;
// the rest is dressed when the page is shown. Its printer's methods are the
// page's own: {{.T "web.nav.overview"}}.
type Page struct {
	*locale.Printer

	Title   string // of the window and, by default, the heading
	Heading string // the heading when it differs from the title
	Lede    string // one sentence under the heading
	Crumbs  []Link // the way here, the page itself left out
	Actions []Action

	Notice *Notice
	Frame  Frame
}

// Action is a button of the page's head: a link, or a form when it changes
// something.
type Action struct {
	Label   string
	Icon    string
	Href    string
	Post    bool // sent as a form
	Primary bool
	Key     string // keyboard shortcut: "e"
}

// Frame is what surrounds a page.
type Frame struct {
	Who       auth.Identity
	SignedIn  bool
	Role      string
	Place     string
	Accent    string // six hexadecimal digits; "" for the product's own
	Theme     string
	Slim      bool // the navigation shows icons only
	Nav, End  []NavItem
	Bar       []NavItem // of a phone
	Stream    string
	RequestID string
	Path      string
	Demo      bool
	Query     string
	Languages []Link
	Version   string
}

// NavItem is one entry of the navigation as shown.
type NavItem struct {
	Label   string
	Icon    string
	Href    string
	Current bool
	Key     string
}

// page gives the ground of any page's struct.
func (p *Page) page() *Page { return p }

// Head is the text of the page's first heading.
func (p *Page) Head() string {
	if p.Heading != "" {
		return p.Heading
	}
	return p.Title
}

// UndoSeconds is how long « Annuler » is offered.
func (*Page) UndoSeconds() int { return undoSeconds }

// dress fills what surrounds the page.
func (r *Request) dress(p *Page) error {
	p.Printer = r.Printer
	if p.Notice == nil {
		p.Notice = r.heard()
	}
	s := r.Server
	p.Frame = Frame{
		Who: r.Who, SignedIn: r.SignedIn, Theme: r.Who.Theme,
		Place: r.Settings.Name, RequestID: r.ID, Path: r.Address.Path, Demo: s.deps.Demo, Version: s.deps.Version,
		Query: r.Address.Get("q"), Accent: strings.TrimPrefix(r.Settings.Accent, "#"),
	}
	if c, err := r.Cookie("nav"); err == nil && c.Value == "slim" {
		p.Frame.Slim = true
	}
	for _, l := range locale.Langs {
		if l != r.Lang() {
			p.Frame.Languages = append(p.Frame.Languages, Link{Label: r.T("web.language." + string(l)), Href: r.Address.With("lang", string(l)).String(), Icon: string(l)})
		}
	}
	if !r.SignedIn {
		return nil
	}
	p.Frame.Role = r.T("role." + string(r.Who.Role))
	if s.deps.Live != nil {
		p.Frame.Stream = "/live"
	}
	p.Frame.Nav, p.Frame.End, p.Frame.Bar = s.navigation(r)
	return nil
}

// Badge is a state or a priority: always an icon and a word, never a colour alone.
type Badge struct {
	Icon string
	Word string
	Tone string // of the wash: new, info, planned, warning, good, critical, ""
}

var stateLooks = map[incident.State]Badge{
	incident.New:       {Icon: "circle-dot", Tone: "new"},
	incident.Assigned:  {Icon: "user-check", Tone: "info"},
	incident.Planned:   {Icon: "calendar-clock", Tone: "planned"},
	incident.Waiting:   {Icon: "hourglass", Tone: "warning"},
	incident.Resolved:  {Icon: "circle-check", Tone: "good"},
	incident.Closed:    {Icon: "archive"},
	incident.Cancelled: {Icon: "ban"},
	incident.Merged:    {Icon: "merge"},
}

// StateBadge shows where an incident stands.
func StateBadge(p *locale.Printer, s incident.State) Badge {
	b := stateLooks[s]
	if b.Icon == "" {
		b.Icon = "circle-help"
	}
	b.Word = p.T("state." + string(s))
	return b
}

// PriorityBadge shows a priority, 1 critical … 5 planned; 0 is not known.
func PriorityBadge(p *locale.Printer, priority int) Badge {
	looks := [...]Badge{
		{Icon: "minus"},
		{Icon: "flame", Tone: "critical"},
		{Icon: "chevrons-up", Tone: "warning"},
		{Icon: "equal"},
		{Icon: "chevron-down"},
		{Icon: "calendar-days"},
	}
	if priority < 0 || priority >= len(looks) {
		priority = 0
	}
	b := looks[priority] //nolint:gosec // bounded above
	b.Word = p.T("priority." + string(rune('0'+priority)))
	return b
}
