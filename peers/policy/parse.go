package policy

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"time"
)

// oidUnparsed marks a certificate that crypto/x509 can't read: ParseCertificate puts it with the reason into
// ExtraExtensions, which a parser otherwise leaves empty. It is nobody's: 2.25 is for OIDs made of UUIDs.
var oidUnparsed = asn1.ObjectIdentifier{2, 25, 1263, 5, 6}

// ParseCertificate reads a certificate in DER as crypto/x509 does, and also one that crypto/x509 refuses for what stands in it:
// a key on a curve that Go doesn't have, a negative serial number, a name that isn't ASCII. Such a certificate has no
// PublicKey, or what of it could be read, and a product whose stack is known to refuse it says so. The error is that of
// crypto/x509, for what isn't a Certificate of RFC 5280 §4.1 at all.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	c, strict := x509.ParseCertificate(der)
	if strict == nil {
		return c, nil
	}
	c, err := lenient(der)
	if err != nil {
		return nil, strict
	}
	reason := strings.TrimPrefix(strict.Error(), "x509: ")
	c.ExtraExtensions = []pkix.Extension{{Id: oidUnparsed, Value: []byte(reason)}}
	return c, nil
}

// unparsed returns why crypto/x509 can't read c, or "".
func unparsed(c *x509.Certificate) string {
	for _, e := range c.ExtraExtensions {
		if e.Id.Equal(oidUnparsed) {
			return string(e.Value)
		}
	}
	return ""
}

// tbs is TBSCertificate (RFC 5280 §4.1).
type tbs struct {
	Raw        asn1.RawContent
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Signature  asn1.RawValue
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	Key        asn1.RawValue
	IssuerID   asn1.BitString   `asn1:"optional,tag:1"`
	SubjectID  asn1.BitString   `asn1:"optional,tag:2"`
	Extensions []pkix.Extension `asn1:"optional,explicit,tag:3"`
}

func lenient(der []byte) (*x509.Certificate, error) {
	var outer struct {
		Raw       asn1.RawContent
		TBS       tbs
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, errors.New("something follows the certificate")
	}
	t := &outer.TBS
	c := &x509.Certificate{
		Raw: outer.Raw, RawTBSCertificate: t.Raw, RawSubjectPublicKeyInfo: t.Key.FullBytes, RawSubject: t.Subject.FullBytes,
		RawIssuer: t.Issuer.FullBytes, Signature: outer.Signature.RightAlign(), Version: t.Version + 1, SerialNumber: t.Serial,
		Extensions: t.Extensions, MaxPathLen: -1,
	}
	if c.NotBefore, c.NotAfter, err = dates(t.Validity.Bytes); err != nil {
		return nil, err
	}
	for _, n := range []struct {
		raw  []byte
		into *pkix.Name
	}{{c.RawSubject, &c.Subject}, {c.RawIssuer, &c.Issuer}} {
		var rdn pkix.RDNSequence
		if _, err := asn1.Unmarshal(n.raw, &rdn); err == nil { // else it stays unnamed, and is compared as it is
			n.into.FillFromRDNSequence(&rdn)
		}
	}
	var algorithm pkix.AlgorithmIdentifier
	if _, err := asn1.Unmarshal(outer.Algorithm.FullBytes, &algorithm); err != nil {
		return nil, err
	}
	c.SignatureAlgorithm = SignatureAlgorithm(algorithm.Algorithm)
	if c.PublicKey, err = x509.ParsePKIXPublicKey(c.RawSubjectPublicKeyInfo); err != nil {
		c.PublicKey = nil
	}
	c.PublicKeyAlgorithm = keyAlgorithm(c.RawSubjectPublicKeyInfo)
	for _, e := range c.Extensions {
		readExtension(c, e)
	}
	return c, nil
}

func dates(der []byte) (from, to time.Time, err error) {
	if rest, err := asn1.Unmarshal(der, &from); err != nil {
		return from, to, err
	} else if _, err := asn1.Unmarshal(rest, &to); err != nil {
		return from, to, err
	}
	return from, to, nil
}

// keyAlgorithm returns the algorithm of a SubjectPublicKeyInfo, as far as crypto/x509 has a name for it.
func keyAlgorithm(spki []byte) x509.PublicKeyAlgorithm {
	id, _ := keyInfo(spki)
	switch id {
	case "1.2.840.113549.1.1.1":
		return x509.RSA
	case "1.2.840.10040.4.1":
		return x509.DSA
	case "1.2.840.10045.2.1":
		return x509.ECDSA
	case "1.3.101.112":
		return x509.Ed25519
	}
	return x509.UnknownPublicKeyAlgorithm
}

