package web

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
	"statincidents/internal/similar"
)

// solutionsPanel says beside an incident what worked on those like it.
type solutionsPanel struct {
	*locale.Printer

	Address   string // of the commands
	Version   int64
	Solutions []solutionCard
	Aside     []solutionCard
	Alike     []nearItem
	Looked    string // what was looked at, or why nothing is said
	Resolve   bool   // the reader may resolve it now
}

// solutionCard is one solution with its proof.
type solutionCard struct {
	*locale.Printer

	Name      string
	Cause     string
	Words     string
	Held      string // 9 times of 10
	Proof     string // at least, how long, when last
	Cautions  []string
	Incidents []nearItem
	Behind    string
	Code      int64
	CauseCode int64
	Key       string
	Say       string // words to write in the resolution
	ApplyKey  string
	RefuseKey string
}

var solutionsView = newFragment[solutionsPanel]("panel_solutions.html", "panel-solutions")

func (s *Server) solutionRoutes() {
	s.page("POST /incidents/{id}/solutions", s.judgeSolution, needs(auth.HandleIncident))
	s.incidentPanel(panel{order: 100, place: panelBeside, show: s.solutions})
}

// solutions shows the panel while the incident is open, to those who handle
// incidents or follow a school's.
func (s *Server) solutions(r *Request, i incident.Incident) (template.HTML, error) {
	if s.deps.Similar == nil || !i.State.Open() || !r.Who.Can(auth.ViewStatistics) {
		return "", nil
	}
	known, err := s.deps.Similar.Solutions(r.Context(), r.Who, i)
	if err != nil {
		return "", err
	}
	n, err := r.names()
	if err != nil {
		return "", err
	}
	p := solutionsPanel{Printer: r.Printer, Address: "/incidents/" + id(i.ID) + "/solutions", Version: i.Version, Resolve: r.Who.Can(auth.HandleIncident)}
	switch {
	case !known.Ready:
		p.Looked = r.T("similar.loading")
	case len(known.Solutions)+len(known.SetAside) == 0 && known.Looked == 0:
		p.Looked = r.T("similar.none")
	case len(known.Solutions)+len(known.SetAside) == 0:
		p.Looked = r.N("similar.sparse", known.Looked)
	default:
		p.Looked = r.N("similar.looked", known.Looked)
	}
	titles, err := s.titles(r, known)
	if err != nil {
		return "", err
	}
	for k := range known.Solutions {
		card := solutionCardOf(r, n, &known.Solutions[k], titles)
		card.ApplyKey = strconv.Itoa(k + 1)
		if k == 0 {
			card.RefuseKey = "x"
		}
		p.Solutions = append(p.Solutions, card)
	}
	for k := range known.SetAside {
		p.Aside = append(p.Aside, solutionCardOf(r, n, &known.SetAside[k], titles))
	}
	for _, a := range known.Alike {
		if i, ok := titles[a.Incident]; ok {
			p.Alike = append(p.Alike, alikeItem(r, n, i))
		}
	}
	return solutionsView.html(p)
}

// titles reads the incidents that a panel names, as far as the reader sees.
func (s *Server) titles(r *Request, known similar.Suggestions) (map[int64]incident.Incident, error) {
	var ids []int64
	for _, a := range known.Alike {
		ids = append(ids, a.Incident)
	}
	for _, list := range [][]similar.Solution{known.Solutions, known.SetAside} {
		for _, sol := range list {
			ids = append(ids, sol.Incidents...)
		}
	}
	found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]incident.Incident, len(found))
	for _, i := range found {
		byID[i.ID] = i
	}
	return byID, nil
}

func alikeItem(r *Request, n *names, i incident.Incident) nearItem {
	item := nearItem{Label: i.Title, Href: "/incidents/" + id(i.ID), State: StateBadge(r.Printer, i.State), When: r.Moment(i.OpenedAt)}
	if i.ResolutionCode != 0 {
		item.Fix = n.words.CodeLabel(i.ResolutionCode, n.lang())
	}
	return item
}

