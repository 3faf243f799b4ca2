package label

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"time"

	"statincidents/internal/auth"
	"statincidents/internal/sqldb"
)

// Code is a school's code, as those who look after its labels read it.
type Code struct {
	Code  string // six digits; "" when the school has none
	SetAt time.Time
}

// SetCode gives a school a new code, and ends the one before.
func (s *Service) SetCode(ctx context.Context, by auth.Identity, school int64) (Code, error) {
	if err := by.Require(auth.ManageLabels); err != nil {
		return Code{}, err
	}
	index, err := s.Directory.Index(ctx, s.tenant)
	if err != nil {
		return Code{}, err
	}
	if _, ok := index.School(school); !ok || !manages(by, school) {
		return Code{}, notFound()
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return Code{}, fmt.Errorf("label: new code: %w", err)
	}
	c := Code{Code: fmt.Sprintf("%06d", n), SetAt: sqldb.Now()}
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Upsert(ctx, "label_code", []string{"tenant_id", "school_id"}, []string{"tenant_id", "school_id", "code", "set_at"},
			[][]any{{s.tenant, school, c.Code, sqldb.Millis(c.SetAt)}}); err != nil {
			return err
		}
		e, err := s.event(by, SubjectCode, school, school, EventCodeSet, c.SetAt, struct{}{})
		if err != nil {
			return err
		}
		return s.Journal.Append(ctx, tx, e)
	})
	if err != nil {
		return Code{}, err
	}
	return c, nil
}

// Code reads a school's code for those who look after its labels.
func (s *Service) Code(ctx context.Context, by auth.Identity, school int64) (Code, error) {
	if err := by.Require(auth.ManageLabels); err != nil {
		return Code{}, err
	}
	if !manages(by, school) {
		return Code{}, notFound()
	}
	return s.code(ctx, school)
}

// HasCode tells whether a school has a code, so that the form asks for it.
func (s *Service) HasCode(ctx context.Context, school int64) (bool, error) {
	c, err := s.code(ctx, school)
	return c.Code != "", err
}

func (s *Service) code(ctx context.Context, school int64) (Code, error) {
	var c Code
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var at int64
		err := tx.QueryRow(ctx, `SELECT code, set_at FROM label_code WHERE tenant_id = $1 AND school_id = $2`, s.tenant, school).Scan(&c.Code, &at)
		c.SetAt = sqldb.Time(at)
		if errors.Is(err, sql.ErrNoRows) {
			c, err = Code{}, nil
		}
		return err
	})
	return c, err
}

// right compares what was typed with a code without telling how far they agree.
func (c Code) right(typed string) bool {
	return c.Code != "" && subtle.ConstantTimeCompare([]byte(c.Code), []byte(typed)) == 1
}
