package wire

// View is a saved view of the list of incidents. It only filters: whoever opens
// it sees what is in their own scope.
type View struct {
	ID        int64  `json:"id,omitempty" doc:"Given by the server."`
	Name      string `json:"name" doc:"60 characters at most."`
	Query     string `json:"query" doc:"Parameters of list-incidents, encoded as in an address."`
	Audience  string `json:"audience" enum:"own,team,unit,school"`
	Target    int64  `json:"target,omitempty" doc:"The team or the school, for those audiences."`
	Owner     int64  `json:"owner,omitempty" doc:"Account that made it."`
	MayChange bool   `json:"may_change,omitempty" doc:"The account may rename or remove it."`
}

// Views are the views that an account sees.
type Views struct {
	Items []View `json:"items" doc:"Its own first, by name."`
}
