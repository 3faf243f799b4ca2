package demo

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/sqldb"
)

// LiveOptions say how the demonstration goes on by itself.
type LiveOptions struct {
	Seed  uint64        // of the département that was loaded
	Every time.Duration // mean time between two events; 0 for five seconds
	// As is who types: a technician's account. The system itself if it is nobody.
	As  auth.Identity
	Log *slog.Logger
}

// Live lets a loaded demonstration go on until ctx ends: believable incidents
// are declared, taken and solved by the same commands as by people.
func Live(ctx context.Context, tenant int64, s Services, o LiveOptions) error {
	l, err := newLive(ctx, tenant, s, o)
	if err != nil {
		return err
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	for {
		t := time.NewTimer(time.Duration((0.5 + l.g.rng.Float64()) * float64(o.Every)))
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		if err := l.tick(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn("the demonstration's next event failed", "error", err)
		}
	}
}

// live is a demonstration going on.
type live struct {
	s      Services
	by     auth.Identity
	log    *slog.Logger
	g      *generator
	shares []shares
	places *directory.Index
	open   []running // declared here, not yet solved
}

// running is an incident that Live declared.
type running struct {
	id    int64
	kind  int
	taken bool
}

func newLive(ctx context.Context, tenant int64, s Services, o LiveOptions) (*live, error) {
	l := &live{s: s, by: o.As, log: o.Log}
	if l.by.Tenant == 0 {
		l.by = auth.System(tenant)
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	l.g = newGenerator(o.Seed, sqldb.Now())
	// The world is the seed's; what happens in it now is new each time.
	l.g.rng = rand.New(rand.NewPCG(o.Seed, uint64(sqldb.Now().UnixNano())))
	l.shares = l.g.mixes()
	var err error
	if l.places, err = s.Directory.Index(ctx, tenant); err != nil {
		return nil, err
	}
	if _, ok := l.places.SchoolByUAI(l.g.ds.Schools[0].UAI); !ok {
		return nil, fmt.Errorf("demo: no demonstration is loaded")
	}
	return l, nil
}

// tick does one thing: mostly a declaration, sometimes the next step of an
// incident declared before, so that some ten are open at a time.
func (l *live) tick(ctx context.Context) error {
	if n := len(l.open); n > 0 && l.g.rng.IntN(20) < min(n, 12) {
		return l.advance(ctx, l.g.rng.IntN(n))
	}
	return l.declare(ctx)
}

func (l *live) declare(ctx context.Context) error {
	g := l.g
	g.ds.Now = sqldb.Now().In(g.loc)
	g.ds.Incidents = g.ds.Incidents[:0]
	school := g.rng.IntN(len(g.ds.Schools))
	kind := l.shares[school].draw(g, g.mixAt(g.today))
	g.add(draft{school: school, opened: g.ds.Now, kind: kind, room: None, declarant: None, solution: None})
	inc := g.ds.Incidents[0]
	s, _ := l.places.SchoolByUAI(g.ds.Schools[school].UAI)
	words, err := l.s.Catalog.Index(ctx, l.by.Tenant)
	if err != nil {
		return err
	}
	category, _ := words.CategoryByPath(inc.Category...) // 0 if the département has dropped it
	d := incident.Declaration{
		Title: inc.Title, Description: inc.Description, School: s.ID, Network: inc.Network, Machine: inc.Machine, Category: category.ID,
		Impact: inc.Impact, Urgency: inc.Urgency, Origin: inc.Origin, OccurredAt: inc.Occurred,
	}
	if inc.Room != None {
		room, _ := l.places.RoomByName(s.ID, g.ds.Rooms[inc.Room].Name)
		d.Room = room.ID
	}
	if inc.Declarant != None {
		p, _ := l.places.PersonByExternal(g.ds.People[inc.Declarant].Key)
		d.Declarant = p.ID
	}
	made, err := l.s.Incidents.Declare(ctx, l.by, d)
	if err != nil {
		return fmt.Errorf("demo: declare %q: %w", inc.Title, err)
	}
	l.open = append(l.open, running{id: made.ID, kind: kind})
	return nil
}

// advance takes an incident in hand, or solves it.
func (l *live) advance(ctx context.Context, n int) error {
	r := l.open[n]
	k := &l.g.kinds[r.kind]
	c := incident.Change{Incident: r.id}
	if !r.taken {
		team := pick(l.g, []int{teamOrleans, teamEast, teamWest, teamRemote, teamRemote})
		tech, _ := l.places.PersonByExternal(l.g.ds.People[pick(l.g, l.g.techs[team])].Key)
		c.Action, c.Set.Assignee = incident.Assign, &tech.ID
		for _, t := range l.places.Teams() {
			if t.Name == teamNames[team] && !t.Archived {
				c.Set.Team = &t.ID
			}
		}
		l.open[n].taken = true
	} else {
		words, err := l.s.Catalog.Index(ctx, l.by.Tenant)
		if err != nil {
			return err
		}
		end := k.Solutions[l.g.drawSolution(k)]
		cause, _ := words.CodeByLabel(catalog.Cause, end.Cause)
		code, _ := words.CodeByLabel(catalog.Resolution, end.Code)
		c.Action = incident.Resolve
		c.Set.CauseCode, c.Set.ResolutionCode, c.Set.Resolution = &cause.ID, &code.ID, new(strings.TrimSpace(pick(l.g, end.Texts)))
		l.open = append(l.open[:n], l.open[n+1:]...)
	}
	if _, err := l.s.Incidents.Act(ctx, l.by, c); err != nil {
		// Somebody else has dealt with it, which is what a demonstration is for.
		l.open = without(l.open, r.id)
		l.log.Debug("the demonstration leaves an incident to people", "incident", r.id, "error", err)
	}
	return nil
}

func without(list []running, id int64) []running {
	kept := list[:0]
	for _, r := range list {
		if r.id != id {
			kept = append(kept, r)
		}
	}
	return kept
}
