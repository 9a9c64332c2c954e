package plan

import (
	"slices"

	"github.com/edgelab/edgelab/lab/topology"
)

// external returns the certificate of the external Edge interface.
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
	if !e.Layout.Pooled() && t.Chosen(topology.ExportableKey) == topology.PoolOnly {
		c.KeySpec.Exportable, c.KeySpec.Source = false, layoutTopic(e.Layout)
		c.KeySpec.Reason = "with one Edge Server the layout's topic doesn't ask for an exportable key"
	}
	if e.WebConf != "" {
		c.AssignedTo = append(c.AssignedTo, Assignment{Service: "Web Conferencing Edge", Type: "DataEdgeExternal", Source: summary})
	}
	c.AssignedTo = append(c.AssignedTo, Assignment{
		Service: "A/V Edge", Type: "AudioVideoAuthentication", Source: summary,
		Note: "strictly none: A/V Edge is secured through MRAS, which uses the certificate of the internal interface",
	})
	externalNames(t, sanList{&c})
	c.EKUs = []EKU{{Server, "every service on the external interface answers TLS with it", summary}}
	wildcard := t.Chosen(topology.XMPPNames) != topology.BareDomain && len(t.XMPPDomains) > 0
	if client, ok := clientEKU(t); ok && !e.TwoCertificates {
		c.EKUs = append(c.EKUs, client)
		c.Notes = append(c.Notes, noteClientEKU)
	}
	if wildcard {
		c.Notes = append(c.Notes, noteWildcardTaken)
	} else {
		c.Notes = append(c.Notes, noteWildcard)
	}
	if e.Layout.Pooled() {
		c.Notes = append(c.Notes, notePool)
	}
	if e.TwoCertificates {
		c.Notes = append(c.Notes, "as a client the interface shows another certificate: see the client role")
	}
	return c
}

// externalNames adds the SANs in the order of the topic that fits: with public IM the Access Edge FQDN stands first and,
// as in the combined summary, each XMPP domain behind its SIP domain; without it the Web Conferencing FQDN stands first and
// XMPP's names last. No product minds the order (topic "Certificate requirements for external user access", 2016-03-29).
func externalNames(t topology.Topology, names sanList) {
	e := t.Edge
	publicIM := slices.ContainsFunc(t.Partners, func(p topology.Partner) bool { return topology.IsPublicIM(p.Product) })
	access := func() { names.add(e.Access, "", "the subject name, which must be repeated here", summary) }
	if publicIM {
		access()
	}
	if e.WebConf != "" {
		names.add(e.WebConf, "", "the Web Conferencing Edge FQDN", requirements)
	}
	if !publicIM {
		access()
	}
	interleaved := publicIM && t.Chosen(topology.XMPPNames) == topology.BareDomain
	for _, domain := range t.SIPDomains {
		names.add("sip."+domain, "SIP namespace "+domain, "clients and federation partners of SIP domain "+domain+" look for it", requirements)
		for _, x := range t.XMPPDomains {
			if interleaved && (x == domain || belongs(x, t.SIPDomains) == domain) {
				names.xmpp(x, domain)
			}
		}
	}
	for _, x := range t.XMPPDomains {
		domain := belongs(x, t.SIPDomains)
		switch t.Chosen(topology.XMPPNames) {
		case topology.BareDomain:
			if domain == "" {
				domain = x
			}
			if !interleaved || domain == x && !slices.Contains(t.SIPDomains, x) {
				names.xmpp(x, domain)
			}
		case topology.HostAndWildcard:
			names.add("xmpp."+x, "", "the XMPP host of "+x+", to which the DNS topics let its SRV record lead", sourceOf(t, topology.XMPPNames))
			fallthrough
		case topology.WildcardAlone:
			names.add("*."+x, "", "meant for XMPP domain "+x+" and those below it; no XMPP partner finds "+x+" itself in it", sourceOf(t, topology.XMPPNames))
		}
	}
	if e.AV != "" && t.Chosen(topology.AVName) == topology.Included {
		names.add(e.AV, "", "the A/V Edge FQDN", sourceOf(t, topology.AVName))
	}
}

// clientEKU returns the client EKU if the plan asks for it.
func clientEKU(t topology.Topology) (EKU, bool) {
	for _, p := range t.Partners {
		if p.Product == aol {
			return EKU{Client, "AOL's public IM, partner " + p.Name + ", asks for it when the Edge connects; the topic names no other partner that does", summary}, true
		}
	}
	return EKU{}, false
}

// aol is the product whose public IM asks for the client EKU.
const aol = "aol-pic"

// clientRole returns the certificate that the external interface shows as a client, where it has one of its own. It
// carries the same names, since the partners look for the same ones in either role.
func clientRole(t topology.Topology) Certificate {
	c := external(t)
	c.Key, c.Component, c.CA = ClientRole, "External, client role", PrivateCA
	c.EKUs = []EKU{{Client, "the Edge shows it to the partners that it connects to; public CAs stop selling this EKU", rfc5280}}
	c.AssignedTo = []Assignment{{Service: "outgoing connections of the external interface", Note: "where and how is the product's own matter"}}
	c.Notes = []string{"the partners must trust the private CA's root: each has to install it (trusts-private-ca in a scenario file)"}
	return c
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
