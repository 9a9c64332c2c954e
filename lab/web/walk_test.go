package web

import (
	"errors"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// cutOff is set where the test runs again in a network of its own, with nothing in it but the loopback.
const cutOff = "EDGELAB_CUT_OFF"

// TestBrowser drives the site in a real browser, on a machine that is cut off from every network.
func TestBrowser(t *testing.T) {
	if os.Getenv(cutOff) == "" {
		again(t)
		return
	}
	if _, err := net.Dial("tcp", "192.0.2.1:80"); !errors.Is(err, syscall.ENETUNREACH) {
		t.Fatalf("the network isn't cut off: %v", err)
	}
	b, srv := newBrowser(t), newSite(t)
	for _, w := range []struct {
		name string
		walk func(*testing.T, browser, *httptest.Server)
	}{
		{"a lesson", walkLesson}, {"a switch, and the ladder", walkSwitch}, {"the slider", walkSlider}, {"two people", walkTwo},
		{"the editor", walkEditor}, {"without scripts", walkPlain}, {"markup", walkMarkup}, {"names for all that acts", walkNames},
	} {
		t.Run(w.name, func(t *testing.T) { w.walk(t, b, srv) })
	}
}

// again runs this test in a network namespace of its own.
func again(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `ip link set lo up && exec "$@"`, "sh", os.Args[0], "-test.run=^TestBrowser$", "-test.v=true", "-test.timeout=20m")
	cmd.Env = append(os.Environ(), cutOff+"=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil && strings.Contains(string(out), "--- SKIP: TestBrowser"):
		t.Skipf("%s", out)
	case err == nil:
	case errors.Is(err, syscall.EPERM) && os.Getenv("CI") != "true":
		t.Skip("this user can't have a network of its own, which the test needs")
	default:
		t.Errorf("%v\n%s", err, out)
	}
}

// A newcomer takes the first lesson, guesses wrong, reads why, and goes on to the plan and to another way to break it.
func walkLesson(t *testing.T, b browser, srv *httptest.Server) {
	v := b.open(t, srv.URL)
	v.visit("/")
	v.click(`a[href="/lessons/subject-in-san"]`)
	v.wait(".guess")
	if strings.Contains(v.text("main"), "Why") && v.text("#h-why") != "" {
		t.Error("the answer is told before a guess is made")
	}
	v.click(`input[name=guess][value="1"]`)
	v.click(".guess button")
	v.wait("#h-run")
	v.has(".choice.wrong", "Your guess")
	v.has(".choice.right", "This is what happens")
	v.has("#h-why", "Why")
	v.click(".panel a.button")
	v.wait(".verdictbox")
	v.has(".card", "litware")
}

// A SAN is switched off in place: the legs break, and it is said; the leg's ladder tells why; nothing is lost on reload.
func walkSwitch(t *testing.T, b browser, srv *httptest.Server) {
	const san, other = "#switch-external\\.san\\.sip\\.fabrikam\\.com", "#switch-external\\.eku\\.client"
	v := b.open(t, srv.URL)
	v.visit("/lab?s=source-deployment")
	v.has(".said", "All 18 legs work.")
	eval[bool](v, "window.same = true")
	v.press(san, " ") // by keyboard
	v.wait(".verdictbox.bad")
	v.has(".said", "3 of 18 legs are broken. The change broke 3.")
	if !eval[bool](v, "window.same === true") {
		t.Error("the page was loaded anew, though scripts run")
	}
	if got := eval[string](v, "document.getElementById('said').textContent"); !strings.Contains(got, "3 of 18 legs are broken") || !strings.Contains(got, "remote-user -> edge/fabrikam.com (name-mismatch)") {
		t.Errorf("those who listen are told %q", got)
	}
	if got := eval[string](v, "document.activeElement.id"); got != "switch-external.san.sip.fabrikam.com" {
		t.Errorf("the focus is on %q", got)
	}
	const leg = "#leg-litware-to-edge-fabrikam\\.com"
	v.has(leg, "name-mismatch")
	if red, paper := eval[string](v, "getComputedStyle(document.querySelector("+quote(leg)+")).backgroundColor"), eval[string](v, "getComputedStyle(document.body).backgroundColor"); red == paper {
		t.Errorf("the broken leg is drawn like any other (%s)", red)
	}
	if got := v.url(); got != srv.URL+"/lab?off=external.san.sip.fabrikam.com&s=source-deployment" {
		t.Errorf("the address is %s", got)
	}

	// Quick hands: both changes count.
	eval[bool](v, "document.querySelector("+quote(other)+").click(), document.querySelector('#switch-external\\\\.san\\\\.webcon\\\\.contoso\\\\.com').click(), true")
	v.until("location.search.includes('webcon') && !document.querySelector('[aria-busy]')")
	v.has(".said", "8 of 18 legs are broken.")

	// Back and forth.
	v.do(chromedp.NavigateBack())
	v.until("document.querySelector('.said').textContent.includes('3 of 18')")
	v.reload()
	v.has(".said", "3 of 18 legs are broken.")
	if got := eval[string](v, "document.querySelector("+quote(san)+").getAttribute('aria-checked')"); got != "false" {
		t.Errorf("after a reload the switch is %s", got)
	}

	v.click("#only-broken")
	if n := eval[int](v, "[...document.querySelectorAll('.card')].filter(c => c.offsetParent).length"); n != 2 {
		t.Errorf("%d cards are shown with the broken ones only, want litware and the deployment's own", n)
	}
	v.click(leg)
	v.wait(".ladder")
	v.has("h1", "name-mismatch")
	v.has(".mend", "sip.fabrikam.com")
	v.has(".certificate tr.bad", "SAN")
	for _, want := range []string{"DNS", "ClientHello", "CN=sip.contoso.com", "name-mismatch", "lync/host"} {
		v.has(".ladder", want)
	}
	v.has(".side:nth-child(1)", "litware")
	v.has(".side:nth-child(2)", "edge")
	v.reload()
	v.has("h1", "name-mismatch")
	v.click(".mend a.button")
	v.wait(".ladder")
	v.has("h1", "trusted")
}

