// Package slapd starts a throw-away OpenLDAP server for tests.
package slapd

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Server is a directory whose only content is what a test adds.
type Server struct {
	URL, Secure string // ldap:// and ldaps://
	CA          string // PEM of the authority of both
	Suffix      string
	Admin       string // may do everything
	Password    string

	t   *testing.T
	cmd *exec.Cmd
}

const config = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile %[1]s/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
disallow bind_anon
database mdb
maxsize 10485760
suffix "dc=loiret,dc=test"
rootdn "cn=admin,dc=loiret,dc=test"
rootpw secret
directory %[1]s/db
overlay memberof
memberof-group-oc groupOfNames
`

// Start starts the server of the machine's package, and ends it with the test.
// Without the package the test is skipped, loudly.
func Start(t *testing.T) *Server {
	t.Helper()
	binary, err := exec.LookPath("slapd")
	if err != nil {
		if binary = "/usr/sbin/slapd"; !exists(binary) {
			t.Skip("*** SKIPPED: slapd is not installed (make test installs it where it may)")
		}
	}
	dir := t.TempDir()
	s := &Server{t: t, Suffix: "dc=loiret,dc=test", Admin: "cn=admin,dc=loiret,dc=test", Password: "secret"}
	s.CA = certificate(t, dir)
	write(t, filepath.Join(dir, "slapd.conf"), fmt.Sprintf(config, dir))
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	plain, secure := port(t), port(t)
	s.URL, s.Secure = "ldap://"+plain, "ldaps://"+secure
	var log bytes.Buffer
	s.cmd = exec.Command(binary, "-f", filepath.Join(dir, "slapd.conf"), "-h", s.URL+" "+s.Secure, "-d", "0")
	s.cmd.Stderr = &log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	for deadline := time.Now().Add(20 * time.Second); ; {
		conn, err := ldap.DialURL(s.URL)
		if err == nil {
			conn.Close() //nolint:errcheck // a probe
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("slapd does not answer: %v\n%s", err, log.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.Add(s.Suffix, map[string][]string{"objectClass": {"dcObject", "organization"}, "dc": {"loiret"}, "o": {"Loiret"}})
	return s
}

// Stop ends the server; a second call does nothing.
func (s *Server) Stop() {
	if s.cmd.Process == nil || s.cmd.ProcessState != nil {
		return
	}
	s.cmd.Process.Kill() //nolint:errcheck // it may just have ended
	s.cmd.Wait()         //nolint:errcheck // killed
}

// Add adds an entry.
func (s *Server) Add(dn string, attributes map[string][]string) {
	s.t.Helper()
	conn, err := ldap.DialURL(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the answer was read
	if err := conn.Bind(s.Admin, s.Password); err != nil {
		s.t.Fatal(err)
	}
	r := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		r.Attribute(name, values)
	}
	if err := conn.Add(r); err != nil {
		s.t.Fatalf("add %s: %v", dn, err)
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// port gives a free address of the loopback.
func port(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // given back at once
	return l.Addr().String()
}

// certificate makes a certificate of 127.0.0.1, its own authority.
func certificate(t *testing.T, dir string) (authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, filepath.Join(dir, "cert.pem"), authority)
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	return authority
}
