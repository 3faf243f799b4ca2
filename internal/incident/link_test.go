package incident

import (
	"slices"
	"testing"
	"time"

	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// Whoever a merged incident concerned follows the target, with what they said;
// taking the merge back, at once or by reopening, takes them out again and
// leaves those who joined the target themselves.
func TestMergeLosesNobody(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		paul, anne := h.colleague(t, 21, "M. Paul"), h.colleague(t, 22, "Mme Anne")
		target := h.declare(t)
		twin := must[Incident](t)(h.Declare(ctx, paul, Declaration{Title: "Plus d'image", Description: "Depuis ce matin", School: h.schoolA, Room: h.roomA}))
		twin = must[Incident](t)(h.AlsoAffected(ctx, anne, twin.ID, Affected{Comment: "Chez moi aussi"}))
		target = must[Incident](t)(h.AlsoAffected(ctx, anne, target.ID, Affected{}))
		merged := h.do(t, h.technician, Change{Incident: twin.ID, Action: Merge, Set: Patch{MergedInto: &target.ID}})
		for _, who := range []int64{paul.Person, anne.Person} {
			if now := h.stored(t, target.ID); !now.Affected.Has(who) {
				t.Errorf("person %d does not follow the target: %q", who, now.Affected)
			}
		}
		if _, err := h.Get(ctx, paul.Scope(), target.ID); err != nil {
			t.Errorf("the merged one's declarant does not see the target: %v", err)
		}
		said := map[string]int64{}
		for _, e := range must[[]Entry](t)(h.Story(ctx, h.teacher, target.ID)) {
			said[e.Comment] = e.Of
		}
		if said["Depuis ce matin"] != twin.ID || said["Chez moi aussi"] != twin.ID {
			t.Errorf("the target's story tells %v", said)
		}
		if now := must[Incident](t)(h.Current(ctx, paul.Scope(), twin.ID)); now.ID != target.ID {
			t.Errorf("an answer to the merged one is about %d", now.ID)
		}
		back := must[Incident](t)(h.Undo(ctx, h.technician, twin.ID, merged.Version))
		if set, _ := Diff(&twin, &back); !set.empty() {
			t.Errorf("undone, these differ: %v", set.Fields())
		}
		if now := h.stored(t, target.ID); now.Affected != target.Affected {
			t.Errorf("the target keeps %q of %q", now.Affected, target.Affected)
		}
		h.do(t, h.technician, Change{Incident: twin.ID, Action: Merge, Set: Patch{MergedInto: &target.ID}})
		again := h.do(t, h.technician, Change{Incident: twin.ID, Action: Reopen, Comment: "ce n'est pas le même"})
		if now := h.stored(t, target.ID); now.Affected != target.Affected || again.MergedInto != 0 {
			t.Errorf("reopened, the target keeps %q of %q", now.Affected, target.Affected)
		}
		must[Incident](t)(h.Undo(ctx, h.technician, twin.ID, again.Version))
		if now := h.stored(t, target.ID); !now.Affected.Has(paul.Person) {
			t.Errorf("merged after all, the declarant is lost: %q", now.Affected)
		}
		h.rebuilt(t)
	})
}

func TestParents(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		main, child, other := h.declare(t), h.declare(t), h.declare(t)
		attach := func(i, parent int64) error {
			_, err := h.Act(t.Context(), h.technician, Change{Incident: i, Action: Attach, Set: Patch{Parent: &parent}})
			return err
		}
		if err := attach(child.ID, main.ID); err != nil {
			t.Fatal(err)
		}
		for name, pair := range map[string][2]int64{"itself": {main.ID, main.ID}, "a child": {other.ID, child.ID}, "one that has children": {main.ID, other.ID}, "nothing": {other.ID, 999}} {
			if err := attach(pair[0], pair[1]); !fault.Is(err, fault.Invalid) {
				t.Errorf("attached to %s: %v", name, err)
			}
		}
		if _, err := h.Act(t.Context(), h.technician, Change{Incident: main.ID, Action: Merge, Set: Patch{MergedInto: &other.ID}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a main incident was merged: %v", err)
		}
		if all := must[[]Incident](t)(h.Children(t.Context(), h.technician.Scope(), main.ID)); len(all) != 1 || all[0].ID != child.ID {
			t.Errorf("children: %v", all)
		}
		if off := h.do(t, h.technician, Change{Incident: child.ID, Action: Detach}); off.Parent != 0 {
			t.Error("still attached")
		}
		if _, err := h.Act(t.Context(), h.teacher, Change{Incident: child.ID, Action: Attach, Set: Patch{Parent: &main.ID}}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a declarant attaches: %v", err)
		}
		h.rebuilt(t)
	})
}

