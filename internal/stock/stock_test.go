package stock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

var system = auth.System(1)

type house struct {
	*Service

	db         *sqldb.DB
	school     int64
	teacher    auth.Identity
	technician auth.Identity
	own        int64 // the teacher's incident
	screen     Item
	depot, car Place
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func build(tb testing.TB, db *sqldb.DB) *house {
	tb.Helper()
	ctx := context.Background()
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	incidents := incident.NewService(db, j, places, words, time.UTC)
	h := &house{db: db, Service: New(db, j, incidents)}
	h.school = must[map[string]int64](tb)(places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}}))["0450001A"]
	who := func(account int64, role auth.Role, name string) auth.Identity {
		p := must[directory.Person](tb)(places.SavePerson(ctx, system, directory.Person{Name: name, Kind: directory.Teacher, School: h.school}))
		return auth.Identity{Tenant: 1, Account: account, Role: role, Person: p.ID, Schools: []int64{h.school}}
	}
	h.teacher, h.technician = who(1, auth.Declarant, "Mme Martin"), who(2, auth.Technician, "Tech")
	h.own = must[incident.Incident](tb)(incidents.Declare(ctx, h.teacher, incident.Declaration{Title: "Écran noir", School: h.school})).ID
	h.screen = must[Item](tb)(h.SaveItem(ctx, h.technician, Item{Reference: "E24", Name: "Écran 24 pouces", Kind: "Écrans", Price: 11990, Minimum: 3, Wanted: 10}))
	h.depot = must[Place](tb)(h.SavePlace(ctx, h.technician, Place{Name: "Dépôt d'Orléans", Kind: Depot}))
	h.car = must[Place](tb)(h.SavePlace(ctx, h.technician, Place{Name: "Voiture de Tech", Kind: Car, Person: h.technician.Person}))
	return h
}

func (h *house) book(tb testing.TB, o Order) []Movement {
	tb.Helper()
	return must[[]Movement](tb)(h.Book(context.Background(), h.technician, o))
}

func (h *house) at(tb testing.TB, place Place) int64 {
	tb.Helper()
	return must[*Stock](tb)(h.Stock(context.Background(), h.technician)).At(h.screen.ID, place.ID)
}

