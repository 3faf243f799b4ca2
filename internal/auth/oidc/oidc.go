// Package oidc leaves sign-in to an OpenID Connect identity provider
// (authorization code flow with PKCE and nonce).
package oidc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"statincidents/internal/auth"
)

// patience bounds each conversation with the provider.
const patience = 10 * time.Second

// Client speaks to the provider of the settings. What the provider says of
// itself is asked once for each issuer.
type Client struct {
	// Secret gives the client's secret, "" for a public client.
	Secret func(ctx context.Context) (string, error)

	mu       sync.Mutex
	issuer   string
	provider *oidc.Provider
}

// Round is one sign-in on its way: the browser's session keeps it until the
// provider sends the browser back.
type Round struct{ State, Nonce, Verifier string }

// NewRound makes the random values of a sign-in.
func NewRound() Round {
	return Round{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
}

// Begin gives the provider's address to which the browser goes; back is our
// own address to which it returns.
func (c *Client) Begin(ctx context.Context, set auth.OIDC, back string, r Round) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	config, _, err := c.config(ctx, set, back)
	if err != nil {
		return "", err
	}
	return config.AuthCodeURL(r.State, oidc.Nonce(r.Nonce), oauth2.S256ChallengeOption(r.Verifier)), nil
}

// ErrRefused is returned by Finish when what came back is not what was asked:
// another state, another nonce, a code that serves no more.
var ErrRefused = errors.New("oidc: the identity provider's answer is not acceptable")

// Finish exchanges the code that the browser brought back for who it is.
func (c *Client) Finish(ctx context.Context, set auth.OIDC, back string, r Round, state, code string) (auth.Outsider, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if r.State == "" || state != r.State || code == "" {
		return auth.Outsider{}, fmt.Errorf("%w: state", ErrRefused)
	}
	config, provider, err := c.config(ctx, set, back)
	if err != nil {
		return auth.Outsider{}, err
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(r.Verifier))
	if err != nil {
		if answered, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
			return auth.Outsider{}, fmt.Errorf("%w: code: %s", ErrRefused, answered.ErrorCode)
		}
		return auth.Outsider{}, fmt.Errorf("oidc: exchange the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return auth.Outsider{}, fmt.Errorf("%w: no id_token", ErrRefused)
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: set.ClientID}).Verify(ctx, raw)
	if err != nil {
		return auth.Outsider{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if id.Nonce != r.Nonce {
		return auth.Outsider{}, fmt.Errorf("%w: nonce", ErrRefused)
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return auth.Outsider{}, fmt.Errorf("%w: claims: %w", ErrRefused, err)
	}
	missing := func(claim string) bool { _, ok := claims[claim]; return !ok }
	if slices.ContainsFunc([]string{set.Groups, set.Login, "email"}, missing) && provider.UserInfoEndpoint() != "" {
		// Many providers say only there who it is.
		if info, err := provider.UserInfo(ctx, config.TokenSource(ctx, token)); err == nil && info.Subject == id.Subject {
			more := map[string]any{}
			if err := info.Claims(&more); err == nil {
				for k, v := range more {
					if _, there := claims[k]; !there {
						claims[k] = v
					}
				}
			}
		}
	}
	return outsider(set, id.Issuer+" "+id.Subject, claims), nil
}

func outsider(set auth.OIDC, subject string, claims map[string]any) auth.Outsider {
	text := func(name string) string { s, _ := claims[name].(string); return s }
	who := auth.Outsider{Provider: auth.ByOIDC, Subject: subject, Login: text(set.Login), Name: text("name"), Email: text("email")}
	if who.Login == "" {
		who.Login = who.Email
	}
	switch groups := claims[set.Groups].(type) {
	case string:
		who.Groups = []string{groups}
	case []any:
		for _, g := range groups {
			if s, ok := g.(string); ok {
				who.Groups = append(who.Groups, s)
			}
		}
	}
	return who
}

// config asks the provider how it is used, once for each issuer.
func (c *Client) config(ctx context.Context, set auth.OIDC, back string) (*oauth2.Config, *oidc.Provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.provider == nil || c.issuer != set.Issuer {
		// The provider keeps its context for later calls: it must not end with this request.
		client := &http.Client{Timeout: patience}
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), set.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("oidc: ask the identity provider: %w", err)
		}
		c.issuer, c.provider = set.Issuer, found
	}
	secret, err := c.Secret(ctx)
	if err != nil {
		return nil, nil, err
	}
	return &oauth2.Config{
		ClientID: set.ClientID, ClientSecret: secret, Endpoint: c.provider.Endpoint(), RedirectURL: back,
		Scopes: append([]string{oidc.ScopeOpenID}, set.Scopes...),
	}, c.provider, nil
}