func TestRelateAndSplit(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		a, b := h.declare(t), h.declare(t)
		must[Incident](t)(h.Relate(ctx, h.technician, a.ID, b.ID))
		once := must[Incident](t)(h.Relate(ctx, h.technician, b.ID, a.ID))
		if once.Related != NumbersOf(a.ID) || h.stored(t, a.ID).Related != NumbersOf(b.ID) || once.Version != b.Version+1 {
			t.Errorf("related: %+v", once)
		}
		must[Incident](t)(h.Unrelate(ctx, h.technician, a.ID, b.ID))
		if now := h.stored(t, b.ID); now.Related != "" {
			t.Errorf("still related: %q", now.Related)
		}
		for name, other := range map[string]int64{"itself": a.ID, "nothing": 999} {
			if _, err := h.Relate(ctx, h.technician, a.ID, other); !fault.Is(err, fault.Invalid) {
				t.Errorf("related to %s: %v", name, err)
			}
		}
		h.do(t, h.teacher, Change{Incident: a.ID, Action: Comment, Comment: "Et l'imprimante bourre"})
		h.do(t, h.technician, Change{Incident: a.ID, Action: Comment, Comment: "vu", Internal: true})
		story := must[[]Entry](t)(h.Story(ctx, h.technician, a.ID))
		var chosen []journal.Pos
		for _, e := range story {
			if e.Comment != "" {
				chosen = append(chosen, e.Pos)
			}
		}
		part := must[Incident](t)(h.Split(ctx, h.technician, a.ID, Split{Title: "Bourrage", Description: "Imprimante", Category: h.categories[1], Comments: chosen}))
		if part.Declarant != a.Declarant || part.School != a.School || part.Category != h.categories[1] || part.State != New || part.Related != NumbersOf(a.ID) {
			t.Errorf("the part: %+v", part)
		}
		if got := h.folded(t, part.ID); got != part || h.stored(t, part.ID) != part {
			t.Errorf("the journal says %+v, answered %+v", got, part)
		}
		var told []string
		for _, e := range must[[]Entry](t)(h.Story(ctx, h.teacher, part.ID)) {
			told = append(told, e.Comment)
		}
		if !slices.Contains(told, "Et l'imprimante bourre") || slices.Contains(told, "vu") {
			t.Errorf("the declarant reads %q in the part", told)
		}
		if _, err := h.Split(ctx, h.technician, b.ID, Split{Title: "x", Comments: chosen}); !fault.Is(err, fault.Invalid) {
			t.Errorf("another incident's comments were taken: %v", err)
		}
		if _, err := h.Split(ctx, h.teacher, a.ID, Split{Title: "x"}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a declarant splits: %v", err)
		}
		h.rebuilt(t)
	})
}

func TestRate(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		i := h.declare(t)
		if _, err := h.Rate(ctx, h.teacher, i.ID, Satisfied, ""); !fault.Is(err, fault.Conflict) {
			t.Errorf("rated before the end: %v", err)
		}
		h.do(t, h.technician, Change{Incident: i.ID, Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}})
		h.do(t, h.teacher, Change{Incident: i.ID, Action: Confirm})
		rated := must[Incident](t)(h.Rate(ctx, h.teacher, i.ID, Neutral, "Un peu long"))
		if same := must[Incident](t)(h.Rate(ctx, h.teacher, i.ID, Neutral, "")); same.Version != rated.Version {
			t.Error("the same answer wrote twice")
		}
		changed := must[Incident](t)(h.Rate(ctx, h.teacher, i.ID, Satisfied, ""))
		if changed.Rating != Satisfied || !changed.RatedAt.Equal(rated.RatedAt) {
			t.Errorf("%+v", changed)
		}
		if changed.MayRate(h.teacher, rated.RatedAt.Add(RatingTime+time.Minute)) {
			t.Error("may be changed for ever")
		}
		for name, c := range map[string]struct {
			err  error
			code fault.Code
		}{
			"by the technician": {second(h.Rate(ctx, h.technician, i.ID, Satisfied, "")), fault.Forbidden},
			"by the referent":   {second(h.Rate(ctx, h.referent, i.ID, Satisfied, "")), fault.Forbidden},
			"by another":        {second(h.Rate(ctx, h.colleague(t, 21, "M. Paul"), i.ID, Satisfied, "")), fault.NotFound},
			"as no word":        {second(h.Rate(ctx, h.teacher, i.ID, "great", "")), fault.Invalid},
		} {
			if !fault.Is(c.err, c.code) {
				t.Errorf("rated %s: %v", name, c.err)
			}
		}
		if again := h.do(t, h.technician, Change{Incident: i.ID, Action: Reopen, Comment: "non"}); again.Rating != "" {
			t.Error("the answer outlives the reopening")
		}
		h.rebuilt(t)
	})
}

func second[T any](_ T, err error) error { return err }

