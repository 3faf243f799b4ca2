package notify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// postfix is a mail server of Debian's, started on free ports of this machine
// for one test. What it takes is in the folder of each recipient.
type postfix struct {
	dir       string
	starttls  int // port where STARTTLS is required
	wrapped   int // port of TLS from the first byte
	plain     int // port without TLS
	authority string
}

// newPostfix configures a server that is not yet running.
func newPostfix(t *testing.T) *postfix {
	t.Helper()
	if _, err := exec.LookPath("postfix"); err != nil {
		if _, err := os.Stat("/usr/sbin/postfix"); err != nil {
			t.Skip("SKIPPED, NOT TESTED AGAINST A REAL SMTP SERVER: postfix is not installed; run .ci/test-tools")
		}
	}
	if os.Getuid() != 0 {
		t.Skip("SKIPPED, NOT TESTED AGAINST A REAL SMTP SERVER: postfix starts for root only")
	}
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED AGAINST A REAL SMTP SERVER: there is no user postfix")
	}
	// Not under the test's own folder, into which the server's users may not go.
	dir, err := os.MkdirTemp("", "statincidents-postfix")
	if err != nil {
		t.Fatal(err)
	}
	p := &postfix{dir: dir, starttls: freePort(t), wrapped: freePort(t), plain: freePort(t)}
	t.Cleanup(func() { os.RemoveAll(dir) })
	uid := must[int](t)(strconv.Atoi(owner.Uid))
	gid := must[int](t)(strconv.Atoi(owner.Gid))
	for _, sub := range []string{"config", "queue", "data", "mail"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"data", "mail"} {
		if err := os.Chown(filepath.Join(dir, sub), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p.authority = certificates(t, dir)
	// Everybody of the house has a folder; nobody@ is refused.
	var folders strings.Builder
	for _, address := range []string{
		"martin@college-a.example", "durand@college-a.example", "petit@college-a.example", "grand@college-b.example", "tech@departement.example",
		"tech2@departement.example", "chef@departement.example", "essai@departement.example", "incidents@departement.example",
	} {
		who, _, _ := strings.Cut(address, "@")
		fmt.Fprintf(&folders, "%s %s/\n", address, who)
	}
	write(t, dir, "config/map", folders.String())
	write(t, dir, "config/main.cf", fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.test.example
mydestination =
mynetworks = 127.0.0.0/8
relay_domains =
virtual_mailbox_domains = regexp:%[1]s/config/domains
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = texthash:%[1]s/config/map
virtual_minimum_uid = 1
virtual_uid_maps = static:%[2]d
virtual_gid_maps = static:%[3]d
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_reject_unlisted_recipient = yes
smtpd_client_connection_count_limit = 0
smtpd_tls_cert_file = %[1]s/server.pem
smtpd_tls_key_file = %[1]s/server.key
smtpd_tls_security_level = may
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
default_database_type = hash
alias_maps =
`, dir, uid, gid))
	write(t, dir, "config/domains", "/\\.example$/ OK\n")
	write(t, dir, "config/master.cf", fmt.Sprintf(`127.0.0.1:%d inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
127.0.0.1:%d inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:%d inet n - n - - smtpd -o smtpd_tls_security_level=none
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`, p.starttls, p.wrapped, p.plain))
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *postfix) run(ctx context.Context, verb string) ([]byte, error) {
	return exec.CommandContext(ctx, "/usr/sbin/postfix", "-c", filepath.Join(p.dir, "config"), verb).CombinedOutput()
}

// start returns when the server answers.
func (p *postfix) start(t *testing.T) {
	t.Helper()
	if said, err := p.run(t.Context(), "start"); err != nil {
		t.Fatalf("postfix start: %v\n%s", err, said)
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", p.plain))
		if err != nil {
			continue
		}
		c.Close()
		return
	}
	log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	t.Fatalf("postfix does not answer:\n%s", log)
}

// stop ends the server and its children, if it runs.
func (p *postfix) stop(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	defer cancel()
	p.run(ctx, "stop") // it may not run
}

// taken are the messages that arrived for somebody.
func (p *postfix) taken(t *testing.T, who string) []*mail.Message {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(p.dir, "mail", who, "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var list []*mail.Message
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(f)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		m.Body = strings.NewReader(string(body))
		list = append(list, m)
	}
	return list
}

// arrived waits for n messages to somebody.
func (p *postfix) arrived(t *testing.T, who string, n int) []*mail.Message {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		list := p.taken(t, who)
		if len(list) >= n {
			return list
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			t.Fatalf("%d messages for %s, want %d; the server says:\n%s", len(list), who, n, log)
		}
	}
}

func subjectOf(t *testing.T, m *mail.Message) string {
	t.Helper()
	return must[string](t)(new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")))
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// certificates makes an authority and a certificate of 127.0.0.1 signed by it;
// it gives the authority's.
func certificates(t *testing.T, dir string) string {
	t.Helper()
	now := time.Now()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER := must[[]byte](t)(x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key))
	own := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	leafDER := must[[]byte](t)(x509.CreateCertificate(rand.Reader, leaf, root, &own.PublicKey, key))
	write(t, dir, "server.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafDER})))
	private := must[[]byte](t)(x509.MarshalECPrivateKey(own))
	if err := os.WriteFile(filepath.Join(dir, "server.key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}))
}
