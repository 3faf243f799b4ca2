package wire

import "time"

// Search is what was found, by kind.
type Search struct {
	Groups []SearchGroup `json:"groups" doc:"One for each kind that has hits, a typed number first."`
}

// SearchGroup is the hits of one kind.
type SearchGroup struct {
	Kind string      `json:"kind" enum:"incident,school,room,machine,person,problem,article"`
	Hits []SearchHit `json:"hits" doc:"The best first; incidents newest first, 200 at a time, the best answers of these first."`
	More bool        `json:"more" doc:"There are others: ask for this kind alone."`
	Next string      `json:"next,omitempty" doc:"Of incidents: send it as after for the following ones."`
}

// SearchHit is something found.
type SearchHit struct {
	ID      int64         `json:"id,omitempty" doc:"None for a machine: its label is its title."`
	Title   string        `json:"title"`
	Marks   []SearchPiece `json:"marks" doc:"The title in pieces, those that answer marked."`
	Excerpt []SearchPiece `json:"excerpt,omitempty" doc:"Where else the words stand."`
	Field   string        `json:"field,omitempty" doc:"What the excerpt is of." enum:"description,machine,resolution,external,comment,cause,workaround"`
	Exact   bool          `json:"exact,omitempty" doc:"It is the number that was asked for."`
	School  int64         `json:"school,omitempty"`
	Room    int64         `json:"room,omitempty"`
	State   string        `json:"state,omitempty"`
	Count   int           `json:"count,omitempty" doc:"Incidents of a machine (100 at most) or a problem."`
	At      *time.Time    `json:"at,omitempty" doc:"When it was declared or last changed."`
}

// SearchPiece is a part of a text.
type SearchPiece struct {
	Text string `json:"text"`
	Mark bool   `json:"mark,omitempty"`
}
