package topology

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
)

// A Fault is something that a topology can't be run with.
type Fault struct {
	Path    source.Path // edge.access, partners[1].domain
	Message string
	Hint    string
}

func (f Fault) String() string { return fmt.Sprintf("%s: %s", f.Path, f.Message) }

// Reserved returns the actors' names that a partner can't have.
func Reserved() []string {
	return []string{ActorEdge, ActorWebConf, ActorMRAS, ActorNextHop, ActorRemoteUser, Anyone, "external", "internal", "client"}
}

// Listings returns every listing.
func Listings() []Listing {
	return []Listing{AllowedDomain, AllowedServer, Discovered, PublicIM, NotListed}
}

// Check returns everything that is wrong with a topology whose defaults are filled in, in a fixed order.
func Check(t Topology, opts Options) []Fault {
	c := checker{t: t, opts: opts, hosts: map[string]string{}, domains: map[string]string{}}
	c.edge()
	c.ownDomains()
	names := map[string]bool{}
	for i, p := range t.Partners {
		c.partner(source.Path("partners").At(i), p, names)
	}
	c.dns()
	c.choices()
	c.web()
	return c.faults
}

type checker struct {
	t       Topology
	opts    Options
	hosts   map[string]string // FQDN → whose
	domains map[string]string // federated domain → whose
	faults  []Fault
}

