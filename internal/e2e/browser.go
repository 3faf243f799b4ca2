// Package e2e opens the pages in a real browser: what is shown, what the
// keyboard does, what a screen reader would be told, and that nothing leaves
// our origin. It is imported by tests only.
package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"statincidents/internal/testkit"
)

// stepLimit bounds each step in the browser.
const stepLimit = 30 * time.Second

// Browser is one headless Chromium, shared by the tests of a run; each of their
// tabs has its own cookies.
type Browser struct {
	ctx context.Context
}

var (
	errNoBrowser = errors.New("SKIPPED, NOT TESTED IN A BROWSER: Chromium is not installed (Debian: apt-get install chromium)")
	closeBrowser = func() {}
	shared       = sync.OnceValues(launch)
)

// Open gives the browser. Without one the test is skipped with its reason.
func Open(t *testing.T) *Browser {
	t.Helper()
	b, err := shared()
	if errors.Is(err, errNoBrowser) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return b
}

func launch() (*Browser, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, errNoBrowser
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // tests may run as root
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "fr-FR"),
		chromedp.WSURLReadTimeout(time.Minute),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	closeBrowser = func() {
		end()
		stop()
	}
	return &Browser{ctx}, chromedp.Do(ctx)
}

// Clean ends the browser and deletes what the tests of a run shared. TestMain
// calls it.
func Clean() {
	closeBrowser()
	if made {
		if dir, err := demoDir(); err == nil {
			_ = os.RemoveAll(dir)
		}
	}
}

// Tab is one page with its own cookies. Anything wrong that the browser reports
// (an exception, a console error, a breach of the content policy, a request to
// another origin) fails the test.
type Tab struct {
	t      *testing.T
	ctx    context.Context
	origin string

	mu       sync.Mutex
	requests []string
	problems []string
	expected []string // statuses of refusals that the test asks for: "404"
}

// Tab opens an empty tab for a site.
func (b *Browser) Tab(t *testing.T, origin string) *Tab {
	t.Helper()
	tab := &Tab{t: t, origin: origin}
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.listen))
	tab.ctx = ctx
	t.Cleanup(func() {
		closeTab()
		tab.complain()
	})
	// The first run makes the tab, which lives as long as that run's context.
	if err := chromedp.Do(ctx, call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), call(runtime.Enable, cdp.Empty{}),
		call(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": "fr-FR"}}),
		call(emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "fr-FR"})); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	tab.Size(1366, 768)
	return tab
}

// call is a command of the protocol whose answer does not matter.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// Expect says that the test asks for a page with that status: the browser
// reports it as an error, which it is not here.
func (tab *Tab) Expect(status string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.expected = append(tab.expected, status)
}

// listen notes what the browser reports; it must neither block nor panic.
func (tab *Tab) listen(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	note := func(format string, args ...any) { tab.problems = append(tab.problems, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		note("exception in the page: %s", e.ExceptionDetails.Text)
		if e.ExceptionDetails.Exception != nil {
			note("    %s", e.ExceptionDetails.Exception.Description)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, a := range e.Args {
				note("console %s: %s %s", e.Type, a.Value, a.Description)
			}
		}
	case *log.EventEntryAdded:
		for _, status := range tab.expected {
			if strings.Contains(e.Entry.Text, "status of "+status) {
				return
			}
		}
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			note("browser %s (%s): %s %s", e.Entry.Level, e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		// It would hold up every step that follows. A page asks in itself.
		note("the browser asks (%s): %s", e.Type, e.Message)
		go func() {
			_ = chromedp.Do(tab.ctx, call(page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}))
		}()
	case *network.EventRequestWillBeSent:
		tab.requests = append(tab.requests, e.Request.URL)
		// (The browser's own pictures, in its controls, are "data:".)
		if !strings.HasPrefix(e.Request.URL, tab.origin+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
			note("a request leaves the site: %s", e.Request.URL)
		}
	}
}

// complain fails the test on what was noted since the last time.
func (tab *Tab) complain() {
	tab.t.Helper()
	tab.mu.Lock()
	problems := tab.problems
	tab.problems = nil
	tab.mu.Unlock()
	for _, p := range problems {
		tab.t.Error(p)
	}
}

// Requests are the addresses asked for so far.
func (tab *Tab) Requests() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return append([]string(nil), tab.requests...)
}

// run does steps in the tab, in bounded time.
func (tab *Tab) run(what string, actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, stepLimit)
	defer cancel()
	err := chromedp.Do(ctx, actions...)
	tab.complain()
	if err != nil {
		ctx, cancel := context.WithTimeout(tab.ctx, time.Second)
		defer cancel()
		where, _ := chromedp.Run(ctx, chromedp.Location())
		tab.t.Fatalf("%s: %v (at %s)", what, err, where)
	}
}

// Eval gives the value of an expression in the page.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, stepLimit)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	tab.complain()
	if err != nil {
		tab.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

// Go opens a path of the site.
func (tab *Tab) Go(path string) {
	tab.t.Helper()
	tab.run("open "+path, chromedp.Navigate(tab.origin+path), chromedp.WaitReady(chromedp.CSS("body")))
}

// Path is where the tab is, without the origin.
func (tab *Tab) Path() string {
	tab.t.Helper()
	return Eval[string](tab, "location.pathname + location.search")
}

// Size gives the window its size in CSS pixels; under 640 it is a phone with a
// touch screen.
func (tab *Tab) Size(width, height int64) {
	tab.t.Helper()
	var options []chromedp.EmulateViewportOption
	if width < 640 {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	tab.run("size", chromedp.EmulateViewport(width, height, options...))
}

// Theme is what the system prefers: "light" or "dark".
func (tab *Tab) Theme(theme string) {
	tab.t.Helper()
	tab.run("theme", call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	}))
}

