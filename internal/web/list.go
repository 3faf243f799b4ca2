package web

import (
	"net/url"
	"slices"
	"strings"

	"statincidents/internal/cube"
)

// Lists and questions have the addresses that the cube reads and writes
// (cube.EncodeList, cube.EncodeValues); pages add a period's preset.

// ownParams are the parameters of addresses that are not the cube's.
var ownParams = []string{"period", "lang", "chart", "clock", "skip"}

// withValues puts parameters in the place of those of the same names.
func (a Address) withValues(v url.Values) Address {
	a = a.clone("")
	for name, values := range v {
		a.query[name] = slices.Clone(values)
	}
	return a
}

// listAddress is where the incidents of a list are shown.
func listAddress(q cube.ListQuery) Address {
	if q.Measure == cube.Count {
		q.Measure = ""
	}
	a := Address{Path: "/incidents"}.withValues(cube.EncodeList(q))
	if q.From == 0 && q.To == 0 {
		a = a.With("period", "all")
	}
	return a
}

// conditions reads what filters the reader's page: the dimensions and the text.
// A page's other parameters are its own affair.
func (r *Request) conditions() (cube.ListQuery, error) {
	v := url.Values{}
	for name, values := range r.URL.Query() {
		dim, _, _ := strings.Cut(name, ".")
		if cube.Dim(dim).Valid() || name == "q" {
			v[name] = values
		}
	}
	return cube.DecodeList(v)
}

// list reads the list that the reader's address asks for. A list that is opened
// without a period is of all times: nobody looks for old open incidents in a
// list that hides them.
func (r *Request) list() (cube.ListQuery, period, error) {
	q, err := cube.DecodeList(r.URL.Query(), ownParams...)
	if err != nil {
		return q, period{}, err
	}
	p := period{Preset: "all", Label: r.T("period.all")}
	if r.Address.Get("period") != "" || q.From != 0 || q.To != 0 {
		p = r.period()
	}
	q.From, q.To = p.From, p.To
	err = r.pressing(r.pressure(), &q)
	return q, p, err
}
