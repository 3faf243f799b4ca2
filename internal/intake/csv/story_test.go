package csvin

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"statincidents/internal/fault"
)

// updates is a log with few columns, for tests that write their own files.
const updates = `name = "log"
source = "log"
[file]
missing = ["?"]
[dates]
zone = "UTC"
[rows]
per = "update"
ticket = "number"
order = "n"
at = "at"
actor = "by"
[fields.state]
column = "state"
unknown = "keep"
[fields.title]
column = "title"
[fields.opened_at]
column = "opened"
[fields.resolved_at]
column = "resolved"
[fields.closed_at]
column = "closed"
[fields.resolution_code]
column = "code"
[fields.team]
column = "team"
`

const updatesHeader = "number,n,at,by,state,title,opened,resolved,closed,code,team\n"

func digested(tb testing.TB, profileText string, file []byte) *heard {
	tb.Helper()
	p, err := ParseProfile(profileText)
	if err != nil {
		tb.Fatal(err)
	}
	var h heard
	d := digest{profile: p, to: &h}
	if err := d.run(context.Background(), bytes.NewReader(file), nil); err != nil {
		tb.Fatal(err)
	}
	return &h
}

// lines writes a story as a reader would: what each step changes.
func (t ticket) lines() []string {
	var all []string
	var now [targetCount]cell
	for _, s := range t.steps {
		line := s.at.Format("02 15:04") + " " + strings.TrimPrefix(s.kind, "incident.")
		if s.actor != "" {
			line += " by " + s.actor
		}
		for to := range targets {
			c := s.set[to]
			c.said = true
			before := now[to]
			before.said = true
			if !s.set[to].said || c == before {
				continue
			}
			now[to] = c
			v := strings.ReplaceAll(c.text, pathMark, "/")
			switch {
			case c.n != 0 && targets[to].sort == sortInstant:
				v = c.at().Format("02 15:04")
			case c.n != 0:
				v = fmt.Sprint(c.n)
			}
			line += fmt.Sprintf(" %s=%s", targets[to].name, v)
		}
		all = append(all, line)
	}
	return all
}

