package label

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

type house struct {
	*Service

	a, b          int64 // schools
	room, other   int64
	category      int64
	teacher       int64
	technician    auth.Identity
	referent      auth.Identity // of a
	elsewhere     auth.Identity // referent of b
	declarant     auth.Identity
	confirmations []Confirmation
}

var system = auth.System(1)

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func build(t *testing.T, db *sqldb.DB) *house {
	t.Helper()
	ctx := context.Background()
	j := journal.New(db)
	places, words := directory.New(db, j), catalog.New(db, j)
	h := &house{}
	schools := must[map[string]int64](t)(places.EnsureSchools(ctx, system, []directory.School{{UAI: "0450001A", Name: "Collège A"}, {UAI: "0450002B", Name: "Collège B"}}))
	h.a, h.b = schools["0450001A"], schools["0450002B"]
	room := func(school int64, name string) int64 {
		return must[directory.Room](t)(places.SaveRoom(ctx, system, directory.Room{School: school, Name: name})).ID
	}
	h.room, h.other = room(h.a, "Salle 12"), room(h.b, "Salle 9")
	h.category = must[catalog.Category](t)(words.SaveCategory(ctx, system, catalog.Category{Label: "Ordinateur"})).ID
	h.teacher = must[directory.Person](t)(places.SavePerson(ctx, system, directory.Person{Name: "Mme Martin", Kind: directory.Teacher, School: h.a, Email: "Martin@College.example"})).ID
	id := func(account int64, role auth.Role, schools ...int64) auth.Identity {
		return auth.Identity{Tenant: 1, Account: account, Role: role, Schools: schools}
	}
	h.technician, h.referent, h.elsewhere, h.declarant = id(1, auth.Technician), id(2, auth.Referent, h.a), id(3, auth.Referent, h.b), id(4, auth.Declarant, h.a)
	h.Service = New(Parts{
		DB: db, Journal: j, Signer: auth.NewSigner(db, 1), Directory: places, Catalog: words,
		Incidents: incident.NewService(db, j, places, words, time.UTC),
		Post: func(context.Context) (Writer, error) {
			return func(_ context.Context, _ *sqldb.Tx, m Confirmation) error {
				h.confirmations = append(h.confirmations, m)
				return nil
			}, nil
		},
	}, 1)
	return h
}

// label gives the label of a place with its token.
func (h *house) label(t *testing.T, p Place) (Label, string) {
	t.Helper()
	l := must[[]Label](t)(h.Make(context.Background(), h.technician, []Place{p}))[0]
	return l, must[string](t)(h.Token(context.Background(), l))
}

func (h *house) incident(t *testing.T, id int64) incident.Incident {
	t.Helper()
	return must[incident.Incident](t)(h.Incidents.Get(context.Background(), auth.ScopeAll(1), id))
}

