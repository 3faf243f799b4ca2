package cube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/testkit"
)

// tidy is a question with one filter a dimension, in the order of an address.
func tidy(filters []Filter) []Filter {
	out := MergeFilters(filters)
	slices.SortFunc(out, func(a, b Filter) int { return cmp.Compare(slices.Index(Dims, a.Dim), slices.Index(Dims, b.Dim)) })
	return out
}

func TestAddressHoldsTheQuestion(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	ctx := context.Background()
	w := newWorld(t, db)
	rapid.Check(t, func(rt *rapid.T) {
		r := draws(rt)
		if len(w.incidents) == 0 {
			w.populate(t, r, 200)
		}
		m, _ := executors(t, w)
		q := question(r, w)
		text := EncodeValues(q).Encode()
		values, err := url.ParseQuery(text)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := DecodeValues(values)
		if err != nil {
			rt.Fatalf("%s: %v", text, err)
		}
		want := q
		want.Filters = tidy(q.Filters)
		if d := gocmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			rt.Fatalf("%s (-asked +read):\n%s", text, d)
		}
		a, err := m.Run(ctx, auth.ScopeAll(w.tenant), q)
		if err != nil {
			return
		}
		b, err := m.Run(ctx, auth.ScopeAll(w.tenant), got)
		if err != nil {
			rt.Fatal(err)
		}
		if d := gocmp.Diff(a.Rows, b.Rows); d != "" {
			rt.Fatalf("%s answers otherwise (-asked +read):\n%s", text, d)
		}
		list := a.Drill(nil, a.Total, q.Measures[0])
		if len(a.Rows) > 0 {
			list = a.Drill(q.By, a.Rows[0], q.Measures[0])
		}
		list.Sort, list.Limit = "-age", 7
		back, err := DecodeList(EncodeList(list))
		if err != nil {
			rt.Fatalf("%s: %v", EncodeList(list).Encode(), err)
		}
		list.Filters = tidy(list.Filters)
		if d := gocmp.Diff(list, back, cmpopts.EquateEmpty()); d != "" {
			rt.Fatalf("list (-asked +read):\n%s", d)
		}
	})
}

func TestDecodeValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, address string
		refused       string // fields, in order
	}{
		{name: "forms and commas", address: "measure=count,backlog&by=school&by=month&school=&q="},
		{name: "the page's own", address: "measure=count&chart=bars"},
		{name: "unknown place kept", address: "measure=count&room=~"},
		{name: "nothing asked", address: "", refused: "measures"},
		{name: "no such measure", address: "measure=cost", refused: "measures"},
		{name: "no such dimension", address: "measure=count&by=colour", refused: "by"},
		{name: "too many dimensions", address: "measure=count&by=school,hour,month,team", refused: "by"},
		{name: "twice the same", address: "measure=count&by=school,school", refused: "by"},
		{name: "a parameter that nobody knows", address: "measure=count&schol=3", refused: "schol"},
		{name: "a day that is none", address: "measure=count&from=2016-02-30", refused: "from"},
		{name: "an end before the beginning", address: "measure=count&from=2016-03-01&to=2016-03-01", refused: "to"},
		{name: "a school that is no number", address: "measure=count&school=abc", refused: "filters[0].in"},
		{name: "a number badly written", address: "measure=count&school=012", refused: "filters[0].in"},
		{name: "a word of no list", address: "measure=count&state.not=lost", refused: "filters[0].not_in"},
		{name: "a week that a year has not", address: "measure=count&week=2017-W53", refused: "filters[0].in"},
		{name: "a month out of order", address: "measure=count&month.from=2017-13", refused: "filters[0].from"},
		{name: "an order by what is not asked", address: "measure=count&order=-backlog", refused: "order"},
		{name: "a comparison without beginning", address: "measure=count&compare=previous", refused: "compare"},
		{name: "too large a limit", address: "measure=count&limit=501", refused: "limit"},
		{name: "a limit that is no number", address: "measure=count&limit=ten", refused: "limit"},
		{name: "too long a period", address: "measure=count&from=1980-01-01&to=2090-01-01", refused: "to"},
		{name: "too many values", address: "measure=count" + strings.Repeat("&machine=PC", 501), refused: "filters[0].in"},
		{name: "asked twice", address: "measure=count&order=key&order=-key", refused: "order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := url.ParseQuery(c.address)
			if err != nil {
				t.Fatal(err)
			}
			_, err = DecodeValues(v, "chart")
			var names []string
			if f, ok := errors.AsType[*fault.Error](err); ok {
				for _, field := range f.Fields {
					names = append(names, field.Name)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(names, " "); got != c.refused {
				t.Errorf("refused %q, want %q", got, c.refused)
			}
		})
	}
}

func FuzzDecodeValues(f *testing.F) {
	f.Add("measure=count&by=category&priority=3&from=2016-03-01&to=2016-06-01&order=-count&limit=20")
	f.Add("measure=backlog&month.from=2016-02&week.not=2016-W09&machine=~~x&room=~&q=a%00b")
	f.Fuzz(func(t *testing.T, address string) {
		v, err := url.ParseQuery(address)
		if err != nil {
			return
		}
		q, err := DecodeValues(v)
		if err != nil {
			return
		}
		again, err := DecodeValues(EncodeValues(q))
		if err != nil {
			t.Fatalf("%q was read, but not what it was written as: %v", address, err)
		}
		if d := gocmp.Diff(EncodeValues(q), EncodeValues(again)); d != "" {
			t.Fatal(d)
		}
	})
}

// The example of the API's description, with the last day of the period
// outside it.
func TestQueryJSON(t *testing.T) {
	t.Parallel()
	const text = `{"measures":["count"],"by":["category"],"filters":[{"dim":"priority","in":["3"]}],"from":"2016-03-01","to":"2016-06-01","order":"-count","limit":20}`
	var q Query
	if err := json.Unmarshal([]byte(text), &q); err != nil {
		t.Fatal(err)
	}
	want := Query{
		Measures: []Measure{Count}, By: []Dim{DimCategory}, Filters: []Filter{{Dim: DimPriority, In: []string{"3"}}},
		From: calendar.Date(2016, 3, 1), To: calendar.Date(2016, 6, 1), Order: "-count", Limit: 20,
	}
	if d := gocmp.Diff(want, q); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
	back, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if string(back) != text {
		t.Errorf("written %s, want %s", back, text)
	}
}
