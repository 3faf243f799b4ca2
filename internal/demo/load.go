package demo

import (
	"context"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/knowledge"
)

// Services are the contexts that a demonstration fills, by their commands.
type Services struct {
	Directory *directory.Service
	Catalog   *catalog.Service
	Incidents *incident.Service
	Knowledge *knowledge.Service // nil: no articles
}

// batchSize is how many incidents are recorded in one transaction.
const batchSize = 500

// Load records a generated département in a tenant. It is idempotent: what an
// interrupted Load has recorded is recognised. progress, if any, is told how
// many of the incidents are recorded.
func Load(ctx context.Context, tenant int64, s Services, ds *Dataset, progress func(done, total int)) error {
	return LoadTimes(ctx, tenant, s, ds, 1, progress)
}

// LoadTimes is Load with every incident recorded several times, under numbers
// of their own: volume for measuring, in the shape of a département.
func LoadTimes(ctx context.Context, tenant int64, s Services, ds *Dataset, times int, progress func(done, total int)) error {
	by := auth.System(tenant)
	if err := s.Directory.SaveSettings(ctx, by, ds.Settings); err != nil {
		return fmt.Errorf("demo: settings: %w", err)
	}
	if err := s.Directory.SeedCalendar(ctx, by); err != nil {
		return fmt.Errorf("demo: calendar: %w", err)
	}
	if _, _, err := s.Directory.SaveSchoolHolidays(ctx, by, ds.Holidays); err != nil {
		return fmt.Errorf("demo: school holidays: %w", err)
	}
	if err := s.Catalog.Seed(ctx, by); err != nil {
		return fmt.Errorf("demo: catalogue: %w", err)
	}
	if s.Knowledge != nil {
		if _, err := s.Knowledge.AddStarters(ctx, by); err != nil {
			return fmt.Errorf("demo: articles: %w", err)
		}
	}
	n, err := loadPlaces(ctx, by, s.Directory, ds)
	if err != nil {
		return err
	}
	if n.words, err = s.Catalog.Index(ctx, tenant); err != nil {
		return err
	}
	ds.numbers = n
	for copied := range times {
		if err := n.load(ctx, by, s.Incidents, ds, copied, func(done int) {
			if progress != nil {
				progress(copied*len(ds.Incidents)+done, times*len(ds.Incidents))
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// load records the incidents of a dataset once.
func (n *numbers) load(ctx context.Context, by auth.Identity, incidents *incident.Service, ds *Dataset, copied int, progress func(done int)) error {
	for first := 0; first < len(ds.Incidents); first += batchSize {
		last := min(first+batchSize, len(ds.Incidents))
		histories := make([]incident.History, 0, last-first)
		for i := first; i < last; i++ {
			h, err := n.history(ds, i)
			if err != nil {
				return err
			}
			if copied > 0 {
				h.ExternalID += fmt.Sprintf("-%d", copied)
			}
			histories = append(histories, h)
		}
		done, err := incidents.ImportHistories(ctx, by, histories)
		if err != nil {
			return fmt.Errorf("demo: incidents: %w", err)
		}
		for _, r := range done.Rejected {
			return fmt.Errorf("demo: incident %s: %w", r.ExternalID, r.Err)
		}
		progress(last)
	}
	return nil
}

// numbers are the identifiers that the things of a dataset got.
type numbers struct {
	schools, rooms, people, teams []int64
	words                         *catalog.Index
}

// of is the identifier of an index, 0 for None.
func of(ids []int64, i int) int64 {
	if i < 0 {
		return 0
	}
	return ids[i]
}

func loadPlaces(ctx context.Context, by auth.Identity, dir *directory.Service, ds *Dataset) (*numbers, error) {
	n := &numbers{}
	schools := make([]directory.School, len(ds.Schools))
	for i, s := range ds.Schools {
		schools[i] = s.School
	}
	byUAI, err := dir.EnsureSchools(ctx, by, schools)
	if err != nil {
		return nil, fmt.Errorf("demo: schools: %w", err)
	}
	for _, s := range schools {
		n.schools = append(n.schools, byUAI[s.UAI])
	}
	rooms := make([]directory.Room, len(ds.Rooms))
	for i, r := range ds.Rooms {
		rooms[i] = directory.Room{School: n.schools[r.School], Name: r.Name, Network: r.Network}
	}
	byName, err := dir.EnsureRooms(ctx, by, rooms)
	if err != nil {
		return nil, fmt.Errorf("demo: rooms: %w", err)
	}
	for _, r := range rooms {
		n.rooms = append(n.rooms, byName[directory.RoomKey{School: r.School, Name: r.Name}])
	}
	teams, err := dir.EnsureTeams(ctx, by, ds.Teams)
	if err != nil {
		return nil, fmt.Errorf("demo: teams: %w", err)
	}
	for _, t := range ds.Teams {
		n.teams = append(n.teams, teams[t])
	}
	people := make([]directory.Person, len(ds.People))
	for i, p := range ds.People {
		people[i] = directory.Person{Name: p.Name, Kind: p.Kind, School: of(n.schools, p.School), Email: p.Email, External: p.Key, Team: teams[p.Team]}
	}
	byKey, err := dir.EnsurePeople(ctx, by, people)
	if err != nil {
		return nil, fmt.Errorf("demo: people: %w", err)
	}
	for _, p := range people {
		n.people = append(n.people, byKey[p.External])
	}
	exposures := make([]directory.Exposure, len(ds.Exposures))
	for i, e := range ds.Exposures {
		exposures[i] = directory.Exposure{School: n.schools[e.School], From: e.From, Computers: e.Computers, Pupils: e.Pupils, Source: "démonstration"}
	}
	if _, err := dir.SaveExposures(ctx, by, exposures); err != nil {
		return nil, fmt.Errorf("demo: denominators: %w", err)
	}
	return n, loadClosures(ctx, by, dir, ds, n)
}

func loadClosures(ctx context.Context, by auth.Identity, dir *directory.Service, ds *Dataset, n *numbers) error {
	index, err := dir.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	known := map[directory.Closure]bool{}
	for _, c := range index.Closures(-1) {
		c.ID = 0
		known[c] = true
	}
	for _, c := range ds.Closures {
		in := directory.Closure{School: n.schools[c.School], First: c.First, Last: c.Last, Reason: c.Reason}
		if known[in] {
			continue
		}
		if _, err := dir.SaveClosure(ctx, by, in); err != nil {
			return fmt.Errorf("demo: closures: %w", err)
		}
	}
	return nil
}

// history tells an incident as an import does.
func (n *numbers) history(ds *Dataset, i int) (incident.History, error) {
	inc := &ds.Incidents[i]
	category, ok := n.words.CategoryByPath(inc.Category...)
	if !ok {
		return incident.History{}, fmt.Errorf("demo: no category %q", inc.Category)
	}
	h := incident.History{Source: Source, ExternalID: number(i), Steps: make([]incident.Step, 0, 2+len(inc.Steps))}
	actor := journal.Actor{Kind: journal.ByPerson, ID: of(n.people, inc.Declarant)}
	if inc.Declarant == None {
		actor = journal.Actor{Kind: journal.BySystem}
	}
	h.Steps = append(h.Steps, incident.Step{At: inc.Opened, Actor: actor, Kind: incident.EventDeclared, Set: incident.Patch{
		State: new(incident.New), Title: &inc.Title, Description: &inc.Description, School: &n.schools[inc.School], Room: new(of(n.rooms, inc.Room)),
		Network: &inc.Network, Machine: &inc.Machine, Category: &category.ID, Impact: &inc.Impact, Urgency: &inc.Urgency,
		Priority: new(n.words.Matrix().Priority(inc.Impact, inc.Urgency)), Declarant: new(of(n.people, inc.Declarant)), Origin: &inc.Origin,
		OccurredAt: &inc.Occurred, OpenedAt: &inc.Opened,
	}})
	reopened, reassigned, assignee := 0, 0, None
	for k := range inc.Steps {
		s := &inc.Steps[k]
		if s.Event == incident.EventReopened {
			reopened++
		}
		step, err := n.step(s, reopened)
		if err != nil {
			return incident.History{}, err
		}
		if s.Assignee != None {
			if assignee != None && assignee != s.Assignee {
				reassigned++
				step.Set.ReassignCount = new(reassigned)
			}
			assignee = s.Assignee
		}
		h.Steps = append(h.Steps, step)
		if s.Event == incident.EventClosed && s.By != None {
			n.rate(&h, s, i, ds.Now)
		}
	}
	return h, nil
}

// number is an incident's number in the software that the demonstration is
// told from, as it were.
func number(i int) string { return fmt.Sprintf("D%06d", i+1) }

// rate tells what the declarant thought of how it was mended, for half of those
// who closed it themselves. Which half follows from the incident's number.
func (n *numbers) rate(h *incident.History, s *Step, i int, now time.Time) {
	x, at := (uint32(i+1)*2654435761>>16)%100, s.At.Add(time.Minute)
	if x >= 50 || at.After(now) {
		return
	}
	rating, comment := incident.Satisfied, ""
	switch {
	case x < 3:
		rating, comment = incident.Unsatisfied, unsatisfied[i%len(unsatisfied)]
	case x < 9:
		rating = incident.Neutral
	case x < 15:
		comment = satisfied[i%len(satisfied)]
	}
	h.Steps = append(h.Steps, incident.Step{
		At: at, Kind: incident.EventRated, Comment: comment, Actor: journal.Actor{Kind: journal.ByPerson, ID: n.people[s.By]}, Set: incident.Patch{Rating: &rating, RatedAt: &at},
	})
}

var (
	unsatisfied = []string{"Deux semaines sans vidéoprojecteur, c'est long.", "Personne ne nous a prévenus du passage.", "Réparé, mais la panne revient à chaque fois.", "J'ai dû rappeler trois fois."}
	satisfied   = []string{"Très rapide, merci.", "Merci d'avoir expliqué d'où cela venait.", "Parfait, la classe a pu reprendre l'après-midi.", "Technicien très aimable."}
)

func (n *numbers) step(s *Step, reopened int) (incident.Step, error) {
	out := incident.Step{At: s.At, Kind: s.Event, Comment: s.Comment, Internal: s.Internal, Actor: journal.Actor{Kind: journal.BySystem}}
	if s.By != None {
		out.Actor = journal.Actor{Kind: journal.ByPerson, ID: n.people[s.By]}
	}
	set := &out.Set
	set.State = &s.State
	if s.Assignee != None {
		set.Assignee = &n.people[s.Assignee]
	}
	if s.Team != None {
		set.Team = &n.teams[s.Team]
	}
	var err error
	switch s.Event {
	case incident.EventPlanned:
		set.PlannedAt = &s.Planned
	case incident.EventHeld:
		set.WaitingCode, err = n.code(catalog.Waiting, s.Code)
	case incident.EventResumed:
		set.WaitingCode = new(int64)
	case incident.EventResolved:
		set.ResolvedAt, set.Resolution = &s.At, &s.Text
		if set.CauseCode, err = n.code(catalog.Cause, s.Cause); err == nil {
			set.ResolutionCode, err = n.code(catalog.Resolution, s.Code)
		}
	case incident.EventReopened:
		set.ReopenCount, set.ResolvedAt = &reopened, new(time.Time)
		set.CauseCode, set.ResolutionCode, set.Resolution, set.PlannedAt = new(int64), new(int64), new(string), new(time.Time)
	case incident.EventClosed, incident.EventCancelled:
		set.ClosedAt = &s.At
	default:
	}
	return out, err
}

func (n *numbers) code(kind catalog.CodeKind, label string) (*int64, error) {
	c, ok := n.words.CodeByLabel(kind, label)
	if !ok {
		return nil, fmt.Errorf("demo: no %s code %q", kind, label)
	}
	return &c.ID, nil
}

// External keys of the people to whom the demonstration's accounts belong.
const (
	keyLead       = Source + "/lead"
	keyTechnician = Source + "/technician"
	keyReferent   = Source + "/referent"
	keyDeclarant  = Source + "/declarant"
)

// Cast are the people to whom the demonstration's accounts belong. The
// referent and the declarant are of the same collège, the one of the projector
// that comes back.
type Cast struct{ Lead, Technician, Referent, Declarant directory.Person }

// CastOf finds them in a département where a demonstration was loaded.
func CastOf(index *directory.Index) (Cast, bool) {
	var c Cast
	for key, to := range map[string]*directory.Person{keyLead: &c.Lead, keyTechnician: &c.Technician, keyReferent: &c.Referent, keyDeclarant: &c.Declarant} {
		p, ok := index.PersonByExternal(key)
		if !ok {
			return Cast{}, false
		}
		*to = p
	}
	return c, true
}
