package app

import (
	"net"
	"net/http"
	"strings"
)

// clientAddress says where a request comes from, for the throttling of
// sign-ins. Behind a proxy on the same machine that is the last address of
// X-Forwarded-For, the one that the proxy wrote itself: what stands before it
// is the client's own word. Nobody else is believed.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return r.RemoteAddr
	}
	said := r.Header.Values("X-Forwarded-For")
	if len(said) == 0 {
		return r.RemoteAddr
	}
	list := strings.Split(said[len(said)-1], ",")
	last := strings.TrimSpace(list[len(list)-1])
	if net.ParseIP(last) == nil {
		return r.RemoteAddr
	}
	return last
}
