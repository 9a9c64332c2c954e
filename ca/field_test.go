package ca_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
)

// handshake has a server with the certificate shake hands with a client that looks at nothing.
func handshake(t *testing.T, cert tls.Certificate) error {
	t.Helper()
	clientEnd, serverEnd := net.Pipe()
	defer clientEnd.Close()
	defer serverEnd.Close()
	served := make(chan error, 1)
	go func() {
		served <- tls.Server(serverEnd, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
	}()
	client := tls.Client(clientEnd, &tls.Config{InsecureSkipVerify: true})
	if err := client.Handshake(); err != nil {
		clientEnd.Close()
		<-served
		return err
	}
	go func() { _, _ = client.Read(make([]byte, 1)) }() // takes the session tickets, which a pipe doesn't buffer
	return <-served
}

func findExtension(c *x509.Certificate, oid string) (critical bool, der string, found bool) {
	for _, e := range c.Extensions {
		if e.Id.String() == oid {
			return e.Critical, hex.EncodeToString(e.Value), true
		}
	}
	return false, "", false
}

const (
	oidKeyUsage         = "2.5.29.15"
	oidSAN              = "2.5.29.17"
	oidBasicConstraints = "2.5.29.19"
	oidCDP              = "2.5.29.31"
	oidEKU              = "2.5.29.37"
)

// EKUs and SANs in DER, put together by hand from RFC 5280 §4.2.1.12 and §4.2.1.6, RFC 6120 §13.7.1.4 and RFC 4985 §2.
const (
	derServer = "06082b06010505070301"
	derClient = "06082b06010505070302"
	derSIP    = "06082b06010505070314" // id-kp-sipDomain, RFC 5924
	derAny    = "0604551d2500"
)

func TestOrderFields(t *testing.T) {
	no := false
	tests := []struct {
		name   string
		change func(*plan.Order)
		// holds is what the parsed leaf and the intermediate must show; it must not hold for the unchanged order.
		holds func(leaf, intermediate *x509.Certificate) bool
	}{
		{"subject", func(o *plan.Order) { o.Subject = "webcon.contoso.com" },
			func(l, _ *x509.Certificate) bool { return l.Subject.String() == "CN=webcon.contoso.com" }},
		{"no subject makes the SAN critical", func(o *plan.Order) { o.Subject = "" },
			func(l, _ *x509.Certificate) bool {
				critical, _, _ := findExtension(l, oidSAN)
				return critical && len(l.Subject.Names) == 0
			}},
		{"no SAN", func(o *plan.Order) { o.SANs = nil },
			func(l, _ *x509.Certificate) bool { _, _, found := findExtension(l, oidSAN); return !found }},
		{"SAN order, case and wildcard are kept", func(o *plan.Order) {
			o.SANs = []plan.Name{{Kind: plan.DNSName, Value: "b.x"}, {Kind: plan.URI, Value: "sip:x"}, {Kind: plan.DNSName, Value: "*.A.x"}}
		}, func(l, _ *x509.Certificate) bool {
			_, der, _ := findExtension(l, oidSAN)
			return der == "3013"+"8203"+"622e78"+"8605"+"7369703a78"+"8205"+"2a2e412e78"
		}},
		{"xmppAddr", func(o *plan.Order) { o.SANs = []plan.Name{{Kind: plan.XMPPAddr, Value: "ü.x"}} },
			func(l, _ *x509.Certificate) bool {
				_, der, _ := findExtension(l, oidSAN)
				return der == "3014"+"a012"+"06082b06010505070805"+"a006"+"0c04"+"c3bc2e78"
			}},
		{"srvName", func(o *plan.Order) { o.SANs = []plan.Name{{Kind: plan.SRVName, Value: "_sip.x"}} },
			func(l, _ *x509.Certificate) bool {
				_, der, _ := findExtension(l, oidSAN)
				return der == "3016"+"a014"+"06082b06010505070807"+"a008"+"1606"+"5f7369702e78"
			}},
		{"server EKU alone", func(o *plan.Order) { o.EKUs = []plan.Usage{plan.Server} },
			func(l, _ *x509.Certificate) bool {
				_, der, _ := findExtension(l, oidEKU)
				return der == "300a"+derServer
			}},
		{"EKU order is kept", func(o *plan.Order) { o.EKUs = []plan.Usage{"1.3.6.1.5.5.7.3.20", plan.Any, plan.Client} },
			func(l, _ *x509.Certificate) bool {
				_, der, _ := findExtension(l, oidEKU)
				return der == "301a"+derSIP+derAny+derClient
			}},
		{"no EKU", func(o *plan.Order) { o.EKUs = nil },
			func(l, _ *x509.Certificate) bool { _, _, found := findExtension(l, oidEKU); return !found }},
		{"key", func(o *plan.Order) { o.Key = "rsa-2048" },
			func(l, _ *x509.Certificate) bool {
				key, ok := l.PublicKey.(*rsa.PublicKey)
				return ok && key.N.BitLen() == 2048 && l.KeyUsage == x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment
			}},
		{"hash", func(o *plan.Order) { o.Hash = "sha1" },
			func(l, _ *x509.Certificate) bool { return l.SignatureAlgorithm == x509.ECDSAWithSHA1 }},
		{"key usage", func(o *plan.Order) { o.KeyUsage = []string{"keyAgreement", "nonRepudiation"} },
			func(l, _ *x509.Certificate) bool {
				critical, _, _ := findExtension(l, oidKeyUsage)
				return critical && l.KeyUsage == x509.KeyUsageKeyAgreement|x509.KeyUsageContentCommitment
			}},
		{"no key usage", func(o *plan.Order) { o.KeyUsage = []string{"none"} },
			func(l, _ *x509.Certificate) bool { _, _, found := findExtension(l, oidKeyUsage); return !found }},
		{"CA", func(o *plan.Order) { o.CA = true },
			func(l, _ *x509.Certificate) bool {
				critical, _, _ := findExtension(l, oidBasicConstraints)
				return critical && l.IsCA && l.MaxPathLen == -1
			}},
		{"critical", func(o *plan.Order) { o.Critical = true },
			func(l, _ *x509.Certificate) bool { return len(l.UnhandledCriticalExtensions) == 1 }},
		{"not before", func(o *plan.Order) { o.NotBefore = time.Date(2026, 11, 2, 3, 4, 5, 6, time.UTC) },
			func(l, _ *x509.Certificate) bool {
				return l.NotBefore.Equal(time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC))
			}},
		{"not after", func(o *plan.Order) { o.NotAfter = time.Date(2051, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)) },
			func(l, _ *x509.Certificate) bool {
				return l.NotAfter.Equal(time.Date(2051, 1, 2, 2, 4, 5, 0, time.UTC))
			}},
		{"no CDP", func(o *plan.Order) { o.NoCDP = true },
			func(l, _ *x509.Certificate) bool { _, _, found := findExtension(l, oidCDP); return !found }},
		{"intermediate's EKU", func(o *plan.Order) { o.IntermediateEKU = []plan.Usage{plan.Server} },
			func(_, i *x509.Certificate) bool {
				_, der, _ := findExtension(i, oidEKU)
				return der == "300a"+derServer
			}},
		{"intermediate is no CA", func(o *plan.Order) { o.IntermediateCA = &no },
			func(_, i *x509.Certificate) bool { return i.BasicConstraintsValid && !i.IsCA }},
		{"intermediate's key", func(o *plan.Order) { o.IntermediateKey = "rsa-1024" },
			func(l, i *x509.Certificate) bool {
				key, ok := i.PublicKey.(*rsa.PublicKey)
				return ok && key.N.BitLen() == 1024 && l.SignatureAlgorithm == x509.SHA256WithRSA && l.CheckSignatureFrom(i) == nil
			}},
		{"intermediate's hash", func(o *plan.Order) { o.IntermediateHash = "sha1" },
			func(l, i *x509.Certificate) bool {
				return i.SignatureAlgorithm == x509.ECDSAWithSHA1 && l.SignatureAlgorithm == x509.ECDSAWithSHA256
			}},
		{"intermediate's validity", func(o *plan.Order) {
			o.IntermediateNotBefore, o.IntermediateNotAfter = at.AddDate(-5, 0, 0), at.AddDate(0, 0, -1)
		},
			func(_, i *x509.Certificate) bool {
				return i.NotBefore.Equal(at.AddDate(-5, 0, 0)) && i.NotAfter.Equal(at.AddDate(0, 0, -1))
			}},
		{"RSASSA-PSS", func(o *plan.Order) { o.IntermediateKey, o.Signature = "rsa-2048", plan.SignatureRSAPSS },
			func(l, i *x509.Certificate) bool {
				return l.SignatureAlgorithm == x509.SHA256WithRSAPSS && l.CheckSignatureFrom(i) == nil
			}},
		{"forged", func(o *plan.Order) { o.Issuer = plan.IssuerForged },
			func(l, i *x509.Certificate) bool {
				return bytes.Equal(l.RawIssuer, i.RawSubject) && bytes.Equal(l.AuthorityKeyId, i.SubjectKeyId) && l.CheckSignatureFrom(i) != nil
			}},
		{"forged with RSA", func(o *plan.Order) { o.IntermediateKey, o.Issuer = "rsa-1024", plan.IssuerForged },
			func(l, i *x509.Certificate) bool {
				return bytes.Equal(l.AuthorityKeyId, i.SubjectKeyId) && errors.Is(l.CheckSignatureFrom(i), rsa.ErrVerification)
			}},
		{"permitted names", func(o *plan.Order) { o.Permitted = []string{"contoso.com", "fabrikam.com"} },
			func(_, i *x509.Certificate) bool {
				return slices.Equal(i.PermittedDNSDomains, []string{"contoso.com", "fabrikam.com"}) && i.PermittedDNSDomainsCritical
			}},
	}
	s := newSet(t, 1)
	unchanged := issue(t, s, ca.Internal, soldOrder())
	plain := parsed(t, unchanged.TLS)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			issued := issue(t, s, ca.Internal, soldOrder(tt.change))
			if chain := parsed(t, issued.TLS); !tt.holds(chain[0], chain[1]) {
				t.Error("the certificate doesn't show what was ordered")
			}
			if tt.holds(plain[0], plain[1]) {
				t.Error("the unchanged certificate shows it as well")
			}
			if err := issued.Leaf.CheckSignatureFrom(root(t, s, ca.Internal)); err == nil {
				t.Error("the root itself has signed the leaf")
			}
		})
	}
}

