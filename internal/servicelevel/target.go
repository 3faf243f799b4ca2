package servicelevel

import (
	"cmp"
	"slices"
	"time"

	"statincidents/internal/calendar"
)

// Target is how long the unit gives itself, from a day on, for the incidents
// of a priority and a category (those below it included).
type Target struct {
	Priority int   `json:"priority,omitempty"` // 1 … 5; 0 for any
	Category int64 `json:"category,omitempty"` // 0 for any
	// From is the first day of declaration that it holds for; 0 for all days
	// before the next one.
	From       calendar.Day `json:"from"`
	Response   int          `json:"response"`   // open minutes until somebody takes it in hand; 0 for no target
	Resolution int          `json:"resolution"` // open minutes until it works again; 0 for no target
}

// Key says which incidents a target is about.
type Key struct {
	Priority int
	Category int64
}

// Key of the target.
func (t Target) Key() Key { return Key{t.Priority, t.Category} }

// Targets are all targets of a département, past and to come.
type Targets struct {
	list  []Target // in the order of compareTargets
	byKey map[Key][]Target
}

// NewTargets sorts targets for look-up.
func NewTargets(list []Target) Targets {
	t := Targets{list: slices.Clone(list), byKey: map[Key][]Target{}}
	slices.SortFunc(t.list, compareTargets)
	for _, one := range t.list {
		t.byKey[one.Key()] = append(t.byKey[one.Key()], one)
	}
	return t
}

func compareTargets(a, b Target) int {
	return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.From, b.From))
}

// All lists every target: by category, priority, then day.
func (t Targets) All() []Target { return t.list }

// Find gives the target of an incident declared on a day: the most specific
// one in force that day. The deepest category wins, then a priority of its
// own. A target without minutes ends a more general one too. The zero Target
// is none.
func (t Targets) Find(priority int, path []int64, day calendar.Day) Target {
	for k := len(path); k >= 0; k-- {
		var category int64
		if k > 0 {
			category = path[k-1]
		}
		if priority != 0 {
			if found, ok := t.inForce(Key{priority, category}, day); ok {
				return found
			}
		}
		if found, ok := t.inForce(Key{0, category}, day); ok {
			return found
		}
	}
	return Target{}
}

// inForce gives the version of a key that holds on a day.
func (t Targets) inForce(key Key, day calendar.Day) (Target, bool) {
	for _, version := range slices.Backward(t.byKey[key]) {
		if version.From <= day {
			return version, true
		}
	}
	return Target{}, false
}

// Rules is everything that clocks depend on beside the story.
type Rules struct {
	Targets  Targets
	Path     func(category int64) []int64          // from the top of the tree, itself last
	Pauses   func(waiting int64) bool              // does the reason stop the clocks?
	Calendar func(school int64) *calendar.Calendar // opening hours
	Warn     int                                   // percent of a target after which people are warned
}

// DefaultWarn is the share of a target after which people are warned, in
// percent.
const DefaultWarn = 75

// target of a story whose incident stands as a step says.
func (r *Rules) target(opened time.Time, s *Step) Target {
	return r.Targets.Find(s.Priority, r.Path(s.Category), r.Calendar(s.School).Day(opened))
}

// Usual are the targets that a new département starts from, by priority alone:
// a school day has some 510 open minutes, a school week 2,280.
var Usual = []Target{
	{Priority: 1, Response: 60, Resolution: 510},
	{Priority: 2, Response: 240, Resolution: 1020},
	{Priority: 3, Response: 510, Resolution: 2280},
	{Priority: 4, Response: 1020, Resolution: 4560},
	{Priority: 5, Response: 2280, Resolution: 9120},
}
