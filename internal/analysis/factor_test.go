package analysis

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/cube"
	"statincidents/internal/demo"
)

// bad is the list that a technician would ask about: computers that freeze or
// do not start because of their hardware, in twelve months.
func (p *planted) bad(tb testing.TB) cube.ListQuery {
	tb.Helper()
	freezes, _ := p.world.Words.CategoryByPath("Ordinateur", "Se bloque ou redémarre seul")
	cause := int64(0)
	for _, c := range p.world.Words.Codes("cause") {
		if c.In("fr") == "Défaut du matériel" {
			cause = c.ID
		}
	}
	if freezes.ID == 0 || cause == 0 {
		tb.Fatal("the words of the story")
	}
	return cube.ListQuery{From: p.world.Today - 364, To: p.world.Today + 1, Filters: []cube.Filter{
		{Dim: cube.DimCategory2, In: []string{strconv.FormatInt(freezes.ID, 10)}}, {Dim: cube.DimCause, In: []string{strconv.FormatInt(cause, 10)}},
	}}
}

// The bad model is what frozen computers have in common, and it comes first.
func TestCommonFactorFindsTheBadModel(t *testing.T) {
	t.Parallel()
	p := plant(t)
	got, err := p.Common(t.Context(), auth.ScopeAll(1), p.bad(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got.Factors {
		t.Logf("%v %d of %d, %d others, %.1f expected, %.1f times, LLR %.1f, p %v", f.Traits, f.Cases, got.Cases, f.Others, f.Expected, f.Times, f.LLR, f.P)
	}
	t.Logf("%d incidents, %d cases of which %d machines, %d others, %d sets", got.Incidents, got.Cases, got.Machines, got.Others, got.Sets)
	if len(got.Factors) == 0 || !slices.Contains(got.Factors[0].Traits, FactorTrait{"batch", demo.BadBatch}) {
		t.Fatalf("%+v", got.Factors)
	}
	if f := got.Factors[0]; f.P > 0.001 || f.Times < 5 || f.Cases < 30 {
		t.Errorf("%+v", f)
	}
	// Whoever sees one school sees what is in it.
	school := p.world.Places.Schools()[0].ID
	mine, err := p.Common(t.Context(), auth.ScopeSchools(1, school), p.bad(t))
	if err != nil || mine.Incidents >= got.Incidents/10 {
		t.Errorf("%+v, %v", mine, err)
	}
}

// Incidents drawn at random have nothing in common, but once in twenty times.
func TestCommonFactorOfNothing(t *testing.T) {
	t.Parallel()
	p := plant(t)
	var all []cube.Fact
	if err := p.Cube.Each(t.Context(), auth.ScopeAll(1), cube.ListQuery{From: p.world.Today - 120}, func(f *cube.Fact) { all = append(all, *f) }); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	const runs = 8
	for seed := range uint64(runs) {
		draw := rand.New(rand.NewPCG(seed, 0))
		var listed []cube.Fact
		for _, k := range draw.Perm(len(all))[:60] {
			listed = append(listed, all[k])
		}
		var c CommonFactors
		if err := c.find(t.Context(), &FactorWorld{p.world.Places, p.world.Words, p.world.Location}, nil, listed, all); err != nil {
			t.Fatal(err)
		}
		if len(c.Factors) > 0 {
			wrong++
		}
	}
	if wrong > 3 {
		t.Errorf("%d of %d random lists have something in common", wrong, runs)
	}
}

// One machine that breaks every day accuses nobody: it is counted once.
func TestCommonFactorCountsMachines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var listed, all []cube.Fact
		id := int64(0)
		fact := func(machine string) cube.Fact {
			id++
			return cube.Fact{ID: id, Opened: 1e9 + id, Machine: machine}
		}
		noisy := rapid.IntRange(1, 200).Draw(rt, "incidents")
		for range noisy {
			listed = append(listed, fact("BAD-1"))
		}
		for k := range 20 {
			listed = append(listed, fact(fmt.Sprintf("PC-%d", k)))
		}
		for k := range 30 {
			all = append(all, fact(""), fact(fmt.Sprintf("PC-%d", k)))
		}
		all = append(all, listed...)
		units := unitsOf(listed, all)
		cases, others, named := 0, 0, 0
		for _, u := range units {
			if u.in {
				cases++
				named += len(u.ids)
			} else {
				others++
			}
		}
		if cases != 21 || others != 30+10 || named != noisy+20 {
			rt.Fatalf("%d cases of %d incidents, %d others", cases, named, others)
		}
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "order"), 0))
		draw.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		draw.Shuffle(len(listed), func(i, j int) { listed[i], listed[j] = listed[j], listed[i] })
		for k, u := range unitsOf(listed, all) {
			if u.fact.ID != units[k].fact.ID || u.in != units[k].in {
				rt.Fatal("the order of incidents matters")
			}
		}
	})
}

func TestCommonFactorRefuses(t *testing.T) {
	t.Parallel()
	few := []cube.Fact{{ID: 1}, {ID: 2}}
	many := make([]cube.Fact, 30)
	for k := range many {
		many[k].ID = int64(k + 1)
	}
	for why, c := range map[Why]struct{ listed, all []cube.Fact }{FewCases: {few, many}, NoOthers: {many, many}} {
		var got CommonFactors
		if err := got.find(t.Context(), &FactorWorld{}, nil, c.listed, c.all); err != nil || got.Refusal == nil || got.Refusal.Why != why {
			t.Errorf("%s: %+v, %v", why, got.Refusal, err)
		}
	}
}

// As on the page: a year of the demonstration.
func BenchmarkCommon(b *testing.B) {
	p := plant(b)
	q := p.bad(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Common(b.Context(), auth.ScopeAll(1), q); err != nil {
			b.Fatal(err)
		}
	}
}
