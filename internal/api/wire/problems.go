package wire

import "time"

// ProblemRecords is the list of problems.
type ProblemRecords struct {
	Items []ProblemRecord `json:"items"`
}

// ProblemRecord is the cause behind several incidents.
type ProblemRecord struct {
	ID          int64      `json:"id"`
	Version     int64      `json:"version"`
	State       string     `json:"state" enum:"open,known,resolved,closed"`
	Title       string     `json:"title"`
	Description string     `json:"description,omitempty"`
	Cause       string     `json:"cause,omitempty"`
	Workaround  string     `json:"workaround,omitempty"`
	Public      bool       `json:"public" doc:"Whether declarants and schools read the workaround."`
	Category    int64      `json:"category,omitempty"`
	Owner       int64      `json:"owner,omitempty" doc:"The person who looks into it."`
	Incidents   int        `json:"incidents" doc:"How many are tied to it."`
	OpenedAt    time.Time  `json:"opened_at"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// NewProblem is a problem to open.
type NewProblem struct {
	Title       string `json:"title" doc:"200 characters at most."`
	State       string `json:"state,omitempty" enum:"open,known,resolved,closed" doc:"Of a new one, open if absent; needed to change one. Any other than open needs a cause."`
	Description string `json:"description,omitempty" doc:"20,000 characters at most."`
	Cause       string `json:"cause,omitempty"`
	Workaround  string `json:"workaround,omitempty"`
	Public      bool   `json:"public,omitempty"`
	Category    int64  `json:"category,omitempty"`
	Owner       int64  `json:"owner,omitempty"`
}
