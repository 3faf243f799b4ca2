package attachment

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

const (
	chunkSize   = 256 << 10 // bytes of a row
	chunksAWalk = 4         // rows of one transaction: other writers pass in between
)

// source is a file that is being put: its bytes can be looked at in any order.
type source struct {
	io.ReaderAt

	size   int64
	sha256 string
	close  func()
}

// spool brings a file where it can be looked at, as long as it is allowed to
// be. What is a file already (an upload that the server put aside) stays where
// it is.
func spool(name string, r io.Reader) (*source, error) {
	hash := sha256.New()
	if f, ok := r.(interface {
		io.ReaderAt
		io.ReadSeeker
	}); ok {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("attachment: read: %w", err)
		}
		n, err := io.Copy(hash, io.LimitReader(f, MaxSize+1))
		if err != nil {
			return nil, fmt.Errorf("attachment: read: %w", err)
		}
		if n > MaxSize {
			return nil, refuse(name, "too_large", "max", MaxSize>>20)
		}
		return &source{ReaderAt: f, size: n, sha256: hex.EncodeToString(hash.Sum(nil)), close: func() {}}, nil
	}
	f, err := os.CreateTemp("", "statincidents-upload-")
	if err != nil {
		return nil, noRoom(err)
	}
	done := func() { f.Close(); os.Remove(f.Name()) } //nolint:errcheck // a temporary file
	n, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(r, MaxSize+1))
	if err != nil {
		done()
		return nil, noRoom(fmt.Errorf("attachment: receive: %w", err))
	}
	if n > MaxSize {
		done()
		return nil, refuse(name, "too_large", "max", MaxSize>>20)
	}
	return &source{ReaderAt: f, size: n, sha256: hex.EncodeToString(hash.Sum(nil)), close: done}, nil
}

// noRoom says of a full disk that it is full, so that who sends a file knows
// that it is not theirs to mend; any other error stays what it is.
func noRoom(err error) error {
	if sqldb.Full(err) {
		return &fault.Error{Code: fault.Unavailable, Key: "error.attachment.no_room", Err: err}
	}
	return err
}

// content is a file that will be kept: read once more, in order.
type content struct {
	sha256 string
	size   int64
	open   func() io.Reader
}

func contentOf(data []byte, open func() io.Reader) content {
	sum := sha256.Sum256(data)
	return content{hex.EncodeToString(sum[:]), int64(len(data)), open}
}

// errGone tells that a content which was there is not any more: write it.
var errGone = errors.New("attachment: the content went meanwhile")