// readExtension reads what of an extension is asked for. One that can't be read counts as if it were empty.
func readExtension(c *x509.Certificate, e pkix.Extension) {
	switch e.Id.String() {
	case "2.5.29.15":
		var bits asn1.BitString
		if _, err := asn1.Unmarshal(e.Value, &bits); err == nil {
			for i := range 9 {
				if bits.At(i) != 0 {
					c.KeyUsage |= 1 << i
				}
			}
		}
	case "2.5.29.19":
		var bc struct {
			CA  bool `asn1:"optional"`
			Max int  `asn1:"optional,default:-1"`
		}
		if _, err := asn1.Unmarshal(e.Value, &bc); err == nil {
			c.BasicConstraintsValid, c.IsCA, c.MaxPathLen, c.MaxPathLenZero = true, bc.CA, bc.Max, bc.Max == 0
		}
	case "2.5.29.37":
		var list []asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(e.Value, &list); err == nil {
			addUsages(c, list)
		}
	case "2.5.29.14":
		_, _ = asn1.Unmarshal(e.Value, &c.SubjectKeyId)
	case "2.5.29.35":
		var id struct {
			ID []byte `asn1:"optional,tag:0"`
		}
		if _, err := asn1.Unmarshal(e.Value, &id); err == nil {
			c.AuthorityKeyId = id.ID
		}
	case "2.5.29.17":
		readNames(c, e.Value)
	case "2.5.29.30":
		readSubtrees(c, e.Value)
	case "2.5.29.32":
		for _, p := range parts(outerOf(e.Value)) {
			var id asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(p.Bytes, &id); err == nil {
				c.PolicyIdentifiers = append(c.PolicyIdentifiers, id)
			}
		}
	default:
		if e.Critical {
			c.UnhandledCriticalExtensions = append(c.UnhandledCriticalExtensions, e.Id)
		}
	}
}

// outerOf returns what a sequence holds.
func outerOf(der []byte) []byte {
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil
	}
	return v.Bytes
}

func addUsages(c *x509.Certificate, list []asn1.ObjectIdentifier) {
	known := map[string]x509.ExtKeyUsage{
		"2.5.29.37.0": x509.ExtKeyUsageAny, "1.3.6.1.5.5.7.3.1": x509.ExtKeyUsageServerAuth, "1.3.6.1.5.5.7.3.2": x509.ExtKeyUsageClientAuth,
		"1.3.6.1.5.5.7.3.3": x509.ExtKeyUsageCodeSigning, "1.3.6.1.5.5.7.3.4": x509.ExtKeyUsageEmailProtection,
		"1.3.6.1.5.5.7.3.8": x509.ExtKeyUsageTimeStamping, "1.3.6.1.5.5.7.3.9": x509.ExtKeyUsageOCSPSigning,
		"2.16.840.1.113730.4.1": x509.ExtKeyUsageNetscapeServerGatedCrypto, "1.3.6.1.4.1.311.10.3.3": x509.ExtKeyUsageMicrosoftServerGatedCrypto,
	}
	for _, oid := range list {
		if u, ok := known[oid.String()]; ok {
			c.ExtKeyUsage = append(c.ExtKeyUsage, u)
		} else {
			c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, oid)
		}
	}
}

// readNames reads subjectAltName (RFC 5280 §4.2.1.6). otherName is read where it is asked for.
func readNames(c *x509.Certificate, der []byte) {
	for _, n := range parts(outerOf(der)) {
		switch text := string(n.Bytes); n.Tag {
		case 1:
			c.EmailAddresses = append(c.EmailAddresses, text)
		case 2:
			c.DNSNames = append(c.DNSNames, text)
		case 6:
			if u, err := url.Parse(text); err == nil {
				c.URIs = append(c.URIs, u)
			}
		case 7:
			if len(n.Bytes) == net.IPv4len || len(n.Bytes) == net.IPv6len {
				c.IPAddresses = append(c.IPAddresses, net.IP(n.Bytes))
			}
		}
	}
}

// readSubtrees reads nameConstraints (RFC 5280 §4.2.1.10). directoryNames are read where they are asked for.
func readSubtrees(c *x509.Certificate, der []byte) {
	for _, trees := range parts(outerOf(der)) {
		for _, tree := range parts(trees.Bytes) {
			base := parts(tree.Bytes)
			if len(base) == 0 {
				continue
			}
			text, permitted := string(base[0].Bytes), trees.Tag == 0
			add := func(yes, no *[]string) {
				if permitted {
					*yes = append(*yes, text)
				} else {
					*no = append(*no, text)
				}
			}
			switch base[0].Tag {
			case 1:
				add(&c.PermittedEmailAddresses, &c.ExcludedEmailAddresses)
			case 2:
				add(&c.PermittedDNSDomains, &c.ExcludedDNSDomains)
			case 6:
				add(&c.PermittedURIDomains, &c.ExcludedURIDomains)
			case 7:
				half := len(text) / 2
				n := &net.IPNet{IP: net.IP(text[:half]), Mask: net.IPMask(text[half:])}
				if permitted {
					c.PermittedIPRanges = append(c.PermittedIPRanges, n)
				} else {
					c.ExcludedIPRanges = append(c.ExcludedIPRanges, n)
				}
			}
		}
	}
}

