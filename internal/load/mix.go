package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	kindHeader  = "X-Load-Kind" // taken off before the request leaves
	kindDeclare = "api declare"
)

// mix draws the next request of a département's day.
type mix struct {
	base     *url.URL
	token    string
	cookie   string // signed-in session, empty when pages are not visited
	draw     draw
	schools  []string // UAI codes
	ids      sync.Map // recent incidents, slot → number
	count    int
	declared func(id int64, sent time.Time)
	choices  []choice
	weights  int
}

type choice struct {
	weight int
	name   string
	fill   func(t *vegeta.Target)
}

// newMix signs in and looks at what is there, so that the requests are about
// real schools and incidents.
func newMix(ctx context.Context, base *url.URL, cfg Config) (*mix, error) {
	m := &mix{base: base, token: cfg.Token, draw: draw{rng: rand.New(rand.NewPCG(cfg.Seed, 1))}, declared: func(int64, time.Time) {}}
	var schools struct {
		Items []struct {
			UAI string `json:"uai"`
		} `json:"items"`
	}
	if err := m.get(ctx, "/api/v1/schools?limit=500", &schools); err != nil {
		return nil, err
	}
	for _, s := range schools.Items {
		m.schools = append(m.schools, s.UAI)
	}
	if len(m.schools) == 0 {
		return nil, errors.New("load: the server knows no school: import some, or start the demonstration")
	}
	var incidents struct {
		Items []struct {
			ID int64 `json:"id"`
		} `json:"items"`
	}
	if err := m.get(ctx, "/api/v1/incidents?limit=200", &incidents); err != nil {
		return nil, err
	}
	for _, i := range incidents.Items {
		m.ids.Store(m.count, i.ID)
		m.count++
	}
	if cfg.Login != "" {
		if err := m.signIn(ctx, cfg.Login, cfg.Password); err != nil {
			return nil, err
		}
	}
	m.plan()
	return m, nil
}

// plan is the day: mostly looking, some asking, a tenth of it writing.
func (m *mix) plan() {
	dims := []string{"school", "category", "commune", "priority", "weekday", "hour", "month", "team", "origin"}
	m.choices = []choice{
		{15, "api incidents", func(t *vegeta.Target) { t.URL += "/api/v1/incidents?limit=50&sort=-opened" }},
		{10, "api incident", func(t *vegeta.Target) { t.URL += "/api/v1/incidents/" + m.someIncident() }},
		{20, "api statistics", func(t *vegeta.Target) {
			t.Method = http.MethodPost
			t.URL += "/api/v1/stats/query"
			a, b := dims[m.draw.n(len(dims))], dims[m.draw.n(len(dims))]
			by := []string{a}
			if a != b {
				by = append(by, b)
			}
			t.Body = encode(map[string]any{"measures": []string{"count", "resolution_median"}, "by": by, "limit": 20,
				"filters": []map[string]any{{"dim": "priority", "in": []string{strconv.Itoa(2 + m.draw.n(3))}}}})
			t.Header.Set("Content-Type", "application/json")
		}},
		{10, kindDeclare, func(t *vegeta.Target) {
			t.Method = http.MethodPost
			t.URL += "/api/v1/incidents"
			t.Body = encode(map[string]any{"school": m.schools[m.draw.n(len(m.schools))],
				"title": "Essai de charge : le poste ne démarre plus", "description": "Écran noir depuis ce matin.", "impact": 2 + m.draw.n(2), "urgency": 2 + m.draw.n(2)})
			t.Header.Set("Content-Type", "application/json")
		}},
	}
	if m.cookie != "" {
		page := func(weight int, name, path string) choice {
			return choice{weight, "page " + name, func(t *vegeta.Target) { t.URL += path }}
		}
		m.choices = append(m.choices,
			page(15, "overview", "/overview"),
			page(10, "incidents", "/incidents?open=yes"),
			page(5, "explore", "/explore"),
			page(5, "schools", "/schools"),
			choice{10, "page incident", func(t *vegeta.Target) { t.URL += "/incidents/" + m.someIncident() }},
		)
	}
	for _, c := range m.choices {
		m.weights += c.weight
	}
}

// target is vegeta's source of requests.
func (m *mix) target(t *vegeta.Target) error {
	t.Method, t.URL, t.Body, t.Header = http.MethodGet, m.base.String(), nil, http.Header{}
	pick := m.draw.n(m.weights)
	for _, c := range m.choices {
		if pick -= c.weight; pick < 0 {
			t.Header.Set(kindHeader, c.name)
			if strings.HasPrefix(c.name, "page ") {
				t.Header.Set("Cookie", m.cookie)
			} else {
				t.Header.Set("Authorization", "Bearer "+m.token)
			}
			c.fill(t)
			return nil
		}
	}
	return errors.New("load: no request to draw")
}

func (m *mix) someIncident() string {
	if m.count == 0 {
		return "1"
	}
	id, _ := m.ids.Load(m.draw.n(m.count))
	return fmt.Sprint(id)
}

// noteDeclared reads the number of a new incident from the answer.
func (m *mix) noteDeclared(body []byte, sent time.Time) {
	var made struct {
		ID int64 `json:"id"`
	}
	if json.Unmarshal(body, &made) == nil && made.ID != 0 {
		m.declared(made.ID, sent)
	}
}

func (m *mix) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.base.String()+path, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("load: reach the server: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("load: %s: status %d: %.300s", path, resp.StatusCode, body)
	}
	return json.Unmarshal(body, into)
}

// signIn fills in the sign-in page as a browser does and keeps its cookie.
func (m *mix) signIn(ctx context.Context, login, password string) error {
	form := url.Values{"login": {login}, "password": {password}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.base.String()+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("load: sign in: %w", err)
	}
	defer resp.Body.Close()
	var cookies []string
	for _, c := range resp.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	if resp.StatusCode != http.StatusSeeOther || len(cookies) == 0 {
		return fmt.Errorf("load: sign in as %s: refused (status %d)", login, resp.StatusCode)
	}
	m.cookie = strings.Join(cookies, "; ")
	return nil
}

func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil // maps of strings and numbers always encode
	}
	return raw
}
