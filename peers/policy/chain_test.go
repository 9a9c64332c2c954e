package policy_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// now is the date at which the tests judge. Some programs to compare with judge by the machine's clock alone.
var now = time.Now().UTC().Truncate(time.Second)

// A spec is one certificate to make. Its zero value is an ordinary one.
type spec struct {
	cn, o               string
	dns, uris, ips      []string
	xmpp, srv           []string // otherNames
	email               []string
	eku                 []x509.ExtKeyUsage
	ekuOIDs             []asn1.ObjectIdentifier
	ku                  x509.KeyUsage
	noKU                bool
	ca                  bool
	noBC                bool // no basicConstraints
	pathLen             int  // 0: none; -1: 0
	key                 string
	sig                 x509.SignatureAlgorithm
	notBefore, notAfter time.Time
	critical            bool // an unknown critical extension
	permitted, excluded []string
	noIDs               bool // no key identifiers
	shout               bool // spells its issuer's name in capitals
	names               []string
}

// A node is a certificate with its key.
type node struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var keys = struct {
	sync.Mutex
	made map[string]crypto.Signer
}{made: map[string]crypto.Signer{}}

// keyFor returns the key of a name, of the given kind; the same name always has the same key.
func keyFor(t testing.TB, name, kind string) crypto.Signer {
	t.Helper()
	keys.Lock()
	defer keys.Unlock()
	if k := keys.made[name+kind]; k != nil {
		return k
	}
	var k crypto.Signer
	var err error
	switch kind {
	case "", "p256":
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p224":
		k, err = ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	case "p384":
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "p521":
		k, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "ed25519":
		_, k, err = ed25519.GenerateKey(rand.Reader)
	case "rsa1024":
		k, err = rsa.GenerateKey(rand.Reader, 1024)
	case "rsa2048":
		k, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("no key of kind %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	keys.made[name+kind] = k
	return k
}

// issue makes a certificate; a nil parent makes it self-signed.
func issue(t testing.TB, s spec, parent *node) *node {
	t.Helper()
	key := keyFor(t, s.cn, s.key)
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: s.cn},
		NotBefore:             now.AddDate(0, -1, 0),
		NotAfter:              now.AddDate(0, 1, 0),
		DNSNames:              s.dns,
		EmailAddresses:        s.email,
		ExtKeyUsage:           s.eku,
		UnknownExtKeyUsage:    s.ekuOIDs,
		KeyUsage:              s.ku,
		BasicConstraintsValid: !s.noBC,
		IsCA:                  s.ca && !s.noBC,
		SignatureAlgorithm:    s.sig,
	}
	if s.o != "" {
		tmpl.Subject.Organization = []string{s.o}
	}
	for _, extra := range s.names {
		tmpl.Subject.ExtraNames = append(tmpl.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: extra})
	}
	if !s.notBefore.IsZero() {
		tmpl.NotBefore = s.notBefore
	}
	if !s.notAfter.IsZero() {
		tmpl.NotAfter = s.notAfter
	}
	if s.ku == 0 && !s.noKU {
		if tmpl.KeyUsage = x509.KeyUsageDigitalSignature; s.ca {
			tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		}
	}
	if s.pathLen != 0 {
		tmpl.MaxPathLen, tmpl.MaxPathLenZero = max(s.pathLen, 0), s.pathLen < 0
	}
	for _, u := range s.uris {
		p, err := url.Parse(u)
		if err != nil {
			t.Fatal(err)
		}
		tmpl.URIs = append(tmpl.URIs, p)
	}
	for _, ip := range s.ips {
		tmpl.IPAddresses = append(tmpl.IPAddresses, net.ParseIP(ip))
	}
	tmpl.PermittedDNSDomains, tmpl.ExcludedDNSDomains = s.permitted, s.excluded
	tmpl.PermittedDNSDomainsCritical = len(s.permitted)+len(s.excluded) > 0
	if s.critical {
		tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}})
	}
	if len(s.xmpp)+len(s.srv) > 0 {
		tmpl.ExtraExtensions = append(tmpl.ExtraExtensions, sanExtension(t, s))
	}
	signer, issuer := key, tmpl
	if parent != nil {
		signer, issuer = parent.key, parent.cert
		bare := *issuer
		if s.noIDs {
			bare.SubjectKeyId = nil
		}
		if s.shout {
			name := pkix.Name{CommonName: strings.ToUpper(issuer.Subject.CommonName), Organization: issuer.Subject.Organization}
			raw, err := asn1.Marshal(name.ToRDNSequence())
			if err != nil {
				t.Fatal(err)
			}
			bare.RawSubject = raw
		}
		issuer = &bare
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, issuer, key.Public(), signer)
	if err != nil {
		t.Fatalf("%s: %v", s.cn, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &node{c, key}
}

// tryIssue makes a certificate for names that may be impossible.
func tryIssue(s spec, parent *node) (*node, error) {
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: s.cn}, DNSNames: s.dns,
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent.cert, parent.key.Public(), parent.key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	return &node{c, parent.key}, err
}

// sanExtension encodes a SAN that crypto/x509 can't: one with otherNames.
func sanExtension(t testing.TB, s spec) pkix.Extension {
	t.Helper()
	var b bytes.Buffer
	add := func(v asn1.RawValue) {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(der)
	}
	for _, n := range s.dns {
		add(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(n)})
	}
	for _, n := range s.uris {
		add(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(n)})
	}
	other := func(oid asn1.ObjectIdentifier, tag int, v string) {
		id, _ := asn1.Marshal(oid)
		str, _ := asn1.Marshal(asn1.RawValue{Tag: tag, Bytes: []byte(v)})
		val, _ := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: str})
		add(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: append(id, val...)})
	}
	for _, n := range s.xmpp {
		other(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5}, asn1.TagUTF8String, n)
	}
	for _, n := range s.srv {
		other(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7}, asn1.TagIA5String, n)
	}
	der, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: b.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: der}
}

// A hierarchy is a root, an intermediate and a leaf.
type hierarchy struct{ root, inter, leaf *node }

func (h hierarchy) chain() []*x509.Certificate {
	return []*x509.Certificate{h.leaf.cert, h.inter.cert}
}
func (h hierarchy) roots() []*x509.Certificate { return []*x509.Certificate{h.root.cert} }

// build makes a hierarchy; edits change the specs of leaf, intermediate and root.
func build(t testing.TB, edit func(leaf, inter, root *spec)) hierarchy {
	t.Helper()
	leaf := spec{cn: "sip.contoso.com", dns: []string{"sip.contoso.com", "contoso.com"}, eku: both}
	inter, root := spec{cn: "Intermediate CA", ca: true}, spec{cn: "Root CA", ca: true}
	if edit != nil {
		edit(&leaf, &inter, &root)
	}
	var h hierarchy
	h.root = issue(t, root, nil)
	h.inter = issue(t, inter, h.root)
	h.leaf = issue(t, leaf, h.inter)
	return h
}

var (
	serverOnly = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	clientOnly = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	both       = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	anyUsage   = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
)

func encode(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}
