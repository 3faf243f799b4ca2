package wire

import "time"

// LabelPlace is where a label is stuck in a school: a room, a machine, or
// neither for the school as a whole.
type LabelPlace struct {
	Room    int64  `json:"room,omitempty"`
	Machine string `json:"machine,omitempty" doc:"Asset number."`
}

// Label is a QR label whose link works.
type Label struct {
	ID      int64     `json:"id"`
	School  int64     `json:"school"`
	Room    int64     `json:"room,omitempty"`
	Machine string    `json:"machine,omitempty"`
	MadeAt  time.Time `json:"made_at"`
	Path    string    `json:"path" doc:"What follows the server's address in the label's link."`
}

// NewLabels are labels to make.
type NewLabels struct {
	Places []LabelPlace `json:"places" minItems:"1" maxItems:"480"`
}
