package report_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
)

var embeddedParts = regexp.MustCompile(`(?s)<(style|script)>.*?</(style|script)>|content="default-src[^"]*"`)

// The page without the style, the script and their hashes, which would make every golden file change with them.
func TestHTMLGolden(t *testing.T) {
	for name, r := range results() {
		t.Run(name, func(t *testing.T) {
			text := write(t, report.FormatHTML, r, report.Options{Line: quote})
			golden(t, name+".html", embeddedParts.ReplaceAll([]byte(text), []byte("<!-- $1 -->")))
		})
	}
}

type document struct {
	elements []*html.Node
	ids      map[string]int
}

func parse(t *testing.T, text string) document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d := document{ids: map[string]int{}}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		d.elements = append(d.elements, n)
		if id, ok := attribute(n, "id"); ok {
			d.ids[id]++
		}
	}
	return d
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func (d document) named(name string) []*html.Node {
	var all []*html.Node
	for _, n := range d.elements {
		if n.Data == name {
			all = append(all, n)
		}
	}
	return all
}

func (d document) classed(class string) []*html.Node {
	var all []*html.Node
	for _, n := range d.elements {
		if value, _ := attribute(n, "class"); slices.Contains(strings.Fields(value), class) {
			all = append(all, n)
		}
	}
	return all
}

func inner(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// Nothing comes from elsewhere and nothing goes there, whatever the names are; each link leads to something; the policy
// allows the page's own style and script, and nothing else.
func TestHTMLIsSelfContained(t *testing.T) {
	all := results()
	all["hostile"], all["run"] = hostile(), ran(t)
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			d := parse(t, write(t, report.FormatHTML, r, report.Options{Line: quote}))
			for _, n := range d.elements {
				for _, a := range n.Attr {
					switch {
					case a.Key == "href" && a.Val == "data:,", a.Key == "content":
					case a.Key == "href":
						if id, ok := strings.CutPrefix(a.Val, "#"); !ok || d.ids[id] == 0 {
							t.Errorf("<%s href=%q> leads nowhere", n.Data, a.Val)
						}
					case a.Key == "src", a.Key == "style", a.Key == "srcdoc", a.Key == "action", strings.HasPrefix(a.Key, "on"):
						t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
					}
				}
				if slices.Contains([]string{"img", "iframe", "object", "embed", "form", "base", "svg", "video", "audio"}, n.Data) {
					t.Errorf("a <%s>", n.Data)
				}
			}
			for id, n := range d.ids {
				if n > 1 || strings.ContainsAny(id, " <>\"'#%") {
					t.Errorf("id %q stands %d times", id, n)
				}
			}
			policy := ""
			for _, n := range d.named("meta") {
				if kind, _ := attribute(n, "http-equiv"); kind == "Content-Security-Policy" {
					policy, _ = attribute(n, "content")
				}
			}
			want := "default-src 'none'; style-src " + hashes(d.named("style")) + "; script-src " + hashes(d.named("script")) + "; img-src data:; base-uri 'none'; form-action 'none'"
			if policy != want {
				t.Errorf("the policy is\n%s, want\n%s", policy, want)
			}
		})
	}
}