// SignatureAlgorithm returns the signature algorithm of an OID (RFC 3279 §2.2, RFC 4055 §5, RFC 5758 §3.2, RFC 8410
// §3). RSASSA-PSS, whose hash is in its parameters, and what crypto/x509 has no name for are
// x509.UnknownSignatureAlgorithm.
func SignatureAlgorithm(oid asn1.ObjectIdentifier) x509.SignatureAlgorithm {
	return map[string]x509.SignatureAlgorithm{
		"1.2.840.113549.1.1.2": x509.MD2WithRSA, "1.2.840.113549.1.1.4": x509.MD5WithRSA, "1.2.840.113549.1.1.5": x509.SHA1WithRSA,
		"1.2.840.113549.1.1.11": x509.SHA256WithRSA, "1.2.840.113549.1.1.12": x509.SHA384WithRSA, "1.2.840.113549.1.1.13": x509.SHA512WithRSA,
		"1.2.840.10040.4.3": x509.DSAWithSHA1, "2.16.840.1.101.3.4.3.2": x509.DSAWithSHA256, "1.2.840.10045.4.1": x509.ECDSAWithSHA1,
		"1.2.840.10045.4.3.2": x509.ECDSAWithSHA256, "1.2.840.10045.4.3.3": x509.ECDSAWithSHA384, "1.2.840.10045.4.3.4": x509.ECDSAWithSHA512,
		"1.3.101.112": x509.PureEd25519,
	}[oid.String()]
}

// The kinds of key that crypto/x509 doesn't know or can't read, by the OIDs of algorithm or curve.
var otherKeys = map[string]struct {
	kind string
	bits int
}{
	"1.3.101.113":             {"ed448", 448},
	"1.3.101.110":             {"x25519", 256},
	"1.2.840.113549.1.1.10":   {"rsa-pss", 0},
	"1.2.840.10040.4.1":       {"dsa", 0},
	"1.2.840.10045.3.1.1":     {"ecdsa-p192", 192},
	"1.3.132.0.10":            {"ecdsa-secp256k1", 256},
	"1.3.36.3.3.2.8.1.1.7":    {"ecdsa-brainpoolP256r1", 256},
	"1.3.36.3.3.2.8.1.1.11":   {"ecdsa-brainpoolP384r1", 384},
	"1.3.36.3.3.2.8.1.1.13":   {"ecdsa-brainpoolP512r1", 512},
	"2.16.840.1.101.3.4.3.17": {"ml-dsa-44", 0},
	"2.16.840.1.101.3.4.3.18": {"ml-dsa-65", 0},
	"2.16.840.1.101.3.4.3.19": {"ml-dsa-87", 0},
}

// explicitCurve is the kind of an EC key that spells its curve out instead of naming it (RFC 5480 §2.1.1 forbids that).
const explicitCurve = "ecdsa-explicit"

// keyInfo returns algorithm and, for an EC key, curve of a SubjectPublicKeyInfo, as OIDs; an explicit curve is
// "explicit".
func keyInfo(spki []byte) (algorithm, curve string) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki, &info); err != nil {
		return "", ""
	}
	algorithm = info.Algorithm.Algorithm.String()
	if algorithm != "1.2.840.10045.2.1" {
		return algorithm, ""
	}
	var named asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &named); err != nil {
		return algorithm, "explicit"
	}
	return algorithm, named.String()
}

// otherKey names a key that crypto/x509 left alone.
func otherKey(c *x509.Certificate) (kind string, bits int) {
	algorithm, curve := keyInfo(c.RawSubjectPublicKeyInfo)
	switch {
	case curve == "explicit":
		return explicitCurve, 256
	case curve != "":
		if k, ok := otherKeys[curve]; ok {
			return k.kind, k.bits
		}
		return "ecdsa-" + curve, 0
	}
	if k, ok := otherKeys[algorithm]; ok {
		return k.kind, k.bits
	}
	if algorithm == "" {
		return "unknown", 0
	}
	return fmt.Sprintf("unknown (%s)", algorithm), 0
}
