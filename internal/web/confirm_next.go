package web

import (
	"statincidents/internal/auth"
	"statincidents/internal/cube"
	"statincidents/internal/incident"
)

// nextToConfirm leads who has just confirmed or refused a repair to the next
// one that waits for their word, the oldest first. Those who handle incidents
// have their lists.
func (s *Server) nextToConfirm(r *Request, i incident.Incident, action incident.Action) (*Link, error) {
	if action != incident.Confirm && action != incident.Reopen || r.Who.Can(auth.HandleIncident) {
		return nil, nil //nolint:nilnil // nothing to offer
	}
	// The statistics may not have read yet what was just done.
	page, err := s.deps.Cube.List(r.Context(), r.Scope(), cube.ListQuery{
		Filters: []cube.Filter{{Dim: cube.DimState, In: []string{string(incident.Resolved)}}}, Sort: "opened", Limit: 5,
	})
	if err != nil {
		return nil, err
	}
	found, err := s.deps.Incidents.Many(r.Context(), r.Scope(), page.IDs)
	if err != nil {
		return nil, err
	}
	for k := range found {
		if next := &found[k]; next.ID != i.ID && next.State == incident.Resolved {
			return &Link{Label: r.T("incident.next_confirm", "title", next.Title), Href: "/incidents/" + id(next.ID)}, nil
		}
	}
	return nil, nil //nolint:nilnil // that was the last one
}
