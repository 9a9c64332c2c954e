package lab

import (
	"net/netip"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/peers/sip"
)

// An Endpoint is where something of a standing lab answers.
type Endpoint struct {
	Host string         `json:"host"`
	Name string         `json:"name"` // in the lab's DNS
	At   netip.AddrPort `json:"at"`
	What string         `json:"what"`
}

// Endpoints returns where the hosts that a station plays answer, DNS first.
func (s *Station) Endpoints() []Endpoint {
	w, t := s.world, s.Setup.Scenario.Topology
	var all []Endpoint
	add := func(host, place, name string, port uint16, what string) {
		if w.has(host) {
			all = append(all, Endpoint{host, name, w.net.Bound(netip.AddrPortFrom(w.net.Address(place), port)), what})
		}
	}
	if w.has(HostDNS) {
		all = append(all, Endpoint{HostDNS, "", s.Setup.Resolver, "DNS"})
	}
	const e = topology.ActorEdge
	for _, node := range nodesOf(t) {
		add(e, edge.Place(e, node), t.Edge.Access, sip.FederationPort, "SIP federation, mutual TLS")
		if len(t.XMPPDomains) > 0 {
			add(e, edge.Place(e, node), t.Edge.Access, edge.XMPPPort, "XMPP federation")
		}
		add(e, edge.Place(e, node), t.Edge.Access, sip.UserPort, "SIP for remote users")
		if t.Edge.WebConf != "" {
			add(e, edge.Place(edge.WebConfInterface, node), t.Edge.WebConf, edge.WebConfPort, "Web Conferencing Edge")
		}
		add(e, edge.Place(edge.InternalInterface, node), t.Edge.Internal, edge.NextHopPort, "internal interface, mutual TLS")
		add(e, edge.Place(edge.InternalInterface, node), t.Edge.Internal, edge.MRASPort, "MRAS, mutual TLS")
	}
	add(topology.ActorNextHop, topology.ActorNextHop, t.Edge.NextHop, edge.NextHopPort, "next hop, mutual TLS")
	for _, p := range t.Partners {
		what := "SIP partner, " + p.Product
		if p.Protocol == topology.XMPP {
			what = "XMPP partner, " + p.Product
		}
		add(p.Name, p.Name, p.Host, portOf(p), what)
	}
	return all
}
