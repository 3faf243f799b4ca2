// Package client speaks the API from Go: typed calls, pages followed to the
// end, creations that may be repeated without making two, and the live stream
// resumed where it broke.
//
// A refusal is a *wire.Problem; Is tells its code.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"statincidents/internal/api/wire"
)

// Client acts as the account of one API token. It may be used by many
// goroutines.
type Client struct {
	base     *url.URL
	token    string
	http     *http.Client
	language string
	retries  int
	pause    time.Duration
}

// Option tunes a Client.
type Option func(*Client)

// WithHTTP uses another HTTP client; its Timeout must be 0 for streams.
func WithHTTP(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithLanguage asks for sentences and labels in a language: "fr", "en".
func WithLanguage(language string) Option { return func(c *Client) { c.language = language } }

// WithRetries says how often a call that may be repeated is tried again (3 if
// not said), and how long the first pause is (200 ms; it doubles).
func WithRetries(n int, pause time.Duration) Option {
	return func(c *Client) { c.retries, c.pause = n, pause }
}

// New makes a client of a server ("https://incidents.example.fr").
func New(server, token string, options ...Option) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(server, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("client: %q is not the address of a server", server)
	}
	c := &Client{base: base, token: token, http: &http.Client{}, retries: 3, pause: 200 * time.Millisecond}
	for _, o := range options {
		o(c)
	}
	return c, nil
}

// Is tells whether err is a refusal of that code ("not_found").
func Is(err error, code string) bool {
	p, ok := errors.AsType[*wire.Problem](err)
	return ok && p.Code == code
}

// call is one request.
type call struct {
	method, path string
	query        url.Values
	body         any
	key          string // Idempotency-Key
	version      int64  // If-Match
	again        bool   // may be repeated without harm
}

// callTimeout bounds one attempt.
const callTimeout = 60 * time.Second

// maxAnswer bounds what is read of an answer.
const maxAnswer = 256 << 20

// do sends a request, again after a pause while that may help and do no harm,
// and reads the answer into out.
func (c *Client) do(ctx context.Context, in call, out any) error {
	var body []byte
	if in.body != nil {
		var err error
		if body, err = json.Marshal(in.body); err != nil {
			return fmt.Errorf("client: %s %s: %w", in.method, in.path, err)
		}
	}
	for attempt := 0; ; attempt++ {
		wait, err := c.once(ctx, in, body, out)
		if err == nil {
			return nil
		}
		if wait < 0 || !in.again || attempt >= c.retries {
			return err
		}
		// Full jitter: a thousand clients of a server that restarts do not
		// come back together.
		pause := time.Duration(mathrand.Float64() * float64(c.pause) * math.Pow(2, float64(attempt)))
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(max(wait, pause)):
		}
	}
}

// once makes one attempt; a negative wait says that another would not help.
func (c *Client) once(ctx context.Context, in call, body []byte, out any) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	res, err := c.send(ctx, in, body)
	if err != nil {
		return 0, fmt.Errorf("client: %s %s: %w", in.method, in.path, err)
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusBadRequest {
		p := refusal(res)
		switch res.StatusCode {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusInternalServerError:
			return time.Duration(p.RetryAfter) * time.Second, p
		}
		return -1, p
	}
	if out == nil {
		return 0, nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return 0, fmt.Errorf("client: %s %s: answer: %w", in.method, in.path, err)
	}
	return 0, nil
}

func (c *Client) send(ctx context.Context, in call, body []byte) (*http.Response, error) {
	u := c.base.JoinPath("/api/v1", in.path)
	u.RawQuery = in.query.Encode()
	req, err := http.NewRequestWithContext(ctx, in.method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if in.key != "" {
		req.Header.Set("Idempotency-Key", in.key)
	}
	if in.version != 0 {
		req.Header.Set("If-Match", strconv.Quote(strconv.FormatInt(in.version, 10)))
	}
	if c.language != "" {
		req.Header.Set("Accept-Language", c.language)
	}
	return c.http.Do(req)
}

// refusal reads a problem; an answer of another form (a proxy's) becomes one.
func refusal(res *http.Response) *wire.Problem {
	p := &wire.Problem{}
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || json.Unmarshal(raw, p) != nil || p.Code == "" {
		p = &wire.Problem{Title: http.StatusText(res.StatusCode), Detail: string(raw[:min(len(raw), 300)]), Code: "internal"}
	}
	p.Status = res.StatusCode
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = n
	}
	return p
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var out T
	err := c.do(ctx, call{method: http.MethodGet, path: path, query: query, again: true}, &out)
	return out, err
}

// all follows the pages of a list.
func all[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := url.Values{}
		maps.Copy(q, query)
		for {
			page, err := get[wire.Page[T]](ctx, c, path, q)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			q.Set("after", page.Next)
		}
	}
}

// Me tells who the token acts for.
func (c *Client) Me(ctx context.Context) (wire.Me, error) { return get[wire.Me](ctx, c, "me", nil) }

