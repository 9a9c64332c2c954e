package csexport

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
)

// An Import is what was read from a topology document, and from partner lists if AddPartners was called.
type Import struct {
	File     string            `json:"file"`
	Format   Format            `json:"format"`
	Topology topology.Topology `json:"topology"` // without defaults
	Pools    []Pool            `json:"pools"`    // every Edge pool; the topology's own is the first
	Web      Web               `json:"web"`
	Partners []Partner         `json:"partners,omitempty"` // those that Topology.Partners has, and those that it can't have
	Notes    []Note            `json:"notes,omitempty"`    // in the order of the text
}

// A Pool is one Edge pool, or a single Edge Server.
type Pool struct {
	source.Pos
	FQDN       string    `json:"fqdn"` // of the internal interface
	Machines   []Machine `json:"machines"`
	Access     Endpoint  `json:"access"`
	WebConf    Endpoint  `json:"webconf"`
	AV         Endpoint  `json:"av"`
	Federation bool      `json:"federation"` // "Enable federation for this Edge pool (Port 5061)"
	XMPP       bool      `json:"xmpp"`       // "Enable XMPP federation (port 5269)"
	NextHop    string    `json:"next-hop"`   // FQDN of the pool that it depends on
	Director   bool      `json:"director"`   // whether that one is a Director
	// DirectorNodes are the FQDNs of its servers, if it is one.
	DirectorNodes []string `json:"director-nodes,omitempty"`
	// ServiceVersion is the deployment's own number: 7 in a published document of Skype for Business Server 2015,
	// 8 in one of 2019.
	ServiceVersion int `json:"service-version,omitempty"`
}

// An Endpoint is one external service as clients and partners find it.
type Endpoint struct {
	FQDN string `json:"fqdn,omitempty"`
	Port int    `json:"port,omitempty"`
}

// A Machine is one Edge Server.
type Machine struct {
	FQDN     string       `json:"fqdn"`
	Internal []netip.Addr `json:"internal,omitempty"`
	External []Address    `json:"external,omitempty"`
}

// An Address is one external address and, with NAT, the public one that it is translated to.
type Address struct {
	IP     netip.Addr `json:"ip"`
	Public netip.Addr `json:"public,omitzero"`
}

// Web is what the reverse proxy publishes.
type Web struct {
	External   []string `json:"external,omitempty"`    // FQDNs of the external web services
	SimpleURLs []string `json:"simple-urls,omitempty"` // hosts of the simple URLs: meet, dialin
}

// Read reads a topology document. name is the file's, as it appears in messages. The error is a *source.Error with
// the place; notes are no error.
func Read(name string, data []byte) (Import, error) {
	t, err := newText(name, data)
	if err != nil {
		return Import{}, err
	}
	root, err := t.parse(t.checkRoot)
	if err != nil {
		return Import{}, err
	}
	i := Import{File: name, Format: Published, Notes: unknownElements(root)}
	document := root
	if root.name.Local == "TopologyBuilder" {
		i.Format = Builder
		if document = root.child("NewTopology").child("PartialTopology"); document == nil {
			return Import{}, t.fault(root.pos, "open the file in Topology Builder and save it again", "<TopologyBuilder> has no NewTopology/PartialTopology")
		}
		if document.name.Space != nsWritable {
			return Import{}, t.fault(document.pos, "supported: "+nsWritable, "the schema %q of <PartialTopology> isn't supported", document.name.Space)
		}
	}
	r := reader{Import: &i, document: document}
	r.domains()
	r.pools()
	if len(i.Pools) == 0 {
		return Import{}, t.fault(document.pos, "export the topology of the site that has the Edge, after it was published",
			"there is no Service with RoleName EdgeServer: the topology has no Edge")
	}
	r.web()
	r.topology()
	i.sortNotes()
	return i, nil
}

func (i *Import) sortNotes() {
	slices.SortStableFunc(i.Notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// A reader walks one document.
type reader struct {
	*Import
	document *element
	clusters []cluster
}

func (r *reader) note(e *element, kind NoteKind, key, message string, try ...string) {
	r.Notes = append(r.Notes, Note{Pos: e.pos, Kind: kind, Key: key, Message: message, Try: try})
}

// domains reads the SIP domains, the default one first: Request-CsCertificate names it without being asked.
func (r *reader) domains() {
	list := r.document.child("InternalDomains")
	if list == nil {
		return
	}
	main := strings.ToLower(list.attr("DefaultDomain"))
	var all []string
	for _, d := range list.all("InternalDomain") {
		name := strings.ToLower(d.attr("Name"))
		if name == "" || slices.Contains(all, name) {
			continue
		}
		all = append(all, name)
		if d.flag("AllowSubDomains") {
			r.note(d, Ambiguous, "sip-domains", name+" takes subdomains too (AllowSubDomains); those that have users must be listed")
		}
	}
	if list.flag("AllowAllDomains") {
		r.note(list, Ambiguous, "sip-domains", "every domain is taken for an internal one (AllowAllDomains); those that have users must be listed")
	}
	if main != "" && !slices.Contains(all, main) {
		r.note(list, Ambiguous, "sip-domains", "the default domain "+main+" isn't among the internal domains")
		all = append(all, main)
	}
	slices.SortStableFunc(all, func(a, b string) int { return order(b == main) - order(a == main) })
	r.Topology.SIPDomains = all
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

// web reads what a reverse proxy publishes. It isn't on the Edge's certificate; it is told for the sake of the whole.
func (r *reader) web() {
	r.document.walk(func(e *element) {
		var host string
		switch e.name.Local {
		case "ExternalSettings":
			host = strings.ToLower(e.attr("Host"))
			r.Web.External = appendNew(r.Web.External, host)
		case "SimpleUrlEntry":
			host = strings.ToLower(e.attr("Url"))
			_, host, _ = strings.Cut(host, "://")
			host, _, _ = strings.Cut(host, "/")
			r.Web.SimpleURLs = appendNew(r.Web.SimpleURLs, host)
		}
	})
}

func appendNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// number reads a port or a version; 0 if there is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 65535 {
		return 0
	}
	return n
}
