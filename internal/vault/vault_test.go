package vault_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"statincidents/internal/vault"
)

func TestSealedTextsOpenUnderTheirNameOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), vault.FileName)
	v, err := vault.Make(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	again, err := vault.Make(path)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		name, text := rapid.String().Draw(t, "name"), rapid.StringN(1, 200, -1).Draw(t, "text")
		sealed, err := v.Seal(name, text)
		if err != nil || !vault.Sealed(sealed) || !v.Current(sealed) || len(text) > 3 && strings.Contains(sealed, text) {
			t.Fatalf("%q: %v", sealed, err)
		}
		if got, err := again.Open(name, sealed); err != nil || got != text {
			t.Fatalf("%q %v", got, err)
		}
		if _, err := v.Open(name+"x", sealed); !errors.Is(err, vault.ErrKey) {
			t.Fatalf("opened under another name: %v", err)
		}
		body := sealed[strings.LastIndexByte(sealed, ':')+1:]
		data, err := base64.RawStdEncoding.DecodeString(body)
		if err != nil {
			t.Fatal(err)
		}
		data[rapid.IntRange(0, len(data)-1).Draw(t, "byte")] ^= 1
		if _, err := v.Open(name, strings.TrimSuffix(sealed, body)+base64.RawStdEncoding.EncodeToString(data)); !errors.Is(err, vault.ErrKey) {
			t.Fatalf("a changed text opened: %v", err)
		}
	})
	sealed, err := v.Seal("a", "mot de passe")
	if err != nil {
		t.Fatal(err)
	}
	turned, err := vault.AddKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := turned.Open("a", sealed); err != nil || got != "mot de passe" || turned.Current(sealed) {
		t.Errorf("after another key: %q %v", got, err)
	}
	if err := vault.DropOld(path); err != nil {
		t.Fatal(err)
	}
	alone, err := vault.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone.Open("a", sealed); !errors.Is(err, vault.ErrKey) {
		t.Errorf("without its key: %v", err)
	}
	var none *vault.Vault
	if got, err := none.Seal("a", "clair"); err != nil || got != "clair" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := none.Open("a", sealed); !errors.Is(err, vault.ErrKey) {
		t.Error(err)
	}
}
