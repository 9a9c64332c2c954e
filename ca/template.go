package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/smallstep/certificates/authority/provisioner"
	"go.step.sm/crypto/x509util"

	"github.com/edgelab/edgelab/lab/plan"
)

// oidUnknownCritical is the extension of Order.Critical. Its arc is RFC 5612's, set aside for documentation, so no
// product can know it.
var oidUnknownCritical = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}

// template turns a complete order into the certificate to sign. Serial is its serial number, cdp the CRL
// distribution point or "", and signer what the issuer signs with.
func template(o plan.Order, serial *big.Int, cdp string, subject, signer crypto.PublicKey) (*x509util.Certificate, error) {
	algorithm, err := signatureAlgorithm(signer, o.Hash, o.Signature)
	if err != nil {
		return nil, err
	}
	t := &x509util.Certificate{
		Subject:            x509util.Subject{CommonName: o.Subject},
		SerialNumber:       x509util.SerialNumber{Int: serial},
		NotBefore:          o.NotBefore,
		NotAfter:           o.NotAfter,
		KeyUsage:           x509util.KeyUsage(keyUsage(o, subject)),
		BasicConstraints:   &x509util.BasicConstraints{IsCA: o.CA, MaxPathLen: -1},
		SignatureAlgorithm: x509util.SignatureAlgorithm(algorithm),
		PublicKey:          subject,
	}
	if cdp != "" {
		t.CRLDistributionPoints = x509util.CRLDistributionPoints{cdp}
	}
	if len(o.EKUs) > 0 {
		ekus, err := ekuExtension(o.EKUs)
		if err != nil {
			return nil, err
		}
		t.Extensions = append(t.Extensions, extension(ekus))
	}
	if len(o.SANs) > 0 {
		// RFC 5280 §4.2.1.6: critical when the subject is empty.
		sans, err := sanExtension(o.SANs, o.Subject == "")
		if err != nil {
			return nil, err
		}
		t.Extensions = append(t.Extensions, extension(sans))
	}
	if o.Critical {
		t.Extensions = append(t.Extensions, x509util.Extension{
			ID: x509util.ObjectIdentifier(oidUnknownCritical), Critical: true, Value: asn1.NullBytes,
		})
	}
	return t, nil
}

func extension(e pkix.Extension) x509util.Extension {
	return x509util.Extension{ID: x509util.ObjectIdentifier(e.Id), Critical: e.Critical, Value: e.Value}
}

// An ordered is a template in the form in which an Authority's SignWithContext takes it.
type ordered []byte

func newOrdered(t *x509util.Certificate) (ordered, error) {
	written := *t
	written.SerialNumber = x509util.SerialNumber{} // see finishing
	text, err := json.Marshal(&written)
	if err != nil {
		return nil, fmt.Errorf("write the certificate template: %w", err)
	}
	return text, nil
}

// Options implements provisioner.CertificateOptions.
func (t ordered) Options(provisioner.SignOptions) []x509util.Option {
	return []x509util.Option{func(_ *x509.CertificateRequest, o *x509util.Options) error {
		o.CertBuffer = bytes.NewBuffer(t)
		return nil
	}}
}

// finishing sets what doesn't go through a template's JSON. A serial number is written there as a number, and as such
// read back only up to 64 bits. And the Authority's name constraints look for DNS names, which they don't see in an
// encoded SAN extension; the extension is what gets signed all the same.
func finishing(serial *big.Int, sans []plan.Name) provisioner.CertificateModifierFunc {
	return func(c *x509.Certificate, _ provisioner.SignOptions) error {
		c.SerialNumber = serial
		c.DNSNames = dnsNames(sans)
		return nil
	}
}

func dnsNames(sans []plan.Name) []string {
	var names []string
	for _, n := range sans {
		if n.Kind == plan.DNSName {
			names = append(names, n.Value)
		}
	}
	return names
}

// serialNumber derives a serial number from the seed and what is to be certified: positive, never zero, and of at
// most 20 octets (RFC 5280 §4.1.2.2).
func serialNumber(seed uint64, what string) *big.Int {
	sum := sha256.Sum256([]byte(strconv.FormatUint(seed, 10) + " " + what))
	octets := sum[:16]
	octets[0] = octets[0]&0x7f | 0x40
	return new(big.Int).SetBytes(octets)
}

