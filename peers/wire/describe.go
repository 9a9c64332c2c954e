package wire

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
)

// Fingerprints returns the SHA-256 fingerprints of a chain, in its order.
func Fingerprints(chain [][]byte) []string {
	out := make([]string, len(chain))
	for i, der := range chain {
		sum := sha256.Sum256(der)
		out[i] = hex.EncodeToString(sum[:])
	}
	return out
}

// Describe says in one line what matters of a chain of n certificates: its leaf's subject, names, EKUs and issuer, and
// how many certificates come along.
func Describe(leaf *x509.Certificate, n int) string {
	var b strings.Builder
	b.WriteString("CN=" + leaf.Subject.CommonName)
	if names := sanNames(leaf); len(names) > 0 {
		b.WriteString("; SAN " + strings.Join(names, ", "))
	}
	b.WriteString("; EKU " + ekuNames(leaf))
	b.WriteString("; issued by " + leaf.Issuer.CommonName)
	switch n {
	case 1:
		b.WriteString("; alone")
	case 2:
		b.WriteString("; with 1 more certificate")
	default:
		fmt.Fprintf(&b, "; with %d more certificates", n-1)
	}
	return b.String()
}

func sanNames(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func ekuNames(c *x509.Certificate) string {
	var out []string
	for _, u := range c.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth:
			out = append(out, "server")
		case x509.ExtKeyUsageClientAuth:
			out = append(out, "client")
		case x509.ExtKeyUsageAny:
			out = append(out, "any")
		default:
			out = append(out, "other")
		}
	}
	for _, oid := range c.UnknownExtKeyUsage {
		out = append(out, oid.String())
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, "+")
}
