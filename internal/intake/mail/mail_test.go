package mailin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/jobs"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

// office is a département with two schools, their people, some of whom have an
// account, and the door for e-mail.
type office struct {
	*Service

	t          *testing.T
	db         *sqldb.DB
	incidents  *incident.Service
	a, b, room int64
	teacher    int64 // declares in a, has an account
	secretary  int64 // of a, has none
	neighbour  int64 // of b, has an account
	tech       auth.Identity
	kept       [][]byte // attachments handed over
	bounces    []string
	broken     error // of keeping attachments
}

var root = auth.System(1)

func must1[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func open(t *testing.T, db *sqldb.DB) *office {
	t.Helper()
	ctx := context.Background()
	j := journal.New(db)
	o := &office{t: t, db: db}
	places := directory.New(db, j)
	words := catalog.New(db, j)
	accounts := auth.New(db, j, auth.Config{Tenant: 1})
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	o.incidents = incident.NewService(db, j, places, words, loc)
	o.incidents.OnAttach(func(context.Context, *sqldb.Tx, auth.Identity, *incident.Incident, []int64, bool) error { return nil })
	schools := must1[map[string]int64](t)(places.EnsureSchools(ctx, root, []directory.School{{UAI: "0450001A", Name: "Collège Jean Rousseau"}, {UAI: "0450002B", Name: "Collège Alice Perret"}}))
	o.a, o.b = schools["0450001A"], schools["0450002B"]
	o.room = must1[directory.Room](t)(places.SaveRoom(ctx, root, directory.Room{School: o.a, Name: "Salle 12", Network: directory.NetworkTeaching})).ID
	must1[directory.Room](t)(places.SaveRoom(ctx, root, directory.Room{School: o.a, Name: "Salle 12 bis"}))
	person := func(name, email string, kind directory.PersonKind, school int64) int64 {
		return must1[directory.Person](t)(places.SavePerson(ctx, root, directory.Person{Name: name, Email: email, Kind: kind, School: school})).ID
	}
	o.teacher = person("Jean Dupont", "Jean.Dupont@college-a.example", directory.Teacher, o.a)
	o.secretary = person("Sylvie Moreau", "sylvie.moreau@college-a.example", directory.Administrative, o.a)
	o.neighbour = person("Karim Haddad", "karim@college-b.example", directory.Teacher, o.b)
	tech := person("Anne Roux", "anne.roux@dep.example", directory.Staff, 0)
	account := func(login string, role auth.Role, person int64, schools ...int64) auth.Identity {
		a := must1[auth.Account](t)(accounts.CreateAccount(ctx, root, auth.NewAccount{Login: login, Password: "correct horse battery staple", Role: role, Person: person, Schools: schools}))
		return must1[auth.Identity](t)(accounts.IdentityOf(ctx, a.ID))
	}
	account("dupont", auth.Declarant, o.teacher, o.a)
	account("haddad", auth.Declarant, o.neighbour, o.b)
	o.tech = account("roux", auth.Technician, tech)
	o.Service = New(Config{
		Tenant: 1, DB: db, Journal: j, Directory: places, Incidents: o.incidents, Auth: accounts, Jobs: jobs.New(db, jobs.Config{Tenant: 1, Alone: true, Poll: 20 * time.Millisecond}),
		Hooks: Hooks{
			Token: func(_ context.Context, subject string) (int64, int64, bool) {
				var id, person int64
				_, rest, ok := strings.Cut(subject, "[#")
				n, err := fmt.Sscanf(rest, "%d-%d-signed]", &id, &person)
				return id, person, ok && err == nil && n == 2
			},
			Thread: func(_ context.Context, id string) (int64, bool) {
				var n int64
				_, err := fmt.Sscanf(id, "incident.%d@dep.example", &n)
				return n, err == nil
			},
			Ours: func(_ context.Context, address string) (bool, error) {
				return address == "incidents@dep.example", nil
			},
			Bounced: func(_ context.Context, address string, permanent bool, _ string) error {
				o.bounces = append(o.bounces, fmt.Sprintf("%s %t", address, permanent))
				return nil
			},
			Keep: func(_ context.Context, name string, content []byte) (int64, error) {
				switch {
				case o.broken != nil:
					return 0, o.broken
				case strings.HasSuffix(name, ".exe"):
					return 0, fault.InvalidField("file", "error.field.unknown")
				}
				o.kept = append(o.kept, content)
				return int64(len(o.kept)), nil
			},
		},
	})
	return o
}

// letter makes a message.
func letter(id, from, subject, body string, headers ...string) string {
	h := strings.Join(headers, "\n")
	if h != "" {
		h += "\n"
	}
	return "From: " + from + "\nTo: incidents@dep.example\nSubject: " + subject + "\nMessage-ID: <" + id + ">\nDate: Tue, 3 Mar 2026 08:12:41 +0100\n" + h + "\n" + body + "\n"
}

// takes receives a message, reads it, and gives what became of it.
func (o *office) takes(raw string) Message {
	o.t.Helper()
	ctx := context.Background()
	must1[int](o.t)(o.Receive(ctx, Incoming{Raw: []byte(raw)}))
	list, _, err := o.List(ctx, o.tech, Filter{Limit: 1})
	if err != nil || len(list) != 1 {
		o.t.Fatalf("list: %d, %v", len(list), err)
	}
	if err := o.Read(ctx, list[0].ID); err != nil {
		o.t.Fatalf("read: %v", err)
	}
	return must1[Message](o.t)(o.Get(ctx, o.tech, list[0].ID))
}

func (o *office) wants(m Message, state State, reason Reason) Message {
	o.t.Helper()
	if m.State != state || m.Reason != reason {
		o.t.Errorf("%q is %s %q (%s), want %s %q", m.Subject, m.State, m.Reason, m.Error, state, reason)
	}
	return m
}

func (o *office) incident(id int64) incident.Incident {
	o.t.Helper()
	return must1[incident.Incident](o.t)(o.incidents.Get(context.Background(), auth.ScopeAll(1), id))
}

func (o *office) comments(id int64) []string {
	o.t.Helper()
	var list []string
	for _, e := range must1[[]incident.Entry](o.t)(o.incidents.Story(context.Background(), root, id)) {
		if e.Kind == incident.EventCommented {
			list = append(list, e.Comment)
		}
	}
	return list
}

func each(t *testing.T, fn func(t *testing.T, o *office)) {
	t.Helper()
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) { fn(t, open(t, db)) })
}

