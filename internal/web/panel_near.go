package web

import (
	"html/template"
	"statincidents/internal/calendar"
	"statincidents/internal/cube"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/locale"
)

// nearPanel is what else happened close to an incident.
type nearPanel struct {
	*locale.Printer

	Groups []nearGroup
}

var nearView = newFragment[nearPanel]("panel_near.html", "panel-near")

// nearGroup is what else happened close by: same machine, same room.
type nearGroup struct {
	Title string
	Href  string
	Total string
	Items []nearItem
}

type nearItem struct {
	Label string
	Href  string
	State Badge
	When  Moment
	Fix   string // how it was solved
}

// nearDays is how far back "same machine" and "same room" look.
const nearDays = 365

// near finds what happened on the same machine and in the same room, the
// machine's first, and how it was solved.
func (s *Server) near(r *Request, i incident.Incident) (template.HTML, error) {
	n, err := r.names()
	if err != nil {
		return "", err
	}
	var all nearPanel
	groups := []struct {
		title  string
		filter cube.Filter
		ok     bool
	}{
		{"incident.near.machine", cube.Filter{Dim: cube.DimMachine, In: []string{i.Machine}}, i.Machine != ""},
		{"incident.near.room", cube.Filter{Dim: cube.DimRoom, In: []string{id(i.Room)}}, i.Room != 0},
	}
	for _, g := range groups {
		if !g.ok {
			continue
		}
		q := cube.ListQuery{Filters: []cube.Filter{g.filter}, From: r.today() - nearDays, Limit: 6}
		page, err := r.Server.deps.Cube.List(r.Context(), r.Scope(), q)
		if err != nil {
			if fault.Is(err, fault.Unavailable) {
				return "", nil // the figures are still being loaded: the page does not wait for them
			}
			return "", err
		}
		found, err := r.Server.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
		if err != nil {
			return "", err
		}
		others := page.Total
		if i.State != incident.Cancelled && i.State != incident.Merged && calendar.DayOf(i.OpenedAt, r.Location()) >= q.From {
			others-- // the incident itself
		}
		group := nearGroup{Title: r.T(g.title), Total: r.N("incident.near.count", others), Href: listAddress(q).String()}
		for _, other := range found {
			if other.ID == i.ID || len(group.Items) == 5 {
				continue
			}
			item := nearItem{Label: other.Title, Href: "/incidents/" + id(other.ID), State: StateBadge(r.Printer, other.State), When: r.Moment(other.OpenedAt)}
			if other.ResolutionCode != 0 {
				item.Fix = n.words.CodeLabel(other.ResolutionCode, n.lang())
			}
			group.Items = append(group.Items, item)
		}
		if len(group.Items) > 0 {
			all.Groups = append(all.Groups, group)
		}
	}
	if len(all.Groups) == 0 {
		return "", nil
	}
	all.Printer = r.Printer
	return nearView.html(all)
}
