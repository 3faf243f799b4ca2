package checklist

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/visit"
)

// Service is the check-lists of every tenant.
//
// Commands: SaveTemplate, Seed; Add, Set, Remove. Reads: Templates, Template,
// Get, Of, Unfinished, Completion.
type Service struct {
	db        *sqldb.DB
	j         *journal.Journal
	incidents *incident.Service
	visits    *visit.Service
}

// New makes the service, and holds back what an unfinished list must hold back.
func New(db *sqldb.DB, j *journal.Journal, incidents *incident.Service, visits *visit.Service) *Service {
	s := &Service{db: db, j: j, incidents: incidents, visits: visits}
	incidents.Guard(s.HoldIncident)
	visits.Guard(s.HoldVisit)
	return s
}

// Kinds of event. A template's carry the Template, those of a list what is said
// beside them.
const (
	EventTemplateSaved = SubjectTemplate + ".saved"
	EventAdded         = Subject + ".added"    // List
	EventChecked       = Subject + ".checked"  // Change
	EventRemoved       = Subject + ".removed"  //
	EventRestored      = Subject + ".restored" //
)

// Change is what happened to one item.
type Change struct {
	Item  int    `json:"item"`
	Done  bool   `json:"done"`
	Value string `json:"value,omitempty"`
}

func notFound() error { return fault.New(fault.NotFound, "error.checklist.not_found") }

// SaveTemplate creates a template (ID 0) or changes one. Lists that were made
// with it before stay as they are.
func (s *Service) SaveTemplate(ctx context.Context, by auth.Identity, in Template) (Template, error) {
	if err := by.Require(auth.EditService); err != nil {
		return Template{}, err
	}
	in.tidy()
	if err := in.check(); err != nil {
		return Template{}, err
	}
	at := sqldb.Now()
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		t := in
		if t.ID == 0 {
			var err error
			if t.ID, err = tx.NextIDs(ctx, by.Tenant, SubjectTemplate, 1); err != nil {
				return err
			}
			t.Version = 1
		} else {
			was, err := templates(ctx, tx, by.Tenant, ` AND template_id = $2`+tx.ForUpdate(), t.ID)
			if err != nil {
				return err
			}
			if len(was) == 0 {
				return fault.New(fault.NotFound, "error.checklist.template_not_found")
			}
			t.Version = was[0].Version + 1
		}
		data, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("checklist: payload: %w", err)
		}
		if err := saveTemplates(ctx, tx, by.Tenant, []*Template{&t}); err != nil {
			return err
		}
		if err := s.j.Append(ctx, tx, journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: SubjectTemplate, ID: t.ID}, Kind: EventTemplateSaved, Data: data}); err != nil {
			return err
		}
		in = t
		return nil
	})
	if err != nil {
		return Template{}, err
	}
	return in, nil
}

// place judges what a list is for, and gives its school. Ended tells that work
// on it is over.
func (s *Service) place(ctx context.Context, by auth.Identity, on On) (school int64, ended bool, err error) {
	if on == (On{}) {
		return 0, false, fault.InvalidField("incident", "error.field.required")
	}
	if on.Visit != 0 {
		v, err := s.visits.Get(ctx, by, on.Visit)
		if err != nil {
			return 0, false, err
		}
		school, ended = v.School, !v.State.Active()
	}
	if on.Incident != 0 {
		i, err := s.incidents.Get(ctx, by.Scope(), on.Incident)
		if err != nil {
			return 0, false, err
		}
		school, ended = i.School, !i.State.Open()
	}
	return school, ended, nil
}

// Add begins a list from a template.
func (s *Service) Add(ctx context.Context, by auth.Identity, template int64, on On) (List, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return List{}, err
	}
	school, ended, err := s.place(ctx, by, on)
	if err != nil {
		return List{}, err
	}
	if ended {
		return List{}, fault.New(fault.Conflict, "error.checklist.ended")
	}
	at := sqldb.Now()
	var l List
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := templates(ctx, tx, by.Tenant, ` AND template_id = $2`, template)
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].Archived {
			return fault.InvalidField("template", "error.field.unknown")
		}
		standing, err := lists(ctx, tx, by.Tenant, ` AND incident_id = $2 AND visit_id = $3 AND removed = 0`, on.Incident, on.Visit)
		if err != nil {
			return err
		}
		if len(standing) >= MaxLists {
			return fault.InvalidField("template", "error.checklist.many", "max", MaxLists)
		}
		t := found[0]
		l = List{Template: t.ID, TemplateVersion: t.Version, Title: t.Title, Incident: on.Incident, Visit: on.Visit, School: school, AddedAt: at}
		for _, i := range t.Items {
			if i.Kind == Photo && on.Incident == 0 {
				i.Mandatory = false // a photo is kept with an incident: a visit may have none
			}
			l.Checks = append(l.Checks, Check{Item: i})
		}
		if l.ID, err = tx.NextIDs(ctx, by.Tenant, Subject, 1); err != nil {
			return err
		}
		return s.record(ctx, tx, by, &l, EventAdded, l, at)
	})
	if err != nil {
		return List{}, err
	}
	return l, nil
}

