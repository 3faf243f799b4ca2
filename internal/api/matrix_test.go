package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"statincidents/internal/api"
	"statincidents/internal/api/wire"
	"statincidents/internal/attachment"
	"statincidents/internal/checklist"
	"statincidents/internal/label"
	"statincidents/internal/sqldb"
	"statincidents/internal/visit"
)

// A route asks something of an object: the incident that the teacher declared
// in school A, another incident of A, or one of B (or those schools).
type route struct {
	path, body string // {id} and {school} stand for the object's numbers
	onVersion  bool   // carries the incident's ETag
	// want gives, for each account, the status for each of the three objects,
	// or one status where there is no object.
	want map[string]string
}

// Readable names for the rows of the table.
var (
	staff      = []string{"administrator", "lead", "technician"}
	everybody  = allow("200", "200", "200", "200")
	seers      = allow("200 200 200", "200 200 404", "200 404 404", "404 404 200")
	handlers   = allow("200 200 200", "403 403 404", "403 404 404", "404 404 403")
	neighbours = allow("200 200 200", "200 200 404", "200 200 404", "404 404 200")
	staffOnly  = allow("200", "403", "403", "403")
)

// allow makes a row: what the staff, the referent of A, the declarant (the
// teacher of A) and the stranger (the referent of B) are answered.
func allow(ofStaff, referent, declarant, stranger string) map[string]string {
	m := map[string]string{"referent": referent, "declarant": declarant, "stranger": stranger}
	for _, s := range staff {
		m[s] = ofStaff
	}
	return m
}

