package wire

// Tile is what the declaration portal says of a category.
type Tile struct {
	Category int64  `json:"category"`
	Shown    bool   `json:"shown" doc:"It stands on the portal."`
	Position int    `json:"position,omitempty"`
	Icon     string `json:"icon,omitempty" doc:"The category's own if absent."`
	Label    string `json:"label,omitempty" doc:"A plain word; the category's own if absent."`
	LabelEN  string `json:"label_en,omitempty"`
	Advice   string `json:"advice,omitempty" doc:"What to do meanwhile; that of the category above if absent."`
	AdviceEN string `json:"advice_en,omitempty"`
}

// TileText is what can be said of a category: the whole of it.
type TileText struct {
	Shown    bool   `json:"shown,omitempty"`
	Icon     string `json:"icon,omitempty" maxLength:"60" doc:"The name of an icon (lucide); one that the pages do not have is shown as a question mark."`
	Label    string `json:"label,omitempty" maxLength:"60"`
	LabelEN  string `json:"label_en,omitempty" maxLength:"60"`
	Advice   string `json:"advice,omitempty" maxLength:"1000"`
	AdviceEN string `json:"advice_en,omitempty" maxLength:"1000"`
}

// TileMove moves a tile.
type TileMove struct {
	Steps int `json:"steps" minimum:"-24" maximum:"24" doc:"Towards the front if negative; at an end it stays there."`
}

// TileMoved tells what a move did.
type TileMoved struct {
	Moved bool `json:"moved"`
}
