package api

import (
	"net/http"
	"time"
)

// outcome notes what was answered, for the log and the metrics.
type outcome struct {
	http.ResponseWriter

	status int
	bytes  int64
}

// WriteHeader notes the status.
func (o *outcome) WriteHeader(status int) {
	if o.status == 0 {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (o *outcome) Write(p []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(p)
	o.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection (streams flush).
func (o *outcome) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// finished writes one line a request, with its route and never its query, its
// token or the client's address, and tells the metrics. A live stream is logged
// and not measured: it lasts as long as its reader stays.
func (a *API) finished(r *http.Request, route string, o *outcome, begun time.Time) {
	if route == "" || route == "/" {
		route = "none"
	}
	took := a.deps.Clock().Sub(begun)
	status := o.status
	if status == 0 {
		status = http.StatusOK
	}
	a.deps.Log.InfoContext(r.Context(), "request", "id", requestOf(r.Context()).id, "method", r.Method, "route", route, "status", status, "bytes", o.bytes, "ms", took.Milliseconds())
	a.note(r, route, o, status)
	if a.deps.Observe != nil && route != "GET "+Prefix+"/stream" {
		a.deps.Observe(route, status, took)
	}
}
