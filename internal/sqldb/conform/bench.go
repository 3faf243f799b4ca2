package conform

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"statincidents/internal/sqldb"
)

// BenchmarkWrite measures commands that share commits: it reports them per
// second and the disk flushes they cost through their duration.
func BenchmarkWrite(b *testing.B, db *sqldb.DB, writers int) {
	ctx := b.Context()
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
					id, err := tx.NextIDs(ctx, 1, "bench", 1)
					if err != nil {
						return err
					}
					_, err = tx.Exec(ctx, `INSERT INTO team (tenant_id, team_id, name) VALUES ($1, $2, $3)`, 1, id, fmt.Sprint("team ", id))
					return err
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
}
