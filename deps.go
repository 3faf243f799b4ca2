//go:build deps

// Package main pins the libraries chosen for rooms that are being built; a
// line goes when its room imports the library.
package main

import (
	_ "codeberg.org/go-pdf/fpdf"
	_ "github.com/boombuler/barcode/qr"
	_ "github.com/coreos/go-oidc/v3/oidc"
	_ "github.com/emersion/go-imap/v2/imapclient"
	_ "github.com/go-ldap/ldap/v3"
	_ "github.com/pquerna/otp/totp"
	_ "golang.org/x/oauth2"
)