func TestLabels(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		places := []Place{{School: h.a, Room: h.room}, {School: h.a, Room: h.room, Machine: " HX20A-7 "}, {School: h.a, Room: h.room}, {School: h.a}}
		made := must[[]Label](t)(h.Make(ctx, h.referent, places))
		if len(made) != 4 || made[0].ID != made[2].ID || made[0].ID == made[1].ID || made[1].Machine != "HX20A-7" {
			t.Errorf("made %+v", made)
		}
		if again := must[[]Label](t)(h.Make(ctx, h.technician, places[:2])); again[0].ID != made[0].ID || again[1].ID != made[1].ID {
			t.Errorf("the same places, other labels: %+v", again)
		}
		if all := must[[]Label](t)(h.Labels(ctx, h.referent, h.a)); len(all) != 3 {
			t.Errorf("%d labels", len(all))
		}
		token := must[string](t)(h.Token(ctx, made[1]))
		if len(token) > 40 {
			t.Errorf("a link of %d characters makes a large code", len(token))
		}
		if l := must[Label](t)(h.Open(ctx, token)); l.Place != made[1].Place {
			t.Errorf("the link opens %+v", l)
		}
		for name, c := range map[string]struct {
			err  error
			code fault.Code
		}{
			"a forged link":             {second(h.Open(ctx, token[:len(token)-1]+"A")), fault.NotFound},
			"a link of another purpose": {second(h.Open(ctx, must[string](t)(h.Signer.Sign(ctx, purposeFollow, "1", time.Time{})))), fault.NotFound},
			"another's school":          {second(h.Make(ctx, h.elsewhere, []Place{{School: h.a}})), fault.NotFound},
			"a declarant":               {second(h.Make(ctx, h.declarant, []Place{{School: h.a}})), fault.Forbidden},
			"a room of another school":  {second(h.Make(ctx, h.technician, []Place{{School: h.a, Room: h.other}})), fault.Invalid},
			"nothing":                   {second(h.Make(ctx, h.technician, nil)), fault.Invalid},
			"too many":                  {second(h.Make(ctx, h.technician, make([]Place, MaxAtOnce+1))), fault.NotFound},
			"others' labels":            {second(h.Labels(ctx, h.elsewhere, h.a)), fault.NotFound},
			"others' sheet":             {second(h.Find(ctx, h.elsewhere, []int64{made[0].ID})), fault.NotFound},
			"others' revocation":        {h.Revoke(ctx, h.elsewhere, made[0].ID), fault.NotFound},
		} {
			if !fault.Is(c.err, c.code) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
		// A lost sheet: the link dies, a new label of the place is another one.
		if err := h.Revoke(ctx, h.referent, made[1].ID); err != nil {
			t.Fatal(err)
		}
		var refusal *fault.Error
		if _, err := h.Open(ctx, token); !errors.As(err, &refusal) || refusal.Key != "error.label.revoked" {
			t.Errorf("a dead link: %v", err)
		}
		if _, err := h.Submit(ctx, token, Report{Title: "x", Email: "a@b.example", From: "1.2.3.4"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("a report through a dead link: %v", err)
		}
		if l, _ := h.label(t, places[1]); l.ID == made[1].ID {
			t.Error("a dead label came back to life")
		}
		replay, err := journal.CheckRebuild(ctx, db, 1, []journal.Projection{h.Directory.Projection(), h.Catalog.Projection(), h.Incidents.Projection(), h.Projection()}, nil)
		if err != nil || replay.Total != 0 {
			t.Errorf("rebuilt: %+v %v", replay, err)
		}
	})
}

