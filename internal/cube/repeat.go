package cube

import (
	"cmp"
	"slices"
)

// repeatWithin is how long after another incident one is a repeat, in seconds.
const repeatWithin = 30 * 86400

// The incidents on one machine, and those in one room, are chains from the
// newest to the oldest (by opening, then number). An incident is a repeat when
// the next older one on its machine, or of its category in its room, that is
// counted was opened at most 30 days before it.

// chain is one of the two kinds of chain.
type chain struct {
	f       *facts
	machine bool
}

// head points to the first link (row + 1) of the chain that a row belongs to;
// nil if it belongs to none.
func (h chain) head(row uint32) *uint32 {
	c, i := h.f.at(row)
	switch {
	case h.machine && c.machine[i] != 0:
		return &h.f.machineHead[c.machine[i]]
	case !h.machine && c.room[i] != 0:
		return &h.f.roomHead[c.room[i]]
	}
	return nil
}

func (h chain) next(row uint32) *uint32 {
	c, i := h.f.at(row)
	if h.machine {
		return &c.olderMachine[i]
	}
	return &c.olderInRoom[i]
}

// alike tells whether one of two rows of a chain can repeat the other.
func (h chain) alike(a, b uint32) bool {
	if h.machine {
		return true
	}
	ca, i := h.f.at(a)
	cb, j := h.f.at(b)
	return ca.category[i] == cb.category[j] && ca.category[i] != 0
}

// newer tells whether row a comes before row b in a chain.
func (f *facts) newer(a, b uint32) bool {
	ca, i := f.at(a)
	cb, j := f.at(b)
	return cmp.Or(cmp.Compare(ca.opened[i], cb.opened[j]), cmp.Compare(ca.id[i], cb.id[j])) > 0
}

func (f *facts) counted(row uint32) bool {
	c, i := f.at(row)
	return leftOut[c.status[i]] == 0
}

// link puts a row in its chain and gives the newer rows whose nearest older
// incident it may be.
func (h chain) link(row uint32) (touched []uint32) {
	head := h.head(row)
	if head == nil {
		*h.next(row) = 0
		return nil
	}
	at := head
	for *at != 0 && !h.f.newer(row, *at-1) {
		touched = h.touch(touched, row, *at-1)
		at = h.next(*at - 1)
	}
	*h.next(row) = *at
	*at = row + 1
	return touched
}

// unlink takes a row out of its chain and gives the newer rows whose nearest
// older incident it may have been.
func (h chain) unlink(row uint32) (touched []uint32) {
	at := h.head(row)
	if at == nil {
		return nil
	}
	for *at != row+1 {
		if *at == 0 {
			return nil
		}
		touched = h.touch(touched, row, *at-1)
		at = h.next(*at - 1)
	}
	*at = *h.next(row)
	return touched
}

// touch adds a newer row on the way to row; a counted one hides row from those
// that are newer still.
func (h chain) touch(touched []uint32, row, newer uint32) []uint32 {
	if !h.alike(row, newer) {
		return touched
	}
	if h.f.counted(newer) {
		touched = touched[:0]
	}
	return append(touched, newer)
}

// follows tells whether the next older counted incident of the chain is near.
func (h chain) follows(row uint32) bool {
	if h.head(row) == nil {
		return false
	}
	c, i := h.f.at(row)
	opened := c.opened[i]
	for older := *h.next(row); older != 0; older = *h.next(older - 1) {
		c, i := h.f.at(older - 1)
		if opened-c.opened[i] > repeatWithin {
			return false
		}
		if leftOut[c.status[i]] == 0 && h.alike(row, older-1) {
			return true
		}
	}
	return false
}

func (f *facts) judge(row uint32) {
	c, i := f.at(row)
	c.severity[i] &^= repeatBit
	if (chain{f, true}).follows(row) || (chain{f, false}).follows(row) {
		c.severity[i] |= repeatBit
	}
}

// linkAll builds the chains of freshly loaded rows and judges every row.
func (f *facts) linkAll() {
	order := make([]uint32, f.rows)
	for i := range order {
		order[i] = uint32(i)
	}
	older := func(a, b uint32) int {
		switch {
		case a == b:
			return 0
		case f.newer(a, b):
			return 1
		}
		return -1
	}
	if !slices.IsSortedFunc(order, older) {
		slices.SortFunc(order, older)
	}
	for _, row := range order {
		for _, machine := range []bool{true, false} {
			h := chain{f, machine}
			if head := h.head(row); head != nil {
				*h.next(row) = *head
				*head = row + 1
			}
		}
		f.judge(row) // all that is older is linked
	}
}

// upsert writes a record, new or changed, and keeps chains, repeats and the
// chunk's summary right.
func (f *facts) upsert(r *record) error {
	row, found := f.find(uint32(r.id))
	if !found {
		row = uint32(f.rows)
		if err := f.put(row, r); err != nil {
			return err
		}
		f.relink(row, nil)
		c, i := f.at(row)
		c.added(i)
		return nil
	}
	was := f.get(row)
	c, i := f.at(row)
	opened, ended, out := c.openedDay[i], c.endedDay[i], leftOut[c.status[i]]
	moves := was.opened != r.opened || was.machine != r.machine || was.room != r.room || was.category != r.category ||
		isCounted(was.state) != isCounted(r.state)
	var touched []uint32
	if moves {
		touched = append((chain{f, true}).unlink(row), (chain{f, false}).unlink(row)...)
	}
	if err := f.put(row, r); err != nil {
		return err
	}
	if moves {
		f.relink(row, touched)
	}
	c.changed(i, opened, ended, out)
	return nil
}

// relink puts a row in its chains and judges it and all that it may concern.
func (f *facts) relink(row uint32, touched []uint32) {
	touched = append(touched, (chain{f, true}).link(row)...)
	touched = append(touched, (chain{f, false}).link(row)...)
	f.judge(row)
	for _, t := range touched {
		f.judge(t)
	}
}
