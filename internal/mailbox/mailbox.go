// Package mailbox holds how a département sends and receives its messages, and
// how each side stood at its last try. It sends and receives nothing itself:
// notify does the first, intake/mail the second.
package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
	"statincidents/internal/vault"
)

// Subject is the journal's subject kind; its only event says who changed the
// settings and when, never what they are.
const (
	Subject      = "mailbox"
	EventChanged = Subject + ".changed"
)

// Security is how a connection is protected.
type Security string

// The kinds of security.
const (
	TLS      Security = "tls"      // from the first byte
	StartTLS Security = "starttls" // after a first exchange, which must succeed
	None     Security = "none"     // on this machine only
)

// Securities lists every kind.
var Securities = []Security{StartTLS, TLS, None}

// Server is how one side is reached.
type Server struct {
	On       bool     `json:"on"`
	Host     string   `json:"host"`
	Port     int      `json:"port"`
	Security Security `json:"security"`
	User     string   `json:"user,omitempty"` // "": no sign-in
	Password string   `json:"password,omitempty"`
	// Authority is the certificate (PEM) of the authority that signed the
	// server's, when the system does not know it.
	Authority string `json:"authority,omitempty"`
}

// Address is where the server listens.
func (s Server) Address() string { return fmt.Sprintf("%s:%d", s.Host, s.Port) }

// TLSConfig verifies the server's certificate against the system's authorities
// and the département's own.
func (s Server) TLSConfig() (*tls.Config, error) {
	c := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.Authority == "" {
		return c, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM([]byte(s.Authority)) {
		return nil, errors.New("mailbox: the authority's certificate cannot be read")
	}
	c.RootCAs = pool
	return c, nil
}

// Settings are a département's choices. The zero Settings neither send nor
// receive.
type Settings struct {
	// Site is the address under which people reach this server
	// ("https://incidents.loiret.fr"), for the links in messages.
	Site string `json:"site"`
	// Address is that of the service's mailbox: messages come from it and
	// answers go to it.
	Address string `json:"address"`
	// Name is shown beside the address.
	Name string `json:"name"`

	Sending   Server `json:"sending"`
	Receiving Server `json:"receiving"`
	Folder    string `json:"folder,omitempty"` // to read; "INBOX" if empty

	// PerHour is how many messages one address gets in an hour before the next
	// ones are gathered in a digest.
	PerHour int `json:"per_hour"`
	// DigestAt is when daily digests leave, local time: "07:30".
	DigestAt string `json:"digest_at"`
}

// Defaults are those of a new département.
var Defaults = Settings{
	Sending:   Server{Port: 587, Security: StartTLS},
	Receiving: Server{Port: 993, Security: TLS},
	Folder:    "INBOX", PerHour: 20, DigestAt: "07:30",
}

// Domain is what follows the @ of the service's address, "localhost" without one.
func (s Settings) Domain() string {
	_, domain, ok := strings.Cut(s.Address, "@")
	if !ok {
		return "localhost"
	}
	return domain
}

// Ours tells whether an address is the service's own.
func (s Settings) Ours(address string) bool {
	return s.Address != "" && strings.EqualFold(strings.TrimSpace(address), s.Address)
}

// Link is the address of one of our pages.
func (s Settings) Link(path string) string { return strings.TrimRight(s.Site, "/") + path }

// Side is sending or receiving.
type Side string

// The sides.
const (
	Outgoing Side = "outgoing"
	Incoming Side = "incoming"
)

// State is how a side stood at its last try.
type State struct {
	At     time.Time // of the last try; zero if none
	WellAt time.Time // of the last good one
	Since  time.Time // it has been so
	Error  string    // "" when it went well
}

// Limits on what is typed.
const (
	maxText      = 200
	maxAuthority = 64 << 10
	maxError     = 1000
)

// Service keeps the settings of one département.
type Service struct {
	db     *sqldb.DB
	j      *journal.Journal
	tenant int64
	memo   *sqldb.Memo[Settings]
}

// New makes the service.
func New(db *sqldb.DB, j *journal.Journal, tenant int64) *Service {
	s := &Service{db: db, j: j, tenant: tenant}
	s.memo = sqldb.NewMemo(db, "mailbox.version", func(ctx context.Context, tx *sqldb.Tx, tenant, _ int64) (*Settings, error) {
		settings, err := s.read(ctx, tx, tenant)
		return &settings, err
	})
	return s
}

// The sides of the settings, as they are kept.
const (
	SendingSide   = "sending"
	ReceivingSide = "receiving"
)

// PasswordName is what the password of a side is sealed under.
func PasswordName(tenant int64, side string) string {
	return fmt.Sprintf("mailbox/%d/%s", tenant, side)
}

func (s *Service) read(ctx context.Context, tx *sqldb.Tx, tenant int64) (Settings, error) {
	settings := Defaults
	var text string
	err := tx.QueryRow(ctx, `SELECT settings FROM mailbox WHERE tenant_id = $1`, tenant).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return settings, nil
	}
	if err != nil {
		return settings, fmt.Errorf("mailbox: settings: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return settings, fmt.Errorf("mailbox: settings: %w", err)
	}
	for side, password := range map[string]*string{SendingSide: &settings.Sending.Password, ReceivingSide: &settings.Receiving.Password} {
		if *password, err = s.db.Vault().Open(PasswordName(tenant, side), *password); errors.Is(err, vault.ErrKey) {
			*password = "" // doctor and the page of the system say so; it is to be typed again
		}
	}
	return settings, nil
}

// Settings gives the present choices, passwords included: it is for the rooms
// that connect. Not to be called inside a transaction.
func (s *Service) Settings(ctx context.Context) (Settings, error) {
	v, err := s.memo.Get(ctx, s.tenant)
	if err != nil {
		return Settings{}, err
	}
	return *v, nil
}

// Shown gives the present choices without the passwords, for the page that
// changes them. It needs the right ManageAccounts.
func (s *Service) Shown(ctx context.Context, by auth.Identity) (Settings, error) {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return Settings{}, err
	}
	v, err := s.Settings(ctx)
	v.Sending.Password, v.Receiving.Password = "", ""
	return v, err
}

