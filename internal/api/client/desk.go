package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"statincidents/internal/api/wire"
)

// send makes a change that is not repeated by itself, and reads the answer.
func send[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var out T
	err := c.do(ctx, call{method: method, path: path, body: body}, &out)
	return out, err
}

// tell makes a change that has no answer and may be repeated without harm.
func (c *Client) tell(ctx context.Context, method, path string, query url.Values, body any) error {
	return c.do(ctx, call{method: method, path: path, query: query, body: body, again: true}, nil)
}

// Clock tells how the service clocks of an incident stand, line by line.
func (c *Client) Clock(ctx context.Context, incident int64) (wire.Clock, error) {
	return get[wire.Clock](ctx, c, "incidents/"+number(incident)+"/clock", nil)
}

// ServiceTargets gives what is promised.
func (c *Client) ServiceTargets(ctx context.Context) (wire.ServiceTargets, error) {
	return get[wire.ServiceTargets](ctx, c, "service-targets", nil)
}

// SaveServiceTarget promises something from a day on.
func (c *Client) SaveServiceTarget(ctx context.Context, in wire.ServiceTarget) error {
	return c.tell(ctx, http.MethodPut, "service-targets", nil, in)
}

// RemoveServiceTarget takes a target back that begins today or later.
func (c *Client) RemoveServiceTarget(ctx context.Context, in wire.ServiceTarget) error {
	return c.tell(ctx, http.MethodDelete, "service-targets", url.Values{"priority": {strconv.Itoa(in.Priority)}, "category": {number(in.Category)}, "from": {in.From}}, nil)
}

// Labels gives the QR labels of a school whose link works.
func (c *Client) Labels(ctx context.Context, school int64) iter.Seq2[wire.Label, error] {
	return all[wire.Label](ctx, c, "schools/"+number(school)+"/labels", nil)
}

// MakeLabels gives a label to each place, in order; said twice it makes none
// anew.
func (c *Client) MakeLabels(ctx context.Context, school int64, places ...wire.LabelPlace) ([]wire.Label, error) {
	var out wire.Page[wire.Label]
	err := c.do(ctx, call{method: http.MethodPost, path: "schools/" + number(school) + "/labels", body: wire.NewLabels{Places: places}, again: true}, &out)
	return out.Items, err
}

// RevokeLabel kills the link of a label.
func (c *Client) RevokeLabel(ctx context.Context, label int64) error {
	return c.tell(ctx, http.MethodDelete, "labels/"+number(label), nil, nil)
}

// Presets gives the templates ("template") or macros ("macro") that the account
// may use.
func (c *Client) Presets(ctx context.Context, kind string) ([]wire.Preset, error) {
	out, err := get[wire.Presets](ctx, c, "presets", url.Values{"kind": {kind}})
	return out.Items, err
}

// SavePreset keeps a preset (ID 0) or changes the one of that ID.
func (c *Client) SavePreset(ctx context.Context, p wire.Preset) (wire.Preset, error) {
	method, path := http.MethodPost, "presets"
	if p.ID != 0 {
		method, path = http.MethodPut, path+"/"+number(p.ID)
		p.ID = 0
	}
	return send[wire.Preset](ctx, c, method, path, p)
}

// RemovePreset takes a preset away.
func (c *Client) RemovePreset(ctx context.Context, preset int64) error {
	return c.tell(ctx, http.MethodDelete, "presets/"+number(preset), nil, nil)
}

// PreviewBatch tells what a change would do to many incidents.
func (c *Client) PreviewBatch(ctx context.Context, in wire.NewBatch) (wire.BatchPreview, error) {
	return send[wire.BatchPreview](ctx, c, http.MethodPost, "batches/preview", in)
}

// StartBatch changes many incidents; Batch follows it.
func (c *Client) StartBatch(ctx context.Context, in wire.NewBatch) (wire.Batch, error) {
	return send[wire.Batch](ctx, c, http.MethodPost, "batches", in)
}

// Batch tells how far a batch is.
func (c *Client) Batch(ctx context.Context, batch int64) (wire.Batch, error) {
	return get[wire.Batch](ctx, c, "batches/"+number(batch), nil)
}

// UndoBatch takes a batch back.
func (c *Client) UndoBatch(ctx context.Context, batch int64) (wire.Batch, error) {
	return send[wire.Batch](ctx, c, http.MethodPost, "batches/"+number(batch)+"/undo", nil)
}

