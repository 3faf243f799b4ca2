package web

import (
	"crypto/rand"
	"encoding/hex"
)

// newOnce is a key that makes a form sent twice one command.
func newOnce() string {
	var b [12]byte
	rand.Read(b[:]) // never fails, says its documentation
	return hex.EncodeToString(b[:])
}
