package web

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestScreenshots takes a picture of each view into the folder that EDGELAB_SCREENSHOTS names: in a wide window and a narrow
// one, light and dark, and as it is printed. make screenshots asks for it. People look at the pictures.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("EDGELAB_SCREENSHOTS")
	if folder == "" {
		t.Skip("make screenshots takes pictures")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	b, srv := newBrowser(t), newSite(t)
	v := b.open(t, srv.URL)
	const broken = "/lab?s=source-deployment&off=external.san.sip.fabrikam.com"
	views := []struct{ name, path string }{
		{"home", "/"}, {"lessons", "/lessons"}, {"lesson", "/lessons/two-ekus"}, {"lesson-answered", "/lessons/two-ekus?guess=1"},
		{"plan", "/lab?s=source-deployment"}, {"plan-broken", broken}, {"plan-pool", "/lab?s=pool-dns&off=external.san.contoso.com"}, {"plan-stacks", "/lab?s=stacks&off=external.eku.client"},
		{"leg", "/leg?s=source-deployment&off=external.san.sip.fabrikam.com&leg=litware+-%3E+edge/fabrikam.com"},
		{"leg-xmpp", "/leg?s=renewal-2026&leg=edge/contoso.com+-%3E+northwind"},
		{"leg-trusted", "/leg?s=source-deployment&leg=edge/contoso.com+-%3E+litware"},
		{"matrix", "/matrix?s=source-deployment"}, {"time", "/time?s=source-deployment&ca=digicert&at=2027-03-15"},
		{"edit", "/edit?s=source-deployment"},
		{"edit-wrong", "/edit?t=" + pack("title: Mine\nbase: source-deployment\nsip-domians: [contoso.com]\ncertificates:\n  external: {eku: [servr]}\n")},
		{"products", "/products"}, {"product", "/products/prosody-0.12"}, {"explain", "/explain"}, {"word", "/explain/client-eku-missing"},
		{"trouble", "/lab?s=source-deploymnt"},
	}
	for _, look := range []struct {
		name, scheme, media string
		width, height       int64
	}{
		{"wide", "light", "", 1280, 900}, {"wide-dark", "dark", "", 1280, 900}, {"narrow", "light", "", 390, 844}, {"narrow-dark", "dark", "", 390, 844},
		{"printed", "dark", "print", 794, 1123}, // A4 at 96 pixels an inch; nobody prints black paper
	} {
		t.Run(look.name, func(t *testing.T) {
			features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}
			if _, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: look.media, Features: features}); err != nil {
				t.Fatal(err)
			}
			v.do(chromedp.EmulateViewport(look.width, look.height))
			for _, view := range views {
				v.visit(view.path)
				shot, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, view.name+"-"+look.name+".png"), shot, 0o644); err != nil {
					t.Fatal(err)
				}
				if wide := eval[int64](v, "document.documentElement.scrollWidth"); wide > look.width && look.media == "" {
					t.Errorf("%s is %d pixels wide in a window of %d", view.path, wide, look.width)
				}
			}
		})
	}
}
