package sqldb

import (
	"container/list"
	"context"
	"database/sql"
)

// statements keeps the prepared statements of SQLite's write connection, the
// least recently used going first: parsing costs more than running most of a
// command's statements. It is used by the writer's goroutine only.
type statements struct {
	conn  *sql.Conn
	known map[string]*list.Element
	order *list.List // front: the latest used
}

type statement struct {
	query string
	stmt  *sql.Stmt
}

const maxStatements = 200

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, known: map[string]*list.Element{}, order: list.New()}
}

func (s *statements) get(ctx context.Context, query string) (*statement, error) {
	if e, ok := s.known[query]; ok {
		s.order.MoveToFront(e)
		return e.Value.(*statement), nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	known := &statement{query, stmt}
	s.known[query] = s.order.PushFront(known)
	if s.order.Len() > maxStatements {
		s.drop(s.order.Back())
	}
	return known, nil
}

func (s *statements) drop(e *list.Element) {
	old := s.order.Remove(e).(*statement)
	delete(s.known, old.query)
	old.stmt.Close() //nolint:errcheck // a statement no longer needed
}

func (s *statements) close() {
	for s.order.Len() > 0 {
		s.drop(s.order.Back())
	}
}
