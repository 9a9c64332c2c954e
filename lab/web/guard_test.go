package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/scenarios"
)

// request sends a request with headers of the test's own.
func request(t *testing.T, method, url, body string, header map[string]string) (status int, text string, h http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		if k == "Host" {
			req.Host = v
			continue
		}
		req.Header.Set(k, v)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	client.Transport = nil
	return resp.StatusCode, string(b), resp.Header
}

// Only who names the loopback as the host is answered.
func TestHost(t *testing.T) {
	srv := newSite(t)
	for host, want := range map[string]int{
		"127.0.0.1:8420": 200, "127.0.0.1": 200, "localhost:8420": 200, "LOCALHOST": 200, "[::1]:8420": 200, "127.9.9.9:1": 200,
		"evil.example": 403, "evil.example:8420": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example:8420": 403,
		"10.0.0.1:8420": 403, "0.0.0.0:8420": 403, "[::]:8420": 403, "127.0.0.1:0": 403, "127.0.0.1:http": 403, "localhost.": 403, "::1": 403,
	} {
		for _, path := range []string{"/", "/static/site.css", "/lab?s=nothing"} {
			status, body, _ := request(t, "GET", srv.URL+path, "", map[string]string{"Host": host})
			if (status == 403) != (want == 403) {
				t.Errorf("Host %s, %s: status %d, want %d: %s", host, path, status, want, body)
			}
		}
	}
}

// No page of another site makes this one do anything; links to it work.
func TestOtherSites(t *testing.T) {
	srv := newSite(t)
	form := "text=" + url.QueryEscape("base: source-deployment\n")
	for _, r := range []struct {
		name, method, path string
		header             map[string]string
		want               int
	}{
		{"a form of its own", "POST", "/edit", map[string]string{"Sec-Fetch-Site": "same-origin"}, 303},
		{"a form of another site", "POST", "/edit", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a form of another port", "POST", "/edit", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"an old browser's form of another site", "POST", "/edit", map[string]string{"Origin": "http://evil.example"}, 403},
		{"a sandboxed form", "POST", "/edit", map[string]string{"Origin": "null"}, 403},
		{"a link from another site", "GET", "/edit", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200},
		{"a picture on another site", "GET", "/lab?s=source-deployment", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
	} {
		body := ""
		if r.method == "POST" {
			body = form
			r.header["Content-Type"] = "application/x-www-form-urlencoded"
		}
		if status, text, _ := request(t, r.method, srv.URL+r.path, body, r.header); status != r.want {
			t.Errorf("%s: status %d, want %d: %s", r.name, status, r.want, text)
		}
	}
}

// Every answer forbids what pages don't do: foreign or inline script and style, frames, guessing of types.
func TestHeaders(t *testing.T) {
	srv := newSite(t)
	for _, path := range []string{"/", "/nope", "/static/site.js", "/edit"} {
		_, body, h := request(t, "GET", srv.URL+path, "", nil)
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q lacks %s", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, h)
		}
		if strings.HasPrefix(h.Get("Content-Type"), "text/html") && (strings.Contains(body, "<script>") || strings.Contains(body, "<style") || strings.Contains(body, " style=") || strings.Contains(body, " onclick=")) {
			t.Errorf("%s has something inline:\n%s", path, body)
		}
	}
}

// What is too much is refused, and says how much may be.
func TestLimits(t *testing.T) {
	srv := newSite(t)
	header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	long := strings.Repeat("# x\n", maxText/4+1)
	for name, body := range map[string]string{
		"a text above the bound": "text=" + url.QueryEscape(long),
		"a body above the bound": "text=" + strings.Repeat("a", maxBody+1),
		"other fields":           "x=" + strings.Repeat("a", maxBody+1),
	} {
		for _, path := range []string{"/edit", "/check"} {
			if status, text, _ := request(t, "POST", srv.URL+path, body, header); status != http.StatusRequestEntityTooLarge || !strings.Contains(text, "128 kB") {
				t.Errorf("%s to %s: status %d, want 413: %s", name, path, status, text)
			}
		}
	}
	// An address that unpacks to more than a scenario may have.
	bomb := pack(strings.Repeat("#", 8*maxText))
	if status, text, _ := request(t, "GET", srv.URL+"/lab?t="+bomb, "", nil); status != 400 || !strings.Contains(text, "more than") {
		t.Errorf("an address of %d bytes that unpacks to %d: status %d", len(bomb), 8*maxText, status)
	}
	// A scenario with more legs than the site makes.
	var many strings.Builder
	many.WriteString("base: source-deployment\npartners:\n")
	for i := range maxLegs {
		many.WriteString("  - {name: p" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + ", domain: p" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + ".example, protocol: sip, product: lync-2013}\n")
	}
	if status, text, _ := request(t, "GET", srv.URL+"/lab?t="+pack(many.String()), "", nil); status != 400 || !strings.Contains(text, "legs; the site makes 400 at most") {
		t.Errorf("a scenario with too many legs: status %d: %s", status, text)
	}
	if status, _, _ := request(t, "GET", srv.URL+"/lab?s=source-deployment"+strings.Repeat("&off=external.eku.client", maxSwitches+1), "", nil); status != 400 {
		t.Errorf("an address with too many switches: status %d, want 400", status)
	}
}

// evil is text that would act as markup where it isn't taken for text.
const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>"'>{{.}}</textarea><b id=evil>`

// What a visitor writes, in a scenario or in an address, is text on every page.
func TestMarkup(t *testing.T) {
	srv := newSite(t)
	quoted := strings.ReplaceAll(evil, "'", "''")
	named := "title: '" + quoted + "'\nteaches: '" + quoted + "'\nbase: source-deployment\ncertificates:\n  external: {add-san: [{uri: 'x:" + strings.ReplaceAll(quoted, " ", "") + "'}, {xmpp-addr: '" + strings.ReplaceAll(quoted, " ", "") + "'}]}\n"
	wrong := "title: '" + quoted + "'\n'" + quoted + "': 1\nbase: '" + quoted + "'\n"
	st := State{Text: named}
	escaped := url.QueryEscape(evil)
	for _, path := range []string{
		st.URL("lab"), st.URL("matrix"), st.URL("edit"), st.URL("time"), st.LegURL("edge/contoso.com -> northwind"), st.LegURL(evil),
		State{Text: wrong}.URL("edit"), State{Text: wrong}.URL("lab"), State{Text: evil}.URL("edit"),
		"/lab?s=" + escaped, "/lab?s=source-deployment&off=external.san." + escaped, "/lab?s=source-deployment&at=" + escaped, "/lab?s=source-deployment&ca=" + escaped,
		"/explain/" + url.PathEscape(evil), "/products/" + url.PathEscape(evil), "/" + url.PathEscape(evil), "/lab?t=" + escaped, "/lab?s=source-deployment&toggle=" + escaped,
	} {
		status, body, h := request(t, "GET", srv.URL+path, "", nil)
		if status == 303 { // to the editor
			_, body, h = request(t, "GET", srv.URL+h.Get("Location"), "", nil)
		}
		for _, raw := range []string{"<script>", "<img src=x", "<b id=evil", "onerror=alert(2)>"} {
			if strings.Contains(body, raw) {
				t.Errorf("%s: %q is on the page as markup (%s)", cut(path), raw, h.Get("Content-Type"))
			}
		}
		if status >= 500 {
			t.Errorf("%s: status %d: %s", cut(path), status, body)
		}
	}
	if _, body, _ := request(t, "GET", srv.URL+st.URL("lab"), "", nil); !strings.Contains(body, "&lt;script&gt;alert(1)") {
		t.Error("the title isn't on the page as text, so this test shows nothing")
	}
}

func TestListen(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0", "10.1.2.3:80", "example.com:80", "127.0.0.1", "", "localhost", "127.0.0.1:port", "127.0.0.1:99999"} {
		ln, err := Listen(t.Context(), address)
		var wrong *AddressError
		if !errors.As(err, &wrong) {
			t.Errorf("Listen(%q) gives %v, want an AddressError", address, err)
		}
		if ln != nil {
			ln.Close()
		}
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0", "127.8.4.2:0"} {
		ln, err := Listen(t.Context(), address)
		if err != nil {
			t.Errorf("Listen(%q): %v", address, err)
			continue
		}
		if a, ok := ln.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			t.Errorf("Listen(%q) listens on %s", address, ln.Addr())
		}
		ln.Close()
	}
}

