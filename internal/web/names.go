package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/cube"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
)

// names turns identifiers into the words of the reader's language.
type names struct {
	r        *Request
	places   *directory.Index
	words    *catalog.Index
	accounts map[int64]string // loaded when a story needs them
}

// names loads the directory's and the catalogue's present names; both are kept
// in memory by their services.
func (r *Request) names() (*names, error) {
	places, err := r.Server.deps.Directory.Index(r.Context(), r.Who.Tenant)
	if err != nil {
		return nil, err
	}
	words, err := r.Server.deps.Catalog.Index(r.Context(), r.Who.Tenant)
	if err != nil {
		return nil, err
	}
	return &names{r: r, places: places, words: words}, nil
}

func (n *names) lang() string { return string(n.r.Lang()) }

// category is the path of a category: "Impression › Bourrage".
func (n *names) category(id int64) string {
	if id == 0 {
		return ""
	}
	return strings.Join(n.words.PathLabels(id, n.lang()), " › ")
}

// kind is the last word of a category's path, where there is no room for it all.
func (n *names) kind(id int64) string {
	labels := n.words.PathLabels(id, n.lang())
	if id == 0 || len(labels) == 0 {
		return ""
	}
	return labels[len(labels)-1]
}

// place is a school and a room in one line.
func (n *names) place(i incident.Incident) string {
	return Legend(n.places.SchoolName(i.School), n.places.RoomName(i.Room))
}

// actor is who caused an event.
func (n *names) actor(a journal.Actor) (string, error) {
	switch a.Kind {
	case journal.ByPerson:
		if name := n.places.PersonName(a.ID); name != "" {
			return name, nil
		}
	case journal.ByAccount:
		if n.accounts == nil {
			var err error
			if n.accounts, err = n.r.Server.deps.Auth.Names(n.r.Context()); err != nil {
				return "", err
			}
		}
		if name := n.accounts[a.ID]; name != "" {
			return name, nil
		}
	case journal.BySystem:
		return n.r.T("common.product"), nil
	}
	return n.r.T("incident.somebody"), nil
}

