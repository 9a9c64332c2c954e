package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/lesson"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

//go:embed page/*.html
var pageFiles embed.FS

//go:embed static
var staticFiles embed.FS

// Options are what a site can be told.
type Options struct {
	Log io.Writer // what goes wrong with connections and pages; nil: nobody is told
}

// A Site is the training site. It is safe for concurrent use.
type Site struct {
	opts     Options
	policies *policy.Catalogue
	profiles *profile.Profiles
	runs     *runs
	shelves  []Shelf // the catalogue, which never changes
	lessons  []lesson.Lesson
	pages    map[string]*template.Template
	static   map[string]asset // by path
}

// New returns a site. The error is one of the program's own data.
func New(opts Options) (*Site, error) {
	if opts.Log == nil {
		opts.Log = io.Discard
	}
	policies, err := policy.Load()
	if err != nil {
		return nil, err
	}
	profiles, err := profile.Load()
	if err != nil {
		return nil, err
	}
	s := &Site{opts: opts, policies: policies, profiles: profiles, runs: newRuns(policies), pages: map[string]*template.Template{}}
	if s.static, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.shelves, err = s.catalogue(); err != nil {
		return nil, err
	}
	if s.lessons, err = lesson.All(); err != nil {
		return nil, err
	}
	return s, s.parse()
}

// parse reads the pages: each file but the layout is one, within the layout.
func (s *Site) parse() error {
	funcs := template.FuncMap{
		"asset": s.assetURL, "ms": func(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) },
		"seconds": func(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) },
		"date":    func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"minute":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
		"clock":   func(t time.Time) string { return t.Format(time.TimeOnly) },
		"tone":    report.OutcomeTone, "vtone": report.VerdictTone, "sign": report.Sign, "plural": plural, "count": count,
		"paragraphs": func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n\n") },
		"codeValid":  func(c verdict.Code) bool { return c.Valid() },
		"join":       strings.Join,
		"sentence":   sentence,
		"inc":        func(n int) int { return n + 1 },
		"list":       func(items ...string) []string { return items },
	}
	layout, err := template.New("layout.html").Funcs(funcs).ParseFS(pageFiles, "page/layout.html", "page/part_*.html")
	if err != nil {
		return err
	}
	files, err := fs.Glob(pageFiles, "page/*.html")
	if err != nil {
		return err
	}
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(f, "page/"), ".html")
		if name == "layout" || strings.HasPrefix(name, "part_") {
			continue
		}
		t, err := layout.Clone()
		if err != nil {
			return err
		}
		if s.pages[name], err = t.ParseFS(pageFiles, f); err != nil {
			return err
		}
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Handler answers the site's requests.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	page := func(pattern string, f func(*visit) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v := &visit{site: s, w: w, r: r, client: client(w, r)}
			if err := f(v); err != nil {
				v.fail(err)
			}
		})
	}
	page("GET /{$}", s.home)
	page("GET /lab", s.lab)
	page("GET /leg", s.leg)
	page("GET /matrix", s.matrix)
	page("GET /time", s.time)
	page("GET /edit", s.edit)
	page("POST /edit", s.save)
	page("POST /check", s.check)
	page("GET /file", s.file)
	page("GET /lessons", s.lessonList)
	page("GET /lessons/{name}", s.lesson)
	page("GET /products", s.products)
	page("GET /products/{id}", s.product)
	page("GET /explain", s.explain)
	page("GET /explain/{word...}", s.explainWord)
	page("GET /", func(v *visit) error { return &notFound{"There is no such page.", ""} })
	mux.HandleFunc("GET /static/{name}", s.serveAsset)
	return guard(mux)
}

// A visit is one request for a page.
type visit struct {
	site   *Site
	w      http.ResponseWriter
	r      *http.Request
	client string
}

// clientCookie tells browsers apart, for the bound on their runs and for nothing else.
const clientCookie = "edgelab"

