// Package imapin watches a mailbox by IMAP and hands its messages to the door
// for e-mail. A message is marked as read on its server only once it is kept
// here; what was kept and not yet marked is recognised and marked later. It
// waits by IDLE, looks for itself where IDLE is missing or silent, and comes
// back with patience when the server is gone.
package imapin

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"time"

	mailin "statincidents/internal/intake/mail"
	"statincidents/internal/intake/mail/parse"
	"statincidents/internal/sqldb"
)

// Box is a mailbox to watch.
type Box struct {
	Address  string      // host:port
	TLS      *tls.Config // nil: without protection, on this machine only
	StartTLS bool
	User     string
	Password string
	Folder   string
}

// key names the mailbox in what is kept about it.
func (b Box) key() string { return b.User + "@" + b.Address + "/" + b.Folder }

func (b Box) same(other Box) bool {
	return b.key() == other.key() && b.Password == other.Password && b.StartTLS == other.StartTLS && (b.TLS == nil) == (other.TLS == nil)
}

// Config is what the watcher stands on.
type Config struct {
	Door *mailin.Service
	// Box gives the mailbox of now; false when there is none to watch. It is
	// asked again every few seconds.
	Box func(ctx context.Context) (Box, bool, error)
	// Report is told how each try went; nil for well.
	Report func(ctx context.Context, err error)
	Log    *slog.Logger

	Look  time.Duration // between looks with IDLE; 1 min if 0
	Poll  time.Duration // between looks without; 20 s if 0
	Retry time.Duration // before the first new try, then twice as long each time up to 5 min; 1 s if 0
}

// Watcher watches one mailbox.
type Watcher struct {
	Config

	name     string
	failures map[uint32]int // how often a message could not be fetched
	troubled time.Time      // the last time
	careful  bool           // one message at a time
}

