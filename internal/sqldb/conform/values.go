package conform

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"statincidents/internal/sqldb"
)

func values(t *testing.T, b *bundle) {
	long := strings.Repeat("é", 100_000)
	all := [][]any{
		{int64(1), int64(math.MaxInt64), math.MaxFloat64, "L'écran, « noir » 🖥", []byte{0, 255, 10}},
		{int64(2), int64(math.MinInt64), -0.1, "", []byte{}},
		{int64(3), int64(0), math.SmallestNonzeroFloat64, long, nil},
		{int64(4), sqldb.Flag(true), nil, nil, nil},
	}
	var wide [][]any // the quick way of inserting must not differ from the plain one
	for i := range 10 {
		for _, row := range all {
			wide = append(wide, append([]any{row[0].(int64) + int64(i+1)*10}, row[1:]...))
		}
	}
	columns := []string{"id", "n", "x", "s", "b"}
	b.must(t, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Insert(ctx, "conform", columns, all, ""); err != nil {
			return err
		}
		return tx.Insert(ctx, "conform", columns, wide, "")
	})
	type row struct {
		n int64
		x *float64
		s *string
		b []byte // empty bytes may come back as nil

		null int64 // whether b is NULL
	}
	err := b.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, n, x, s, b, CASE WHEN b IS NULL THEN 1 ELSE 0 END FROM conform ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		seen := 0
		for rows.Next() {
			var id int64
			var r row
			if err := rows.Scan(&id, &r.n, &r.x, &r.s, &r.b, &r.null); err != nil {
				return err
			}
			seen++
			want := all[id%10-1]
			if r.n != want[1] || !same(r.x, want[2]) || !same(r.s, want[3]) {
				t.Errorf("row %d comes back as %d, %v, %v", id, r.n, r.x, r.s)
			}
			if blob, _ := want[4].([]byte); !bytes.Equal(r.b, blob) || sqldb.Flag(blob == nil) != r.null {
				t.Errorf("row %d: bytes come back as %v", id, r.b)
			}
		}
		if seen != 44 {
			t.Errorf("%d rows come back", seen)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func same[T comparable](got *T, want any) bool {
	if got == nil || want == nil {
		return got == nil && want == nil
	}
	return *got == want
}
