package csvin

import (
	"context"
	"maps"
	"regexp"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/catalog"
	"statincidents/internal/directory"
	"statincidents/internal/intake/table"
)

// resolver turns the words of a file (places, people, types of problem…) into
// identifiers of the directory and the catalog, making what is not there yet.
// In a dry run it makes nothing: what would be made gets a number below zero.
type resolver struct {
	by      auth.Identity
	dir     *directory.Service
	cat     *catalog.Service
	profile Profile
	dry     bool
	places  *directory.Index // as they stood at the start
	words   *catalog.Index
	byName  map[string]int64 // schools by folded name; 0 if two have it
	next    int64            // last number given in a dry run
	made    Made

	schools    map[string]int64
	rooms      map[directory.RoomKey]int64
	categories map[string]int64
	people     map[string]int64
	teams      map[string]int64
	codes      [3]map[string]int64 // as codeTargets
}

// codeTargets are the fields that hold a code, with its kind.
var codeTargets = [3]struct {
	to   int
	kind catalog.CodeKind
}{{toWaiting, catalog.Waiting}, {toCause, catalog.Cause}, {toResolutionCode, catalog.Resolution}}

// Made counts what an import made in the directory and the catalog.
type Made struct {
	Schools    int `json:"schools,omitempty"`
	Rooms      int `json:"rooms,omitempty"`
	Categories int `json:"categories,omitempty"`
	People     int `json:"people,omitempty"`
	Teams      int `json:"teams,omitempty"`
	Codes      int `json:"codes,omitempty"`
}

func newResolver(ctx context.Context, by auth.Identity, dir *directory.Service, cat *catalog.Service, p Profile, dry bool) (*resolver, error) {
	places, err := dir.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	words, err := cat.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	r := &resolver{
		by: by, dir: dir, cat: cat, profile: p, dry: dry, places: places, words: words, byName: map[string]int64{},
		schools: map[string]int64{}, rooms: map[directory.RoomKey]int64{}, categories: map[string]int64{},
		people: map[string]int64{}, teams: map[string]int64{},
	}
	for i := range r.codes {
		r.codes[i] = map[string]int64{}
	}
	for _, s := range places.Schools() {
		for _, name := range []string{s.Name, s.Name + " " + s.Commune} {
			key := placeKey(name)
			if id, taken := r.byName[key]; taken && id != s.ID {
				r.byName[key] = 0
				continue
			}
			r.byName[key] = s.ID
		}
	}
	return r, nil
}