// holds checks that what is stored is what the journal says, and that no level
// is below zero.
func (h *house) holds(tb testing.TB) {
	tb.Helper()
	r, err := journal.CheckRebuild(context.Background(), h.db, 1, []journal.Projection{h.Projection()}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, d := range r.Differences {
		tb.Error(d)
	}
	for _, l := range must[*Stock](tb)(h.Stock(context.Background(), h.technician)).levels {
		if l < 0 {
			tb.Errorf("a level is %d", l)
		}
	}
}

func key(tb testing.TB, err error) (string, *fault.Error) {
	tb.Helper()
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok {
		tb.Fatalf("not a refusal: %v", err)
	}
	if len(refusal.Fields) > 0 && refusal.Code == fault.Invalid {
		return refusal.Fields[0].Name + " " + refusal.Fields[0].Key, refusal
	}
	return refusal.Key, refusal
}

// A day: an order comes in, some goes into the car, one is used on an incident,
// taken back, and one is lost.
func TestLedger(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		h.book(t, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 10, Price: 10500, Reason: "Commande 2026-114"})
		h.book(t, Order{Kind: Move, Item: h.screen.ID, From: h.depot.ID, To: h.car.ID, Quantity: 4})
		used := h.book(t, Order{Kind: Use, Item: h.screen.ID, From: h.car.ID, Quantity: 2, Incident: h.own})
		h.book(t, Order{Kind: Loss, Item: h.screen.ID, From: h.car.ID, Quantity: 1, Reason: "Tombé"})
		if depot, car := h.at(t, h.depot), h.at(t, h.car); depot != 6 || car != 1 {
			t.Errorf("%d in the depot, %d in the car", depot, car)
		}
		if got := must[Item](t)(h.Item(ctx, h.technician, h.screen.ID)).Price; got != 10500 {
			t.Errorf("the price is %d, that of the last order is 10500", got)
		}
		all := must[[]Used](t)(h.UsedOn(ctx, h.technician, h.own))
		if len(all) != 1 || all[0].Quantity != 2 || all[0].Price != 10500 || all[0].Place != h.car.Name {
			t.Errorf("the unit is told %+v", all)
		}
		theirs := must[[]Used](t)(h.UsedOn(ctx, h.teacher, h.own))
		if len(theirs) != 1 || theirs[0].Name != h.screen.Name || theirs[0].Price != 0 || theirs[0].Place != "" {
			t.Errorf("the declarant is told %+v", theirs)
		}
		if used[0].School != h.school {
			t.Errorf("the use is of school %d", used[0].School)
		}
		must[Movement](t)(h.Reverse(ctx, h.technician, used[0].ID))
		if car := h.at(t, h.car); car != 3 {
			t.Errorf("%d in the car after the use was taken back", car)
		}
		if all := must[[]Used](t)(h.UsedOn(ctx, h.technician, h.own)); len(all) != 0 {
			t.Errorf("what was taken back is still told: %+v", all)
		}
		_, err := h.Reverse(ctx, h.technician, used[0].ID)
		if got, _ := key(t, err); got != "error.stock.reversed" {
			t.Errorf("taken back twice: %s", got)
		}
		// What came in and went on cannot be taken back from where it came in.
		received := must[[]Movement](t)(h.Ledger(ctx, h.technician, LedgerQuery{Kind: Receive}))[0]
		_, err = h.Reverse(ctx, h.technician, received.ID)
		if got, _ := key(t, err); got != "error.stock.short" {
			t.Errorf("taking back what has gone: %s", got)
		}
		course := must[[]Point](t)(h.Course(ctx, h.technician, h.screen.ID, 0))
		var levels []int64
		for _, p := range course {
			levels = append(levels, p.Quantity)
		}
		if d := cmp.Diff([]int64{10, 8, 7, 9}, levels); d != "" {
			t.Errorf("course (-want +got):\n%s", d)
		}
		h.holds(t)
	})
}

// More than there is is refused with what stands; "anyway" records the
// difference as what it is.
func TestNeverNegativeSilently(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		h.book(t, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 2})
		take := Order{Kind: Use, Item: h.screen.ID, From: h.depot.ID, Quantity: 3, Incident: h.own}
		_, err := h.Book(context.Background(), h.technician, take)
		if got, refusal := key(t, err); got != "error.stock.short" || refusal.Fields[0].Theirs != int64(2) {
			t.Errorf("%s, %+v", got, refusal.Fields)
		}
		if got := h.at(t, h.depot); got != 2 {
			t.Errorf("%d after a refusal", got)
		}
		take.Anyway = true
		done := h.book(t, take)
		if len(done) != 2 || done[0].Kind != Count || !done[0].Discrepancy || done[0].Quantity != 1 || done[1].Kind != Use {
			t.Errorf("booked %+v", done)
		}
		if got := h.at(t, h.depot); got != 0 {
			t.Errorf("%d are left", got)
		}
		h.holds(t)
	})
}

// Ten people take three each where there are ten: three are served.
func TestConcurrentMovementsDoNotOversell(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		h.book(t, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 10})
		var wg sync.WaitGroup
		errs := make([]error, 10)
		for k := range errs {
			wg.Go(func() {
				_, errs[k] = h.Book(context.Background(), h.technician, Order{Kind: Use, Item: h.screen.ID, From: h.depot.ID, Quantity: 3})
			})
		}
		wg.Wait()
		served := 0
		for _, err := range errs {
			if err == nil {
				served++
			} else if got, _ := key(t, err); got != "error.stock.short" {
				t.Errorf("refused by %v", err)
			}
		}
		if left := h.at(t, h.depot); served != 3 || left != 1 {
			t.Errorf("%d served, %d left", served, left)
		}
		h.holds(t)
	})
}

