package csvin

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"statincidents/internal/intake/table"
)

// ticket is what a file tells of one incident.
type ticket struct {
	id    string
	steps []step
	rows  []ticketRow
}

// listener is told what is met while a file is read.
type listener interface {
	rejected(p *Problem) error
	doubtful(p *Problem)
	duplicate(n int)
	read(bytes int64) error // how far the first pass is, in the file as stored
	understood(rows int)    // how many more rows the second pass has seen
	// refuse judges a row that was understood against what is there already.
	refuse(r *record, row table.Row) *Problem
	ticket(t ticket) error
}

// digest reads a whole file: a first pass puts its rows aside, ticket by
// ticket; a second one understands them and hands out each ticket with its
// whole story. It gives what the file turned out to be.
type digest struct {
	profile Profile
	to      listener

	format  table.Format
	plan    *plan
	rows    int // rows read, without the header
	kept    int // of which put aside for the second pass
	recoded int
	// orphans are rows that the reader of tables rejected, by the ticket that
	// they seem to be about: they stand beside its other rows.
	orphans map[string][]*Problem
	waiting int
}

// maxOrphans bounds the memory of orphans; further ones stand alone.
const maxOrphans = 5000

// run calls whole, if not nil, between the two passes.
func (d *digest) run(ctx context.Context, r io.Reader, whole func() error) error {
	sep, _ := separator(d.profile.File.Separator)
	o := table.Options{Separator: sep, MaxField: d.profile.File.MaxField}
	if e := d.profile.File.Encoding; e != "auto" {
		o.Encoding = e
	}
	if o.MaxField == 0 {
		o.MaxField = maxText
	}
	t, err := open(r, o)
	if err != nil {
		return err
	}
	d.format = t.Format()
	if d.plan, err = newPlan(d.profile, t.Header()); err != nil {
		return err
	}
	s, err := newSpool(len(t.Header()))
	if err != nil {
		return err
	}
	defer s.close()
	if err := d.fill(ctx, t, s); err != nil {
		return err
	}
	d.recoded = t.Recoded()
	if err := s.seal(); err != nil {
		return err
	}
	if whole != nil {
		if err := whole(); err != nil {
			return err
		}
	}
	if err := s.each(func(id string, rows []table.Row) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return d.tell(id, rows)
	}); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(d.orphans)) {
		for _, p := range d.orphans[id] {
			if err := d.to.rejected(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill is the first pass.
func (d *digest) fill(ctx context.Context, t *table.Reader, s *spool) error {
	for n := 0; ; n++ {
		if n%5000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := d.to.read(t.BytesRead()); err != nil {
				return err
			}
		}
		row, err := t.Read()
		if errors.Is(err, io.EOF) {
			return d.to.read(t.BytesRead())
		}
		d.rows++
		if bad, ok := errors.AsType[*table.RowError](err); ok {
			if err := d.orphan(bad, t.Header()); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		key, bad := d.plan.key(row)
		if bad != nil {
			if err := d.to.rejected(bad); err != nil {
				return err
			}
			continue
		}
		if err := s.add(key, row); err != nil {
			return err
		}
		d.kept++
	}
}

// orphan rejects a row that is not even a row, with the ticket that it seems to
// be about if a ticket has several rows.
func (d *digest) orphan(bad *table.RowError, header []string) error {
	p := ofTable(bad, header)
	if at := d.plan.ticket; d.profile.Rows.Per == PerUpdate && at < len(bad.Fields) && d.waiting < maxOrphans {
		if key := tidy(bad.Fields[at]); key != "" {
			if d.orphans == nil {
				d.orphans = map[string][]*Problem{}
			}
			d.orphans[key] = append(d.orphans[key], p)
			d.waiting++
			return nil
		}
	}
	return d.to.rejected(p)
}

// tell is the second pass, on the rows of one ticket.
func (d *digest) tell(id string, rows []table.Row) error {
	good := make([]ticketRow, 0, len(rows))
	bad := d.orphans[id]
	delete(d.orphans, id)
	for _, row := range rows {
		r, p := d.plan.understand(row, d.to.doubtful)
		if p == nil {
			p = d.to.refuse(&r, row)
		}
		if p != nil {
			bad = append(bad, p)
			continue
		}
		good = append(good, ticketRow{r, row})
	}
	d.to.understood(len(rows))
	for _, p := range bad {
		if err := d.to.rejected(p); err != nil {
			return err
		}
	}
	if len(bad) > 0 && d.profile.Rows.Per == PerUpdate {
		for _, r := range good {
			if err := d.to.rejected(problem(r.row, "", Companion)); err != nil {
				return err
			}
		}
	}
	if len(good) == 0 {
		return nil
	}
	good, twice := arrange(good)
	if twice > 0 {
		d.to.duplicate(twice)
	}
	return d.to.ticket(ticket{id: id, steps: tell(d.profile, good), rows: good})
}
