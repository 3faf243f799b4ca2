package demo

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
)

//go:embed kinds.toml
var kindsTOML string

// roomUse is what a room is for, as kinds.toml names it.
type roomUse string

const (
	useClass   roomUse = "class"
	useLab     roomUse = "lab"
	useOffice  roomUse = "office"
	useLibrary roomUse = "library"
	useStaff   roomUse = "staff"
	useRack    roomUse = "rack"
	useSchool  roomUse = "school" // no room: the whole collège
)

// thing is what breaks, as kinds.toml names it.
type thing string

const (
	aComputer  thing = "computer"
	aProjector thing = "projector"
	aCopier    thing = "copier"
	aTablet    thing = "tablet"
	aPhone     thing = "phone"
	aServer    thing = "server"
	aSwitch    thing = "switch"
)

// kind is one kind of incident: see the head of kinds.toml.
type kind struct {
	Path      string
	Weight    float64
	Place     roomUse
	Thing     thing
	Minutes   float64
	Spread    float64
	Remote    float64
	Impact    int
	Urgency   int
	September float64
	Growth    float64
	Titles    []string
	Details   []string
	Solutions []solution `toml:"solution"`

	path []string
}

// solution is one way in which a kind of incident ends.
type solution struct {
	Weight float64
	Cause  string
	Code   string
	Texts  []string
}

var readKinds = sync.OnceValue(func() []kind {
	var file struct{ Kind []kind }
	if _, err := toml.Decode(kindsTOML, &file); err != nil {
		panic("demo: kinds.toml: " + err.Error())
	}
	for i := range file.Kind {
		k := &file.Kind[i]
		k.path = strings.Split(k.Path, " / ")
		if k.September == 0 {
			k.September = 1
		}
		if k.Growth == 0 {
			k.Growth = 1
		}
	}
	return file.Kind
})

// kindOf finds a kind by its path.
func (g *generator) kindOf(path string) int {
	for i, k := range g.kinds {
		if k.Path == path {
			return i
		}
	}
	panic("demo: no kind " + path)
}
