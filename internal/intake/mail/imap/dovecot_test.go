package imapin_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	imapin "statincidents/internal/intake/mail/imap"
)

// dovecot is a throw-away server on this machine, with one mailbox.
type dovecot struct {
	t        *testing.T
	dir      string
	uid, gid int
	port     int // of IMAP with STARTTLS
	secure   int // of IMAP over TLS
	roots    *x509.CertPool
	cmd      *exec.Cmd
	done     chan struct{}
	n        atomic.Int64 // messages delivered
}

const password = "un-secret-qui-ne-sort-pas"

// newDovecot starts a server. Capability, if any, replaces what it says that
// it can do.
func newDovecot(t *testing.T, capability string) *dovecot {
	t.Helper()
	if testing.Short() {
		t.Skip("a real server is not for -short")
	}
	if _, err := os.Stat("/usr/lib/dovecot/imap"); err != nil {
		t.Skip("SKIPPED, NOT TESTED WITH A REAL SERVER: dovecot-imapd is not installed; `make test-tools` installs it")
	}
	dir, err := os.MkdirTemp("", "statincidents-dovecot-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &dovecot{t: t, dir: dir, uid: os.Getuid(), gid: os.Getgid(), port: freePort(t), secure: freePort(t)}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	name, group := me.Username, me.Gid
	if d.uid == 0 {
		// Dovecot reads no mail as root.
		nobody, err := user.Lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		name = "nobody"
		d.uid, _ = strconv.Atoi(nobody.Uid)
		d.gid, _ = strconv.Atoi(nobody.Gid)
		group = nobody.Gid
	}
	g, err := user.LookupGroupId(group)
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"", "mail", "mail/box", "mail/box/tmp", "mail/box/new", "mail/box/cur", "home"} {
		path := filepath.Join(dir, sub)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if sub != "" {
			if err := os.Chown(path, d.uid, d.gid); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.certificate()
	conf := fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[2]s
ssl = required
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
auth_mechanisms = plain
mail_location = maildir:%[1]s/mail/%%u
first_valid_uid = 1
mail_max_userip_connections = 50
service imap-login {
  chroot =
  inet_listener imap {
    port = %[4]d
  }
  inet_listener imaps {
    port = %[5]d
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
passdb {
  driver = static
  args = password=%[6]s
}
userdb {
  driver = static
  args = uid=%[7]d gid=%[8]d home=%[1]s/home
}
`, dir, name, g.Name, d.port, d.secure, password, d.uid, d.gid)
	if capability != "" {
		conf += "protocol imap {\n  imap_capability = " + capability + "\n}\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "dovecot.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	d.start()
	t.Cleanup(d.stop)
	return d
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// certificate makes one of the server's own.
func (d *dovecot) certificate() {
	d.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		d.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		d.t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	d.roots = x509.NewCertPool()
	d.roots.AppendCertsFromPEM(cert)
	for name, data := range map[string][]byte{"cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *dovecot) start() {
	d.t.Helper()
	d.cmd = exec.Command("/usr/sbin/dovecot", "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	var said bytes.Buffer
	d.cmd.Stdout, d.cmd.Stderr = &said, &said
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(d.cmd, d.done)
	for range 200 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", d.secure))
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-d.done:
			d.t.Fatalf("dovecot ended: %s", said.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	d.t.Fatal("dovecot does not answer")
}

// stop ends the server that start started, and its children with it.
func (d *dovecot) stop() {
	if d.cmd == nil || d.cmd.Process == nil {
		return
	}
	_ = d.cmd.Process.Signal(os.Interrupt)
	select {
	case <-d.done:
	case <-time.After(10 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
	if d.t.Failed() {
		if log, err := os.ReadFile(filepath.Join(d.dir, "log")); err == nil {
			d.t.Logf("dovecot says:\n%s", log[max(0, len(log)-4000):])
		}
	}
}

// box is how to reach the mailbox.
func (d *dovecot) box() imapin.Box {
	return imapin.Box{
		Address: fmt.Sprintf("127.0.0.1:%d", d.secure), TLS: &tls.Config{ServerName: "localhost", RootCAs: d.roots, MinVersion: tls.VersionTLS12},
		User: "box", Password: password, Folder: "INBOX",
	}
}

// deliver puts a message in the mailbox, as a local delivery does.
func (d *dovecot) deliver(raw string) {
	d.t.Helper()
	name := fmt.Sprintf("%d.%d.test", time.Now().UnixNano(), d.n.Add(1))
	tmp := filepath.Join(d.dir, "mail/box/tmp", name)
	if err := os.WriteFile(tmp, []byte(raw), 0o644); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chown(tmp, d.uid, d.gid); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(d.dir, "mail/box/new", name)); err != nil {
		d.t.Fatal(err)
	}
}

// unseen counts the messages that nobody was told to have read.
func (d *dovecot) unseen() int {
	d.t.Helper()
	n := 0
	for _, sub := range []string{"new", "cur"} {
		files, err := os.ReadDir(filepath.Join(d.dir, "mail/box", sub))
		if err != nil {
			d.t.Fatal(err)
		}
		for _, f := range files {
			_, flags, _ := strings.Cut(f.Name(), ":2,")
			if !strings.Contains(flags, "S") {
				n++
			}
		}
	}
	return n
}

// cutter is a wire between the watcher and the server that breaks after some
// bytes, as often as asked.
type cutter struct {
	net.Listener

	to    string
	after atomic.Int64 // bytes from the server before the wire breaks; 0: never
	cuts  atomic.Int64
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: to}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(t.Context(), in)
		}
	}()
	return c
}

func (c *cutter) carry(ctx context.Context, in net.Conn) {
	defer in.Close()
	out, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.to)
	if err != nil {
		return
	}
	defer out.Close()
	stop := context.AfterFunc(ctx, func() { in.Close(); out.Close() })
	defer stop()
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := in.Read(buf)
			if _, werr := out.Write(buf[:n]); err != nil || werr != nil {
				out.Close()
				return
			}
		}
	}()
	limit := c.after.Load()
	sent := int64(0)
	buf := make([]byte, 8<<10)
	for {
		n, err := out.Read(buf)
		if limit > 0 && sent+int64(n) > limit {
			_, _ = in.Write(buf[:max(0, limit-sent)])
			c.cuts.Add(1)
			return
		}
		sent += int64(n)
		if _, werr := in.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}
