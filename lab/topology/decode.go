package topology

import (
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
)

// Keys are the keys of a file's top level that belong to a topology.
func Keys() []string {
	return []string{"edge", "sip-domains", "xmpp-domains", "partners", "dns", "choices", "reverse-proxy", "director"}
}

// Options are what a reader must know that this package doesn't.
type Options struct {
	Products []string // the products that there are policies for; empty: any name will do
	// TwoCertificates reports whether a product can show another certificate as a client than as a server, and in words
	// why it can or can't; nil: each can.
	TwoCertificates func(product string) (can bool, why string)
	// Serves reports whether a product speaks a protocol; nil: each speaks any.
	Serves func(product string, protocol Protocol) bool
}

// Decode reads a topology from the keys of root that Keys lists, fills in defaults and checks it. Whatever is wrong
// goes to p; the topology is then incomplete and must not be used.
func Decode(root *source.Node, opts Options, p *source.Problems) Topology {
	d := decoder{p}
	t := WithDefaults(Topology{
		Edge:        d.edge(root.Get("edge")),
		SIPDomains:  d.names(root.Get("sip-domains"), "sip-domains"),
		XMPPDomains: d.names(root.Get("xmpp-domains"), "xmpp-domains"),
		Partners:    d.partners(root.Get("partners")),
		DNS:         d.dns(root.Get("dns")),
		Choices:     d.choices(root.Get("choices")),

		ReverseProxy: d.reverseProxy(root.Get("reverse-proxy")),
		Director:     d.director(root.Get("director")),
	})
	index := source.NewIndex(root)
	faults := slices.DeleteFunc(Check(t, opts), func(f Fault) bool {
		return p.Marked(index.Value(f.Path)) // what couldn't be read isn't complained about twice
	})
	for _, f := range faults {
		p.Add(index.Value(f.Path), f.Hint, "%s", f.Message)
	}
	return t
}

type decoder struct{ *source.Problems }

func (d decoder) edge(n *source.Node) Edge {
	n = d.Mapping(n, "edge", "layout", "product", "access", "webconf", "internal", "next-hop", "nodes", "av", "two-certificates", "discovery")
	e := Edge{
		Layout:   Layout(d.Text(n.Get("layout"), "layout")),
		Product:  d.Text(n.Get("product"), "product"),
		Access:   d.name(n.Get("access"), "access"),
		WebConf:  d.name(n.Get("webconf"), "webconf"),
		Internal: d.name(n.Get("internal"), "internal"),
		NextHop:  d.name(n.Get("next-hop"), "next-hop"),
		Nodes:    d.names(n.Get("nodes"), "nodes"),
		AV:       d.name(n.Get("av"), "av"),
	}
	e.TwoCertificates, _ = d.Bool(n.Get("two-certificates"), "two-certificates")
	e.Discovery, _ = d.Bool(n.Get("discovery"), "discovery")
	return e
}

func (d decoder) partners(n *source.Node) []Partner {
	var all []Partner
	for _, item := range d.List(n, "partners") {
		all = append(all, d.partner(item))
	}
	return all
}

func (d decoder) partner(n *source.Node) Partner {
	n = d.Mapping(n, "a partner", "name", "domain", "protocol", "product", "host", "listing", "settings", "edge-fqdn", "own-domains", "xmpp", "trusts-private-ca")
	p := Partner{
		Name:       d.Text(n.Get("name"), "name"),
		Domain:     d.name(n.Get("domain"), "domain"),
		Protocol:   Protocol(d.Text(n.Get("protocol"), "protocol")),
		Product:    d.Text(n.Get("product"), "product"),
		Host:       d.name(n.Get("host"), "host"),
		Listing:    Listing(d.Text(n.Get("listing"), "listing")),
		EdgeFQDN:   d.name(n.Get("edge-fqdn"), "edge-fqdn"),
		OwnDomains: d.names(n.Get("own-domains"), "own-domains"),
	}
	p.TrustsPrivateCA, _ = d.Bool(n.Get("trusts-private-ca"), "trusts-private-ca")
	if settings := d.FreeMapping(n.Get("settings"), "settings"); len(settings.Entries) > 0 {
		p.Settings = Settings{}
		for _, e := range settings.Entries {
			p.Settings[e.Key.Value] = d.Literal(e.Value, "setting "+e.Key.Value)
		}
	}
	if xmpp := n.Get("xmpp"); !xmpp.IsNull() {
		p.XMPP = d.allowed(xmpp)
	}
	return p
}

func (d decoder) allowed(n *source.Node) Allowed {
	n = d.Mapping(n, "xmpp", "tls", "sasl", "dialback", "keep-alive")
	a := DefaultAllowed()
	if v := d.Text(n.Get("tls"), "tls"); v != "" {
		a.TLS = Negotiation(v)
	}
	if v := d.Text(n.Get("sasl"), "sasl"); v != "" {
		a.SASL = Negotiation(v)
	}
	if v, ok := d.Bool(n.Get("dialback"), "dialback"); ok {
		a.Dialback = v
	}
	if v, ok := d.Bool(n.Get("keep-alive"), "keep-alive"); ok {
		a.KeepAlive = v
	}
	return a
}

func (d decoder) dns(n *source.Node) DNS {
	n = d.Mapping(n, "dns", "srv", "missing")
	result := DNS{Missing: d.names(n.Get("missing"), "missing")}
	if srv := d.FreeMapping(n.Get("srv"), "srv"); len(srv.Entries) > 0 {
		result.SRV = map[string]string{}
		for _, e := range srv.Entries {
			result.SRV[strings.ToLower(e.Key.Value)] = d.name(e.Value, "the target of "+e.Key.Value)
		}
	}
	return result
}

func (d decoder) choices(n *source.Node) map[string]string {
	entries := d.FreeMapping(n, "choices").Entries
	if len(entries) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, e := range entries {
		all[e.Key.Value] = d.Text(e.Value, "the choice of "+e.Key.Value)
	}
	return all
}

// name reads a domain name. Case means nothing in DNS (RFC 4343), so it goes here once and for all.
func (d decoder) name(n *source.Node, what string) string { return strings.ToLower(d.Text(n, what)) }

func (d decoder) names(n *source.Node, what string) []string {
	all := d.Texts(n, what)
	for i := range all {
		all[i] = strings.ToLower(all[i])
	}
	return all
}
