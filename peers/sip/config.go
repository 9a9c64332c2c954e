package sip

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
)

// Ports of the Access Edge (topic "Port summary - Single consolidated edge", 2013-04-03) and of SIP over TLS (RFC 3261
// §19.1.2).
const (
	FederationPort = 5061
	UserPort       = 443
)

// Config says who a SIP end is and whom it deals with.
type Config struct {
	Host    *peers.Host
	Domains []string // its own SIP domains
	Routing Routing
	// Methods are requests that this end answers besides OPTIONS and MESSAGE, or instead of its usual answer. A
	// handler runs on the connection's own goroutine and must not block.
	Methods map[sip.RequestMethod]Handler
	// Completes are the methods of which each must have been answered with 200 for an acceptor to say that messages
	// were exchanged. Empty: OPTIONS and MESSAGE.
	Completes []sip.RequestMethod
}

// A Handler answers one request. The response may carry a body; status codes other than 200 are recorded as refusals.
type Handler func(req *sip.Request) *sip.Response

// Routing says whom a SIP end deals with and how it finds them. The zero value deals with nobody.
type Routing struct {
	// Partners are the domains on the end's lists.
	Partners []Partner
	// Discovery serves domains that are on no list (EnablePartnerDiscovery of Set-CsAccessEdgeConfiguration).
	Discovery bool
	// Servers, if set, makes an acceptor deal with these servers only, whatever domain they speak for: the list of
	// trusted servers that guards an Edge's internal interface.
	Servers []string
	// Users makes an acceptor one for remote users: nobody is asked for a certificate, and From must be in one of
	// its own domains.
	Users bool
}

// A Partner is an entry of an end's lists.
type Partner struct {
	Domain  string
	Listing topology.Listing // empty: allowed-domain
	// Server is the FQDN that New-CsAllowedDomain or New-CsPublicProvider has as ProxyFqdn, or that an operator has
	// provisioned. Empty: the partner is found by SRV.
	Server string
}

// A Leg is one connection to open.
type Leg struct {
	From, To string // domains of the sender and of the recipient
	// Server is the FQDN to connect to whatever Routing says: a next hop, or the server that a client is
	// configured with.
	Server string
	Port   uint16 // with Server; zero: FederationPort
	Record *verdict.Record
}

// partner returns the list entry for domain.
func (r Routing) partner(domain string) (Partner, bool) {
	for _, p := range r.Partners {
		if strings.EqualFold(p.Domain, domain) {
			return p, true
		}
	}
	return Partner{}, false
}

func (c Config) owns(domain string) bool {
	for _, d := range c.Domains {
		if strings.EqualFold(d, domain) {
			return true
		}
	}
	return false
}

func (c Config) timeouts() peers.Timeouts {
	t := c.Host.Timeouts
	if t.Connect == 0 {
		t.Connect = peers.DefaultTimeouts.Connect
	}
	if t.Handshake == 0 {
		t.Handshake = peers.DefaultTimeouts.Handshake
	}
	if t.Exchange == 0 {
		t.Exchange = peers.DefaultTimeouts.Exchange
	}
	return t
}
