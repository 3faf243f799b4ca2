package wire

import "time"

// NewBatch is one change asked of many incidents: a step, or a tie to a problem.
type NewBatch struct {
	Incidents []int64     `json:"incidents" minItems:"1" maxItems:"500"`
	Change    *Transition `json:"change,omitempty"`
	Problem   int64       `json:"problem,omitempty" doc:"Instead of a step: tie them to this problem."`
}

// Batch is a change asked of many incidents, and what became of it.
type Batch struct {
	ID        int64          `json:"id"`
	Change    *Transition    `json:"change,omitempty"`
	Problem   int64          `json:"problem,omitempty"`
	StartedAt time.Time      `json:"started_at"`
	EndedAt   *time.Time     `json:"ended_at,omitempty" doc:"Absent while it runs."`
	MayUndo   bool           `json:"may_undo" doc:"Something of it can still be taken back."`
	Counts    map[string]int `json:"counts" doc:"Incidents by outcome."`
	Items     []BatchItem    `json:"items"`
}

// BatchItem is what became, or would become, of one incident.
type BatchItem struct {
	Incident int64    `json:"incident"`
	Outcome  string   `json:"outcome" enum:"waiting,done,unchanged,refused,undone,kept" doc:"Of a preview: done, unchanged or refused."`
	Reason   string   `json:"reason,omitempty" doc:"Why it was refused, in the reader's language."`
	Changes  []string `json:"changes,omitempty" doc:"Of a preview: the fields that would change."`
}

// BatchPreview is what a change would do.
type BatchPreview struct {
	Counts map[string]int `json:"counts"`
	Items  []BatchItem    `json:"items"`
}
