package incident

import (
	"testing"

	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// Taking an action back leaves the incident as it was, counters included, and
// tells both in its story; the journal still gives the state.
func TestUndo(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		i := h.declare(t)
		i = h.do(t, h.technician, Change{Incident: i.ID, Action: Take})
		changes := []Change{
			{Action: Assign, Set: Patch{Assignee: &h.second.Person}},
			{Action: Hold, Set: Patch{WaitingCode: &h.reason}},
			{Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause, Resolution: new("Câble changé")}},
			{Action: Edit, Set: Patch{Title: new("Autre titre")}},
		}
		for _, c := range changes {
			c.Incident = i.ID
			done := h.do(t, h.technician, c)
			if _, err := h.Undo(t.Context(), h.second, i.ID, done.Version); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s undone by another: %v", c.Action, err)
			}
			back, err := h.Undo(t.Context(), h.technician, i.ID, done.Version)
			if err != nil {
				t.Fatalf("undo %s: %v", c.Action, err)
			}
			set, _ := Diff(&i, &back)
			if !set.empty() {
				t.Errorf("after undoing %s these differ: %v", c.Action, set.Fields())
			}
			if back.ReopenCount != 0 || back.ReassignCount != i.ReassignCount {
				t.Errorf("undoing %s counts as reopening or reassigning", c.Action)
			}
			if stored := h.stored(t, i.ID); stored != h.folded(t, i.ID) {
				t.Errorf("after undoing %s the journal gives another state", c.Action)
			}
			if _, err := h.Undo(t.Context(), h.technician, i.ID, back.Version); !fault.Is(err, fault.Conflict) {
				t.Errorf("an undo is undone: %v", err)
			}
		}
		done := h.do(t, h.technician, Change{Incident: i.ID, Action: Hold, Set: Patch{WaitingCode: &h.reason}})
		h.do(t, h.second, Change{Incident: i.ID, Action: Comment, Comment: "Vu."})
		if _, err := h.Undo(t.Context(), h.technician, i.ID, done.Version); !fault.Is(err, fault.Conflict) {
			t.Errorf("undone although somebody acted since: %v", err)
		}
		if _, err := h.Undo(t.Context(), h.teacher, 99999, 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown incident: %v", err)
		}
		// The first event, and a comment, stay said.
		fresh := h.declare(t)
		if _, err := h.Undo(t.Context(), h.teacher, fresh.ID, fresh.Version); !fault.Is(err, fault.Conflict) {
			t.Errorf("a declaration is undone: %v", err)
		}
	})
}