// Script switches the page's scripts on or off, from the next page on.
func (tab *Tab) Script(on bool) {
	tab.t.Helper()
	tab.run("script", call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// Paper shows the page as it would be printed.
func (tab *Tab) Paper() {
	tab.t.Helper()
	tab.run("paper", call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
}

// Do runs an expression in the page for what it does.
func (tab *Tab) Do(expression string) {
	tab.t.Helper()
	tab.run(expression, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[chromedp.Void](expression)(ctx, t)
		return err
	}))
}

// Wait waits until an expression is true.
func (tab *Tab) Wait(expression string) {
	tab.t.Helper()
	tab.run("wait for "+expression, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		// Asked again and again rather than by a script in the page, which a
		// navigation would end.
		for {
			if ok, err := chromedp.Evaluate[*bool](`!!(`+expression+`)`)(ctx, t); err == nil && ok != nil && *ok {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
	}))
}

// Arrive waits until the tab has loaded a page whose path begins so, scripts
// included.
func (tab *Tab) Arrive(path string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf(`location.pathname.startsWith(%q) && document.readyState === "complete"`, path))
}

// Text is what the first element of a selector shows.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return strings.Join(strings.Fields(Eval[string](tab, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))), " ")
}

// Click clicks the first element of a selector, once it is visible.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.run("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Type types into the first element of a selector.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.run("type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Keys for Press.
const (
	Enter  = kb.Enter
	Escape = kb.Escape
	TabKey = kb.Tab
	Down   = kb.ArrowDown
)

// Press presses keys one after the other, wherever the focus is.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.run("press", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, r := range keys {
			if err := press(ctx, t, r, 0); err != nil {
				return err
			}
		}
		return nil
	}))
}

// PressCtrl presses a key with Ctrl held.
func (tab *Tab) PressCtrl(key rune) {
	tab.t.Helper()
	tab.run("press Ctrl+"+string(key), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		return press(ctx, t, key, int64(chromedp.ModifierCtrl))
	}))
}

// press sends a key down and up. The character goes with the key down, as from
// a keyboard, so that a page which refuses the key gets no character either.
func press(ctx context.Context, t *chromedp.Target, r rune, modifiers int64) error {
	events := kb.Encode(r)
	text := ""
	for _, e := range events {
		if e.Type == kb.KeyChar {
			text = e.Text
		}
	}
	for _, e := range events {
		if e.Type == kb.KeyChar {
			continue
		}
		e.Modifiers |= modifiers
		if e.Type != kb.KeyUp && modifiers == 0 && text != "" {
			e.Type, e.Text = kb.KeyDown, text
		}
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *e); err != nil {
			return err
		}
	}
	return nil
}

// Focused is a short description of the focused element: tag#id.class text.
func (tab *Tab) Focused() string {
	tab.t.Helper()
	return strings.TrimSpace(Eval[string](tab, `(e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + " " + (e.innerText ?? "").trim())(document.activeElement)`))
}

// Screenshot writes the whole page to a PNG file.
func (tab *Tab) Screenshot(file string) {
	tab.t.Helper()
	var image []byte
	tab.run("screenshot", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		beyond := true
		height := min(Eval[float64](tab, "document.documentElement.scrollHeight"), 6000)
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
			CaptureBeyondViewport: &beyond,
			Clip:                  &page.Viewport{Width: Eval[float64](tab, "document.documentElement.clientWidth"), Height: height, Scale: 1},
		})
		image = shot.Data
		return err
	}))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(file, image, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

var axe = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile(filepath.Join(testkit.Root(), "ui", "node_modules", "axe-core", "axe.min.js"))
	return string(source), err
})

// Axe fails the test on anything that axe finds wrong with the page as it is
// now (WCAG 2.2 A and AA, and its best practices).
func (tab *Tab) Axe() {
	tab.t.Helper()
	tab.axe(everything)
}

const everything = `runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`

// AxeOfWidth is what of Axe may differ at another width: all but contrast, the
// slowest to look at, where the colours are those of the wider page.
func (tab *Tab) AxeOfWidth() {
	tab.t.Helper()
	tab.axe(everything + `, rules: {"color-contrast": {enabled: false}}`)
}

// Contrast is what of Axe may differ in another theme.
func (tab *Tab) Contrast() {
	tab.t.Helper()
	tab.axe(`runOnly: {type: "rule", values: ["color-contrast"]}`)
}

func (tab *Tab) axe(only string) {
	tab.t.Helper()
	source, err := axe()
	if err != nil {
		tab.t.Skipf("SKIPPED, ACCESSIBILITY NOT TESTED: run `make ui` first (%v)", err)
	}
	if !Eval[bool](tab, "typeof axe === 'object'") {
		tab.run("load axe", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := chromedp.Evaluate[bool](source+";true")(ctx, t)
			return err
		}))
	}
	result := Eval[string](tab, `axe.run(document, {resultTypes: ["violations"], `+only+`})
		.then(r => JSON.stringify(r.violations.map(v => ({rule: v.id, help: v.help, nodes: v.nodes.slice(0, 5).map(n => n.html.slice(0, 200) + " — " + n.failureSummary.replace(/\s+/g, " ")) }))))`)
	var violations []struct {
		Rule, Help string
		Nodes      []string
	}
	if err := json.Unmarshal([]byte(result), &violations); err != nil {
		tab.t.Fatalf("axe: %v", err)
	}
	for _, v := range violations {
		tab.t.Errorf("axe %s: %s\n    %s", v.Rule, v.Help, strings.Join(v.Nodes, "\n    "))
	}
}