func TestAMessageBecomesAnIncident(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		m := o.wants(o.takes(letter("n1@a", "Jean Dupont <JEAN.dupont@college-a.example>", "TR: Vidéoprojecteur éteint", "Bonjour,\n\nLe poste PC-01234 de la salle 12 ne démarre plus.\n\nCordialement,\nJ. Dupont")), Done, "")
		if m.Outcome != MadeIncident {
			t.Fatalf("outcome %q", m.Outcome)
		}
		i := o.incident(m.Incident)
		if i.Title != "Vidéoprojecteur éteint" || i.Description != "Bonjour,\n\nLe poste PC-01234 de la salle 12 ne démarre plus." {
			t.Errorf("%q: %q", i.Title, i.Description)
		}
		if i.School != o.a || i.Room != o.room || i.Machine != "PC-01234" || i.Declarant != o.teacher || i.Origin != incident.Email {
			t.Errorf("%+v", i)
		}
		// The signature is folded, not lost.
		whole := must1[[]byte](t)(o.Raw(context.Background(), o.tech, m.ID))
		if !strings.Contains(string(whole), "J. Dupont") {
			t.Error("the message is not whole")
		}
	})
}

func TestComingTwiceIsOnce(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		raw := letter("n1@a", "jean.dupont@college-a.example", "Panne", "Rien ne va")
		first := o.takes(raw)
		if n := must1[int](t)(o.Receive(ctx, Incoming{Raw: []byte("Received: by another way\n" + raw)})); n != 0 {
			t.Errorf("%d new", n)
		}
		if err := o.Read(ctx, first.ID); err != nil {
			t.Fatal(err)
		}
		// The same Message-ID with another text is another message.
		other := o.takes(letter("n1@a", "jean.dupont@college-a.example", "Panne", "Autre chose"))
		if other.ID == first.ID || other.Incident == first.Incident {
			t.Errorf("%d and %d", first.Incident, other.Incident)
		}
		if n := must1[int](t)(o.Replay(ctx, o.tech, []int64{first.ID})); n != 0 {
			t.Errorf("%d done messages replayed", n)
		}
	})
}

