package cube

import (
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
)

// tables are what the columns look up in the directory and the catalog: the
// commune and rank of a school, the levels of a category, the kind of a
// person. They are made anew when one of these has changed; the columns hold
// only codes.
type tables struct {
	exposures *exposures
	schools   map[int64]directory.School
	rank      map[int64]uint32 // of a school by name, from 1
	directory *directory.Index
	catalog   *catalog.Index
	weeks     SchoolWeeks
}

func newTables(dir *directory.Index, cat *catalog.Index, weeks SchoolWeeks) *tables {
	t := &tables{exposures: exposuresOf(dir), rank: map[int64]uint32{}, schools: map[int64]directory.School{}, directory: dir, catalog: cat, weeks: weeks}
	for i, s := range dir.Schools() {
		t.rank[s.ID] = uint32(i + 1)
		t.schools[s.ID] = s
	}
	return t
}

// levels gives a category's ancestors from the top, itself included; none for
// one that is not in the catalog.
func (t *tables) levels(id int64) [3]int64 {
	var levels [3]int64
	copy(levels[:], t.catalog.Path(id))
	return levels
}

func (t *tables) personKind(id int64) string {
	p, _ := t.directory.Person(id)
	return string(p.Kind)
}

// derived are lookup tables by code, from the tables above.
type derived struct {
	communes *dict[string]
	commune  []uint32    // of a school's code
	level    [3][]uint32 // of a category's code
	kind     []uint32    // of a person's code: 1 + place in kindWords
}

// use makes the lookup tables of all codes from new tables.
func (f *facts) use(t *tables) {
	f.tables = t
	f.derived = derived{communes: newDict[string]()}
	f.extend()
}

// extend completes the lookup tables for codes that are new.
func (f *facts) extend() {
	d := &f.derived
	for n := len(d.commune); n < len(f.schools.keys); n++ {
		d.commune = append(d.commune, d.communes.code(f.tables.schools[f.schools.keys[n]].Commune))
	}
	for n := len(d.kind); n < len(f.people.keys); n++ {
		d.kind = append(d.kind, uint32(word(kindWords, f.tables.personKind(f.people.keys[n]))))
	}
	for n := len(f.machineHead); n < len(f.machines.keys); n++ {
		f.machineHead = append(f.machineHead, 0)
	}
	for n := len(f.roomHead); n < len(f.rooms.keys); n++ {
		f.roomHead = append(f.roomHead, 0)
	}
	// Ancestors get codes as well, which makes the list grow on the way.
	for n := len(d.level[0]); n < len(f.categories.keys); n++ {
		for i, id := range f.tables.levels(f.categories.keys[n]) {
			d.level[i] = append(d.level[i], f.categories.code(id))
		}
	}
}
