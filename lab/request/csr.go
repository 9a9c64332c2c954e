package request

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
)

var (
	oidSAN      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidEKU      = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidXMPPAddr = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120 §13.7.1.4
	oidDNSSRV   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7} // RFC 4985 §2
)

// csr makes the PKCS#10 request with the extensions that it asks for (RFC 2985 §5.4.2). A CA may leave each of them
// out; what it makes of them is for package profile.
func csr(o plan.Order, key crypto.Signer) ([]byte, error) {
	template := &x509.CertificateRequest{}
	if o.Subject != "" {
		template.Subject = pkix.Name{CommonName: o.Subject}
	}
	for _, make := range []func(plan.Order) (*pkix.Extension, error){sanExtension, keyUsageExtension, ekuExtension} {
		e, err := make(o)
		if err != nil {
			return nil, err
		}
		if e != nil {
			template.ExtraExtensions = append(template.ExtraExtensions, *e)
		}
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	return der, nil
}

func extension(id asn1.ObjectIdentifier, critical bool, value any) (*pkix.Extension, error) {
	der, err := asn1.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode the extension %s: %w", id, err)
	}
	return &pkix.Extension{Id: id, Critical: critical, Value: der}, nil
}

// sanExtension encodes the names in their order, the kinds that crypto/x509 doesn't know included (RFC 5280 §4.2.1.6).
func sanExtension(o plan.Order) (*pkix.Extension, error) {
	if len(o.SANs) == 0 {
		return nil, nil
	}
	var values []asn1.RawValue
	for _, n := range o.SANs {
		v := asn1.RawValue{Class: asn1.ClassContextSpecific, Bytes: []byte(n.Value)}
		var err error
		switch n.Kind {
		case plan.DNSName:
			v.Tag = 2
		case plan.URI:
			v.Tag = 6
		case plan.XMPPAddr:
			v, err = otherName(oidXMPPAddr, n.Value, "utf8")
		case plan.SRVName:
			v, err = otherName(oidDNSSRV, n.Value, "ia5")
		default:
			err = fmt.Errorf("no kind of SAN is called %q", n.Kind)
		}
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return extension(oidSAN, false, values)
}

func otherName(id asn1.ObjectIdentifier, value, stringType string) (asn1.RawValue, error) {
	oid, err := asn1.Marshal(id)
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("encode the SAN %q: %w", value, err)
	}
	text, err := asn1.MarshalWithParams(value, stringType+",explicit,tag:0")
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("encode the SAN %q: %w", value, err)
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: append(oid, text...)}, nil
}

// keyUsages returns the key usages that are asked for: the order's, or what is usual for TLS with such a key.
func keyUsages(o plan.Order) []string {
	switch {
	case slices.Equal(o.KeyUsage, []string{"none"}):
		return nil
	case len(o.KeyUsage) > 0:
		return o.KeyUsage
	case strings.HasPrefix(o.Key, "rsa-"):
		return []string{"digitalSignature", "keyEncipherment"}
	}
	return []string{"digitalSignature"}
}

func keyUsageExtension(o plan.Order) (*pkix.Extension, error) {
	bits := asn1.BitString{}
	for _, name := range keyUsages(o) {
		i := slices.Index(plan.KeyUsages(), name) // they are in the order of RFC 5280 §4.2.1.3
		if i < 0 || name == "none" {
			return nil, fmt.Errorf("no key usage is called %q; %s", name, source.Suggest(name, plan.KeyUsages()))
		}
		for len(bits.Bytes) <= i/8 {
			bits.Bytes = append(bits.Bytes, 0)
		}
		bits.Bytes[i/8] |= 0x80 >> (i % 8)
		bits.BitLength = max(bits.BitLength, i+1) // DER drops trailing zeros
	}
	if bits.BitLength == 0 {
		return nil, nil
	}
	return extension(oidKeyUsage, true, bits)
}

func ekuExtension(o plan.Order) (*pkix.Extension, error) {
	var oids []asn1.ObjectIdentifier
	for _, u := range o.EKUs {
		oid, err := parseOID(dotted(u))
		if err != nil {
			return nil, err
		}
		oids = append(oids, oid)
	}
	if len(oids) == 0 {
		return nil, nil
	}
	return extension(oidEKU, false, oids)
}

// dotted returns an EKU as its object identifier (RFC 5280 §4.2.1.12).
func dotted(u plan.Usage) string {
	switch u {
	case plan.Server:
		return "1.3.6.1.5.5.7.3.1"
	case plan.Client:
		return "1.3.6.1.5.5.7.3.2"
	case plan.Any:
		return "2.5.29.37.0"
	}
	return string(u)
}

func parseOID(s string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("the EKU %q is neither server, client, any nor an object identifier such as 1.3.6.1.5.5.7.3.20", s)
		}
		oid = append(oid, n)
	}
	if len(oid) < 3 {
		return nil, fmt.Errorf("the EKU %q is too short for an object identifier", s)
	}
	return oid, nil
}
