package web

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/similar"
)

// kindPart proposes a more precise kind of problem from what was written. It
// is asked for again as the sentence is typed.
type kindPart struct {
	*locale.Printer

	Category string // "" when nothing is proposed
	Label    string
	Sure     string // "sûr à 82 %"
	Off      bool   // the reader said that it is not that
}

var kindFragment = newFragment[kindPart]("part_declare_kind.html", "declare-kind")

// declareKind answers while the sentence is being typed.
func (s *Server) declareKind(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	f := r.Blank()
	for _, name := range []string{"school", "category", "title", "not_proposed"} {
		f.values.Set(name, r.Address.Get(name))
	}
	p, err := s.kindPart(r, n, f, f.ID("school"))
	if err != nil {
		return err
	}
	return kindFragment.show(r, p)
}

func (s *Server) kindPart(r *Request, n *names, f *Form, school int64) (kindPart, error) {
	p := kindPart{Printer: r.Printer}
	proposal, ok, err := s.proposal(r, n, f.Get("title"), school, f.ID("category"))
	if err != nil || !ok {
		return p, err
	}
	p.Category, p.Label = id(proposal.Category), n.category(proposal.Category)
	p.Sure = r.T("declare.kind.sure", "share", r.Pct(confidence(proposal), 0))
	p.Off = f.ID("not_proposed") == proposal.Category
	return p, nil
}

// confidence is what is said: never certainty.
func confidence(p similar.Proposal) float64 { return math.Min(p.Confidence, 0.99) }

// proposal is the category that a sentence probably means, within the picture
// that was touched: what a person chose is never contradicted.
func (s *Server) proposal(r *Request, n *names, text string, school, chosen int64) (similar.Proposal, bool, error) {
	text = strings.TrimSpace(text)
	if s.deps.Similar == nil || text == "" || len(text) > similar.MaxText {
		return similar.Proposal{}, false, nil
	}
	if school != 0 && !r.Who.MayDeclareIn(school) {
		school = 0
	}
	found, err := s.deps.Similar.Classify(r.Context(), r.Who.Tenant, text, school)
	if fault.Is(err, fault.Unavailable) {
		return similar.Proposal{}, false, nil // still being loaded
	}
	if err != nil {
		return similar.Proposal{}, false, err
	}
	for _, p := range found {
		path := n.words.Path(p.Category)
		c, known := n.words.Category(p.Category)
		if known && !c.Archived && p.Category != chosen && p.Confidence >= similar.Least && (chosen == 0 || slices.Contains(path, chosen)) {
			return p, true, nil
		}
	}
	return similar.Proposal{}, false, nil
}

// accepted is the category that a sent form means: the proposed one unless its
// reader said no. Without script nothing was proposed yet: what is sure enough
// is filled in, and the confirmation says so.
func (s *Server) accepted(r *Request, f *Form, i incident.Incident) (int64, error) {
	n, err := r.names()
	if err != nil {
		return 0, err
	}
	p, ok, err := s.proposal(r, n, i.Title, i.School, i.Category)
	switch {
	case err != nil || !ok || f.ID("not_proposed") == p.Category:
		return i.Category, err
	case f.ID("proposed") == p.Category || p.Sure || i.Category == 0:
		return p.Category, nil
	}
	return i.Category, nil
}

// alsoAffected counts the reader among those whom an open incident concerns.
func (s *Server) alsoAffected(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	files, err := r.takeFiles(f)
	if err != nil {
		if f.Refused(err) {
			return s.showDeclare(r, status(err), f, false)
		}
		return err
	}
	said := strings.TrimSpace(strings.Join([]string{f.Get("title"), f.Get("description")}, "\n"))
	i, err := s.deps.Incidents.AlsoAffected(r.Context(), r.Who, f.ID("also"), incident.Affected{Room: f.ID("room"), Comment: said, Attachments: files})
	if err != nil {
		if fault.Is(err, fault.Invalid) && f.Refused(err) {
			return s.showDeclare(r, http.StatusUnprocessableEntity, f, false)
		}
		return err
	}
	if err := r.Say(Notice{Text: r.T("declare.also.done", "title", i.Title)}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(i.ID))
}
