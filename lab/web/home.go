package web

import (
	"strings"

	"github.com/edgelab/edgelab/lab/lesson"
	"github.com/edgelab/edgelab/scenarios"
)

// A Shelf is a group of the catalogue.
type Shelf struct {
	Title, About string
	Open         bool
	Books        []Book
}

// A Book is one scenario of the catalogue.
type Book struct {
	Name, Title, Teaches string
	URL                  string
}

// shelves sorts the catalogue for people: by name, or by how a name begins. The first that fits takes a scenario, the last
// takes what is left.
var shelves = []struct {
	title, about string
	names        []string
	prefixes     []string
}{
	{title: "Begin here", about: "the deployment of the textbook, and what it runs into",
		names: []string{"source-deployment", "renewal-2026", "subject-not-in-san", "second-domain-missing", "public-im-aol", "xmpp-root-not-child", "mras-wrong-certificate"}},
	{title: "Partners on Lync and SIP", about: "allow lists, SRV records, two domains, strict proxies",
		prefixes: []string{"sip-", "lync-", "partner-", "revoked-partner", "second-domain", "rfc5922", "kamailio", "openssl-", "stacks", "wildcard-sip", "real-"}},
	{title: "Public IM", about: "AOL and why it differs, MSN, Yahoo", prefixes: []string{"public-im", "client-eku-alone"}},
	{title: "XMPP", about: "domains, wildcards, SASL EXTERNAL, dialback", prefixes: []string{"xmpp-", "prosody", "google-talk"}},
	{title: "Pools", about: "several Edge Servers with one name", prefixes: []string{"edge-pool", "pool-"}},
	{title: "Inside", about: "the internal interface, the next hop, MRAS", prefixes: []string{"internal-", "next-hop", "mras", "webconf"}},
	{title: "Faults, stack by stack", about: "one fault each, put to Schannel, OpenSSL, GnuTLS, Go and Java", prefixes: []string{"fault-"}},
	{title: "The certificate and its chain", about: "dates, keys, intermediates, roots"},
}

// catalogue puts every scenario on a shelf.
func (s *Site) catalogue() ([]Shelf, error) {
	list, err := scenarios.Catalogue(s.loaderOptions())
	if err != nil {
		return nil, err
	}
	out := make([]Shelf, len(shelves))
	for i, sh := range shelves {
		out[i] = Shelf{Title: sh.title, About: sh.about, Open: i == 0}
	}
	put := func(i int, sc scenarios.Scenario) {
		out[i].Books = append(out[i].Books, Book{sc.Name, sc.Title, sc.Teaches, State{Name: sc.Name}.URL("lab")})
	}
	placed := map[string]bool{}
	for i, sh := range shelves {
		for _, name := range sh.names { // in this order
			for _, sc := range list {
				if sc.Name == name {
					put(i, sc)
					placed[name] = true
				}
			}
		}
	}
	for _, sc := range list {
		if placed[sc.Name] {
			continue
		}
		at := len(shelves) - 1
	search:
		for i, sh := range shelves {
			for _, p := range sh.prefixes {
				if strings.HasPrefix(sc.Name, p) {
					at = i
					break search
				}
			}
		}
		put(at, sc)
	}
	return out, nil
}

// home is the first page.
func (s *Site) home(v *visit) error {
	total := 0
	for _, sh := range s.shelves {
		total += len(sh.Books)
	}
	return v.show(200, "home", Page{Title: "edgelab", Body: struct {
		Shelves []Shelf
		Total   int
		Lessons []lesson.Lesson
	}{s.shelves, total, s.lessons}})
}
