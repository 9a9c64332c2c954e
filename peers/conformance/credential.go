package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgelab/edgelab/peers/policy"
)

// A Credential is a variant made into certificates, valid around one moment.
type Credential struct {
	Variant   Variant
	Name      string              // what the product looks for
	Host      string              // the SRV target in that domain
	Presented []*x509.Certificate // leaf first
	Store     []*x509.Certificate // what the product trusts
	Key       crypto.Signer
	CRLs      []*x509.RevocationList // of every CA of the chain
}

// TLS returns what an end of a connection shows, nil when the variant shows none.
func (c *Credential) TLS() *tls.Certificate {
	if c.Variant.NoCertificate {
		return nil
	}
	out := &tls.Certificate{PrivateKey: c.Key, Leaf: c.Presented[0]}
	for _, cert := range c.Presented {
		out.Certificate = append(out.Certificate, cert.Raw)
	}
	return out
}

// CRL is the credential's answer to the question whether a CRL is at hand.
func (c *Credential) CRL(_, issuer *x509.Certificate) (*x509.RevocationList, error) {
	for _, l := range c.CRLs {
		if slices.Equal(l.RawIssuer, issuer.RawSubject) {
			return l, nil
		}
	}
	return nil, fmt.Errorf("no CRL of %s", issuer.Subject)
}

// A forge makes credentials. RSA keys are made once for each size: they are slow to make, and nothing here depends
// on their being different.
type forge struct {
	at     time.Time
	keys   map[string]crypto.Signer
	serial int64
}

func newForge(at time.Time) *forge {
	return &forge{at: at, keys: map[string]crypto.Signer{}, serial: 1000}
}

type entity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// make builds the credential of v.
func (f *forge) make(v Variant) (*Credential, error) {
	fail := func(what string, err error) (*Credential, error) {
		return nil, fmt.Errorf("variant %s: %s: %w", v.Name, what, err)
	}
	named := map[string]entity{}
	var err error
	issue := func(at, cn string, s Spec, issuer *entity, leaf bool) *entity {
		if err != nil {
			return nil
		}
		var e entity
		var key crypto.Signer
		if twin, ok := map[string]string{atCross: atIntermediate, atCrossRoot: atRoot, atRootTwin: atRoot}[at]; ok {
			key = named[twin].key
		}
		if e, err = f.issue(v, cn, s, issuer, key, leaf); err != nil {
			err = fmt.Errorf("%s: %w", at, err)
			return nil
		}
		named[at] = e
		return &e
	}

	var top *entity
	if !v.SelfSigned {
		top = issue(atRoot, v.Name+" root", v.Root, nil, false)
		if v.Intermediate2 != nil {
			top = issue(atIntermediate2, v.Name+" upper intermediate", *v.Intermediate2, top, false)
		}
		if !v.ByRoot {
			top = issue(atIntermediate, v.Name+" intermediate", v.Intermediate, top, false)
		}
	}
	stranger := issue(atStranger, v.Name+" stranger", v.Stranger, nil, false)
	if v.Cross != nil {
		issue(atCross, v.Name+" intermediate", *v.Cross, stranger, false)
	}
	if v.CrossRoot != nil {
		issue(atCrossRoot, v.Name+" root", *v.CrossRoot, stranger, false)
	}
	if v.RootTwin != nil {
		issue(atRootTwin, v.Name+" root", *v.RootTwin, nil, false)
	}
	leaf := issue(atLeaf, "{name}", v.Leaf, top, true)
	if err != nil {
		return fail("issue", err)
	}

	present := v.Present
	if present == nil {
		for _, at := range []string{atLeaf, atIntermediate, atIntermediate2} {
			if _, ok := named[at]; ok {
				present = append(present, at)
			}
		}
	}
	store := v.Store
	if store == nil {
		store = []string{atRoot}
	}
	c := &Credential{Variant: v, Name: v.nameOf(), Host: v.expand("{host}"), Key: leaf.key}
	if !v.NoCertificate {
		for _, at := range present {
			c.Presented = append(c.Presented, named[at].cert)
		}
	}
	for _, at := range store {
		c.Store = append(c.Store, named[at].cert)
	}
	for _, at := range slices.Sorted(maps.Keys(named)) {
		if at == atLeaf {
			continue
		}
		kind, revoked := "", false
		if top != nil && named[at].cert == top.cert {
			kind, revoked = v.CRL, v.Revoked
		}
		if kind == "none" {
			continue
		}
		crl, err := f.crl(named[at], leaf.cert.SerialNumber, revoked, kind, stranger)
		if err != nil {
			return fail("CRL of "+at, err)
		}
		c.CRLs = append(c.CRLs, crl)
	}
	return c, nil
}

