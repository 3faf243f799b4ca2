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
// line here. The demonstration has schools, people and incidents; without it
// there is one school and nothing has happened.
var pages = []struct {
	name string
	path string
	role auth.Role // who looks; "" is a stranger
	demo bool
	open string // what is opened first: a selector of details
}{
	{name: "login", path: "/login"},
	{name: "account", path: "/account", role: auth.Lead},
	{name: "account-declarant", path: "/account", role: auth.Declarant},
	{name: "menu", path: "/menu", role: auth.Technician},
	{name: "search", path: "/search?q=compte", role: auth.Lead},
	{name: "search-demo", path: "/search?q=ecran", role: auth.Technician, demo: true},
	{name: "search-incidents", path: "/search?q=salle&kind=incident", role: auth.Referent, demo: true},
	{name: "search-empty", path: "/search", role: auth.Declarant},
	{name: "search-none", path: "/search?q=zzzz", role: auth.Lead},
	{name: "not-found", path: "/nowhere", role: auth.Technician},
	{name: "styleguide", path: "/styleguide?state=open&school=1", role: auth.Administrator},
	{name: "confirm", path: "/styleguide/confirm", role: auth.Administrator},
	{name: "forbidden", path: "/styleguide/fault/forbidden", role: auth.Referent},

	{name: "overview", path: "/overview?period=12m", role: auth.Lead, demo: true},
	{name: "overview-referent", path: "/overview?period=12m", role: auth.Referent, demo: true, open: ".chart-foot details"},
	{name: "overview-empty", path: "/overview", role: auth.Lead},
	{name: "explore", path: "/explore?period=12m", role: auth.Lead, demo: true},
	{name: "explore-time", path: "/explore?by=month&by=category&period=12m&category=1&category=2", role: auth.Lead, demo: true},
	{name: "explore-cross", path: "/explore?by=category&by=priority&period=12m", role: auth.Lead, demo: true},
	{name: "explore-three", path: "/explore?measure=resolution_median&by=category&by=priority&by=open&period=12m", role: auth.Lead, demo: true},
	{name: "explore-one", path: "/explore?measure=reopened_share&by=none&period=12m", role: auth.Lead, demo: true},
	{name: "explore-empty", path: "/explore", role: auth.Lead},
	{name: "bench", path: "/signals/bench", role: auth.Lead, demo: true, open: "details"},
	{name: "bench-refused", path: "/signals/bench", role: auth.Lead},
	{name: "signals", path: "/signals", role: auth.Lead, demo: true, open: ".signal-parts"},
	{name: "signals-history", path: "/signals?view=history", role: auth.Lead, demo: true},
	{name: "signals-referent", path: "/signals", role: auth.Referent, demo: true},
	{name: "signals-follow", path: "/signals/follow", role: auth.Lead, demo: true},
	{name: "signal", path: "/signals/1", role: auth.Lead, demo: true},
	{name: "signals-soon", path: "/signals", role: auth.Lead},
	{name: "analyses", path: "/analyses", role: auth.Lead, demo: true},
	{name: "rates", path: "/rates", role: auth.Lead, demo: true, open: ".method-note"},
	{name: "rates-referent", path: "/rates?period=school-year", role: auth.Referent, demo: true},
	{name: "effect", path: "/before-after?day=2026-02-03&changed=1&changed=2&changed=3&changed=4&changed=5&changed=6", role: auth.Lead, demo: true, open: "details"},
	{name: "effect-ask", path: "/before-after", role: auth.Lead, demo: true},
	{name: "compare", path: "/schools/compare?period=12m", role: auth.Lead, demo: true},
	{name: "compare-referent", path: "/schools/compare?period=12m", role: auth.Referent, demo: true},
	{name: "renewal", path: "/renewal", role: auth.Lead, demo: true},
	{name: "renewal-machines", path: "/renewal/machines", role: auth.Lead, demo: true},
	{name: "times", path: "/times?period=12m&by=team", role: auth.Lead, demo: true},
	{name: "times-referent", path: "/times?period=12m&hours=clock", role: auth.Referent, demo: true},
	{name: "times-refused", path: "/times?period=7d&q=zzzz", role: auth.Referent, demo: true},
	{name: "times-risk", path: "/times/risk", role: auth.Technician, demo: true},
	{name: "compare-refused", path: "/schools/compare?period=7d", role: auth.Lead, demo: true},
	{name: "forecast", path: "/forecast", role: auth.Lead, demo: true},
	{name: "forecast-waiting", path: "/forecast", role: auth.Lead},
	{name: "zones", path: "/zones", role: auth.Lead, demo: true},
	{name: "zones-referent", path: "/zones", role: auth.Referent, demo: true},
	{name: "zones-waiting", path: "/zones", role: auth.Lead},
	{name: "common", path: "/common?period=90d&category=1", role: auth.Lead, demo: true},
	{name: "recurrence", path: "/recurrence", role: auth.Lead, demo: true},
	{name: "recurrence-referent", path: "/recurrence?within=60", role: auth.Referent, demo: true},
	{name: "method", path: "/methods/comparer-les-colleges", role: auth.Lead},
	{name: "incidents", path: "/incidents?open=yes", role: auth.Technician, demo: true, open: "details.menu"},
	{name: "incidents-declarant", path: "/incidents?period=all", role: auth.Declarant, demo: true},
	{name: "incidents-empty", path: "/incidents?open=yes", role: auth.Technician},
	{name: "incident", path: "/incidents/{open}", role: auth.Technician, demo: true, open: ".incident-action"},
	{name: "incident-resolved", path: "/incidents/{resolved}", role: auth.Lead, demo: true},
	{name: "incident-declarant", path: "/incidents/{own}", role: auth.Declarant, demo: true},
	{name: "stock", path: "/stock", role: auth.Technician, demo: true},
	{name: "stock-empty", path: "/stock", role: auth.Technician},
	{name: "stock-item", path: "/stock/items/1", role: auth.Technician, demo: true, open: ".incident-action"},
	{name: "stock-item-new", path: "/stock/items/new", role: auth.Technician},
	{name: "stock-movements", path: "/stock/movements", role: auth.Technician, demo: true},
	{name: "stock-consumption", path: "/stock/consumption", role: auth.Lead, demo: true},
	{name: "stock-places", path: "/stock/places", role: auth.Technician, demo: true},
	{name: "stock-place", path: "/stock/places/1", role: auth.Technician, demo: true},
	{name: "stock-count", path: "/stock/places/1/count", role: auth.Technician, demo: true},
	{name: "stock-import", path: "/stock/import", role: auth.Technician},
	{name: "stock-receive", path: "/stock/receive", role: auth.Technician, demo: true},
	{name: "incident-parts", path: "/incidents/{open}/parts", role: auth.Technician, demo: true},
	{name: "incident-edit", path: "/incidents/{open}/edit", role: auth.Technician, demo: true},
	{name: "incident-links", path: "/incidents/{open}", role: auth.Technician, demo: true, open: ".fold"},
	{name: "incident-split", path: "/incidents/{open}/split", role: auth.Technician, demo: true},
	{name: "incidents-bulk", path: "/incidents/bulk?ids={open}&ids={resolved}&action=resolve", role: auth.Technician, demo: true},
	{name: "problems", path: "/problems", role: auth.Technician, demo: true},
	{name: "problems-empty", path: "/problems", role: auth.Technician},
	{name: "problem-new", path: "/problems/new?incident={open}", role: auth.Technician, demo: true},
	{name: "presets-empty", path: "/presets", role: auth.Technician},
	{name: "preset-macro", path: "/presets/new?action=resolve", role: auth.Lead, demo: true},
	{name: "preset-template", path: "/presets/new?kind=template", role: auth.Technician, demo: true},
	{name: "mentions", path: "/mentions", role: auth.Technician, demo: true},
	{name: "incident-solutions", path: "/incidents/{open}", role: auth.Technician, demo: true, open: ".solution-more"},
	{name: "knowledge", path: "/knowledge", role: auth.Technician, demo: true},
	{name: "knowledge-empty", path: "/knowledge", role: auth.Technician},
	{name: "knowledge-declarant", path: "/knowledge", role: auth.Declarant, demo: true},
	{name: "article", path: "/knowledge/1", role: auth.Technician, demo: true},
	{name: "article-declarant", path: "/knowledge/1", role: auth.Declarant, demo: true},
	{name: "article-new", path: "/knowledge/new?incident={resolved}", role: auth.Technician, demo: true},
	{name: "incident-lost", path: "/incidents/99999999", role: auth.Technician, demo: true},
	{name: "declare", path: "/declare", role: auth.Lead, demo: true, open: ".declare-more"},
	{name: "declare-declarant", path: "/declare", role: auth.Declarant},
	{name: "declare-demo", path: "/declare", role: auth.Declarant, demo: true, open: ".declare-others"},
	{name: "phone", path: "/phone?caller=school:1", role: auth.Technician, demo: true},
	{name: "labels", path: "/labels?school=1", role: auth.Lead, demo: true},
	{name: "labels-referent", path: "/labels", role: auth.Referent},
	{name: "labels-code", path: "/labels?tab=code&school=1", role: auth.Lead, demo: true},
	{name: "labels-waiting", path: "/labels?tab=waiting", role: auth.Lead},
	{name: "declared", path: "/declare/{own}", role: auth.Declarant, demo: true},

	{name: "visits", path: "/visits", role: auth.Technician, demo: true},
	{name: "visits-school", path: "/visits?view=school", role: auth.Lead, demo: true},
	{name: "visits-list", path: "/visits?view=list", role: auth.Lead, demo: true},
	{name: "visits-referent", path: "/visits", role: auth.Referent, demo: true},
	{name: "visits-empty", path: "/visits", role: auth.Referent},
	{name: "visit", path: "/visits/1", role: auth.Technician, demo: true},
	{name: "visit-new", path: "/visits/new", role: auth.Technician},
	{name: "visit-plan", path: "/visits/new?incident={open}", role: auth.Technician, demo: true},
	{name: "visit-edit", path: "/visits/2/edit", role: auth.Technician, demo: true},
	{name: "visit-day", path: "/visits/day", role: auth.Technician, demo: true},
	{name: "visit-day-none", path: "/visits/day", role: auth.Technician},
	{name: "visit-feed", path: "/visits/feed", role: auth.Technician},
	{name: "checklist", path: "/checklists/1", role: auth.Technician, demo: true},
	{name: "checklists", path: "/checklists?view=school&period=12m", role: auth.Lead, demo: true},
	{name: "checklists-empty", path: "/checklists", role: auth.Lead},
	{name: "admin-checklists", path: "/admin/checklists", role: auth.Lead, demo: true},
	{name: "admin-checklist", path: "/admin/checklists/1", role: auth.Lead, demo: true},
	{name: "time", path: "/time/1", role: auth.Technician, demo: true},
	{name: "admin", path: "/admin", role: auth.Administrator},
	{name: "admin-accounts", path: "/admin/accounts", role: auth.Administrator, demo: true},
	{name: "admin-account-new", path: "/admin/accounts/new", role: auth.Administrator},
	{name: "admin-account", path: "/admin/accounts/5", role: auth.Administrator},
	{name: "admin-catalog", path: "/admin/catalog", role: auth.Lead, demo: true},
	{name: "admin-catalog-empty", path: "/admin/catalog?tab=cause", role: auth.Lead},
	{name: "admin-catalog-matrix", path: "/admin/catalog?tab=matrix", role: auth.Lead},
	{name: "admin-portal", path: "/admin/portal", role: auth.Lead, demo: true},
	{name: "admin-portal-default", path: "/admin/portal", role: auth.Lead},
	{name: "admin-portal-edit", path: "/admin/portal/1", role: auth.Lead, demo: true},
	{name: "admin-category-new", path: "/admin/catalog/category/new", role: auth.Lead},
	{name: "admin-calendar", path: "/admin/calendar", role: auth.Lead, demo: true},
	{name: "admin-calendar-hours", path: "/admin/calendar?tab=hours", role: auth.Lead, demo: true},
	{name: "admin-calendar-holidays", path: "/admin/calendar?tab=holidays", role: auth.Lead, demo: true},
	{name: "admin-calendar-closures", path: "/admin/calendar?tab=closures", role: auth.Lead},
	{name: "admin-calendar-count", path: "/admin/calendar?tab=count&from=2026-10-12T08:00&to=2026-11-03T18:00", role: auth.Lead, demo: true},
	{name: "admin-calendar-import", path: "/admin/calendar/import", role: auth.Lead},
	{name: "admin-service", path: "/admin/service", role: auth.Lead, demo: true},
	{name: "admin-service-whatif", path: "/admin/service?tab=whatif&days=90", role: auth.Lead, demo: true},
	{name: "admin-service-watch", path: "/admin/service?tab=watch", role: auth.Lead},
	{name: "admin-mail", path: "/admin/mail", role: auth.Administrator},
	{name: "admin-mail-messages", path: "/admin/mail?tab=messages", role: auth.Administrator},
	{name: "admin-mail-words", path: "/admin/mail?tab=words", role: auth.Administrator},
	{name: "admin-mail-word", path: "/admin/mail/words/resolved", role: auth.Administrator},
	{name: "admin-mail-defaults", path: "/admin/mail?tab=defaults", role: auth.Administrator},
	{name: "admin-mail-bounces", path: "/admin/mail?tab=bounces", role: auth.Administrator},
	{name: "admin-jobs", path: "/admin/jobs", role: auth.Administrator},
	{name: "admin-privacy", path: "/admin/privacy?q=martin", role: auth.Administrator},
	{name: "admin-retention", path: "/admin/privacy/retention", role: auth.Administrator},
	{name: "admin-old", path: "/admin/privacy/old?old_people=400&old_words=1095", role: auth.Administrator},
	{name: "admin-erasures", path: "/admin/privacy/erasures", role: auth.Administrator},
	{name: "own-data", path: "/account/data", role: auth.Declarant},
	{name: "account-messages", path: "/account/messages", role: auth.Technician, demo: true},
	{name: "account-messages-referent", path: "/account/messages", role: auth.Referent, demo: true},
	{name: "outbox", path: "/outbox", role: auth.Technician, demo: true},
	{name: "admin-routing", path: "/admin/routing", role: auth.Lead},
	{name: "admin-routing-new", path: "/admin/routing/new", role: auth.Lead, demo: true},
	{name: "admin-settings", path: "/admin/settings", role: auth.Lead},
	{name: "admin-roles", path: "/admin/roles", role: auth.Lead},
	{name: "admin-security", path: "/admin/security", role: auth.Administrator},
	{name: "account-factor", path: "/account/factor", role: auth.Technician},
	{name: "admin-imports", path: "/admin/imports", role: auth.Lead},

	{name: "mail", path: "/mail", role: auth.Technician, demo: true},
	{name: "mail-message", path: "/mail/1", role: auth.Technician, demo: true, open: ".mail-fold"},
	{name: "mail-log", path: "/mail?view=all", role: auth.Lead, demo: true},
	{name: "mail-empty", path: "/mail", role: auth.Lead},
	{name: "mail-senders", path: "/mail/senders", role: auth.Lead},

	{name: "schools", path: "/schools", role: auth.Lead, demo: true},
	{name: "schools-none", path: "/schools?q=zzzz", role: auth.Lead, demo: true},
	{name: "schools-quiet", path: "/schools", role: auth.Lead}, // one school, of a long name, where nothing happened
	{name: "schools-directory", path: "/admin/directory", role: auth.Lead, demo: true},
	{name: "schools-directory-edit", path: "/admin/directory/schools/1", role: auth.Lead, demo: true},
	{name: "schools-directory-new", path: "/admin/directory/schools/1", role: auth.Lead},
	{name: "schools-directory-people", path: "/admin/directory/people", role: auth.Lead, demo: true},
	{name: "schools-directory-support", path: "/admin/directory/support", role: auth.Lead, demo: true},
	{name: "schools-directory-support-edit", path: "/admin/directory/support/1", role: auth.Lead, demo: true},
	{name: "schools-directory-import", path: "/admin/directory/import", role: auth.Lead},
	{name: "schools-mine", path: "/schools", role: auth.Referent, demo: true},
	{name: "wall", path: "/wall", role: auth.Lead, demo: true},
	{name: "wall-mine", path: "/wall?boards=latest,types", role: auth.Referent, demo: true},
}

