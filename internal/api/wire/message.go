package wire

import "time"

// Message is an e-mail that was made about an incident: to whom and when, never
// what it said.
type Message struct {
	ID        int64      `json:"id"`
	Kind      string     `json:"kind" doc:"What it tells: received, taken, planned, waiting, resolved, closed, commented…"`
	Person    int64      `json:"person,omitempty"`
	Address   string     `json:"address"`
	State     string     `json:"state" doc:"queued, sent, held (for a digest), digested, skipped, failed; outbox in a demonstration"`
	Reason    string     `json:"reason,omitempty" doc:"Why it was not sent: scope, bouncing, ours, storm, refused."`
	Tries     int        `json:"tries"`
	CreatedAt time.Time  `json:"created_at"`
	SentAt    *time.Time `json:"sent_at,omitempty"`
}
