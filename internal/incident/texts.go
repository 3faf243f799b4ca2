package incident

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Text is what an incident says to whoever may see it.
type Text struct {
	ID                                                  int64
	Title, Description, Machine, Resolution, ExternalID string
	Comments                                            []string // public ones, oldest first
}

// Texts reads the texts of some incidents for a reader of the journal that
// indexes them. It takes no scope: what is made of it must keep to the scope
// of whoever asks.
func Texts(ctx context.Context, tx *sqldb.Tx, tenant int64, ids []int64) ([]Text, error) {
	found, err := load(ctx, tx, tenant, ids)
	if err != nil {
		return nil, err
	}
	events, err := journal.OfMany(ctx, tx, tenant, Subject, ids)
	if err != nil {
		return nil, err
	}
	comments := map[int64][]string{}
	for k := range events {
		e := &events[k]
		if !bytes.Contains(e.Data, []byte(`"comment"`)) {
			continue
		}
		var p Payload
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return nil, fmt.Errorf("incident %d: event %s: %w", e.Subject.ID, e.Pos, err)
		}
		if p.Comment != "" && !p.Internal {
			comments[e.Subject.ID] = append(comments[e.Subject.ID], p.Comment)
		}
	}
	texts := make([]Text, 0, len(found))
	for _, id := range ids {
		if i := found[id]; i != nil {
			texts = append(texts, Text{i.ID, i.Title, i.Description, i.Machine, i.Resolution, i.ExternalID, comments[id]})
		}
	}
	return texts, nil
}
