package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/batch"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// bulkPage asks one change of many incidents: which, what, what it would do,
// and then does it.
type bulkPage struct {
	Page

	IDs     []string
	Count   string
	Action  string
	Choice  Field // of the action
	Chosen  []Field
	Form    *Form
	Kept    []Hidden // what was typed, once it is judged
	Preview *bulkPreview
}

// bulkPreview is what the change would do to each.
type bulkPreview struct {
	Summary string
	Groups  []bulkGroup
	Run     string // on the button; "" when nothing would change
}

type bulkGroup struct {
	Title string
	Tone  string
	Icon  string
	Items []bulkItem
}

type bulkItem struct {
	Label string
	Href  string
	Where string
	State Badge
	To    *Badge
	What  string
}

var bulkView = newView[bulkPage]("page_bulk.html", shell)

// bulkActions are what may be asked of many at once.
var bulkActions = []incident.Action{
	incident.Take, incident.Assign, incident.Route, incident.Hold, incident.Resume, incident.Resolve, incident.Close, incident.Comment, incident.Attach, incident.Detach, incident.Reopen, incident.Cancel,
}

// bulkProblem stands beside the actions: link to a problem.
const bulkProblem = "problem"

func (s *Server) bulkRoutes() {
	handle := needs(auth.HandleIncident)
	s.page("GET /incidents/bulk", s.bulk, handle)
	s.page("POST /incidents/bulk", s.bulk, handle)
	s.page("GET /batches/{id}", s.batch, handle)
	s.page("GET /batches/{id}/progress", s.batchProgress, handle)
	s.page("POST /batches/{id}/undo", s.undoBatch, handle)
}

// bulk shows the three steps on one page: what to do, what it would do, and
// does it. Nothing is written before the last.
func (s *Server) bulk(r *Request) error {
	f := r.Filters()
	if r.Method == http.MethodPost {
		var err error
		if f, err = r.Typed(); err != nil {
			return err
		}
	}
	ids, cut, err := s.bulkIDs(r, f)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		if err := r.Say(Notice{Tone: "warning", Text: r.T("desk.bulk.nothing")}); err != nil {
			return err
		}
		return r.Redirect("/incidents?open=yes")
	}
	c, err := s.bulkChange(r, f)
	step := f.Get("step")
	if err != nil && step != "" {
		if !f.Refused(err) {
			return err
		}
		return s.showBulk(r, status(err), ids, cut, f, nil)
	}
	if step == "" || c.Action == "" && c.Problem == 0 {
		return s.showBulk(r, http.StatusOK, ids, cut, f, nil)
	}
	outcomes, err := s.foresee(r, ids, c)
	if err != nil {
		if f.Refused(err) {
			return s.showBulk(r, status(err), ids, cut, f, nil)
		}
		return err
	}
	if step == "run" {
		number, err := s.deps.Batches.Start(r.Context(), r.Who, ids, c)
		if err != nil {
			return err
		}
		return r.Redirect("/batches/" + id(number))
	}
	return s.showBulk(r, http.StatusOK, ids, cut, f, outcomes)
}

// bulkIDs are the incidents chosen: those ticked, or all that a list's address
// leaves, up to batch.Max.
func (s *Server) bulkIDs(r *Request, f *Form) (ids []int64, cut int, err error) {
	if f.Checked("all") {
		values, err := url.ParseQuery(f.Get("filter"))
		if err != nil {
			return nil, 0, &fault.Error{Code: fault.Invalid, Key: "error.invalid", Err: err}
		}
		pressure := values.Get("clock")
		for _, own := range append(slices.Clone(ownParams), "after", "sort", "limit") {
			if own != "period" && own != "sort" {
				values.Del(own)
			}
		}
		q, err := r.listOf(values)
		if err != nil {
			return nil, 0, err
		}
		if err := r.pressing(pressureOf(pressure), &q); err != nil {
			return nil, 0, err
		}
		q.Limit = batch.Max
		page, err := s.deps.Cube.List(r.Context(), r.Scope(), q)
		if err != nil {
			return nil, 0, err
		}
		return page.IDs, page.Total - len(page.IDs), nil
	}
	for _, v := range f.All("ids") {
		for word := range strings.FieldsFuncSeq(v, func(c rune) bool { return c == ',' || c == ' ' }) {
			n, err := strconv.ParseInt(word, 10, 64)
			if err == nil && n > 0 && !slices.Contains(ids, n) && len(ids) < batch.Max {
				ids = append(ids, n)
			}
		}
	}
	return ids, 0, nil
}

