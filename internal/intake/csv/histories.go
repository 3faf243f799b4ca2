package csvin

import (
	"context"
	"maps"
	"slices"
	"strings"

	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
)

// bring writes some tickets (in a dry run, it asks what writing them would do)
// and gives what the incidents refused: the ticket's first row with the reason,
// its other rows beside it.
func (r *running) bring(ctx context.Context, tickets []ticket) ([]*Problem, error) {
	if err := r.resolve.resolve(ctx, tickets); err != nil {
		return nil, err
	}
	histories := make([]incident.History, len(tickets))
	for i := range tickets {
		histories[i] = r.resolve.history(&tickets[i])
	}
	do := r.importer.inc.ImportHistories
	if r.options.DryRun {
		do = r.importer.inc.PreviewHistories
	}
	done, err := do(ctx, r.by, histories)
	if err != nil {
		return nil, err
	}
	rep := r.report
	rep.Created += done.Created
	rep.Updated += done.Updated
	rep.Unchanged += done.Unchanged
	rep.Events += done.Events
	var refused []*Problem
	for _, x := range done.Rejected {
		summary, fields := r.options.Printer.Error(x.Err)
		what := summary
		if len(fields) > 0 {
			parts := make([]string, 0, len(fields))
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				parts = append(parts, name+" ("+fields[name]+")")
			}
			what = strings.Join(parts, ", ")
		}
		for k, row := range tickets[x.Index].rows {
			if k == 0 {
				refused = append(refused, problem(row.row, "", Refused, "what", what))
			} else {
				refused = append(refused, problem(row.row, "", Companion))
			}
		}
	}
	return refused, nil
}

// history is a ticket in the identifiers of this house. Each step says all
// that its row tells: the journal keeps what changes.
func (r *resolver) history(t *ticket) incident.History {
	h := incident.History{Source: r.profile.Source, ExternalID: t.id, Steps: make([]incident.Step, len(t.steps))}
	school := int64(0)
	for i := range t.steps {
		s := &t.steps[i]
		if c := s.set[toSchool]; c.said {
			school = r.schools[c.text]
		}
		h.Steps[i] = incident.Step{At: s.at, Kind: s.kind, Set: r.patch(&s.set, school), Comment: s.set[toComment].text}
		if id := r.people[s.actor]; id != 0 {
			h.Steps[i].Actor = journal.Actor{Kind: journal.ByPerson, ID: id}
		}
	}
	return h
}

func (r *resolver) patch(set *[targetCount]cell, school int64) incident.Patch {
	var p incident.Patch
	for to := range set {
		if c := set[to]; c.said {
			r.put(&p, to, c, school)
		}
	}
	if p.Priority == nil && p.Impact != nil && p.Urgency != nil {
		if priority := r.words.Matrix().Priority(*p.Impact, *p.Urgency); priority != 0 {
			p.Priority = &priority
		}
	}
	return p
}

// put sets one field of a patch.
func (r *resolver) put(p *incident.Patch, to int, c cell, school int64) {
	switch to {
	case toState:
		p.State = new(incident.State(c.text))
	case toTitle:
		p.Title = &c.text
	case toDescription:
		p.Description = &c.text
	case toSchool:
		p.School = &school
	case toRoom:
		p.Room = new(r.rooms[directory.RoomKey{School: school, Name: c.text}])
	case toNetwork:
		p.Network = new(directory.Network(c.text))
	case toMachine:
		p.Machine = &c.text
	case toCategory:
		p.Category = new(r.categories[c.text])
	case toImpact:
		p.Impact = new(int(c.n))
	case toUrgency:
		p.Urgency = new(int(c.n))
	case toPriority:
		p.Priority = new(int(c.n))
	case toDeclarant:
		p.Declarant = new(r.people[c.text])
	case toAssignee:
		p.Assignee = new(r.people[c.text])
	case toTeam:
		p.Team = new(r.teams[c.text])
	case toOrigin:
		p.Origin = new(incident.Origin(c.text))
	case toWaiting:
		p.WaitingCode = new(r.codes[0][c.text])
	case toCause:
		p.CauseCode = new(r.codes[1][c.text])
	case toResolutionCode:
		p.ResolutionCode = new(r.codes[2][c.text])
	case toResolution:
		p.Resolution = &c.text
	case toTarget:
		p.Target = new(incident.Target(c.text))
	case toReopenCount:
		p.ReopenCount = new(int(c.n))
	case toReassignCount:
		p.ReassignCount = new(int(c.n))
	case toOccurred:
		if !c.at().IsZero() {
			p.OccurredAt = new(c.at())
		}
	case toOpened:
		p.OpenedAt = new(c.at())
	case toPlanned:
		p.PlannedAt = new(c.at())
	case toResolved:
		p.ResolvedAt = new(c.at())
	case toClosed:
		p.ClosedAt = new(c.at())
	}
}