// matrix is who may do what, by operation. An operation that is not here fails
// the test: decide who may do it.
var matrix = map[string]route{
	"me":                 {path: "/me", want: everybody},
	"list-schools":       {path: "/schools", want: everybody},
	"get-school":         {path: "/schools/{school}", want: neighbours},
	"get-school-support": {path: "/schools/{school}/support", want: neighbours},
	"set-school-support": {path: "/schools/{school}/support", body: `{"first":false,"hours":4}`, want: map[string]string{
		"administrator": "200 200 200", "lead": "200 200 200", "technician": "403 403 403", "referent": "403 403 403", "declarant": "403 403 403", "stranger": "403 403 403"}},
	"list-rooms":             {path: "/schools/{school}/rooms", want: neighbours},
	"list-categories":        {path: "/categories", want: everybody},
	"list-codes":             {path: "/codes", want: everybody},
	"list-incident-messages": {path: "/incidents/{id}/messages", want: allow("200 200 200", "403 403 403", "403 403 403", "403 403 403")},
	"list-teams":             {path: "/teams", want: staffOnly},
	"list-technicians":       {path: "/technicians", want: staffOnly},

	"list-incidents":     {path: "/incidents", want: everybody},
	"declare-incident":   {path: "/incidents", body: `{"title":"Encore une panne","school":{school}}`, want: allow("201 201 201", "201 201 422", "201 201 422", "422 422 201")},
	"get-incident":       {path: "/incidents/{id}", want: seers},
	"get-story":          {path: "/incidents/{id}/story", want: seers},
	"edit-incident":      {path: "/incidents/{id}", body: `{"machine":"KPC-7"}`, onVersion: true, want: handlers},
	"act-on-incident":    {path: "/incidents/{id}/transitions", body: `{"action":"hold","waiting_code":{waiting}}`, onVersion: true, want: handlers},
	"join-incident":      {path: "/incidents/{id}/affected", body: `{"person":999999}`, want: allow("422 422 422", "422 422 404", "422 422 404", "404 404 422")},
	"relate-incidents":   {path: "/incidents/{id}/related/999999", want: allow("422 422 422", "403 403 403", "403 403 403", "403 403 403")},
	"unrelate-incidents": {path: "/incidents/{id}/related/999999", want: allow("422 422 422", "403 403 403", "403 403 403", "403 403 403")},
	"split-incident":     {path: "/incidents/{id}/split", body: `{"title":"Une autre panne"}`, want: allow("201 201 201", "403 403 403", "403 403 403", "403 403 403")},
	"rate-incident": {path: "/incidents/{id}/rating", body: `{"rating":"satisfied"}`, want: map[string]string{
		"administrator": "403 403 403", "lead": "403 403 403", "technician": "403 409 409", "referent": "403 403 404", "declarant": "409 404 404", "stranger": "404 404 403"}},
	"list-signals":        {path: "/signals", want: allow("200", "200", "403", "200")},
	"list-problems":       {path: "/problems", want: allow("200", "403", "403", "403")},
	"open-problem":        {path: "/problems", body: `{"title":"Une cause"}`, want: allow("201", "403", "403", "403")},
	"link-problem":        {path: "/problems/999999/incidents/{id}", want: allow("404 404 404", "403 403 403", "403 403 403", "403 403 403")},
	"unlink-problem":      {path: "/problems/999999/incidents/{id}", want: allow("404 404 404", "403 403 403", "403 403 403", "403 403 403")},
	"list-mentions":       {path: "/mentions", want: everybody},
	"comment-on-incident": {path: "/incidents/{id}/comments", body: `{"text":"je regarde"}`, want: allow("201 201 201", "201 201 404", "201 404 404", "404 404 201")},

	"get-stock":         {path: "/stock", want: staffOnly},
	"list-movements":    {path: "/stock/movements", want: staffOnly},
	"book-movement":     {path: "/stock/movements", body: `{"kind":"receive","item":99,"to":99,"quantity":1}`, want: allow("422", "403", "403", "403")},
	"reverse-movement":  {path: "/stock/movements/99/reverse", body: "", want: allow("404", "403", "403", "403")},
	"list-used-parts":   {path: "/incidents/{id}/parts", want: seers},
	"list-mail":         {path: "/mail?state=quarantined", want: staffOnly},
	"replay-mail":       {path: "/mail/replay", body: `{"messages":[999999]}`, want: allow("404", "403", "403", "403")},
	"refuse-mail":       {path: "/mail/refuse", body: `{"messages":[999999]}`, want: allow("404", "403", "403", "403")},
	"get-solutions":     {path: "/incidents/{id}/solutions", want: seers},
	"search":            {path: "/search?q=panne", want: everybody},
	"list-portal-tiles": {path: "/portal/tiles", want: everybody},
	"save-portal-tile":  {path: "/portal/tiles/999999", body: `{"shown":true}`, want: map[string]string{"administrator": "404", "lead": "404", "technician": "403", "referent": "403", "declarant": "403", "stranger": "403"}},
	"move-portal-tile":  {path: "/portal/tiles/999999/move", body: `{"steps":1}`, want: map[string]string{"administrator": "404", "lead": "404", "technician": "403", "referent": "403", "declarant": "403", "stranger": "403"}},
	"list-articles":     {path: "/articles", want: everybody},
	"get-article":       {path: "/articles/999999", want: allow("404", "404", "404", "404")},
	"use-article":       {path: "/articles/999999/uses", body: `{"use":"helped"}`, want: allow("404", "404", "404", "404")},
	"send-attachment":   {path: "/attachments?name=note.txt", body: `{"any":"text"}`, want: allow("201", "201", "201", "201")},
	"list-attachments":  {path: "/incidents/{id}/attachments", want: seers},
	"get-attachment":    {path: "/attachments/{file}", want: seers},
	"remove-attachment": {path: "/attachments/{file}", want: allow("204 204 204", "403 403 404", "403 404 404", "404 404 403")},

	"list-visits":  {path: "/visits", want: everybody},
	"plan-visit":   {path: "/visits", body: `{"kind":"on_site","school":{school},"technician":{tech},"start":"{start}","minutes":60,"incidents":[{id}]}`, want: allow("201 201 201", "403 403 403", "403 403 403", "403 403 403")},
	"get-visit":    {path: "/visits/{visit}", want: allow("200 200 200", "200 200 404", "404 404 404", "404 404 200")},
	"change-visit": {path: "/visits/{visit}", body: `{"note":"digicode"}`, want: allow("200 200 200", "403 403 403", "403 403 403", "403 403 403")},
	"act-on-visit": {path: "/visits/{visit}/actions", body: `{"action":"start"}`, want: allow("200 200 200", "403 403 403", "403 403 403", "403 403 403")},
	"list-time":    {path: "/incidents/{id}/time", want: allow("200 200 200", "403 403 403", "403 403 403", "403 403 403")},
	"log-time": {path: "/incidents/{id}/time", body: `{"minutes":15}`, want: map[string]string{ // administrators and leads of the test are nobody of the unit
		"administrator": "422 422 422", "lead": "422 422 422", "technician": "201 201 201", "referent": "403 403 403", "declarant": "403 403 403", "stranger": "403 403 403"}},
	"list-checklist-templates": {path: "/checklist-templates", want: staffOnly},
	"list-checklists":          {path: "/incidents/{id}/checklists", want: allow("200 200 200", "403 403 403", "403 403 403", "403 403 403")},
	"add-checklist":            {path: "/incidents/{id}/checklists", body: `{"template":{template}}`, want: allow("201 201 201", "403 403 403", "403 403 403", "403 403 403")},
	"check-item":               {path: "/checklists/{list}/items/0", body: `{"done":true}`, want: allow("200 200 200", "403 403 403", "403 403 403", "403 403 403")},

	"get-clock":             {path: "/incidents/{id}/clock", want: seers},
	"list-service-targets":  {path: "/service-targets", want: staffOnly},
	"save-service-target":   {path: "/service-targets", body: `{"priority":0,"category":999999,"response":10,"resolution":20}`, want: setters("422")},
	"remove-service-target": {path: "/service-targets?from=2100-01-01", want: setters("404")},
	"list-labels":           {path: "/schools/{school}/labels", want: allow("200 200 200", "200 200 404", "403 403 403", "404 404 200")},
	"make-labels":           {path: "/schools/{school}/labels", body: `{"places":[{"machine":"PC-1"}]}`, want: allow("201 201 201", "201 201 404", "403 403 403", "404 404 201")},
	"revoke-label":          {path: "/labels/{label}", want: allow("204 204 204", "204 204 404", "403 403 403", "404 404 204")},
	"list-presets":          {path: "/presets?kind=macro", want: staffOnly},
	"add-preset":            {path: "/presets", body: `{"kind":"template","label":"","filled":{"title":"x"}}`, want: allow("422", "403", "403", "403")},
	"save-preset":           {path: "/presets/999999", body: `{"kind":"template","label":"Appel","filled":{"title":"x"}}`, want: allow("404", "403", "403", "403")},
	"remove-preset":         {path: "/presets/999999", want: allow("404", "403", "403", "403")},
	"preview-batch":         {path: "/batches/preview", body: `{"incidents":[{id}],"change":{"action":"take"}}`, want: staffOnly},
	"start-batch":           {path: "/batches", body: `{"incidents":[{id}]}`, want: allow("422", "403", "403", "403")},
	"get-batch":             {path: "/batches/999999", want: allow("404", "404", "404", "404")},
	"undo-batch":            {path: "/batches/999999/undo", want: allow("404", "404", "404", "404")},
	"list-views":            {path: "/views", want: everybody},
	"add-view":              {path: "/views", body: `{"name":"","query":"","audience":"own"}`, want: allow("422", "422", "422", "422")},
	"save-view":             {path: "/views/999999", body: `{"name":"x","query":"","audience":"own"}`, want: allow("404", "404", "404", "404")},
	"remove-view":           {path: "/views/999999", want: allow("404", "404", "404", "404")},
	"list-jobs":             {path: "/jobs", want: administrators("200")},
	"list-exports":          {path: "/exports", want: administrators("200")},
	"retry-job":             {path: "/jobs/999999/retry", want: administrators("404")},
	"cancel-job":            {path: "/jobs/999999/cancel", want: administrators("404")},
	"add-item":              {path: "/stock/items", body: `{"name":""}`, want: allow("422", "403", "403", "403")},
	"save-item":             {path: "/stock/items/999999", body: `{"name":"Écran"}`, want: allow("404", "403", "403", "403")},
	"add-place":             {path: "/stock/places", body: `{"name":"","kind":"depot"}`, want: allow("422", "403", "403", "403")},
	"save-place":            {path: "/stock/places/999999", body: `{"name":"Dépôt","kind":"depot"}`, want: allow("404", "403", "403", "403")},
	"get-signal":            {path: "/signals/999999", want: allow("404", "404", "403", "404")},
	"judge-signal":          {path: "/signals/999999/judgement", body: `{"verdict":"true"}`, want: allow("404", "403", "403", "403")},
	"get-problem":           {path: "/problems/999999", want: allow("404", "403", "403", "403")},
	"save-problem":          {path: "/problems/999999?version=1", body: `{"title":"x"}`, want: allow("404", "403", "403", "403")},
	"write-article":         {path: "/articles", body: `{"title":"","body":"x","audience":"everyone"}`, want: allow("422", "403", "403", "403")},
	"save-article":          {path: "/articles/999999?version=1", body: `{"title":"x","body":"y","audience":"everyone"}`, want: allow("404", "403", "403", "403")},

	"query-statistics": {path: "/stats/query", body: `{"measures":["count"]}`, want: staffAndReferents},
	"stream":           {path: "/stream", want: everybody},
}