// Set ticks an item with the value that it asks for, or unticks it (its value
// is kept until another is given). What is so already writes nothing.
func (s *Service) Set(ctx context.Context, by auth.Identity, id int64, c Change) (List, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return List{}, err
	}
	seen, err := s.Get(ctx, by, id)
	if err != nil {
		return List{}, err
	}
	if c.Item < 0 || c.Item >= len(seen.Checks) {
		return List{}, fault.InvalidField("item", "error.field.unknown")
	}
	item := seen.Checks[c.Item]
	if c.Done {
		var refusal string
		if c.Value, refusal = item.Kind.value(c.Value); refusal != "" {
			return List{}, fault.InvalidField(Field(id, c.Item), refusal, "max", MaxValue)
		}
	} else {
		c.Value = item.Value
		if item.Mandatory {
			if _, ended, err := s.place(ctx, by, On{seen.Incident, seen.Visit}); err != nil {
				return List{}, err
			} else if ended {
				return List{}, fault.New(fault.Conflict, "error.checklist.ended")
			}
		}
	}
	return s.change(ctx, by, id, EventChecked, c, func(l *List) bool {
		return l.Checks[c.Item].Done == c.Done && l.Checks[c.Item].Value == c.Value
	})
}

// Remove takes a list away, or brings it back. What was recorded stays in the
// journal.
func (s *Service) Remove(ctx context.Context, by auth.Identity, id int64, removed bool) (List, error) {
	if err := by.Require(auth.HandleIncident); err != nil {
		return List{}, err
	}
	seen, err := s.Get(ctx, by, id)
	if err != nil {
		return List{}, err
	}
	if _, ended, err := s.place(ctx, by, On{seen.Incident, seen.Visit}); err != nil {
		return List{}, err
	} else if ended {
		return List{}, fault.New(fault.Conflict, "error.checklist.ended")
	}
	kind := EventRestored
	if removed {
		kind = EventRemoved
	}
	return s.change(ctx, by, id, kind, struct{}{}, func(l *List) bool { return l.Removed == removed })
}

// change applies an event to a list, unless it is so already.
func (s *Service) change(ctx context.Context, by auth.Identity, id int64, kind string, payload any, already func(*List) bool) (List, error) {
	at := sqldb.Now()
	var out List
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		found, err := lists(ctx, tx, by.Tenant, ` AND checklist_id = $2`+tx.ForUpdate(), id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound()
		}
		out = found[0]
		if already(&out) {
			return nil
		}
		return s.record(ctx, tx, by, &out, kind, payload, at)
	})
	if err != nil {
		return List{}, err
	}
	return out, nil
}

// record folds an event into a list and writes both.
func (s *Service) record(ctx context.Context, tx *sqldb.Tx, by auth.Identity, l *List, kind string, payload any, at time.Time) error {
	data, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("checklist: payload of %s: %w", kind, err)
	}
	e := journal.Event{Tenant: by.Tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: l.ID}, School: l.School, Kind: kind, Data: data}
	if err := l.fold(&e); err != nil {
		return err
	}
	if err := saveLists(ctx, tx, by.Tenant, []*List{l}); err != nil {
		return err
	}
	return s.j.Append(ctx, tx, e)
}

// fold applies one of the list's events to it.
func (l *List) fold(e *journal.Event) error {
	version := l.Version
	switch e.Kind {
	case EventAdded:
		if err := json.Unmarshal(e.Data, l); err != nil {
			return fmt.Errorf("checklist %d: event %s: %w", e.Subject.ID, e.Pos, err)
		}
	case EventChecked:
		var c Change
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return fmt.Errorf("checklist %d: event %s: %w", e.Subject.ID, e.Pos, err)
		}
		if c.Item >= 0 && c.Item < len(l.Checks) {
			check := &l.Checks[c.Item]
			check.Done, check.Value, check.By, check.ByID, check.At = c.Done, c.Value, e.Actor.Kind, e.Actor.ID, e.At
		}
	case EventRemoved:
		l.Removed = true
	case EventRestored:
		l.Removed = false
	}
	l.ID, l.Version = e.Subject.ID, version+1
	switch complete := l.Complete(); {
	case !complete:
		l.CompletedAt = time.Time{}
	case l.CompletedAt.IsZero():
		l.CompletedAt = e.At
	}
	return nil
}

// HoldIncident refuses to resolve or close an incident while a mandatory item
// of its lists is not done. What the school confirms is not held back.
func (s *Service) HoldIncident(ctx context.Context, tx *sqldb.Tx, by auth.Identity, _ incident.Action, before, after *incident.Incident) error {
	ends := after.State == incident.Resolved || after.State == incident.Closed
	if !ends || before.State == after.State || !by.Can(auth.HandleIncident) {
		return nil
	}
	found, err := lists(ctx, tx, by.Tenant, ` AND incident_id = $2 AND incident_id <> 0 AND removed = 0 AND mandatory_left > 0`, after.ID)
	if err != nil {
		return err
	}
	return held(found)
}

// HoldVisit refuses to end a visit while a mandatory item of its own lists is
// not done; those of its incidents hold back the incidents.
func (s *Service) HoldVisit(ctx context.Context, tx *sqldb.Tx, by auth.Identity, action visit.Action, _, after *visit.Visit) error {
	if action != visit.Finish {
		return nil
	}
	found, err := lists(ctx, tx, by.Tenant, ` AND visit_id = $2 AND incident_id = 0 AND removed = 0 AND mandatory_left > 0`, after.ID)
	if err != nil {
		return err
	}
	return held(found)
}

// held names the items that hold something back.
func held(found []List) error {
	var fields []fault.Field
	for k := range found {
		for _, n := range found[k].Left() {
			fields = append(fields, fault.Field{Name: Field(found[k].ID, n), Key: "error.checklist.left", Args: map[string]any{"item": found[k].Checks[n].Text, "list": found[k].Title}})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return &fault.Error{Code: fault.Invalid, Key: "error.checklist.holds", Args: map[string]any{"n": len(fields)}, Fields: fields}
}
