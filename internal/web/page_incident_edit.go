package web

import (
	"errors"
	"net/http"
	"strconv"

	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
)

// incidentEditPage corrects or completes an incident. It knows the version that
// it was filled from: what others change meanwhile is merged field by field.
type incidentEditPage struct {
	Page

	Incident incident.Incident
	Version  string
	Form     *Form
	Fields   []Field
}

var incidentEditView = newView[incidentEditPage]("page_incident_edit.html", shell)

// edits lists the fields of the edit form that the incident's state allows.
func edits(r *Request, i incident.Incident) []incident.Field {
	for _, t := range incident.Available(r.Who, i) {
		if t.Action == incident.Edit {
			var fields []incident.Field
			for _, f := range t.Optional {
				if f != incident.FieldComment && f != incident.FieldOrigin && f != incident.FieldDeclarant {
					fields = append(fields, f)
				}
			}
			return fields
		}
	}
	return nil
}

func (s *Server) editIncident(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	f := r.Blank("version", strconv.FormatInt(i.Version, 10),
		"title", i.Title, "description", i.Description, "school", id(i.School), "room", id(i.Room), "network", string(i.Network),
		"machine", i.Machine, "category", id(i.Category), "impact", strconv.Itoa(i.Impact), "urgency", strconv.Itoa(i.Urgency),
		"occurred_at", i.OccurredAt.In(r.Location()).Format(localInstant),
		"resolution_code", id(i.ResolutionCode), "cause_code", id(i.CauseCode), "resolution", i.Resolution)
	return s.showIncidentEdit(r, http.StatusOK, i, f)
}

func (s *Server) showIncidentEdit(r *Request, status int, i incident.Incident, f *Form) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	title := r.T("incident.edit.title", "number", id(i.ID))
	p := &incidentEditPage{
		Page:     Page{Title: title, Crumbs: []Link{{Label: r.T("incidents.title"), Href: "/incidents"}, {Label: r.T("incident.number", "number", id(i.ID)), Href: "/incidents/" + id(i.ID)}}},
		Incident: i, Version: f.Get("version"), Form: f,
	}
	at := i
	if school := f.ID("school"); school != 0 {
		at.School = school
	}
	for _, field := range edits(r, i) {
		c := n.control(f, field, at)
		if field == incident.FieldTitle || field == incident.FieldSchool {
			c = c.Must()
		}
		p.Fields = append(p.Fields, c)
	}
	return incidentEditView.show(r, status, p)
}

func (s *Server) saveIncident(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	i, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	base, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	set, err := patchOf(r, f, edits(r, i))
	if err == nil {
		// Only what the person changed is asked: the rest is what they saw.
		set, err = s.changed(r, number, base, i, set)
	}
	var after incident.Incident
	if err == nil {
		after, err = s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{Incident: number, Base: base, Action: incident.Edit, Set: set})
	}
	if err != nil {
		if f.Refused(err) {
			if fault.Is(err, fault.Conflict) {
				// Saving again is then a choice made on what stands now.
				f.values.Set("version", strconv.FormatInt(i.Version, 10))
			}
			if err := r.sayTheirs(f, err); err != nil {
				return err
			}
			return s.showIncidentEdit(r, status(err), i, f)
		}
		return err
	}
	saved := Notice{Text: r.T("incident.saved")}
	if after.Version > i.Version {
		saved.Undo = undoOf(after)
	}
	if err := r.Say(saved); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}

// sayTheirs says the values that stand after a conflict as the sheet does: a
// name for a number.
func (r *Request) sayTheirs(f *Form, err error) error {
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return nil
	}
	n, err := r.names()
	if err != nil {
		return err
	}
	for _, field := range refusal.Fields {
		if field.Theirs != nil {
			f.theirs[field.Name] = r.Label(r.T("incident.theirs")) + n.value(incident.Field(field.Name), field.Theirs)
		}
	}
	return nil
}

// changed keeps of a filled form the fields that differ from the version it was
// filled from.
func (s *Server) changed(r *Request, number, base int64, now incident.Incident, set incident.Patch) (incident.Patch, error) {
	seen := now
	if base != 0 && base != now.Version {
		var err error
		if seen, err = s.deps.Incidents.At(r.Context(), r.Scope(), number, base); err != nil {
			return set, err
		}
	}
	wanted := seen
	set.Apply(&wanted)
	if set.OccurredAt != nil && wanted.OccurredAt.Equal(seen.OccurredAt.Truncate(60e9)) {
		wanted.OccurredAt = seen.OccurredAt // the control shows minutes only
	}
	diff, _ := incident.Diff(&seen, &wanted)
	return diff, nil
}

func networkOf(s string) directory.Network { return directory.Network(s) }
