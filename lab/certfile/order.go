package certfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/plan"
)

// Order returns what would have to be ordered to get the same certificate again, or for a request what it asks for:
// subject, SANs, EKUs, key, key usage, validity, CDP, the issuing certificate's EKU. A request has no validity; it gets
// that of plan.Resolve at the given date, by which a certificate isn't changed. The findings say what an order can't
// express, and what it has instead.
func (f File) Order(at time.Time) (plan.Order, []Finding) {
	c := copier{}
	if f.Request != nil {
		r := f.Request
		c.order.NotBefore = at.UTC().AddDate(0, 0, -1).Truncate(time.Second)
		c.order.NotAfter = c.order.NotBefore.Add(plan.DefaultLifetime)
		c.subject(r.Subject)
		c.key(f.KeyType())
		c.extensions(r.Extensions)
		c.order.Hash = plan.Hashes()[0]
		return c.order, c.findings
	}
	leaf := f.Leaf()
	if leaf == nil {
		return plan.Order{}, nil
	}
	c.order.NotBefore, c.order.NotAfter = leaf.NotBefore.UTC(), leaf.NotAfter.UTC()
	c.subject(leaf.Subject)
	c.key(f.KeyType())
	c.hash(leaf.SignatureAlgorithm)
	c.extensions(leaf.Extensions)
	c.order.CA = leaf.BasicConstraintsValid && leaf.IsCA
	c.order.NoCDP = len(leaf.CRLDistributionPoints) == 0
	switch {
	case selfIssued(leaf):
		c.order.Issuer = plan.IssuerSelfSigned
	case len(f.Chain) == 1:
		c.order.Chain = plan.ChainLeafOnly
	default:
		c.issuer(f.Chain[1])
	}
	if c.order.Chain == "" {
		c.order.Chain = plan.ChainFull
		if len(f.Chain) > 2 && selfIssued(f.Chain[len(f.Chain)-1]) {
			c.order.Chain = plan.ChainWithRoot
		}
	}
	return c.order, c.findings
}

type copier struct {
	order    plan.Order
	findings []Finding
}

func (c *copier) lost(rule, format string, args ...any) {
	c.findings = append(c.findings, Finding{Rule: rule, Detail: fmt.Sprintf(format, args...)})
}

func (c *copier) subject(name pkix.Name) {
	c.order.Subject = name.CommonName
	if len(name.Names) > 1 || len(name.Names) == 1 && name.CommonName == "" {
		c.lost("subject-attributes", "of the subject %q the order has the common name only; no check looks at the rest", clean(name.String()))
	}
}

// KeyType returns the type of the leaf's or the request's key, in the words of plan.KeyTypes where these have one:
// "rsa-2048", "dsa".
func (f File) KeyType() string {
	if f.Request != nil {
		return keyType(f.Request.PublicKey, f.Request.PublicKeyAlgorithm)
	}
	if leaf := f.Leaf(); leaf != nil {
		return keyType(leaf.PublicKey, leaf.PublicKeyAlgorithm)
	}
	return ""
}

func keyType(key crypto.PublicKey, algorithm x509.PublicKeyAlgorithm) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("ecdsa-p%d", k.Curve.Params().BitSize)
	case ed25519.PublicKey:
		return "ed25519"
	}
	return strings.ToLower(algorithm.String())
}

func (c *copier) key(name string) {
	c.order.Key = name
	if !slices.Contains(plan.KeyTypes(), name) {
		c.order.Key = "rsa-2048"
		c.lost("key-type", "a key of type %s can't be ordered; the order has %s", name, c.order.Key)
	}
}

func (c *copier) hash(a x509.SignatureAlgorithm) {
	c.order.Hash = "sha256"
	switch a {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		c.order.Hash = "sha1"
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384:
		c.order.Hash = "sha384"
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512:
		c.order.Hash = "sha512"
	case x509.SHA256WithRSA, x509.ECDSAWithSHA256:
	default:
		c.lost("signature", "a signature of type %s can't be ordered; the order has %s", a, c.order.Hash)
	}
}

