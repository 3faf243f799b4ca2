//go:build deps

// Package main pins the libraries chosen for rooms that are being built; a
// line goes when its room imports the library.
package main

import (
)
