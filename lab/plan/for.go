package plan

import (
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
)

// For returns the certificates to order for a topology: one for the external Edge interface, one for the internal.
func For(t topology.Topology) Plan {
	return Plan{Certificates: []Certificate{external(t), internal(t)}}
}

func external(t topology.Topology) Certificate {
	e := t.Edge
	c := Certificate{
		Key: External, Component: "External / Access Edge", CA: PublicCA,
		Subject:       e.Access,
		SubjectReason: "the Access Edge FQDN" + resolvesTo(e.Layout),
		SubjectSource: requirements,
		KeySpec: Key{
			Type: "rsa-2048", Exportable: true, Source: requirements,
			Reason: "A/V authentication shares one private key on all Edge Servers of a pool; exportable is asked for with one server too",
		},
		AssignedTo: []Assignment{{Service: "Access Edge", Type: "AccessEdgeExternal", Source: summary}},
	}
	names := sanList{&c}
	names.add(e.Access, "", "the subject name, which must be repeated here", summary)
	if e.WebConf != "" {
		names.add(e.WebConf, "", "the Web Conferencing Edge FQDN", requirements)
		c.AssignedTo = append(c.AssignedTo, Assignment{Service: "Web Conferencing Edge", Type: "DataEdgeExternal", Source: summary})
	}
	c.AssignedTo = append(c.AssignedTo, Assignment{
		Service: "A/V Edge", Type: "AudioVideoAuthentication", Source: summary,
		Note: "strictly none: A/V Edge is secured through MRAS, which uses the certificate of the internal interface",
	})
	for _, domain := range t.SIPDomains {
		names.add("sip."+domain, "SIP namespace "+domain, "clients and federation partners of SIP domain "+domain+" look for it", requirements)
		for _, x := range t.XMPPDomains {
			if x == domain || belongs(x, t.SIPDomains) == domain {
				names.xmpp(x, domain)
			}
		}
	}
	for _, x := range t.XMPPDomains {
		if belongs(x, t.SIPDomains) == "" {
			names.xmpp(x, x)
		}
	}
	c.EKUs = []EKU{{Server, "every service on the external interface answers TLS with it", summary}}
	for _, p := range t.Partners {
		if p.Product == aol {
			c.EKUs = append(c.EKUs, EKU{Client, "AOL's public IM, partner " + p.Name + ", asks for it when the Edge connects; the topic names no other partner that does", summary})
			c.Notes = append(c.Notes, noteClientEKU)
			break
		}
	}
	c.Notes = append(c.Notes, noteWildcard)
	if pooled(e.Layout) {
		c.Notes = append(c.Notes, notePool)
	}
	return c
}

// aol is the product whose public IM asks for the client EKU.
const aol = "aol-pic"

func internal(t topology.Topology) Certificate {
	layout := layoutTopic(t.Edge.Layout)
	return Certificate{
		Key: Internal, Component: "Edge internal", CA: InternalCA,
		Subject:       t.Edge.Internal,
		SubjectReason: "the FQDN of the internal interface, of the pool if there is one",
		SubjectSource: layout,
		SANs:          []SAN{},
		EKUs:          []EKU{{Server, "the next hop and MRAS clients are answered with it", layout}},
		KeySpec: Key{
			Type: "rsa-2048", Exportable: true, Source: planning,
			Reason: "copied to each Edge Server of a pool",
		},
		AssignedTo: []Assignment{
			{Service: "Edge internal", Type: "Internal", Note: "for the next hop", Source: layout},
			{Service: "MRAS", Type: "Internal", Note: "A/V authentication runs on the internal interface", Source: summary},
		},
		Notes: []string{"no SAN is needed: the subject name is the only name that is looked for"},
	}
}

// ForNextHop returns the certificate of the Front End or Director pool behind the Edge. It isn't part of the order; it
// stands at the other end of the internal legs.
func ForNextHop(t topology.Topology) Certificate {
	c := Certificate{
		Key: NextHop, Component: "Next hop pool", CA: InternalCA,
		Subject: t.Edge.NextHop, SubjectReason: "the pool FQDN", SubjectSource: director,
		EKUs:    []EKU{{Server, "the Edge is answered with it", infrastructure}},
		KeySpec: Key{Type: "ecdsa-p256", Reason: "one of the key types that Lync Server supports", Source: infrastructure},
	}
	sanList{&c}.add(t.Edge.NextHop, "", "the subject name, repeated", director)
	return c
}

// ForPartner returns the certificate that a well-kept partner has: every name that any product could look for, and
// both EKUs, so that what a leg shows is about our certificate unless the scenario says otherwise.
func ForPartner(p topology.Partner) Certificate {
	c := Certificate{
		Key: p.Name, Component: "Partner " + p.Name, CA: PartnerCA,
		Subject: p.Host, SubjectReason: "the partner's border server", SubjectSource: rfc5922,
		EKUs: []EKU{
			{Server, "the Edge connects to it", rfc5280},
			{Client, "it connects to the Edge, and may be judged by the client purpose", rfc5280},
		},
		KeySpec: Key{Type: "ecdsa-p256", Source: infrastructure},
	}
	names := sanList{&c}
	if p.Protocol == topology.XMPP {
		c.Subject, c.SubjectReason, c.SubjectSource = p.Domain, "the partner's XMPP domain", rfc6120
		names.add(p.Domain, "XMPP namespace "+p.Domain, "the domain of its streams", rfc6120)
		names.add(p.Host, "", "the host that its SRV record names", rfc6120)
		return c
	}
	names.add(p.Host, "", "the host that its SRV record names, or that is on our list", rfc5922)
	names.add("sip."+p.Domain, "SIP namespace "+p.Domain, "clients look for it", requirements)
	names.add(p.Domain, "", "what a strict SIP proxy matches", rfc5922)
	return c
}

// A sanList adds names to a certificate, each once.
type sanList struct{ c *Certificate }

func (l sanList) add(name, note, reason string, source Source) {
	for i := range l.c.SANs {
		if s := &l.c.SANs[i]; s.Value == name {
			s.Reason += "; " + reason
			return
		}
	}
	l.c.SANs = append(l.c.SANs, SAN{Kind: DNSName, Value: name, Note: note, Reason: reason, Source: source})
}

func (l sanList) xmpp(name, domain string) {
	reason := "users of XMPP domain " + name + " may talk to XMPP partners"
	if name != domain {
		reason += ", which is a child domain for part of the users of " + domain
	}
	l.add(name, "XMPP namespace "+name, reason, summary)
}

// belongs returns the longest SIP domain that x is or lies below, or "".
func belongs(x string, domains []string) string {
	best := ""
	for _, d := range domains {
		if (x == d || strings.HasSuffix(x, "."+d)) && len(d) > len(best) {
			best = d
		}
	}
	return best
}

func pooled(l topology.Layout) bool {
	return slices.Contains([]topology.Layout{topology.ScaledDNSNAT, topology.ScaledDNSPublic, topology.ScaledHLB}, l)
}

func resolvesTo(l topology.Layout) string {
	switch l {
	case topology.SingleNAT:
		return ", which resolves to the public address that NAT maps to the server"
	case topology.SinglePublic:
		return ", which resolves to the server's public address"
	case topology.ScaledDNSNAT:
		return ", which resolves to the public addresses that NAT maps to the servers of the pool"
	case topology.ScaledDNSPublic:
		return ", which resolves to the public addresses of the servers of the pool"
	case topology.ScaledHLB:
		return ", which resolves to the virtual address of the hardware load balancer"
	}
	return ""
}
