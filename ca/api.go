package ca

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/edgelab/edgelab/lab/plan"
)

// Names of the CAs of a Set. A partner's CA is PartnerCA(name).
const (
	Public    = "public"
	Internal  = "internal"
	Untrusted = "untrusted" // its root is for nobody's trust store; it also serves orders with plan.IssuerUntrusted
)

const partnerPrefix = "partner:"

// PartnerCA returns the name of a partner's own CA.
func PartnerCA(partner string) string { return partnerPrefix + partner }

// Issued is a certificate, what an end sends along with it, and its key. It is shared by all who order the same:
// read it, don't change it.
type Issued struct {
	Order plan.Order
	Leaf  *x509.Certificate
	TLS   tls.Certificate // the chain as it is sent, and the key
	// Beside lists why no well-behaved CA would sell this, each with its source; empty: the Authority issued it.
	Beside []string
}