func hashes(elements []*html.Node) string {
	var all []string
	for _, n := range elements {
		sum := sha256.Sum256([]byte(inner(n)))
		all = append(all, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return strings.Join(all, " ")
}

// What is in the result can be read in the page.
func TestHTMLTellsAll(t *testing.T) {
	r := results()["faults"]
	d := parse(t, write(t, report.FormatHTML, r, report.Options{Line: quote}))
	text := inner(d.named("body")[0])
	for _, want := range []string{
		report.Closing(r), "edge/contoso.com -> aol", "the acceptor's record never came", "too many open files",
		"aol refused the certificate that edge showed", "order the external certificate with the client EKU",
		"the leaf's EKU must list clientAuth", "RFC 5280 §4.2.1.12", "asked for clientAuth; the leaf has serverAuth",
		"a path must lead to a trusted root", "unsupported_certificate", "contoso.yaml:3:3", "edge -> aol: trusted",
		"xmpp-addr:contoso.com", "otherName in the SAN", `bell \x07, escape \x1b[31m`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if legs := len(d.classed("leg")); legs != r.Counts().Legs {
		t.Errorf("%d legs, want %d", legs, r.Counts().Legs)
	}
	for _, n := range d.classed("leg") {
		_, open := attribute(n, "open")
		if class, _ := attribute(n, "class"); open != strings.Contains(class, "notok") {
			t.Errorf("a leg of class %q is open: %v", class, open)
		}
	}
}

func TestHTMLMatrix(t *testing.T) {
	other := good("mras")
	other.Kind = "mras-request"
	r := result(
		scenario("a", good("edge -> litware"), other),
		scenario("b", good("edge -> aol"), good("edge -> litware"), refused(verdict.Trusted)),
	)
	d := parse(t, write(t, report.FormatHTML, r, report.Options{}))
	var rows []string
	for row := range d.classed("matrix")[0].Descendants() {
		if row.Data != "tr" {
			continue
		}
		var cells []string
		for c := range row.ChildNodes() {
			if c.Type == html.ElementNode {
				cells = append(cells, inner(c))
			}
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	want := []string{
		"|sip-federation|mras-request",
		"|edge -> litware|edge -> aol|edge/contoso.com -> aol|mras", // what most scenarios have stands first
		"a|✓trusted|||✓trusted",
		"b|✓trusted|✓trusted|✗client-eku-missing, expected trusted|",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("the matrix is\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}

// The plan is the table that administrators know, and what was issued says how it differs.
func TestHTMLPlan(t *testing.T) {
	sc := scenario("renewal", good("edge -> litware"))
	sc.Plan.Certificates = []plan.Certificate{{
		Key: plan.External, Component: "External / Access Edge", Subject: "sip.contoso.com",
		SANs: []plan.SAN{
			{Kind: plan.DNSName, Value: "sip.contoso.com", Reason: "the Access Edge FQDN"},
			{Kind: plan.DNSName, Value: "contoso.com", Note: "XMPP namespace contoso.com", Reason: "an XMPP domain", Source: verdict.Source{Ref: "RFC 6120 §13.7"}},
		},
		EKUs: []plan.EKU{{Usage: plan.Server}, {Usage: plan.Client, Reason: "public IM with AOL"}}, CA: plan.PublicCA,
		KeySpec: plan.Key{Type: "rsa-2048", Exportable: true},
	}}
	d := parse(t, write(t, report.FormatHTML, result(sc), report.Options{}))
	cells := func(class string, row int) string {
		var all []string
		for n := range d.classed(class)[0].Descendants() {
			if n.Data == "tr" {
				all = append(all, inner(n))
			}
		}
		return all[row]
	}
	for _, want := range []string{"External / Access Edge", "contoso.com (XMPP namespace contoso.com)", "Issued by a public CA.", "Key: rsa-2048, exportable."} {
		if !strings.Contains(cells("plan", 1), want) {
			t.Errorf("the plan lacks %q: %s", want, cells("plan", 1))
		}
	}
	for _, want := range []string{"without contoso.com", "with xmpp-addr:contoso.com", "EKU server instead of server and client", "otherName in the SAN"} {
		if !strings.Contains(cells("issued", 1), want) {
			t.Errorf("what was issued doesn't say %q: %s", want, cells("issued", 1))
		}
	}
	if why := inner(d.classed("why")[0]); !strings.Contains(why, "an XMPP domain RFC 6120 §13.7") {
		t.Errorf("no reasons: %s", why)
	}
}

// Links stay when the run is repeated, and two of a name have two anchors.
func TestHTMLAnchors(t *testing.T) {
	ids := func(r *lab.Result) []string {
		var all []string
		for _, n := range parse(t, write(t, report.FormatHTML, r, report.Options{})).classed("body") {
			id, _ := attribute(n, "id")
			all = append(all, id)
		}
		return all
	}
	leg := good("edge/contoso.com -> litware")
	got := ids(result(scenario("renewal", leg, leg), scenario("renewal", leg)))
	want := []string{"renewal-edge-contoso.com-to-litware", "renewal-edge-contoso.com-to-litware-2", "renewal-edge-contoso.com-to-litware-3"}
	if !slices.Equal(got, want) {
		t.Errorf("anchors %v, want %v", got, want)
	}
}
