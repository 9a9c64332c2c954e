package web

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// maxBody is the most bytes of a request: a scenario, percent-encoded at worst.
const maxBody = 4 * maxText

// contentPolicy is the content security policy of every page: what is loaded comes from this site, and nothing is inline.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard lets through what a page of this site may have asked for, and sets every answer's headers.
func guard(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection() // no POST from elsewhere
	origins.SetDenyHandler(refuse("This request comes from a page of another site."))
	inside := origins.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		switch {
		case !ownHost(r.Host):
			// A name of somebody else's that resolves to this machine: DNS rebinding.
			refuse("This site answers to localhost and 127.0.0.1 only, not to "+strconv.Quote(r.Host)+".")(w, r)
		case r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate":
			refuse("Only a link may lead here from another site.")(w, r)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			inside.ServeHTTP(w, r)
		}
	})
}

// refuse answers 403 in plain text: whoever it is for has no use for a page.
func refuse(why string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, why, http.StatusForbidden) }
}

// ownHost reports whether a Host header names this machine's loopback. The port may be any: it differs where the site is
// reached through a tunnel.
func ownHost(host string) bool {
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		port := host[i+1:]
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return false
		}
		name = host[:i]
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	return err == nil && a.IsLoopback() && a.Is4() != strings.HasPrefix(name, "[")
}
