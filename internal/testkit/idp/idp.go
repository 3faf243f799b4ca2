// Package idp starts a real OpenID Connect provider for tests.
package idp

import (
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The client that Start registers.
const (
	ClientID = "statincidents"
	Secret   = "the client's secret"
)

// User is somebody whom the provider knows; Login is also the subject.
type User struct {
	Login, Password, First, Last string
	Groups                       []string
}

// Provider is a running provider.
type Provider struct{ Issuer string }

// Start starts a provider that sends browsers back to one address, and ends it
// with the test.
func Start(t *testing.T, back string, users ...User) *Provider {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	t.Cleanup(server.Close)
	client := storage.WebClient(ClientID, Secret, back)
	store := &store{Storage: storage.NewStorageWithClients(directory(users), map[string]*storage.Client{ClientID: client}), users: users}
	server.Config.Handler = exampleop.SetupServer(server.URL, store, nil, false, op.WithLogger(slog.New(slog.DiscardHandler)), op.WithAllowInsecure())
	return &Provider{Issuer: server.URL}
}

// directory is the users, as the provider's storage asks for them.
type directory []User

func (d directory) GetUserByID(id string) *storage.User { return d.GetUserByUsername(id) }

func (d directory) GetUserByUsername(login string) *storage.User {
	for _, u := range d {
		if u.Login == login {
			return &storage.User{ID: u.Login, Username: u.Login, Password: u.Password, FirstName: u.First, LastName: u.Last, Email: u.Login + "@loiret.test"}
		}
	}
	return nil
}

func (d directory) ExampleClientID() string { return "" }

// store adds the groups to what the provider says of somebody.
type store struct {
	*storage.Storage

	users directory
}

func (s *store) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, token op.IDTokenRequest, scopes []string) error {
	if err := s.Storage.SetUserinfoFromRequest(ctx, info, token, scopes); err != nil {
		return err
	}
	for _, u := range s.users {
		if u.Login == token.GetSubject() {
			info.AppendClaims("groups", u.Groups)
			info.PreferredUsername = u.Login
			info.Name = u.First + " " + u.Last
		}
	}
	return nil
}

var authRequest = regexp.MustCompile(`name="id" value="([^"]+)"`)

// SignIn does what somebody's browser does at the provider's address: it signs
// in there and gives the address to which it is sent back.
func (p *Provider) SignIn(ctx context.Context, address, login, password string) (back *url.URL, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	host := strings.TrimPrefix(p.Issuer, "http://")
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host != host {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := do(ctx, client, http.MethodGet, address, nil)
	if err != nil || back != nil {
		return back, err
	}
	id := authRequest.FindStringSubmatch(page)
	if id == nil {
		return nil, fmt.Errorf("idp: no sign-in form in %q", page)
	}
	page, err = do(ctx, client, http.MethodPost, p.Issuer+"/login/username", url.Values{"id": {html.UnescapeString(id[1])}, "username": {login}, "password": {password}})
	if err == nil && back == nil {
		err = fmt.Errorf("idp: not signed in: %q", page)
	}
	return back, err
}

func do(ctx context.Context, client *http.Client, method, address string, form url.Values) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return string(body), err
}
