package wire

import "time"

// Solutions is what worked on incidents like one.
type Solutions struct {
	Ready     bool       `json:"ready" doc:"False for the seconds in which the memory of incidents is being made."`
	Looked    int        `json:"looked" doc:"Resolved incidents, like this one, that were looked at."`
	Alike     []Alike    `json:"alike" doc:"The most alike first."`
	Solutions []Solution `json:"solutions" doc:"The best first; none when too little is known."`
}

// Alike is a resolved incident like another.
type Alike struct {
	Incident int64   `json:"incident"`
	Likeness float64 `json:"likeness" doc:"From 0 to 1."`
}

// Solution is what was done, and how often it held.
type Solution struct {
	ResolutionCode int64     `json:"resolution_code"`
	CauseCode      int64     `json:"cause_code,omitempty"`
	Words          string    `json:"words,omitempty" doc:"What was done, in the words of the incident most alike."`
	Uses           int       `json:"uses" doc:"Times that can be judged."`
	Held           int       `json:"held" doc:"Times of these after which nothing came back within 20 open days."`
	TooRecent      int       `json:"too_recent" doc:"Times that cannot be judged yet."`
	AtLeast        float64   `json:"at_least" doc:"Proportion that it holds at least, with 95 % confidence, the ease of those who used it taken away."`
	OpenMinutes    int       `json:"open_minutes,omitempty" doc:"Median from declaration to resolution, in open time."`
	Last           time.Time `json:"last"`
	OneTechnician  bool      `json:"one_technician,omitempty" doc:"One person made all its uses."`
	Incidents      []int64   `json:"incidents" doc:"That it rests on, up to 12, the most alike first."`
}

// Article is an article of the knowledge base, in the language asked for.
type Article struct {
	ID        int64     `json:"id"`
	Version   int64     `json:"version"`
	Title     string    `json:"title"`
	Body      string    `json:"body" doc:"Markdown."`
	Audience  string    `json:"audience" enum:"everyone,technicians"`
	State     string    `json:"state" enum:"draft,published,retired"`
	Category  int64     `json:"category,omitempty"`
	Equipment string    `json:"equipment,omitempty"`
	Updated   time.Time `json:"updated"`
	Helped    int       `json:"helped"`
	Avoided   int       `json:"avoided" doc:"Declarations that were not needed."`
	Applied   int       `json:"applied" doc:"Incidents that it solved."`
}

// NewArticle is an article to write, or what one becomes.
type NewArticle struct {
	Title     string `json:"title" doc:"In French, 150 characters at most."`
	TitleEN   string `json:"title_en,omitempty"`
	Body      string `json:"body" doc:"Markdown, 20,000 characters at most."`
	BodyEN    string `json:"body_en,omitempty"`
	Audience  string `json:"audience" enum:"everyone,technicians"`
	Category  int64  `json:"category,omitempty"`
	Equipment string `json:"equipment,omitempty"`
	Review    string `json:"review,omitempty" format:"date" doc:"When it should be read again."`
	Incident  int64  `json:"incident,omitempty" doc:"Of a new one: whose resolution it was made from."`
	Publish   bool   `json:"publish,omitempty" doc:"Of a new one: at once, not as a draft."`
}

// ArticleUse says what an article was good for.
type ArticleUse struct {
	Use      string `json:"use" enum:"helped,not_helped,avoided,applied"`
	Incident int64  `json:"incident,omitempty" doc:"The incident that it solved, for \"applied\"."`
}