// written makes sure that a content lies in the database and gives the number
// under which this call wrote it, 0 if it was there. It is not ready before
// settle, in the transaction that refers to it.
func (s *Service) written(ctx context.Context, tenant int64, c content, anew bool) (int64, error) {
	if !anew {
		var known bool
		err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			id, err := ready(ctx, tx, tenant, c.sha256)
			known = id != 0
			return err
		})
		if err != nil || known {
			return 0, err
		}
	}
	var id int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		if id, err = tx.NextIDs(ctx, tenant, "attachment_content", 1); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO attachment_content (tenant_id, content_id, sha256, size, ready, created_at) VALUES ($1, $2, $3, $4, 0, $5)`,
			tenant, id, c.sha256, c.size, sqldb.Millis(sqldb.Now()))
		return err
	})
	if err != nil {
		return 0, err
	}
	r := c.open()
	for number, end := 0, false; !end; {
		var rows [][]any
		for len(rows) < chunksAWalk && !end {
			part := make([]byte, chunkSize)
			n, err := io.ReadFull(r, part)
			switch {
			case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
				end = true
			case err != nil:
				return id, fmt.Errorf("attachment: read: %w", err)
			}
			if n > 0 {
				rows = append(rows, []any{tenant, id, number, part[:n]})
				number++
			}
		}
		if len(rows) == 0 {
			break
		}
		err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.Insert(ctx, "attachment_chunk", []string{"tenant_id", "content_id", "number", "data"}, rows, "")
		})
		if err != nil {
			return id, err
		}
	}
	return id, nil
}

// settle makes a content that was written the one of its hash, unless another
// one was quicker.
func settle(ctx context.Context, tx *sqldb.Tx, tenant int64, sha string, id int64) error {
	known, err := ready(ctx, tx, tenant, sha)
	switch {
	case err != nil:
		return err
	case known != 0 && id != 0:
		return drop(ctx, tx, tenant, id)
	case known != 0:
		return nil
	case id == 0:
		return errGone
	}
	_, err = tx.Exec(ctx, `UPDATE attachment_content SET ready = 1 WHERE tenant_id = $1 AND content_id = $2`, tenant, id)
	return err
}

// ready finds the content of a hash.
func ready(ctx context.Context, tx *sqldb.Tx, tenant int64, sha string) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, `SELECT content_id FROM attachment_content WHERE tenant_id = $1 AND sha256 = $2 AND ready = 1`, tenant, sha).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("attachment: find a content: %w", err)
	}
	return id, nil
}

func drop(ctx context.Context, tx *sqldb.Tx, tenant, id int64) error {
	for _, table := range []string{"attachment_chunk", "attachment_content"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE tenant_id = $1 AND content_id = $2", tenant, id); err != nil {
			return fmt.Errorf("attachment: drop a content: %w", err)
		}
	}
	return nil
}

// dropUnused drops the content of a hash unless an attachment still refers to it.
func dropUnused(ctx context.Context, tx *sqldb.Tx, tenant int64, sha string) error {
	if sha == "" {
		return nil
	}
	var used int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM attachment WHERE tenant_id = $1 AND purged_at = 0 AND (sha256 = $2 OR thumb_sha256 = $2)`, tenant, sha).Scan(&used)
	if err != nil || used > 0 {
		return err
	}
	id, err := ready(ctx, tx, tenant, sha)
	if err != nil || id == 0 {
		return err
	}
	return drop(ctx, tx, tenant, id)
}

// Content is a file that is being read, chunk by chunk; it seeks, so that a
// browser can ask for a part.
type Content struct {
	ctx    context.Context //nolint:containedctx // io.ReadSeeker has no place for it
	db     *sqldb.DB
	tenant int64
	id     int64
	size   int64
	at     int64
	number int64 // of the chunk held, -1 for none
	chunk  []byte
}

// Size is the number of bytes.
func (c *Content) Size() int64 { return c.size }

// Read gives the next bytes.
func (c *Content) Read(p []byte) (int, error) {
	if c.at >= c.size {
		return 0, io.EOF
	}
	number := c.at / chunkSize
	if number != c.number {
		err := c.db.Read(c.ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, `SELECT data FROM attachment_chunk WHERE tenant_id = $1 AND content_id = $2 AND number = $3`, c.tenant, c.id, number).Scan(&c.chunk)
		})
		if err != nil {
			return 0, fmt.Errorf("attachment: read chunk %d of content %d: %w", number, c.id, err)
		}
		c.number = number
	}
	offset := c.at - number*chunkSize
	if offset >= int64(len(c.chunk)) {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, c.chunk[offset:])
	c.at += int64(n)
	return n, nil
}

// Seek moves to another byte.
func (c *Content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, errors.New("attachment: seek before the beginning")
	}
	c.at = offset
	return offset, nil
}

// Open gives an attachment to read, or its thumbnail. It is NotFound for
// whoever may not see it, and when it was removed.
func (s *Service) Open(ctx context.Context, by auth.Identity, id int64, thumb bool) (Attachment, *Content, error) {
	a, err := s.Get(ctx, by, id)
	if err != nil {
		return Attachment{}, nil, err
	}
	sha := a.SHA256
	if thumb {
		sha = a.Thumb.SHA256
	}
	if !a.Shown() || sha == "" {
		return Attachment{}, nil, notFound()
	}
	c := &Content{ctx: ctx, db: s.db, tenant: by.Tenant, number: -1}
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		err := tx.QueryRow(ctx, `SELECT content_id, size FROM attachment_content WHERE tenant_id = $1 AND sha256 = $2 AND ready = 1`, by.Tenant, sha).Scan(&c.id, &c.size)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "error.attachment.lost")
		}
		return err
	})
	if err != nil {
		return Attachment{}, nil, err
	}
	return a, c, nil
}
