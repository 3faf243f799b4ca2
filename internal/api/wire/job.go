package wire

import "time"

// Job is something that the program does by itself. Its arguments, which may
// name people, are not told.
type Job struct {
	ID          int64      `json:"id"`
	Kind        string     `json:"kind"`
	State       string     `json:"state" enum:"available,running,retryable,completed,discarded,cancelled"`
	Attempt     int        `json:"attempt"`
	MaxAttempts int        `json:"max_attempts"`
	At          time.Time  `json:"at" doc:"When it is or was due."`
	CreatedAt   time.Time  `json:"created_at"`
	FinishedAt  *time.Time `json:"finished_at,omitempty"`
	Error       string     `json:"error,omitempty"`
}

// Jobs are jobs, and how each kind stands.
type Jobs struct {
	Items  []Job      `json:"items" doc:"The latest first."`
	Queues []JobQueue `json:"queues"`
}

// JobQueue is how one kind of job stands.
type JobQueue struct {
	Kind   string         `json:"kind"`
	Counts map[string]int `json:"counts" doc:"Jobs by state."`
	Oldest *time.Time     `json:"oldest,omitempty" doc:"Since when the first of the due ones waits."`
}