func TestStories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, rows string
		want       []string
		twice      int
	}{
		{"what is known at the end takes effect when its state is reached", `
A,0,2/3/2026 08:10,ann,new,T,2/3/2026 08:00,3/3/2026 10:00,5/3/2026 12:00,cable,N1
A,1,2/3/2026 09:00,bob,assigned,T,2/3/2026 08:00,3/3/2026 10:00,5/3/2026 12:00,cable,N2
A,2,3/3/2026 09:30,bob,resolved,T,2/3/2026 08:00,3/3/2026 10:00,5/3/2026 12:00,cable,N2
A,3,3/3/2026 10:00,bob,resolved,T,2/3/2026 08:00,3/3/2026 10:00,5/3/2026 12:00,cable,N2
A,4,5/3/2026 12:00,sys,closed,T,2/3/2026 08:00,3/3/2026 10:00,5/3/2026 12:00,cable,N2
`, []string{
			"02 08:00 declared by ann state=new title=T team=N1 opened_at=02 08:00",
			"02 09:00 assigned by bob state=assigned team=N2",
			"03 09:30 resolved by bob state=resolved resolution_code=cable resolved_at=03 09:30",
			"03 10:00 updated by bob resolved_at=03 10:00",
			"05 12:00 closed by sys state=closed closed_at=05 12:00",
		}, 0},
		{"rows out of order and twice", `
A,2,3/3/2026 09:30,bob,resolved,T,2/3/2026 08:00,3/3/2026 09:30,?,cable,N1
A,0,2/3/2026 08:10,ann,new,T,2/3/2026 08:00,3/3/2026 09:30,?,cable,N1
A,1,2/3/2026 09:00,bob,assigned,T,2/3/2026 08:00,3/3/2026 09:30,?,cable,N1
A,0,2/3/2026 08:10,ann,new,T,2/3/2026 08:00,3/3/2026 09:30,?,cable,N1
`, []string{
			"02 08:00 declared by ann state=new title=T team=N1 opened_at=02 08:00",
			"02 09:00 assigned by bob state=assigned",
			"03 09:30 resolved by bob state=resolved resolution_code=cable resolved_at=03 09:30",
		}, 1},
		{"a reopening takes back the resolution", `
A,0,2/3/2026 08:00,ann,new,T,2/3/2026 08:00,4/3/2026 10:00,?,cable,N1
A,1,2/3/2026 09:00,bob,resolved,T,2/3/2026 08:00,4/3/2026 10:00,?,cable,N1
A,2,3/3/2026 09:00,ann,assigned,T,2/3/2026 08:00,4/3/2026 10:00,?,cable,N1
A,3,4/3/2026 10:00,bob,resolved,T,2/3/2026 08:00,4/3/2026 10:00,?,cable,N1
`, []string{
			"02 08:00 declared by ann state=new title=T team=N1 opened_at=02 08:00",
			"02 09:00 resolved by bob state=resolved resolution_code=cable resolved_at=02 09:00",
			"03 09:00 reopened by ann state=assigned resolution_code= resolved_at=",
			"04 10:00 resolved by bob state=resolved resolution_code=cable resolved_at=04 10:00",
		}, 0},
		{"a ticket already in hand at its first row", `
A,3,2/3/2026 09:00,bob,assigned,T,2/3/2026 08:00,?,?,?,N1
`, []string{
			"02 08:00 declared state=new title=T team=N1 opened_at=02 08:00",
			"02 09:00 assigned by bob state=assigned",
		}, 0},
		{"an unknown state keeps the former one", `
A,0,2/3/2026 08:00,ann,new,T,2/3/2026 08:00,?,?,?,N1
A,1,2/3/2026 09:00,bob,-100,T2,2/3/2026 08:00,?,?,?,N1
`, []string{
			"02 08:00 declared by ann state=new title=T team=N1 opened_at=02 08:00",
			"02 09:00 updated by bob title=T2",
		}, 0},
		{"a ticket without its date of opening", `
A,0,2/3/2026 08:10,ann,new,T,?,?,?,?,N1
`, []string{"02 08:10 declared by ann state=new title=T team=N1 opened_at=02 08:10"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := digested(t, updates, []byte(updatesHeader+strings.TrimPrefix(c.rows, "\n")))
			if len(h.tickets) != 1 {
				t.Fatalf("%d tickets, rejects %+v", len(h.tickets), h.rejects)
			}
			if d := cmp.Diff(c.want, h.tickets[0].lines()); d != "" {
				t.Error(d)
			}
			if h.duplicates != c.twice {
				t.Errorf("%d duplicates, not %d", h.duplicates, c.twice)
			}
		})
	}
}

