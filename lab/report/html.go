package report

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/edgelab/edgelab/lab"
)

// The page: a template, and what it carries inside.
//
//go:embed page/page.html page/page.css page/page.js
var pageFiles embed.FS

// HTML writes r as one file for a browser: a summary, a matrix of scenarios and legs, and of each scenario its
// certificate plan and its legs, each with the judgements, what to change, and its evidence as a ladder. Nothing is
// loaded from anywhere: a content security policy forbids it, and allows no script and no style but the file's own. It
// reads without scripts; with them there is a search as well. A page of many legs has the details of those that went as
// expected packed, which only a script unfolds. Anchors are made of names, so that links to a leg outlive
// the run. The error is w's.
func HTML(w io.Writer, r *lab.Result, o Options) error {
	css, js := pageFile("page.css"), pageFile("page.js")
	var t *template.Template // which a function of its own needs
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"day": day, "ms": milliseconds, "tone": OutcomeTone, "sign": Sign, "vtone": VerdictTone, "took": seconds, "count": count,
		"css":    func() template.CSS { return template.CSS(css) }, //nolint:gosec // it is our own, embedded
		"js":     func() template.JS { return template.JS(js) },    //nolint:gosec // it is our own, embedded
		"packed": func(sc *pageScenario) (template.HTML, error) { return packed(t, sc) },
		"csp": func() string {
			return fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; img-src data:; base-uri 'none'; form-action 'none'", pin(css), pin(js))
		},
	}).ParseFS(pageFiles, "page/page.html")
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	if err := t.Execute(b, newPage(cleaned(r), o)); err != nil {
		return err
	}
	return b.Flush()
}

func pageFile(name string) string {
	text, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

// pin is the source expression that allows exactly this text (Content Security Policy Level 3, §2.3.1).
func pin(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }
