package topology

import (
	"slices"
	"strings"
)

// WithDefaults returns t with every empty field that has a default filled in: layout single-nat; the Edge's product
// lync-2013; the internal FQDN lsedge.<domain of access>; the next hop fe.<domain of the internal FQDN>; the servers of a pool edge01 and edge02 of
// that domain; a partner's
// host sip.<domain> or xmpp.<domain>; its listing public-im for a public IM product and allowed-domain for every
// other SIP product; what a public IM provider has provisioned for us, the Access Edge FQDN; and an XMPP partner's
// entry as New-CsXmppAllowedPartner makes it. Nothing is derived from a name that isn't an FQDN. t isn't changed.
func WithDefaults(t Topology) Topology {
	e := &t.Edge
	fill(&e.Layout, SingleNAT)
	fill(&e.Product, "lync-2013")
	if isFQDN(e.Access) {
		fill(&e.Internal, "lsedge."+parent(e.Access))
	}
	if isFQDN(e.Internal) {
		fill(&e.NextHop, "fe."+parent(e.Internal))
		if e.Layout.Pooled() && len(e.Nodes) == 0 {
			e.Nodes = []string{"edge01." + parent(e.Internal), "edge02." + parent(e.Internal)}
		}
	}
	t.Partners = slices.Clone(t.Partners)
	for i := range t.Partners {
		p := &t.Partners[i]
		switch p.Protocol {
		case SIP:
			if isFQDN(p.Domain) {
				fill(&p.Host, "sip."+p.Domain)
			}
			if IsPublicIM(p.Product) {
				fill(&p.Listing, PublicIM)
			}
			fill(&p.Listing, AllowedDomain)
			if p.Listing == PublicIM {
				fill(&p.EdgeFQDN, e.Access)
			}
		case XMPP:
			if isFQDN(p.Domain) {
				fill(&p.Host, "xmpp."+p.Domain)
			}
			if p.XMPP == (Allowed{}) {
				p.XMPP = DefaultAllowed()
			}
		}
	}
	return t
}

// IsPublicIM reports whether a product is a public IM provider: aol-pic, msn-pic, yahoo-pic.
func IsPublicIM(product string) bool { return strings.HasSuffix(product, "-pic") }

func isFQDN(name string) bool {
	wrong, _ := CheckFQDN(name)
	return wrong == ""
}

func fill[T ~string](field *T, value T) {
	if *field == "" {
		*field = value
	}
}
