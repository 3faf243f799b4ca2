package wire

import (
	"net/http"
	"strconv"
)

// Problem is what the API says when it refuses, in the form of RFC 9457.
type Problem struct { //nolint:errname // named as RFC 9457 names it
	Type      string         `json:"type" doc:"Address of the explanation of the code, on the documentation page." example:"/api/v1/docs#invalid"`
	Title     string         `json:"title" doc:"What the code means, in the reader's language."`
	Status    int            `json:"status" doc:"HTTP status."`
	Detail    string         `json:"detail" doc:"What happened this time, in the reader's language."`
	Instance  string         `json:"instance,omitempty" doc:"Path that was asked."`
	Code      string         `json:"code" enum:"invalid,malformed,not_found,method_not_allowed,forbidden,unauthenticated,conflict,precondition_required,idempotency_mismatch,too_many,too_large,unavailable,internal" doc:"What kind of refusal it is, for programs."`
	Key       string         `json:"key" doc:"Stable name of the sentence in detail."`
	RequestID string         `json:"request_id,omitempty" doc:"To find the request in the server's log."`
	Errors    []ProblemField `json:"errors,omitempty" doc:"One entry for each input that is wrong."`

	// RetryAfter is how many seconds to wait, from the header of that name; 0 if
	// nothing is said.
	RetryAfter int `json:"-"`
}

// ProblemField is one input that is wrong.
type ProblemField struct {
	Field  string `json:"field" doc:"The input: a member of the body, or a parameter."`
	Detail string `json:"detail" doc:"What is wrong with it, in the reader's language."`
	Key    string `json:"key" doc:"Stable name of the sentence."`
	Theirs any    `json:"theirs,omitempty" doc:"In a conflict, the value that stands now."`
}

// Error is the developer's view.
func (p *Problem) Error() string { return p.Code + ": " + p.Key }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders are the headers that go with the refusal.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{"Cache-Control": {"no-store"}}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="statincidents"`)
	}
	return h
}
