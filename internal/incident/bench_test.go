package incident

import (
	"context"
	"fmt"
	"testing"
	"time"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// histories makes some 5.7 steps an incident, each row telling every field as
// a ticket software's log does.
func histories(h *house, steps int) []History {
	var all []History
	for n := 0; steps > 0; n++ {
		told := History{Source: "servicenow", ExternalID: fmt.Sprintf("INC%07d", n)}
		at := march.Add(time.Duration(n) * 7 * time.Minute)
		opened := at
		for k := range 5 + n%3 {
			state := []State{New, Assigned, Assigned, Waiting, Assigned, Resolved, Closed}[k]
			told.Steps = append(told.Steps, Step{At: at, Actor: journal.Actor{Kind: journal.ByPerson, ID: int64(1 + (n+k)%4)}, Set: Patch{
				State: &state, Title: new(fmt.Sprintf("Sous-catégorie %d, symptôme %d", n%246, n%398)), School: &h.schoolA, Category: &h.categories[n%3],
				Impact: new(2), Urgency: new(2), Priority: new(3), Declarant: &h.teacher.Person, Assignee: new(int64((n + k/2) % 4)), Team: &h.team,
				ReassignCount: new(k / 2), OpenedAt: &opened, Target: new(TargetMet),
			}})
			at = at.Add(time.Duration(30+n%600) * time.Minute)
			steps--
		}
		all = append(all, told)
	}
	return all
}

func engines(b *testing.B, fn func(b *testing.B, open func(testing.TB) *sqldb.DB)) {
	b.Run("SQLite", func(b *testing.B) { fn(b, testkit.SQLite) })
	b.Run("PostgreSQL", func(b *testing.B) { fn(b, testkit.PostgreSQL) })
}

func BenchmarkImport(b *testing.B) {
	engines(b, func(b *testing.B, open func(testing.TB) *sqldb.DB) {
		for _, steps := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%d", steps), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					h := build(b, open(b))
					all := histories(h, steps)
					b.StartTimer()
					bring := func() {
						for first := 0; first < len(all); first += 500 {
							h.bring(b, all[first:min(first+500, len(all))]...)
						}
					}
					bring()
					again := time.Now()
					bring()
					b.ReportMetric(float64(time.Since(again).Milliseconds()), "ms/again")
				}
				b.ReportMetric(float64(steps)*float64(b.N)/b.Elapsed().Seconds(), "steps/s")
			})
		}
	})
}

func BenchmarkDeclare(b *testing.B) {
	engines(b, func(b *testing.B, open func(testing.TB) *sqldb.DB) {
		h := build(b, open(b))
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := h.Declare(context.Background(), h.teacher, Declaration{Title: "Panne", School: h.schoolA, Room: h.roomA}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkEdit(b *testing.B) {
	engines(b, func(b *testing.B, open func(testing.TB) *sqldb.DB) {
		h := build(b, open(b))
		i := h.declare(b)
		n := 0
		for b.Loop() {
			n++
			i = h.do(b, h.technician, Change{Incident: i.ID, Base: i.Version, Action: Edit, Set: Patch{Title: new(fmt.Sprint("Panne ", n))}})
		}
	})
}