// setters may set up the service, administrators see to the program.
func setters(status string) map[string]string {
	m := allow("403", "403", "403", "403")
	m["administrator"], m["lead"] = status, status
	return m
}

func administrators(status string) map[string]string {
	m := allow("403", "403", "403", "403")
	m["administrator"] = status
	return m
}

var staffAndReferents = allow("200", "200", "403", "200")

// objects are the incidents of the matrix.
func (w *world) objects(tb testing.TB) []wire.Incident {
	tb.Helper()
	tech := w.as(tb, "technician")
	mine := w.declare(tb, "declarant")
	other := must[wire.Incident](tb)(tech.Declare(tb.Context(), wire.NewIncident{Title: "secretA", School: wire.SchoolRef{ID: w.schoolA}}))
	far := must[wire.Incident](tb)(tech.Declare(tb.Context(), wire.NewIncident{Title: "secretB", School: wire.SchoolRef{ID: w.schoolB}}))
	return []wire.Incident{mine, other, far}
}

func TestWhoMayDoWhat(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		objects := w.objects(t)
		left := map[string]bool{}
		for id := range matrix {
			left[id] = true
		}
		for path, item := range w.api.OpenAPI().Paths {
			for _, op := range operations(item) {
				r, ok := matrix[op.OperationID]
				if !ok {
					t.Errorf("%s %s (%s) is not in the table of who may do what", op.Method, path, op.OperationID)
					continue
				}
				delete(left, op.OperationID)
				for account := range w.accounts {
					want, ok := r.want[account]
					if !ok {
						t.Errorf("%s: nothing said for %s", op.OperationID, account)
					}
					for k, status := range strings.Fields(want) {
						w.try(t, op.OperationID, op.Method, r, account, objects[k], status)
					}
				}
				w.try(t, op.OperationID, op.Method, r, "", objects[0], "401")
			}
		}
		for id := range left {
			t.Errorf("the table has %s, the API has not", id)
		}
	})
}

