package report_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A browser is a headless Chromium with one page open, and what was asked for and said meanwhile.
type browser struct {
	t       *testing.T
	ctx     context.Context
	address string

	mu       sync.Mutex
	requests []string
	said     []string // exceptions, violations of the content security policy, what couldn't be loaded
}

// open shows a page in a browser that can't find any host by its name.
func open(t *testing.T, page string, scripts bool) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium isn't installed, and with CI=true every test must run")
		}
		t.Skip("chromium isn't installed; .ci/tools says how to")
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"))
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	ctx, closed := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // closes the browser in order; cancel sees to it otherwise
		cancel()
		closed()
		stop()
	})
	b := &browser{t: t, ctx: ctx, address: (&url.URL{Scheme: "file", Path: file}).String()}
	if err := chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			b.requests = append(b.requests, e.Request.URL)
		case *runtime.EventExceptionThrown:
			b.said = append(b.said, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			b.said = append(b.said, e.Entry.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, struct{}{})
	call(b, runtime.Enable, struct{}{})
	if !scripts {
		call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	b.do(chromedp.Navigate(b.address))
	return b
}

func call[P, R any](b *browser, method cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, method, params); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// run runs a statement.
func (b *browser) run(statement string) {
	b.t.Helper()
	b.until("(() => { "+statement+"; return true })()", true)
}

// until waits until an expression comes to want.
func (b *browser) until(expression string, want any) {
	b.t.Helper()
	var got any
	for range 120 {
		var err error
		if got, err = chromedp.Run(b.ctx, chromedp.Evaluate[any](expression)); err != nil {
			b.t.Fatalf("%s: %v", expression, err)
		}
		if fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Errorf("%s is %v, want %v", expression, got, want)
}

// quiet fails the test if anything but the page itself was asked for, or the browser complained.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.requests {
		if page, _, _ := strings.Cut(r, "#"); page != b.address && !strings.HasPrefix(r, "data:") {
			b.t.Errorf("the page asks for %s", r)
		}
	}
	if len(b.requests) == 0 {
		b.t.Error("no request was seen, not even for the page, so that there is no other shows nothing")
	}
	for _, s := range b.said {
		b.t.Errorf("the browser says %s", s)
	}
}

// many is a result with more legs than a page has as they are.
func many() *lab.Result {
	first := scenario("first", refused(verdict.ClientEKUMissing), good("litware -> edge/contoso.com"))
	all := []lab.ScenarioResult{first, results()["faults"].Scenarios[0]}
	for i := range 60 {
		all = append(all, scenario(fmt.Sprintf("more-%02d", i), good("edge -> litware"), good(fmt.Sprintf("edge -> partner-%02d", i))))
	}
	return result(all...)
}

// The report works in a browser that knows no other host: legs unfold, links lead there, filters filter; and nothing
// is asked for but the file.
func TestHTMLInBrowser(t *testing.T) {
	r := many()
	b := open(t, write(t, report.FormatHTML, r, report.Options{Line: quote}), true)
	b.until(`document.readyState`, "complete")
	b.until(`document.getElementById("found").value`, fmt.Sprintf("%d legs shown", r.Counts().Legs))

	// A leg that went as expected is packed until it is opened.
	leg := `document.getElementById("more-05-edge-to-litware")`
	b.until(leg+`.querySelector(".facts") === null`, true)
	b.run(leg + `.parentElement.querySelector("summary").click()`)
	b.until(leg+`.querySelector(".facts") !== null && `+leg+`.textContent.includes("#more-05-edge-to-litware")`, true)

	// One that didn't is there as it is.
	b.until(`document.querySelector(".leg.notok[open] .ladder") !== null`, true)

	// A link leads to a leg that was closed, and to a certificate that was packed.
	b.run(`location.hash = "#more-07-edge-to-litware"`)
	b.until(`document.getElementById("more-07-edge-to-litware").parentElement.open`, true)
	b.until(`document.getElementById("more-07-edge-to-litware").querySelector(".facts") !== null`, true)
	certificate := `document.getElementById("contoso-certificate-external")`
	b.until(certificate+` === null`, true)
	b.run(`location.hash = "#contoso-certificate-external"`)
	b.until(certificate+` !== null && `+certificate+`.closest("details").open`, true)

	// Filters.
	b.do(chromedp.Focus(chromedp.CSS("#search")), chromedp.KeyEvent("more-07"))
	b.until(`document.getElementById("found").value`, "2 legs shown")
	b.until(`[...document.querySelectorAll(".matrix tbody tr")].filter((e) => e.offsetParent).length`, 1)
	b.run(`const s = document.getElementById("search"); s.value = ""; s.dispatchEvent(new Event("input"))`)
	b.do(chromedp.Click(chromedp.CSS("#show-differs")))
	b.until(`document.querySelectorAll(".leg.ok").length > 0 && [...document.querySelectorAll(".leg.ok")].every((e) => !e.offsetParent)`, true)
	b.do(chromedp.Click(chromedp.CSS("#show-all")))

	// Nothing is wider than the window, at a desk and in a hand, but what scrolls by itself.
	for _, width := range []int64{1400, 700, 360} {
		b.do(chromedp.EmulateViewport(width, 900))
		b.until(`document.documentElement.scrollWidth <= window.innerWidth`, true)
	}

	// Dark is dark, and print is dark on white and without what can't be clicked.
	paper := `getComputedStyle(document.body).backgroundColor`
	dark := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: dark})
	b.until(paper, "rgb(20, 24, 28)")
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: dark})
	b.until(paper, "rgb(255, 255, 255)")
	b.until(`getComputedStyle(document.querySelector(".filters")).display`, "none")
	b.quiet()
}

// Without scripts the summary, the matrix, and each leg's verdict and reason are there, and the page says what isn't.
func TestHTMLWithoutScripts(t *testing.T) {
	r := many()
	b := open(t, write(t, report.FormatHTML, r, report.Options{Line: quote}), false)
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{report.Closing(r), "Without scripts", "more-59", "aol refused the certificate that edge showed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the page without scripts", want)
		}
	}
	b.quiet()
}
