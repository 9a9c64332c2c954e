package topology

import "strings"

// A Layout is one of the five Edge layouts of the Lync Server 2013 planning library.
type Layout string

// The layouts, under the names that scenario files use.
const (
	SingleNAT       Layout = "single-nat"        // single consolidated Edge, private addresses and NAT
	SinglePublic    Layout = "single-public"     // single consolidated Edge, public addresses
	ScaledDNSNAT    Layout = "scaled-dns-nat"    // pool, DNS load balancing, private addresses and NAT
	ScaledDNSPublic Layout = "scaled-dns-public" // pool, DNS load balancing, public addresses
	ScaledHLB       Layout = "scaled-hlb"        // pool behind hardware load balancers
)

// Layouts returns every layout. The names on the certificates are the same in all five; the layouts differ in what the
// names resolve to (topics "Certificate summary - Single consolidated edge …" and "Scaled consolidated edge …",
// 2012-09-08 and 2012-10-22).
func Layouts() []Layout {
	return []Layout{SingleNAT, SinglePublic, ScaledDNSNAT, ScaledDNSPublic, ScaledHLB}
}

// Pooled reports whether a layout has several Edge Servers behind one set of names.
func (l Layout) Pooled() bool { return l == ScaledDNSNAT || l == ScaledDNSPublic || l == ScaledHLB }

// A Topology is one Edge deployment with its partners.
type Topology struct {
	Edge        Edge      `json:"edge"`
	SIPDomains  []string  `json:"sip-domains"`
	XMPPDomains []string  `json:"xmpp-domains,omitempty"`
	Partners    []Partner `json:"partners,omitempty"`
	DNS         DNS       `json:"dns,omitzero"`
	// Choices are the answers to what the topics contradict each other on, by key; the default where one isn't there.
	Choices      map[string]string `json:"choices,omitempty"`
	ReverseProxy ReverseProxy      `json:"reverse-proxy,omitzero"`
	Director     Director          `json:"director,omitzero"`
}

// An Edge is the deployment's own Edge Server or Edge pool.
type Edge struct {
	Layout   Layout `json:"layout"`
	Product  string `json:"product"`  // the policy by which the Edge judges: "lync-2013"
	Access   string `json:"access"`   // Access Edge FQDN: subject name of the external certificate
	WebConf  string `json:"webconf"`  // Web Conferencing Edge FQDN; empty: not deployed
	Internal string `json:"internal"` // FQDN of the internal interface: subject name of the internal certificate
	NextHop  string `json:"next-hop"` // FQDN of the Director or Front End pool behind the Edge
	// Nodes are the FQDNs of the Edge Servers of a pool; empty in the layouts with one server. Each has addresses of its
	// own; the names on the certificates belong to the pool.
	Nodes []string `json:"nodes,omitempty"`
	AV    string   `json:"av,omitempty"` // A/V Edge FQDN, if it is to be told of; no service looks for it
	// TwoCertificates has the external interface show one certificate as a server, of a public CA, and another as a
	// client, of a private one. Few products can: policy.Product.TwoCertificates.
	TwoCertificates bool `json:"two-certificates,omitempty"`
	// Discovery is EnablePartnerDiscovery of Set-CsAccessEdgeConfiguration: SIP domains on no list are served
	// when their SRV record leads to them.
	Discovery bool `json:"discovery,omitempty"`
}

// NodeNames returns what the Edge Servers of a pool are called in legs and certificates: the first label of each FQDN.
func (e Edge) NodeNames() []string {
	var names []string
	for _, fqdn := range e.Nodes {
		name, _, _ := strings.Cut(fqdn, ".")
		names = append(names, name)
	}
	return names
}

// A Protocol is what a partner federates over.
type Protocol string

// The protocols.
const (
	SIP  Protocol = "sip"  // SIP over mutual TLS, port 5061; public IM included
	XMPP Protocol = "xmpp" // XMPP between servers, port 5269
)

// A Listing is how a SIP partner stands in the Edge's configuration (topic "Configure support for allowed external
// domains", 2012-10-19).
type Listing string

// The listings, with the cmdlet that makes the entry.
const (
	AllowedDomain Listing = "allowed-domain" // New-CsAllowedDomain -Identity: found by SRV
	AllowedServer Listing = "allowed-server" // New-CsAllowedDomain -Identity -ProxyFqdn: fixed FQDN, no SRV
	Discovered    Listing = "discovered"     // on no list; needs Edge.Discovery
	PublicIM      Listing = "public-im"      // New-CsPublicProvider -ProxyFqdn
	NotListed     Listing = "not-listed"     // on no list, whatever Edge.Discovery says: for scenarios that show a refusal
)

// A Partner is another organisation.
type Partner struct {
	Name     string   `json:"name"` // an actor's name in leg IDs
	Domain   string   `json:"domain"`
	Protocol Protocol `json:"protocol"`
	Product  string   `json:"product"`            // policy: "lync-2013", "prosody-0.12", "xmpp-strict"
	Host     string   `json:"host,omitempty"`     // FQDN of its border server; sip.<domain> or xmpp.<domain> by default
	Listing  Listing  `json:"listing,omitempty"`  // SIP
	Settings Settings `json:"settings,omitempty"` // the product's own options by their own names
	// EdgeFQDN is what the partner has on its own list for us, if it pins a server: ProxyFqdn of its allow list
	// or the Access Edge FQDN provisioned at a public IM provider. Empty: it finds us by SRV.
	EdgeFQDN string `json:"edge-fqdn,omitempty"`
	// OwnDomains limits which of our domains it federates with; empty: all of its protocol's.
	OwnDomains []string `json:"own-domains,omitempty"`
	XMPP       Allowed  `json:"xmpp,omitzero"` // XMPP: New-CsXmppAllowedPartner
	// TrustsPrivateCA says that the partner has installed the root of our private CA, as two certificates ask for.
	TrustsPrivateCA bool `json:"trusts-private-ca,omitempty"`
}

// Settings are a product's options by the names that the product itself gives them.
type Settings map[string]string

// DNS is what differs from the records that the topology implies.
type DNS struct {
	// SRV maps a record's full name (_sipfederationtls._tcp.fabrikam.com) to its target; an empty target takes
	// the record away.
	SRV map[string]string `json:"srv,omitempty"`
	// Missing lists names that have no address record, to show a partner that can't be found.
	Missing []string `json:"missing,omitempty"`
}