var sizes = []struct{ width, height int64 }{{390, 844}, {1366, 768}, {1920, 1080}}

func TestScreens(t *testing.T) {
	t.Parallel()
	bare, full, browser := Start(t), Demo(t), Open(t)
	fill := full.examples(t)
	tabs := map[string]*Tab{}
	for _, p := range pages {
		site := bare
		if p.demo {
			site = full
		}
		key := fmt.Sprint(p.role, p.demo)
		tab := tabs[key]
		first := tab == nil // the role's bars of a phone are seen in their colours once
		if first {
			tab = site.SignIn(t, browser, p.role)
			tab.Expect("404")
			tab.Expect("403")
			tabs[key] = tab
		}
		// Opened once, as in the hands of somebody who turns a phone or widens a
		// window: no page may need more.
		tab.Size(sizes[0].width, sizes[0].height)
		tab.Go(fill.Replace(p.path))
		if p.open != "" {
			tab.Do(fmt.Sprintf(`document.querySelectorAll(%q).forEach(e => e.open = true)`, "main "+p.open))
		}
		for _, size := range sizes {
			tab.Size(size.width, size.height)
			for _, theme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s/%d/%s", p.name, size.width, theme), func(t *testing.T) {
					outer := tab.t
					tab.t = t
					defer func() { tab.t = outer }()
					tab.Theme(theme)
					// What a theme can change is its contrast, what a wide
					// window can change is the layout: the rest is looked at once.
					switch {
					case theme == "dark" && size.width == 1366:
						tab.Contrast()
					case theme == "light":
						switch {
						case size.width == 1366 || first && size.width == 390:
							tab.Axe()
						case size.width == 390:
							tab.AxeOfWidth()
						}
						tab.layout(size.width)
					}
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

// layout checks what holds for every page: no sideways scrolling, targets that
// a finger can hit on a phone.
func (tab *Tab) layout(width int64) {
	tab.t.Helper()
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