// New makes the watcher.
func New(cfg Config) *Watcher {
	or := func(d *time.Duration, standing time.Duration) {
		if *d <= 0 {
			*d = standing
		}
	}
	or(&cfg.Look, time.Minute)
	or(&cfg.Poll, 20*time.Second)
	or(&cfg.Retry, time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Report == nil {
		cfg.Report = func(context.Context, error) {}
	}
	var name [8]byte
	rand.Read(name[:]) // never fails, says its documentation
	return &Watcher{Config: cfg, name: hex.EncodeToString(name[:]), failures: map[uint32]int{}}
}

const (
	maxRetry = 5 * time.Minute
	settings = 5 * time.Second  // between looks at the settings
	lease    = 90 * time.Second // how long a process that died keeps the mailbox
)

// Run watches until ctx ends. A server that fails is no failure of ours.
func (w *Watcher) Run(ctx context.Context) error {
	tries := 0
	for ctx.Err() == nil {
		box, on, err := w.Box(ctx)
		if err != nil || !on {
			if err != nil && ctx.Err() == nil {
				w.Log.Error("mail: settings", "error", err)
			}
			tries = 0
			sleep(ctx, settings)
			continue
		}
		mine, err := w.Door.Hold(ctx, box.key(), w.name, lease)
		if err != nil || !mine {
			if err != nil && ctx.Err() == nil {
				w.Log.Error("mail: hold the mailbox", "error", err)
			}
			sleep(ctx, settings)
			continue
		}
		well, err := w.session(ctx, box)
		if ctx.Err() != nil {
			return nil
		}
		if well {
			tries = 0
		}
		if err == nil {
			continue // the settings have changed
		}
		w.Report(ctx, err)
		w.Log.Warn("mail: the mailbox does not answer", "error", err)
		sleep(ctx, patience(w.Retry, tries))
		tries++
	}
	return nil
}

// patience is how long to wait before another try: twice as long each time,
// a quarter more or less.
func patience(first time.Duration, tries int) time.Duration {
	d := min(first<<min(tries, 16), maxRetry)
	share, err := rand.Int(rand.Reader, big.NewInt(int64(d/2)+1))
	if err != nil {
		return d
	}
	return d*3/4 + time.Duration(share.Int64())
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// session watches over one connection, until it fails, ctx ends, or the
// settings change (nil). Well is true once everything was fetched.
func (w *Watcher) session(ctx context.Context, box Box) (well bool, err error) {
	k, err := dial(ctx, box)
	if err != nil {
		return false, err
	}
	defer k.close()
	changed, stop := w.watchSettings(ctx, box)
	defer stop()
	for ctx.Err() == nil {
		if err := w.collect(ctx, k, box); err != nil {
			return well, err
		}
		well = true
		w.Report(ctx, nil)
		d := w.Look
		if !k.idle {
			d = w.Poll
		}
		if err := k.wait(ctx, d, changed); err != nil {
			return well, err
		}
		select {
		case <-changed:
			return well, nil
		default:
		}
		if mine, err := w.Door.Hold(ctx, box.key(), w.name, lease); err != nil || !mine {
			return well, err
		}
	}
	return well, nil
}

// watchSettings closes changed when the mailbox to watch is another.
func (w *Watcher) watchSettings(ctx context.Context, box Box) (changed <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		for ctx.Err() == nil {
			sleep(ctx, settings)
			if now, on, err := w.Box(ctx); err == nil && (!on || !now.same(box)) {
				close(done)
				return
			}
		}
	}()
	return done, cancel
}

// How much is fetched at once.
const (
	batchCount = 50
	batchBytes = 16 << 20
	maxSkipped = 3 // failures after which a message is left on its server…
	// …until it is tried again.
	forgiveness = time.Hour
)

// collect fetches, keeps and acknowledges all that is new.
func (w *Watcher) collect(ctx context.Context, k *conn, box Box) error {
	cursor, err := w.Door.Cursor(ctx, box.key())
	if err != nil {
		return err
	}
	var since time.Time
	if cursor.UIDValidity != k.uidValidity {
		if cursor.UIDValidity != 0 {
			// The server has numbered its messages anew: what came since the last
			// look is looked at again, what is known is recognised by what it says.
			since = cursor.UpdatedAt.Add(-48 * time.Hour)
			w.Log.Warn("mail: the server has numbered the mailbox anew", "was", cursor.UIDValidity, "is", k.uidValidity)
		}
		cursor = mailin.Cursor{UIDValidity: k.uidValidity}
		clear(w.failures)
	}
	if len(w.failures) > 0 && sqldb.Now().Sub(w.troubled) > forgiveness {
		clear(w.failures)
	}
	uids, err := k.candidates(ctx, cursor.UID, since)
	if err != nil {
		return err
	}
	known, err := w.Door.Known(ctx, box.key(), k.uidValidity, uids)
	if err != nil {
		return err
	}
	var kept []uint32
	fresh := uids[:0:0]
	for _, u := range uids {
		switch {
		case known[u]:
			kept = append(kept, u) // kept before it could be marked
		case w.failures[u] >= maxSkipped:
		default:
			fresh = append(fresh, u)
		}
	}
	if err := k.acknowledge(ctx, kept); err != nil {
		return err
	}
	for len(fresh) > 0 {
		n, err := w.batch(ctx, k, box, fresh)
		if err != nil {
			return err
		}
		fresh = fresh[n:]
		cursor.Backlog = len(fresh)
		if err := w.Door.SaveCursor(ctx, box.key(), cursor); err != nil {
			return err
		}
		if mine, err := w.Door.Hold(ctx, box.key(), w.name, lease); err != nil || !mine {
			return errors.Join(err, errOther)
		}
	}
	w.careful = false
	last := cursor.UID
	if len(uids) > 0 {
		last = max(last, slices.Max(uids))
	}
	if k.uidNext > 0 {
		last = max(last, k.uidNext-1)
	}
	if last == cursor.UID && cursor.UIDValidity != 0 && len(uids) == 0 {
		return nil
	}
	return w.Door.SaveCursor(ctx, box.key(), mailin.Cursor{UIDValidity: k.uidValidity, UID: last})
}

var errOther = errors.New("another process reads the mailbox")

// batch fetches and keeps the first of some messages, and gives how many.
func (w *Watcher) batch(ctx context.Context, k *conn, box Box, uids []uint32) (n int, err error) {
	part := uids[:min(len(uids), batchCount)]
	if w.careful {
		part = part[:1]
	}
	sizes, err := k.sizes(ctx, part)
	if err != nil {
		return 0, w.trouble(part, err)
	}
	var whole, large []uint32
	var bytes int64
	taken := 0
	for _, u := range part {
		size, there := sizes[u]
		switch {
		case !there: // gone meanwhile
		case size > parse.MaxSize:
			large = append(large, u)
		case bytes+size > batchBytes && taken > 0:
			part = part[:taken]
		default:
			bytes += size
			whole = append(whole, u)
		}
		if len(part) == taken {
			break
		}
		taken++
	}
	var in []mailin.Incoming
	add := func(list []uint32, header bool, most int64) error {
		if len(list) == 0 {
			return nil
		}
		bodies, err := k.bodies(ctx, list, header, most)
		if err != nil {
			return w.trouble(list, err)
		}
		for _, u := range list {
			if body, there := bodies[u]; there {
				in = append(in, mailin.Incoming{Raw: body, Size: sizes[u], Box: box.key(), UIDValidity: k.uidValidity, UID: u})
			}
		}
		return nil
	}
	if err := errors.Join(add(whole, false, parse.MaxSize), add(large, true, parse.MaxHeader)); err != nil {
		return 0, err
	}
	if len(in) > 0 {
		if _, err := w.Door.Receive(ctx, in...); err != nil {
			return 0, fmt.Errorf("keep: %w", err)
		}
	}
	done := make([]uint32, len(in))
	for i := range in {
		done[i] = in[i].UID
	}
	return taken, k.acknowledge(ctx, done)
}

// trouble notes which messages could not be fetched: the next try takes them
// one by one, and one that fails again and again is left on its server, so
// that it does not hold back the others.
func (w *Watcher) trouble(uids []uint32, err error) error {
	if len(uids) == 1 {
		if w.failures[uids[0]]++; w.failures[uids[0]] == maxSkipped {
			w.Log.Error("mail: a message is left on its server", "uid", uids[0], "error", err)
		}
	}
	w.careful, w.troubled = true, sqldb.Now()
	return err
}
