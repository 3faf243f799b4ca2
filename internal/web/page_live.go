package web

import (
	"context"

	"statincidents/internal/fault"
	"statincidents/internal/live"
)

func (s *Server) liveRoutes() {
	s.page("GET /live", s.stream, lasts(0))
}

// stream tells the reader's open pages what happens in their scope, until they
// leave, the account changes or the stream has lived long enough.
func (s *Server) stream(r *Request) error {
	if s.deps.Live == nil {
		return fault.New(fault.NotFound, "error.not_found")
	}
	return s.deps.Live.Serve(r.W, r.Request, live.AudienceOf(r.Who), live.Options{
		Check: func(ctx context.Context) error {
			_, err := s.deps.Sessions.Identity(ctx)
			return err
		},
	})
}
