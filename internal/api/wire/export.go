package wire

import "time"

// Exports is a page of what was taken away.
type Exports struct {
	Items []Export `json:"items" doc:"The latest first."`
	Next  string   `json:"next,omitempty" doc:"The value of after for the next page; absent at the end."`
}

// Export is that somebody took something away.
type Export struct {
	ID       int64               `json:"id"`
	Account  int64               `json:"account,omitempty" doc:"Absent for a link without an account and for the command line."`
	Door     string              `json:"door" enum:"web,api,cli"`
	What     string              `json:"what" doc:"The path, or the command."`
	Format   string              `json:"format"`
	Question string              `json:"question,omitempty" doc:"As it was asked."`
	Filters  map[string][]string `json:"filters,omitempty" doc:"The same, taken apart."`
	Role     string              `json:"role,omitempty" doc:"Whose reach it was."`
	Network  string              `json:"network,omitempty" doc:"A shortened address."`
	Entries  int64               `json:"entries" doc:"Rows or items."`
	Times    int64               `json:"times" doc:"How many times within the hour."`
	First    time.Time           `json:"first"`
	Last     time.Time           `json:"last"`
}