func TestAnswers(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		first := o.takes(letter("n1@a", "jean.dupont@college-a.example", "Panne", "Rien ne va"))
		n := first.Incident
		quoted := "\n\nLe 3 mars 2026 à 10:00, Incidents a écrit :\n> Bonjour"
		for _, c := range []struct {
			name, raw string
			reason    Reason
			comment   string
		}{
			{"by token", letter("r1@a", "jean.dupont@college-a.example", fmt.Sprintf("RE: Panne [#%d-%d-signed]", n, o.teacher), "Toujours en panne."+quoted), "", "Toujours en panne."},
			{"by the message that it refers to", letter("r2@a", "jean.dupont@college-a.example", "RE: Panne", "Encore."+quoted, fmt.Sprintf("In-Reply-To: <incident.%d@dep.example>", n)), "", "Encore."},
			{"by their own first message", letter("r3@a", "jean.dupont@college-a.example", "RE: Panne", "J'ajoute ceci.", "References: <n1@a>"), "", "J'ajoute ceci."},
			{"by the number", letter("r4@a", "jean.dupont@college-a.example", fmt.Sprintf("[#%d] Panne", n), "Et cela."), "", "Et cela."},
			{"of a technician", letter("r5@a", "anne.roux@dep.example", fmt.Sprintf("RE: [#%d]", n), "Je passe demain."), "", "Je passe demain."},
			{"of another school", letter("r6@b", "karim@college-b.example", fmt.Sprintf("RE: Panne [#%d-%d-signed]", n, o.teacher), "Moi aussi"), ReasonNotAllowed, ""},
			{"of a colleague who did not join", letter("r7@a", "sylvie.moreau@college-a.example", fmt.Sprintf("RE: [#%d]", n), "Et moi"), ReasonNotAllowed, ""},
			{"of a stranger", letter("r8@x", "inconnu@dehors.example", fmt.Sprintf("RE: Panne [#%d-%d-signed]", n, o.teacher), "Montrez-moi"), ReasonUnknown, ""},
			{"to nothing", letter("r9@a", "jean.dupont@college-a.example", "RE: [#999999]", "?"), ReasonNoIncident, ""},
		} {
			before := o.comments(n)
			m := o.takes(c.raw)
			after := o.comments(n)
			switch {
			case m.Reason != c.reason:
				t.Errorf("%s: %s %q", c.name, m.State, m.Reason)
			case c.comment == "" && (len(after) != len(before) || m.State != Quarantined):
				t.Errorf("%s: %s, %d comments more", c.name, m.State, len(after)-len(before))
			case c.comment != "" && (m.State != Done || m.Outcome != MadeComment || len(after) != len(before)+1 || after[len(after)-1] != c.comment):
				t.Errorf("%s: %s %q", c.name, m.State, after)
			}
		}
		// An answer does not reopen what was resolved: it is said, and shown.
		i := o.incident(n)
		if i.State != incident.New {
			t.Errorf("state %s", i.State)
		}
		// Somebody without an account answers about what they declared.
		own := o.takes(letter("s1@a", "sylvie.moreau@college-a.example", "Imprimante", "Bourrage"))
		o.wants(o.takes(letter("s2@a", "sylvie.moreau@college-a.example", "RE: Imprimante", "C'est réparé", "In-Reply-To: <s1@a>")), Done, "")
		if got := o.comments(own.Incident); len(got) != 1 || got[0] != "Message de Sylvie Moreau\u202f:\nC'est réparé" {
			t.Errorf("comments %q", got)
		}
		_ = ctx
	})
}

