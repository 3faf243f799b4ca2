// Package attachment keeps what people join to incidents: photos, documents,
// messages. What a file is is told by its content, never by its name; pictures
// are made anew without what a camera wrote in them; whatever is not on the
// short list of types is refused with the reason.
//
// Contents lie in the database in chunks, once for each hash, so that both
// engines, several servers and the backup have them with nothing to set up.
// They are not in the journal, which holds what is known of each attachment.
package attachment

import (
	"time"

	"statincidents/internal/fault"
	"statincidents/internal/journal"
)

// Subject is the journal's subject kind for attachments.
const Subject = "attachment"

// Kinds of attachment event.
const (
	EventPut       = Subject + ".put"       // a file was accepted; nobody else sees it yet
	EventAttached  = Subject + ".attached"  // it belongs to an incident
	EventRemoved   = Subject + ".removed"   // it is no longer shown; its content waits for the end of retention
	EventPurged    = Subject + ".purged"    // its content is gone
	EventForgotten = Subject + ".forgotten" // it was never attached
)

// Limits.
const (
	MaxSize        = 20 << 20 // bytes of one file
	MaxAtOnce      = 10       // files of one comment or declaration
	MaxPerIncident = 100      // files of an incident
	MaxPending     = 40       // files that one account may have put and not attached yet
	maxName        = 120      // characters
	orphanAge      = 24 * time.Hour
)

// Type is what a file is: its media type.
type Type string

// The types that are accepted. A GIF or WebP picture is kept as PNG or JPEG.
const (
	JPEG Type = "image/jpeg"
	PNG  Type = "image/png"
	PDF  Type = "application/pdf"
	Text Type = "text/plain"
	CSV  Type = "text/csv"
	XLSX Type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	DOCX Type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	ODS  Type = "application/vnd.oasis.opendocument.spreadsheet"
	ODT  Type = "application/vnd.oasis.opendocument.text"
	Mail Type = "message/rfc822"
)

// Picture tells whether the type is shown in a page.
func (t Type) Picture() bool { return t == JPEG || t == PNG }

// extensions are what the name of a file of each type may end with; the first
// is added to a name that has none of them, so that what is downloaded opens
// as what it is.
var extensions = map[Type][]string{
	JPEG: {".jpg", ".jpeg"}, PNG: {".png"}, PDF: {".pdf"}, Text: {".txt", ".log", ".csv", ".tsv", ".md", ".ini", ".conf", ".json", ".yml", ".yaml"},
	CSV: {".csv", ".tsv", ".txt"}, XLSX: {".xlsx"}, DOCX: {".docx"}, ODS: {".ods"}, ODT: {".odt"}, Mail: {".eml"},
}

// Accept is what a form's control offers to choose: the phones that make
// HEIC pictures then send them as JPEG.
const Accept = "image/jpeg,image/png,image/webp,image/gif,application/pdf,.pdf,text/plain,.txt,.log,text/csv,.csv,.xlsx,.docx,.ods,.odt,.eml"

// Attachment is what is known of one file.
type Attachment struct {
	ID     int64
	SHA256 string // of the content, in hexadecimal
	Size   int64  // bytes
	Type   Type
	Name   string
	Width  int // pixels, of a picture
	Height int
	Thumb  Thumb // of a picture

	By       journal.Actor // who put it
	At       time.Time
	Incident int64 // 0 until it is attached
	Internal bool  // only the unit sees it

	RemovedAt time.Time
	RemovedBy journal.Actor
	PurgedAt  time.Time
}

// Thumb is the small picture of a picture.
type Thumb struct {
	SHA256 string `json:"sha256,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
}

// Shown tells whether there is something to open.
func (a *Attachment) Shown() bool { return a.RemovedAt.IsZero() && a.PurgedAt.IsZero() }

// payload is the data of every attachment event.
type payload struct {
	SHA256   string `json:"sha256,omitempty"`
	Size     int64  `json:"size,omitempty"`
	Type     Type   `json:"type,omitempty"`
	Name     string `json:"name,omitempty"`
	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	Thumb    *Thumb `json:"thumb,omitempty"`
	Incident int64  `json:"incident,omitempty"`
	Internal bool   `json:"internal,omitempty"`
}

// Field is the name under which refusals of files are told.
const Field = "files"

// refuse says why a file is not accepted, beside its name.
func refuse(name, key string, args ...any) error {
	return fault.InvalidField(Field, "error.attachment."+key, append([]any{"name", name}, args...)...)
}

func notFound() error { return fault.New(fault.NotFound, "error.attachment.not_found") }
