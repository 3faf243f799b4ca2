package web

import (
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// nearPart is what is already reported where somebody declares. It is asked
// for again as the form is filled.
type nearPart struct {
	*locale.Printer

	Known  []knownCard // alike
	Beside []knownCard // in the same room, of another kind
	Seen   string      // the numbers shown, sent with the form: what was seen is not asked twice
}

// knownCard is an open incident as a declarant of the school may know it.
type knownCard struct {
	ID    string
	Title string
	Room  string
	State Badge
	When  string // when work is expected
	Same  string // what it has in common
	Also  string // on the button that joins it
}

var nearFragment = newFragment[nearPart]("part_declare_near.html", "declare-near")

// declareNear answers while the form is being filled.
func (s *Server) declareNear(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	f := r.Blank()
	for _, name := range []string{"school", "room", "category", "machine"} {
		f.values.Set(name, r.Address.Get(name))
	}
	p, err := s.nearPart(r, n, aboutOf(f, f.ID("school")))
	if err != nil {
		return err
	}
	return nearFragment.show(r, p)
}

func (s *Server) nearPart(r *Request, n *names, about incident.About) (nearPart, error) {
	p := nearPart{Printer: r.Printer}
	known, err := s.deps.Incidents.KnownAt(r.Context(), r.Who, about, r.Now())
	if err != nil {
		return p, err
	}
	var seen []string
	for _, k := range known {
		seen = append(seen, id(k.ID))
		if alike(k, about) {
			p.Known = append(p.Known, knownCardOf(r, n, k))
		} else {
			p.Beside = append(p.Beside, knownCardOf(r, n, k))
		}
	}
	p.Seen = strings.Join(seen, " ")
	return p, nil
}

func knownCardOf(r *Request, n *names, k incident.Known) knownCard {
	c := knownCard{ID: id(k.ID), Title: k.Title, Room: n.places.RoomName(k.Room), Also: r.T("declare.also"), State: StateBadge(r.Printer, k.State)}
	if c.Room == "" {
		c.Room = r.T("declare.near.whole_school")
	}
	if k.PlannedAt.After(r.Now()) {
		c.When = r.T("declare.near.planned", "when", r.DateTime(k.PlannedAt))
	}
	switch k.Same {
	case incident.SameMachine:
		c.Same = r.T("declare.near.same_machine")
	case incident.SameRoomAndMatter, incident.SameRoom:
		c.Same = r.T("declare.near.same_room")
	case incident.SameMatter:
		c.Same = r.T("declare.near.same_matter")
	}
	return c
}

// unseen tells whether something like the declaration is already reported that
// its author has not been shown. Another kind of trouble in the same room is
// shown beside the form and holds nobody back.
func (s *Server) unseen(r *Request, f *Form, about incident.About) (bool, error) {
	if again, err := s.deps.Incidents.Repeats(r.Context(), r.Who, f.Get("once")); again || err != nil {
		return false, err
	}
	known, err := s.deps.Incidents.KnownAt(r.Context(), r.Who, about, r.Now())
	seen := strings.Fields(strings.Join(f.All("seen"), " "))
	return slices.ContainsFunc(known, func(k incident.Known) bool {
		return alike(k, about) && k.Same != incident.SameMatter && !slices.Contains(seen, id(k.ID))
	}), err
}

// alike tells what may be the same trouble from what only stands in the same
// room.
func alike(k incident.Known, about incident.About) bool {
	return k.Same != incident.SameRoom || about.Category == 0 || k.Category == 0
}

// declaredPage says what happens now.
type declaredPage struct {
	Page

	Number   string
	Incident string // its title
	Place    string
	Kind     string // of problem
	Proposed string // that it was proposed from the sentence, and how surely
	// Categories changes the kind, nil when it is too late or not the reader's to do.
	Categories *Field
	Due        string // when it is to be solved, as far as is promised
	Delay      string
	Seen       string // who will see it
	Advice     string
	Draft      string
	Again      string
	Open       string
}

var declaredView = newView[declaredPage]("page_declared.html", shell)

// declared confirms: the number, how long it may take, who sees it, and what
// to do meanwhile.
func (s *Server) declared(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &declaredPage{
		Page:   Page{Title: r.T("declared.title", "number", id(i.ID)), Heading: r.T("declared.heading")},
		Number: id(i.ID), Incident: i.Title, Place: n.place(i), Kind: n.category(i.Category), Advice: n.words.Advice(i.Category, n.lang()),
		Seen: r.T("declared.seen", "school", n.places.SchoolName(i.School)), Draft: id(r.Who.Account),
		Again: "/declare?school=" + id(i.School), Open: "/incidents/" + id(i.ID),
	}
	if i.AtSchool() {
		p.Seen = r.T("chain.declared")
		if r.Who.Can(auth.HandleSchool) {
			p.Seen = r.T("chain.declared.own")
		}
	}
	if slices.ContainsFunc(incident.Available(r.Who, i), func(t incident.Transition) bool { return t.Action == incident.Refile }) {
		c := r.Blank("category", id(i.Category)).Select("category", r.T("incident.field.category"), n.categoryOptions(r.T("common.choose"))).Must()
		p.Categories = &c
	}
	for at := range n.words.Path(i.Category) {
		above := int64(0)
		if at > 0 {
			above = n.words.Path(i.Category)[at-1]
		}
		if proposal, ok, err := s.proposal(r, n, i.Title, i.School, above); err != nil {
			return err
		} else if ok && proposal.Category == i.Category && i.Version == 1 {
			p.Proposed = r.T("declared.kind.proposed", "sure", r.T("declare.kind.sure", "share", r.Pct(confidence(proposal), 0)))
		}
	}
	if s.deps.Service != nil && i.State.Open() {
		clock, err := s.deps.Service.Clock(r.Context(), r.Scope(), i.ID, r.Now())
		if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Unavailable) {
			return err
		}
		if clock.Resolution.Due.After(r.Now()) {
			p.Due = r.T("declared.due", "when", r.DateTime(clock.Resolution.Due))
		}
	}
	if p.Delay, err = s.usualDelay(r, n, i.Category); err != nil {
		return err
	}
	return declaredView.show(r, http.StatusOK, p)
}
