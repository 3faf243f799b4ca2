package web

import (
	"net/http"

	"statincidents/internal/batch"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// batchPage tells how far a batch is, what became of each, and takes it back.
type batchPage struct {
	Page

	Path    string
	Live    *batchLive
	Stopped bool // the program ended before the batch
	Summary string
	Undo    string // where it is taken back, "" when it cannot be any more
	Why     string // why not, for comments
	Groups  []bulkGroup
}

type batchLive struct {
	*locale.Printer

	Path     string
	Progress Progress
}

var (
	batchView     = newView[batchPage]("page_batch.html", shell)
	batchLiveView = newFragment[batchLive]("page_batch.html", "batch-live")
)

var outcomeLooks = map[batch.Outcome]bulkGroup{
	batch.Done: {Icon: "circle-check"}, batch.Unchanged: {Icon: "equal"}, batch.Refused: {Icon: "triangle-alert", Tone: "warning"},
	batch.Undone: {Icon: "undo-2"}, batch.Kept: {Icon: "triangle-alert", Tone: "warning"}, batch.Waiting: {Icon: "hourglass"},
}

func (s *Server) batch(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	b, err := s.deps.Batches.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	p := &batchPage{Page: Page{Title: batchTitle(r, b), Crumbs: []Link{{Label: r.T("incidents.title"), Href: "/incidents?open=yes"}}}, Path: "/batches/" + id(number)}
	if b.Ended.IsZero() {
		if s.deps.Batches.Working(number) {
			live := r.batchLive(b)
			p.Live = &live
			return batchView.show(r, http.StatusOK, p)
		}
		p.Stopped = true
	}
	var ids []int64
	for _, item := range b.Items {
		ids = append(ids, item.Incident)
	}
	found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), ids)
	if err != nil {
		return err
	}
	by := map[int64]incident.Incident{}
	for _, i := range found {
		by[i.ID] = i
	}
	var parts []string
	for _, o := range batch.Outcomes {
		g := outcomeLooks[o]
		if b.Count(o) == 0 {
			continue
		}
		g.Title = r.N("desk.batch."+string(o), b.Count(o))
		parts = append(parts, g.Title)
		for _, item := range b.Items {
			if item.Outcome != o {
				continue
			}
			i, seen := by[item.Incident]
			row := bulkItem{Label: r.T("incident.number", "number", id(item.Incident)), Href: "/incidents/" + id(item.Incident)}
			if seen {
				row.Label, row.Where, row.State = row.Label+" · "+i.Title, n.place(i), StateBadge(r.Printer, i.State)
			}
			if item.Reason != nil {
				row.What = refusalWords(r, item.Reason)
			}
			g.Items = append(g.Items, row)
		}
		p.Groups = append(p.Groups, g)
	}
	p.Summary = Legend(parts...)
	if b.MayUndo(r.Now()) {
		p.Undo = p.Path + "/undo"
	}
	if b.Change.Action == incident.Comment {
		p.Why = r.T("desk.batch.said")
	}
	return batchView.show(r, http.StatusOK, p)
}

func batchTitle(r *Request, b batch.Batch) string {
	what := r.T("desk.bulk.problem")
	if b.Change.Problem == 0 {
		what = r.T("incident.action." + string(b.Change.Action))
	}
	return what + " · " + r.N("incidents.count", len(b.Items))
}

func (r *Request) batchLive(b batch.Batch) batchLive {
	done := len(b.Items) - b.Count(batch.Waiting)
	return batchLive{Printer: r.Printer, Path: "/batches/" + id(b.ID), Progress: Progress{
		ID: "batch", Label: r.T("desk.batch.running"), Done: done, Total: len(b.Items), Said: r.T("desk.batch.progress", "done", r.Int(done), "total", r.Int(len(b.Items))),
	}}
}

// batchProgress is asked for while the batch runs; at the end it sends the
// reader to the report.
func (s *Server) batchProgress(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	b, err := s.deps.Batches.Get(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	if !b.Ended.IsZero() || !s.deps.Batches.Working(number) {
		return r.Redirect("/batches/" + id(number))
	}
	return batchLiveView.show(r, r.batchLive(b))
}

func (s *Server) undoBatch(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	b, err := s.deps.Batches.Undo(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	tone := ""
	if b.Count(batch.Kept) > 0 {
		tone = "warning"
	}
	if err := r.Say(Notice{Tone: tone, Text: Legend(r.N("desk.batch.undone", b.Count(batch.Undone)), keptWord(r, b))}); err != nil {
		return err
	}
	return r.Redirect("/batches/" + id(number))
}

func keptWord(r *Request, b batch.Batch) string {
	if n := b.Count(batch.Kept); n > 0 {
		return r.N("desk.batch.kept", n)
	}
	return ""
}
