package api

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// tagged is an incident with its ETag.
type tagged struct {
	Status   int    `hidden:"true"`
	ETag     string `header:"ETag" doc:"The version, between quotes."`
	Location string `header:"Location" doc:"Address of a new incident."`
	Body     wire.Incident
}

// ByID is the address of one incident.
type ByID struct {
	ID int64 `path:"id" doc:"The incident's number."`
}

// OnVersion is a change of one incident.
type OnVersion struct {
	ByID

	IfMatch string `header:"If-Match" doc:"The version that the change was made on, between quotes: the incident's ETag. Without it: 428."`
}

func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

var version = regexp.MustCompile(`^"([1-9][0-9]{0,17})"$`)

// base is the version that a change was made on.
func (c *OnVersion) base() (int64, error) {
	if c.IfMatch == "" {
		return 0, fault.New(preconditionRequired, "error.api.if_match")
	}
	m := version.FindStringSubmatch(strings.TrimSpace(c.IfMatch))
	if m == nil {
		return 0, fault.InvalidField("If-Match", "error.api.if_match_form")
	}
	return strconv.ParseInt(m[1], 10, 64)
}

func (a *API) registerIncidents() {
	tag := []string{"incidents"}
	a.registerList()
	a.registerLinks()
	a.registerKnowledge()
	a.registerSearch()
	a.registerPortal()
	register(a, huma.Operation{OperationID: "declare-incident", Method: http.MethodPost, Path: "/incidents", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary:     "Declare an incident",
		Description: "Gives the new incident and its address. Repeated with the same Idempotency-Key and body, it gives the incident that the first call made (200 instead of 201), however many repeat at once; with another body it is refused (idempotency_mismatch)."},
		func(ctx context.Context, in *struct {
			Key  string `header:"Idempotency-Key" doc:"A word of the client's own, 1 to 200 visible characters, that names this declaration."`
			Body wire.NewIncident
		}) (*tagged, error) {
			if in.Key != "" && !plainKey.MatchString(in.Key) {
				return nil, fault.InvalidField("Idempotency-Key", "error.api.key_form")
			}
			d, err := a.declaration(ctx, &in.Body)
			if err != nil {
				return nil, err
			}
			made, again, err := a.deps.Incidents.DeclareOnce(ctx, identity(ctx), in.Key, d)
			if err != nil {
				return nil, keyUsed(err)
			}
			out, err := a.tag(ctx, made)
			if err != nil {
				return nil, err
			}
			out.Status = http.StatusCreated
			if again {
				out.Status = http.StatusOK
			}
			out.Location = Prefix + "/incidents/" + strconv.FormatInt(made.ID, 10)
			return out, nil
		})
	register(a, huma.Operation{OperationID: "get-incident", Method: http.MethodGet, Path: "/incidents/{id}", Tags: tag,
		Summary: "One incident", Description: "With what the account may do to it as it stands. Answers 304 to an If-None-Match that holds its ETag."},
		func(ctx context.Context, in *struct {
			ByID

			IfNoneMatch string `header:"If-None-Match" doc:"The ETag that the client already has."`
		}) (*tagged, error) {
			found, err := a.deps.Incidents.Get(ctx, identity(ctx).Scope(), in.ID)
			if err != nil {
				return nil, err
			}
			if strings.TrimSpace(in.IfNoneMatch) == etag(found.Version) {
				return &tagged{Status: http.StatusNotModified, ETag: etag(found.Version)}, nil
			}
			return a.tag(ctx, found)
		})
	register(a, huma.Operation{OperationID: "edit-incident", Method: http.MethodPatch, Path: "/incidents/{id}", Tags: tag,
		Summary:     "Correct or complete an incident",
		Description: "Members that are absent are untouched; 0 or an empty text clears. What others changed since the version of If-Match is merged field by field: only a field that both changed is a conflict (409), which shows the value that stands now."},
		func(ctx context.Context, in *struct {
			OnVersion

			Body wire.IncidentEdit
		}) (*tagged, error) {
			base, err := in.base()
			if err != nil {
				return nil, err
			}
			set, err := a.edit(ctx, &in.Body)
			if err != nil {
				return nil, err
			}
			return a.act(ctx, incident.Change{Incident: in.ID, Base: base, Action: incident.Edit, Set: set, Comment: in.Body.Comment, Internal: in.Body.Internal})
		})
	register(a, huma.Operation{OperationID: "act-on-incident", Method: http.MethodPost, Path: "/incidents/{id}/transitions", Tags: tag,
		Summary:     "Take a step in an incident's life",
		Description: "An incident's actions say what is possible as it stands, for the account, and with which members. An action that the present state does not allow is a conflict (409)."},
		func(ctx context.Context, in *struct {
			OnVersion

			Body wire.Transition
		}) (*tagged, error) {
			base, err := in.base()
			if err != nil {
				return nil, err
			}
			b := &in.Body
			return a.act(ctx, incident.Change{Incident: in.ID, Base: base, Action: incident.Action(b.Action), Set: patchOf(b), Comment: b.Comment, Internal: b.Internal})
		})
	register(a, huma.Operation{OperationID: "comment-on-incident", Method: http.MethodPost, Path: "/incidents/{id}/comments", Tags: tag, DefaultStatus: http.StatusCreated,
		Summary: "Say something about an incident", Description: "Needs no If-Match: what is said takes nothing away from others."},
		func(ctx context.Context, in *struct {
			ByID

			Body wire.NewComment
		}) (*tagged, error) {
			out, err := a.act(ctx, incident.Change{Incident: in.ID, Action: incident.Comment, Comment: in.Body.Text, Internal: in.Body.Internal, Attachments: in.Body.Attachments})
			if err == nil {
				out.Status = http.StatusCreated
			}
			return out, err
		})
	register(a, huma.Operation{OperationID: "join-incident", Method: http.MethodPost, Path: "/incidents/{id}/affected", Tags: tag,
		Summary:     "Say that somebody else has it too",
		Description: "Counts a person and a room among those whom an open incident concerns, instead of a second incident; they see it from then on. Open to whoever may declare in the incident's school. Needs no If-Match; said twice it changes nothing."},
		func(ctx context.Context, in *struct {
			ByID

			Body wire.Affected
		}) (*tagged, error) {
			after, err := a.deps.Incidents.AlsoAffected(ctx, identity(ctx), in.ID, incident.Affected{
				Person: in.Body.Person, Room: in.Body.Room, Comment: in.Body.Comment, Attachments: in.Body.Attachments,
			})
			if err != nil {
				return nil, err
			}
			return a.tag(ctx, after)
		})
	register(a, huma.Operation{OperationID: "get-story", Method: http.MethodGet, Path: "/incidents/{id}/story", Tags: tag,
		Summary: "What happened to an incident", Description: "From the journal, in order. Comments for the unit only are left out for other readers."},
		func(ctx context.Context, in *struct{ ByID }) (*output[wire.Story], error) {
			entries, err := a.deps.Incidents.Story(ctx, identity(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			story, err := a.story(ctx, entries)
			if err != nil {
				return nil, err
			}
			return &output[wire.Story]{story}, nil
		})
}

var plainKey = regexp.MustCompile(`^[!-~]{1,200}$`)

// keyUsed gives the refusal of a key that has served for another body its own
// code: it is not a conflict that reading again would solve.
func keyUsed(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Key == "error.incident.key_used" {
		return &fault.Error{Code: idempotencyMismatch, Key: f.Key, Args: f.Args, Fields: f.Fields}
	}
	return err
}

// act does one thing to an incident and shows it.
func (a *API) act(ctx context.Context, c incident.Change) (*tagged, error) {
	after, err := a.deps.Incidents.Act(ctx, identity(ctx), c)
	if err != nil {
		return nil, err
	}
	return a.tag(ctx, after)
}

// tag shows an incident with its version and what may be done to it.
func (a *API) tag(ctx context.Context, i incident.Incident) (*tagged, error) {
	s, err := a.shower(ctx)
	if err != nil {
		return nil, err
	}
	out := &tagged{Status: http.StatusOK, ETag: etag(i.Version), Body: s.incident(&i)}
	for _, t := range incident.Available(identity(ctx), i) {
		action := wire.Action{Action: string(t.Action), To: string(t.To), Required: words(t.Required), Optional: words(t.Optional)}
		out.Body.Actions = append(out.Body.Actions, action)
	}
	return out, nil
}

func words[T ~string](list []T) []string {
	var out []string
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

// schoolID gives the number of a school named by number or code; 0 (said to be
// unknown by the rules) if there is none of that code.
func (a *API) schoolID(ctx context.Context, s wire.SchoolRef) (int64, error) {
	if s.UAI == "" {
		return s.ID, nil
	}
	places, err := a.places(ctx)
	if err != nil {
		return 0, err
	}
	school, ok := places.SchoolByUAI(strings.ToUpper(strings.TrimSpace(s.UAI)))
	if !ok {
		return 0, fault.InvalidField("school", "error.field.unknown")
	}
	return school.ID, nil
}

func (a *API) declaration(ctx context.Context, in *wire.NewIncident) (incident.Declaration, error) {
	school, err := a.schoolID(ctx, in.School)
	d := incident.Declaration{
		Title: in.Title, Description: in.Description, School: school, Room: in.Room, Network: directory.Network(in.Network), Machine: in.Machine,
		Category: in.Category, Impact: in.Impact, Urgency: in.Urgency, Declarant: in.Declarant, Origin: incident.Origin(in.Origin),
	}
	d.Attachments, d.SchoolFirst, d.Tried = in.Attachments, in.SchoolFirst, in.Tried
	if in.OccurredAt != nil {
		d.OccurredAt = *in.OccurredAt
	}
	return d, err
}

func (a *API) edit(ctx context.Context, in *wire.IncidentEdit) (incident.Patch, error) {
	p := incident.Patch{
		Title: in.Title, Description: in.Description, Room: in.Room, Network: (*directory.Network)(in.Network), Machine: in.Machine, Category: in.Category,
		Impact: in.Impact, Urgency: in.Urgency, Declarant: in.Declarant, Origin: (*incident.Origin)(in.Origin), OccurredAt: in.OccurredAt,
		CauseCode: in.CauseCode, ResolutionCode: in.ResolutionCode, Resolution: in.Resolution,
	}
	if in.School == nil {
		return p, nil
	}
	school, err := a.schoolID(ctx, *in.School)
	p.School = &school
	return p, err
}

// story writes what happened, with the names of who did it.
func (a *API) story(ctx context.Context, entries []incident.Entry) (wire.Story, error) {
	places, err := a.places(ctx)
	if err != nil {
		return wire.Story{}, err
	}
	names, err := a.deps.Auth.Names(ctx)
	if err != nil {
		return wire.Story{}, err
	}
	handles := identity(ctx).Can(auth.HandleIncident)
	out := wire.Story{Entries: make([]wire.StoryEntry, len(entries))}
	for k, e := range entries {
		entry := wire.StoryEntry{Kind: e.Kind, At: e.At, Actor: wire.Actor{Kind: e.Actor.Kind, ID: e.Actor.ID}, Comment: e.Comment, Internal: e.Internal && handles, Attachments: e.Attachments}
		switch e.Actor.Kind {
		case "account":
			entry.By = names[e.Actor.ID]
		case "person":
			entry.By = places.PersonName(e.Actor.ID)
		}
		for _, c := range e.Changes {
			entry.Changes = append(entry.Changes, wire.StoryChange{Field: string(c.Field), From: plain(c.From), To: plain(c.To)})
		}
		out.Entries[k] = entry
	}
	return out, nil
}

// plain drops what says "nothing": an instant not reached, a number or text
// that is empty.
func plain(v any) any {
	switch v := v.(type) {
	case time.Time:
		if v.IsZero() {
			return nil
		}
	case int64:
		if v == 0 {
			return nil
		}
	case int:
		if v == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	}
	return v
}
