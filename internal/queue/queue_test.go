package queue_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/incident"
	"statincidents/internal/queue"
	"statincidents/internal/sqldb"
	"statincidents/internal/testkit"
)

func someone(account int64, role auth.Role, team int64, schools ...int64) queue.Reader {
	return queue.Reader{Identity: auth.Identity{Tenant: 1, Account: account, Person: account, Role: role, Schools: schools}, Team: team}
}

func TestViewsAreSeenByTheirAudience(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := queue.New(db, nil)
		tech, mate, other := someone(1, auth.Technician, 5), someone(2, auth.Technician, 5), someone(3, auth.Technician, 6)
		referent, elsewhere, teacher := someone(4, auth.Referent, 0, 10), someone(5, auth.Referent, 0, 11), someone(6, auth.Declarant, 0, 10)
		lead := someone(7, auth.Lead, 0)
		for _, v := range []queue.View{
			{Name: " ma   file ", Query: "open=yes&assignee=1", Audience: queue.Own},
			{Name: "équipe", Query: "team=5", Audience: queue.Team, Target: 5},
			{Name: "unité", Query: "priority=1", Audience: queue.Unit},
			{Name: "collège", Query: "school=10", Audience: queue.School, Target: 10},
		} {
			if _, err := s.SaveView(t.Context(), tech, v); err != nil {
				t.Fatal(err)
			}
		}
		for who, want := range map[string]struct {
			r     queue.Reader
			names string
		}{
			"its owner":             {tech, "collège,ma file,unité,équipe"},
			"a mate":                {mate, "collège,unité,équipe"},
			"another team":          {other, "collège,unité"},
			"the lead":              {lead, "collège,unité"},
			"the school's referent": {referent, "collège"},
			"another referent":      {elsewhere, ""},
			"a teacher":             {teacher, ""},
			"another département":   {queue.Reader{Identity: auth.Identity{Tenant: 2, Account: 1, Role: auth.Lead}}, ""},
		} {
			views, err := s.Views(t.Context(), want.r)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, v := range views {
				names = append(names, v.Name)
			}
			if got := strings.Join(names, ","); got != want.names {
				t.Errorf("%s sees %q, want %q", who, got, want.names)
			}
		}

		views, err := s.Views(t.Context(), tech)
		if err != nil {
			t.Fatal(err)
		}
		own, shared := views[1], views[2]
		if _, err := s.RemoveView(t.Context(), mate, own.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a mate removes what is not shared: %v", err)
		}
		if _, err := s.RemoveView(t.Context(), mate, shared.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a mate removes another's: %v", err)
		}
		shared.Name = "urgences"
		if v, err := s.SaveView(t.Context(), lead, shared); err != nil || v.Owner != tech.Account {
			t.Errorf("the lead renames: %+v, %v", v, err)
		}
		removed, err := s.RemoveView(t.Context(), lead, shared.ID)
		if err != nil || removed.Query != "priority=1" {
			t.Errorf("removed %+v, %v", removed, err)
		}
		for name, c := range map[string]struct {
			by queue.Reader
			v  queue.View
		}{
			"no name":                     {tech, queue.View{Audience: queue.Own}},
			"a long name":                 {tech, queue.View{Name: strings.Repeat("é", 61), Audience: queue.Own}},
			"a query that is none":        {tech, queue.View{Name: "x", Query: "%zz", Audience: queue.Own}},
			"shared with nobody knows":    {tech, queue.View{Name: "x", Audience: "all"}},
			"another team's":              {tech, queue.View{Name: "x", Audience: queue.Team, Target: 6}},
			"a referent for the unit":     {referent, queue.View{Name: "x", Audience: queue.Unit}},
			"a referent for other school": {referent, queue.View{Name: "x", Audience: queue.School, Target: 11}},
		} {
			if _, err := s.SaveView(t.Context(), c.by, c.v); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestUnreadMarks(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := queue.New(db, nil)
		me, other := someone(1, auth.Technician, 0).Identity, someone(2, auth.Technician, 0).Identity
		now := sqldb.Now()
		list := []incident.Incident{
			{ID: 1, Version: 1, UpdatedAt: now.Add(-time.Hour)},
			{ID: 2, Version: 3, UpdatedAt: now.Add(-time.Hour)},
			{ID: 3, Version: 2, UpdatedAt: now.Add(-60 * 24 * time.Hour)},
		}
		want := func(by auth.Identity, name string, want map[int64]queue.Mark) {
			t.Helper()
			got, err := s.Marks(t.Context(), by, list)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%s: %v, %v; want %v", name, got, err, want)
			}
			for id, m := range want {
				if got[id] != m {
					t.Errorf("%s: %d is %q, want %q", name, id, got[id], m)
				}
			}
		}
		want(me, "nothing read", map[int64]queue.Mark{1: queue.Unseen, 2: queue.Unseen})
		for _, i := range list[:2] {
			for range 2 {
				if err := s.Read(t.Context(), me, i); err != nil {
					t.Fatal(err)
				}
			}
		}
		want(me, "all read", nil)
		want(other, "another has not", map[int64]queue.Mark{1: queue.Unseen, 2: queue.Unseen})
		list[1].Version = 4
		want(me, "one changed", map[int64]queue.Mark{2: queue.Changed})
		was, err := s.ReadAll(t.Context(), me)
		if err != nil {
			t.Fatal(err)
		}
		want(me, "all marked as read", nil)
		if err := s.ReadSince(t.Context(), me, was); err != nil {
			t.Fatal(err)
		}
		want(me, "taken back", map[int64]queue.Mark{2: queue.Changed})
		if err := s.Tidy(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		want(me, "after tidying", map[int64]queue.Mark{2: queue.Changed})
	})
}

func TestPresence(t *testing.T) {
	t.Parallel()
	testkit.Engines(t, func(t *testing.T, db *sqldb.DB) {
		s := queue.New(db, nil)
		me, other := someone(1, auth.Technician, 0).Identity, someone(2, auth.Technician, 0).Identity
		if there, err := s.Here(t.Context(), me, 7, false); err != nil || len(there) != 0 {
			t.Errorf("alone: %v, %v", there, err)
		}
		if there, err := s.Here(t.Context(), other, 7, true); err != nil || !slices.Equal(there, []queue.Present{{Account: 1}}) {
			t.Errorf("with me: %v, %v", there, err)
		}
		if there, err := s.Here(t.Context(), me, 7, false); err != nil || !slices.Equal(there, []queue.Present{{Account: 2, Writing: true}}) {
			t.Errorf("with the other, who writes: %v, %v", there, err)
		}
		if there, err := s.Here(t.Context(), me, 8, false); err != nil || len(there) != 0 {
			t.Errorf("on another incident: %v, %v", there, err)
		}
		if err := s.Gone(t.Context(), other, 7); err != nil {
			t.Fatal(err)
		}
		if there, err := s.Here(t.Context(), me, 7, false); err != nil || len(there) != 0 {
			t.Errorf("after the other left: %v, %v", there, err)
		}
	})
}
