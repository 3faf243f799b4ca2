package web

import (
	"statincidents/internal/catalog"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"strconv"
	"strings"
	"time"
)

// actionForm is one action with its fields.
type actionForm struct {
	Action  string
	Label   string
	Icon    string
	Primary bool
	Open    bool // unfolded: it was refused
	Fields  []Field
	Key     string
	Form    *Form
}

var actionLooks = map[incident.Action]struct {
	icon, key string
	primary   bool
}{
	incident.Take: {"user-check", "t", true}, incident.Assign: {"users", "a", false}, incident.Route: {"arrow-right", "", false},
	incident.Plan: {"calendar-clock", "p", false}, incident.Hold: {"hourglass", "w", false}, incident.Resume: {"arrow-right", "", true},
	incident.Resolve: {"circle-check", "r", true}, incident.Close: {"archive", "", true}, incident.Confirm: {"circle-check", "", true},
	incident.Reopen: {"rotate-ccw", "", false}, incident.Cancel: {"ban", "", false}, incident.Merge: {"merge", "", false}, incident.Refile: {"tags", "", false},
	incident.Acknowledge: {"eye", "v", true}, incident.HandOver: {"building-2", "d", false}, incident.HandBack: {"school", "", false},
}

// offer makes a form of each action that the reader may take now.
func (p *incidentPage) offer(r *Request, n *names, open string, f *Form) {
	primary := false
	for _, t := range incident.Available(r.Who, p.Incident) {
		if t.Action == incident.Attach || t.Action == incident.Detach {
			continue // in the panel of links
		}
		if t.Action == incident.Edit {
			p.Actions = append(p.Actions, Action{Label: r.T("incident.action.edit"), Icon: "pencil", Href: "/incidents/" + id(p.Incident.ID) + "/edit", Key: "e"})
			continue
		}
		look := actionLooks[t.Action]
		a := actionForm{Action: string(t.Action), Label: r.T("incident.action." + string(t.Action)), Icon: look.icon, Primary: look.primary, Key: look.key, Form: f}
		a.Open = string(t.Action) == open
		from := f
		if !a.Open {
			from = r.Blank()
		}
		for _, field := range t.Required {
			c := n.control(from, field, p.Incident).Must()
			if field == incident.FieldComment {
				c.Ask = "/incidents/" + id(p.Incident.ID) + "/people"
				c.Hint = r.T("desk.mention.hint")
			}
			c.ID = string(t.Action) + "-" + c.Name
			a.Fields = append(a.Fields, c)
		}
		required := len(a.Fields)
		for _, field := range t.Optional {
			c := n.control(from, field, p.Incident)
			c.ID = string(t.Action) + "-" + c.Name
			a.Fields = append(a.Fields, c)
		}
		switch {
		case t.Action == incident.Comment:
			p.Talk = &a
		case required == 0:
			a.Fields = nil
			primary = primary || a.Primary
			p.Simple = append(p.Simple, a)
		default:
			// One thing stands out: what is most likely next.
			a.Primary = a.Primary && !primary
			primary = primary || a.Primary
			p.Detailed = append(p.Detailed, a)
		}
	}
}

// control is the form control of a field of an incident.
func (n *names) control(f *Form, field incident.Field, i incident.Incident) Field {
	r, name := n.r, string(field)
	label := r.T("incident.field." + name)
	choose := r.T("common.choose")
	switch field {
	case incident.FieldSchool:
		return f.Select(name, label, n.schoolOptions(r.Scope(), choose))
	case incident.FieldRoom:
		return f.Select(name, label, n.roomOptions(i.School, r.T("incident.room.none")))
	case incident.FieldCategory:
		return f.Select(name, label, n.categoryOptions(choose))
	case incident.FieldNetwork:
		return f.Select(name, label, n.networkOptions())
	case incident.FieldImpact, incident.FieldUrgency:
		return f.Choices(name, label, n.levelOptions(field))
	case incident.FieldAssignee:
		return f.Select(name, label, n.technicianOptions(choose))
	case incident.FieldTeam:
		return f.Select(name, label, n.teamOptions(choose))
	case incident.FieldWaitingCode:
		return f.Select(name, label, n.codeOptions(catalog.Waiting, choose))
	case incident.FieldCauseCode:
		return f.Select(name, label, n.codeOptions(catalog.Cause, choose))
	case incident.FieldResolutionCode:
		return f.Select(name, label, n.codeOptions(catalog.Resolution, choose))
	case incident.FieldPlannedAt, incident.FieldOccurredAt:
		return f.Input("datetime-local", name, label)
	case incident.FieldMergedInto, incident.FieldParent:
		c := f.Text(name, label).Example("4812")
		c.Mode = "numeric"
		return c
	case incident.FieldTitle:
		return f.Text(name, label).AtMost(incident.MaxTitle)
	case incident.FieldMachine:
		return f.Text(name, label).AtMost(incident.MaxMachine)
	case incident.FieldTried:
		return f.Area(name, label).AtMost(incident.MaxTried).Hinted(r.T("chain.tried.hint"))
	case incident.FieldDescription, incident.FieldResolution, incident.FieldComment:
		return f.Area(name, label).AtMost(incident.MaxText)
	default:
		return f.Text(name, label)
	}
}