// The site ends when it is told to, though a visitor waits for a run; the run is cancelled.
func TestServeEnds(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for range cap(s.runs.slots) { // no run gets on
		s.runs.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		client := &http.Client{}
		defer client.CloseIdleConnections()
		if resp, err := client.Get("http://" + ln.Addr().String() + "/lab?s=source-deployment"); err == nil {
			resp.Body.Close()
		}
	}()
	for s.runs.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	<-waiting
	if n := s.runs.count(); n != 0 {
		t.Errorf("%d runs are under way after the end", n)
	}
}

// A browser can't have more than its share of runs under way, and others go on.
func TestShare(t *testing.T) {
	r := newRuns(nil)
	for range clientRuns {
		if !r.enter("a") {
			t.Fatal("a run within the share is refused")
		}
	}
	if err := r.bounded(t.Context(), "a", func(context.Context) error { return nil }); !errors.Is(err, errBusy) {
		t.Errorf("a run above the share gives %v", err)
	}
	if err := r.bounded(t.Context(), "b", func(context.Context) error { return nil }); err != nil {
		t.Errorf("another browser's run gives %v", err)
	}
	r.leave("a")
	if !r.enter("a") {
		t.Error("a run is refused though one has ended")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range cap(r.slots) {
		r.slots <- struct{}{}
	}
	if err := r.bounded(ctx, "c", func(context.Context) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever is gone while waiting gets %v", err)
	}
}

// The runs that are kept are bounded, and the one used last stays.
func TestKept(t *testing.T) {
	r := newRuns(nil)
	run := func() *Run {
		var x Run
		x.Legs = make([]lab.LegResult, keptLegs/4)
		return &x
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		r.keep(key, run())
	}
	r.find("a")
	r.keep("e", run())
	for key, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true, "e": true} {
		if got := r.find(key) != nil; got != want {
			t.Errorf("%s is kept: %v, want %v", key, got, want)
		}
	}
	if r.legs > keptLegs || len(r.order) != len(r.kept) {
		t.Errorf("%d legs are kept in %d runs, and %d in order", r.legs, len(r.kept), len(r.order))
	}
}

func FuzzState(f *testing.F) {
	s, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("s=source-deployment&off=external.eku.client&on=internal.san.x&at=2027-03-15&ca=digicert")
	f.Add("t=" + pack(string(scenarios.Init())))
	f.Add("t=AA&off=external.san.sip%3Acontoso.com&toggle=x")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		st, err := parseState(q, s.profiles)
		if err != nil {
			return
		}
		u, err := url.Parse(st.URL("lab"))
		if err != nil {
			t.Fatalf("%q gives the address %q: %v", query, st.URL("lab"), err)
		}
		again, err := parseState(u.Query(), s.profiles)
		if err != nil || again.URL("lab") != st.URL("lab") {
			t.Errorf("%q gives the address %q, and that %q (%v)", query, st.URL("lab"), again.URL("lab"), err)
		}
		_, _ = s.load(st) // must not panic
	})
}
