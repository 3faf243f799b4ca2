package web

import (
	"net/url"
	"slices"
	"strings"
)

// readyGroup are the ready-made questions on one matter.
type readyGroup struct {
	Title string
	Links []readyLink
}

type readyLink struct {
	Link

	Here bool // what is asked now
}

// readyQuestions are asked so often that they have a name; the period that the
// reader looks at is kept. "explore.ready.NAME" says each.
var readyQuestions = []struct {
	group     string
	questions []struct{ name, ask string }
}{
	{"clocks", []struct{ name, ask string }{
		{"kept_by_school", "measure=resolution_kept&by=school"},
		{"response_by_month", "measure=response_kept&by=month"},
		{"late_by_category", "measure=resolution_late&by=category"},
		{"open_by_priority", "measure=resolution_open&by=priority"},
		{"waiting", "measure=backlog&by=waiting&waiting.not=~"},
	}},
	{"quality", []struct{ name, ask string }{
		{"satisfaction_by_category", "measure=satisfied_share&by=category"},
		{"satisfaction_by_month", "measure=satisfaction&by=month"},
		{"reopened_by_category", "measure=reopened_share&by=category"},
		{"reassigned_by_team", "measure=reassignments&by=team"},
	}},
	{"work", []struct{ name, ask string }{
		{"time_by_school", "measure=work_time&by=school"},
		{"visits_by_month", "measure=visits&by=month"},
		{"parts_by_category", "measure=parts_cost&by=category"},
		{"failed_by_category", "measure=checks_failed&by=category"},
	}},
}

// ready links the ready-made questions over the reader's period.
func ready(r *Request) []readyGroup {
	asked := r.Address.Without("period", "from", "to")
	var groups []readyGroup
	for _, g := range readyQuestions {
		group := readyGroup{Title: r.T("explore.measures." + g.group)}
		for _, q := range g.questions {
			values, err := url.ParseQuery(q.ask)
			if err != nil {
				continue // the test asks each of them
			}
			a := Address{Path: "/explore"}.withValues(values)
			here := sameQuestion(a, asked)
			for _, name := range []string{"period", "from", "to"} {
				if v := r.Address.Get(name); v != "" {
					a = a.With(name, v)
				}
			}
			group.Links = append(group.Links, readyLink{Link{Label: r.T("explore.ready." + q.name), Href: a.String()}, here})
		}
		groups = append(groups, group)
	}
	return groups
}

func sameQuestion(a, b Address) bool {
	text := func(x Address) string {
		_, q, _ := strings.Cut(x.String(), "?")
		parts := strings.Split(q, "&")
		slices.Sort(parts)
		return strings.Join(parts, "&")
	}
	return text(a) == text(b)
}