// Views gives the saved views that the account sees.
func (c *Client) Views(ctx context.Context) ([]wire.View, error) {
	out, err := get[wire.Views](ctx, c, "views", nil)
	return out.Items, err
}

// SaveView keeps a view (ID 0) or changes the one of that ID.
func (c *Client) SaveView(ctx context.Context, v wire.View) (wire.View, error) {
	method, path := http.MethodPost, "views"
	if v.ID != 0 {
		method, path = http.MethodPut, path+"/"+number(v.ID)
	}
	v.ID, v.Owner, v.MayChange = 0, 0, false
	return send[wire.View](ctx, c, method, path, v)
}

// RemoveView takes a saved view away.
func (c *Client) RemoveView(ctx context.Context, view int64) error {
	return c.tell(ctx, http.MethodDelete, "views/"+number(view), nil, nil)
}

// Stock gives the items, the places, and how many lie where.
func (c *Client) Stock(ctx context.Context) (wire.Stock, error) {
	return get[wire.Stock](ctx, c, "stock", nil)
}

// SaveItem adds an item to the stock (ID 0) or changes the one of that ID, and
// gives its number.
func (c *Client) SaveItem(ctx context.Context, id int64, in wire.NewItem) (int64, error) {
	return c.saveStock(ctx, "stock/items", id, in)
}

// SavePlace adds a place (ID 0) or changes the one of that ID, and gives its
// number.
func (c *Client) SavePlace(ctx context.Context, id int64, in wire.NewStockPlace) (int64, error) {
	return c.saveStock(ctx, "stock/places", id, in)
}

func (c *Client) saveStock(ctx context.Context, path string, id int64, in any) (int64, error) {
	method := http.MethodPost
	if id != 0 {
		method, path = http.MethodPut, path+"/"+number(id)
	}
	made, err := send[wire.Made](ctx, c, method, path, in)
	return made.ID, err
}

// Book books a movement, and gives the lines that it made.
func (c *Client) Book(ctx context.Context, in wire.NewMovement) ([]wire.Movement, error) {
	out, err := send[wire.Movements](ctx, c, http.MethodPost, "stock/movements", in)
	return out.Items, err
}

// Jobs gives what the program does by itself; the query's parameters are those
// of the API's documentation.
func (c *Client) Jobs(ctx context.Context, query url.Values) (wire.Jobs, error) {
	return get[wire.Jobs](ctx, c, "jobs", query)
}

// CancelJob keeps a waiting job from being run.
func (c *Client) CancelJob(ctx context.Context, job int64) error {
	return c.do(ctx, call{method: http.MethodPost, path: "jobs/" + number(job) + "/cancel"}, nil)
}

// RetryJob tries a job again now.
func (c *Client) RetryJob(ctx context.Context, job int64) error {
	return c.do(ctx, call{method: http.MethodPost, path: "jobs/" + number(job) + "/retry"}, nil)
}

// Problem gives one problem.
func (c *Client) Problem(ctx context.Context, id int64) (wire.ProblemRecord, error) {
	return get[wire.ProblemRecord](ctx, c, "problems/"+number(id), nil)
}

// OpenProblem records a new problem.
func (c *Client) OpenProblem(ctx context.Context, in wire.NewProblem) (wire.ProblemRecord, error) {
	return send[wire.ProblemRecord](ctx, c, http.MethodPost, "problems", in)
}

// SaveProblem changes what a problem says; version is the one that was looked
// at.
func (c *Client) SaveProblem(ctx context.Context, id, version int64, in wire.NewProblem) (wire.ProblemRecord, error) {
	var out wire.ProblemRecord
	err := c.do(ctx, call{method: http.MethodPut, path: "problems/" + number(id), query: url.Values{"version": {number(version)}}, body: in}, &out)
	return out, err
}

// Article gives one article of the knowledge base.
func (c *Client) Article(ctx context.Context, id int64) (wire.Article, error) {
	return get[wire.Article](ctx, c, "articles/"+number(id), nil)
}

// WriteArticle writes an article.
func (c *Client) WriteArticle(ctx context.Context, in wire.NewArticle) (wire.Article, error) {
	return send[wire.Article](ctx, c, http.MethodPost, "articles", in)
}

// SaveArticle changes an article; version is the one that was looked at.
func (c *Client) SaveArticle(ctx context.Context, id, version int64, in wire.NewArticle) (wire.Article, error) {
	var out wire.Article
	err := c.do(ctx, call{method: http.MethodPut, path: "articles/" + number(id), query: url.Values{"version": {number(version)}}, body: in}, &out)
	return out, err
}
