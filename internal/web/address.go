package web

import (
	"maps"
	"net/url"
	"slices"
)

// Address is where a page is, with its whole state: filters, sort, tab, period.
// Pages make their links from it, so that a link changes one thing and keeps
// the rest. It is immutable.
type Address struct {
	Path  string
	query url.Values
}

// NewAddress is the address of a URL.
func NewAddress(u *url.URL) Address { return Address{Path: u.Path, query: u.Query()} }

// Get is the first value of a parameter, "" without one.
func (a Address) Get(name string) string { return a.query.Get(name) }

// All are the values of a parameter.
func (a Address) All(name string) []string { return a.query[name] }

// Has tells whether a parameter has that value among its own.
func (a Address) Has(name, value string) bool { return slices.Contains(a.query[name], value) }

// With sets a parameter (removes it when the value is empty). A change goes
// back to the first page: the cursor "after" is dropped unless it is what is set.
func (a Address) With(name, value string) Address {
	c := a.clone(name)
	if value == "" {
		delete(c.query, name)
	} else {
		c.query.Set(name, value)
	}
	return c
}

// Without removes parameters.
func (a Address) Without(names ...string) Address {
	c := a.clone("")
	for _, n := range names {
		delete(c.query, n)
	}
	return c
}

// Toggle adds a value to a parameter, or takes it back: clicking a mark filters,
// again releases.
func (a Address) Toggle(name, value string) Address {
	c := a.clone(name)
	if i := slices.Index(c.query[name], value); i >= 0 {
		c.query[name] = slices.Delete(c.query[name], i, i+1)
	} else {
		c.query[name] = append(c.query[name], value)
	}
	return c
}

// At is the same state at another path: the list behind a figure.
func (a Address) At(path string) Address {
	c := a.clone("")
	c.Path = path
	return c
}

// String is the link.
func (a Address) String() string {
	if q := a.query.Encode(); q != "" {
		return a.Path + "?" + q
	}
	return a.Path
}

func (a Address) clone(changed string) Address {
	q := make(url.Values, len(a.query)+1)
	for k, v := range a.query {
		if k == "after" && changed != "after" {
			continue
		}
		q[k] = slices.Clone(v)
	}
	return Address{a.Path, q}
}

// names lists the parameters, sorted.
func (a Address) names() []string {
	return slices.Sorted(maps.Keys(a.query))
}
