package ca

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/edgelab/edgelab/lab/plan"
)

// Names of the CAs of a Set. A partner's CA is PartnerCA(name).
const (
	Public   = "public"
	Internal = "internal"
)

// PartnerCA returns the name of a partner's own CA.
func PartnerCA(partner string) string { return "partner:" + partner }

// Issued is a certificate, what an end sends along with it, and its key.
type Issued struct {
	Order plan.Order
	Leaf  *x509.Certificate
	TLS   tls.Certificate // the chain as it is sent, and the key
	// Beside lists why no well-behaved CA would sell this, each with its source; empty: the Authority issued it.
	Beside []string
}
