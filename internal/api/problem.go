package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"

	"github.com/danielgtaylor/huma/v2"

	"statincidents/internal/api/wire"
	"statincidents/internal/fault"
	"statincidents/internal/locale"
)

// Codes of the door itself, beside those of the house (fault.Code).
const (
	malformed            fault.Code = "malformed"
	methodNotAllowed     fault.Code = "method_not_allowed"
	preconditionRequired fault.Code = "precondition_required"
	idempotencyMismatch  fault.Code = "idempotency_mismatch"
)

// statuses maps each code to its HTTP status, once.
var statuses = map[fault.Code]int{
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.NotFound:        http.StatusNotFound,
	fault.Forbidden:       http.StatusForbidden,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Conflict:        http.StatusConflict,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Internal:        http.StatusInternalServerError,
	malformed:             http.StatusBadRequest,
	methodNotAllowed:      http.StatusMethodNotAllowed,
	preconditionRequired:  http.StatusPreconditionRequired,
	idempotencyMismatch:   http.StatusUnprocessableEntity,
}

// codes lists the codes in the order of the documentation page.
var codes = []fault.Code{
	fault.Invalid, malformed, fault.Unauthenticated, fault.Forbidden, fault.NotFound, methodNotAllowed, fault.Conflict,
	preconditionRequired, idempotencyMismatch, fault.TooMany, fault.TooLarge, fault.Unavailable, fault.Internal,
}

// problem translates an error for the request's reader. What is not a refusal
// is internal: logged with its cause, told without it.
func (a *API) problem(ctx context.Context, err error) *wire.Problem {
	if p, ok := errors.AsType[*wire.Problem](err); ok {
		return p
	}
	req := requestOf(ctx)
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded):
		f = fault.New(fault.Unavailable, "error.api.timeout", "seconds", 5)
	case errors.Is(err, context.Canceled):
		f = fault.New(fault.Unavailable, "error.api.cancelled")
	default:
		f = fault.New(fault.Internal, "error.internal")
	}
	if f.Code == fault.Internal {
		a.deps.Log.ErrorContext(ctx, "api: internal error", "error", err, "method", req.method, "path", req.path, "request_id", req.id)
	}
	return describe(req, f)
}

// describe writes a refusal in the request's language.
func describe(req *request, f *fault.Error) *wire.Problem {
	p := locale.For(req.language, req.location)
	summary, fields := p.Error(f)
	problem := &wire.Problem{
		Type: Prefix + "/docs#" + string(f.Code), Title: p.T("api.problem." + string(f.Code)), Status: statuses[f.Code], Detail: summary,
		Instance: req.path, Code: string(f.Code), Key: f.Key, RequestID: req.id, RetryAfter: fault.RetryAfter(f),
	}
	if problem.Status == 0 {
		problem.Status = http.StatusInternalServerError
	}
	seen := map[string]bool{} // the sentences of one field are joined
	for _, field := range f.Fields {
		if seen[field.Name] {
			continue
		}
		seen[field.Name] = true
		problem.Errors = append(problem.Errors, wire.ProblemField{Field: field.Name, Detail: fields[field.Name], Key: field.Key, Theirs: field.Theirs})
	}
	return problem
}

// refuse writes a refusal outside of huma.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := a.problem(r.Context(), err)
	h := w.Header()
	maps.Copy(h, p.GetHeaders())
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		a.deps.Log.DebugContext(r.Context(), "api: write a refusal", "error", err)
	}
}

func init() {
	// huma's own refusals (a body that does not fit the schema) take the same form.
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return schemaProblem(context.Background(), status, msg, errs)
	}
	huma.NewErrorWithContext = func(c huma.Context, status int, msg string, errs ...error) huma.StatusError {
		ctx := context.Background()
		if c != nil {
			ctx = c.Context()
		}
		return schemaProblem(ctx, status, msg, errs)
	}
}

// schemaProblem turns huma's complaints about the form of the input into ours.
func schemaProblem(ctx context.Context, status int, msg string, errs []error) *wire.Problem {
	f := &fault.Error{Code: fault.Invalid, Key: "error.invalid"}
	switch status {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType:
		f.Code, f.Key = malformed, "error.api.malformed"
	case http.StatusRequestEntityTooLarge:
		f.Code, f.Key = fault.TooLarge, "error.too_large"
	case http.StatusRequestTimeout:
		f.Code, f.Key = fault.Unavailable, "error.api.slow_body"
	case http.StatusInternalServerError:
		f.Code, f.Key = fault.Internal, "error.internal"
	}
	for _, err := range errs {
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok && f.Code != fault.Internal {
			name, key, args := complaint(d)
			f.Fields = append(f.Fields, fault.Field{Name: name, Key: key, Args: args})
		}
	}
	p := describe(requestOf(ctx), f)
	if status == http.StatusUnsupportedMediaType || status == http.StatusRequestTimeout {
		p.Status = status
	}
	_ = msg // English, and ours says the same
	return p
}

var (
	location = regexp.MustCompile(`^(?:body|query|path|header)\.`)
	property = regexp.MustCompile(`required property ([a-z0-9_]+) to be present`)
)

// complaint names the field of a schema's complaint as we do, and gives the
// sentence that says it; the schema's own words stay in the argument.
func complaint(d *huma.ErrorDetail) (name, key string, args map[string]any) {
	name = location.ReplaceAllString(d.Location, "")
	if m := property.FindStringSubmatch(d.Message); m != nil {
		if name == "body" || name == "" {
			name = m[1]
		} else {
			name += "." + m[1]
		}
		return name, "error.field.required", nil
	}
	if d.Message == "unexpected property" || d.Message == "unknown query parameter" {
		return name, "error.api.unexpected", nil
	}
	return name, "error.api.form", map[string]any{"expected": d.Message}
}
