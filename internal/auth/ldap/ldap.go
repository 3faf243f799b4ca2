// Package ldap asks an LDAP directory (OpenLDAP, Active Directory) whether a
// password is somebody's, and which groups they are in.
package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"statincidents/internal/auth"
)

// patience bounds the connection and each question.
const patience = 6 * time.Second

// maxGroups bounds the groups read of one person.
const maxGroups = 1000

// Directory asks a directory as the settings of each call say.
type Directory struct {
	// Password gives that of the account which searches.
	Password func(ctx context.Context) (string, error)
}

// Vouch is an auth.Voucher: it finds the login with the searching account,
// then binds as who was found. A login that finds several people is nobody's.
func (d Directory) Vouch(ctx context.Context, set auth.LDAP, login, password string) (who auth.Outsider, found bool, err error) {
	if password == "" {
		return auth.Outsider{}, false, nil // a directory takes a bind without password for anonymous, and says yes
	}
	conn, err := d.dial(ctx, set)
	if err != nil {
		return auth.Outsider{}, false, err
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	if err := d.bind(ctx, conn, set); err != nil {
		return auth.Outsider{}, false, err
	}
	entry, err := search(conn, set, login)
	if err != nil || entry == nil {
		return auth.Outsider{}, false, err
	}
	groups, err := groupsOf(conn, set, entry)
	if err != nil {
		return auth.Outsider{}, false, err
	}
	if err := conn.Bind(entry.DN, password); err != nil {
		if ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation) {
			return auth.Outsider{}, false, nil
		}
		return auth.Outsider{}, false, fmt.Errorf("ldap: bind as who signs in: %w", err)
	}
	return auth.Outsider{
		Provider: auth.ByLDAP, Subject: keyOf(entry, set.Key), Login: login,
		Name: entry.GetAttributeValue(set.Name), Email: entry.GetAttributeValue(set.Mail), Groups: groups,
	}, true, nil
}

// Check tries the settings: it connects, binds and searches. With a login it
// also tells who that is and in which groups.
func (d Directory) Check(ctx context.Context, set auth.LDAP, login string) (who auth.Outsider, found bool, err error) {
	conn, err := d.dial(ctx, set)
	if err != nil {
		return auth.Outsider{}, false, err
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	if err := d.bind(ctx, conn, set); err != nil {
		return auth.Outsider{}, false, err
	}
	entry, err := search(conn, set, login)
	if err != nil || entry == nil {
		return auth.Outsider{}, false, err
	}
	groups, err := groupsOf(conn, set, entry)
	return auth.Outsider{
		Provider: auth.ByLDAP, Subject: keyOf(entry, set.Key), Login: login,
		Name: entry.GetAttributeValue(set.Name), Email: entry.GetAttributeValue(set.Mail), Groups: groups,
	}, true, err
}

func (d Directory) dial(ctx context.Context, set auth.LDAP) (*ldap.Conn, error) {
	u, err := url.Parse(set.URL)
	if err != nil {
		return nil, fmt.Errorf("ldap: address: %w", err)
	}
	secure := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if set.CA != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(set.CA)) {
			return nil, errors.New("ldap: the authority's certificate cannot be read: it must be in PEM form")
		}
		secure.RootCAs = pool
	}
	wait := patience
	if end, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(end))
	}
	conn, err := ldap.DialURL(set.URL, ldap.DialWithDialer(&net.Dialer{Timeout: wait}), ldap.DialWithTLSConfig(secure))
	if err != nil {
		return nil, fmt.Errorf("ldap: connect: %w", err)
	}
	conn.SetTimeout(patience)
	if set.StartTLS && u.Scheme == "ldap" {
		if err := conn.StartTLS(secure); err != nil {
			return nil, errors.Join(fmt.Errorf("ldap: encrypt the connection: %w", err), conn.Close())
		}
	}
	return conn, nil
}

// bind signs in the account that searches; without one the search is anonymous.
func (d Directory) bind(ctx context.Context, conn *ldap.Conn, set auth.LDAP) error {
	if set.BindDN == "" {
		return nil
	}
	password, err := d.Password(ctx)
	if err != nil {
		return err
	}
	if password == "" {
		return errors.New("ldap: the searching account has no password")
	}
	if err := conn.Bind(set.BindDN, password); err != nil {
		return fmt.Errorf("ldap: bind as the searching account: %w", err)
	}
	return nil
}

// search finds the one entry of a login; nil if there is none, or several.
func search(conn *ldap.Conn, set auth.LDAP, login string) (*ldap.Entry, error) {
	if login == "" {
		login = "\x00" // finds nobody, and shows that the search is allowed
	}
	attributes := []string{set.Name, set.Mail, set.Key}
	if set.Groups != "" {
		attributes = append(attributes, set.Groups)
	}
	filter := strings.Replace(set.Filter, "%s", ldap.EscapeFilter(login), 1)
	found, err := conn.Search(ldap.NewSearchRequest(set.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, int(patience.Seconds()), false, filter, attributes, nil))
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return nil, nil // several: nobody's
	}
	if err != nil {
		return nil, fmt.Errorf("ldap: search %s below %s: %w", set.Filter, set.BaseDN, err)
	}
	if len(found.Entries) != 1 {
		return nil, nil
	}
	return found.Entries[0], nil
}

// groupsOf gives the groups, by their distinguished names.
func groupsOf(conn *ldap.Conn, set auth.LDAP, entry *ldap.Entry) ([]string, error) {
	var groups []string
	if set.Groups != "" {
		groups = entry.GetEqualFoldAttributeValues(set.Groups)
	}
	if set.Members != "" {
		filter := strings.Replace(set.Members, "%s", ldap.EscapeFilter(entry.DN), 1)
		found, err := conn.Search(ldap.NewSearchRequest(set.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, maxGroups, int(patience.Seconds()), false, filter, []string{"cn"}, nil))
		if err != nil {
			return nil, fmt.Errorf("ldap: search the groups: %w", err)
		}
		for _, g := range found.Entries {
			groups = append(groups, g.DN)
		}
	}
	if len(groups) > maxGroups {
		groups = groups[:maxGroups]
	}
	return groups, nil
}

// keyOf is what names the entry for ever; Active Directory's objectGUID is
// bytes. Without the attribute it is the distinguished name.
func keyOf(entry *ldap.Entry, attribute string) string {
	raw := entry.GetRawAttributeValue(attribute)
	if len(raw) == 0 {
		return strings.ToLower(entry.DN)
	}
	if strings.EqualFold(attribute, "objectGUID") || !utf8.Valid(raw) {
		return hex.EncodeToString(raw)
	}
	return string(raw)
}