// fileOf joins a new file to an incident, for a route that names one.
func (w *world) fileOf(t *testing.T, number int64, path string) string {
	t.Helper()
	if !strings.Contains(path, "{file}") {
		return ""
	}
	a := must[attachment.Attachment](t)(w.files.Put(t.Context(), system, "note.txt", strings.NewReader("une note")))
	if err := w.files.Attach(t.Context(), system, number, []int64{a.ID}, false); err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(a.ID, 10)
}

// visitOf plans a visit in the school of an incident, for a route that names one.
func (w *world) visitOf(t *testing.T, object wire.Incident, path string) string {
	t.Helper()
	if !strings.Contains(path, "{visit}") {
		return ""
	}
	v := must[visit.Visit](t)(w.visits.Plan(t.Context(), system, visit.Draft{Kind: visit.Remote, School: object.School.ID, Technician: w.technician, Start: time.Now().Add(time.Hour), Minutes: 30, Purpose: "secret"}))
	return strconv.FormatInt(v.ID, 10)
}

// templateOf makes a template of check-lists, for a body that names one.
func (w *world) templateOf(t *testing.T, body string) string {
	t.Helper()
	if !strings.Contains(body, "{template}") {
		return ""
	}
	return strconv.FormatInt(must[checklist.Template](t)(w.checks.SaveTemplate(t.Context(), system, checklist.Template{Title: "Poste", Items: []checklist.Item{{Text: "secret"}}})).ID, 10)
}

// listOf begins a check-list on an incident, for a route that names one.
func (w *world) listOf(t *testing.T, object wire.Incident, path string) string {
	t.Helper()
	if !strings.Contains(path, "{list}") {
		return ""
	}
	template := must[checklist.Template](t)(w.checks.SaveTemplate(t.Context(), system, checklist.Template{Title: "Poste", Items: []checklist.Item{{Text: "secret"}}}))
	return strconv.FormatInt(must[checklist.List](t)(w.checks.Add(t.Context(), system, template.ID, checklist.On{Incident: object.ID})).ID, 10)
}