// listOf reads the list that some parameters ask for, as list does for the
// reader's own address.
func (r *Request) listOf(values url.Values) (cube.ListQuery, error) {
	there := *r
	u := url.URL{Path: "/incidents", RawQuery: values.Encode()}
	request := r.Clone(r.Context())
	request.URL = &u
	there.Request, there.Address = request, NewAddress(&u)
	q, _, err := there.list()
	return q, err
}

// bulkChange reads what is asked.
func (s *Server) bulkChange(r *Request, f *Form) (batch.Change, error) {
	word := f.Get("action")
	if word == bulkProblem {
		number := f.ID("problem")
		if number == 0 {
			return batch.Change{}, fault.InvalidField("problem", "error.field.required")
		}
		if _, err := s.deps.Problems.Get(r.Context(), r.Who, number); err != nil {
			return batch.Change{}, fault.InvalidField("problem", "error.field.unknown")
		}
		return batch.Change{Problem: number}, nil
	}
	action := incident.Action(word)
	if word == "" {
		return batch.Change{}, nil
	}
	if !slices.Contains(bulkActions, action) {
		return batch.Change{}, fault.InvalidField("action", "error.field.unknown")
	}
	var fields []incident.Field
	for _, field := range bulkFields(action) {
		if f.Get(string(field)) != "" {
			fields = append(fields, field)
		}
	}
	set, err := patchOf(r, f, fields)
	return batch.Change{Action: action, Set: set, Comment: f.Get("comment"), Internal: f.Checked("internal")}, err
}

// bulkFields are the fields that an action needs or takes, required first.
func bulkFields(action incident.Action) []incident.Field {
	var fields []incident.Field
	for _, t := range incident.Transitions {
		if t.Action != action {
			continue
		}
		for _, field := range append(slices.Clone(t.Required), t.Optional...) {
			if !slices.Contains(fields, field) {
				fields = append(fields, field)
			}
		}
	}
	return fields
}

func bulkRequired(action incident.Action, field incident.Field) bool {
	return slices.ContainsFunc(incident.Transitions, func(t incident.Transition) bool {
		return t.Action == action && slices.Contains(t.Required, field)
	})
}

// foresee judges the change on each. What is wrong with the form itself, the
// same for all, is an error.
func (s *Server) foresee(r *Request, ids []int64, c batch.Change) ([]incident.Outcome, error) {
	if c.Problem != 0 {
		tied, err := s.deps.Problems.Incidents(r.Context(), r.Who, c.Problem)
		if err != nil {
			return nil, err
		}
		found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), ids)
		if err != nil {
			return nil, err
		}
		outcomes := make([]incident.Outcome, len(found))
		for k := range found {
			outcomes[k] = incident.Outcome{Incident: found[k], After: found[k], Nothing: slices.Contains(tied, found[k].ID)}
		}
		return outcomes, nil
	}
	outcomes, err := s.deps.Incidents.Preview(r.Context(), r.Who, ids, incident.Change{Action: c.Action, Set: c.Set, Comment: c.Comment, Internal: c.Internal})
	if err != nil {
		return nil, err
	}
	var wrong error
	for _, o := range outcomes {
		switch {
		case o.Err == nil && !o.Nothing:
			return outcomes, nil
		case fault.Is(o.Err, fault.Invalid):
			wrong = o.Err
		}
	}
	if wrong != nil {
		return nil, wrong // nothing would change: it is the form that is wrong
	}
	return outcomes, nil
}

