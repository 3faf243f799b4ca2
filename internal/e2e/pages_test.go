package e2e

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"statincidents/internal/auth"
)

// screens keeps the pictures of every page: go test ./internal/e2e -run Screens -screens DIR.
var screens = flag.String("screens", "", "folder in which to keep a picture of every page at every size and theme")

// pages are opened by TestScreens at every size and theme. A new page adds its
// line here.
var pages = []struct {
	name string
	path string
	role auth.Role // who looks; "" is a stranger
}{
	{"login", "/login", ""},
	{"account", "/account", auth.Lead},
	{"account-declarant", "/account", auth.Declarant},
	{"menu", "/menu", auth.Technician},
	{"search", "/search?q=guide", auth.Lead},
	{"search-none", "/search?q=zzzz", auth.Lead},
	{"not-found", "/nowhere", auth.Technician},
	{"styleguide", "/styleguide?state=open&school=1", auth.Administrator},
	{"admin", "/admin", auth.Administrator},
	{"admin-accounts", "/admin/accounts", auth.Administrator},
	{"admin-account-new", "/admin/accounts/new", auth.Administrator},
	{"admin-account", "/admin/accounts/5", auth.Administrator},
	{"admin-catalog", "/admin/catalog", auth.Lead},
	{"admin-catalog-matrix", "/admin/catalog?tab=matrix", auth.Lead},
	{"admin-category-new", "/admin/catalog/category/new", auth.Lead},
	{"confirm", "/styleguide/confirm", auth.Administrator},
	{"forbidden", "/styleguide/fault/forbidden", auth.Referent},
	{"schools", "/schools", auth.Lead},
	{"schools-none", "/schools?q=zzzz", auth.Lead},
	{"wall", "/wall", auth.Lead},
	{"wall-mine", "/wall?boards=latest,types", auth.Referent},
	{"schools-mine", "/schools", auth.Referent},
}

var sizes = []struct{ width, height int64 }{{390, 844}, {1366, 768}, {1920, 1080}}

func TestScreens(t *testing.T) {
	site, browser := Start(t), Open(t)
	tabs := map[auth.Role]*Tab{}
	for _, p := range pages {
		tab := tabs[p.role]
		if tab == nil {
			tab = site.SignIn(t, browser, p.role)
			tab.Expect("404")
			tab.Expect("403")
			tabs[p.role] = tab
		}
		for _, size := range sizes {
			tab.Size(size.width, size.height)
			tab.Go(p.path)
			for _, theme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s/%d/%s", p.name, size.width, theme), func(t *testing.T) {
					outer := tab.t
					tab.t = t
					defer func() { tab.t = outer }()
					tab.Theme(theme)
					tab.look(size.width)
					tab.keep(fmt.Sprintf("%s-%d-%s", p.name, size.width, theme))
				})
			}
		}
	}
}

// keep keeps a picture of the page if pictures are wanted.
func (tab *Tab) keep(name string) {
	tab.t.Helper()
	if *screens != "" {
		tab.Screenshot(filepath.Join(*screens, name+".png"))
	}
}

// look checks what holds for every page: nothing that axe objects to, no
// sideways scrolling, targets that a finger can hit on a phone.
func (tab *Tab) look(width int64) {
	tab.t.Helper()
	tab.Axe()
	wide := Eval[string](tab, `document.documentElement.scrollWidth > innerWidth
		? [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".table-frame, .chart-body, .tabs")).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join("\n") || "?" : ""`)
	if wide != "" {
		tab.t.Errorf("the page scrolls sideways at %d px:\n%s", width, wide)
	}
	if width >= 640 {
		return
	}
	small := Eval[[]string](tab, `[...document.querySelectorAll(".btn, .input, .select, .choice, .chip, .bottombar a, .topbar a, .tabs a")]
		.filter(e => e.checkVisibility() && !e.closest(".vh, dialog") && e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 120))`)
	if len(small) > 0 {
		tab.t.Errorf("smaller than 44 px under a finger:\n%s", strings.Join(small, "\n"))
	}
}
