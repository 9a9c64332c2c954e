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
	ID        string   `json:"id"` // "edge/contoso.com -> litware"
	Initiator string   `json:"initiator"`
	Acceptor  string   `json:"acceptor"`
	Kind      LegKind  `json:"kind"`
	Own       string   `json:"own,omitempty"`     // the own domain in whose name it is opened or asked for
	Partner   *Partner `json:"partner,omitempty"` // of federation legs
}

// Legs lists the legs that follow from a topology, federation first, in the order of its partners and domains. A
// federation has two for each own domain of its protocol: one opened by the Edge, one by the partner.
func Legs(t Topology) []Leg {
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
	l := Leg{Initiator: initiator, Acceptor: acceptor, Kind: kind, Own: own, Partner: p}
	l.ID = l.end(initiator) + " -> " + l.end(acceptor)
	return l
}

// end returns an actor's name as the ID has it: with the own domain if it is the Edge and the leg has one.
func (l Leg) end(actor string) string {
	if actor == ActorEdge && l.Own != "" {
		return actor + "/" + l.Own
	}
	return actor
}
