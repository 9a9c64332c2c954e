package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

func TestMain(m *testing.M) {
	// A log package beneath the CA begins this with the program and never ends it.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// newSite serves a site for the length of a test.
func newSite(t *testing.T) *httptest.Server {
	t.Helper()
	s, err := New(Options{Log: testLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		srv.Client().CloseIdleConnections()
		srv.Close()
	})
	return srv
}

// A testLog fails the test for what a site has to complain about.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Errorf("the site logs: %s", p)
	return len(p), nil
}

// get returns a page.
func get(t *testing.T, srv *httptest.Server, path string) (status int, body string) {
	t.Helper()
	resp, err := srv.Client().Get(srv.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// Every page answers, and says what it is about.
func TestPages(t *testing.T) {
	srv := newSite(t)
	for _, p := range []struct {
		path   string
		status int
		want   []string
	}{
		{"/", 200, []string{"The source deployment", `href="/lab?s=source-deployment"`, "Begin here"}},
		{"/lab?s=source-deployment", 200, []string{"All 18 legs work.", "External / Access Edge", "webcon.contoso.com", "fabrikam.com (XMPP namespace fabrikam.com)", `aria-checked="true"`}},
		{"/lab?s=source-deployment&off=external.san.sip.fabrikam.com", 200, []string{"3 of 18 legs are broken. The change broke 3.", "name-mismatch", "was trusted", "without sip.fabrikam.com"}},
		{"/lab?s=renewal-2026&on=external.eku.client", 200, []string{"The change mended 4.", "with the client EKU"}},
		{"/lab?s=source-deployment&off=internal.eku.server", 200, []string{"A certificate&#39;s last EKU stays", "All 18 legs work."}},
		{"/lab?s=source-deployment&off=external.san.nowhere.example", 200, []string{"nowhere.example, which this plan doesn&#39;t have"}},
		{"/lab?s=source-deployment&ca=digicert&at=2027-04-01", 200, []string{"4 of 18 legs are broken", "DigiCert, public TLS", "2027-04-01"}},
		{"/leg?s=renewal-2026&leg=edge/contoso.com+-%3E+aol", 200, []string{"client-eku-missing", "What to change", "ClientHello", "<i>DNS</i>", "aol-pic/eku-client", "reported first", "Both ends, side by side"}},
		{"/leg?s=source-deployment&leg=northwind+-%3E+edge/contoso.com", 200, []string{"Nothing to change", "stream:features", "EXTERNAL"}},
		{"/leg?s=source-deployment&leg=edge+-%3E+nobody", 404, []string{"no leg"}},
		{"/matrix?s=source-deployment", 200, []string{"external SAN sip.contoso.com", "breaks: name-mismatch", "breaks: client-eku-missing", "Every element is needed"}},
		{"/matrix?s=lync-partners", 200, []string{"Nothing needs"}},
		{"/time?s=source-deployment&ca=digicert&at=2027-02-28", 200, []string{"All 18 legs work.", "client EKU on request"}},
		{"/time?s=source-deployment&ca=digicert&at=2027-03-01", 200, []string{"4 of 18 legs are broken", "client-eku-gone", "ALERT53"}},
		{"/time?s=source-deployment&ca=digicert&at=2029-01-01&purchases=1", 200, []string{"first purchase", "renewal"}},
		{"/lessons", 200, []string{"Why the subject name must be in the SAN", `href="/lessons/subject-in-san"`}},
		{"/lessons/subject-in-san", 200, []string{"What do you think?", "See what happens", "sip.contoso.com"}},
		{"/lessons/subject-in-san?guess=3", 200, []string{"Your guess, and right.", "subject-not-in-san", "Now break it another way", "504 Server time-out"}},
		{"/lessons/subject-in-san?guess=1", 200, []string{"Your guess.", "This is what happens."}},
		{"/lessons/subject-in-san?guess=9", 400, []string{"1 to 4"}},
		{"/lessons/subject-in-sam", 404, []string{"subject-in-san"}},
		{"/edit", 200, []string{"nothing wrong", "sip-domains"}},
		{"/edit?s=renewal-2026", 200, []string{"base: source-deployment"}},
		{"/file?s=renewal-2026", 200, []string{"base: source-deployment"}},
		{"/products", 200, []string{"prosody-0.12", "Documented"}},
		{"/products/prosody-0.12", 200, []string{"s2s_secure_auth", "How it acts"}},
		{"/products/prosody-0.21", 404, []string{"did you mean"}},
		{"/explain", 200, []string{"client-eku-missing", "revocation"}},
		{"/explain/nobody", 404, nil},
		{"/lab?s=source-deploymnt", 404, []string{"source-deployment"}},
		{"/lab", 404, nil},
		{"/lab?s=../../go.mod", 404, nil},
		{"/lab?s=source-deployment&at=yesterday", 400, []string{"2027-03-15"}},
		{"/lab?s=source-deployment&ca=nobody", 400, []string{"letsencrypt"}},
		{"/lab?s=source-deployment&off=everything", 400, []string{"external.san."}},
		{"/lab?t=%21%21", 400, []string{"base64"}},
		{"/lab?t=" + strings.Repeat("A", maxPacked+1), 400, nil},
		{"/static/none.css", 404, nil},
	} {
		status, body := get(t, srv, p.path)
		if status != p.status {
			t.Errorf("%s: status %d, want %d\n%s", cut(p.path), status, p.status, body)
		}
		for _, w := range p.want {
			if !strings.Contains(body, w) {
				t.Errorf("%s doesn't have %q:\n%s", p.path, w, body)
			}
		}
	}
}

// There is a page for every verdict, every check, every rule and every product; each scenario is on the first page once.
func TestEverythingIsExplained(t *testing.T) {
	srv := newSite(t)
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	words := append(policy.CheckNames(), policies.RuleIDs()...)
	_, list := get(t, srv, "/explain")
	for _, part := range strings.Split(list, `href="/explain/`)[1:] {
		word, _, _ := strings.Cut(part, `"`)
		words = append(words, word)
	}
	for _, w := range words {
		if status, body := get(t, srv, "/explain/"+w); status != 200 || !strings.Contains(body, w) {
			t.Errorf("/explain/%s: status %d", w, status)
		}
	}
	for _, id := range policies.Names() {
		if status, body := get(t, srv, "/products/"+id); status != 200 || !strings.Contains(body, id) {
			t.Errorf("/products/%s: status %d", id, status)
		}
	}
	_, home := get(t, srv, "/")
	for _, name := range scenarios.Names() {
		if n := strings.Count(home, `href="/lab?s=`+name+`"`+">"); n < 1 || n > 2 {
			t.Errorf("%s is %d times on the first page", name, n)
		}
	}
}

// A switch's button works without scripts: it leads to the address in which it is turned, and back.
func TestSwitchWithoutScripts(t *testing.T) {
	srv := newSite(t)
	last := ""
	client := *srv.Client()
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		last = r.URL.RequestURI()
		return http.ErrUseLastResponse
	}
	for _, step := range []struct{ from, want string }{
		{"/lab?s=source-deployment&toggle=external.eku.client", "/lab?off=external.eku.client&s=source-deployment"},
		{"/lab?s=source-deployment&off=external.eku.client&toggle=external.eku.client", "/lab?s=source-deployment"},
		{"/lab?s=renewal-2026&toggle=external.eku.client", "/lab?on=external.eku.client&s=renewal-2026"},
		{"/lab?s=source-deployment&off=external.eku.client&toggle=external.san.contoso.com", "/lab?off=external.eku.client&off=external.san.contoso.com&s=source-deployment"},
	} {
		resp, err := client.Get(srv.URL + step.from)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got, _, _ := strings.Cut(last, "#"); resp.StatusCode != http.StatusSeeOther || got != step.want {
			t.Errorf("%s leads with status %d to %s, want %s", step.from, resp.StatusCode, got, step.want)
		}
	}
}

// The editor's text survives in the address, right or wrong, and what is wrong stands at its line.
func TestEditor(t *testing.T) {
	srv := newSite(t)
	right := "base: source-deployment\ntitle: Mine\ncertificates:\n  external: {omit-san: [fabrikam.com]}\n"
	wrong := "base: source-deployment\nsip-domians: [contoso.com]\n"
	for _, e := range []struct {
		text, path string
		want       []string
	}{
		{right, "/lab", []string{"<h1>Mine</h1>", "2 of 18 legs are broken."}},
		{wrong, "/edit", []string{"scenario.yaml:2:1", "sip-domains", `id="line-2" class="bad"`, "sip-domians: [contoso.com]"}},
		{"base: /etc/passwd\n", "/edit", []string{"here a scenario builds on one of the catalogue"}},
		{"base: ../../x.yaml\n", "/edit", []string{"here a scenario builds on one of the catalogue"}},
	} {
		resp, err := srv.Client().PostForm(srv.URL+"/edit", url.Values{"text": {e.text}})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || resp.Request.URL.Path != e.path {
			t.Errorf("%q leads to %s with status %d (%v), want %s", e.text, resp.Request.URL.Path, resp.StatusCode, err, e.path)
		}
		for _, w := range e.want {
			if !strings.Contains(string(body), w) {
				t.Errorf("%q: the page doesn't have %q:\n%s", e.text, w, body)
			}
		}
		st, err := unpack(resp.Request.URL.Query().Get("t"))
		if err != nil || st != e.text {
			t.Errorf("the address holds %q (%v), want %q", st, err, e.text)
		}
	}
	// A link to a plan whose text is wrong leads to the editor.
	if _, body := get(t, srv, "/lab?t="+pack(wrong)); !strings.Contains(body, "scenario.yaml:2:1") {
		t.Errorf("a link to a wrong text doesn't lead to its mistake:\n%s", body)
	}
}
