package web

import (
	"net/http"
	"strconv"

	"statincidents/internal/auth"
	"statincidents/internal/calendar"
	"statincidents/internal/visit"
)

// visitDayPage is a technician's day on a phone, and on paper: each visit with
// all that is needed there.
type visitDayPage struct {
	Page

	Visits     []*visitPage
	Prev, Next string
	Today      string // address of today, "" when on it
	Empty      *EmptyState
}

var visitDayView = newView[visitDayPage]("page_visit_day.html", shell)

func (s *Server) visitDayRoutes() {
	s.page("GET /visits/day", s.visitDay, needs(auth.HandleIncident))
}

// visitDay shows the visits of one technician on one day: the reader's own,
// unless the address says whose.
func (s *Server) visitDay(r *Request) error {
	n, err := r.names()
	if err != nil {
		return err
	}
	day, err := calendar.ParseDay(r.Address.Get("day"))
	if err != nil || day == 0 || day < r.today()-10*366 || day > r.today()+10*366 {
		day = r.today()
	}
	who, err := strconv.ParseInt(r.Address.Get("technician"), 10, 64)
	if err != nil {
		who = r.Who.Person
	}
	p := &visitDayPage{Page: Page{Title: r.T("visit.day.title"), Lede: r.Day(day), Crumbs: []Link{{Label: r.T("visits.title"), Href: "/visits?week=" + day.Week().String()}}}}
	if who != r.Who.Person {
		p.Title = n.places.PersonName(who)
	}
	p.Prev, p.Next = r.Address.With("day", (day-1).String()).String(), r.Address.With("day", (day+1).String()).String()
	if day != r.today() {
		p.Today = r.Address.Without("day").String()
	}
	p.Actions = []Action{{Label: r.T("visit.plan"), Icon: "calendar-clock", Href: "/visits/new?start=" + day.String() + "T09:00&technician=" + id(who), Key: "n"}}
	var found []visit.Visit
	if who != 0 {
		found, err = s.deps.Visits.List(r.Context(), r.Who, visit.Filter{
			From: day.Start(r.Location()), To: (day + 1).Start(r.Location()), Technician: who, States: []visit.State{visit.Planned, visit.Started, visit.Done},
		})
		if err != nil {
			return err
		}
	}
	for _, v := range found {
		told, err := s.tellVisit(r, n, v)
		if err != nil {
			return err
		}
		told.Printer, told.Back = r.Printer, "day"
		p.Visits = append(p.Visits, told)
	}
	if len(found) == 0 {
		p.Empty = &EmptyState{Icon: "calendar-days", Title: r.T("visit.day.empty"), Text: r.T("visit.day.empty.text"), Action: &Link{Label: r.T("visits.title"), Icon: "calendar-days", Href: "/visits"}}
	}
	return visitDayView.show(r, http.StatusOK, p)
}
