package lint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/lint"
	"github.com/edgelab/edgelab/lab/plan"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// An issuer signs leaves.
type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newIssuer(t testing.TB, key crypto.Signer) issuer {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1).Lsh(big.NewInt(12345), 80), Subject: pkix.Name{CommonName: "Test CA", Organization: []string{"Test"}, Country: []string{"US"}},
		NotBefore: day("2025-01-01"), NotAfter: day("2035-01-01"), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{c, key}
}

func ecdsaKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// leaf makes a certificate as a public CA would, with one thing changed.
func (i issuer) leaf(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	domainValidated, err := x509.OIDFromInts([]uint64{2, 23, 140, 1, 2, 1})
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1).Lsh(big.NewInt(54321), 80), Subject: pkix.Name{CommonName: "sip.contoso.com"},
		DNSNames:  []string{"sip.contoso.com", "webcon.contoso.com", "contoso.com"},
		NotBefore: day("2026-11-24"), NotAfter: day("2026-11-24").AddDate(0, 0, 90).Add(-time.Second),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		CRLDistributionPoints: []string{"http://crl.contoso.com/i.crl"}, IssuingCertificateURL: []string{"http://ca.contoso.com/i.cer"},
		Policies: []x509.OID{domainValidated}, BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, key.Public(), i.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func linter(t testing.TB) *lint.Linter {
	t.Helper()
	l, err := lint.New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func rules(found []lint.Finding, keep func(lint.Finding) bool) []string {
	var all []string
	for _, f := range found {
		if keep(f) {
			all = append(all, f.Rule)
		}
	}
	return all
}

func isEdge(f lint.Finding) bool  { return strings.HasPrefix(f.Rule, "edge/") }
func isZlint(f lint.Finding) bool { return !isEdge(f) && f.Severity == lint.Error }

// The rules of the planning library: each breaks with the one thing changed, and only that one.
func TestEdgeRules(t *testing.T) {
	l := linter(t)
	ca := newIssuer(t, ecdsaKey(t))
	for _, test := range []struct {
		name   string
		change func(*x509.Certificate)
		opts   lint.Options
		want   string
	}{
		{"as it should be", nil, lint.Options{}, ""},
		{"server only", func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }, lint.Options{}, "edge/client-eku"},
		{"client only", func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[1:] }, lint.Options{}, "edge/server-eku"},
		{"no EKU", func(c *x509.Certificate) { c.ExtKeyUsage = nil }, lint.Options{}, "edge/server-eku edge/client-eku"},
		{"no CDP", func(c *x509.Certificate) { c.CRLDistributionPoints = nil }, lint.Options{}, "edge/cdp"},
		{"subject not repeated", func(c *x509.Certificate) { c.DNSNames = c.DNSNames[1:] }, lint.Options{}, "edge/subject-in-san"},
		{"subject in capitals", func(c *x509.Certificate) { c.Subject.CommonName = "SIP.contoso.com" }, lint.Options{}, ""},
		{"no subject", func(c *x509.Certificate) { c.Subject = pkix.Name{} }, lint.Options{}, "edge/subject"},
		{"wildcard", func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "*.contoso.com") }, lint.Options{}, "edge/san-wildcard"},
		{"wildcard subject", func(c *x509.Certificate) {
			c.Subject.CommonName, c.DNSNames = "*.contoso.com", []string{"*.contoso.com"}
		}, lint.Options{}, "edge/san-wildcard edge/subject-wildcard"},
		{"day before", nil, lint.Options{At: day("2026-11-23")}, "edge/validity"},
		{"first day", nil, lint.Options{At: day("2026-11-24")}, ""},
		{"last day", nil, lint.Options{At: day("2027-02-21")}, ""},
		{"day after", nil, lint.Options{At: day("2027-02-22")}, "edge/validity"},
		// The internal certificate has no SAN, no client EKU, and may have a wildcard in its SAN.
		{"internal", func(c *x509.Certificate) {
			c.Subject.CommonName, c.DNSNames, c.ExtKeyUsage = "lsedge.contoso.net", nil, c.ExtKeyUsage[:1]
		}, lint.Options{Use: plan.Internal, Private: true}, ""},
		{"internal, wildcard", func(c *x509.Certificate) {
			c.Subject.CommonName, c.DNSNames = "lsedge.contoso.net", []string{"*.contoso.net"}
		}, lint.Options{Use: plan.Internal, Private: true}, ""},
		{"internal, no subject", func(c *x509.Certificate) { c.Subject = pkix.Name{} }, lint.Options{Use: plan.Internal, Private: true}, "edge/subject"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := l.Certificate(ca.leaf(t, ecdsaKey(t), test.change), test.opts)
			if got := strings.Join(rules(found, isEdge), " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			for _, f := range found {
				if f.Source.Ref == "" || f.Detail == "" || f.Certificate != "leaf" {
					t.Errorf("incomplete: %+v", f)
				}
			}
		})
	}
}

