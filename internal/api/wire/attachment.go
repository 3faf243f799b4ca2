package wire

import "time"

// Attachment is a file joined to an incident, or sent and waiting to be.
type Attachment struct {
	ID       int64     `json:"id"`
	Name     string    `json:"name" doc:"Ends as the type of the file does."`
	Type     string    `json:"type" doc:"Media type, told by the content."`
	Size     int64     `json:"size" doc:"Bytes."`
	SHA256   string    `json:"sha256" doc:"Of the content as kept: a picture is made anew."`
	Width    int       `json:"width,omitempty" doc:"Pixels, of a picture."`
	Height   int       `json:"height,omitempty"`
	At       time.Time `json:"at" doc:"When it was sent."`
	Actor    Actor     `json:"actor" doc:"Who sent it."`
	Incident int64     `json:"incident,omitempty" doc:"Absent while it waits."`
	Internal bool      `json:"internal,omitempty" doc:"For the unit only."`
	Removed  bool      `json:"removed,omitempty" doc:"It is no longer shown."`
}

// Attachments are the files of an incident.
type Attachments struct {
	Items []Attachment `json:"items" doc:"In the order in which they were sent."`
}