func solutionCardOf(r *Request, n *names, s *similar.Solution, titles map[int64]incident.Incident) solutionCard {
	c := solutionCard{
		Printer: r.Printer, Name: n.words.CodeLabel(s.Code, n.lang()), Cause: n.words.CodeLabel(s.Cause, n.lang()), Words: shorten(s.Words, 220),
		Code: s.Code, CauseCode: s.Cause, Key: s.Key, Behind: r.N("similar.behind", s.Rests),
	}
	if s.Rests > len(s.Incidents) {
		c.Behind = r.N("similar.behind_some", len(s.Incidents), "all", s.Rests)
	}
	if s.Common {
		c.Say = s.Words
	}
	switch {
	case s.Uses == 0:
		c.Held = r.N("similar.unjudged", s.Recent)
	case s.Uses == 1 && s.Held == 1:
		c.Held = r.T("similar.held_once")
	case s.Uses == 1:
		c.Held = r.T("similar.failed_once")
	default:
		c.Held = r.N("similar.held", s.Held, "uses", s.Uses)
	}
	var proof []string
	if s.Uses > 1 {
		proof = append(proof, r.T("similar.least", "share", r.Pct(s.Least, 0)))
	}
	if s.Minutes > 0 {
		proof = append(proof, r.T("similar.usual", "time", r.OpenMinutes(s.Minutes)))
	}
	if !s.Last.IsZero() {
		proof = append(proof, r.T("similar.last", "when", r.Relative(s.Last, r.Now())))
	}
	c.Proof = strings.Join(proof, " · ")
	if s.OneTechnician {
		c.Cautions = append(c.Cautions, r.T("similar.one_technician"))
	}
	if s.Recent > 0 && s.Uses > 0 {
		c.Cautions = append(c.Cautions, r.N("similar.recent", s.Recent))
	}
	if s.Refused > 0 {
		c.Cautions = append(c.Cautions, r.N("similar.refused", s.Refused))
	}
	for _, number := range s.Incidents {
		if i, ok := titles[number]; ok {
			c.Incidents = append(c.Incidents, alikeItem(r, n, i))
		}
	}
	return c
}

// shorten cuts a text at a word.
func shorten(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	cut := string(letters[:most])
	if at := strings.LastIndexByte(cut, ' '); at > most/2 {
		cut = cut[:at]
	}
	return cut + "…"
}

// judgeSolution resolves an incident by a solution that was proposed, sets one
// aside or takes it back.
func (s *Server) judgeSolution(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	if s.deps.Similar == nil {
		return fault.New(fault.Unavailable, "error.unavailable")
	}
	code, _ := strconv.ParseInt(f.Get("resolution_code"), 10, 64)
	cause, _ := strconv.ParseInt(f.Get("cause_code"), 10, 64)
	key := f.Get("key")
	var said Notice
	switch f.Get("do") {
	case "apply":
		version, _ := strconv.ParseInt(f.Get("version"), 10, 64)
		c := incident.Change{Incident: number, Base: version, Action: incident.Resolve, Set: incident.Patch{ResolutionCode: &code, CauseCode: &cause}}
		if text := f.Get("resolution"); text != "" {
			c.Set.Resolution = &text
		}
		after, err := s.deps.Incidents.Act(r.Context(), r.Who, c)
		if err != nil {
			if f.Refused(err) {
				if err := r.sayTheirs(f, err); err != nil {
					return err
				}
				return s.showIncident(r, status(err), number, string(incident.Resolve), f)
			}
			return err
		}
		if err := s.deps.Similar.Applied(r.Context(), r.Who, i, code, cause, key); err != nil {
			return err
		}
		said = Notice{Text: r.T("incident.done.resolve", "title", i.Title), Undo: undoOf(after)}
	case "refuse":
		if err := s.deps.Similar.Refuse(r.Context(), r.Who, i, code, cause, key); err != nil {
			return err
		}
		said = Notice{Text: r.T("similar.set_aside"), Undo: &Undo{Action: "/incidents/" + id(number) + "/solutions", Values: map[string]string{
			"do": "restore", "resolution_code": id(code), "cause_code": id(cause), "key": key,
		}}}
	case "restore":
		if err := s.deps.Similar.Restore(r.Context(), r.Who, i, code, cause, key); err != nil {
			return err
		}
		said = Notice{Text: r.T("similar.restored")}
	default:
		return s.showIncident(r, http.StatusUnprocessableEntity, number, "", r.Blank())
	}
	if err := r.Say(said); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}
