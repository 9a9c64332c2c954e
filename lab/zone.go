package lab

import (
	"net/netip"
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

// addresses returns what the names of one of the Edge's interfaces lead to: the server's address, those of all servers of
// the pool, or the virtual one of the load balancer (topics "Certificate summary - Scaled consolidated edge …"), which
// leads to the first server unless a leg has it otherwise.
func addresses(t topology.Topology, net *peers.Net, iface string) []netip.Addr {
	nodes := nodesOf(t)
	var all []netip.Addr
	for _, node := range nodes {
		all = append(all, net.Address(edge.Place(iface, node)))
	}
	if t.Edge.Layout != topology.ScaledHLB {
		return all
	}
	virtual := net.Address(edge.Place(iface, ""))
	net.Balance(virtual, all[0])
	return []netip.Addr{virtual}
}

// towards returns a host that reaches one Edge Server of the pool: DNS gives it that server's addresses first, or the load
// balancer leads it there.
func (w *world) towards(h *peers.Host, node string) *peers.Host {
	t := w.scenario.Topology
	if node == "" {
		return h
	}
	led, behind := *h, map[netip.Addr]netip.Addr{}
	var first []netip.Addr
	for _, iface := range []string{topology.ActorEdge, edge.WebConfInterface, edge.InternalInterface} {
		own := w.net.Address(edge.Place(iface, node))
		first = append(first, own)
		if t.Edge.Layout == topology.ScaledHLB {
			behind[w.net.Address(edge.Place(iface, ""))] = own
		}
	}
	led.DNS, led.Net = h.DNS.First(first...), w.net.Behind(behind)
	return &led
}

// fillZone puts the records into zone that a topology implies, then the scenario's own:
//
//   - SRV _sipfederationtls._tcp of each SIP domain leads to sip.<domain>, or to the Access Edge FQDN where that is a
//     host of the same domain, as the Access Edge's same-domain rule wants it (topic "Determine DNS requirements").
//   - SRV _xmpp-server._tcp of each XMPP domain leads to the Access Edge FQDN (topic "Example XMPP configuration -
//     Google Talk", 2014-04-22), or where the topology chooses that to xmpp.<domain>, as the DNS topics have it.
func fillZone(zone *dns.Zone, t topology.Topology, net *peers.Net) {
	access := addresses(t, net, topology.ActorEdge)
	for _, d := range t.SIPDomains {
		host := "sip." + d
		zone.SetA(host, access...)
		if parentOf(t.Edge.Access) == d {
			host = t.Edge.Access
		}
		zone.SetSRV(dns.SIPFederation+"."+d, dns.Target{Host: host, Port: sip.FederationPort})
	}
	zone.SetA(t.Edge.Access, access...)
	if t.Edge.WebConf != "" {
		zone.SetA(t.Edge.WebConf, addresses(t, net, edge.WebConfInterface)...)
	}
	zone.SetA(t.Edge.Internal, addresses(t, net, edge.InternalInterface)...)
	for i, node := range t.Edge.NodeNames() {
		zone.SetA(t.Edge.Nodes[i], net.Address(edge.Place(edge.InternalInterface, node)))
	}
	zone.SetA(t.Edge.NextHop, net.Address(topology.ActorNextHop))
	for _, d := range t.XMPPDomains {
		host := t.Edge.Access
		if t.Chosen(topology.XMPPServer) == topology.XMPPHost {
			host = "xmpp." + d
			zone.SetA(host, access...)
		}
		zone.SetSRV(dns.XMPPServer+"."+d, dns.Target{Host: host, Port: edge.XMPPPort})
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

// interfaces returns the places in the lab's network that no name of the zone need lead to.
func interfaces(t topology.Topology) []string {
	places := []string{topology.ActorNextHop, topology.ActorRemoteUser, actorDNS, actorCRL}
	for _, node := range nodesOf(t) {
		for _, iface := range []string{topology.ActorEdge, edge.InternalInterface, edge.WebConfInterface, edge.AVInterface} {
			places = append(places, edge.Place(iface, node))
		}
	}
	return places
}