// issue makes one certificate. issuer nil: it signs itself. key nil: it gets a new one.
func (f *forge) issue(v Variant, cn string, s Spec, issuer *entity, key crypto.Signer, leaf bool) (entity, error) {
	if s.CN != "" {
		cn = s.CN
	}
	if key == nil {
		var err error
		if key, err = f.key(s.Key); err != nil {
			return entity{}, err
		}
	}
	t, err := f.template(v, cn, s, key.Public(), leaf)
	if err != nil {
		return entity{}, err
	}
	parent, signer := *t, key
	if issuer != nil {
		parent, signer = *issuer.cert, issuer.key
	}
	if err := rename(&parent, s); err != nil {
		return entity{}, err
	}
	if t.SignatureAlgorithm, err = signatureAlgorithm(s.Hash, signer); err != nil {
		return entity{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, &parent, key.Public(), signer)
	if err != nil {
		return entity{}, err
	}
	if s.V1 || s.NegativeSerial || s.Hash == "md5" {
		if der, err = reseal(der, s, signer); err != nil {
			return entity{}, err
		}
	}
	cert, err := policy.ParseCertificate(der)
	return entity{cert, key}, err
}

func (f *forge) template(v Variant, cn string, s Spec, key crypto.PublicKey, leaf bool) (*x509.Certificate, error) {
	f.serial++
	t := &x509.Certificate{
		SerialNumber: big.NewInt(f.serial), NotBefore: f.at.Add(-time.Hour), NotAfter: f.at.Add(30 * day),
		BasicConstraintsValid: s.CA != "absent", IsCA: s.CA == "true" || (s.CA == "" && !leaf),
	}
	if s.CA == "absent" {
		t.IsCA = false
	}
	if s.From != 0 {
		t.NotBefore = f.at.Add(s.From)
	}
	if s.Until != 0 {
		t.NotAfter = f.at.Add(s.Until)
	}
	if cn != "-" {
		t.Subject = pkix.Name{CommonName: v.expand(cn)}
		if !leaf {
			t.Subject.Organization = []string{"edgelab conformance"}
		}
	}
	for _, n := range v.expandAll(s.MoreCN) {
		t.Subject.ExtraNames = append(t.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: oidCommonName, Value: n})
	}
	if len(s.MoreCN) > 0 { // ExtraNames override CommonName
		first := pkix.AttributeTypeAndValue{Type: oidCommonName, Value: t.Subject.CommonName}
		t.Subject.ExtraNames = append([]pkix.AttributeTypeAndValue{first}, t.Subject.ExtraNames...)
	}
	if s.PathLen != nil {
		t.MaxPathLen, t.MaxPathLenZero = *s.PathLen, *s.PathLen == 0
	}
	if !leaf || t.IsCA {
		// As RFC 7093 §2 has it, so that certificates for one key have one identifier.
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return nil, err
		}
		id := sha256.Sum256(der)
		t.SubjectKeyId = id[:20]
	}
	if err := usages(t, s, leaf); err != nil {
		return nil, err
	}
	extra, err := v.extensions(s, leaf)
	t.ExtraExtensions = append(t.ExtraExtensions, extra...)
	return t, err
}

var keyUsages = map[string]x509.KeyUsage{
	"digitalSignature": x509.KeyUsageDigitalSignature, "nonRepudiation": x509.KeyUsageContentCommitment,
	"keyEncipherment": x509.KeyUsageKeyEncipherment, "dataEncipherment": x509.KeyUsageDataEncipherment,
	"keyAgreement": x509.KeyUsageKeyAgreement, "keyCertSign": x509.KeyUsageCertSign, "cRLSign": x509.KeyUsageCRLSign,
	"none": 0,
}

var ekuOIDs = map[string]asn1.ObjectIdentifier{
	"server": {1, 3, 6, 1, 5, 5, 7, 3, 1}, "client": {1, 3, 6, 1, 5, 5, 7, 3, 2}, "email": {1, 3, 6, 1, 5, 5, 7, 3, 4},
	"any": {2, 5, 29, 37, 0}, "sipDomain": {1, 3, 6, 1, 5, 5, 7, 3, 20},
	"nsSGC": {2, 16, 840, 1, 113730, 4, 1}, "msSGC": {1, 3, 6, 1, 4, 1, 311, 10, 3, 3},
}

func usages(t *x509.Certificate, s Spec, leaf bool) error {
	usage, eku := s.KeyUsage, s.EKU
	if usage == nil {
		usage = []string{"digitalSignature"}
		if !leaf {
			usage = []string{"keyCertSign", "cRLSign"}
		}
	}
	for _, u := range usage {
		bit, ok := keyUsages[u]
		if !ok {
			return fmt.Errorf("unknown keyUsage %q", u)
		}
		t.KeyUsage |= bit
	}
	if eku == nil && leaf {
		eku = []string{"server", "client"}
	}
	if len(eku) == 0 || eku[0] == "none" {
		return nil
	}
	critical := eku[0] == "critical"
	if critical {
		eku = eku[1:]
	}
	var oids []asn1.ObjectIdentifier
	for _, e := range eku {
		oid, ok := ekuOIDs[e]
		if !ok {
			var err error
			if oid, err = parseOID(e); err != nil {
				return err
			}
		}
		oids = append(oids, oid)
	}
	der, err := asn1.Marshal(oids)
	if err != nil {
		return err
	}
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: der})
	return nil
}

func parseOID(s string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for _, part := range strings.Split(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an EKU name nor an OID", s)
		}
		oid = append(oid, n)
	}
	return oid, nil
}

func (f *forge) key(kind string) (crypto.Signer, error) {
	switch kind {
	case "", "p256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p224":
		return ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	case "p384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "p521":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	if key, ok := f.keys[kind]; ok {
		return key, nil
	}
	bits, err := strconv.Atoi(strings.TrimPrefix(kind, "rsa-"))
	if err != nil {
		return nil, fmt.Errorf("unknown key type %q", kind)
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	f.keys[kind] = key
	return key, nil
}

func signatureAlgorithm(hash string, signer crypto.Signer) (x509.SignatureAlgorithm, error) {
	_, isRSA := signer.(*rsa.PrivateKey)
	switch {
	case hash == "", hash == "md5" && isRSA: // reseal makes MD5
		return x509.UnknownSignatureAlgorithm, nil // the library's choice for the key
	case hash == "sha1" && isRSA:
		return x509.SHA1WithRSA, nil
	case hash == "sha1":
		return x509.ECDSAWithSHA1, nil
	case hash == "sha384" && !isRSA:
		return x509.ECDSAWithSHA384, nil
	case hash == "pss" && isRSA:
		return x509.SHA256WithRSAPSS, nil
	}
	return 0, fmt.Errorf("no signature %q with a %T", hash, signer)
}