func TestWhatNoPersonWrote(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		from := "jean.dupont@college-a.example"
		for _, c := range []struct {
			raw    string
			reason Reason
		}{
			{letter("a1", from, "Absence du bureau : [#1]", "Je suis absent"), "auto.away"},
			{letter("a2", from, "Panne", "x", "Auto-Submitted: auto-generated"), "auto.submitted"},
			{letter("a3", from, "Panne", "x", "Precedence: bulk"), "auto.bulk"},
			{letter("a4", from, "Panne", "x", "List-Id: <liste.example>"), "auto.list"},
			{letter("a5", from, "Panne", "x", "X-Auto-Response-Suppress: All"), "auto.suppress"},
			{letter("a6", from, "Panne", "x", "Return-Path: <>"), "auto.nobody"},
			{letter("a7", "Incidents <incidents@dep.example>", "Panne", "x"), ReasonLoop},
			{letter("incident.3@dep.example", from, "Panne", "x"), ReasonLoop},
		} {
			o.wants(o.takes(c.raw), Refused, c.reason)
		}
		raw, err := os.ReadFile("parse/testdata/non-remis.eml")
		if err != nil {
			t.Fatal(err)
		}
		if m := o.takes(string(raw)); m.State != Done || m.Outcome != NotedBounce || !slices.Equal(o.bounces, []string{"ancien@college.example true"}) {
			t.Errorf("%s %s, bounces %q", m.State, m.Outcome, o.bounces)
		}
		o.wants(o.takes(letter("f1", from, "Panne", "x", "Authentication-Results: mx.dep.example; dmarc=fail")), Quarantined, ReasonForged)
	})
}

func TestSorting(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		unknown := o.wants(o.takes(letter("u1@x", "Nadia Leroy <nadia@college-a.example>", "Wifi coupé", "Plus de wifi en salle 12")), Quarantined, ReasonUnknown)
		second := o.wants(o.takes(letter("u2@x", "Nadia Leroy <nadia@college-a.example>", "Tablette", "Cassée")), Quarantined, ReasonUnknown)
		if _, err := o.MakeIncident(ctx, auth.Identity{Tenant: 1, Role: auth.Referent, Schools: []int64{o.a}}, unknown.ID, NewIncident{}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a referent sorts: %v", err)
		}
		if _, err := o.MakeIncident(ctx, o.tech, unknown.ID, NewIncident{Title: "Wifi", Description: "x"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("without a school: %v", err)
		}
		i := must1[incident.Incident](t)(o.MakeIncident(ctx, o.tech, unknown.ID, NewIncident{Title: "Wifi coupé", Description: "Plus de wifi", School: o.a, Remember: true, Name: "Nadia Leroy", Kind: directory.Teacher}))
		if _, err := o.MakeIncident(ctx, o.tech, unknown.ID, NewIncident{Title: "Wifi", School: o.a}); !fault.Is(err, fault.Conflict) {
			t.Errorf("sorted twice: %v", err)
		}
		people := must1[*directory.Index](t)(o.Directory.Index(ctx, 1))
		if p, ok := people.Person(i.Declarant); !ok || p.Email != "nadia@college-a.example" || p.School != o.a {
			t.Errorf("remembered %+v", p)
		}
		// The sender's other message is read by itself.
		if m := must1[Message](t)(o.Get(ctx, o.tech, second.ID)); m.State != Received {
			t.Errorf("the other message is %s", m.State)
		}
		if err := o.Read(ctx, second.ID); err != nil {
			t.Fatal(err)
		}
		o.wants(must1[Message](t)(o.Get(ctx, o.tech, second.ID)), Done, "")
		// Undone: the incident is cancelled, the message waits again.
		must1[int](t)(o.GiveBack(ctx, o.tech, []int64{unknown.ID}))
		if got := o.incident(i.ID); got.State != incident.Cancelled {
			t.Errorf("incident is %s", got.State)
		}
		o.wants(must1[Message](t)(o.Get(ctx, o.tech, unknown.ID)), Quarantined, ReasonGivenBack)
		must1[incident.Incident](t)(o.AttachTo(ctx, o.tech, unknown.ID, i.ID))
		if got := o.comments(i.ID); len(got) == 0 || !strings.Contains(got[len(got)-1], "Message de Nadia Leroy <nadia@college-a.example>\u202f:\nPlus de wifi") {
			t.Errorf("comments %q", got)
		}
		// Refused, with the whole domain.
		spam := o.wants(o.takes(letter("p1@spam", "promo@news.spam.example", "Offre", "Achetez")), Quarantined, ReasonUnknown)
		must1[int](t)(o.Refuse(ctx, o.tech, []int64{spam.ID}, "@spam.example"))
		o.wants(must1[Message](t)(o.Get(ctx, o.tech, spam.ID)), Refused, ReasonSorted)
		o.wants(o.takes(letter("p2@spam", "other@spam.example", "Offre", "Achetez")), Refused, ReasonBlocked)
		if err := o.Unblock(ctx, o.tech, "@spam.example"); err != nil {
			t.Fatal(err)
		}
		o.wants(o.takes(letter("p3@spam", "third@spam.example", "Offre", "Achetez")), Quarantined, ReasonUnknown)
	})
}

