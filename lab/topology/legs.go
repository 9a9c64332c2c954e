package topology

import "slices"

// The actors that belong to the deployment itself, as they appear in leg IDs.
const (
	ActorEdge       = "edge"        // the Access Edge, its XMPP gateway included
	ActorWebConf    = "webconf"     // the Web Conferencing Edge
	ActorMRAS       = "mras"        // the Media Relay Authentication Service on the internal interface
	ActorNextHop    = "next-hop"    // the Director or Front End pool
	ActorRemoteUser = "remote-user" // a client outside
)

// A LegKind says what a leg is for, and so which service and which port it uses (topic "Port summary - Single
// consolidated edge with private IP addresses using NAT", 2013-04-03).
type LegKind string

// The kinds of leg, each with its port.
const (
	SIPFederation  LegKind = "sip-federation"  // port 5061, mutual TLS; public IM included
	XMPPFederation LegKind = "xmpp-federation" // port 5269
	RemoteUser     LegKind = "remote-user"     // Access Edge, port 443: SIP over TLS
	WebConference  LegKind = "web-conference"  // Web Conferencing Edge, port 443: PSOM over TLS
	NextHopSIP     LegKind = "next-hop-sip"    // internal interface, port 5061, mutual TLS
	MRASRequest    LegKind = "mras-request"    // internal interface, port 5062, mutual TLS
)

// A Leg is one directed connection.
type Leg struct {
	ID        string   `json:"id"` // "edge/contoso.com -> litware", in a pool "edge/contoso.com@edge01 -> litware"
	Initiator string   `json:"initiator"`
	Acceptor  string   `json:"acceptor"`
	Kind      LegKind  `json:"kind"`
	Own       string   `json:"own,omitempty"`     // the own domain in whose name it is opened or asked for
	Node      string   `json:"node,omitempty"`    // the server of the pool that is at the Edge's end
	Partner   *Partner `json:"partner,omitempty"` // of federation legs
}

// Legs lists the legs that follow from a topology, federation first, in the order of its partners and domains. A
// federation has two for each own domain of its protocol: one opened by the Edge, one by the partner. In a pool each leg
// is there once for each server, because names lead to any of them and each has to show the same certificate.
func Legs(t Topology) []Leg {
	nodes := t.Edge.NodeNames()
	if len(nodes) == 0 {
		return legsOf(t)
	}
	var legs []Leg
	for _, l := range legsOf(t) {
		for _, node := range nodes {
			l.Node = node
			legs = append(legs, l.named())
		}
	}
	return legs
}

// legsOf lists the legs with the Edge as one machine.
func legsOf(t Topology) []Leg {
	var legs []Leg
	for i := range t.Partners {
		p := &t.Partners[i]
		kind, own := SIPFederation, t.SIPDomains
		if p.Protocol == XMPP {
			kind, own = XMPPFederation, t.XMPPDomains
		}
		for _, domain := range own {
			if len(p.OwnDomains) > 0 && !slices.Contains(p.OwnDomains, domain) {
				continue
			}
			legs = append(legs,
				leg(kind, ActorEdge, p.Name, domain, p),
				leg(kind, p.Name, ActorEdge, domain, p))
		}
	}
	for _, domain := range t.SIPDomains {
		legs = append(legs, leg(RemoteUser, ActorRemoteUser, ActorEdge, domain, nil))
	}
	if t.Edge.WebConf != "" {
		legs = append(legs, leg(WebConference, ActorRemoteUser, ActorWebConf, "", nil))
	}
	return append(legs,
		leg(NextHopSIP, ActorNextHop, ActorEdge, "", nil),
		leg(NextHopSIP, ActorEdge, ActorNextHop, "", nil),
		leg(MRASRequest, ActorNextHop, ActorMRAS, "", nil))
}

func leg(kind LegKind, initiator, acceptor, own string, p *Partner) Leg {
	return Leg{Initiator: initiator, Acceptor: acceptor, Kind: kind, Own: own, Partner: p}.named()
}

// named returns the leg with the ID that follows from it.
func (l Leg) named() Leg {
	l.ID = l.end(l.Initiator) + " -> " + l.end(l.Acceptor)
	return l
}

// end returns an actor's name as the ID has it: with the own domain if it is the Edge and the leg has one, and with the
// server if it is a pool's.
func (l Leg) end(actor string) string {
	name := actor
	if actor == ActorEdge && l.Own != "" {
		name += "/" + l.Own
	}
	if l.Node != "" && isOwnServer(actor) {
		name += "@" + l.Node
	}
	return name
}

// isOwnServer reports whether an actor is a service of the Edge Servers.
func isOwnServer(actor string) bool {
	return actor == ActorEdge || actor == ActorWebConf || actor == ActorMRAS
}