func TestMentions(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		i := h.declare(t)
		h.do(t, h.teacher, Change{Incident: i.ID, Action: Comment, Comment: "@tech un peut-il passer ? Et @Chef"})
		h.do(t, h.technician, Change{Incident: i.ID, Action: Comment, Comment: "@Martin @Petit voir", Internal: true})
		h.do(t, h.technician, Change{Incident: i.ID, Action: Comment, Comment: "@Mme Martin : demain"})
		for name, c := range map[string]struct {
			by   []Mention
			want []string
		}{
			"technician": {must[[]Mention](t)(h.Mentions(t.Context(), h.technician)), []string{"@tech un peut-il passer ? Et @Chef"}},
			"lead":       {must[[]Mention](t)(h.Mentions(t.Context(), h.lead)), []string{"@tech un peut-il passer ? Et @Chef"}},
			"teacher":    {must[[]Mention](t)(h.Mentions(t.Context(), h.teacher)), []string{"@Mme Martin : demain"}},
			"referent":   {must[[]Mention](t)(h.Mentions(t.Context(), h.referent)), nil},
		} {
			var got []string
			for _, m := range c.by {
				got = append(got, m.Entry.Comment)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s is called by %q, want %q", name, got, c.want)
			}
		}
		h.rebuilt(t)
	})
}

func TestMentioned(t *testing.T) {
	t.Parallel()
	people := []directory.Person{{ID: 1, Name: "Mme Léa Martin"}, {ID: 2, Name: "M. Paul Martin"}, {ID: 3, Name: "DUPONT Zoé"}, {ID: 4, Name: "Jean-Luc Petit"}, {ID: 5, Name: "Jean"}}
	for text, want := range map[string][]int64{
		"@Léa Martin regarde":            {1},
		"@lea martin":                    {1},
		"Bonjour @Mme Léa Martin.":       {1},
		"@Martin":                        nil, // which one?
		"@dupont zoe et @Zoé Dupont":     {3},
		"@Petit, @jean-luc petit":        {4},
		"@Jean-Luc":                      nil,
		"@Jeanne":                        nil,
		"ecrire a x@petit.fr":            nil,
		"(@Jean) @@":                     {5},
		"@Paul Martin\n@Léa\u00a0Martin": {2, 1},
		"rien":                           nil,
	} {
		if got := Mentioned(text, people); !slices.Equal(got, want) {
			t.Errorf("%q calls %v, want %v", text, got, want)
		}
	}
}

// A main incident reaches schools once each, and each part is seen there.
func TestSpread(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		ctx := t.Context()
		main := h.declare(t)
		main = h.do(t, h.technician, Change{Incident: main.ID, Action: Take})
		made := must[[]Incident](t)(h.Spread(ctx, h.technician, main.ID, []int64{h.schoolA, h.schoolB, h.schoolB}))
		if len(made) != 1 || made[0].School != h.schoolB || made[0].Parent != main.ID || made[0].State != Assigned || made[0].Assignee != h.technician.Person {
			t.Errorf("%+v", made)
		}
		if got := h.stored(t, made[0].ID); got != made[0] {
			t.Errorf("stored %+v, answered %+v", got, made[0])
		}
		if again := must[[]Incident](t)(h.Spread(ctx, h.technician, main.ID, []int64{h.schoolB})); len(again) != 0 {
			t.Errorf("opened twice: %+v", again)
		}
		for name, c := range map[string]struct {
			err  error
			code fault.Code
		}{
			"to no school":      {second(h.Spread(ctx, h.technician, main.ID, nil)), fault.Invalid},
			"to an unknown one": {second(h.Spread(ctx, h.technician, main.ID, []int64{99})), fault.Invalid},
			"of a part":         {second(h.Spread(ctx, h.technician, made[0].ID, []int64{h.schoolA})), fault.Invalid},
			"by a referent":     {second(h.Spread(ctx, h.referent, main.ID, []int64{h.schoolB})), fault.Forbidden},
			"of nothing":        {second(h.Spread(ctx, h.technician, 99, []int64{h.schoolB})), fault.NotFound},
		} {
			if !fault.Is(c.err, c.code) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
		h.rebuilt(t)
	})
}

// What the preview foretells is what then happens, and foretelling writes
// nothing.
func TestPreview(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		h := build(t, db)
		a, b, c := h.declare(t), h.declare(t), h.declare(t)
		b = h.do(t, h.technician, Change{Incident: b.ID, Action: Take})
		c = h.do(t, h.technician, Change{Incident: c.ID, Action: Resolve, Set: Patch{ResolutionCode: &h.fix, CauseCode: &h.cause}})
		all := must[[]Outcome](t)(h.Preview(t.Context(), h.technician, []int64{c.ID, b.ID, a.ID, 999}, Change{Action: Take}))
		if !fault.Is(all[0].Err, fault.Conflict) || !all[1].Nothing || all[2].After.State != Assigned || !fault.Is(all[3].Err, fault.NotFound) {
			t.Errorf("%+v", all)
		}
		if h.stored(t, a.ID) != a || h.stored(t, b.ID) != b || h.stored(t, c.ID) != c {
			t.Error("the preview wrote")
		}
		if got := h.do(t, h.technician, Change{Incident: a.ID, Action: Take}); got.State != all[2].After.State || got.Assignee != all[2].After.Assignee {
			t.Errorf("foretold %+v, came %+v", all[2].After, got)
		}
	})
}
