package csexport

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
)

// topology fills in the Edge from the first pool, with a note wherever the export leaves a choice.
func (r *reader) topology() {
	p := r.Pools[0]
	e := &r.Topology.Edge
	at := func(kind NoteKind, key, message string, try ...string) {
		r.Notes = append(r.Notes, Note{Pos: p.Pos, Kind: kind, Key: key, Message: message, Try: try})
	}
	if len(r.Topology.SIPDomains) == 0 {
		at(Ambiguous, "sip-domains", "the export names no SIP domain", "sip-domains: [contoso.com]")
	}
	e.Access = p.Access.FQDN
	if e.Access == "" {
		at(Ambiguous, "access", "the Access Edge has no external FQDN in the export (ConfiguredFqdn)")
		if len(r.Topology.SIPDomains) > 0 {
			e.Access = "sip." + r.Topology.SIPDomains[0]
		}
	}
	e.WebConf = p.WebConf.FQDN
	if e.WebConf != "" && e.WebConf == e.Access {
		e.WebConf = ""
		at(LeftOut, "webconf", fmt.Sprintf("the Web Conferencing Edge shares the Access Edge FQDN, on port %d: it adds no name", p.WebConf.Port))
	}
	e.Internal, e.NextHop = p.FQDN, p.NextHop
	if e.NextHop == "" {
		at(Ambiguous, "next-hop", "the export doesn't say which pool stands behind the Edge", "next-hop: fe01.contoso.net")
	}
	for version, product := range map[int]string{7: "skype-2015", 8: "skype-2019"} {
		if p.ServiceVersion == version {
			at(Ambiguous, "product", fmt.Sprintf("the export has no product's name; published documents with ServiceVersion %d are of another release than the default, lync-2013", version),
				"product: "+product)
		}
	}
	if !p.Federation {
		at(Ambiguous, "edge", "federation isn't enabled for this Edge pool (no external SipServer port): no partner reaches it until it is")
	}
	e.Layout = r.layout(p, at)
	if e.Layout.Pooled() {
		for _, m := range p.Machines {
			e.Nodes = append(e.Nodes, m.FQDN)
		}
	}
	r.Topology.ReverseProxy = topology.ReverseProxy{Web: r.Web.External, SimpleURLs: r.Web.SimpleURLs}
	if !r.Topology.ReverseProxy.Deployed() {
		r.Topology.ReverseProxy = topology.ReverseProxy{}
	}
	r.Topology.Director.Nodes = p.DirectorNodes
	if p.XMPP {
		r.Topology.XMPPDomains = slices.Clone(r.Topology.SIPDomains)
		at(Ambiguous, "xmpp-domains", "XMPP federation is enabled, but the export doesn't say for which domains; every SIP domain is taken. "+
			"A child domain enables some users only", "xmpp-domains: [im.contoso.com]")
		if p.ServiceVersion >= 8 {
			at(Ambiguous, "xmpp-domains", "Skype for Business Server 2019 has no XMPP gateway any more; it is served by an older pool, if at all",
				"xmpp-domains: []")
		}
	}
	if p.AV.FQDN != "" && p.AV.FQDN != e.Access {
		at(LeftOut, "edge", p.AV.FQDN+", the A/V Edge FQDN, is left out: the A/V Edge service uses neither subject name nor SAN "+
			`(topic "Certificate requirements for external user access", 2016-03-29)`)
	}
	r.checkTopology(p.Pos)
}

// checkTopology tells beforehand what the scenario's reader will refuse.
func (r *reader) checkTopology(pos source.Pos) {
	for _, f := range topology.Check(topology.WithDefaults(r.Topology), topology.Options{}) {
		r.Notes = append(r.Notes, Note{Pos: pos, Kind: Invalid, Key: string(f.Path), Message: f.Message})
	}
}

// layout tells the five layouts apart. NAT is declared by a public address beside the external one; hardware load
// balancing doesn't go with NAT; and nothing in the export tells it from DNS load balancing (topic "Define your edge
// topology").
func (r *reader) layout(p Pool, at func(NoteKind, string, string, ...string)) topology.Layout {
	var translated, private, public bool
	for _, m := range p.Machines {
		for _, a := range m.External {
			translated = translated || a.Public.IsValid() && a.Public != a.IP
			if isPrivate(a.IP) {
				private = true
			} else {
				public = true
			}
		}
	}
	pool := len(p.Machines) > 1
	nat, open := topology.SingleNAT, topology.SinglePublic
	if pool {
		nat, open = topology.ScaledDNSNAT, topology.ScaledDNSPublic
	}
	switch {
	case translated:
		return nat
	case private:
		at(Ambiguous, "layout", "the external addresses are private, but no public address is declared beside them (ConfiguredIPAddress): NAT is assumed",
			"layout: "+string(open))
		return nat
	case !public:
		at(Ambiguous, "layout", "the export has no external address, so NAT can't be told", "layout: "+string(open))
		return nat
	case pool:
		at(Ambiguous, "layout", "the export doesn't tell DNS load balancing from hardware load balancers; the names resolve to other addresses then",
			"layout: "+string(topology.ScaledHLB))
	}
	return open
}

// shared is the address space between a provider's NAT and its customers, RFC 6598.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// slug makes an actor's name of words: small letters, digits and hyphens.
func slug(s string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteRune(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}