func TestUsualCertificate(t *testing.T) {
	leaf := issue(t, newSet(t, 1), ca.Public, soldOrder()).Leaf
	if leaf.Version != 3 || leaf.IsCA || !leaf.BasicConstraintsValid {
		t.Errorf("version %d, CA %v, basic constraints %v", leaf.Version, leaf.IsCA, leaf.BasicConstraintsValid)
	}
	if critical, _, _ := findExtension(leaf, oidSAN); critical {
		t.Error("the SAN is critical although there is a subject")
	}
	if leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("key usage %b", leaf.KeyUsage)
	}
	if leaf.SignatureAlgorithm != x509.ECDSAWithSHA256 {
		t.Errorf("signed with %s", leaf.SignatureAlgorithm)
	}
	if want := []string{"http://crl.public.edgelab.test/issuing.crl"}; !slices.Equal(leaf.CRLDistributionPoints, want) {
		t.Errorf("CRL distribution points %v, want %v", leaf.CRLDistributionPoints, want)
	}
	if leaf.SerialNumber.Sign() <= 0 || leaf.SerialNumber.BitLen() > 159 {
		t.Errorf("serial number %s", leaf.SerialNumber)
	}
}

func TestKeyTypes(t *testing.T) {
	shape := func(c *x509.Certificate) string {
		switch key := c.PublicKey.(type) {
		case *rsa.PublicKey:
			return "rsa-" + map[int]string{1024: "1024", 2048: "2048", 3072: "3072", 4096: "4096"}[key.N.BitLen()]
		case *ecdsa.PublicKey:
			return "ecdsa-" + strings.ToLower(strings.ReplaceAll(key.Params().Name, "-", ""))
		case ed25519.PublicKey:
			return "ed25519"
		}
		return "another"
	}
	s := newSet(t, 1)
	for _, typ := range ca.KeyTypes() {
		issued := issue(t, s, ca.Internal, soldOrder(func(o *plan.Order) { o.Key = typ }))
		if got := shape(issued.Leaf); got != typ {
			t.Errorf("ordered %s, got %s", typ, got)
		}
	}
}

