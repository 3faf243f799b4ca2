package wire

import "time"

// Mail is a message that came in by e-mail, without its text.
type Mail struct {
	ID         int64      `json:"id"`
	State      string     `json:"state" enum:"received,quarantined,failed,done,refused"`
	Reason     string     `json:"reason,omitempty" doc:"Why it was refused or put aside."`
	Error      string     `json:"error,omitempty" doc:"Of the last attempt that failed."`
	Attempts   int        `json:"attempts"`
	From       string     `json:"from,omitempty" doc:"The sender's address."`
	FromName   string     `json:"from_name,omitempty"`
	Subject    string     `json:"subject,omitempty"`
	Files      int        `json:"files" doc:"How many attachments it has."`
	Size       int64      `json:"size" doc:"Bytes."`
	SentAt     *time.Time `json:"sent_at,omitempty"`
	ReceivedAt time.Time  `json:"received_at"`
	Outcome    string     `json:"outcome,omitempty" enum:"incident,comment,bounce"`
	Incident   int64      `json:"incident,omitempty" doc:"The incident that it made, answered or means."`
}

// Mails is a page of messages, the latest first.
type Mails struct {
	Items []Mail `json:"items"`
	Total int    `json:"total"`
	Next  int64  `json:"next,omitempty" doc:"Give it as \"before\" for the next page; absent at the end."`
}

// Sorted says how many messages a command touched.
type Sorted struct {
	Messages int `json:"messages"`
}

// MailNumbers names messages.
type MailNumbers struct {
	Messages []int64 `json:"messages" minItems:"1" maxItems:"200"`
	Block    string  `json:"block,omitempty" maxLength:"320" doc:"Of a refusal: an address, or \"@domain\", to be refused from then on."`
}
