package csvin

import (
	"cmp"
	"slices"
	"time"

	"statincidents/internal/incident"
	"statincidents/internal/intake/table"
)

// step is a change of a ticket, at its instant: set is what its row says of the
// fields, whether it changes them or not.
type step struct {
	at    time.Time
	actor string
	kind  string
	set   [targetCount]cell
}

// ticketRow is a row of a ticket, both as understood and as in the file.
type ticketRow struct {
	record

	row table.Row
}

// arrange puts the rows of a ticket in the order of what happened, and drops
// those that are in the file twice. Rows with the same order and instant stay
// as they stand in the file.
func arrange(rows []ticketRow) (kept []ticketRow, duplicates int) {
	slices.SortStableFunc(rows, func(a, b ticketRow) int {
		return cmp.Or(cmp.Compare(a.order, b.order), a.at.Compare(b.at))
	})
	for _, r := range rows {
		// A copy has the same order and instant: it stands among the neighbours.
		twice := false
		for i := len(kept) - 1; i >= 0 && kept[i].order == r.order && kept[i].at.Equal(r.at); i-- {
			if slices.Equal(kept[i].row.Fields, r.row.Fields) {
				twice = true
				break
			}
		}
		if twice {
			duplicates++
			continue
		}
		kept = append(kept, r)
	}
	return kept, duplicates
}

// tell makes the steps of a ticket from its rows, in order.
//
// Exports repeat on each row what was known at the end: a resolution with its
// code and instant, a closing. Each takes effect only when its state is
// reached, at an instant that is not in the future of that step, and the last
// row has the last word.
func tell(p Profile, rows []ticketRow) []step {
	opened := openedAt(rows)
	t := teller{opened: opened}
	first := &rows[0]
	// A ticket enters as new, at the instant of its opening, and finds its
	// state at its first update.
	entry := first.cells
	if s := first.cells[toState]; s.said && incident.State(s.text) != incident.New {
		entry[toState] = cell{said: true, text: string(incident.New)}
		entry[toWaiting] = cell{}
		entry[toComment] = cell{}
		t.add(opened, "", entry, false)
		for i := range rows {
			t.row(p, &rows[i], i == len(rows)-1)
		}
		return t.steps
	}
	if !first.cells[toState].said {
		entry[toState] = cell{said: true, text: string(incident.New)}
	}
	t.add(opened, first.actor, entry, len(rows) == 1)
	for i := 1; i < len(rows); i++ {
		t.row(p, &rows[i], i == len(rows)-1)
	}
	return t.steps
}

// openedAt is the instant of the ticket's opening as its last row says, else
// its first update.
func openedAt(rows []ticketRow) time.Time {
	for _, r := range slices.Backward(rows) {
		if at := r.cells[toOpened].at(); !at.IsZero() {
			return at
		}
	}
	at := rows[0].at
	for i := range rows {
		if rows[i].at.Before(at) {
			at = rows[i].at
		}
	}
	return at
}

type teller struct {
	opened time.Time
	now    [targetCount]cell // as the ticket stands
	steps  []step
}

func (t *teller) state() incident.State { return incident.State(t.now[toState].text) }

// row tells a row of the log.
func (t *teller) row(p Profile, r *ticketRow, last bool) {
	if p.Rows.Per == PerTicket {
		t.ticket(r, last)
		return
	}
	t.add(r.at, r.actor, r.cells, last)
}

// ticket tells a row that is a whole ticket: its resolution and its closing
// have their own instants.
func (t *teller) ticket(r *ticketRow, last bool) {
	state := t.state()
	if s := r.cells[toState]; s.said {
		state = incident.State(s.text)
	}
	resolved, closed := r.cells[toResolved].at(), r.cells[toClosed].at()
	if state == incident.Closed && !resolved.IsZero() && (closed.IsZero() || !resolved.After(closed)) && t.state() != incident.Resolved && t.state() != incident.Closed {
		mid := r.cells
		mid[toState] = cell{said: true, text: string(incident.Resolved)}
		t.add(resolved, r.actor, mid, false)
	}
	at := r.at
	switch {
	case !state.Open() && !closed.IsZero() && state != incident.Resolved:
		at = closed
	case state == incident.Resolved && !resolved.IsZero():
		at = resolved
	case at.IsZero():
		at = t.opened
	}
	t.add(at, r.actor, r.cells, last)
}

// add tells one change, after which the ticket's fields are those of cells.
func (t *teller) add(at time.Time, actor string, cells [targetCount]cell, last bool) {
	first := len(t.steps) == 0
	// The log's own order is the order of what happened, even where its clock
	// went back: a step is never before the one that it follows.
	if !first && at.Before(t.steps[len(t.steps)-1].at) {
		at = t.steps[len(t.steps)-1].at
	}
	before := t.state()
	state := before
	if cells[toState].said {
		state = incident.State(cells[toState].text)
	}
	ended := !state.Open()
	if !ended {
		for _, to := range []int{toResolutionCode, toResolution, toCause, toResolved, toClosed} {
			cells[to] = cell{said: true}
		}
	}
	if state == incident.Resolved {
		cells[toClosed] = cell{said: true}
	}
	switch {
	case state != incident.Waiting:
		cells[toWaiting] = cell{said: true}
	case !cells[toState].said && cells[toWaiting].text == "":
		cells[toWaiting] = cell{} // the state was not understood: neither was its reason
	}
	if cells[toOpened].said || first {
		cells[toOpened] = cell{said: true, n: millis(t.opened)}
	}
	if ended && !last {
		t.reached(&cells[toResolved], t.now[toResolved], at)
		t.reached(&cells[toClosed], t.now[toClosed], at)
	}
	s := step{at: at, actor: actor, kind: kindOf(first, before, state)}
	s.set = cells
	if s.kind == incident.EventUpdated && (moves(cells[toAssignee], t.now[toAssignee]) || moves(cells[toTeam], t.now[toTeam])) {
		s.kind = incident.EventAssigned
	}
	for to := range cells {
		if cells[to].said && to != toComment {
			t.now[to] = cells[to]
		}
	}
	if room := t.now[toRoom]; !s.set[toRoom].said && s.set[toSchool].said && room.text != "" {
		s.set[toRoom] = room // the room of that name in the other school
	}
	t.steps = append(t.steps, s)
}

// moves tells whether a ticket is given to someone else.
func moves(c, before cell) bool { return c.text != "" && c.text != before.text }

// reached keeps an instant of the file that is still to come at the step's
// instant from being known too early: the state was reached by now.
func (t *teller) reached(c *cell, before cell, at time.Time) {
	if c.n == 0 || c.n <= at.UnixMilli() {
		return
	}
	if before.n != 0 {
		*c = before
		return
	}
	c.n = max(at.UnixMilli(), t.opened.UnixMilli())
}

// kindOf names a change after what it does to the state.
func kindOf(first bool, before, after incident.State) string {
	switch {
	case first:
		return incident.EventDeclared
	case before == after:
		return incident.EventUpdated
	case !before.Open() && after.Open():
		return incident.EventReopened
	}
	switch after {
	case incident.Resolved:
		return incident.EventResolved
	case incident.Closed:
		return incident.EventClosed
	case incident.Cancelled:
		return incident.EventCancelled
	case incident.Merged:
		return incident.EventMerged
	case incident.Waiting:
		return incident.EventHeld
	case incident.Planned:
		return incident.EventPlanned
	case incident.New, incident.Assigned:
	}
	switch {
	case before == incident.Waiting:
		return incident.EventResumed
	case after == incident.Assigned:
		return incident.EventAssigned
	}
	return incident.EventUpdated
}
