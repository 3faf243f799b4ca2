package analysis

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"statincidents/internal/calendar"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

// Method is one question asked of the département each night. I and O are
// written as JSON: they hold no NaN and no infinity.
type Method[I, O any] struct {
	Name    string
	Version int    // goes up when the same input would give another output
	Seed    uint64 // of what is drawn; 0 when nothing is
	Gather  func(ctx context.Context, w *World) (I, error)
	Run     func(ctx context.Context, in I, seed uint64) (O, error)
}

// nightly is a Method without its types.
type nightly interface {
	name() string
	version() int
	seed() uint64
	work(ctx context.Context, w *World) (in, out any, err error)
	again(ctx context.Context, in json.RawMessage, seed uint64) (any, error)
}

func (m Method[I, O]) name() string { return m.Name }
func (m Method[I, O]) version() int { return m.Version }
func (m Method[I, O]) seed() uint64 { return m.Seed }

func (m Method[I, O]) work(ctx context.Context, w *World) (any, any, error) {
	in, err := m.Gather(ctx, w)
	if err != nil {
		return nil, nil, err
	}
	out, err := m.Run(ctx, in, m.Seed)
	return in, out, err
}

func (m Method[I, O]) again(ctx context.Context, raw json.RawMessage, seed uint64) (any, error) {
	var in I
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("analysis: input of %s: %w", m.Name, err)
	}
	return m.Run(ctx, in, seed)
}

// Made says how a result came about.
type Made struct {
	Method  string        `json:"method"`
	Version int           `json:"version"`
	Seed    uint64        `json:"seed,string"`
	Today   calendar.Day  `json:"today"` // the day it speaks of
	AsOf    string        `json:"as_of"` // position in the journal
	At      time.Time     `json:"made_at"`
	Took    time.Duration `json:"took_ns"`
	Failure string        `json:"failure,omitempty"` // why the last night gave nothing new
}

// Latest gives a method's last result: fault.Unavailable before the first
// night, which the start of a new database makes up for within seconds.
func Latest[I, O any](ctx context.Context, s *Service, m Method[I, O]) (O, Made, error) {
	var out O
	made, err := s.made(ctx, m.Name)
	if err != nil {
		return out, made, err
	}
	if kept, ok := s.cache.get(m.Name, made.At); ok {
		if out, ok := kept.(O); ok {
			return out, made, nil
		}
	}
	var packed []byte
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT output FROM analysis_result WHERE tenant_id = $1 AND method = $2`, s.cfg.Tenant, m.Name).Scan(&packed)
	})
	if err != nil {
		return out, made, fmt.Errorf("analysis: read %s: %w", m.Name, err)
	}
	raw, err := unpack(packed)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return out, made, fmt.Errorf("analysis: result of %s: %w", m.Name, err)
	}
	s.cache.put(m.Name, made.At, out)
	return out, made, nil
}

// made reads how the last result of a method came about.
func (s *Service) made(ctx context.Context, method string) (Made, error) {
	made := Made{Method: method}
	var seed string
	var at, took int64
	var size int
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT version, seed, today, as_of, made_at, took_ms, failure, length(output) FROM analysis_result WHERE tenant_id = $1 AND method = $2`,
			s.cfg.Tenant, method).Scan(&made.Version, &seed, &made.Today, &made.AsOf, &at, &took, &made.Failure, &size)
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && size == 0 {
		return made, fault.New(fault.Unavailable, "error.analysis.none")
	}
	if err != nil {
		return made, fmt.Errorf("analysis: read %s: %w", method, err)
	}
	made.At, made.Took = sqldb.Time(at), time.Duration(took)*time.Millisecond
	made.Seed, err = strconv.ParseUint(seed, 10, 64)
	return made, err
}

// Recording is a result with all that it was made from.
type Recording struct {
	Made

	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
}

// Recorded gives the last result of a method whole, so that it can be done
// again elsewhere: what it holds is the département's, so the caller asks for
// a reader who sees all of it.
func (s *Service) Recorded(ctx context.Context, method string) (Recording, error) {
	if !slices.ContainsFunc(s.methods, func(m nightly) bool { return m.name() == method }) {
		return Recording{}, fault.New(fault.NotFound, "error.not_found")
	}
	made, err := s.made(ctx, method)
	if err != nil {
		return Recording{}, err
	}
	r := Recording{Made: made}
	var in, out []byte
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT input, output FROM analysis_result WHERE tenant_id = $1 AND method = $2`, s.cfg.Tenant, method).Scan(&in, &out)
	})
	if err == nil {
		r.Input, err = unpack(in)
	}
	if err == nil {
		r.Output, err = unpack(out)
	}
	if err != nil {
		return r, fmt.Errorf("analysis: read %s: %w", method, err)
	}
	return r, nil
}

// Replay does a recording again and tells where the answer differs, "" when it
// is the same. Numbers may differ by their last digits between machines.
func Replay(ctx context.Context, r Recording) (string, error) { return replay(ctx, methods, r) }

func replay(ctx context.Context, methods []nightly, r Recording) (string, error) {
	for _, m := range methods {
		if m.name() != r.Method {
			continue
		}
		if m.version() != r.Version {
			return "", fmt.Errorf("analysis: %s is now version %d, the recording is of version %d", r.Method, m.version(), r.Version)
		}
		out, err := m.again(ctx, r.Input, r.Seed)
		if err != nil {
			return "", err
		}
		now, err := json.Marshal(out)
		if err != nil {
			return "", err
		}
		return differ(now, r.Output)
	}
	return "", fmt.Errorf("analysis: no method %q", r.Method)
}

func differ(a, b []byte) (string, error) {
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		return "", err
	}
	return difference("", x, y), nil
}

// difference is the first place where two values differ.
func difference(at string, x, y any) string {
	switch x := x.(type) {
	case float64:
		if y, ok := y.(float64); ok && math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y)) {
			return ""
		}
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok || len(x) != len(y) {
			return at + " (other fields)"
		}
		for k := range x {
			if d := difference(at+"."+k, x[k], y[k]); d != "" {
				return d
			}
		}
		return ""
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return at + " (other length)"
		}
		for k := range x {
			if d := difference(at+"["+strconv.Itoa(k)+"]", x[k], y[k]); d != "" {
				return d
			}
		}
		return ""
	default:
		if x == y {
			return ""
		}
	}
	return fmt.Sprintf("%s: %v, recorded %v", at, x, y)
}

// cache keeps the last decoded result of each method, of the night that it
// was made in. What it gives is not to be changed.
type cache struct {
	mu   sync.Mutex
	kept map[string]cached
}

type cached struct {
	at     time.Time
	output any
}

func (c *cache) get(method string, at time.Time) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[method]
	return k.output, ok && k.at.Equal(at)
}

func (c *cache) put(method string, at time.Time, output any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string]cached{}
	}
	c.kept[method] = cached{at, output}
}

func pack(v any) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(z).Encode(v), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// maxUnpacked bounds a result of ours, so that a damaged one fills no memory.
const maxUnpacked = 256 << 20

func unpack(b []byte) (json.RawMessage, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxUnpacked))
}
