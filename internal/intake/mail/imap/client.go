package imapin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// This file is the only one that knows the IMAP library.

// How long a server may take, at most.
const (
	dialTime  = 20 * time.Second
	answer    = 30 * time.Second
	fetchTime = 5 * time.Minute
)

// conn is a session on one folder of a mailbox. Its methods are called by one
// goroutine.
type conn struct {
	c           *imapclient.Client
	news        chan struct{} // the server told of something new
	idle        bool          // it can tell by itself
	uidValidity uint32
	uidNext     uint32
}

// dial connects, signs in and opens the folder.
func dial(ctx context.Context, box Box) (_ *conn, err error) {
	dialer := &net.Dialer{Timeout: dialTime, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4}}
	raw, err := dialer.DialContext(ctx, "tcp", box.Address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	k := &conn{news: make(chan struct{}, 1)}
	o := &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(data *imapclient.UnilateralDataMailbox) {
		if data.NumMessages != nil {
			select {
			case k.news <- struct{}{}:
			default:
			}
		}
	}}}
	// Until there is a client, the end of ctx closes the bare connection.
	early, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	stop := context.AfterFunc(early, func() { _ = raw.Close() })
	switch {
	case box.TLS != nil && box.StartTLS:
		o.TLSConfig = box.TLS
		k.c, err = imapclient.NewStartTLS(raw, o)
	case box.TLS != nil:
		secured := tls.Client(raw, box.TLS)
		if err = secured.HandshakeContext(early); err == nil {
			k.c = imapclient.New(secured, o)
		}
	default:
		k.c = imapclient.New(raw, o)
	}
	if !stop() && err == nil {
		err = context.Cause(early)
	}
	if err != nil {
		_ = raw.Close() // err says what went wrong
		return nil, fmt.Errorf("secure the connection: %w", err)
	}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if err := k.within(ctx, answer, "greeting", k.c.WaitGreeting); err != nil {
		return nil, err
	}
	if box.User != "" {
		if err := k.within(ctx, answer, "sign in", func() error { return k.c.Login(box.User, box.Password).Wait() }); err != nil {
			return nil, err
		}
	}
	err = k.within(ctx, answer, "open the folder "+box.Folder, func() error {
		caps := k.c.Caps()
		k.idle = caps.Has(imap.CapIdle) || caps.Has(imap.CapIMAP4rev2)
		data, err := k.c.Select(box.Folder, nil).Wait()
		if err == nil {
			k.uidValidity, k.uidNext = data.UIDValidity, uint32(data.UIDNext)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

func (k *conn) close() {
	_ = k.c.Close() // it may be closed by the server already
}

// within runs one exchange, and cuts the connection if it takes too long or
// ctx ends.
func (k *conn) within(ctx context.Context, d time.Duration, what string, fn func() error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	stop := context.AfterFunc(ctx, k.close)
	err := fn()
	if !stop() {
		err = errors.Join(context.Cause(ctx), err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// unread lists the messages that the server holds for unread, and those after
// a number, or since a day; in order.
func (k *conn) candidates(ctx context.Context, after uint32, since time.Time) ([]uint32, error) {
	var found []imap.UID
	err := k.within(ctx, fetchTime, "search", func() error {
		unseen := imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen}}
		criteria := &unseen
		switch {
		case after > 0:
			var later imap.UIDSet
			later.AddRange(imap.UID(after)+1, 0)
			criteria = &imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{unseen, {UID: []imap.UIDSet{later}}}}}
		case !since.IsZero():
			criteria = &imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{unseen, {Since: since}}}}
		}
		data, err := k.c.UIDSearch(criteria, nil).Wait()
		if err == nil {
			found = data.AllUIDs()
		}
		return err
	})
	uids := make([]uint32, 0, len(found))
	for _, u := range found {
		uids = append(uids, uint32(u))
	}
	return uids, err
}

func set(uids []uint32) imap.UIDSet {
	var s imap.UIDSet
	for _, u := range uids {
		s.AddNum(imap.UID(u))
	}
	return s
}

// sizes gives the sizes of messages, in bytes, as the server says them. A
// message that is gone is left out.
func (k *conn) sizes(ctx context.Context, uids []uint32) (map[uint32]int64, error) {
	sizes := map[uint32]int64{}
	err := k.within(ctx, fetchTime, "sizes", func() error {
		list, err := k.c.Fetch(set(uids), &imap.FetchOptions{UID: true, RFC822Size: true}).Collect()
		for _, m := range list {
			sizes[uint32(m.UID)] = m.RFC822Size
		}
		return err
	})
	return sizes, err
}

// bodies gives messages whole, or the first most bytes of each, without
// marking them as read. What a server sends beyond its word is not kept.
func (k *conn) bodies(ctx context.Context, uids []uint32, header bool, most int64) (map[uint32][]byte, error) {
	section := &imap.FetchItemBodySection{Peek: true}
	if header {
		section.Specifier = imap.PartSpecifierHeader
		section.Partial = &imap.SectionPartial{Size: most}
	}
	bodies := map[uint32][]byte{}
	err := k.within(ctx, fetchTime, "fetch", func() error {
		fetch := k.c.Fetch(set(uids), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		defer fetch.Close() //nolint:errcheck // the second Close gives the first one's answer
		for m := fetch.Next(); m != nil; m = fetch.Next() {
			var uid uint32
			var body []byte
			for item := m.Next(); item != nil; item = m.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					uid = uint32(item.UID)
				case imapclient.FetchItemDataBodySection:
					if item.Literal == nil {
						continue
					}
					data, err := io.ReadAll(io.LimitReader(item.Literal, most))
					if err != nil {
						return err
					}
					if _, err := io.Copy(io.Discard, item.Literal); err != nil {
						return err
					}
					body = data
				}
			}
			if uid != 0 {
				bodies[uid] = body
			}
		}
		return fetch.Close()
	})
	return bodies, err
}

// acknowledge marks messages as read.
func (k *conn) acknowledge(ctx context.Context, uids []uint32) error {
	if len(uids) == 0 {
		return nil
	}
	return k.within(ctx, fetchTime, "acknowledge", func() error {
		return k.c.Store(set(uids), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
	})
}

// wait returns when the server tells of something new, or after a while. A
// server that cannot tell is asked; so is one that is silent.
func (k *conn) wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	if !k.idle {
		k.pause(ctx, d, wake)
		return k.within(ctx, answer, "poll", func() error { return k.c.Noop().Wait() })
	}
	var idle *imapclient.IdleCommand
	err := k.within(ctx, answer, "idle", func() (err error) {
		idle, err = k.c.Idle()
		return err
	})
	if err != nil {
		return err
	}
	k.pause(ctx, d, wake)
	return k.within(ctx, answer, "end of idle", func() error {
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
}

func (k *conn) pause(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-k.news:
	case <-wake:
	case <-k.c.Closed():
	}
}