func TestCountPlace(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		cable := must[Item](t)(h.SaveItem(ctx, h.technician, Item{Name: "Câble HDMI", Kind: "Câbles"}))
		h.book(t, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 5})
		_, err := h.CountPlace(ctx, h.technician, h.depot.ID, []Counted{{h.screen.ID, 4, 4}, {cable.ID, 0, 7}}, "Inventaire")
		if got, refusal := key(t, err); got != "error.stock.count_moved" || refusal.Fields[0].Theirs != int64(5) {
			t.Errorf("counted on a sheet that is out of date: %s", got)
		}
		done := must[[]Movement](t)(h.CountPlace(ctx, h.technician, h.depot.ID, []Counted{{h.screen.ID, 5, 4}, {cable.ID, 0, 7}}, "Inventaire"))
		if len(done) != 2 || done[0].From != h.depot.ID || done[0].Quantity != 1 || done[1].To != h.depot.ID || done[1].Quantity != 7 {
			t.Errorf("booked %+v", done)
		}
		if again := must[[]Movement](t)(h.CountPlace(ctx, h.technician, h.depot.ID, []Counted{{h.screen.ID, 4, 4}}, "")); len(again) != 0 {
			t.Errorf("a count that agrees books %+v", again)
		}
		h.holds(t)
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := context.Background()
	h.book(t, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 2})
	full := h.depot
	full.Archived = true
	_, placeErr := h.SavePlace(ctx, h.technician, full)
	_, takenErr := h.SaveItem(ctx, h.technician, Item{Name: "Autre", Reference: "E24"})
	_, nobodyErr := h.SavePlace(ctx, h.technician, Place{Name: "Voiture", Kind: Car})
	try := func(o Order) error {
		_, err := h.Book(ctx, h.technician, o)
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a place that is not empty is archived": {placeErr, "archived error.stock.place_not_empty"},
		"a reference that is taken":             {takenErr, "reference error.field.taken"},
		"a car of nobody":                       {nobodyErr, "person error.field.required"},
		"a loss without its reason":             {try(Order{Kind: Loss, Item: h.screen.ID, From: h.depot.ID, Quantity: 1}), "reason error.field.required"},
		"nothing":                               {try(Order{Kind: Use, Item: h.screen.ID, From: h.depot.ID}), "quantity error.field.range"},
		"less than nothing":                     {try(Order{Kind: Use, Item: h.screen.ID, From: h.depot.ID, Quantity: -1}), "quantity error.field.range"},
		"to where it is":                        {try(Order{Kind: Move, Item: h.screen.ID, From: h.depot.ID, To: h.depot.ID, Quantity: 1}), "to error.stock.same_place"},
		"no such item":                          {try(Order{Kind: Receive, Item: 99, To: h.depot.ID, Quantity: 1}), "item error.stock.item_not_found"},
		"no such place":                         {try(Order{Kind: Receive, Item: h.screen.ID, To: 99, Quantity: 1}), "to error.stock.place_not_found"},
		"no such incident":                      {try(Order{Kind: Use, Item: h.screen.ID, From: h.depot.ID, Quantity: 1, Incident: 99}), "incident error.incident.not_found"},
		"tomorrow":                              {try(Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 1, At: sqldb.Now().Add(24 * time.Hour)}), "at error.field.date"},
	} {
		if got, _ := key(t, c.err); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	_, err := h.Book(ctx, h.technician, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 1}, Order{Kind: Use, Item: h.screen.ID, From: h.car.ID, Quantity: 1})
	if _, refusal := key(t, err); refusal.Fields[0].Name != "2.quantity" {
		t.Errorf("the second line is told as %s", refusal.Fields[0].Name)
	}
	if got := h.at(t, h.depot); got != 2 {
		t.Errorf("an order that is refused leaves %d", got)
	}
	for name, err := range map[string]error{
		"stock":   errOf(h.Stock(ctx, h.teacher)),
		"ledger":  errOf(h.Ledger(ctx, h.teacher, LedgerQuery{})),
		"book":    errOf(h.Book(ctx, h.teacher, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 1})),
		"count":   errOf(h.CountPlace(ctx, h.teacher, h.depot.ID, nil, "")),
		"reverse": errOf(h.Reverse(ctx, h.teacher, 1)),
		"item":    errOf(h.SaveItem(ctx, h.teacher, Item{Name: "x"})),
	} {
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("a declarant and the %s: %v", name, err)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestConsumption(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx := context.Background()
	march := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	h.book(t, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 20, At: march})
	h.book(t, Order{Kind: Use, Item: h.screen.ID, From: h.depot.ID, Quantity: 5, Incident: h.own, At: march})
	h.book(t, Order{Kind: Return, Item: h.screen.ID, To: h.depot.ID, Quantity: 2, Incident: h.own, At: march.AddDate(0, 0, 3)})
	h.book(t, Order{Kind: Use, Item: h.screen.ID, From: h.depot.ID, Quantity: 1, At: march.AddDate(0, 1, 0)})
	undone := h.book(t, Order{Kind: Use, Item: h.screen.ID, From: h.depot.ID, Quantity: 7, At: march})
	must[Movement](t)(h.Reverse(ctx, h.technician, undone[0].ID))
	got := must[[]Consumed](t)(h.Consumption(ctx, h.technician, march.AddDate(0, -1, 0), march.AddDate(0, 3, 0), time.UTC))
	month := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	want := []Consumed{
		{h.screen.ID, h.school, month, 3, 3 * 11990},
		{h.screen.ID, 0, month.AddDate(0, 1, 0), 1, 11990},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Whatever is booked, the levels are the fold of the ledger and none is below
// zero.
func TestLevelsAreTheFoldOfTheLedger(t *testing.T) {
	t.Parallel()
	h := build(t, testkit.SQLite(t))
	ctx, made := context.Background(), 0
	rapid.Check(t, func(rt *rapid.T) {
		made++
		h.screen = must[Item](t)(h.SaveItem(ctx, h.technician, Item{Name: fmt.Sprintf("Article %d", made)}))
		want := map[int64]int64{}
		places := []int64{h.depot.ID, h.car.ID}
		for range rapid.IntRange(1, 15).Draw(rt, "n") {
			o := Order{Kind: rapid.SampledFrom([]Kind{Receive, Use, Move, Return, Loss}).Draw(rt, "kind"), Item: h.screen.ID, Quantity: rapid.Int64Range(1, 6).Draw(rt, "quantity"), Reason: "x", Anyway: rapid.Bool().Draw(rt, "anyway")}
			k := rapid.IntRange(0, 1).Draw(rt, "place")
			if o.Kind == Use || o.Kind == Move || o.Kind == Loss {
				o.From = places[k]
			}
			if o.Kind == Receive || o.Kind == Return {
				o.To = places[k]
			}
			if o.Kind == Move {
				o.To = places[1-k]
			}
			done, err := h.Book(ctx, h.technician, o)
			enough := o.From == 0 || want[o.From] >= o.Quantity
			if (err == nil) != (enough || o.Anyway) {
				rt.Fatalf("%+v with %d there: %v", o, want[o.From], err)
			}
			for _, m := range done {
				want[m.From] -= m.Quantity
				want[m.To] += m.Quantity
			}
		}
		for _, p := range []Place{h.depot, h.car} {
			if got := h.at(t, p); got != want[p.ID] || got < 0 {
				rt.Errorf("%s: %d, want %d", p.Name, got, want[p.ID])
			}
		}
	})
	h.holds(t)
}
