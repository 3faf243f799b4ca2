package incident

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"statincidents/internal/auth"
	"statincidents/internal/testkit"
)

var update = flag.Bool("update", false, "write the generated parts of docs/incident-states.md")

// diagram draws the table; actions that keep the state are in the table below it.
func diagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> new : declare\n")
	arrows := map[string][]string{}
	var order []string
	for _, t := range Transitions {
		for _, from := range t.From {
			if t.To == Same || t.To == from {
				continue
			}
			arrow := fmt.Sprintf("%s --> %s", from, t.To)
			if arrows[arrow] == nil {
				order = append(order, arrow)
			}
			if !slices.Contains(arrows[arrow], string(t.Action)) {
				arrows[arrow] = append(arrows[arrow], string(t.Action))
			}
		}
	}
	for _, arrow := range order {
		fmt.Fprintf(&b, "    %s : %s\n", arrow, strings.Join(arrows[arrow], ", "))
	}
	b.WriteString("    closed --> [*]\n    cancelled --> [*]\n    merged --> [*]\n```\n")
	return b.String()
}

func table() string {
	words := func(fs []Field) string {
		s := make([]string, len(fs))
		for k, f := range fs {
			s[k] = string(f)
		}
		return strings.Join(s, ", ")
	}
	var b strings.Builder
	b.WriteString("| action | from | condition | to | event | required | optional | administrator | lead | technician | referent | declarant |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, t := range Transitions {
		from := make([]string, len(t.From))
		for k, s := range t.From {
			from[k] = string(s)
		}
		to := string(t.To)
		if t.To == Same {
			to = "(same)"
		}
		var conditions []string
		for _, c := range []string{string(t.When), string(t.At), map[bool]string{true: "own"}[t.Own]} {
			if c != "" {
				conditions = append(conditions, c)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |", t.Action, strings.Join(from, ", "), strings.Join(conditions, ", "), to, t.Event, words(t.Required), words(t.Optional))
		for _, role := range auth.Roles {
			mark := "–"
			if slices.Contains(role.Rights(), t.Right) {
				mark = "yes"
			}
			if mark == "yes" && role == auth.Declarant && t.Joined {
				mark = "yes, joined too"
			}
			b.WriteString(" " + mark + " |")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestDocumentDrawsTheStateMachine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(testkit.Root(), "docs", "incident-states.md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	for name, want := range map[string]string{"diagram": diagram(), "table": table()} {
		start, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		before, rest, ok := strings.Cut(doc, start)
		got, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("%s: no section %q", path, name)
		}
		if got == want {
			continue
		}
		if !*update {
			t.Errorf("%s: the %s is not that of Transitions: run go test ./internal/incident -run Document -update", path, name)
		}
		doc = before + start + want + end + after
	}
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTransitionsAreSound(t *testing.T) {
	t.Parallel()
	reached := map[State]bool{New: true}
	for _, row := range Transitions {
		if row.To != Same {
			reached[row.To] = true
		}
		for _, from := range row.From {
			if !slices.Contains(States, from) {
				t.Errorf("%s: from %q", row.Action, from)
			}
		}
		for _, f := range row.Required {
			if slices.Contains(row.Optional, f) {
				t.Errorf("%s: %s is required and optional", row.Action, f)
			}
		}
	}
	for _, s := range States {
		if !reached[s] {
			t.Errorf("no way leads to %s", s)
		}
	}
	// Whoever may act at all meets one row at most for an action: two would
	// make the outcome depend on the order of the table.
	for _, s := range States {
		for _, assignee := range []int64{0, 1} {
			i := Incident{State: s, Assignee: assignee}
			count := map[Action]int{}
			for k := range Transitions {
				if Transitions[k].meets(&i) {
					count[Transitions[k].Action]++
				}
			}
			for a, n := range count {
				if n > 1 {
					t.Errorf("%s from %s (assignee %d): %d rows", a, s, assignee, n)
				}
			}
		}
	}
}

func TestAvailable(t *testing.T) {
	t.Parallel()
	teacher := auth.Identity{Tenant: 1, Role: auth.Declarant, Person: 7, Schools: []int64{1}}
	tech := auth.Identity{Tenant: 1, Role: auth.Technician, Person: 8}
	referent := auth.Identity{Tenant: 1, Role: auth.Referent, Person: 6, Schools: []int64{1}}
	for _, c := range []struct {
		name string
		by   auth.Identity
		i    Incident
		want string
	}{
		{"teacher, new", teacher, Incident{State: New, School: 1, Declarant: 7}, "cancel refile comment"},
		{"teacher, in hand", teacher, Incident{State: Assigned, School: 1, Declarant: 7, Assignee: 8}, "comment"},
		{"teacher, resolved", teacher, Incident{State: Resolved, School: 1, Declarant: 7}, "confirm reopen comment"},
		{"teacher, a colleague's", teacher, Incident{State: Resolved, School: 1, Declarant: 9}, ""},
		{"technician, new", tech, Incident{State: New, School: 1}, "take assign route plan hold resolve cancel merge attach edit comment"},
		{"technician, own", tech, Incident{State: Assigned, School: 1, Assignee: 8}, "assign route plan hold resolve cancel merge attach edit acknowledge comment"},
		{"technician, own and seen", tech, Incident{State: Assigned, School: 1, Assignee: 8, SeenAt: earliest}, "assign route plan hold resolve cancel merge attach edit comment"},
		{"technician, a colleague's", tech, Incident{State: Assigned, School: 1, Assignee: 9}, "take assign route plan hold resolve cancel merge attach edit comment"},
		{"technician, handed over", tech, Incident{State: New, School: 1, Level: HandedOver}, "take assign route plan hold resolve cancel merge attach edit hand_back comment"},
		{"technician, at school", tech, Incident{State: New, School: 1, Level: AtSchoolLevel}, "take assign route plan hold resolve cancel merge attach edit comment"},
		{"referent, at school", referent, Incident{State: New, School: 1, Level: AtSchoolLevel}, "cancel refile take hold resolve hand_over comment"},
		{"referent, taken", referent, Incident{State: Assigned, School: 1, Level: AtSchoolLevel, Assignee: 6, SeenAt: earliest}, "hold resolve hand_over cancel comment"},
		{"referent, direct", referent, Incident{State: New, School: 1}, "cancel refile comment"},
		{"referent, handed over", referent, Incident{State: Assigned, School: 1, Level: HandedOver, Assignee: 8}, "comment"},
		{"referent, another school's", referent, Incident{State: New, School: 2, Level: AtSchoolLevel}, ""},
		{"teacher, at school", teacher, Incident{State: Assigned, School: 1, Declarant: 7, Level: AtSchoolLevel}, "comment"},
		{"technician, resolved", tech, Incident{State: Resolved, School: 1}, "close reopen attach edit comment"},
		{"technician, merged", tech, Incident{State: Merged, School: 1}, "reopen edit comment"},
	} {
		var got []string
		for _, row := range Available(c.by, c.i) {
			got = append(got, string(row.Action))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q, want %q", c.name, s, c.want)
		}
	}
}
