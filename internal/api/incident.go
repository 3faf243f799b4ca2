package api

import (
	"context"
	"strings"
	"time"

	"statincidents/internal/api/wire"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
)

// shower writes incidents with the words of the directory and the catalogue in
// the reader's language.
type shower struct {
	places   *directory.Index
	words    *catalog.Index
	language string
}

func (a *API) shower(ctx context.Context) (*shower, error) {
	places, err := a.places(ctx)
	if err != nil {
		return nil, err
	}
	words, err := a.words(ctx)
	if err != nil {
		return nil, err
	}
	return &shower{places, words, string(requestOf(ctx).language)}, nil
}

func ref(id int64, name string) *wire.Ref {
	if id == 0 {
		return nil
	}
	return &wire.Ref{ID: id, Name: name}
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// incident writes one incident, without what may be done to it.
func (s *shower) incident(i *incident.Incident) wire.Incident {
	return wire.Incident{
		ID: i.ID, Version: i.Version, State: string(i.State), Open: i.State.Open(), Title: i.Title, Description: i.Description,
		School:   ref(i.School, s.places.SchoolName(i.School)),
		Room:     ref(i.Room, s.places.RoomName(i.Room)),
		Network:  string(i.Network),
		Machine:  i.Machine,
		Category: ref(i.Category, strings.Join(s.words.PathLabels(i.Category, s.language), " > ")),
		Impact:   i.Impact, Urgency: i.Urgency, Priority: i.Priority,
		Declarant:      ref(i.Declarant, s.places.PersonName(i.Declarant)),
		Assignee:       ref(i.Assignee, s.places.PersonName(i.Assignee)),
		Team:           ref(i.Team, s.places.TeamName(i.Team)),
		Origin:         string(i.Origin),
		WaitingCode:    ref(i.WaitingCode, s.words.CodeLabel(i.WaitingCode, s.language)),
		CauseCode:      ref(i.CauseCode, s.words.CodeLabel(i.CauseCode, s.language)),
		ResolutionCode: ref(i.ResolutionCode, s.words.CodeLabel(i.ResolutionCode, s.language)),
		Resolution:     i.Resolution, MergedInto: i.MergedInto, Target: string(i.Target),
		Level: string(i.Level), LevelAt: instant(i.LevelAt), Tried: i.Tried, SeenAt: instant(i.SeenAt),
		Parent: i.Parent, Related: i.Related.List(), Rating: string(i.Rating), AffectedPeople: i.AffectedPeople(), AffectedRooms: i.AffectedRooms(),
		ReopenCount: i.ReopenCount, ReassignCount: i.ReassignCount,
		OccurredAt: i.OccurredAt, OpenedAt: i.OpenedAt, PlannedAt: instant(i.PlannedAt), ResolvedAt: instant(i.ResolvedAt),
		ClosedAt: instant(i.ClosedAt), UpdatedAt: i.UpdatedAt, ExternalSource: i.ExternalSource, ExternalID: i.ExternalID,
	}
}
