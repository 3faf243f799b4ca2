package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed all:static
var static embed.FS

// built are the assets of this program. They are embedded, hence the same for
// every server of the process; in a clone where `make ui` has not run there
// are none, which is what missing says.
var built = func() *assets {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic("web: " + err.Error()) // the folder is embedded by the line above
	}
	a, err := loadAssets(files)
	if err != nil {
		return &assets{missing: err}
	}
	return a
}()

// assets are the files that ui/build.sh made, held in memory. Their names hold
// a hash of their content, so a browser may keep them for ever.
type assets struct {
	names map[string]string // "app.css" → "app-1A2B.css"
	icons map[string]bool
	body  map[string][]byte // by hashed name

	missing error
}

func loadAssets(files fs.FS) (*assets, error) {
	data, err := fs.ReadFile(files, "manifest.json")
	if err != nil {
		return nil, err
	}
	var m struct {
		Files map[string]string `json:"files"`
		Icons []string          `json:"icons"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	a := &assets{names: m.Files, icons: map[string]bool{}, body: map[string][]byte{}}
	for _, name := range m.Icons {
		a.icons[name] = true
	}
	for _, hashed := range m.Files {
		if a.body[hashed], err = fs.ReadFile(files, hashed); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"app.css", "app.js", "icons.svg", "mark.svg"} {
		if a.names[name] == "" {
			return nil, fmt.Errorf("manifest.json: no %s", name)
		}
	}
	return a, nil
}

// path is the address of an asset by its plain name.
func (a *assets) path(name string) (string, error) {
	hashed, ok := a.names[name]
	if !ok && a.missing == nil {
		return "", fmt.Errorf("no asset %q", name)
	}
	return "/static/" + hashed, nil
}

// fonts are the addresses of the fonts that every page needs at once.
func (a *assets) fonts() []string {
	var fonts []string
	for name, hashed := range a.names {
		if strings.HasSuffix(name, ".woff2") && !strings.Contains(name, "latin-ext") {
			fonts = append(fonts, "/static/"+hashed)
		}
	}
	slices.Sort(fonts)
	return fonts
}

var iconName = regexp.MustCompile(`^[a-z0-9-]+$`)

// icon draws an icon of the sprite. It says nothing to a screen reader: a name
// always stands beside it. A name that is not in ui/icons.txt is an error.
func (a *assets) icon(name string) (template.HTML, error) {
	if !iconName.MatchString(name) || a.missing == nil && !a.icons[name] {
		return "", fmt.Errorf("no icon %q: add its lucide name to ui/icons.txt", name)
	}
	return template.HTML(`<svg class="icon" aria-hidden="true" focusable="false"><use href="/static/` + a.names["icons.svg"] + `#` + name + `"></use></svg>`), nil //nolint:gosec // the name is checked above
}

// HasIcon tells whether the sprite holds an icon, for names that are data
// (categories). Before the interface is built every name passes.
func HasIcon(name string) bool {
	return iconName.MatchString(name) && (built.missing != nil || built.icons[name])
}

// ServeHTTP serves /static/NAME.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	body, ok := a.body[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", `"`+name+`"`)
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		h.Set("Content-Type", t)
	}
	switch path.Ext(name) {
	case ".woff2":
		h.Set("Content-Type", "font/woff2")
	case ".js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}
