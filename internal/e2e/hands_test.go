package e2e

import (
	"fmt"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// counter keeps, across the pages of a tab, what a finger or a mouse presses
// and the keys pressed, apart from those that type a text.
const counter = `(() => {
	if (window.countsHands) return
	window.countsHands = true
	const add = name => { try { sessionStorage.setItem(name, 1 + Number(sessionStorage.getItem(name) ?? 0)) } catch {} }
	addEventListener("pointerdown", () => add("hands-taps"), true)
	addEventListener("keydown", e => {
		if (e.key === "Shift" || e.key === "Unidentified") return
		const typed = e.key.length === 1 && !e.ctrlKey && document.activeElement?.matches("input:not([type=checkbox], [type=radio]), textarea")
		add(typed ? "hands-typed" : "hands-keys")
	}, true)
})()`

// Hands count what somebody does in a tab, from when they are made.
type Hands struct {
	tab   *Tab
	began time.Time
}

// Hands begins to count.
func (tab *Tab) Hands() *Hands {
	tab.t.Helper()
	tab.run("count", call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: counter}))
	tab.Do(counter + `; for (const name of ["hands-taps", "hands-keys", "hands-typed"]) sessionStorage.setItem(name, 0)`)
	return &Hands{tab: tab, began: time.Now()}
}

// Taps is how often something was pressed by finger or mouse so far.
func (h *Hands) Taps() int { return h.count("hands-taps") }

// Keys is how many keys were pressed so far that type no text.
func (h *Hands) Keys() int { return h.count("hands-keys") }

func (h *Hands) count(name string) int {
	h.tab.t.Helper()
	return Eval[int](h.tab, fmt.Sprintf(`Number(sessionStorage.getItem(%q) ?? 0)`, name))
}

// Say logs what it took. The seconds are the program's and the browser's: a
// person's pauses come on top.
func (h *Hands) Say(what string) {
	h.tab.t.Helper()
	h.tab.t.Logf("%s: %d taps, %d keys, %d characters typed, %.1f s without a person's pauses", what, h.Taps(), h.Keys(), h.count("hands-typed"), time.Since(h.began).Seconds())
}

// PressText presses the first visible element of a selector that shows a text.
func (tab *Tab) PressText(selector, text string) {
	tab.t.Helper()
	const mark = "data-e2e-pressed"
	tab.Wait(fmt.Sprintf(`(() => {
		document.querySelectorAll("[%[1]s]").forEach(e => e.removeAttribute(%[1]q))
		const found = [...document.querySelectorAll(%[2]q)].find(e => e.checkVisibility() && e.innerText.replace(/\s+/g, " ").includes(%[3]q))
		found?.setAttribute(%[1]q, "")
		found?.scrollIntoView({block: "center", behavior: "instant"}) // not under the bar of a phone
		return found
	})()`, mark, selector, text))
	tab.Click("[" + mark + "]")
}

// Read waits until the page is loaded and says something.
func (tab *Tab) Read(text string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf(`document.readyState === "complete" && document.querySelector("main")?.innerText.replace(/\s+/g, " ").includes(%q)`, text))
}

// Choose takes the option of a list that shows a text.
func (tab *Tab) Choose(selector, text string) {
	tab.t.Helper()
	tab.Wait(fmt.Sprintf(`(() => {
		const list = document.querySelector(%q)
		const option = [...list?.options ?? []].find(o => o.text.replace(/\s+/g, " ").includes(%q))
		if (!option) return false
		list.value = option.value
		list.dispatchEvent(new Event("change", {bubbles: true}))
		return true
	})()`, selector, text))
}

// Files gives a file to a field.
func (tab *Tab) Files(selector string, paths ...string) {
	tab.t.Helper()
	tab.run("give files to "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), paths))
}

// Look checks the page as it is at its present width, and keeps a picture.
func (tab *Tab) Look(name string) {
	tab.t.Helper()
	tab.Axe()
	width := Eval[int64](tab, "innerWidth")
	tab.layout(width)
	tab.keep(fmt.Sprintf("%s-%d", name, width))
}

// rest leaves the page some milliseconds to do what it does by itself.
func (tab *Tab) rest(ms int) {
	tab.t.Helper()
	Eval[bool](tab, fmt.Sprintf("new Promise(done => setTimeout(() => done(true), %d))", ms))
}