// labelOf makes a label in the school of an incident, for a route that names one.
func (w *world) labelOf(t *testing.T, object wire.Incident, path string) string {
	t.Helper()
	if !strings.Contains(path, "{label}") {
		return ""
	}
	made := must[[]label.Label](t)(w.deps.Labels.Make(t.Context(), system, []label.Place{{School: object.School.ID, Machine: "PC-9"}}))
	return strconv.FormatInt(made[0].ID, 10)
}

func (w *world) try(t *testing.T, name, method string, r route, account string, object wire.Incident, want string) {
	t.Helper()
	fill := strings.NewReplacer("{id}", strconv.FormatInt(object.ID, 10), "{school}", strconv.FormatInt(object.School.ID, 10), "{waiting}", strconv.FormatInt(w.waiting, 10),
		"{file}", w.fileOf(t, object.ID, r.path), "{label}", w.labelOf(t, object, r.path), "{visit}", w.visitOf(t, object, r.path), "{list}", w.listOf(t, object, r.path), "{tech}", strconv.FormatInt(w.technician, 10),
		"{start}", time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339), "{template}", w.templateOf(t, r.body))
	var headers []string
	if r.onVersion {
		headers = []string{"If-Match", w.ask(t, "administrator", "GET", fmt.Sprintf("%s/incidents/%d", api.Prefix, object.ID), "").header.Get("ETag")}
	}
	if name == "stream" {
		if got := w.streamStatus(t, account); strconv.Itoa(got) != want {
			t.Errorf("stream as %q: %d, want %s", account, got, want)
		}
		return
	}
	a := w.ask(t, account, method, api.Prefix+fill.Replace(r.path), fill.Replace(r.body), headers...)
	if strconv.Itoa(a.status) != want {
		t.Errorf("%s as %q on incident %d: %d, want %s: %.200s", name, account, object.ID, a.status, want, a.body)
	}
	if a.status >= 400 {
		a.problem(t)
		if strings.Contains(string(a.body), "secret") {
			t.Errorf("%s as %q: the refusal tells a title: %s", name, account, a.body)
		}
	}
}

// streamStatus opens a stream and leaves.
func (w *world) streamStatus(t *testing.T, account string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+api.Prefix+"/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if account != "" {
		req.Header.Set("Authorization", "Bearer "+w.tokens[account])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// What each account is shown: the list, its total, the figures and the list
// behind them agree, and hold nothing out of scope.
func TestWhoSeesWhat(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		objects := w.objects(t)
		w.settle(t)
		for account, want := range map[string][]int{"administrator": {0, 1, 2}, "lead": {0, 1, 2}, "technician": {0, 1, 2}, "referent": {0, 1}, "declarant": {0}, "stranger": {2}} {
			ids := map[int64]bool{}
			for _, k := range want {
				ids[objects[k].ID] = true
			}
			c := w.as(t, account)
			page, err := c.Incidents(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != len(want) || len(page.Items) != len(want) {
				t.Errorf("%s: %d incidents, total %d, want %d", account, len(page.Items), page.Total, len(want))
			}
			for _, i := range page.Items {
				if !ids[i.ID] {
					t.Errorf("%s is shown incident %d", account, i.ID)
				}
			}
			if account == "declarant" {
				continue
			}
			res, err := c.Query(ctx, wire.StatsQuery{Measures: []string{"count"}, By: []string{"school"}})
			if err != nil {
				t.Fatal(err)
			}
			if *res.Total.Values["count"] != float64(len(want)) || res.Population != len(want) {
				raw, err := json.Marshal(res)
				t.Errorf("%s: figures %s %v", account, raw, err)
			}
		}
	})
}

// settle waits until the figures and the stream take account of all that was
// written. (The journal's head is not enough: on PostgreSQL it stays below any
// transaction in flight in the cluster, other tests' too.)
func (w *world) settle(tb testing.TB) {
	tb.Helper()
	var last int64
	err := w.db.Read(context.Background(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT max(seq) FROM event`).Scan(&last)
	})
	if err != nil {
		tb.Fatal(err)
	}
	for range 4000 {
		if w.cube.AsOf().Seq >= last && w.hub.Position().Seq >= last {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	tb.Fatal("the figures do not follow")
}
