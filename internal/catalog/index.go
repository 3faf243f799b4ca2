package catalog

import (
	"context"
	"slices"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"statincidents/internal/sqldb"
)

// Index is a tenant's catalogue in memory, at one version. It never changes;
// its lists belong to it and must not be changed by the reader.
type Index struct {
	version  int64
	category map[int64]Category
	children map[int64][]Category // by position, then French order
	path     map[int64][]int64    // from the top, the category itself last
	byLabel  map[siblings]int64
	code     map[int64]Code
	codes    map[CodeKind][]Code
	matrix   Matrix
	tile     map[int64]Tile // by category
}

// inOrder sorts by position, then in French order.
func inOrder[T any](list []T, key func(T) (position int, label string)) {
	french := collate.New(language.French, collate.Numeric)
	slices.SortFunc(list, func(a, b T) int {
		p, labelA := key(a)
		q, labelB := key(b)
		if p != q {
			return p - q
		}
		return french.CompareString(labelA, labelB)
	})
}

func load(ctx context.Context, tx *sqldb.Tx, tenant, version int64) (*Index, error) {
	allCategories, err := categories(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	allCodes, err := codes(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	m, err := matrix(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	allTiles, err := tiles(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	x := &Index{
		tile:    allTiles,
		version: version, matrix: m,
		category: make(map[int64]Category, len(allCategories)), children: map[int64][]Category{},
		path: make(map[int64][]int64, len(allCategories)), byLabel: make(map[siblings]int64, len(allCategories)),
		code: make(map[int64]Code, len(allCodes)), codes: map[CodeKind][]Code{},
	}
	inOrder(allCategories, func(c Category) (int, string) { return c.Position, c.Label })
	inOrder(allCodes, func(c Code) (int, string) { return c.Position, c.Label })
	for _, c := range allCategories {
		x.category[c.ID] = c
		x.children[c.Parent] = append(x.children[c.Parent], c)
		x.byLabel[siblings{c.Parent, c.Label}] = c.ID
	}
	for id := range x.category {
		var path []int64
		for at := id; at != 0 && len(path) < MaxDepth; at = x.category[at].Parent {
			path = append(path, at)
		}
		slices.Reverse(path)
		x.path[id] = path
	}
	for _, c := range allCodes {
		x.code[c.ID] = c
		x.codes[c.Kind] = append(x.codes[c.Kind], c)
	}
	return x, nil
}

// Version counts the changes of the catalogue.
func (x *Index) Version() int64 { return x.version }

// Category finds a category.
func (x *Index) Category(id int64) (Category, bool) {
	c, ok := x.category[id]
	return c, ok
}

// Path gives the identifiers from the top to a category, itself last: one to
// MaxDepth of them, none if there is no such category.
func (x *Index) Path(id int64) []int64 { return x.path[id] }

// PathLabels gives the labels from the top to a category.
func (x *Index) PathLabels(id int64, language string) []string {
	labels := make([]string, len(x.path[id]))
	for i, at := range x.path[id] {
		labels[i] = x.category[at].In(language)
	}
	return labels
}

// CategoryLabel is a category's own label, empty if there is no such category.
func (x *Index) CategoryLabel(id int64, language string) string { return x.category[id].In(language) }

// Children lists the categories under a parent (0 for the top), archived ones
// too, in their order.
func (x *Index) Children(parent int64) []Category { return x.children[parent] }

// Categories lists the whole tree, each parent before its children.
func (x *Index) Categories() []Category {
	all := make([]Category, 0, len(x.category))
	var walk func(parent int64)
	walk = func(parent int64) {
		for _, c := range x.children[parent] {
			all = append(all, c)
			walk(c.ID)
		}
	}
	walk(0)
	return all
}

// CategoryByPath finds a category by its labels from the top, in the
// département's language.
func (x *Index) CategoryByPath(labels ...string) (Category, bool) {
	var id int64
	for _, label := range labels {
		var ok bool
		if id, ok = x.byLabel[siblings{id, clean(label)}]; !ok {
			return Category{}, false
		}
	}
	return x.Category(id)
}

// Code finds a code of any kind.
func (x *Index) Code(id int64) (Code, bool) {
	c, ok := x.code[id]
	return c, ok
}

// CodeLabel is a code's label, empty if there is no such code.
func (x *Index) CodeLabel(id int64, language string) string { return x.code[id].In(language) }

// Codes lists the codes of a kind, archived ones too, in their order.
func (x *Index) Codes(kind CodeKind) []Code { return x.codes[kind] }

// Pauses tells whether a waiting reason stops the service clocks.
func (x *Index) Pauses(waiting int64) bool {
	c, ok := x.code[waiting]
	return !ok || !c.Runs
}

// CodeByLabel finds a code by its label in the département's language.
func (x *Index) CodeByLabel(kind CodeKind, label string) (Code, bool) {
	label = clean(label)
	for _, c := range x.codes[kind] {
		if c.Label == label {
			return c, true
		}
	}
	return Code{}, false
}

// Matrix gives priorities.
func (x *Index) Matrix() Matrix { return x.matrix }
