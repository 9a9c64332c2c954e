package policy

import (
	"crypto/x509"
	"time"
)

// A Role is which end the judge is.
type Role string

const (
	Acceptor  Role = "acceptor"  // judges the connecting side's certificate
	Initiator Role = "initiator" // judges the answering side's certificate
)

// A Question is one certificate chain put to one product.
type Question struct {
	Role  Role
	Chain []*x509.Certificate // as presented, leaf first; empty: none was presented
	Roots []*x509.Certificate // the judge's trust store (its order doesn't matter)
	// Name is what the judge looks for: the stream's or From domain, the SRV target, or the host it connected
	// to, as Behaviour.Reference says. Handshake doesn't use it.
	Name     string
	At       time.Time         // the judge's clock
	TLS      uint16            // negotiated version, tls.VersionTLS12 or tls.VersionTLS13
	Settings map[string]string // the product's options by its own names; unset: as packaged
	// CRL returns the current CRL of issuer for cert, or nil and why there is none. nil: the judge has no CRLs.
	CRL func(cert, issuer *x509.Certificate) (*x509.RevocationList, error)
	// Signatures remembers which signatures hold, for a judge that is asked often; nil: each is verified anew.
	Signatures *Signatures
}

// A Want says what an acceptor does about the connecting side's certificate.
type Want string

const (
	WantNone     Want = "none"     // no CertificateRequest
	WantOptional Want = "optional" // asks, and goes on without one
	WantRequired Want = "required" // asks, and refuses the handshake without one
)

// A Reference is the kind of name that a product looks for in its peer's certificate.
type Reference string

const (
	RefNone        Reference = "none"        // names aren't compared
	RefHost        Reference = "host"        // the FQDN it connected to (SRV target or fixed)
	RefDomain      Reference = "domain"      // the SIP domain of From or of the request URI, or the stream's domain
	RefSRVTarget   Reference = "srv-target"  // own SRV look-up of the From domain; its target, in that domain
	RefProvisioned Reference = "provisioned" // an FQDN that an administrator has entered
)

// Behaviour is what a peer needs to know to act as a product in one role; the judgement itself comes from Handshake
// and Identify.
type Behaviour struct {
	Want      Want      // acceptor
	Reference Reference // which name to put into Question.Name
	// NeedsClientEKU is the gate of stacks that send no client certificate unless it has the client EKU
	// (dotnet/runtime#121982). Initiator.
	NeedsClientEKU bool
	MinTLS, MaxTLS uint16

	// XMPP.
	TLS      string // "required", "optional", "not-supported": STARTTLS, both roles
	External bool   // offers (acceptor) or uses (initiator) SASL EXTERNAL
	Dialback bool   // offers or accepts XEP-0220
}
