// Package wire is what travels: the JSON of the API as Go types, shared by the
// server and the Go client. It holds no behaviour and imports nothing of ours.
package wire

// Me is who the token acts for.
type Me struct {
	Account int64    `json:"account"`
	Login   string   `json:"login"`
	Name    string   `json:"name"`
	Role    string   `json:"role" enum:"administrator,lead,technician,referent,declarant"`
	Rights  []string `json:"rights" doc:"What the role may do."`
	Person  int64    `json:"person,omitempty" doc:"The account's person in the directory."`
	Schools []int64  `json:"schools,omitempty" doc:"The schools of a referent or declarant; the other roles see every school."`
}

// School is a school as its readers see it.
type School struct {
	ID         int64    `json:"id"`
	UAI        string   `json:"uai" doc:"Official code."`
	Name       string   `json:"name"`
	Commune    string   `json:"commune,omitempty"`
	INSEE      string   `json:"insee,omitempty" doc:"Municipality code."`
	PostalCode string   `json:"postal_code,omitempty"`
	Address    string   `json:"address,omitempty"`
	Latitude   *float64 `json:"latitude,omitempty" doc:"WGS84."`
	Longitude  *float64 `json:"longitude,omitempty"`
	Zone       string   `json:"zone,omitempty" doc:"School-holiday zone."`
	Opened     string   `json:"opened,omitempty" format:"date"`
	Closed     string   `json:"closed,omitempty" format:"date" doc:"First day on which it no longer exists."`
	Computers  *int     `json:"computers,omitempty" doc:"In service today; only for readers of the school's figures."`
	Pupils     *int     `json:"pupils,omitempty"`
}

// Support says whether the referent of a school handles first what is declared
// there.
type Support struct {
	School     int64   `json:"school"`
	First      bool    `json:"first"`
	Categories []int64 `json:"categories,omitempty" doc:"Only these and those below them; absent for all."`
	Hours      int     `json:"hours,omitempty" doc:"Open hours without a gesture of the referent after which an incident goes to the département by itself; absent for never."`
}

// SupportChoice is what to make of Support.
type SupportChoice struct {
	First      bool    `json:"first"`
	Categories []int64 `json:"categories,omitempty" maxItems:"100" doc:"Only these and those below them; empty for all."`
	Hours      int     `json:"hours,omitempty" minimum:"0" maximum:"200" doc:"0 for never."`
}

// Room is a place inside a school.
type Room struct {
	ID       int64  `json:"id"`
	School   int64  `json:"school"`
	Name     string `json:"name"`
	Network  string `json:"network,omitempty" enum:"administrative,teaching"`
	Archived bool   `json:"archived,omitempty" doc:"No longer offered."`
}

// Category is a node of the tree of incident types.
type Category struct {
	ID       int64  `json:"id"`
	Parent   int64  `json:"parent,omitempty" doc:"Absent at the top."`
	Label    string `json:"label" doc:"In the reader's language."`
	Archived bool   `json:"archived,omitempty" doc:"No longer offered."`
}

// Code is one word of a short list.
type Code struct {
	ID       int64  `json:"id"`
	Kind     string `json:"kind" enum:"cause,resolution,waiting"`
	Label    string `json:"label" doc:"In the reader's language."`
	Archived bool   `json:"archived,omitempty" doc:"No longer offered."`
}

// Team is a group of technicians.
type Team struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Archived bool   `json:"archived,omitempty" doc:"No longer offered."`
}

// Technician is someone to whom an incident can be given.
type Technician struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Give it back as after to get what follows; absent at the end."`
	Total int    `json:"total" doc:"Length of the whole list."`
}
