package wire

import "time"

// Visit is planned work at a school.
type Visit struct {
	ID         int64     `json:"id"`
	Version    int64     `json:"version" doc:"Counts its changes."`
	State      string    `json:"state" enum:"planned,started,done,cancelled"`
	Kind       string    `json:"kind" enum:"on_site,remote"`
	School     *Ref      `json:"school"`
	Technician *Ref      `json:"technician"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Minutes    int       `json:"minutes" doc:"Planned duration."`
	Purpose    string    `json:"purpose,omitempty" doc:"What for, in words that the school reads."`
	Note       string    `json:"note,omitempty" doc:"For the unit only."`
	Report     string    `json:"report,omitempty" doc:"For the unit only: what was found and done."`
	Incidents  []int64   `json:"incidents" doc:"Those that it handles."`
	Clashes    []string  `json:"clashes,omitempty" doc:"What speaks against it: overlap, weekend, public_holiday, school_holiday, closure, hours."`
}

// Visits is a list of visits.
type Visits struct {
	Items []Visit `json:"items"`
}

// NewVisit is a visit to plan.
type NewVisit struct {
	Kind       string    `json:"kind" enum:"on_site,remote"`
	School     SchoolRef `json:"school"`
	Technician int64     `json:"technician,omitempty" doc:"A person of the unit; who asks if absent."`
	Start      time.Time `json:"start"`
	Minutes    int       `json:"minutes" minimum:"5" maximum:"720"`
	Purpose    string    `json:"purpose,omitempty"`
	Note       string    `json:"note,omitempty"`
	Incidents  []int64   `json:"incidents,omitempty" maxItems:"50" doc:"Open incidents of the school: they become planned."`
}

// VisitEdit changes or moves a visit: members that are absent are untouched.
type VisitEdit struct {
	Version    int64      `json:"version,omitempty" doc:"The version that the change was made on; a change made on another is a conflict (409)."`
	Kind       *string    `json:"kind,omitempty" enum:"on_site,remote"`
	Technician *int64     `json:"technician,omitempty"`
	Start      *time.Time `json:"start,omitempty"`
	Minutes    *int       `json:"minutes,omitempty"`
	Purpose    *string    `json:"purpose,omitempty"`
	Note       *string    `json:"note,omitempty"`
	Report     *string    `json:"report,omitempty"`
	Incidents  *[]int64   `json:"incidents,omitempty"`
}

// VisitAction takes a visit one step on.
type VisitAction struct {
	Version int64  `json:"version,omitempty"`
	Action  string `json:"action" enum:"start,finish,cancel,resume"`
}

// Time is time spent.
type Time struct {
	ID         int64  `json:"id"`
	Incident   int64  `json:"incident,omitempty"`
	Visit      int64  `json:"visit,omitempty"`
	Technician *Ref   `json:"technician"`
	Day        string `json:"day" format:"date"`
	Minutes    int    `json:"minutes"`
	Note       string `json:"note,omitempty"`
}

// Times is the time spent on an incident.
type Times struct {
	Items []Time `json:"items"`
	Total int    `json:"total" doc:"Minutes."`
}

// NewTime is time to log on an incident.
type NewTime struct {
	Visit   int64  `json:"visit,omitempty" doc:"The visit during which it was spent."`
	Minutes int    `json:"minutes" minimum:"1" maximum:"1440"`
	Day     string `json:"day,omitempty" format:"date" doc:"Today if absent."`
	Note    string `json:"note,omitempty"`
}

// ChecklistTemplate is what check-lists are made with.
type ChecklistTemplate struct {
	ID       int64           `json:"id"`
	Version  int64           `json:"version"`
	Title    string          `json:"title"`
	About    string          `json:"about,omitempty"`
	Items    []ChecklistItem `json:"items"`
	Archived bool            `json:"archived,omitempty"`
}

// ChecklistTemplates is a list of templates.
type ChecklistTemplates struct {
	Items []ChecklistTemplate `json:"items"`
}

// ChecklistItem is a line of a template, or of a list with what was done.
type ChecklistItem struct {
	Text      string     `json:"text"`
	Help      string     `json:"help,omitempty"`
	Kind      string     `json:"kind" doc:"What it records: none, text, number, asset, ip, version, yes_no, photo, machine."`
	Mandatory bool       `json:"mandatory,omitempty"`
	Done      bool       `json:"done,omitempty"`
	Value     string     `json:"value,omitempty"`
	At        *time.Time `json:"at,omitempty"`
}

// Checklist is a list in hand.
type Checklist struct {
	ID          int64           `json:"id"`
	Template    int64           `json:"template"`
	Title       string          `json:"title"`
	Incident    int64           `json:"incident,omitempty"`
	Visit       int64           `json:"visit,omitempty"`
	Items       []ChecklistItem `json:"items"`
	AddedAt     time.Time       `json:"added_at"`
	CompletedAt *time.Time      `json:"completed_at,omitempty" doc:"When the last mandatory item was done."`
}

// Checklists are the lists of an incident.
type Checklists struct {
	Items []Checklist `json:"items"`
}

// NewChecklist begins a list.
type NewChecklist struct {
	Template int64 `json:"template"`
}

// Check ticks an item, or unticks it.
type Check struct {
	Done  bool   `json:"done"`
	Value string `json:"value,omitempty" doc:"What the item records; not needed to untick."`
}
