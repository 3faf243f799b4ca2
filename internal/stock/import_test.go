package stock

import (
	"context"
	"testing"

	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// A list makes what is new, changes what is there, counts what it says, leaves
// out what is wrong, and does nothing before it is confirmed.
func TestImport(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := context.Background()
		h.book(t, Order{Kind: Receive, Item: h.screen.ID, To: h.depot.ID, Quantity: 5})
		has := map[string]bool{"reference": true, "name": true, "minimum": true}
		rows := []Row{
			{Line: 2, Item: Item{Reference: "E24", Name: "Écran 24 pouces", Minimum: 9}, Has: has, Place: h.depot.Name, Quantity: 4, Counted: true},
			{Line: 3, Item: Item{Reference: "S1", Name: "Souris"}, Has: has, Place: h.depot.Name, Quantity: 7, Counted: true},
			{Line: 4, Item: Item{Reference: "S2", Name: "Clavier"}, Has: has, Place: "Nulle part", Quantity: 7, Counted: true},
			{Line: 5, Item: Item{Reference: "S3"}, Has: has},
		}
		for _, really := range []bool{false, true} {
			changes := must[[]Change](t)(h.Import(ctx, h.technician, rows, really))
			if c := changes[0]; c.New || !c.Edited || c.From != 5 || c.To != 4 || !c.Moved {
				t.Errorf("really %v: %+v", really, c)
			}
			if c := changes[1]; !c.New || c.To != 7 || c.Err != nil {
				t.Errorf("really %v: %+v", really, c)
			}
			if changes[2].Err == nil || changes[3].Err == nil {
				t.Errorf("really %v: wrong rows pass: %+v", really, changes[2:])
			}
			st := must[*Stock](t)(h.Stock(ctx, h.technician))
			if want := map[bool]int{false: 1, true: 2}[really]; len(st.Items) != want {
				t.Errorf("really %v: %d items", really, len(st.Items))
			}
		}
		if got := h.at(t, h.depot); got != 4 {
			t.Errorf("%d screens", got)
		}
		item := must[Item](t)(h.Item(ctx, h.technician, h.screen.ID))
		if item.Minimum != 9 || item.Price != 11990 || item.Kind != "Écrans" {
			t.Errorf("the item is %+v", item)
		}
		again := must[[]Change](t)(h.Import(ctx, h.technician, rows[:2], true))
		if again[0].Edited || again[0].Moved || again[1].New || again[1].Moved {
			t.Errorf("brought twice: %+v", again)
		}
		h.holds(t)
	})
}
