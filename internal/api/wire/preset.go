package wire

// Preset is a template, which fills a declaration in, or a macro, which does
// one action in a click.
type Preset struct {
	ID     int64         `json:"id,omitempty" doc:"Given by the server."`
	Kind   string        `json:"kind" enum:"template,macro"`
	Shared bool          `json:"shared,omitempty" doc:"With the whole unit; else the account's own."`
	Label  string        `json:"label" doc:"60 characters at most."`
	Key    string        `json:"key,omitempty" doc:"The letter that triggers a macro."`
	Filled *PresetFilled `json:"filled,omitempty" doc:"What a template fills in."`
	Change *Transition   `json:"change,omitempty" doc:"What a macro does."`
}

// PresetFilled is what a template says for the person who declares.
type PresetFilled struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Category    int64  `json:"category,omitempty"`
	Impact      int    `json:"impact,omitempty" minimum:"0" maximum:"3"`
	Urgency     int    `json:"urgency,omitempty" minimum:"0" maximum:"3"`
}

// Presets are the presets that an account may use.
type Presets struct {
	Items []Preset `json:"items" doc:"The account's own first, by name; 400 at most."`
}