// The school's code makes the report an incident at once; wrong ones are
// bounded, here and everywhere.
func TestReportByCode(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		_, token := h.label(t, Place{School: h.a, Room: h.room, Machine: "HX20A-7"})
		report := Report{Title: " L'écran  reste noir ", Description: "Depuis lundi", Category: h.category, Name: "M. Durand", Once: "k1", From: "10.0.0.1:4000"}
		report.Code = "000000"
		if _, err := h.Submit(ctx, token, report); !fault.Is(err, fault.Invalid) {
			t.Errorf("a school without a code: %v", err)
		}
		c := must[Code](t)(h.SetCode(ctx, h.referent, h.a))
		if len(c.Code) != 6 {
			t.Fatalf("the code is %q", c.Code)
		}
		report.Code = c.Code[:3] + " " + c.Code[3:]
		got := must[Receipt](t)(h.Submit(ctx, token, report))
		i := h.incident(t, got.Incident)
		if got.State != Confirmed || i.Title != "L'écran reste noir" || i.School != h.a || i.Room != h.room || i.Machine != "HX20A-7" || i.Category != h.category || i.Origin != incident.Label || i.Declarant != 0 || !strings.HasSuffix(i.Description, "— M. Durand") {
			t.Errorf("%+v %+v", got, i)
		}
		if again := must[Receipt](t)(h.Submit(ctx, token, report)); again.Incident != got.Incident {
			t.Errorf("sent twice: %d and %d", got.Incident, again.Incident)
		}
		s := must[Standing](t)(h.Follow(ctx, got.Follow, "10.0.0.1"))
		if s.State != incident.New || !s.Planned.IsZero() {
			t.Errorf("followed: %+v", s)
		}
		when := sqldb.Now().Add(48 * time.Hour)
		must[incident.Incident](t)(h.Incidents.Act(ctx, h.technician, incident.Change{Incident: i.ID, Action: incident.Plan, Set: incident.Patch{PlannedAt: &when}}))
		if s := must[Standing](t)(h.Follow(ctx, got.Follow, "10.0.0.1")); s.State != incident.Planned || s.Planned.Unix() != when.Unix() {
			t.Errorf("followed: %+v", s)
		}
		// A new code ends the old one.
		must[Code](t)(h.SetCode(ctx, h.technician, h.a))
		wrong := 0
		for n := range 40 {
			report.Once = "w" + strconv.Itoa(n)
			_, err := h.Submit(ctx, token, report)
			if fault.Is(err, fault.Invalid) {
				wrong++
			} else if !fault.Is(err, fault.TooMany) {
				t.Fatalf("try %d: %v", n, err)
			}
		}
		if wrong == 0 || wrong > int(codeHere.tries) {
			t.Errorf("%d wrong codes were looked at from one address", wrong)
		}
		// From anywhere else too, there is an end.
		_, second := h.label(t, Place{School: h.a})
		for n := range 60 {
			report.From = fmt.Sprintf("10.1.%d.1", n)
			_, err := h.Submit(ctx, second, report)
			if fault.Is(err, fault.Invalid) {
				wrong++
			}
		}
		if wrong > int(codeAnyone.tries) {
			t.Errorf("%d wrong codes were looked at from everywhere", wrong)
		}
		for name, err := range map[string]error{
			"another's code":   second2(h.Code(ctx, h.elsewhere, h.a)),
			"another's change": second2(h.SetCode(ctx, h.elsewhere, h.a)),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func second2[T any](_ T, err error) error { return err }

// By e-mail: opening the link confirms nothing, saying so does; once.
func TestReportByMail(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		_, token := h.label(t, Place{School: h.a, Room: h.room})
		got := must[Receipt](t)(h.Submit(ctx, token, Report{Title: "Souris perdue", Email: "martin@college.example", Language: "fr", From: "10.0.0.1"}))
		if got.State != Waiting || !got.Mailed || got.Incident != 0 || len(h.confirmations) == 0 {
			t.Fatalf("%+v, %d messages", got, len(h.confirmations))
		}
		m := h.confirmations[len(h.confirmations)-1]
		if m.To != "martin@college.example" || m.Place != "Collège A, Salle 12" || m.Title != "Souris perdue" {
			t.Errorf("the message: %+v", m)
		}
		for range 3 {
			if a := must[Asking](t)(h.Asked(ctx, m.Token, "10.0.0.1")); a.State != Waiting {
				t.Fatalf("opening the link confirmed: %+v", a)
			}
		}
		if waiting := must[[]Pending](t)(h.Waiting(ctx, h.referent)); len(waiting) != 1 || waiting[0].Title != "Souris perdue" || waiting[0].Room != h.room {
			t.Errorf("waiting: %+v", waiting)
		}
		if waiting := must[[]Pending](t)(h.Waiting(ctx, h.elsewhere)); len(waiting) != 0 {
			t.Errorf("another school sees %+v", waiting)
		}
		one := must[Receipt](t)(h.Confirm(ctx, m.Token, "10.0.0.1"))
		two := must[Receipt](t)(h.Confirm(ctx, m.Token, "10.0.0.1"))
		if one.Incident == 0 || one.Incident != two.Incident {
			t.Errorf("confirmed twice: %+v %+v", one, two)
		}
		if i := h.incident(t, one.Incident); i.Declarant != h.teacher {
			t.Errorf("the person who has that address is not the declarant: %+v", i)
		}
		if len(must[[]Pending](t)(h.Waiting(ctx, h.referent))) != 0 {
			t.Error("it still waits")
		}
		var left string
		if err := db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, `SELECT title || description || name || email FROM label_report WHERE tenant_id = 1`).Scan(&left)
		}); err != nil || left != "" {
			t.Errorf("once decided, %q is kept (%v)", left, err)
		}
		// A few messages to one address, no more.
		sent := 0
		for n := range 10 {
			_, err := h.Submit(ctx, token, Report{Title: "Encore", Email: "victim@elsewhere.example", From: fmt.Sprintf("10.2.%d.1", n)})
			if err == nil {
				sent++
			} else if !fault.Is(err, fault.TooMany) {
				t.Fatal(err)
			}
		}
		if sent == 0 || sent > int(byRecipient.tries) {
			t.Errorf("%d messages to one address", sent)
		}
	})
}

