package web

import (
	"net/http"
	"slices"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/jobs"
)

// jobsPage shows what the program does by itself, and what failed.
type jobsPage struct {
	Page

	Tabs     Tabs
	Queues   Table
	Failures []jobRow
	Note     string
	Periodic Table
	Retry    string // kind whose failures can be tried again together
	Several  bool
}

type jobRow struct {
	ID     string
	Kind   string
	State  Badge
	Error  string
	When   Moment
	Next   string // when it is tried again
	Retry  bool
	Cancel bool
}

var jobsView = newView[jobsPage]("page_admin_jobs.html", shell)

const jobsPath = "/admin/jobs"

func (s *Server) adminJobsRoutes() {
	see := needs(auth.ViewSystem)
	s.page("GET /admin/jobs", s.jobs, see)
	s.page("POST /admin/jobs/retry", s.retryJobs, see)
	s.page("POST /admin/jobs/{id}/retry", s.retryJob, see)
	s.page("POST /admin/jobs/{id}/cancel", s.cancelJob, see)
	s.adminEntry(adminPart{order: 850, key: "jobs", icon: "refresh-cw", href: jobsPath, right: auth.ViewSystem, state: func(r *Request, _ *names) ([]string, error) {
		queues, err := s.deps.Jobs.Overview(r.Context(), r.Who)
		if err != nil {
			return nil, err
		}
		waiting, failing := 0, 0
		for _, q := range queues {
			waiting += q.Waiting()
			failing += q.Failing()
		}
		said := []string{r.N("jobs.waiting", waiting)}
		if failing > 0 {
			said = append(said, r.N("jobs.failing", failing))
		}
		return said, nil
	}})
}

// kindOfJob is how people call a kind of job.
func (r *Request) kindOfJob(kind string) string {
	if key := "jobs.kind." + kind; r.Has(key) {
		return r.T(key)
	}
	return kind
}

func (s *Server) jobs(r *Request) error {
	queues, err := s.deps.Jobs.Overview(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p := &jobsPage{Page: Page{Title: r.T("jobs.title"), Lede: r.T("jobs.what"), Crumbs: r.adminCrumbs()}}
	p.Queues = Table{Printer: r.Printer, Caption: r.T("jobs.queues"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("jobs.kind"), Lead: true}, {Label: r.T("jobs.state.available"), Num: true}, {Label: r.T("jobs.state.running"), Num: true}, {Label: r.T("jobs.state.retryable"), Num: true},
		{Label: r.T("jobs.state.discarded"), Num: true}, {Label: r.T("jobs.state.completed"), Num: true}, {Label: r.T("jobs.since")},
	}}
	failing := 0
	for _, q := range queues {
		oldest := Cell{}
		if !q.Oldest.IsZero() {
			at := r.Moment(q.Oldest)
			oldest.Moment = &at
		}
		cells := []Cell{{Text: r.kindOfJob(q.Kind)}}
		for _, state := range []jobs.State{jobs.Available, jobs.Running, jobs.Retryable, jobs.Discarded, jobs.Completed} {
			cells = append(cells, Cell{Text: r.Int(q.Count[state])})
		}
		p.Queues.Rows = append(p.Queues.Rows, TableRow{Cells: append(cells, oldest)})
		failing += q.Failing()
	}
	p.Several = failing > 1
	show := jobs.Filter{States: []jobs.State{jobs.Retryable, jobs.Discarded}}
	if r.Address.Get("show") == "waiting" {
		show.States = []jobs.State{jobs.Available, jobs.Running}
	} else if r.Address.Get("show") == "ended" {
		show.States = []jobs.State{jobs.Completed, jobs.Cancelled}
	}
	p.Tabs = r.TabsBy("show", r.T("jobs.show"), "failing", r.T("jobs.show.failing"), "waiting", r.T("jobs.show.waiting"), "ended", r.T("jobs.show.ended"))
	list, err := s.deps.Jobs.List(r.Context(), r.Who, show)
	if err != nil {
		return err
	}
	for _, j := range list {
		p.Failures = append(p.Failures, r.jobRow(j))
	}
	if len(list) == 0 {
		p.Note = r.T("jobs.none")
	}
	periodic, err := s.deps.Jobs.Periodics(r.Context(), r.Who)
	if err != nil {
		return err
	}
	p.Periodic = Table{Printer: r.Printer, Caption: r.T("jobs.periodic"), Hide: true, Stacked: true, Columns: []Column{
		{Label: r.T("jobs.kind"), Lead: true}, {Label: r.T("jobs.last")}, {Label: r.T("jobs.next")},
	}}
	for _, e := range periodic {
		cells := []Cell{{Text: r.kindOfJob(e.Kind)}, {}, {}}
		if !e.Last.IsZero() {
			last := r.Moment(e.Last)
			cells[1].Moment = &last
		}
		if !e.Next.IsZero() {
			cells[2].Text = r.DateTime(e.Next)
		}
		p.Periodic.Rows = append(p.Periodic.Rows, TableRow{Cells: cells})
	}
	return jobsView.show(r, http.StatusOK, p)
}

