package csvin

import (
	"context"
	"errors"
	"io"

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
	// row counts a row read (first pass) or understood (second); the file's
	// bytes say how far the first pass is.
	read(bytes int64)
	understood(rows int)
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
	rows    int // rows read, without the header and the rejected ones
	recoded int
}

func (d *digest) run(ctx context.Context, r io.Reader) error {
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
	return s.each(func(id string, rows []table.Row) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return d.tell(id, rows)
	})
}

// fill is the first pass.
func (d *digest) fill(ctx context.Context, t *table.Reader, s *spool) error {
	for n := 0; ; n++ {
		if n%1000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			d.to.read(t.BytesRead())
		}
		row, err := t.Read()
		if errors.Is(err, io.EOF) {
			d.to.read(t.BytesRead())
			return nil
		}
		if bad, ok := errors.AsType[*table.RowError](err); ok {
			if err := d.to.rejected(ofTable(bad, t.Header())); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		d.rows++
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
	}
}

// tell is the second pass, on the rows of one ticket.
func (d *digest) tell(id string, rows []table.Row) error {
	good := make([]ticketRow, 0, len(rows))
	for _, row := range rows {
		r, bad := d.plan.understand(row, d.to.doubtful)
		if bad != nil {
			if err := d.to.rejected(bad); err != nil {
				return err
			}
			continue
		}
		good = append(good, ticketRow{r, row})
	}
	d.to.understood(len(rows))
	if len(good) == 0 {
		return nil
	}
	good, twice := arrange(good)
	if twice > 0 {
		d.to.duplicate(twice)
	}
	return d.to.ticket(ticket{id: id, steps: tell(d.profile, good), rows: good})
}