// What nobody confirms is decided by the school, or ends.
func TestWaiting(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		l, token := h.label(t, Place{School: h.a, Room: h.room})
		submit := func(n int) {
			must[Receipt](t)(h.Submit(ctx, token, Report{Title: "Panne " + strconv.Itoa(n), Email: fmt.Sprintf("p%d@x.example", n), From: "10.0.0.1"}))
		}
		for n := range 3 {
			submit(n)
		}
		waiting := must[[]Pending](t)(h.Waiting(ctx, h.technician))
		if len(waiting) != 3 {
			t.Fatalf("%d wait", len(waiting))
		}
		for name, c := range map[string]struct {
			by   auth.Identity
			code fault.Code
		}{"another school": {h.elsewhere, fault.NotFound}, "a declarant": {h.declarant, fault.Forbidden}} {
			if _, err := h.Decide(ctx, c.by, waiting[0].ID, true); !fault.Is(err, c.code) {
				t.Errorf("%s decided: %v", name, err)
			}
		}
		if got := must[Receipt](t)(h.Decide(ctx, h.referent, waiting[0].ID, true)); got.Incident == 0 {
			t.Error("accepted, it is no incident")
		}
		if got := must[Receipt](t)(h.Decide(ctx, h.referent, waiting[1].ID, false)); got.State != Refused {
			t.Errorf("refused: %+v", got)
		}
		if _, err := h.Decide(ctx, h.referent, waiting[1].ID, true); !fault.Is(err, fault.Conflict) {
			t.Errorf("refused, then accepted: %v", err)
		}
		// The third one ends by itself.
		if err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE label_report SET expires_at = 1 WHERE tenant_id = 1 AND state = 'waiting'`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(must[[]Pending](t)(h.Waiting(ctx, h.technician))) != 0 {
			t.Error("what has ended is still shown")
		}
		if _, err := h.Confirm(ctx, h.confirmations[2].Token, "10.0.0.1"); !fault.Is(err, fault.Conflict) {
			t.Errorf("confirmed too late: %v", err)
		}
		if err := h.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		var expired int
		if err := db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, `SELECT count(*) FROM label_report WHERE tenant_id = 1 AND state = 'expired' AND title = '' AND email = ''`).Scan(&expired)
		}); err != nil || expired != 1 {
			t.Errorf("%d expired (%v)", expired, err)
		}
		// A revoked label's reports are not confirmed any more.
		submit(4)
		if err := h.Revoke(ctx, h.referent, l.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Confirm(ctx, h.confirmations[len(h.confirmations)-1].Token, "10.0.0.1"); !fault.Is(err, fault.NotFound) {
			t.Errorf("confirmed through a dead label: %v", err)
		}
	})
}

// Every bound of the open door holds.
func TestBounds(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		_, token := h.label(t, Place{School: h.a, Room: h.room})
		good := Report{Title: "Panne", Email: "a@b.example", From: "10.0.0.1"}
		for name, change := range map[string]func(*Report){
			"title":       func(r *Report) { r.Title = "" },
			"long title":  func(r *Report) { r.Title = strings.Repeat("é", MaxTitle+1) },
			"description": func(r *Report) { r.Description = strings.Repeat("é", MaxDescription+1) },
			"name":        func(r *Report) { r.Name = strings.Repeat("é", MaxName+1) },
			"no address":  func(r *Report) { r.Email = "" },
			"bad address": func(r *Report) { r.Email = "Bob <bob@b.example>" },
			"two lines":   func(r *Report) { r.Email = "a@b.example\r\nBcc: c@d.example" },
			"category":    func(r *Report) { r.Category = 999 },
			"code":        func(r *Report) { r.Code = "12345" },
			"once":        func(r *Report) { r.Once = strings.Repeat("x", 101) },
		} {
			r := good
			change(&r)
			if _, err := h.Submit(ctx, token, r); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// A program that fills what people do not see is thanked and forgotten.
		trapped := good
		trapped.Trap = "https://spam.example"
		if got, err := h.Submit(ctx, token, trapped); err != nil || got.State != Waiting {
			t.Errorf("trapped: %+v %v", got, err)
		}
		if n := len(must[[]Pending](t)(h.Waiting(ctx, h.technician))); n != 0 {
			t.Errorf("a program's report waits (%d)", n)
		}
		// One label, from everywhere.
		taken := 0
		for n := range 40 {
			r := good
			r.Email, r.From = fmt.Sprintf("a%d@b.example", n), fmt.Sprintf("10.3.%d.1", n)
			if _, err := h.Submit(ctx, token, r); err == nil {
				taken++
			} else if !fault.Is(err, fault.TooMany) || fault.RetryAfter(err) < 1 {
				t.Fatal(err)
			}
		}
		if taken != int(byLabel.tries) {
			t.Errorf("a label took %d reports in an hour", taken)
		}
		// One address, over many labels; an IPv6 subscriber is one address.
		taken = 0
		for n := range 6 {
			_, other := h.label(t, Place{School: h.b, Machine: "M" + strconv.Itoa(n)})
			for k := range 8 {
				r := good
				r.Email, r.From = fmt.Sprintf("c%d.%d@b.example", n, k), fmt.Sprintf("[2001:db8::%d]:99", n*10+k+1)
				if _, err := h.Submit(ctx, other, r); err == nil {
					taken++
				} else if !fault.Is(err, fault.TooMany) {
					t.Fatal(err)
				}
			}
		}
		if taken != int(byAddress.tries) {
			t.Errorf("an address sent %d reports in an hour", taken)
		}
		// Counts are in the database: another server goes on with them.
		twin := New(h.Parts, 1)
		if _, err := twin.Submit(ctx, token, Report{Title: "Panne", Email: "z@b.example", From: "10.9.9.9"}); !fault.Is(err, fault.TooMany) {
			t.Errorf("another server starts from nothing: %v", err)
		}
		// …and forgotten after their time.
		now := sqldb.Now()
		for n := range 3 {
			if err := h.take(ctx, now.Add(time.Duration(n)*2*time.Hour), tried{byLabel, "x"}); err != nil {
				t.Errorf("try %d, hours apart: %v", n, err)
			}
		}
	})
}

// At a label's place a stranger learns that something is open, not what.
func TestHere(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		h := build(t, db)
		l, _ := h.label(t, Place{School: h.a, Room: h.room})
		must[incident.Incident](t)(h.Incidents.Declare(ctx, system, incident.Declaration{Title: "Secret", School: h.a, Room: h.room, Category: h.category}))
		must[incident.Incident](t)(h.Incidents.Declare(ctx, system, incident.Declaration{Title: "Ailleurs", School: h.b, Room: h.other, Category: h.category}))
		here := must[[]incident.Known](t)(h.Here(ctx, l, h.category))
		if len(here) != 1 || here[0].Title != "" || here[0].ID != 0 || here[0].State != incident.New {
			t.Errorf("%+v", here)
		}
	})
}