// placeKey makes the ways to write a school's name equal: "Collège Jean-Moulin,
// ARTENAY" is "jean moulin artenay".
func placeKey(name string) string {
	name = strings.NewReplacer("-", " ", ",", " ", "(", " ", ")", " ", "'", " ").Replace(fold(name))
	words := strings.Fields(name)
	kept := words[:0]
	for _, w := range words {
		if w != "college" && w != "clg" {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

var uaiCode = regexp.MustCompile(`\b\d{7}[A-Za-z]\b`)

// knownSchool finds a school of the directory by its code (alone or inside the
// text), else by its name if only one has it.
func (r *resolver) knownSchool(label string) int64 {
	if s, ok := r.places.SchoolByUAI(strings.ToUpper(label)); ok {
		return s.ID
	}
	if code := uaiCode.FindString(label); code != "" {
		if s, ok := r.places.SchoolByUAI(strings.ToUpper(code)); ok {
			return s.ID
		}
	}
	return r.byName[placeKey(label)]
}

// refuse tells why a row names something that is not there and may not be
// made; nil if nothing does.
func (r *resolver) refuse(rec *record, row table.Row, column func(int) string) *Problem {
	if label := rec.cells[toSchool].text; label != "" && !r.profile.creates("school") && r.knownSchool(label) == 0 {
		return problem(row, column(toSchool), NoSuchSchool, "value", show(label))
	}
	if label := rec.cells[toRoom].text; label != "" && rec.cells[toSchool].text == "" {
		return problem(row, column(toRoom), NoSuchRoom, "value", show(label))
	}
	for to := range targets {
		name, text := targets[to].name, rec.cells[to].text
		if text == "" || r.profile.creates(name) {
			continue
		}
		ok := true
		switch targets[to].sort {
		case sortPath:
			_, ok = r.words.CategoryByPath(strings.Split(text, pathMark)...)
		case sortPerson:
			_, ok = r.places.PersonByExternal(r.external(text))
		case sortTeam:
			ok = r.knownTeam(text) != 0
		case sortCode:
			for _, c := range codeTargets {
				if c.to == to {
					_, ok = r.words.CodeByLabel(c.kind, text)
				}
			}
		default:
		}
		if !ok {
			return problem(row, column(to), NoSuchWord, "value", show(strings.ReplaceAll(text, pathMark, " / ")), "field", name)
		}
	}
	return nil
}

// external is the key of a person in the directory: the same name in two
// softwares is not known to be one person.
func (r *resolver) external(label string) string { return r.profile.Source + ":" + label }

func (r *resolver) knownTeam(label string) int64 {
	for _, t := range r.places.Teams() {
		if t.Name == label {
			return t.ID
		}
	}
	return 0
}

// temporary gives the number of something that a dry run does not make.
func (r *resolver) temporary() int64 {
	r.next--
	return r.next
}

// wanted is what a batch of tickets names and the resolver has not seen yet.
type wanted struct {
	schools    []string
	rooms      []roomWanted
	categories []string
	people     map[string]directory.PersonKind
	order      []string // of people
	teams      []string
	codes      [3][]string
}

type roomWanted struct {
	school, name string
	network      directory.Network
}

// resolve makes sure that all that a batch names has its identifier.
func (r *resolver) resolve(ctx context.Context, batch []ticket) error {
	w := r.collect(batch)
	if err := r.resolveSchools(ctx, w.schools); err != nil {
		return err
	}
	if err := r.resolveRooms(ctx, w.rooms); err != nil {
		return err
	}
	if err := r.resolveCategories(ctx, w.categories); err != nil {
		return err
	}
	if err := r.resolvePeople(ctx, w); err != nil {
		return err
	}
	if err := r.resolveTeams(ctx, w.teams); err != nil {
		return err
	}
	for i := range w.codes {
		if err := r.resolveCodes(ctx, i, w.codes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) collect(batch []ticket) wanted {
	w := wanted{people: map[string]directory.PersonKind{}}
	seen := map[string]bool{}
	fresh := func(space, label string) bool {
		key := space + pathMark + label
		if label == "" || seen[key] {
			return false
		}
		seen[key] = true
		return true
	}
	person := func(label string, kind directory.PersonKind) {
		if _, known := r.people[label]; known || label == "" {
			return
		}
		if _, asked := w.people[label]; !asked {
			w.order = append(w.order, label)
			w.people[label] = kind
		} else if kind == directory.Staff { // who handles tickets is staff, even if they declare some
			w.people[label] = kind
		}
	}
	declarant, assignee, actor := r.profile.kindOf("declarant"), r.profile.kindOf("assignee"), r.profile.actorKind()
	for i := range batch {
		school := ""
		for j := range batch[i].steps {
			s := &batch[i].steps[j]
			if s.set[toSchool].said {
				school = s.set[toSchool].text
			}
			if _, known := r.schools[school]; !known && fresh("school", school) {
				w.schools = append(w.schools, school)
			}
			if room := s.set[toRoom].text; room != "" && school != "" && fresh("room", school+pathMark+room) {
				w.rooms = append(w.rooms, roomWanted{school, room, directory.Network(s.set[toNetwork].text)})
			}
			category := s.set[toCategory].text
			if _, known := r.categories[category]; !known && fresh("category", category) {
				w.categories = append(w.categories, category)
			}
			person(s.set[toAssignee].text, assignee)
			person(s.actor, actor)
			person(s.set[toDeclarant].text, declarant)
			team := s.set[toTeam].text
			if _, known := r.teams[team]; !known && fresh("team", team) {
				w.teams = append(w.teams, team)
			}
			for k, c := range codeTargets {
				label := s.set[c.to].text
				if _, known := r.codes[k][label]; !known && fresh(string(c.kind), label) {
					w.codes[k] = append(w.codes[k], label)
				}
			}
		}
	}
	return w
}

func (r *resolver) resolveSchools(ctx context.Context, labels []string) error {
	var in []directory.School
	var made []string
	for _, label := range labels {
		if id := r.knownSchool(label); id != 0 {
			r.schools[label] = id
			continue
		}
		r.made.Schools++
		if r.dry {
			r.schools[label] = r.temporary()
			continue
		}
		in = append(in, directory.School{UAI: schoolCode(label), Name: label})
		made = append(made, label)
	}
	if len(in) == 0 {
		return nil
	}
	ids, err := r.dir.EnsureSchools(ctx, r.by, in)
	if err != nil {
		return err
	}
	for i, label := range made {
		r.schools[label] = ids[in[i].UAI]
	}
	return nil
}

// schoolCode is the code of a place that the directory does not know: its
// name, within the length of a code.
func schoolCode(label string) string {
	const longest = 64
	runes := []rune(label)
	return strings.TrimSpace(string(runes[:min(len(runes), longest)]))
}

func (r *resolver) resolveRooms(ctx context.Context, rooms []roomWanted) error {
	var in []directory.Room
	for _, w := range rooms {
		school := r.schools[w.school]
		key := directory.RoomKey{School: school, Name: w.name}
		if _, known := r.rooms[key]; known {
			continue
		}
		if room, ok := r.places.RoomByName(school, w.name); ok {
			r.rooms[key] = room.ID
			continue
		}
		r.made.Rooms++
		if r.dry {
			r.rooms[key] = r.temporary()
			continue
		}
		in = append(in, directory.Room{School: school, Name: w.name, Network: w.network})
	}
	if len(in) == 0 {
		return nil
	}
	ids, err := r.dir.EnsureRooms(ctx, r.by, in)
	if err != nil {
		return err
	}
	maps.Copy(r.rooms, ids)
	return nil
}

func (r *resolver) resolveCategories(ctx context.Context, labels []string) error {
	var paths [][]string
	for _, label := range labels {
		path := strings.Split(label, pathMark)
		if c, ok := r.words.CategoryByPath(path...); ok {
			r.categories[label] = c.ID
			continue
		}
		// The levels above may be there, or made for a neighbour.
		for n := 1; n <= len(path); n++ {
			above := strings.Join(path[:n], pathMark)
			if _, known := r.categories[above]; known {
				continue
			}
			if c, ok := r.words.CategoryByPath(path[:n]...); ok {
				r.categories[above] = c.ID
				continue
			}
			r.made.Categories++
			r.categories[above] = r.temporary()
		}
		if !r.dry {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	// All levels of the new paths, so that the numbers above are true ones.
	var all [][]string
	for _, path := range paths {
		for n := 1; n <= len(path); n++ {
			all = append(all, path[:n])
		}
	}
	ids, err := r.cat.EnsureCategoryPaths(ctx, r.by, all)
	if err != nil {
		return err
	}
	for i, path := range all {
		r.categories[strings.Join(path, pathMark)] = ids[i]
	}
	return nil
}

func (r *resolver) resolvePeople(ctx context.Context, w wanted) error {
	var in []directory.Person
	var made []string
	for _, label := range w.order {
		if p, ok := r.places.PersonByExternal(r.external(label)); ok {
			r.people[label] = p.ID
			continue
		}
		r.made.People++
		if r.dry {
			r.people[label] = r.temporary()
			continue
		}
		in = append(in, directory.Person{Name: label, Kind: w.people[label], External: r.external(label)})
		made = append(made, label)
	}
	if len(in) == 0 {
		return nil
	}
	ids, err := r.dir.EnsurePeople(ctx, r.by, in)
	if err != nil {
		return err
	}
	for i, label := range made {
		r.people[label] = ids[in[i].External]
	}
	return nil
}

func (r *resolver) resolveTeams(ctx context.Context, labels []string) error {
	var in []string
	for _, label := range labels {
		if id := r.knownTeam(label); id != 0 {
			r.teams[label] = id
			continue
		}
		r.made.Teams++
		if r.dry {
			r.teams[label] = r.temporary()
			continue
		}
		in = append(in, label)
	}
	if len(in) == 0 {
		return nil
	}
	ids, err := r.dir.EnsureTeams(ctx, r.by, in)
	if err != nil {
		return err
	}
	maps.Copy(r.teams, ids)
	return nil
}

func (r *resolver) resolveCodes(ctx context.Context, k int, labels []string) error {
	var in []string
	for _, label := range labels {
		if c, ok := r.words.CodeByLabel(codeTargets[k].kind, label); ok {
			r.codes[k][label] = c.ID
			continue
		}
		r.made.Codes++
		if r.dry {
			r.codes[k][label] = r.temporary()
			continue
		}
		in = append(in, label)
	}
	if len(in) == 0 {
		return nil
	}
	ids, err := r.cat.EnsureCodes(ctx, r.by, codeTargets[k].kind, in)
	if err != nil {
		return err
	}
	maps.Copy(r.codes[k], ids)
	return nil
}
