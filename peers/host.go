package peers

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"io"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/policy"
)

// A Host is one machine of the lab: the Edge, a partner's border server, a remote user's client.
type Host struct {
	Actor string // its name in legs and evidence: "edge", "litware"
	FQDN  string // its name in DNS; empty for a client
	// Interface names its address in Net where that isn't called like the actor: an Edge has several. Empty: Actor.
	Interface string
	Product   *policy.Product
	Settings  map[string]string

	// Certificate is what the host shows, nil for none.
	Certificate *tls.Certificate
	// ClientCertificate is what it shows as an initiator where that isn't Certificate; nil: it is.
	ClientCertificate *tls.Certificate
	// Withhold makes the host show no certificate as an initiator though it has one and is asked.
	Withhold bool
	Roots    []*x509.Certificate
	// Signatures remembers verified signatures for the host's judge; the hosts of a run share one.
	Signatures *policy.Signatures
	CRL        func(cert, issuer *x509.Certificate) (*x509.RevocationList, error)

	Net      *Net
	DNS      *dns.Resolver
	Journal  *verdict.Journal
	Now      func() time.Time // the date at which it judges certificates
	KeyLog   io.Writer        // NSS key log, for captures; nil: none
	Timeouts Timeouts
}

// AsClient returns what the host shows as an initiator.
func (h *Host) AsClient() *tls.Certificate { return cmp.Or(h.ClientCertificate, h.Certificate) }

// Place returns the name of the host's address in Net.
func (h *Host) Place() string { return cmp.Or(h.Interface, h.Actor) }

// Timeouts bound each phase of a leg. They are ceilings: in the good case, and for a refusal, nothing waits for them.
type Timeouts struct {
	Connect   time.Duration
	Handshake time.Duration
	Exchange  time.Duration // a SIP transaction or an XMPP negotiation step
}

// DefaultTimeouts are generous for a loaded machine.
var DefaultTimeouts = Timeouts{Connect: 10 * time.Second, Handshake: 20 * time.Second, Exchange: 20 * time.Second}