// issuer copies what a leaf's judges look at in the certificate above it.
func (c *copier) issuer(i *x509.Certificate) {
	for _, e := range i.Extensions {
		if e.Id.Equal(oidEKU) {
			c.order.IntermediateEKU = c.usages(e.Value)
		}
	}
	if !i.IsCA {
		no := false
		c.order.IntermediateCA = &no
	}
	c.order.Permitted = slices.Clone(i.PermittedDNSDomains)
	if len(i.ExcludedDNSDomains)+len(i.PermittedIPRanges)+len(i.ExcludedIPRanges)+len(i.PermittedURIDomains)+len(i.ExcludedURIDomains) > 0 {
		c.lost("name-constraints", "of the intermediate's name constraints the order has the permitted domains only")
	}
}

var (
	oidSAN      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidEKU      = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidXMPPAddr = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120 §13.7.1.4
	oidDNSSRV   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7} // RFC 4985 §2
)

// understood are the extensions that an order has a field for, or that no judge heeds; RFC 5280 §4.2.1.
var understood = []asn1.ObjectIdentifier{oidSAN, oidEKU, oidKeyUsage, {2, 5, 29, 19}, {2, 5, 29, 31}, {2, 5, 29, 32}, {2, 5, 29, 35}, {2, 5, 29, 14}}

func (c *copier) extensions(all []pkix.Extension) {
	for _, e := range all {
		switch {
		case e.Id.Equal(oidSAN):
			c.names(e.Value)
		case e.Id.Equal(oidEKU):
			c.order.EKUs = c.usages(e.Value)
		case e.Id.Equal(oidKeyUsage):
			c.keyUsage(e.Value)
		case e.Critical && !slices.ContainsFunc(understood, e.Id.Equal):
			c.order.Critical = true
			c.lost("critical-extension", "the critical extension %s is replaced by another that nobody knows", e.Id)
		}
	}
	if c.order.KeyUsage == nil {
		c.order.KeyUsage = []string{"none"}
	}
}

func (c *copier) usages(der []byte) []plan.Usage {
	var oids []asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(der, &oids); err != nil {
		c.lost("eku", "the EKU extension can't be read: %s", short(err))
		return nil
	}
	var usages []plan.Usage
	for _, oid := range oids {
		switch s := oid.String(); s {
		case "1.3.6.1.5.5.7.3.1":
			usages = append(usages, plan.Server)
		case "1.3.6.1.5.5.7.3.2":
			usages = append(usages, plan.Client)
		case "2.5.29.37.0":
			usages = append(usages, plan.Any)
		default:
			usages = append(usages, plan.Usage(s))
		}
	}
	return usages
}

func (c *copier) keyUsage(der []byte) {
	var bits asn1.BitString
	if _, err := asn1.Unmarshal(der, &bits); err != nil {
		c.lost("key-usage", "the key usage can't be read: %s", short(err))
		return
	}
	for i, name := range plan.KeyUsages() {
		if name != "none" && bits.At(i) == 1 { // plan.KeyUsages has them in the order of RFC 5280 §4.2.1.3
			c.order.KeyUsage = append(c.order.KeyUsage, name)
		}
	}
}

// names reads the SAN extension itself: crypto/x509 drops the otherNames.
func (c *copier) names(der []byte) {
	var values []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &values); err != nil {
		c.lost("san", "the SAN extension can't be read: %s", short(err))
		return
	}
	for _, v := range values {
		if v.Class != asn1.ClassContextSpecific {
			continue
		}
		switch v.Tag {
		case 2:
			c.san(plan.DNSName, string(v.Bytes))
		case 6:
			c.san(plan.URI, string(v.Bytes))
		case 0:
			c.otherName(v.Bytes)
		default:
			c.lost("san-kind", "a SAN of kind %d (RFC 5280 §4.2.1.6) can't be ordered and is left out", v.Tag)
		}
	}
}

func (c *copier) san(kind plan.SANKind, value string) {
	n := plan.Name{Kind: kind, Value: value}
	if !slices.Contains(c.order.SANs, n) {
		c.order.SANs = append(c.order.SANs, n)
	}
}

func (c *copier) otherName(der []byte) {
	var oid asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(der, &oid)
	var explicit, text asn1.RawValue
	if err == nil {
		_, err = asn1.Unmarshal(rest, &explicit)
	}
	if err == nil {
		_, err = asn1.Unmarshal(explicit.Bytes, &text)
	}
	switch {
	case err == nil && oid.Equal(oidXMPPAddr):
		c.san(plan.XMPPAddr, string(text.Bytes))
	case err == nil && oid.Equal(oidDNSSRV):
		c.san(plan.SRVName, string(text.Bytes))
	default:
		c.lost("san-kind", "an otherName of type %s can't be ordered and is left out", oid)
	}
}