const localInstant = "2006-01-02T15:04"

// patchOf reads the fields of a form that a change may hold; only those that
// are there. What cannot be understood is a refusal beside its field.
func patchOf(r *Request, f *Form, fields []incident.Field) (incident.Patch, error) {
	var p incident.Patch
	var bad fault.Fields
	text := func(field incident.Field) *string { s := f.Get(string(field)); return &s }
	ref := func(field incident.Field) *int64 {
		v := strings.TrimLeft(strings.TrimSpace(f.Get(string(field))), "#")
		if v == "" {
			return new(int64)
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			bad.Add(string(field), "error.field.unknown")
		}
		return &n
	}
	level := func(field incident.Field) *int {
		n, err := strconv.Atoi(f.Get(string(field)))
		if err != nil {
			bad.Add(string(field), "error.field.required")
		}
		return &n
	}
	instant := func(field incident.Field) *time.Time {
		t, err := time.ParseInLocation(localInstant, f.Get(string(field)), r.Location())
		if err != nil && f.Get(string(field)) != "" {
			bad.Add(string(field), "error.field.date")
		}
		return &t
	}
	for _, field := range fields {
		if !f.values.Has(string(field)) {
			continue
		}
		switch field {
		case incident.FieldTitle:
			p.Title = text(field)
		case incident.FieldDescription:
			p.Description = text(field)
		case incident.FieldResolution:
			p.Resolution = text(field)
		case incident.FieldMachine:
			p.Machine = text(field)
		case incident.FieldTried:
			p.Tried = text(field)
		case incident.FieldSchool:
			p.School = ref(field)
		case incident.FieldRoom:
			p.Room = ref(field)
		case incident.FieldCategory:
			p.Category = ref(field)
		case incident.FieldAssignee:
			p.Assignee = ref(field)
		case incident.FieldTeam:
			p.Team = ref(field)
		case incident.FieldDeclarant:
			p.Declarant = ref(field)
		case incident.FieldWaitingCode:
			p.WaitingCode = ref(field)
		case incident.FieldCauseCode:
			p.CauseCode = ref(field)
		case incident.FieldResolutionCode:
			p.ResolutionCode = ref(field)
		case incident.FieldMergedInto:
			p.MergedInto = ref(field)
		case incident.FieldParent:
			p.Parent = ref(field)
		case incident.FieldImpact:
			p.Impact = level(field)
		case incident.FieldUrgency:
			p.Urgency = level(field)
		case incident.FieldNetwork:
			v := networkOf(f.Get(string(field)))
			p.Network = &v
		case incident.FieldPlannedAt:
			p.PlannedAt = instant(field)
		case incident.FieldOccurredAt:
			p.OccurredAt = instant(field)
		default:
		}
	}
	return p, bad.Err()
}

// act does one action and comes back to the page.
func (s *Server) act(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	action := incident.Action(f.Get("action"))
	before, err := s.deps.Incidents.Get(r.Context(), r.Scope(), number)
	if err != nil {
		return err
	}
	var fields []incident.Field
	for _, t := range incident.Transitions {
		if t.Action == action {
			fields = append(fields, t.Required...)
			for _, o := range t.Optional {
				// A choice left alone in a form of one click is not "set to nothing".
				if f.Get(string(o)) != "" {
					fields = append(fields, o)
				}
			}
		}
	}
	base, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	set, err := patchOf(r, f, fields)
	var files []int64
	if err == nil {
		files, err = r.takeFiles(f)
	}
	var after incident.Incident
	if err == nil {
		after, err = s.deps.Incidents.Act(r.Context(), r.Who, incident.Change{
			Incident: number, Base: base, Action: action, Set: set, Comment: f.Get("comment"), Internal: f.Checked("internal"), Attachments: files,
		})
	}
	if err != nil {
		if f.Refused(err) {
			if err := r.sayTheirs(f, err); err != nil {
				return err
			}
			return s.showIncident(r, status(err), number, string(action), f)
		}
		return err
	}
	if action != incident.Comment {
		done := Notice{Text: r.T("incident.done."+string(action), "title", before.Title)}
		if after.Version > before.Version {
			done.Undo = undoOf(after)
		}
		if done.Link, err = s.alsoParts(r, after, action); err == nil && done.Link == nil {
			done.Link, err = s.nextToConfirm(r, after, action)
		}
		if err != nil {
			return err
		}
		if err := r.Say(done); err != nil {
			return err
		}
	}
	if then := f.Get("then"); local(then) {
		return r.Redirect(then)
	}
	return r.Redirect("/incidents/" + id(number))
}

// undoOf takes back what made an incident what it is now.
func undoOf(i incident.Incident) *Undo {
	return &Undo{Action: "/incidents/" + id(i.ID) + "/undo", Values: map[string]string{"version": strconv.FormatInt(i.Version, 10)}}
}

// undoAction takes back the reader's last action.
func (s *Server) undoAction(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	f, err := r.Typed()
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	if _, err := s.deps.Incidents.Undo(r.Context(), r.Who, number, version); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("incident.undone")}); err != nil {
		return err
	}
	return r.Redirect("/incidents/" + id(number))
}
