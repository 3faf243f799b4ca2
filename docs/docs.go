// Package docs holds the pages on the statistical methods, so that the program
// shows the very text that its repository keeps.
package docs

import "embed"

// Methods are the pages on the methods, methods/NAME.md, in French.
//
//go:embed methods/*.md
var Methods embed.FS