func TestBadDays(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		from := "jean.dupont@college-a.example"
		t.Run("HTML with scripts", func(t *testing.T) {
			raw, err := os.ReadFile("parse/testdata/scripts.eml")
			if err != nil {
				t.Fatal(err)
			}
			m := o.takes(strings.Replace(string(raw), "curieux@dehors.example", from, 1))
			i := o.incident(m.Incident)
			if m.State != Done || strings.Contains(i.Description, "cookie") || strings.Contains(i.Description, "steal") {
				t.Errorf("%s: %q", m.State, i.Description)
			}
		})
		t.Run("endless MIME tree", func(t *testing.T) {
			var b strings.Builder
			b.WriteString("From: " + from + "\nSubject: arbre\nMessage-ID: <tree@x>\n")
			for n := range 5000 {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", n, n)
			}
			o.wants(o.takes(b.String()), Quarantined, ReasonHostile)
		})
		t.Run("60 MB attachment", func(t *testing.T) {
			head := letter("big@x", from, "lourd", "", "Content-Type: application/zip")
			must1[int](t)(o.Receive(ctx, Incoming{Raw: []byte(head), Size: 60 << 20}))
			list, _, err := o.List(ctx, o.tech, Filter{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			o.wants(list[0], Refused, ReasonTooLarge)
		})
		t.Run("ZIP of zeros", func(t *testing.T) {
			// It is never unpacked here: the room that keeps files judges it.
			body := "--z\nContent-Type: text/plain\n\nVoir le fichier\n--z\nContent-Type: application/zip; name=zeros.zip\n\n" + strings.Repeat("\x00", 1<<20) + "\n--z--"
			m := o.wants(o.takes(letter("zip@x", from, "zip", body, "Content-Type: multipart/mixed; boundary=z")), Done, "")
			if len(o.kept) == 0 || m.Files != 1 {
				t.Errorf("%d files kept, %d told", len(o.kept), m.Files)
			}
		})
		t.Run("a file that is refused", func(t *testing.T) {
			body := "--z\nContent-Type: text/plain\n\nVoir\n--z\nContent-Type: application/octet-stream; name=virus.exe\n\nMZ\n--z\nContent-Type: application/ms-tnef; name=winmail.dat\n\nx\n--z--"
			m := o.wants(o.takes(letter("exe@x", from, "exe", body, "Content-Type: multipart/mixed; boundary=z")), Done, "")
			if d := o.incident(m.Incident).Description; !strings.Contains(d, "virus.exe") || !strings.Contains(d, "winmail.dat") {
				t.Errorf("%q", d)
			}
		})
		t.Run("disk full", func(t *testing.T) {
			o.broken = errors.New("no space left on device")
			must1[int](t)(o.Receive(ctx, Incoming{Raw: []byte(letter("full@x", from, "plein", "--z\nContent-Type: application/pdf; name=a.pdf\n\nx\n--z--", "Content-Type: multipart/mixed; boundary=z"))}))
			list, _, err := o.List(ctx, o.tech, Filter{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			if err := o.Read(ctx, list[0].ID); err == nil {
				t.Fatal("no error")
			}
			if m := must1[Message](t)(o.Get(ctx, o.tech, list[0].ID)); m.State != Failed || !strings.Contains(m.Error, "no space") || m.Attempts != 1 {
				t.Errorf("%+v", m)
			}
			o.broken = nil
			must1[int](t)(o.ReplayAll(ctx, o.tech))
			if err := o.Read(ctx, list[0].ID); err != nil {
				t.Fatal(err)
			}
			o.wants(must1[Message](t)(o.Get(ctx, o.tech, list[0].ID)), Done, "")
		})
		t.Run("a flood of one sender", func(t *testing.T) {
			o.PerHour = 12
			defer func() { o.PerHour = 60 }()
			last := Message{}
			for n := range 14 {
				last = o.takes(letter(fmt.Sprintf("flood%d@x", n), "karim@college-b.example", "Boucle", fmt.Sprint(n)))
			}
			o.wants(last, Quarantined, ReasonFlood)
		})
	})
}

// A crash after the work and before the note of it: the second attempt finds
// what the first one made.
func TestACrashDoesNotDoTwice(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ctx := context.Background()
		first := o.takes(letter("n1@a", "jean.dupont@college-a.example", "Panne", "Rien ne va"))
		for name, raw := range map[string]string{
			"incident": letter("c1@a", "jean.dupont@college-a.example", "Autre", "Rien non plus"),
			"comment":  letter("c2@a", "jean.dupont@college-a.example", fmt.Sprintf("RE: [#%d]", first.Incident), "Toujours rien"),
		} {
			must1[int](t)(o.Receive(ctx, Incoming{Raw: []byte(raw)}))
			list, _, err := o.List(ctx, o.tech, Filter{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			m, _, err := o.begin(ctx, list[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			p, err := o.Parsed(ctx, o.tech, m.ID)
			if err != nil {
				t.Fatal(err)
			}
			v, err := o.judge(ctx, m, p)
			if err != nil {
				t.Fatal(err)
			}
			if err := o.plan(ctx, m.ID, v); err != nil {
				t.Fatal(err)
			}
			made := must1[int64](t)(o.do(ctx, m, v.plan))
			// Here the process dies; the job comes again.
			if err := o.Read(ctx, m.ID); err != nil {
				t.Fatal(err)
			}
			got := must1[Message](t)(o.Get(ctx, o.tech, m.ID))
			if got.State != Done || got.Incident != made {
				t.Errorf("%s: %s %d, made %d", name, got.State, got.Incident, made)
			}
		}
		if got := o.comments(first.Incident); len(got) != 1 {
			t.Errorf("comments %q", got)
		}
	})
}

// Long messages stand in several chunks and come out as they went in.
func TestRawIsWhole(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		noise := make([]byte, 2<<20)
		for n := range noise {
			noise[n] = byte(n*2654435761>>13) ^ byte(n>>7)
		}
		raw := append([]byte(letter("noise@x", "jean.dupont@college-a.example", "bruit", "")), noise...)
		m := o.takes(string(raw))
		if got := must1[[]byte](t)(o.Raw(context.Background(), o.tech, m.ID)); !bytes.Equal(got, raw) {
			t.Errorf("%d bytes out, %d in", len(got), len(raw))
		}
	})
}

func TestRoomsAndMachines(t *testing.T) {
	t.Parallel()
	rooms := []directory.Room{{ID: 1, Name: "Salle 12"}, {ID: 2, Name: "Salle 12 bis"}, {ID: 3, Name: "B104"}, {ID: 4, Name: "CDI"}, {ID: 5, Name: "7"}, {ID: 6, Name: "Salle 9", Archived: true}, {ID: 7, Name: "Salle d'arts plastiques"}}
	for text, want := range map[string]int64{
		"en salle 12 depuis lundi": 1, "SALLE 12.": 1, "salle 12 bis": 2, "en B104, voir": 3, "au CDI": 4, "salle 7": 5, "7 postes": 0, "salle 9": 0, "salles 12 et B104": 3,
		"salle 12 et B104": 0, "la salle d’arts plastiques": 7, "": 0, "salle 121": 0,
	} {
		if got := roomIn(text, rooms); got != want {
			t.Errorf("%q: room %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"le poste PC-01234": "PC-01234", "KPC-ADMIN-01 et encore KPC-ADMIN-01": "KPC-ADMIN-01", "TAB-0311 et TAB-0312": "", "en USB-3": "", "pc-01234": "", "HX20A-1": "HX20A-1", "": "", "UTF-8": "", "WIFI-5": "",
	} {
		if got := machineIn(text); got != want {
			t.Errorf("%q: machine %q, want %q", text, got, want)
		}
	}
}
