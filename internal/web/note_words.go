package web

import (
	"net/url"
	"slices"
	"strings"

	"statincidents/internal/cube"
	"statincidents/internal/privacy"
)

// takings are the words of what can be taken away, by the beginning of its
// path: the longest that fits is it. "note.NAME" is the word.
var takings = []struct{ prefix, name string }{
	{"/incidents/", "incident"}, {"/incidents", "incidents"}, {"/explore", "explore"}, {"/stats", "explore"}, {"/schools/compare", "compare"}, {"/schools", "schools"}, {"/search", "search"},
	{"/problems", "problems"}, {"/knowledge", "knowledge"}, {"/articles", "knowledge"}, {"/checklists", "checklists"}, {"/visits", "visits"}, {"/calendar", "feed"}, {"/visit-feed", "feed"},
	{"/stock/movements", "movements"}, {"/stock/consumption", "consumption"}, {"/stock", "stock"}, {"/attachments", "file"}, {"/labels", "labels"},
	{"/admin/privacy/exports", "exports"}, {"/exports", "exports"}, {"/admin/privacy", "person"}, {"/account/data", "own"}, {"/admin/roles", "roles"}, {"/admin/imports", "imports"}, {"/imports", "imports"},
	{"/mail", "mail"}, {"/methods", "method"}, {"/people", "people"}, {"/rooms", "rooms"}, {"/categories", "categories"}, {"/stream", "stream"}, {"/jobs", "jobs"}, {"/mentions", "mentions"}, {"/times", "times"}, {"/signals", "signals"},
	{"/times.", "delays"}, {"/renewal", "renewal"}, {"/rates", "rates"}, {"/before-after", "before_after"}, {"/forecast", "forecast"}, {"/zones", "zones"}, {"/recurrence", "recurrence"},
	{"backup", "backup"}, {"privacy export", "person"}, {"replay", "method"},
}

// noteWhat says what was taken away: « Liste d'incidents »; what has no word is
// said by its path.
func (r *Request) noteWhat(k privacy.Record) string {
	path := strings.TrimPrefix(k.What, "/api/v1")
	best, word := 0, ""
	for _, t := range takings {
		if len(t.prefix) > best && strings.HasPrefix(path, t.prefix) {
			best, word = len(t.prefix), t.name
		}
	}
	if word == "" {
		return k.What
	}
	word = r.T("note." + word)
	// « Incident n° 4812 », « Pièce jointe n° 3 »
	for part := range strings.SplitSeq(path[min(best, len(path)):], "/") {
		if part != "" && strings.Trim(part, "0123456789") == "" {
			word = r.T("note.number", "what", word, "n", part)
			break
		}
	}
	if k.Format == "" {
		return word
	}
	return word + " (" + k.Format + ")"
}

// taker says who took something away.
func (n *names) taker(k privacy.Record) string {
	switch {
	case k.Account != 0:
		return n.accounts[k.Account]
	case k.Door == privacy.Command:
		return n.r.T("privacy.exports.server")
	}
	return n.r.T("privacy.exports.link")
}

// silent are the parameters of an address that say nothing of what was taken.
var silent = []string{"sort", "order", "after", "limit", "skip", "lang", "chart", "fields", "columns", "compare", "theme"}

// noteWords says in words what an address asked for: « Collège Montjoie, du 1er
// sept. au 30 nov. 2026 ».
func (n *names) noteWords(k privacy.Record) string {
	v, err := url.ParseQuery(k.Question)
	if err != nil || strings.Contains(k.Question, " = ") || k.Door == privacy.Command {
		return k.Question
	}
	r, say := n.r, n.labels()
	var words []string
	for _, name := range slices.Sorted(keys(v)) {
		base, op, _ := strings.Cut(name, ".")
		d := cube.Dim(base)
		for _, value := range v[name] {
			switch {
			case value == "" || slices.Contains(silent, name) || name == "from" || name == "to" || name == "period":
			case name == "q" || name == "text":
				words = append(words, r.T("note.text", "text", value))
			case name == "measure" && cube.Measure(value).Valid():
				words = slices.Insert(words, 0, say.Measure(cube.Measure(value)))
			case name == "by" && cube.Dim(value).Valid():
				words = append(words, r.T("note.by", "dim", lowerFirst(say.Dim(cube.Dim(value)))))
			case d.Valid():
				words = append(words, n.noteFilter(say, d, op, cube.UnescapeKey(value)))
			default:
				words = append(words, r.Label(r.paramLabel(name))+value)
			}
		}
	}
	if v.Has("from") || v.Has("to") || v.Has("period") {
		old := *r
		old.Address = Address{Path: k.What, query: v}
		if span := old.period(); v.Has("from") || v.Has("to") || v.Get("period") == span.Preset {
			words = append(words, lowerFirst(span.Label))
		}
	}
	return strings.Join(words, ", ")
}

// selfEvident are the dimensions whose keys are understood without its name.
var selfEvident = []cube.Dim{cube.DimSchool, cube.DimCategory, cube.DimCategory2, cube.DimCategory3, cube.DimOpen, cube.DimState, cube.DimRoom}

func (n *names) noteFilter(say *cube.Labeler, d cube.Dim, op, key string) string {
	named := n.r.Label(say.Dim(d)) + say.Label(d, key)
	switch {
	case op == "not":
		return n.r.T("filter.not", "label", named)
	case op == "from":
		return n.r.T("note.at_least", "label", named)
	case op == "to":
		return n.r.T("note.at_most", "label", named)
	case slices.Contains(selfEvident, d) && key != "":
		return say.Label(d, key)
	}
	return named
}

// paramLabel is the word of a parameter, itself if it has none.
func (r *Request) paramLabel(name string) string {
	if key := "note.param." + name; r.Has(key) {
		return r.T(key)
	}
	return name
}