func (c *checker) add(path source.Path, hint, format string, args ...any) {
	c.faults = append(c.faults, Fault{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *checker) fqdn(path source.Path, name string) bool {
	wrong, hint := CheckFQDN(name)
	if wrong != "" {
		c.add(path, hint, "%s", wrong)
	}
	return wrong == ""
}

// host takes a name for one machine of the lab, each of which has an address of its own. It is empty only if the name
// that it would be derived from is no FQDN.
func (c *checker) host(path source.Path, name, whose string) {
	if name == "" || !c.fqdn(path, name) {
		return
	}
	if other, taken := c.hosts[name]; taken {
		c.add(path, "", "%s is already the name of %s; each has an address of its own", name, other)
		return
	}
	c.hosts[name] = whose
}

// subject takes a host whose FQDN becomes a certificate's subject name.
func (c *checker) subject(path source.Path, name, whose string) {
	c.host(path, name, whose)
	if len(name) > maxCommonName {
		c.add(path, "", "%s becomes a subject name, of which a certificate holds %d characters at most (RFC 5280, appendix A.1); this has %d",
			name, maxCommonName, len(name))
	}
}

func (c *checker) edge() {
	e := c.t.Edge
	if e.Access == "" {
		c.add("edge.access", "for example: access: sip.contoso.com", "edge.access is missing: the Access Edge FQDN is the subject name of the external certificate")
		return
	}
	oneOf(c, "edge.layout", "layout", e.Layout, Layouts())
	c.product("edge.product", e.Product)
	c.subject("edge.access", e.Access, "the Access Edge")
	c.host("edge.webconf", e.WebConf, "the Web Conferencing Edge")
	c.subject("edge.internal", e.Internal, "the internal Edge interface")
	c.subject("edge.next-hop", e.NextHop, "the next hop")
	if e.AV != "" {
		c.fqdn("edge.av", e.AV)
	}
	c.nodes()
	if !e.TwoCertificates || c.opts.TwoCertificates == nil {
		return
	}
	if can, why := c.opts.TwoCertificates(e.Product); !can {
		c.add("edge.two-certificates", "edgelab products says which can", "%s can't be run with a client certificate of its own: %s", e.Product, why)
	}
}

// nodes checks the servers of a pool. They are told apart by the first label of their FQDNs, which is their computers'
// name.
func (c *checker) nodes() {
	e := c.t.Edge
	path := source.Path("edge.nodes")
	if len(e.Nodes) > 0 && !e.Layout.Pooled() {
		c.add(path, "take a scaled layout, or leave nodes out", "the layout %s has one server; nodes are the servers of a pool", e.Layout)
		return
	}
	seen := map[string]bool{}
	for i, name := range e.NodeNames() {
		c.host(path.At(i), e.Nodes[i], "the Edge Server "+name)
		switch {
		case seen[name]:
			c.add(path.At(i), "", "two servers of the pool are called %s", name)
		case e.Nodes[i] != "" && !partnerName.MatchString(name):
			c.add(path.At(i), "", "the server's name %q may have small letters, digits and hyphens only: it appears in leg IDs", name)
		}
		seen[name] = true
	}
}

func (c *checker) ownDomains() {
	if len(c.t.SIPDomains) == 0 {
		c.add("sip-domains", "for example: sip-domains: [contoso.com]", "sip-domains is missing: an Edge serves at least one SIP domain")
	}
	for _, list := range []struct {
		key     source.Path
		domains []string
	}{{"sip-domains", c.t.SIPDomains}, {"xmpp-domains", c.t.XMPPDomains}} {
		seen := map[string]bool{}
		for i, domain := range list.domains {
			if c.fqdn(list.key.At(i), domain) && seen[domain] {
				c.add(list.key.At(i), "", "%s is there twice in %s", domain, list.key)
			}
			seen[domain] = true
			c.domains[domain] = "the Edge itself"
		}
	}
}

func (c *checker) product(path source.Path, name string) bool {
	if len(c.opts.Products) > 0 && !slices.Contains(c.opts.Products, name) {
		c.add(path, source.Suggest(name, c.opts.Products), "unknown product %q", name)
		return false
	}
	return true
}

var partnerName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

func (c *checker) partner(path source.Path, p Partner, names map[string]bool) {
	switch {
	case p.Name == "":
		c.add(path, "for example: name: litware", "a partner has no name")
	case !partnerName.MatchString(p.Name):
		c.add(path.Child("name"), "", "the partner's name %q may have small letters, digits and hyphens only: it appears in leg IDs", p.Name)
	case slices.Contains(Reserved(), p.Name):
		c.add(path.Child("name"), "", "a partner can't be called %q: that is an actor or a certificate of the deployment itself", p.Name)
	case names[p.Name]:
		c.add(path.Child("name"), "", "two partners are called %q", p.Name)
	}
	names[p.Name] = true
	c.partnerDomain(path, p)
	if p.Product == "" {
		c.add(path, "for example: product: lync-2013", "partner %s has no product: by whose rules does it judge?", p.Name)
	} else if c.product(path.Child("product"), p.Product) && c.opts.Serves != nil && validProtocol(p.Protocol) && !c.opts.Serves(p.Product, p.Protocol) {
		c.add(path.Child("product"), "", "%s doesn't speak %s", p.Product, p.Protocol)
	}
	if p.EdgeFQDN != "" {
		c.fqdn(path.Child("edge-fqdn"), p.EdgeFQDN)
	}
	switch p.Protocol {
	case SIP:
		c.sipPartner(path, p)
	case XMPP:
		c.xmppPartner(path, p)
	case "":
		c.add(path, "protocol: sip or protocol: xmpp", "partner %s has no protocol", p.Name)
	default:
		c.add(path.Child("protocol"), source.Suggest(string(p.Protocol), []string{"sip", "xmpp"}), "%q is no protocol", p.Protocol)
	}
}

func validProtocol(p Protocol) bool { return p == SIP || p == XMPP }

func (c *checker) partnerDomain(path source.Path, p Partner) {
	if p.Domain == "" {
		c.add(path, "for example: domain: litware.com", "partner %s has no domain", p.Name)
		return
	}
	if c.fqdn(path.Child("domain"), p.Domain) {
		if whose, taken := c.domains[p.Domain]; taken {
			c.add(path.Child("domain"), "", "%s already belongs to %s; a domain is served by one side only", p.Domain, whose)
		} else {
			c.domains[p.Domain] = "partner " + p.Name
		}
	}
	c.host(path.Child("host"), p.Host, "partner "+p.Name)
}

func (c *checker) sipPartner(path source.Path, p Partner) {
	oneOf(c, path.Child("listing"), "listing", p.Listing, Listings())
	if p.Listing == Discovered && !c.t.Edge.Discovery {
		c.add(path.Child("listing"), "set edge.discovery: true, or use not-listed to show the refusal",
			"partner %s can't be discovered: partner discovery is off by default (Set-CsAccessEdgeConfiguration -EnablePartnerDiscovery)", p.Name)
	}
	if p.XMPP != (Allowed{}) {
		c.add(path.Child("xmpp"), "", "partner %s federates over SIP; xmpp holds the settings of New-CsXmppAllowedPartner", p.Name)
	}
	c.limit(path, p, c.t.SIPDomains, "sip-domains")
}

func (c *checker) xmppPartner(path source.Path, p Partner) {
	if p.Listing != "" {
		c.add(path.Child("listing"), "", "partner %s federates over XMPP; a listing is a SIP partner's", p.Name)
	}
	if len(c.t.XMPPDomains) == 0 {
		c.add(path.Child("protocol"), "add xmpp-domains: [contoso.com]", "partner %s federates over XMPP, but the Edge has no xmpp-domains", p.Name)
	}
	xmpp := path.Child("xmpp")
	known := oneOf(c, xmpp.Child("tls"), "TLS negotiation", p.XMPP.TLS, Negotiations())
	known = oneOf(c, xmpp.Child("sasl"), "SASL negotiation", p.XMPP.SASL, Negotiations()) && known
	if _, _, err := p.XMPP.Methods(); err != nil && known {
		c.add(xmpp, "set dialback: true, or tls and sasl to required", "%v", err)
	}
	c.limit(path, p, c.t.XMPPDomains, "xmpp-domains")
}

// limit checks own-domains.
func (c *checker) limit(path source.Path, p Partner, own []string, list string) {
	path = path.Child("own-domains")
	seen := map[string]bool{}
	for i, domain := range p.OwnDomains {
		switch {
		case !slices.Contains(own, domain):
			c.add(path.At(i), source.Suggest(domain, own), "%s isn't among %s", domain, list)
		case seen[domain]:
			c.add(path.At(i), "", "%s is there twice", domain)
		}
		seen[domain] = true
	}
}

// The services that the lab keeps SRV records for.
var srvServices = []string{"_sipfederationtls._tcp", "_xmpp-server._tcp", "_sip._tls"}

func (c *checker) dns() {
	domains := slices.Sorted(maps.Keys(c.domains))
	for _, name := range slices.Sorted(maps.Keys(c.t.DNS.SRV)) {
		path := source.Path("dns.srv").Child(name)
		service, domain := splitSRV(name)
		switch {
		case !slices.Contains(srvServices, service):
			c.add(path, source.Suggest(service, srvServices), "%q names no service that the lab keeps SRV records for", name)
		case !slices.Contains(domains, domain):
			c.add(path, source.Suggest(domain, domains), "%s isn't a domain of the Edge or of a partner", domain)
		}
		if target := c.t.DNS.SRV[name]; target != "" {
			c.fqdn(path, target)
		}
	}
	hosts := slices.Sorted(maps.Keys(c.hosts))
	for i, name := range c.t.DNS.Missing {
		path := source.Path("dns.missing").At(i)
		if c.fqdn(path, name) && !slices.Contains(hosts, name) && !c.isServed(name) {
			c.add(path, source.Suggest(name, hosts), "%s isn't the name of a host here", name)
		}
	}
}

// isServed reports whether name is sip.<domain> of an own SIP domain: clients and partners look for it whether or not
// a service is called so.
func (c *checker) isServed(name string) bool {
	domain, ok := strings.CutPrefix(name, "sip.")
	return ok && slices.Contains(c.t.SIPDomains, domain)
}

// splitSRV splits _service._proto.domain.
func splitSRV(name string) (service, domain string) {
	parts := strings.SplitN(name, ".", 3)
	if len(parts) < 3 {
		return name, ""
	}
	return parts[0] + "." + parts[1], parts[2]
}

func oneOf[T ~string](c *checker, path source.Path, what string, value T, all []T) bool {
	if slices.Contains(all, value) {
		return true
	}
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = string(v)
	}
	c.add(path, source.Suggest(string(value), names), "%q is no %s", string(value), what)
	return false
}
