package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/visit"
)

// feedPage is where a technician gets, renews or ends their calendar link.
type feedPage struct {
	Page

	Open    bool
	Address string
	Since   *Moment
}

var feedView = newView[feedPage]("page_visit_feed.html", shell)

// feedPurpose is what a calendar link is signed for.
const feedPurpose = "visit.feed"

func (s *Server) visitFeedRoutes() {
	handle := needs(auth.HandleIncident)
	s.page("GET /visits/feed", s.feed, handle)
	s.page("POST /visits/feed", s.renewFeed, handle)
	s.page("POST /visits/feed/close", s.closeFeed, handle)
	s.page("GET /calendar/{link}", s.feedFile, public())
	s.page("GET /visits/{id}/visit.ics", s.visitFile, handle)
}

func (s *Server) feed(r *Request) error {
	p := &feedPage{Page: Page{Title: r.T("visit.feed.title"), Lede: r.T("visit.feed.lede"), Crumbs: []Link{{Label: r.T("visits.title"), Href: "/visits"}}}}
	f, err := s.deps.Visits.Feed(r.Context(), r.Who)
	if err != nil {
		return err
	}
	if f.Open {
		link, err := s.deps.Signer.Sign(r.Context(), feedPurpose, id(f.Technician)+"."+id(f.Generation), time.Time{})
		if err != nil {
			return err
		}
		p.Open, p.Address = true, r.site()+"/calendar/"+link+".ics"
		m := r.Moment(f.Changed)
		p.Since = &m
	}
	return feedView.show(r, http.StatusOK, p)
}

// site is the address under which the reader sees this server.
func (r *Request) site() string {
	scheme := "http"
	if r.Server.deps.Secure || r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func (s *Server) renewFeed(r *Request) error {
	if _, err := s.deps.Visits.RenewFeed(r.Context(), r.Who); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("visit.feed.renewed")}); err != nil {
		return err
	}
	return r.Redirect("/visits/feed")
}

func (s *Server) closeFeed(r *Request) error {
	if _, err := s.deps.Visits.CloseFeed(r.Context(), r.Who); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("visit.feed.closed")}); err != nil {
		return err
	}
	return r.Redirect("/visits/feed")
}

// feedFile answers a calendar program, which signs in with its link alone.
func (s *Server) feedFile(r *Request) error {
	link, ok := strings.CutSuffix(r.PathValue("link"), ".ics")
	if !ok {
		return fault.New(fault.NotFound, "error.link.unknown")
	}
	payload, err := s.deps.Signer.Open(r.Context(), feedPurpose, link, r.Now())
	if err != nil {
		return err
	}
	who, what, _ := strings.Cut(payload, ".")
	person, err := strconv.ParseInt(who, 10, 64)
	generation, err2 := strconv.ParseInt(what, 10, 64)
	if err != nil || err2 != nil {
		return fault.New(fault.NotFound, "error.link.unknown")
	}
	visits, err := s.deps.Visits.FeedVisits(r.Context(), s.deps.Tenant, person, generation, r.Now())
	if err != nil {
		return err
	}
	// The link stands for a technician, who sees every incident.
	r.Who = auth.Identity{Tenant: s.deps.Tenant, Person: person, Role: auth.Technician}
	n, err := r.names()
	if err != nil {
		return err
	}
	return r.sendCalendar(r.T("visit.feed.name", "who", n.places.PersonName(person)), "", visits)
}

// visitFile is one visit to take into a calendar by hand.
func (s *Server) visitFile(r *Request) error {
	v, err := s.pathVisit(r)
	if err != nil {
		return err
	}
	return r.sendCalendar(r.T("visits.title"), "visit-"+id(v.ID)+".ics", []visit.Visit{v})
}

func (r *Request) sendCalendar(name, file string, visits []visit.Visit) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	titles, err := r.titlesOf(visits...)
	if err != nil {
		return err
	}
	entries := make([]visit.CalendarEntry, len(visits))
	for k := range visits {
		v := &visits[k]
		line := n.visitLine(v, titles)
		school, _ := n.places.School(v.School)
		e := visit.CalendarEntry{Visit: *v, Summary: line.School + " · " + line.Purpose, Address: r.site() + "/visits/" + id(v.ID)}
		if v.Kind == visit.OnSite {
			e.Place = strings.ReplaceAll(Legend(line.School, school.Address, Legend2(school.PostalCode, school.Commune)), " · ", ", ")
		} else {
			e.Summary = line.School + " (" + strings.ToLower(line.Kind) + ") · " + line.Purpose
		}
		var text []string
		for _, number := range v.Incidents {
			if i, ok := titles[number]; ok {
				text = append(text, Legend("#"+id(number)+" "+i.Title, n.places.RoomName(i.Room), i.Machine))
			}
		}
		if v.Note != "" {
			text = append(text, v.Note)
		}
		e.Description = strings.Join(text, "\n")
		entries[k] = e
	}
	h := r.W.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	if file != "" {
		h.Set("Content-Disposition", `attachment; filename="`+file+`"`)
	}
	_, err = r.W.Write(visit.Calendar(r.Server.deps.Tenant, name, entries)) //nolint:gosec // text/calendar, escaped by its rules
	return err
}
