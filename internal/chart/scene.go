package chart

// A Scene is a drawing as a display list: what to draw, in order, in units of
// its own box. Looks (colours, fonts) are classes only, given by the style
// sheet on screen and by a table for other writers.
type Scene struct {
	W, H  float64
	Label string // accessible name: what the chart is
	Desc  string // accessible description: what it says, where its table is
	Items []Node
}

// Node is one thing drawn: Rect, Line, Path, Circle, Text, Group or Link.
type Node interface{ node() }

// Rect is a rectangle, X and Y its top left corner, R the radius of corners.
type Rect struct {
	X, Y, W, H, R float64
	Class         string
}

// Line is a straight line.
type Line struct {
	X1, Y1, X2, Y2 float64
	Class          string
}

// Path is a broken line, filled if its class says so.
type Path struct {
	Pts   []Pt
	Class string
}

// Pt is a move of a Path. The pen is up for the first and wherever Up is set;
// Close draws back to the last point where the pen was up.
type Pt struct {
	X, Y      float64
	Up, Close bool
}

// Circle is a disc.
type Circle struct {
	X, Y, R float64
	Class   string
}

// Anchor says which end of a text stands at its X.
type Anchor uint8

// The anchors.
const (
	Start Anchor = iota
	Middle
	End
)

// Text is one line of text on its baseline. Its size follows from its class,
// see Font.
type Text struct {
	X, Y   float64
	S      string
	Anchor Anchor
	Class  string
}

// Group holds nodes under a class. Hidden says that it adds nothing for a
// reader who does not see: axes, grids, labels that the marks' titles repeat.
type Group struct {
	Class  string
	Hidden bool
	Items  []Node
}

// Link is a mark: it opens the incidents behind a figure. Title is the
// sentence with the exact figures. Without Href it only shows its title.
type Link struct {
	Href  string
	Title string
	Class string
	State State // how it takes part in the page's filters
	Items []Node
}

func (Rect) node()   {}
func (Line) node()   {}
func (Path) node()   {}
func (Circle) node() {}
func (Text) node()   {}
func (Group) node()  {}
func (Link) node()   {}

// Walk calls f with every node, groups before what they hold.
func (s *Scene) Walk(f func(Node)) { walk(s.Items, f) }

func walk(items []Node, f func(Node)) {
	for _, n := range items {
		f(n)
		switch n := n.(type) {
		case Group:
			walk(n.Items, f)
		case Link:
			walk(n.Items, f)
		}
	}
}

// hasLinks tells whether a mark opens something.
func (s *Scene) hasLinks() bool {
	found := false
	s.Walk(func(n Node) {
		if l, ok := n.(Link); ok && l.Href != "" {
			found = true
		}
	})
	return found
}

func (s *Scene) add(items ...Node) { s.Items = append(s.Items, items...) }
