package lab

import (
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/peers/sip"
)

// Actors of the lab's network that are no end of a leg by that name: the Edge's XMPP proxy and its internal interface
// (both are the Edge to a reader), and the machines that serve DNS and CRLs.
const (
	actorGateway  = "gateway"
	actorInternal = "internal"
	actorCRL      = "crl"
	actorDNS      = "dns"
)

// fillZone puts the records into zone that a topology implies, then the scenario's own:
//
//   - SRV _sipfederationtls._tcp of each SIP domain leads to sip.<domain>, or to the Access Edge FQDN where that is a
//     host of the same domain, as the Access Edge's same-domain rule wants it (topic "Determine DNS requirements").
//   - SRV _xmpp-server._tcp of each XMPP domain leads to the Access Edge FQDN (topic "Example XMPP configuration -
//     Google Talk", 2014-04-22; the DNS topics have xmpp.<domain> instead, which makes no difference to a judge that
//     compares the domain).
func fillZone(zone *dns.Zone, t topology.Topology, net *peers.Net) {
	access := net.Address(topology.ActorEdge)
	for _, d := range t.SIPDomains {
		host := "sip." + d
		zone.SetA(host, access)
		if parentOf(t.Edge.Access) == d {
			host = t.Edge.Access
		}
		zone.SetSRV(dns.SIPFederation+"."+d, dns.Target{Host: host, Port: sip.FederationPort})
	}
	zone.SetA(t.Edge.Access, access)
	if t.Edge.WebConf != "" {
		zone.SetA(t.Edge.WebConf, net.Address(edge.WebConfInterface))
	}
	zone.SetA(t.Edge.Internal, net.Address(edge.InternalInterface))
	zone.SetA(t.Edge.NextHop, net.Address(topology.ActorNextHop))
	for _, d := range t.XMPPDomains {
		zone.SetSRV(dns.XMPPServer+"."+d, dns.Target{Host: t.Edge.Access, Port: edge.XMPPPort})
	}
	for _, p := range t.Partners {
		zone.SetA(p.Host, net.Address(p.Name))
		switch p.Protocol {
		case topology.SIP:
			zone.SetSRV(dns.SIPFederation+"."+p.Domain, dns.Target{Host: p.Host, Port: sip.FederationPort})
		case topology.XMPP:
			zone.SetSRV(dns.XMPPServer+"."+p.Domain, dns.Target{Host: p.Host, Port: edge.XMPPPort})
		}
	}
	for name, target := range t.DNS.SRV {
		if target == "" {
			zone.SetSRV(name)
			continue
		}
		port := uint16(sip.FederationPort)
		if strings.HasPrefix(strings.ToLower(name), dns.XMPPServer) {
			port = edge.XMPPPort
		}
		zone.SetSRV(name, dns.Target{Host: target, Port: port})
	}
	for _, name := range t.DNS.Missing {
		zone.SetA(name)
	}
}

// parentOf returns what follows an FQDN's first label.
func parentOf(fqdn string) string {
	_, parent, _ := strings.Cut(fqdn, ".")
	return parent
}
