package csvin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"statincidents/internal/fault"
)

const small = `name = "small"
source = "small"
[rows]
per = "ticket"
ticket = "id"
[fields]
state = { constant = "closed" }
title.column = "title"
[fields.opened_at]
column = "opened"
`

func TestBuiltInProfilesAreCorrect(t *testing.T) {
	t.Parallel()
	if !slices.Contains(BuiltIn(), "servicenow") {
		t.Fatalf("built in: %v", BuiltIn())
	}
	for _, name := range BuiltIn() {
		p, err := Named(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.Name != name || p.Title["fr"] == "" || p.Title["en"] == "" {
			t.Errorf("%s: named %q, titles %v", name, p.Name, p.Title)
		}
	}
	if _, err := Named("../profile"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a profile that is not there: %v", err)
	}
}

func TestProfileIsWrittenAndReadBack(t *testing.T) {
	t.Parallel()
	want := profile(t, "servicenow")
	text, err := want.TOML()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseProfile(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestProfileErrors: each mistake is told with its key and its line.
func TestProfileErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string // key: sentence @line
	}{
		{"correct", small, nil},
		{"syntax", small + "[fields.school]\ncolumn = location\n", []string{"toml: error.intake.profile.syntax @12"}},
		{"a number for a text", strings.Replace(small, `"small"`, "3", 1), []string{"toml: error.intake.profile.syntax @1"}},
		{"an unknown setting", small + "colour = \"red\"\n", []string{"fields.opened_at.colour: error.intake.profile.unknown_key @11"}},
		{"an unknown section", small + "[fild]\nencoding = \"auto\"\n", []string{"fild.encoding: error.intake.profile.unknown_key @12", "fild: error.intake.profile.unknown_key @11"}},
		{"an unknown field", small + "[fields.colour]\ncolumn = \"c\"\n", []string{"fields.colour: error.intake.profile.one_of @11"}},
		{"an unknown word", strings.Replace(small, `"closed"`, `"ended"`, 1), []string{"fields.state.constant: error.intake.profile.one_of @7"}},
		{"an unknown meaning", small + "[fields.origin]\ncolumn = \"c\"\n[fields.origin.values]\n\"Par téléphone\" = \"call\"\n", []string{"fields.origin.values.Par téléphone: error.intake.profile.one_of @14"}},
		{"a level out of bounds", small + "[fields.impact]\nconstant = \"4\"\n", []string{"fields.impact.constant: error.intake.profile.range @12"}},
		{"two sources", small + "constant = \"x\"\n", []string{"fields.opened_at.constant: error.intake.profile.no_instant @11", "fields.opened_at: error.intake.profile.one_source @9"}},
		{"no source", small + "[fields.school]\ncreate = true\n", []string{"fields.school: error.intake.profile.one_source @11"}},
		{"a zone", small + "[dates]\nzone = \"Mars/Olympus\"\n", []string{"dates.zone: error.intake.profile.zone @12"}},
		{"a date format", small + "[dates]\nformats = [\"jj/mm/aaaa\"]\n", []string{"dates.formats: error.intake.profile.date_format @12"}},
		{"a separator", small + "[file]\nseparator = \"::\"\n", []string{"file.separator: error.intake.profile.separator @12"}},
		{"an encoding", small + "[file]\nencoding = \"ebcdic\"\n", []string{"file.encoding: error.intake.profile.one_of @12"}},
		{"an order of tickets", strings.Replace(small, "[fields]", "order = \"n\"\n[fields]", 1), []string{"rows.order: error.intake.profile.only_updates @6"}},
		{"updates without instants", strings.Replace(small, `"ticket"`, `"update"`, 1), []string{"rows.at: error.intake.profile.missing @3"}},
		{"a default that is not said", small + "[fields.origin]\ncolumn = \"c\"\nunknown = \"default\"\n", []string{"fields.origin.default: error.intake.profile.missing @11"}},
		{"a template without columns", small + "[fields.description]\ntemplate = \"text\"\n", []string{"fields.description.template: error.intake.profile.no_column @12"}},
		{"columns for a text", small + "[fields.description]\ncolumns = [\"a\"]\n", []string{"fields.description.columns: error.intake.profile.only_category @12"}},
		{"nothing", "", []string{"fields.opened_at: error.intake.profile.missing @1", "fields.state: error.intake.profile.missing @1", "fields.title: error.intake.profile.missing @1",
			"name: error.intake.profile.name @1", "rows.per: error.intake.profile.one_of @1", "rows.ticket: error.intake.profile.missing @1", "source: error.intake.profile.missing @1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseProfile(c.text)
			if d := cmp.Diff(c.want, told(err)); d != "" {
				t.Errorf("%s\n%v", d, err)
			}
		})
	}
}

func told(err error) []string {
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return nil
	}
	var all []string
	for _, f := range refusal.Fields {
		all = append(all, fmt.Sprintf("%s: %s @%v", f.Name, f.Key, f.Args["line"]))
	}
	slices.Sort(all)
	return all
}

func FuzzParseProfile(f *testing.F) {
	f.Add(small)
	f.Add("[fields.state]\ncolumn = \"a\"\nvalues = { \"x.y\" = \"new\" }\n")
	f.Add("name = 'a'\n[dates]\nzone = \"+25:00\"\nformats = [\"\"]\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseProfile(text)
		if err != nil {
			return
		}
		again, err := p.TOML()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseProfile(again); err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
	})
}