func (s *Server) showBulk(r *Request, status int, ids []int64, cut int, f *Form, outcomes []incident.Outcome) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &bulkPage{
		Page: Page{Title: r.T("desk.bulk"), Crumbs: []Link{{Label: r.T("incidents.title"), Href: "/incidents?open=yes"}}},
		Form: f, Count: r.N("incidents.count", len(ids)), Action: f.Get("action"),
	}
	if cut > 0 {
		p.Lede = r.T("desk.bulk.cut", "max", r.Int(batch.Max), "left", r.Int(cut))
	}
	for _, one := range ids {
		p.IDs = append(p.IDs, id(one))
	}
	options := []Option{{Label: r.T("common.choose")}}
	for _, a := range bulkActions {
		options = append(options, Option{Value: string(a), Label: r.T("incident.action." + string(a))})
	}
	options = append(options, Option{Value: bulkProblem, Label: r.T("desk.bulk.problem")})
	p.Choice = f.Select("action", r.T("desk.bulk.what"), options).Must()
	if err := p.fields(r, n, f); err != nil {
		return err
	}
	if outcomes != nil {
		p.foretell(r, n, outcomes)
		for name, values := range f.values {
			if name != "step" && name != "ids" && name != "all" && name != "filter" {
				for _, v := range values {
					p.Kept = append(p.Kept, Hidden{name, v})
				}
			}
		}
		slices.SortFunc(p.Kept, func(a, b Hidden) int { return strings.Compare(a.Name, b.Name) })
	}
	return bulkView.show(r, status, p)
}

// fields are the controls of the chosen action.
func (p *bulkPage) fields(r *Request, n *names, f *Form) error {
	if p.Action == bulkProblem {
		options, err := r.activeProblems(nil)
		if err != nil {
			return err
		}
		p.Chosen = []Field{f.Select("problem", r.T("problem.name"), options).Must()}
		return nil
	}
	action := incident.Action(p.Action)
	if !slices.Contains(bulkActions, action) {
		return nil
	}
	for _, field := range bulkFields(action) {
		c := n.control(f, field, incident.Incident{})
		if bulkRequired(action, field) {
			c = c.Must()
		}
		p.Chosen = append(p.Chosen, c)
	}
	if slices.Contains(bulkFields(action), incident.FieldComment) {
		p.Chosen = append(p.Chosen, f.Check("internal", r.T("incident.internal.mark")))
	}
	return nil
}

// foretell sorts the outcomes by what becomes of each.
func (p *bulkPage) foretell(r *Request, n *names, outcomes []incident.Outcome) {
	will := bulkGroup{Title: "", Icon: "circle-check"}
	not := bulkGroup{Tone: "warning", Icon: "triangle-alert"}
	same := bulkGroup{Icon: "equal"}
	for _, o := range outcomes {
		i := o.Incident
		item := bulkItem{Label: r.T("incident.number", "number", id(i.ID)), Href: "/incidents/" + id(i.ID)}
		if i.Title != "" {
			item.Label += " · " + i.Title
			item.Where, item.State = n.place(i), StateBadge(r.Printer, i.State)
		}
		switch {
		case o.Err != nil:
			item.What = refusalWords(r, o.Err)
			not.Items = append(not.Items, item)
		case o.Nothing:
			same.Items = append(same.Items, item)
		default:
			if o.After.State != i.State {
				to := StateBadge(r.Printer, o.After.State)
				item.To = &to
			}
			if o.After.Assignee != i.Assignee {
				item.What = n.value(incident.FieldAssignee, o.After.Assignee)
			}
			will.Items = append(will.Items, item)
		}
	}
	p.Preview = &bulkPreview{Summary: Legend(r.N("desk.bulk.will", len(will.Items)), r.N("desk.bulk.not", len(not.Items)), r.N("desk.bulk.same", len(same.Items)))}
	will.Title, not.Title, same.Title = r.N("desk.bulk.will", len(will.Items)), r.N("desk.bulk.not", len(not.Items)), r.N("desk.bulk.same", len(same.Items))
	for _, g := range []bulkGroup{not, will, same} {
		if len(g.Items) > 0 {
			p.Preview.Groups = append(p.Preview.Groups, g)
		}
	}
	if len(will.Items) > 0 {
		p.Preview.Run = r.N("desk.bulk.run", len(will.Items))
	}
}

// refusalWords is a refusal in one sentence.
func refusalWords(r *Request, err error) string {
	summary, fields := r.Error(err)
	refusal, ok := errors.AsType[*fault.Error](err)
	if ok && refusal.Code == fault.Invalid {
		var parts []string
		for _, name := range slices.Sorted(keys(fields)) {
			parts = append(parts, r.Label(r.T("incident.field."+name))+fields[name])
		}
		if len(parts) > 0 {
			return strings.Join(parts, " ")
		}
	}
	return summary
}