// Save changes the choices. An empty password keeps the one that is there, as
// long as the server and the user stay the same. It needs the right
// ManageAccounts.
func (s *Service) Save(ctx context.Context, by auth.Identity, in Settings) error {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return err
	}
	in = in.tidy()
	if err := in.check(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.memo.Touch(ctx, tx, s.tenant); err != nil {
			return err
		}
		was, err := s.read(ctx, tx, s.tenant)
		if err != nil {
			return err
		}
		now := in
		now.Sending.keep(was.Sending)
		now.Receiving.keep(was.Receiving)
		if now.Sending.Password, err = s.db.Vault().Seal(PasswordName(s.tenant, SendingSide), now.Sending.Password); err != nil {
			return err
		}
		if now.Receiving.Password, err = s.db.Vault().Seal(PasswordName(s.tenant, ReceivingSide), now.Receiving.Password); err != nil {
			return err
		}
		data, err := json.Marshal(now)
		if err != nil {
			return err
		}
		at := sqldb.Now()
		if err := tx.Upsert(ctx, "mailbox", []string{"tenant_id"}, []string{"tenant_id", "settings", "updated_at"}, [][]any{{s.tenant, string(data), sqldb.Millis(at)}}); err != nil {
			return err
		}
		return s.j.Append(ctx, tx, journal.Event{Tenant: s.tenant, At: at, Actor: by.Actor(), Subject: journal.Subject{Kind: Subject, ID: s.tenant}, Kind: EventChanged})
	})
}

// keep takes over the password of the same sign-in. It is never sent to
// another server than the one that it was given for.
func (s *Server) keep(was Server) {
	if s.Password == "" && s.User != "" && s.User == was.User && s.Host == was.Host {
		s.Password = was.Password
	}
}

func (s Settings) tidy() Settings {
	for _, text := range []*string{&s.Site, &s.Address, &s.Name, &s.Folder, &s.DigestAt, &s.Sending.Host, &s.Sending.User, &s.Receiving.Host, &s.Receiving.User, &s.Sending.Authority, &s.Receiving.Authority} {
		*text = strings.TrimSpace(*text)
	}
	s.Site = strings.TrimRight(s.Site, "/")
	if s.Folder == "" {
		s.Folder = "INBOX"
	}
	return s
}

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

