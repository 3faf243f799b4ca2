package incident

import (
	"context"
	"slices"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Rating is what the declarant thinks of how it was mended.
type Rating string

// The ratings; none is "".
const (
	Satisfied   Rating = "satisfied"
	Neutral     Rating = "neutral"
	Unsatisfied Rating = "unsatisfied"
)

// Ratings lists every rating, best first.
var Ratings = []Rating{Satisfied, Neutral, Unsatisfied}

// RatingTime is how long an answer may be changed.
const RatingTime = 12 * time.Hour

// MayRate tells whether the question is open to somebody: the declarant of a
// closed incident, once, and again while the answer may be changed.
func (i *Incident) MayRate(by auth.Identity, at time.Time) bool {
	return i.State == Closed && by.Person != 0 && by.Person == i.Declarant && (i.Rating == "" || at.Sub(i.RatedAt) <= RatingTime)
}

// Rate keeps the declarant's answer to the one question asked after closing,
// with an optional comment that everybody who sees the incident reads. The
// answer may be changed for RatingTime after it was first given.
//
// Refusals: NotFound; Invalid; Forbidden for whoever is not the declarant;
// Conflict "error.incident.rate_closed" before the closing, or
// "error.incident.rated" when the answer stands.
func (s *Service) Rate(ctx context.Context, by auth.Identity, id int64, r Rating, comment string) (Incident, error) {
	comment = text(comment)
	at := sqldb.Now()
	var fields fault.Fields
	if !slices.Contains(Ratings, r) {
		fields.Add(string(FieldRating), "error.field.required")
	}
	if len([]rune(comment)) > MaxRemark {
		fields.Add(string(FieldComment), "error.field.too_long", "max", MaxRemark)
	}
	if err := fields.Err(); err != nil {
		return Incident{}, err
	}
	var out Incident
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		before, err := locked(ctx, tx, by.Tenant, id)
		if err != nil {
			return err
		}
		switch {
		case before == nil || !before.SeenBy(by.Scope()):
			return notFound()
		case by.Person == 0 || by.Person != before.Declarant:
			return fault.New(fault.Forbidden, "error.incident.only_declarant")
		case before.State != Closed:
			return fault.New(fault.Conflict, "error.incident.rate_closed")
		case before.Rating == r && comment == "":
			out = *before
			return nil
		case !before.MayRate(by, at):
			return fault.New(fault.Conflict, "error.incident.rated")
		}
		after := *before
		after.Rating = r
		if before.Rating == "" {
			after.RatedAt = at
		}
		set, was := Diff(before, &after)
		out, err = s.write(ctx, tx, by, before, &after, EventRated, at, Payload{Set: set, Was: was, Comment: comment})
		return err
	})
	if err != nil {
		return Incident{}, err
	}
	return out, nil
}