// The slider is moved by keyboard to a day on which the CA no longer sells the client EKU.
func walkSlider(t *testing.T, b browser, srv *httptest.Server) {
	v := b.open(t, srv.URL)
	v.visit("/time?s=source-deployment")
	v.has(".said", "All 18 legs work.")
	v.press("#slider", kb.End)
	v.wait(".verdictbox.bad")
	v.has(".said", "4 of 18 legs are broken.")
	v.has(".finding", "client-eku-gone")
	if got := v.url(); !strings.Contains(got, "at=2030-01-01") || !strings.Contains(got, "ca=digicert") {
		t.Errorf("the address is %s", got)
	}
	v.do(chromedp.KeyEvent(kb.Home))
	v.wait(".verdictbox.good")
	if got := eval[string](v, "document.activeElement.id"); got != "slider" {
		t.Errorf("the focus is on %q", got)
	}
	eval[bool](v, "document.getElementById('ca').value = 'letsencrypt', document.getElementById('ca').dispatchEvent(new Event('change'))")
	v.until("location.search.includes('ca=letsencrypt') && !document.querySelector('[aria-busy]')")
	v.click(".card a.leg")
	v.wait(".ladder")
}

// Two people switch different things at the same time, and each sees their own.
func walkTwo(t *testing.T, b browser, srv *httptest.Server) {
	one, two := b.open(t, srv.URL), b.open(t, srv.URL)
	one.visit("/lab?s=source-deployment")
	two.visit("/lab?s=source-deployment")
	client, san := "document.getElementById('switch-external.eku.client').click(), true", "document.getElementById('switch-external.san.webcon.contoso.com').click(), true"
	for range 3 {
		eval[bool](one, client)
		eval[bool](two, san)
		one.until("!document.querySelector('[aria-busy]') && location.search.includes('client')")
		two.until("!document.querySelector('[aria-busy]') && location.search.includes('webcon')")
		one.has(".said", "4 of 18 legs are broken.")
		one.has(".changed", "without the client EKU.")
		two.has(".said", "1 of 18 legs is broken.")
		two.has(".changed", "without webcon.contoso.com.")
		eval[bool](one, client)
		eval[bool](two, san)
		one.until("!document.querySelector('[aria-busy]') && !location.search.includes('client')")
		two.until("!document.querySelector('[aria-busy]') && !location.search.includes('webcon')")
		one.has(".said", "All 18 legs work.")
		two.has(".said", "All 18 legs work.")
	}
}

