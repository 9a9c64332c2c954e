package web

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take on a busy machine.
const patience = 60 * time.Second

// A browser is one headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// newBrowser starts Chromium for the length of a test.
func newBrowser(t *testing.T) browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium isn't installed, and with CI=true every test must run")
		}
		t.Skip("chromium isn't installed; .ci/tools says how to")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log(err)
		}
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium doesn't start: %v", err)
	}
	return browser{t, ctx}
}

// A tab is one window of a browser, with a profile of its own: what another person has. It notes what the page does that
// it mustn't.
type tab struct {
	t    *testing.T
	ctx  context.Context
	site string // where the site is

	mu       sync.Mutex
	requests int
	wrong    []string
}

// open opens a window.
func (b browser) open(t *testing.T, site string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	v := &tab{t: t, ctx: ctx, site: site}
	if err := chromedp.Listen(ctx, func(event any) {
		v.mu.Lock()
		defer v.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			v.requests++
			if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != site { // the browser's own icons are data
				v.wrong = append(v.wrong, "a request leaves the site: "+cut(e.Request.URL))
			}
		case *page.EventJavascriptDialogOpening:
			v.wrong = append(v.wrong, "a script that isn't the site's ran: "+e.Message)
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, w := range v.wrong {
			t.Error(w)
		}
		if v.requests == 0 {
			t.Error("no request was seen, so that none left the machine shows nothing")
		}
	})
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return v
}

// do acts, and fails the test if it can't be done in time.
func (v *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		v.t.Fatalf("%v, on %s:\n%s", err, v.url(), v.text("body"))
	}
}

// visit goes to a page of the site.
func (v *tab) visit(path string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.site + path))
	v.wait("footer")
}

// reload loads the page anew.
func (v *tab) reload() {
	v.t.Helper()
	v.do(chromedp.Reload())
	v.wait("footer")
}

// click clicks on what a selector means.
func (v *tab) click(selector string) {
	v.t.Helper()
	v.do(chromedp.Click(chromedp.CSS(selector)))
}

// press puts the focus on what a selector means, and presses a key.
func (v *tab) press(selector, key string) {
	v.t.Helper()
	v.do(chromedp.Focus(chromedp.CSS(selector)), chromedp.KeyEvent(key))
}

// wait waits until a selector means something on the page.
func (v *tab) wait(selector string) {
	v.t.Helper()
	v.until("document.readyState === 'complete' && document.querySelector(" + quote(selector) + ") !== null")
}

// eval returns what an expression is in the page.
func eval[T any](v *tab, expression string) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return out
}

// until waits until an expression is true in the page, whichever page that is by then.
func (v *tab) until(expression string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if ok && err == nil {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			v.t.Fatalf("it doesn't come to %s (%v), on %s:\n%s", expression, err, v.url(), v.text("body"))
		}
	}
}

func (v *tab) url() string { return eval[string](v, "location.href") }

// text returns what can be read of the first element that a selector means.
func (v *tab) text(selector string) string {
	v.t.Helper()
	return eval[string](v, "(document.querySelector("+quote(selector)+") || {innerText: ''}).innerText")
}

// has fails the test unless what a selector means has a text.
func (v *tab) has(selector, want string) {
	v.t.Helper()
	if got := v.text(selector); !strings.Contains(got, want) {
		v.t.Errorf("%s: %s has %q, want %q", v.url(), selector, got, want)
	}
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}