func TestTicketsOfOneRow(t *testing.T) {
	t.Parallel()
	const p = `name = "list"
source = "list"
[dates]
zone = "Europe/Paris"
[rows]
per = "ticket"
ticket = "Numéro"
at = "Modifié le"
[fields.state]
column = "État"
values = { "Clôturé" = "closed", "Résolu" = "resolved", "En cours" = "assigned", "En attente" = "waiting" }
[fields.title]
column = "Titre"
[fields.opened_at]
column = "Ouvert le"
[fields.resolved_at]
column = "Résolu le"
[fields.closed_at]
column = "Clos le"
[fields.category]
columns = ["Catégorie", "Sous-catégorie"]
`
	file := "numero;ETAT;Titre;Ouvert le;Modifié le;Résolu le;Clos le;Catégorie;Sous-catégorie\n" +
		"1;Clôturé;T;02/03/2026 09:00;06/03/2026 09:00;03/03/2026 09:00;05/03/2026 09:00;Réseau;Wi-Fi\n" +
		"2;en cours;T;02/03/2026 09:00;03/03/2026 09:00;;;Réseau;\n" +
		"3;Clôturé;T;02/03/2026 09:00;;;05/03/2026 09:00;;Wi-Fi\n" +
		"4;Perdu;T;02/03/2026 09:00;;;;;\n" +
		"5;Résolu;T;31/02/2026 09:00;;;;;\n" +
		"6;Résolu;T;;;;;;\n"
	h := digested(t, p, []byte(file))
	var got []string
	for _, ticket := range h.tickets {
		got = append(got, ticket.lines()...)
	}
	want := []string{
		"02 08:00 declared state=new title=T category=Réseau/Wi-Fi opened_at=02 08:00",
		"03 08:00 resolved state=resolved resolved_at=03 08:00",
		"05 08:00 closed state=closed closed_at=05 08:00",
		"02 08:00 declared state=new title=T category=Réseau opened_at=02 08:00",
		"03 08:00 assigned state=assigned",
		"02 08:00 declared state=new title=T opened_at=02 08:00",
		"05 08:00 closed state=closed closed_at=05 08:00",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var reasons []string
	for _, r := range h.rejects {
		reasons = append(reasons, fmt.Sprintf("%d %s %s", r.Line, r.Column, r.Reason))
	}
	if d := cmp.Diff([]string{"5 ETAT unknown_value", "6 Ouvert le bad_date", "7 Ouvert le no_date"}, reasons); d != "" {
		t.Error(d)
	}
}

// TestQuirks: the same three tickets, however the file is written.
func TestQuirks(t *testing.T) {
	t.Parallel()
	const body = "number;n;at;by;state;title;opened;resolved;closed;code;team\n" +
		"A;0;2/3/2026 08:10;ann;new;Écran « noir »;2/3/2026 08:00;?;;?;N1\n" +
		"B;0;2/3/2026 08:20;ann;new;\"deux\nlignes\";2/3/2026 08:20;;?;;N1\n" +
		"A;1;12/3/2026 8:10;bob;assigned;Écran « noir »;2/3/2026 08:00;?;;?;N1\n"
	want := [][]string{
		{"02 08:00 declared by ann state=new title=Écran « noir » team=N1 opened_at=02 08:00", "12 08:10 assigned by bob state=assigned"},
		{"02 08:20 declared by ann state=new title=deux lignes team=N1 opened_at=02 08:20"},
	}
	cp1252, err := charmap.Windows1252.NewEncoder().String(body)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write([]byte(body))
	w.Close()
	for name, file := range map[string][]byte{
		"plain":             []byte(body),
		"mark":              []byte("\uFEFF" + body),
		"Windows-1252":      []byte(cp1252),
		"Windows line ends": []byte(strings.ReplaceAll(body, "\n", "\r\n")),
		"mixed line ends":   []byte(strings.ReplaceAll(strings.ReplaceAll(body, "\n", "\r\n"), "deux\r\nlignes", "deux\n\rlignes")),
		"commas":            []byte(strings.ReplaceAll(body, ";", ",")),
		"tabs":              []byte(strings.ReplaceAll(body, ";", "\t")),
		"bars":              []byte(strings.ReplaceAll(body, ";", "|")),
		"gzip":              zipped.Bytes(),
		"dates with dashes": []byte(strings.NewReplacer("2/3/2026", "02-03-2026", "12/3/2026", "12-03-2026").Replace(body)),
		"standard dates":    []byte(strings.NewReplacer("12/3/2026 8:10", "2026-03-12 08:10", "2/3/2026", "2026-03-02").Replace(body)),
		"a row twice":       []byte(body + "A;1;12/3/2026 8:10;bob;assigned;Écran « noir »;2/3/2026 08:00;?;;?;N1\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := digested(t, updates, file)
			var got [][]string
			for _, ticket := range h.tickets {
				got = append(got, ticket.lines())
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if len(h.rejects) > 0 {
				t.Errorf("rejected: %+v", h.rejects[0])
			}
		})
	}
}

func TestMissingColumnsAreNamed(t *testing.T) {
	t.Parallel()
	p, err := ParseProfile(updates)
	if err != nil {
		t.Fatal(err)
	}
	d := digest{profile: p, to: &heard{}}
	err = d.run(context.Background(), strings.NewReader("number,at,by,state,title,opened,resolved,closed,code\n"), nil)
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok || refusal.Code != fault.Invalid {
		t.Fatal(err)
	}
	var got []string
	for _, f := range refusal.Fields {
		got = append(got, fmt.Sprint(f.Name, " ", f.Args["column"]))
	}
	if diff := cmp.Diff([]string{"rows.order n", "fields.team team"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLongTexts(t *testing.T) {
	t.Parallel()
	p := strings.Replace(updates, "[fields.opened_at]", "[fields.description]\ncolumn = \"code\"\n[fields.opened_at]", 1)
	row := func(number, title, description string) string {
		return number + ",0,2/3/2026 08:10,ann,new," + title + ",2/3/2026 08:00,,," + description + ",\n"
	}
	p = strings.Replace(p, "[fields.resolution_code]\ncolumn = \"code\"\n", "", 1)
	h := digested(t, p, []byte(updatesHeader+row("A", "t", strings.Repeat("é", maxText))+row("B", "t", strings.Repeat("é", maxText+1))+row("C", strings.Repeat("x", maxTitle+1), "")))
	if len(h.tickets) != 2 || len(h.rejects) != 1 || h.rejects[0].Line != 3 || h.rejects[0].Reason != LongField || h.rejects[0].Column != "code" {
		t.Fatalf("%d tickets, rejects %v", len(h.tickets), len(h.rejects))
	}
	c := h.tickets[1].steps[0].set
	if len([]rune(c[toTitle].text)) != maxTitle || c[toDescription].text != strings.Repeat("x", maxTitle+1) {
		t.Errorf("title %q, description %q", c[toTitle].text, c[toDescription].text)
	}
}

func TestSkippedHourIsTold(t *testing.T) {
	t.Parallel()
	p := strings.Replace(updates, `zone = "UTC"`, `zone = "Europe/Paris"`, 1)
	h := digested(t, p, []byte(updatesHeader+"A,0,29/3/2026 02:30,ann,new,T,29/3/2026 01:30,,,,\n"))
	if len(h.tickets) != 1 || len(h.doubts) != 1 || h.doubts[0].Reason != SkippedHour || h.doubts[0].Column != "at" {
		t.Fatalf("%d tickets, doubts %+v", len(h.tickets), h.doubts)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ template, a, b, want string }{
		{"{a} · {b}", "x", "y", "x · y"},
		{"{a} · {b}", "", "y", "y"},
		{"{a} · {b}", "x", "", "x"},
		{"{a} · {b}", "", "", ""},
		{"[{a}] {b}", "x", "y", "[x] y"},
		{"no {a", "x", "", ""},
	} {
		literals, names := cutTemplate(c.template)
		tmpl := template{literals: literals}
		for _, n := range names {
			tmpl.columns = append(tmpl.columns, strings.Index("ab", n))
		}
		got := tmpl.fill(func(i int) string { return []string{c.a, c.b}[i] })
		if got != c.want {
			t.Errorf("%q with %q and %q: %q, not %q", c.template, c.a, c.b, got, c.want)
		}
	}
}

// FuzzDigest: whatever the bytes, each row read is told once, as a rejected
// row, a duplicate or a part of a ticket, and stories go forward in time.
func FuzzDigest(f *testing.F) {
	for _, rows := range []string{
		"A,0,2/3/2026 08:10,ann,new,T,2/3/2026 08:00,3/3/2026 10:00,5/3/2026 12:00,cable,N1\nA,1,1/3/2026 09:00,bob,closed,T,2/3/2026 08:00,?,?,?,\n",
		"A,0,2/3/2026 08:10,ann,-100,T,?,?,?,?,?\n\nA,0,2/3/2026 08:10,ann,-100,T,?,?,?,?,?\nB\n",
		"A,x,,,,,,,,,\n\"A,0,2/3/2026 08:10,ann,new,T,,,,,\n,0,2/3/2026 08:10,ann,new,T,,,,,\n",
	} {
		f.Add(rows)
	}
	p, err := ParseProfile(updates)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, rows string) {
		var h heard
		d := digest{profile: p, to: &h}
		if err := d.run(context.Background(), strings.NewReader(updatesHeader+rows), nil); err != nil {
			return // not even this header: the fuzzer wrote a mark or "sep=" before it
		}
		told := h.duplicates
		for _, r := range h.rejects {
			if r.Reason != Companion {
				told++
			}
		}
		for _, ticket := range h.tickets {
			told += len(ticket.rows)
			for i := 1; i < len(ticket.steps); i++ {
				if ticket.steps[i].at.Before(ticket.steps[i-1].at) {
					t.Fatalf("a step goes back: %v", ticket.lines())
				}
			}
		}
		if told != d.rows {
			t.Fatalf("%d rows read, %d told", d.rows, told)
		}
	})
}