// What is wrong stands beside its line while one writes; what is written survives a reload, and runs.
func walkEditor(t *testing.T, b browser, srv *httptest.Server) {
	v := b.open(t, srv.URL)
	v.visit("/edit?s=renewal-2026")
	v.has("#verdict", "nothing wrong")
	v.click("#text")
	v.do(chromedp.KeyEvent(kb.End), chromedp.KeyEvent("\nsip-domians: [contoso.com]"))
	v.wait(".problems li")
	v.has(".problems", "sip-domains")
	line := v.text("#gutter li.bad")
	if got := eval[string](v, "document.getElementById('text').value.split('\\n')["+line+" - 1]"); got != "sip-domians: [contoso.com]" {
		t.Errorf("the mistake is marked at line %s, %q", line, got)
	}
	v.reload()
	v.wait(".problems li")
	if got := eval[string](v, "document.getElementById('text').value"); !strings.Contains(got, "sip-domians") {
		t.Errorf("after a reload the editor has %q", got)
	}
	v.click("#discard")
	v.until("document.getElementById('verdict').textContent.includes('nothing wrong')")
	eval[bool](v, "document.getElementById('text').value = 'title: Mine\\nbase: source-deployment\\ncertificates:\\n  external: {eku: [client]}\\n', true")
	v.click("#editor button[type=submit]")
	v.wait(".verdictbox.bad")
	v.has("h1", "Mine")
	v.reload()
	v.has("h1", "Mine")
	v.click(`.tabs a[href^="/edit"]`)
	v.wait("#text")
	if got := eval[string](v, "document.getElementById('text').value"); !strings.HasPrefix(got, "title: Mine\n") {
		t.Errorf("the editor has %q", got)
	}
}

// With scripts off the switches, the slider's date and the editor work, a page at a time.
func walkPlain(t *testing.T, b browser, srv *httptest.Server) {
	v := b.open(t, srv.URL)
	if _, err := chromedp.Call(v.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	v.visit("/lab?s=source-deployment")
	v.click("#switch-external\\.eku\\.client")
	v.wait(".verdictbox.bad")
	v.has(".said", "4 of 18 legs are broken.")
	v.click(`.tabs a[href^="/time"]`)
	v.wait(".timeform")
	v.click(".timeform button")
	v.until("location.search.includes('at=') && document.readyState === 'complete'")
	v.has("#h-comes", "What comes")
	v.visit("/edit?s=source-deployment")
	v.click("#editor button[type=submit]")
	v.wait(".verdictbox.good")
}

// A scenario that holds markup is shown as it was written, and none of it acts.
func walkMarkup(t *testing.T, b browser, srv *httptest.Server) {
	v := b.open(t, srv.URL)
	quoted := strings.ReplaceAll(evil, "'", "''")
	text := "title: '" + quoted + "'\nteaches: '" + quoted + "'\nbase: source-deployment\ncertificates:\n  external: {add-san: [{uri: 'x:" + strings.ReplaceAll(quoted, " ", "") + "'}]}\n"
	st := State{Text: text}
	for _, path := range []string{st.URL("lab"), st.URL("edit"), st.URL("matrix"), st.LegURL("edge/contoso.com -> litware"), "/lab?s=" + url.QueryEscape(evil)} {
		v.visit(path)
		if eval[bool](v, "document.getElementById('evil') !== null || document.querySelector('main script, main img') !== null") {
			t.Errorf("%s: what a visitor wrote is markup", cut(path))
		}
	}
	v.visit(st.URL("lab"))
	v.has("h1", "<script>alert(1)</script>")
}

// acting are the roles of what a visitor can act on.
var acting = map[string]bool{
	"button": true, "switch": true, "link": true, "textbox": true, "searchbox": true, "slider": true, "combobox": true,
	"checkbox": true, "radio": true, "spinbutton": true, "image": true, "table": true, "navigation": true,
}

// All that acts has a name for those who don't see it, and each page has one heading of the first level.
func walkNames(t *testing.T, b browser, srv *httptest.Server) {
	v := b.open(t, srv.URL)
	for _, path := range []string{
		"/", "/lab?s=source-deployment&off=external.eku.client", "/leg?s=source-deployment&off=external.eku.client&leg=edge/contoso.com+-%3E+aol",
		"/matrix?s=sip-federation", "/time?s=source-deployment", "/edit", "/products", "/explain/client-eku-missing", "/lessons/two-ekus?guess=1",
	} {
		v.visit(path)
		tree, err := chromedp.Call(v.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, n := range tree.Nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			role, name := strings.Trim(string(n.Role.Value), `"`), ""
			if n.Name != nil {
				name = strings.Trim(string(n.Name.Value), `"`)
			}
			if !acting[role] || role == "table" {
				continue
			}
			seen++
			if strings.TrimSpace(name) == "" {
				t.Errorf("%s: a %s has no name (node %d)", path, role, n.BackendDOMNodeID)
			}
		}
		if seen < 5 {
			t.Errorf("%s: only %d things act", path, seen)
		}
		if n := eval[int](v, "document.querySelectorAll('h1').length"); n != 1 {
			t.Errorf("%s has %d headings of the first level", path, n)
		}
		if ids := eval[[]string](v, "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)"); len(ids) > 0 {
			t.Errorf("%s has these IDs twice: %v", path, ids)
		}
	}
}