func TestHashesOfSelfSigned(t *testing.T) {
	s := newSet(t, 1)
	for _, tt := range []struct {
		key, hash string
		want      x509.SignatureAlgorithm
	}{
		{"rsa-2048", "", x509.SHA256WithRSA},
		{"rsa-2048", "sha1", x509.SHA1WithRSA},
		{"rsa-2048", "sha384", x509.SHA384WithRSA},
		{"rsa-2048", "sha512", x509.SHA512WithRSA},
		{"ecdsa-p384", "sha384", x509.ECDSAWithSHA384},
		{"ecdsa-p521", "sha512", x509.ECDSAWithSHA512},
		{"ed25519", "", x509.PureEd25519},
	} {
		issued := issue(t, s, ca.Public, soldOrder(func(o *plan.Order) {
			o.Issuer, o.Key, o.Hash = plan.IssuerSelfSigned, tt.key, tt.hash
		}))
		if got := issued.Leaf.SignatureAlgorithm; got != tt.want {
			t.Errorf("%s with hash %q is signed with %s, want %s", tt.key, tt.hash, got, tt.want)
		}
	}
}

// TestSubCA: the certificate's issuer stands below a CA that allows none below it, and both are sent.
func TestSubCA(t *testing.T) {
	s := newSet(t, 1)
	below := func(o *plan.Order) { o.SubCA, o.IntermediateEKU = true, []plan.Usage{plan.Server} }
	upper := parsed(t, issue(t, s, ca.Public, soldOrder()).TLS)[1]
	for form, want := range map[string]int{plan.ChainLeafOnly: 1, plan.ChainFull: 3, plan.ChainWithRoot: 4} {
		chain := parsed(t, issue(t, s, ca.Public, soldOrder(below, func(o *plan.Order) { o.Chain = form })).TLS)
		if len(chain) != want {
			t.Fatalf("%s: %d certificates are sent, want %d", form, len(chain), want)
		}
		if want < 3 {
			continue
		}
		if !chain[2].Equal(upper) || upper.MaxPathLen != 0 || !upper.MaxPathLenZero {
			t.Errorf("%s: the upper CA is %s with path length %d, not the usual intermediate", form, chain[2].Subject, chain[2].MaxPathLen)
		}
		for i := range 2 {
			if err := chain[i].CheckSignatureFrom(chain[i+1]); err != nil {
				t.Errorf("%s: certificate %d: %v", form, i, err)
			}
		}
		if len(chain[1].ExtKeyUsage) != 1 || len(upper.ExtKeyUsage) != 0 {
			t.Errorf("%s: the EKU is meant for the CA that issues", form)
		}
	}
}

func TestSiblingIntermediates(t *testing.T) {
	s := newSet(t, 1)
	serverOnly := func(o *plan.Order) { o.IntermediateEKU = []plan.Usage{plan.Server} }
	plain := parsed(t, issue(t, s, ca.Public, soldOrder()).TLS)[1]
	first := parsed(t, issue(t, s, ca.Public, soldOrder(serverOnly)).TLS)[1]
	again := parsed(t, issue(t, s, ca.Public, soldOrder(serverOnly, func(o *plan.Order) { o.Subject = "webcon.contoso.com" })).TLS)[1]
	if first.Equal(plain) || !first.Equal(again) {
		t.Error("a sibling intermediate isn't one per kind")
	}
	if first.Subject.String() == plain.Subject.String() {
		t.Errorf("two intermediates are both called %s", first.Subject)
	}
	for _, cert := range []*x509.Certificate{plain, first} {
		if err := cert.CheckSignatureFrom(root(t, s, ca.Public)); err != nil {
			t.Errorf("%s: %v", cert.Subject, err)
		}
	}
}