// client returns a browser's name, and gives it one if it has none.
func client(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(clientCookie); err == nil && len(c.Value) == 22 {
		return c.Value
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	name := base64.RawURLEncoding.EncodeToString(b[:])
	//nolint:gosec // the site has no TLS: it is on the loopback
	http.SetCookie(w, &http.Cookie{Name: clientCookie, Value: name, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return "" // whoever sends no cookie back shares one name
}

// state reads the State of the visit's address, and loads its scenario.
func (v *visit) state() (*Loaded, error) {
	st, err := parseState(v.r.URL.Query(), v.site.profiles)
	if err != nil {
		return nil, err
	}
	if st.Name == "" && st.Text == "" {
		return nil, &notFound{"The address names no scenario.", ""}
	}
	return v.site.load(st)
}

// A Page is what the layout shows, and within it a view.
type Page struct {
	Title string
	View  string  // for the menu
	State *State  // nil: the page is about no scenario
	About *Loaded // the same
	Body  any
}

// show writes a page, whole or not at all.
func (v *visit) show(status int, name string, p Page) error {
	var b bytes.Buffer
	if p.View == "" {
		p.View = name
	}
	if err := v.site.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = b.WriteTo(v.w) // a visitor who is gone misses nothing
	return nil
}

// redirect sends the browser to another page.
func (v *visit) redirect(url string) error {
	http.Redirect(v.w, v.r, url, http.StatusSeeOther)
	return nil
}

// A trouble is what the error page shows.
type trouble struct {
	Status                int
	Heading, Detail, Hint string
	Retry                 string // an address
}

// fail shows what went wrong, and logs what is the program's own fault.
func (v *visit) fail(err error) {
	if v.r.Context().Err() != nil {
		return // nobody is there to read it
	}
	t := trouble{Status: http.StatusInternalServerError, Heading: "The lab couldn't do it", Detail: err.Error()}
	var missing *notFound
	var bad *badState
	var input *source.Error
	var size *http.MaxBytesError
	switch {
	case errors.As(err, &missing):
		t = trouble{Status: http.StatusNotFound, Heading: "Not found", Detail: missing.message, Hint: missing.hint}
	case errors.As(err, &bad):
		t = trouble{Status: http.StatusBadRequest, Heading: "This address doesn't lead anywhere", Detail: sentence(bad.message), Hint: bad.hint}
	case errors.As(err, &input):
		// A link to a text that is wrong: the editor shows where.
		if st, err := parseState(v.r.URL.Query(), v.site.profiles); err == nil && v.r.Method == http.MethodGet {
			_ = v.redirect(st.URL("edit"))
			return
		}
		t = trouble{Status: http.StatusUnprocessableEntity, Heading: "The scenario has a mistake", Detail: input.Error()}
	case errors.As(err, &size):
		t = trouble{Status: http.StatusRequestEntityTooLarge, Heading: "That is too much", Detail: fmt.Sprintf("A scenario here has at most %d kB.", maxText>>10), Hint: "edgelab run FILE takes larger ones."}
	case errors.Is(err, errBusy):
		v.w.Header().Set("Retry-After", "2")
		t = trouble{Status: http.StatusTooManyRequests, Heading: "One moment", Detail: "This browser has as many runs under way as it can have.", Hint: "Wait for those, or close their pages.", Retry: v.r.URL.String()}
	case errors.Is(err, context.DeadlineExceeded):
		t = trouble{Status: http.StatusServiceUnavailable, Heading: "It took too long", Detail: fmt.Sprintf("A run here may take %s.", runTime), Hint: "edgelab run FILE has no such limit.", Retry: v.r.URL.String()}
	case errors.Is(err, lab.ErrControls):
		t.Detail = "The lab's own proof doesn't hold on this machine, so nothing it would say counts."
		t.Hint = "edgelab run says which control failed."
	default:
		fmt.Fprintf(v.site.opts.Log, "%s %q: %v\n", v.r.Method, cut(v.r.URL.Path), err)
	}
	if err := v.show(t.Status, "trouble", Page{Title: t.Heading, Body: t}); err != nil {
		http.Error(v.w, cmp.Or(t.Detail, "error"), http.StatusInternalServerError)
	}
}

func cut(s string) string { return s[:min(len(s), 200)] }

// sentence begins with a capital letter and ends in a stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}
