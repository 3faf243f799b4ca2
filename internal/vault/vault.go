// Package vault seals short secrets (passwords, keys) so that who reads the
// database does not read them: AES-256-GCM (NIST SP 800-38D) under a key that
// is kept outside of it, in a file.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrKey says that a secret was sealed under a key that is not here, or was
// tampered with.
var ErrKey = errors.New("vault: the key of this secret is not here")

// Prefix begins every sealed text.
const Prefix = "sealed:1:"

// keySize is AES-256's.
const keySize = 32

// Vault seals under its first key and opens under any. A nil Vault keeps texts
// as they are.
type Vault struct {
	keys []key
}

type key struct {
	id   string
	aead cipher.AEAD
}

// New makes a vault of keys of 32 bytes, the present one first.
func New(keys ...[]byte) (*Vault, error) {
	if len(keys) == 0 {
		return nil, errors.New("vault: no key")
	}
	v := &Vault{}
	for _, k := range keys {
		if len(k) != keySize {
			return nil, fmt.Errorf("vault: a key has %d bytes, not %d", len(k), keySize)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		sum := sha256.Sum256(append([]byte("statincidents key "), k...))
		v.keys = append(v.keys, key{hex.EncodeToString(sum[:4]), aead})
	}
	return v, nil
}

// Sealed tells whether a text is sealed.
func Sealed(text string) bool { return strings.HasPrefix(text, Prefix) }

// Seal seals a text under a name: it opens under no other, so that it cannot be
// moved to where it would say something else. An empty text stays empty.
func (v *Vault) Seal(name, text string) (string, error) {
	if v == nil || text == "" {
		return text, nil
	}
	k := v.keys[0]
	nonce := make([]byte, k.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("vault: %w", err)
	}
	return Prefix + k.id + ":" + base64.RawStdEncoding.EncodeToString(k.aead.Seal(nonce, nonce, []byte(text), []byte(name))), nil
}

// Open gives back what Seal sealed under a name; a text that is not sealed is
// itself. ErrKey when the key is not here.
func (v *Vault) Open(name, text string) (string, error) {
	rest, sealed := strings.CutPrefix(text, Prefix)
	if !sealed {
		return text, nil
	}
	if v == nil {
		return "", ErrKey
	}
	id, body, _ := strings.Cut(rest, ":")
	data, err := base64.RawStdEncoding.DecodeString(body)
	if err != nil {
		return "", ErrKey
	}
	for _, k := range v.keys {
		if k.id != id || len(data) < k.aead.NonceSize() {
			continue
		}
		if plain, err := k.aead.Open(nil, data[:k.aead.NonceSize()], data[k.aead.NonceSize():], []byte(name)); err == nil {
			return string(plain), nil
		}
	}
	return "", ErrKey
}

// Current tells whether a text is sealed under the present key.
func (v *Vault) Current(text string) bool {
	return v == nil && !Sealed(text) || v != nil && strings.HasPrefix(text, Prefix+v.keys[0].id+":")
}

// FileName is the file of the keys in a data folder.
const FileName = "secret.key"

// Load reads a file of keys: one a line in base64, the present one first;
// fs.ErrNotExist when there is no file.
func Load(path string) (*Vault, error) {
	keys, err := read(path)
	if err != nil {
		return nil, err
	}
	return New(keys...)
}

func read(path string) ([][]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	var keys [][]byte
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("vault: %s is no file of keys: %w", path, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Make reads a file of keys, and writes one with a new key first if there is
// none.
func Make(path string) (*Vault, error) {
	v, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	if err := write(path, nil); err != nil {
		return nil, err
	}
	return Load(path)
}

// AddKey puts a new key before the others in a file: what is sealed from now on
// is sealed under it, what was still opens.
func AddKey(path string) (*Vault, error) {
	keys, err := read(path)
	if err != nil {
		return nil, err
	}
	if err := write(path, keys); err != nil {
		return nil, err
	}
	return Load(path)
}

// DropOld leaves in a file its present key only: when nothing is sealed under
// the others any more.
func DropOld(path string) error {
	keys, err := read(path)
	if err != nil || len(keys) < 2 {
		return err
	}
	return replace(path, keys[:1])
}

const header = "# The key of the secrets of Stat Incidents. Keep a copy apart from the backups; show it to nobody.\n"

func write(path string, old [][]byte) error {
	fresh := make([]byte, keySize)
	if _, err := rand.Read(fresh); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return replace(path, append([][]byte{fresh}, old...))
}

// replace writes a file of keys whole beside, then puts it in place.
func replace(path string, keys [][]byte) error {
	var b strings.Builder
	b.WriteString(header)
	for _, k := range keys {
		b.WriteString(base64.StdEncoding.EncodeToString(k) + "\n")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // 0600
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	_, err = f.WriteString(b.String())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("vault: write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
