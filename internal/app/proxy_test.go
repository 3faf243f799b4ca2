package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestClientAddressBelievesOnlyTheLocalProxy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"nobody in between", "192.0.2.7:4000", nil, "192.0.2.7:4000"},
		{"a stranger's word", "192.0.2.7:4000", []string{"198.51.100.1"}, "192.0.2.7:4000"},
		{"the proxy's word", "127.0.0.1:4000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what a client said to the proxy", "127.0.0.1:4000", []string{"10.0.0.1, 198.51.100.1"}, "198.51.100.1"},
		{"in a header of its own", "[::1]:4000", []string{"10.0.0.1", "2001:db8::1"}, "2001:db8::1"},
		{"not an address", "127.0.0.1:4000", []string{"unknown"}, "127.0.0.1:4000"},
		{"a program on this machine", "127.0.0.1:4000", nil, "127.0.0.1:4000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			for _, f := range c.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			if got := clientAddress(r); got != c.want {
				t.Errorf("client address %q, wanted %q", got, c.want)
			}
		})
	}
}
