package app

import (
	"log/slog"
	"reflect"
	"testing"
)

// A page whose room was not given would fail only when somebody opens it.
func TestPagesAreGivenEveryRoom(t *testing.T) {
	t.Parallel()
	a, err := New(t.Context(), Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	given := reflect.ValueOf(a.pages(ServeConfig{}, a.Auth.NewSessions(false), a.newMetrics()))
	for k := range given.NumField() {
		f := given.Field(k)
		switch f.Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Func:
			if f.IsNil() {
				t.Errorf("the pages are given no %s", given.Type().Field(k).Name)
			}
		default:
		}
	}
}