// Key lengths and algorithms of the topic "Certificate infrastructure requirements" (2016-06-23).
func TestKeys(t *testing.T) {
	l := linter(t)
	ca := newIssuer(t, ecdsaKey(t))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		key  crypto.Signer
		want lint.Severity
	}{
		{"RSA 1024", rsaKey(t, 1024), lint.Warning}, {"RSA 2048", rsaKey(t, 2048), ""}, {"RSA 3072", rsaKey(t, 3072), lint.Warning},
		{"ECDSA P-256", ecdsaKey(t), ""}, {"Ed25519", edKey, lint.Error},
	} {
		var got lint.Severity
		for _, f := range l.Certificate(ca.leaf(t, test.key, nil), lint.Options{}) {
			if f.Rule == "edge/key" {
				got = f.Severity
			}
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// The same topic: RSASSA-PSS isn't supported, the older RSA signature is.
func TestSignature(t *testing.T) {
	l := linter(t)
	ca := newIssuer(t, rsaKey(t, 2048))
	for algorithm, want := range map[x509.SignatureAlgorithm]string{x509.SHA256WithRSA: "", x509.SHA384WithRSA: "", x509.SHA256WithRSAPSS: "edge/rsassa-pss"} {
		c := ca.leaf(t, ecdsaKey(t), func(c *x509.Certificate) { c.SignatureAlgorithm = algorithm })
		if got := strings.Join(rules(l.Certificate(c, lint.Options{}), isEdge), " "); got != want {
			t.Errorf("%s: %q, want %q", algorithm, got, want)
		}
	}
}

// The rules that change with the date, at both sides of it: the client EKU (Chrome Root Program Policy 1.8) and the
// lifetime (BR §6.3.2).
func TestDates(t *testing.T) {
	l := linter(t)
	ca := newIssuer(t, ecdsaKey(t))
	issued := func(date string, days int, usages int) *x509.Certificate {
		return ca.leaf(t, ecdsaKey(t), func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = day(date), day(date).AddDate(0, 0, days).Add(-time.Second)
			c.ExtKeyUsage = c.ExtKeyUsage[:usages]
		})
	}
	for _, test := range []struct {
		name string
		cert *x509.Certificate
		rule string
		want bool
	}{
		{"client EKU before", issued("2027-03-14", 90, 2), "e_client_auth_not_allowed", false},
		{"client EKU after", issued("2027-03-15", 90, 2), "e_client_auth_not_allowed", true},
		{"server only after", issued("2027-03-15", 90, 1), "e_client_auth_not_allowed", false},
	} {
		found := rules(l.Certificate(test.cert, lint.Options{}), isZlint)
		if slices.Contains(found, test.rule) != test.want {
			t.Errorf("%s: %v", test.name, found)
		}
		if private := rules(l.Certificate(test.cert, lint.Options{Private: true}), isZlint); slices.Contains(private, test.rule) {
			t.Errorf("%s: a private CA is bound by Chrome's policy", test.name)
		}
	}
	for _, test := range []struct {
		date string
		days int
		long bool
	}{
		{"2026-03-14", 398, false}, {"2026-03-15", 200, false}, {"2026-03-15", 201, true},
		{"2027-03-15", 100, false}, {"2027-03-15", 101, true}, {"2029-03-15", 47, false}, {"2029-03-15", 48, true},
	} {
		found := rules(l.Certificate(issued(test.date, test.days, 1), lint.Options{}), isZlint)
		long := slices.ContainsFunc(found, func(rule string) bool { return strings.Contains(rule, "valid") })
		if long != test.long {
			t.Errorf("%d days from %s: %v", test.days, test.date, found)
		}
	}
}

// A certificate as a public CA makes it breaks no rule with a must; an internal name does, and RFC 5280 alone doesn't
// mind.
func TestPublicAndPrivate(t *testing.T) {
	l := linter(t)
	ca := newIssuer(t, ecdsaKey(t))
	if found := rules(l.Certificate(ca.leaf(t, ecdsaKey(t), nil), lint.Options{}), isZlint); len(found) > 0 {
		t.Errorf("a clean certificate breaks %v", found)
	}
	internal := ca.leaf(t, ecdsaKey(t), func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames = "edge.contoso.local", []string{"edge.contoso.local"}
	})
	if found := rules(l.Certificate(internal, lint.Options{}), isZlint); len(found) == 0 {
		t.Error("an internal name breaks nothing")
	}
	if found := rules(l.Certificate(internal, lint.Options{Private: true}), isZlint); len(found) > 0 {
		t.Errorf("an internal name of a private CA breaks %v", found)
	}
}

// The chain is judged too, and the heaviest findings come first.
func TestChain(t *testing.T) {
	ca := newIssuer(t, ecdsaKey(t))
	leaf := ca.leaf(t, ecdsaKey(t), func(c *x509.Certificate) { c.DNSNames, c.CRLDistributionPoints = nil, nil })
	found := linter(t).Check(certfile.File{Chain: []*x509.Certificate{leaf, ca.cert}}, lint.Options{})
	if !slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Certificate == "issuer 1" }) {
		t.Errorf("nothing about the issuer in %v", found)
	}
	weights := []lint.Severity{lint.Error, lint.Warning, lint.Notice}
	if !slices.IsSortedFunc(found, func(a, b lint.Finding) int {
		return slices.Index(weights, a.Severity) - slices.Index(weights, b.Severity)
	}) {
		t.Errorf("not in order: %v", found)
	}
}

func TestRequest(t *testing.T) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "sip.contoso.com"}, DNSNames: []string{"*.contoso.com"},
	}, ecdsaKey(t))
	if err != nil {
		t.Fatal(err)
	}
	f, err := certfile.Read("request", der, certfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := linter(t).Check(f, lint.Options{})
	// A request has no CDP yet: that is the CA's to add.
	if got, want := strings.Join(rules(found, isEdge), " "), "edge/san-wildcard edge/server-eku edge/subject-in-san edge/client-eku"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzCertificate(f *testing.F) {
	ca := newIssuer(f, ecdsaKey(f))
	f.Add(ca.cert.Raw)
	f.Add(ca.leaf(f, ecdsaKey(f), nil).Raw)
	l := linter(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		for _, found := range l.Certificate(c, lint.Options{At: day("2026-11-24")}) {
			if found.Source.Ref == "" {
				t.Errorf("no source: %+v", found)
			}
		}
	})
}