// Schools gives the schools that the account knows of.
func (c *Client) Schools(ctx context.Context) iter.Seq2[wire.School, error] {
	return all[wire.School](ctx, c, "schools", nil)
}

// School gives one school.
func (c *Client) School(ctx context.Context, id int64) (wire.School, error) {
	return get[wire.School](ctx, c, "schools/"+number(id), nil)
}

// Rooms gives the rooms of a school.
func (c *Client) Rooms(ctx context.Context, school int64) iter.Seq2[wire.Room, error] {
	return all[wire.Room](ctx, c, "schools/"+number(school)+"/rooms", nil)
}

// Categories gives the tree of incident types, each parent before its children.
func (c *Client) Categories(ctx context.Context) iter.Seq2[wire.Category, error] {
	return all[wire.Category](ctx, c, "categories", nil)
}

// Codes gives the codes of a kind ("cause", "resolution", "waiting"), or all
// for "".
func (c *Client) Codes(ctx context.Context, kind string) iter.Seq2[wire.Code, error] {
	q := url.Values{}
	if kind != "" {
		q.Set("kind", kind)
	}
	return all[wire.Code](ctx, c, "codes", q)
}

// Teams gives the teams.
func (c *Client) Teams(ctx context.Context) iter.Seq2[wire.Team, error] {
	return all[wire.Team](ctx, c, "teams", nil)
}

// Technicians gives the people to whom an incident can be given.
func (c *Client) Technicians(ctx context.Context) iter.Seq2[wire.Technician, error] {
	return all[wire.Technician](ctx, c, "technicians", nil)
}

// Incidents gives one page of incidents. The query's parameters are those of
// the address of the list: see the API's documentation.
func (c *Client) Incidents(ctx context.Context, query url.Values) (wire.IncidentPage, error) {
	return get[wire.IncidentPage](ctx, c, "incidents", query)
}

// AllIncidents gives every incident of a list, page after page.
func (c *Client) AllIncidents(ctx context.Context, query url.Values) iter.Seq2[wire.Incident, error] {
	return all[wire.Incident](ctx, c, "incidents", query)
}

// Incident gives one incident with what may be done to it.
func (c *Client) Incident(ctx context.Context, id int64) (wire.Incident, error) {
	return get[wire.Incident](ctx, c, "incidents/"+number(id), nil)
}

// Declare declares an incident, under a key of its own: an attempt that broke
// is repeated without making a second one.
func (c *Client) Declare(ctx context.Context, in wire.NewIncident) (wire.Incident, error) {
	return c.DeclareOnce(ctx, rand.Text(), in)
}

// DeclareOnce declares an incident under a key that the caller keeps: the same
// key and declaration always give the same incident, even from another process.
func (c *Client) DeclareOnce(ctx context.Context, key string, in wire.NewIncident) (wire.Incident, error) {
	var out wire.Incident
	err := c.do(ctx, call{method: http.MethodPost, path: "incidents", body: in, key: key, again: true}, &out)
	return out, err
}

// Edit changes fields of an incident; version is the one that the change was
// made on.
func (c *Client) Edit(ctx context.Context, id, version int64, in wire.IncidentEdit) (wire.Incident, error) {
	var out wire.Incident
	err := c.do(ctx, call{method: http.MethodPatch, path: "incidents/" + number(id), body: in, version: version}, &out)
	return out, err
}

// Act takes a step in an incident's life; version is the one that it was
// decided on.
func (c *Client) Act(ctx context.Context, id, version int64, in wire.Transition) (wire.Incident, error) {
	var out wire.Incident
	err := c.do(ctx, call{method: http.MethodPost, path: "incidents/" + number(id) + "/transitions", body: in, version: version}, &out)
	return out, err
}

// Comment says something about an incident.
func (c *Client) Comment(ctx context.Context, id int64, in wire.NewComment) (wire.Incident, error) {
	var out wire.Incident
	err := c.do(ctx, call{method: http.MethodPost, path: "incidents/" + number(id) + "/comments", body: in}, &out)
	return out, err
}

// Story tells what happened to an incident, in order.
func (c *Client) Story(ctx context.Context, id int64) (wire.Story, error) {
	return get[wire.Story](ctx, c, "incidents/"+number(id)+"/story", nil)
}

// Search looks for anything: what is typed, and other parameters of the address
// (see the API's documentation).
func (c *Client) Search(ctx context.Context, text string, more url.Values) (wire.Search, error) {
	query := url.Values{"q": {text}}
	maps.Copy(query, more)
	return get[wire.Search](ctx, c, "search", query)
}

// Query asks a question.
func (c *Client) Query(ctx context.Context, in wire.StatsQuery) (wire.StatsResult, error) {
	var out wire.StatsResult
	err := c.do(ctx, call{method: http.MethodPost, path: "stats/query", body: in, again: true}, &out)
	return out, err
}

func number(id int64) string { return strconv.FormatInt(id, 10) }
