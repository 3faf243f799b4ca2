package wire

import "time"

// Signals is what is out of the ordinary, or was.
type Signals struct {
	Items []Signal `json:"items"`
}

// Signal is one episode of one series of one method.
type Signal struct {
	ID       int64         `json:"id"`
	Version  int64         `json:"version"`
	Method   string        `json:"method" enum:"warning,drift,zone,factor,repeat"`
	State    string        `json:"state" enum:"open,closed"`
	Title    string        `json:"title" doc:"Where and what, in the reader's language."`
	Sentence string        `json:"sentence" doc:"The signal in a sentence, in the reader's language."`
	Schools  []int64       `json:"schools,omitempty" doc:"None: the whole département."`
	Category int64         `json:"category,omitempty"`
	Room     int64         `json:"room,omitempty"`
	Machine  string        `json:"machine,omitempty"`
	Label    string        `json:"label,omitempty" doc:"What none of the above says: a model, a batch."`
	First    string        `json:"first_week" doc:"Monday of the first week." example:"2026-03-16"`
	Last     string        `json:"last_week" doc:"Monday of the last week that was not calm."`
	Figures  SignalFigures `json:"figures" doc:"Of the last week that was not calm while it goes on, of the largest excess once it is over."`
	Since    string        `json:"since,omitempty" doc:"Monday of the week around which the pace changed."`
	Words    []string      `json:"words,omitempty" doc:"What people write of it, more than before."`
	Verdict  string        `json:"verdict,omitempty" enum:"true,expected,false" doc:"What a person thought of it; absent when nobody judged."`
	Note     string        `json:"note,omitempty"`
	JudgedAt *time.Time    `json:"judged_at,omitempty"`
	OpenedAt time.Time     `json:"opened_at"`
	ClosedAt *time.Time    `json:"closed_at,omitempty"`
}

// SignalFigures is what a method said of a week.
type SignalFigures struct {
	Week     string  `json:"week" doc:"Its Monday."`
	Weeks    int     `json:"weeks" doc:"Open weeks that the figures add up, that one the last."`
	Observed float64 `json:"observed"`
	Expected float64 `json:"expected"`
	Excess   float64 `json:"excess"`
	Ratio    float64 `json:"ratio,omitempty"`
	Low      float64 `json:"ratio_low,omitempty" doc:"Interval of the ratio, 90 %."`
	High     float64 `json:"ratio_high,omitempty"`
	P        float64 `json:"p,omitempty" doc:"Chance of such an excess when nothing is wrong; absent when the method gives none."`
}

// SignalJudgement is what a person thinks of a signal.
type SignalJudgement struct {
	Verdict string `json:"verdict" enum:"true,expected,false," doc:"Empty to take the judgement back."`
	Note    string `json:"note,omitempty" doc:"2,000 characters at most."`
}
