// Package fault is the closed list of what can go wrong for a caller.
//
// A command or a read returns a *fault.Error when the caller can do something
// about it: the doors (web, API, command line) translate it. Any other error
// is "internal": it is logged with its cause and shown only as such.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of refusal an error is; each door maps it once (HTTP
// status, exit code).
type Code string

// The closed list of codes.
const (
	Invalid         Code = "invalid"         // the input breaks a rule; Fields say where
	NotFound        Code = "not_found"       // no such thing, or not in the reader's scope (never told apart)
	Forbidden       Code = "forbidden"       // the role lacks the right
	Unauthenticated Code = "unauthenticated" // nobody is signed in
	Conflict        Code = "conflict"        // somebody changed the same thing first
	TooMany         Code = "too_many"        // throttled; try again later
	TooLarge        Code = "too_large"       // a body, list or duration over its limit
	Unavailable     Code = "unavailable"     // a part is not ready yet
	Internal        Code = "internal"        // ours; never explained to the caller
)

// Field is one refusal tied to one input field.
type Field struct {
	Name string         // the input's field, as the door names it: "school", "priority"
	Key  string         // translation key of the sentence
	Args map[string]any // arguments of the sentence
	// Theirs is the value that stands now, for a conflict; nil otherwise.
	Theirs any
}

// Error is a refusal that the caller can understand and act upon.
type Error struct {
	Code   Code
	Key    string         // translation key: "error.incident.not_found"
	Args   map[string]any // arguments of the sentence
	Fields []Field        // per-field refusals, for Invalid and Conflict
	Err    error          // cause, for the log only
}

// Error gives the developer's view; a person reads the translation of Key.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Code, e.Key)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Name, f.Key)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes a refusal. Args come in pairs: name, value.
func New(code Code, key string, args ...any) *Error {
	return &Error{Code: code, Key: key, Args: pairs(args)}
}

// InvalidField makes an Invalid refusal of one field.
func InvalidField(field, key string, args ...any) *Error {
	return &Error{Code: Invalid, Key: "error.invalid", Fields: []Field{{Name: field, Key: key, Args: pairs(args)}}}
}

// CodeOf tells the code of err: Internal for an error that is not a refusal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Is tells whether err is a refusal of that code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }

// Fields gathers field refusals and becomes an error only if there are any.
type Fields []Field

// Add notes a refusal of one field. Args come in pairs: name, value.
func (f *Fields) Add(field, key string, args ...any) {
	*f = append(*f, Field{Name: field, Key: key, Args: pairs(args)})
}

// Err is nil when nothing was noted.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Code: Invalid, Key: "error.invalid", Fields: f}
}

func pairs(args []any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i].(string)] = args[i+1]
	}
	return m
}

// RetryAfter is how many seconds a throttled caller (TooMany, Unavailable)
// should wait, from the argument "seconds"; 0 if err does not say.
func RetryAfter(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		if n, ok := e.Args["seconds"].(int); ok {
			return n
		}
	}
	return 0
}