func (r *Request) jobRow(j jobs.Job) jobRow {
	row := jobRow{ID: id(j.ID), Kind: r.kindOfJob(j.Kind), Error: j.Error, When: r.Moment(j.CreatedAt)}
	if !j.AttemptedAt.IsZero() {
		row.When = r.Moment(j.AttemptedAt)
	}
	if j.Died {
		row.Error = r.T("jobs.died")
	}
	row.State = Badge{Icon: "clock", Word: r.T("jobs.state." + string(j.State))}
	switch j.State {
	case jobs.Retryable:
		row.State.Icon, row.State.Tone = "triangle-alert", "warning"
		row.Next = r.T("jobs.again", "n", j.Attempt, "most", j.MaxAttempts, "when", r.Relative(j.At, r.Now()))
	case jobs.Discarded:
		row.State.Icon, row.State.Tone = "circle-alert", "critical"
	case jobs.Completed:
		row.State.Icon, row.State.Tone = "circle-check", "good"
	case jobs.Cancelled:
		row.State.Icon = "ban"
	case jobs.Available, jobs.Running:
		if j.At.After(r.Now()) {
			row.Next = r.T("jobs.due", "when", j.At)
		}
	}
	row.Retry = slices.Contains([]jobs.State{jobs.Retryable, jobs.Discarded, jobs.Cancelled}, j.State)
	row.Cancel = j.State == jobs.Retryable || j.State == jobs.Available
	return row
}

func (s *Server) retryJobs(r *Request) error {
	f, err := r.Typed()
	if err != nil {
		return err
	}
	n, err := s.deps.Jobs.RetryAll(r.Context(), r.Who, f.Get("kind"))
	if err != nil {
		return err
	}
	return s.saidJobs(r, r.N("jobs.retried", int(n)))
}

func (s *Server) retryJob(r *Request) error {
	n, err := jobAsked(r)
	if err == nil {
		err = s.deps.Jobs.Retry(r.Context(), r.Who, n)
	}
	if err != nil {
		return err
	}
	return s.saidJobs(r, r.N("jobs.retried", 1))
}

func (s *Server) cancelJob(r *Request) error {
	n, err := jobAsked(r)
	if err == nil {
		err = s.deps.Jobs.Cancel(r.Context(), r.Who, n)
	}
	if err != nil {
		return err
	}
	return s.saidJobs(r, r.T("jobs.cancelled"))
}

func jobAsked(r *Request) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.NotFound, "error.not_found")
	}
	return n, nil
}

func (s *Server) saidJobs(r *Request, text string) error {
	if err := r.Say(Notice{Text: text}); err != nil {
		return err
	}
	return r.Redirect(jobsPath)
}