// value says a field's value, as its type in incident.Incident.
func (n *names) value(f incident.Field, v any) string {
	switch v := v.(type) {
	case int64:
		if v == 0 {
			return n.none(f)
		}
		return n.reference(f, v)
	case int:
		switch f {
		case incident.FieldPriority, incident.FieldImpact, incident.FieldUrgency:
			return n.r.T("incident." + string(f) + "." + strconv.Itoa(v))
		default:
			return n.r.Int(v)
		}
	case time.Time:
		if v.IsZero() {
			return n.none(f)
		}
		return n.r.DateTime(v)
	case incident.State:
		if v == "" {
			return n.none(f)
		}
		return n.r.T("incident.state." + string(v))
	case incident.Level:
		return n.r.T("incident.level." + levelWord(v))
	case incident.Origin:
		return n.r.T("incident.origin." + string(v))
	case incident.Rating:
		if v == "" {
			return n.none(f)
		}
		return n.r.T("desk.rating." + string(v))
	case incident.Target:
		return n.r.T("incident.target." + orUnknown(string(v)))
	case directory.Network:
		return n.r.T("incident.network." + orUnknown(string(v)))
	case string:
		if v == "" {
			return n.none(f)
		}
		return v
	}
	return fmt.Sprint(v)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func (n *names) none(f incident.Field) string {
	if f == incident.FieldAssignee {
		return n.r.T("incident.unassigned")
	}
	return "—"
}

// reference is the name of what a field points at.
func (n *names) reference(f incident.Field, id int64) string {
	name := ""
	switch f {
	case incident.FieldSchool:
		name = n.places.SchoolName(id)
	case incident.FieldRoom:
		name = n.places.RoomName(id)
	case incident.FieldCategory:
		name = n.category(id)
	case incident.FieldDeclarant, incident.FieldAssignee:
		name = n.places.PersonName(id)
	case incident.FieldTeam:
		name = n.places.TeamName(id)
	case incident.FieldWaitingCode, incident.FieldCauseCode, incident.FieldResolutionCode:
		name = n.words.CodeLabel(id, n.lang())
	case incident.FieldMergedInto, incident.FieldParent:
		return n.r.T("incident.number", "number", strconv.FormatInt(id, 10))
	default:
	}
	if name == "" {
		return strconv.FormatInt(id, 10)
	}
	return name
}

// Options of selects. Each begins with what nothing chosen means.

func (n *names) schoolOptions(scope auth.Scope, empty string) []Option {
	options := []Option{{Label: empty}}
	for _, s := range n.places.SchoolsIn(scope) {
		options = append(options, Option{Value: id(s.ID), Label: s.Name, Group: s.Commune})
	}
	return byGroup(options)
}

// byGroup keeps the options of one group together, groups in order of first
// appearance, without changing the order inside a group.
func byGroup(options []Option) []Option {
	var order []string
	groups := map[string][]Option{}
	for _, o := range options {
		if _, seen := groups[o.Group]; !seen {
			order = append(order, o.Group)
		}
		groups[o.Group] = append(groups[o.Group], o)
	}
	out := make([]Option, 0, len(options))
	for _, g := range order {
		out = append(out, groups[g]...)
	}
	return out
}

func (n *names) roomOptions(school int64, empty string) []Option {
	options := []Option{{Label: empty}}
	for _, room := range n.places.Rooms(school) {
		if !room.Archived {
			options = append(options, Option{Value: id(room.ID), Label: room.Name})
		}
	}
	return options
}

// categoryOptions lists the tree, children grouped under their top category.
func (n *names) categoryOptions(empty string) []Option {
	options := []Option{{Label: empty}}
	for _, c := range n.words.Categories() {
		if c.Archived {
			continue
		}
		labels := n.words.PathLabels(c.ID, n.lang())
		o := Option{Value: id(c.ID), Label: strings.Join(labels[max(0, len(labels)-1):], "")}
		if len(labels) > 0 {
			o.Group = labels[0]
		}
		if len(labels) > 2 {
			o.Label = strings.Join(labels[1:], " › ")
		}
		options = append(options, o)
	}
	return byGroup(options)
}

func (n *names) codeOptions(kind catalog.CodeKind, empty string) []Option {
	options := []Option{{Label: empty}}
	for _, c := range n.words.Codes(kind) {
		if !c.Archived {
			options = append(options, Option{Value: id(c.ID), Label: n.words.CodeLabel(c.ID, n.lang())})
		}
	}
	return options
}

func (n *names) technicianOptions(empty string) []Option {
	options := []Option{{Label: empty}}
	for _, p := range n.places.Technicians() {
		options = append(options, Option{Value: id(p.ID), Label: p.Name})
	}
	return options
}

func (n *names) teamOptions(empty string) []Option {
	options := []Option{{Label: empty}}
	for _, t := range n.places.Teams() {
		if !t.Archived {
			options = append(options, Option{Value: id(t.ID), Label: t.Name})
		}
	}
	return options
}

// levelOptions are the three levels of impact or urgency.
func (n *names) levelOptions(f incident.Field) []Option {
	var options []Option
	for level := 1; level <= 3; level++ {
		options = append(options, Option{Value: strconv.Itoa(level), Label: n.value(f, level)})
	}
	return options
}

func (n *names) networkOptions() []Option {
	var options []Option
	for _, v := range []directory.Network{directory.NetworkTeaching, directory.NetworkAdministrative, directory.NetworkUnknown} {
		options = append(options, Option{Value: string(v), Label: n.value(incident.FieldNetwork, v)})
	}
	return options
}

// id writes a number as addresses and forms do.
func id(n int64) string { return strconv.FormatInt(n, 10) }

// labels says the keys of the statistics' dimensions.
func (n *names) labels() *cube.Labeler { return cube.NewLabeler(n.places, n.words, n.r.Printer) }

// schoolOfKey is the school that a key of the dimension "school" names.
func (n *names) schoolOfKey(key string) (directory.School, bool) {
	number, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		return directory.School{}, false
	}
	return n.places.School(number)
}

// roomOfKey is the room that a key of the dimension "room" names.
func (n *names) roomOfKey(key string) (directory.Room, bool) {
	number, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		return directory.Room{}, false
	}
	return n.places.Room(number)
}