// keyUsage is what the order asks for, or what is usual for the key: a signature, and for RSA also the key exchange
// of TLS 1.2's RSA cipher suites.
func keyUsage(o plan.Order, subject crypto.PublicKey) x509.KeyUsage {
	if len(o.KeyUsage) == 0 {
		usage := x509.KeyUsageDigitalSignature
		if _, ok := subject.(*rsa.PublicKey); ok {
			usage |= x509.KeyUsageKeyEncipherment
		}
		return usage
	}
	var usage x509.KeyUsage // stays 0, which omits the extension, for noKeyUsage
	for _, name := range o.KeyUsage {
		usage |= keyUsages()[name]
	}
	return usage
}

// signatureAlgorithm is what a key signs with; scheme is plan.SignatureRSAPSS or "", the usual one for the key.
func signatureAlgorithm(signer crypto.PublicKey, hash, scheme string) (x509.SignatureAlgorithm, error) {
	var algorithms map[string]x509.SignatureAlgorithm
	switch signer.(type) {
	case *rsa.PublicKey:
		algorithms = map[string]x509.SignatureAlgorithm{
			"sha1": x509.SHA1WithRSA, "sha256": x509.SHA256WithRSA,
			"sha384": x509.SHA384WithRSA, "sha512": x509.SHA512WithRSA,
		}
		if scheme == plan.SignatureRSAPSS {
			algorithms = map[string]x509.SignatureAlgorithm{
				"sha256": x509.SHA256WithRSAPSS, "sha384": x509.SHA384WithRSAPSS, "sha512": x509.SHA512WithRSAPSS,
			}
		}
	case *ecdsa.PublicKey:
		algorithms = map[string]x509.SignatureAlgorithm{
			"sha1": x509.ECDSAWithSHA1, "sha256": x509.ECDSAWithSHA256,
			"sha384": x509.ECDSAWithSHA384, "sha512": x509.ECDSAWithSHA512,
		}
	case ed25519.PublicKey:
		if hash != hashDefault {
			return 0, fmt.Errorf("an Ed25519 key signs with a hash of its own (RFC 8032), not with %s: leave the hash out or "+
				"order another key type", hash)
		}
		return x509.PureEd25519, nil
	}
	if _, isRSA := signer.(*rsa.PublicKey); scheme == plan.SignatureRSAPSS && !isRSA {
		return 0, fmt.Errorf("a %T doesn't sign with %s: order an intermediate-key of type rsa-2048", signer, scheme)
	}
	algorithm, ok := algorithms[hash]
	if !ok {
		return 0, fmt.Errorf("a %T doesn't sign with %s: order another hash", signer, strings.TrimSpace(scheme+" "+hash))
	}
	return algorithm, nil
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// ekuExtension encodes the usages in their order; x509 would put the ones it knows first.
func ekuExtension(usages []plan.Usage) (pkix.Extension, error) {
	var oids []asn1.ObjectIdentifier
	for _, u := range usages {
		oid, err := usageOID(u)
		if err != nil {
			return pkix.Extension{}, err
		}
		oids = append(oids, oid)
	}
	der, err := asn1.Marshal(oids)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode the EKU extension: %w", err)
	}
	return pkix.Extension{Id: oidExtKeyUsage, Value: der}, nil
}

var (
	oidServerAuth = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	oidClientAuth = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	oidAnyUsage   = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
)

func usageOID(u plan.Usage) (asn1.ObjectIdentifier, error) {
	switch u {
	case plan.Server:
		return oidServerAuth, nil
	case plan.Client:
		return oidClientAuth, nil
	case plan.Any:
		return oidAnyUsage, nil
	}
	var oid asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(string(u), ".") {
		n, err := strconv.ParseUint(arc, 10, 31)
		if err != nil || arc != strconv.FormatUint(n, 10) {
			return nil, unknown("EKU", clip(string(u)),
				[]string{string(plan.Server), string(plan.Client), string(plan.Any), "a dotted OID such as 1.3.6.1.5.5.7.3.20"})
		}
		oid = append(oid, int(n))
	}
	// X.660 §7.6: the first arc is 0, 1 or 2, and below 0 and 1 the second is at most 39.
	if len(oid) < 2 || oid[0] > 2 || oid[0] < 2 && oid[1] > 39 {
		return nil, fmt.Errorf("EKU %q is no object identifier: it starts with 0, 1 or 2 and has two arcs or more", clip(string(u)))
	}
	return slices.Clip(oid), nil
}