func (s Settings) check() error {
	var f fault.Fields
	for name, text := range map[string]string{
		"site": s.Site, "address": s.Address, "name": s.Name, "folder": s.Folder, "sending_host": s.Sending.Host, "sending_user": s.Sending.User, "sending_password": s.Sending.Password,
		"receiving_host": s.Receiving.Host, "receiving_user": s.Receiving.User, "receiving_password": s.Receiving.Password,
	} {
		switch {
		case utf8.RuneCountInString(text) > maxText:
			f.Add(name, "error.field.too_long", "max", maxText)
		case !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x00"):
			f.Add(name, "error.mailbox.characters")
		}
	}
	if s.Site != "" {
		if u, err := url.Parse(s.Site); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
			f.Add("site", "error.mailbox.site")
		}
	}
	if s.Address != "" || s.Sending.On || s.Receiving.On {
		if a, err := mail.ParseAddress(s.Address); err != nil || a.Address != s.Address {
			f.Add("address", "error.mailbox.address")
		}
	}
	if s.Sending.On && s.Site == "" {
		f.Add("site", "error.field.required")
	}
	s.Sending.check(&f, "sending_")
	s.Receiving.check(&f, "receiving_")
	if s.PerHour < 1 || s.PerHour > 1000 {
		f.Add("per_hour", "error.field.range", "min", 1, "max", 1000)
	}
	if !clock.MatchString(s.DigestAt) {
		f.Add("digest_at", "error.mailbox.clock")
	}
	return f.Err()
}

func (s Server) check(f *fault.Fields, prefix string) {
	if s.Port < 1 || s.Port > 65535 {
		f.Add(prefix+"port", "error.field.range", "min", 1, "max", 65535)
	}
	switch s.Security {
	case TLS, StartTLS:
	case None:
		if s.Host != "" && !here(s.Host) {
			f.Add(prefix+"security", "error.mailbox.unprotected")
		}
	default:
		f.Add(prefix+"security", "error.field.unknown")
	}
	if s.On && s.Host == "" {
		f.Add(prefix+"host", "error.field.required")
	}
	if strings.ContainsAny(s.Host, " /:@") && !strings.Contains(s.Host, "::") {
		f.Add(prefix+"host", "error.mailbox.host")
	}
	if len(s.Authority) > maxAuthority {
		f.Add(prefix+"authority", "error.field.too_long", "max", maxAuthority)
	} else if _, err := s.TLSConfig(); err != nil {
		f.Add(prefix+"authority", "error.mailbox.authority")
	}
}

// here tells whether a host is this machine.
func here(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// reportEvery bounds how often an unchanged state is written.
const reportEvery = time.Minute

// Report notes how a side was found: err is nil when it went well. A state
// that stays the same is written once a minute at most. Not to be called
// inside a transaction.
func (s *Service) Report(ctx context.Context, side Side, err error) error {
	text := ""
	if err != nil {
		text = strings.ToValidUTF8(err.Error(), "�")
		if r := []rune(text); len(r) > maxError {
			text = string(r[:maxError-1]) + "…"
		}
	}
	now := sqldb.Now()
	was, readErr := s.State(ctx, side)
	if readErr != nil {
		return readErr
	}
	same := !was.At.IsZero() && was.Error == text
	if same && now.Sub(was.At) < reportEvery {
		return nil
	}
	next := State{At: now, WellAt: was.WellAt, Since: was.Since, Error: text}
	if text == "" {
		next.WellAt = now
	}
	if was.At.IsZero() || (was.Error == "") != (text == "") {
		next.Since = now
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Upsert(ctx, "mailbox_state", []string{"tenant_id", "side"}, []string{"tenant_id", "side", "at", "well_at", "since", "error"},
			[][]any{{s.tenant, string(side), sqldb.Millis(next.At), sqldb.Millis(next.WellAt), sqldb.Millis(next.Since), next.Error}})
	})
}

// State tells how a side stood at its last try.
func (s *Service) State(ctx context.Context, side Side) (State, error) {
	var at, well, since int64
	var state State
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT at, well_at, since, error FROM mailbox_state WHERE tenant_id = $1 AND side = $2`, s.tenant, string(side)).Scan(&at, &well, &since, &state.Error)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("mailbox: state: %w", err)
	}
	state.At, state.WellAt, state.Since = sqldb.Time(at), sqldb.Time(well), sqldb.Time(since)
	return state, nil
}
