package mailin

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"statincidents/internal/fault"
	"statincidents/internal/intake/mail/parse"
	"statincidents/internal/jobs"
	"statincidents/internal/sqldb"
)

// Incoming is a message as a server gives it.
type Incoming struct {
	Raw []byte
	// Size is the message's whole size in bytes when Raw is only its beginning:
	// it was too large to be fetched.
	Size int64
	// Box, UIDValidity and UID are where its server keeps it; zero elsewhere.
	Box              string
	UIDValidity, UID uint32
}

// chunk is how much of a compressed message stands in one row.
const chunk = 256 << 10

var (
	packer   = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1)))
	unpacker = must(zstd.NewReader(nil, zstd.WithDecoderMaxMemory(4*parse.MaxSize), zstd.WithDecoderConcurrency(1)))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // options of ours
	}
	return v
}

// Receive keeps messages as they came and queues their reading, in one
// transaction: once it returns nil they are on disk and their server may be
// told so. It gives how many were new; what is there already is not kept twice.
func (s *Service) Receive(ctx context.Context, in ...Incoming) (fresh int, err error) {
	type ready struct {
		Incoming

		m      *parse.Message
		packed []byte
	}
	list := make([]ready, 0, len(in))
	for _, i := range in {
		r := ready{Incoming: i, m: parse.Parse(i.Raw)}
		r.Size = max(r.Size, int64(len(i.Raw)))
		if r.Size > parse.MaxSize {
			// The header only: the digest of what was not read would lie.
			r.Raw = r.Raw[:min(len(r.Raw), parse.MaxHeader)]
			r.m = parse.Parse(r.Raw)
			r.m.Digest = fmt.Sprintf("large/%d/%s", r.Size, r.m.Digest)
		}
		r.packed = packer.EncodeAll(r.Raw, nil)
		list = append(list, r)
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		fresh = 0
		now := sqldb.Now()
		for _, r := range list {
			id, err := tx.NextIDs(ctx, s.Tenant, Subject, 1)
			if err != nil {
				return err
			}
			state, reason, ended := Received, Reason(""), time.Time{}
			if r.Size > parse.MaxSize {
				state, reason, ended = Refused, ReasonTooLarge, now
			}
			added, err := tx.Exec(ctx, `INSERT INTO mail_message (tenant_id, message_id, digest, header_id, state, reason, from_email, from_name, subject, preview, cc, files, size, sent_at, received_at, ended_at, uid_validity, uid, box)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ON CONFLICT (tenant_id, digest) DO NOTHING`,
				s.Tenant, id, r.m.Digest, r.m.ID, string(state), string(reason), r.m.From.Email, r.m.From.Name, r.m.Subject, preview(r.m), people(r.m.Cc), len(r.m.Files), r.Size,
				sqldb.Millis(r.m.Date), sqldb.Millis(now), sqldb.Millis(ended), int64(r.UIDValidity), int64(r.UID), r.Box)
			if err != nil {
				return fmt.Errorf("mailin: keep a message: %w", err)
			}
			if added == 0 {
				continue
			}
			fresh++
			var rows [][]any
			for n, data := 0, r.packed; ; n++ {
				piece := data[:min(len(data), chunk)]
				rows = append(rows, []any{s.Tenant, id, int64(n), piece})
				if data = data[len(piece):]; len(data) == 0 {
					break
				}
			}
			if err := tx.Insert(ctx, "mail_raw", []string{"tenant_id", "message_id", "chunk", "data"}, rows, ""); err != nil {
				return err
			}
			if state == Received {
				if err := s.queue(ctx, tx, id); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return fresh, nil
}

// queue asks for a message to be read.
func (s *Service) queue(ctx context.Context, tx *sqldb.Tx, id int64) error {
	_, err := s.Jobs.Insert(ctx, tx, jobRead, readArgs{id}, jobs.Insertion{Key: strconv.FormatInt(id, 10)})
	return err
}

const previewLength = 240

// rules are lines drawn with characters.
var rules = regexp.MustCompile(`[_=*-]{6,}`)

// preview is the first words of a message, on one line.
func preview(m *parse.Message) string {
	words := strings.Join(strings.Fields(rules.ReplaceAllString(m.Body.Said(), " ")), " ")
	if r := []rune(words); len(r) > previewLength {
		return string(r[:previewLength]) + "…"
	}
	return words
}

// people writes a list of addresses, shortened.
func people(list []parse.Address) string {
	var b strings.Builder
	for i, a := range list {
		if b.Len() > 1000 {
			fmt.Fprintf(&b, " … (%d)", len(list))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(a.String())
	}
	return b.String()
}

// raw gives a message as it came.
func (s *Service) raw(ctx context.Context, id int64) ([]byte, error) {
	var packed bytes.Buffer
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT data FROM mail_raw WHERE tenant_id = $1 AND message_id = $2 ORDER BY chunk`, s.Tenant, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var piece sql.RawBytes
			if err := rows.Scan(&piece); err != nil {
				return err
			}
			packed.Write(piece)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("mailin: message %d: %w", id, err)
	}
	if packed.Len() == 0 {
		return nil, notFound()
	}
	data, err := unpacker.DecodeAll(packed.Bytes(), nil)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("mailin: message %d: %w", id, err)
	}
	return data, nil
}

func notFound() error { return fault.New(fault.NotFound, "error.mailin.not_found") }
