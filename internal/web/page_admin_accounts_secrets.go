package web

import (
	"net/http"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
)

func (s *Server) resetPassword(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	typed, err := r.Typed()
	if err != nil {
		return err
	}
	f, err := s.accountForm(r, number)
	if err != nil {
		return err
	}
	password := typed.Get("password")
	fresh := ""
	if password == "" {
		fresh = auth.NewPassword()
		password = fresh
	}
	err = s.deps.Auth.SetPassword(r.Context(), r.Who, number, password)
	if typed.Refused(err) {
		return s.showAccountEdit(r, status(err), number, f, typed, "")
	}
	if err != nil {
		return err
	}
	if number == r.Who.Account { // the new password ended this session too
		who, err := s.deps.Auth.IdentityOf(r.Context(), number)
		if err == nil {
			err = s.deps.Sessions.SignIn(r.Context(), who)
		}
		if err != nil {
			return err
		}
	}
	if fresh != "" {
		return s.showAccountEdit(r, http.StatusOK, number, f, nil, fresh)
	}
	if err := r.Say(Notice{Text: r.T("admin.accounts.password_set")}); err != nil {
		return err
	}
	return r.Redirect(accountsPath + "/" + id(number))
}

// tokenRow is a token as lists show it.
func (r *Request) tokenRow(t auth.Token) tokenRow {
	row := tokenRow{ID: t.ID, Label: t.Label, Made: r.MediumDate(t.CreatedAt), Ends: r.T("web.account.token.for_ever"), Used: r.T("web.account.token.never")}
	if !t.LastUsed.IsZero() {
		row.Used = r.Relative(t.LastUsed, r.Now())
	}
	if !t.ExpiresAt.IsZero() {
		row.Ends = r.MediumDate(t.ExpiresAt)
	}
	row.Revoked = !t.RevokedAt.IsZero() || !t.ExpiresAt.IsZero() && t.ExpiresAt.Before(r.Now())
	return row
}

// tokenOf finds the token of the address among those of the account of the
// address.
func (s *Server) tokenOf(r *Request) (auth.Token, error) {
	number, err := r.pathID()
	if err != nil {
		return auth.Token{}, err
	}
	tokens, err := s.deps.Auth.Tokens(r.Context(), r.Who, number)
	if err != nil {
		return auth.Token{}, err
	}
	i := slices.IndexFunc(tokens, func(t auth.Token) bool { return id(t.ID) == r.PathValue("token") && t.RevokedAt.IsZero() })
	if i < 0 {
		return auth.Token{}, fault.New(fault.NotFound, "error.not_found")
	}
	return tokens[i], nil
}

func (s *Server) confirmRevokeOf(r *Request) error {
	t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	back := accountsPath + "/" + id(t.Account)
	return r.Confirm(Confirm{
		Title: r.T("web.account.token.revoke_title", "label", t.Label), Text: r.T("web.account.token.revoke_text"),
		Verb: r.T("web.account.token.revoke"), Action: r.URL.Path, Cancel: back,
		Crumbs: r.adminCrumbs(Link{Label: r.T("admin.accounts.title"), Href: accountsPath}, Link{Label: r.PathValue("id"), Href: back}),
	})
}

func (s *Server) revokeTokenOf(r *Request) error {
	t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	if err := s.deps.Auth.RevokeToken(r.Context(), r.Who, t.ID); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("web.account.token.revoked")}); err != nil {
		return err
	}
	return r.Redirect(accountsPath + "/" + id(t.Account))
}

// confirmResetFactor asks before an account's second factor goes: it cannot be
// brought back.
func (s *Server) confirmResetFactor(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	a, err := s.deps.Auth.Account(r.Context(), r.Who, number)
	if err != nil {
		return err
	}
	back := accountsPath + "/" + id(number)
	return r.Confirm(Confirm{
		Title: r.T("access.factor.reset_title", "name", a.Name), Text: r.T("access.factor.reset_text"), Verb: r.T("access.factor.reset"), Action: r.URL.Path, Cancel: back,
		Crumbs: r.adminCrumbs(Link{Label: r.T("admin.accounts.title"), Href: accountsPath}, Link{Label: a.Name, Href: back}),
	})
}

func (s *Server) resetFactor(r *Request) error {
	number, err := r.pathID()
	if err != nil {
		return err
	}
	if err := s.deps.Auth.ResetFactor(r.Context(), r.Who, number); err != nil {
		return err
	}
	if err := r.Say(Notice{Text: r.T("access.factor.was_reset")}); err != nil {
		return err
	}
	return r.Redirect(accountsPath + "/" + id(number))
}
