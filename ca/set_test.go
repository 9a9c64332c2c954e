package ca_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
)

func TestMain(m *testing.M) {
	// step-ca links a database that logs with glog, whose init starts this one for the life of any process.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// at is the date that the tests play at, while public certificates may be valid for 200 days.
var at = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// keys is shared by all tests, to make each RSA key once.
var keys ca.KeyPool

func newSet(t testing.TB, seed uint64) *ca.Set {
	t.Helper()
	s := ca.NewSet(ca.Options{Seed: seed, At: at, Keys: &keys})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// soldOrder is an order that a public CA sells.
func soldOrder(changes ...func(*plan.Order)) plan.Order {
	o := plan.Order{
		Subject:   "sip.contoso.com",
		SANs:      []plan.Name{{Kind: plan.DNSName, Value: "sip.contoso.com"}, {Kind: plan.DNSName, Value: "webcon.contoso.com"}},
		EKUs:      []plan.Usage{plan.Server, plan.Client},
		Key:       "ecdsa-p256",
		NotBefore: at.AddDate(0, 0, -1),
		NotAfter:  at.AddDate(0, 3, 0),
	}
	for _, change := range changes {
		change(&o)
	}
	return o
}

func issue(t testing.TB, s *ca.Set, name string, o plan.Order) *ca.Issued {
	t.Helper()
	issued, err := s.Issue(t.Context(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// parsed returns the chain of a tls.Certificate, leaf first.
func parsed(t testing.TB, c tls.Certificate) []*x509.Certificate {
	t.Helper()
	var chain []*x509.Certificate
	for _, der := range c.Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, cert)
	}
	return chain
}

func root(t testing.TB, s *ca.Set, name string) *x509.Certificate {
	t.Helper()
	cert, err := s.Root(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// verify builds a path from what is sent to the CA's root, as net/x509 does, for any usage.
func verify(t testing.TB, s *ca.Set, name string, issued *ca.Issued) error {
	t.Helper()
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root(t, s, name))
	for _, cert := range parsed(t, issued.TLS)[1:] {
		intermediates.AddCert(cert)
	}
	_, err := issued.Leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

func TestEachCAIssuesUnderItsOwnRoot(t *testing.T) {
	s := newSet(t, 1)
	names := []string{ca.Public, ca.Internal, ca.Untrusted, ca.PartnerCA("litware"), ca.PartnerCA("Lit Ware"), ca.PartnerCA("lit-ware")}
	for _, name := range names {
		issued := issue(t, s, name, soldOrder())
		if len(issued.Beside) != 0 {
			t.Errorf("%s: made beside the Authority: %v", name, issued.Beside)
		}
		for _, other := range names {
			if err := verify(t, s, other, issued); (err == nil) != (other == name) {
				t.Errorf("issued by %s, against the root of %s: %v", name, other, err)
			}
		}
	}
	hosts := map[string]bool{}
	for _, name := range names {
		hosts[s.CDPHost(name)] = true
	}
	if len(hosts) != len(names) {
		t.Errorf("%d CAs have %d hosts for their CRLs: %v", len(names), len(hosts), hosts)
	}
}

func TestCACertificatesSayWhatTheyAre(t *testing.T) {
	s := newSet(t, 1)
	intermediate, err := s.Intermediate(t.Context(), ca.PartnerCA("litware"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cert := range []*x509.Certificate{root(t, s, ca.PartnerCA("litware")), intermediate} {
		if !strings.Contains(cert.Subject.String(), `edgelab lab CA\, not for production`) {
			t.Errorf("subject %q doesn't warn", cert.Subject)
		}
		if !cert.IsCA || cert.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
			t.Errorf("%s: CA %v, key usage %b", cert.Subject, cert.IsCA, cert.KeyUsage)
		}
		if cert.NotBefore.Year() != 2006 || cert.NotAfter.Year() != 2056 {
			t.Errorf("%s: valid from %s to %s", cert.Subject, cert.NotBefore, cert.NotAfter)
		}
	}
	if intermediate.MaxPathLen != 0 || !intermediate.MaxPathLenZero {
		t.Errorf("intermediate: path length %d", intermediate.MaxPathLen)
	}
}

func TestChainForms(t *testing.T) {
	s := newSet(t, 1)
	full := parsed(t, issue(t, s, ca.Public, soldOrder()).TLS)
	if len(full) != 2 {
		t.Fatalf("a full chain has %d certificates", len(full))
	}
	leaf, intermediate, root := full[0], full[1], root(t, s, ca.Public)
	for form, want := range map[string][]*x509.Certificate{
		"":                   {leaf, intermediate},
		plan.ChainFull:       {leaf, intermediate},
		plan.ChainLeafOnly:   {leaf},
		plan.ChainWithRoot:   {leaf, intermediate, root},
		plan.ChainMisordered: {leaf, root, intermediate},
	} {
		issued := issue(t, s, ca.Public, soldOrder(func(o *plan.Order) { o.Chain = form }))
		if !slices.EqualFunc(parsed(t, issued.TLS), want, (*x509.Certificate).Equal) {
			t.Errorf("chain %q isn't what it says, or isn't of the same leaf", form)
		}
		if !issued.TLS.Leaf.Equal(leaf) || !issued.Leaf.Equal(leaf) {
			t.Errorf("chain %q: another leaf", form)
		}
	}
}

func TestIssuers(t *testing.T) {
	s := newSet(t, 1)
	untrusted := issue(t, s, ca.Public, soldOrder(func(o *plan.Order) { o.Issuer = plan.IssuerUntrusted }))
	if err := verify(t, s, ca.Public, untrusted); err == nil {
		t.Error("the untrusted issuer is under the public root")
	}
	if err := verify(t, s, ca.Untrusted, untrusted); err != nil {
		t.Errorf("the untrusted issuer isn't under the untrusted root: %v", err)
	}

	self := issue(t, s, ca.Public, soldOrder(func(o *plan.Order) { o.Issuer = plan.IssuerSelfSigned }))
	if err := self.Leaf.CheckSignature(self.Leaf.SignatureAlgorithm, self.Leaf.RawTBSCertificate, self.Leaf.Signature); err != nil {
		t.Errorf("self-signed: %v", err)
	}
	if !bytes.Equal(self.Leaf.RawIssuer, self.Leaf.RawSubject) || len(self.TLS.Certificate) != 1 {
		t.Errorf("self-signed: issuer %s, subject %s, %d certificates", self.Leaf.Issuer, self.Leaf.Subject, len(self.TLS.Certificate))
	}
	if len(self.Leaf.CRLDistributionPoints) != 0 {
		t.Errorf("self-signed: CRL distribution points %v", self.Leaf.CRLDistributionPoints)
	}
}

func TestKeyMatchesCertificate(t *testing.T) {
	s := newSet(t, 1)
	for _, typ := range ca.KeyTypes() {
		issued := issue(t, s, ca.Internal, soldOrder(func(o *plan.Order) { o.Key = typ }))
		pair := tls.Certificate{Certificate: issued.TLS.Certificate, PrivateKey: issued.TLS.PrivateKey}
		if err := handshake(t, pair); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

func TestSameOrderSameCertificate(t *testing.T) {
	s := newSet(t, 1)
	first := issue(t, s, ca.Public, soldOrder())
	if issue(t, s, ca.Public, soldOrder()) != first {
		t.Error("the same order gave another certificate")
	}
	defaults := soldOrder(func(o *plan.Order) {
		yes := true
		o.Hash, o.Chain, o.IntermediateCA = "sha256", plan.ChainFull, &yes
		o.NotBefore = o.NotBefore.In(time.FixedZone("UTC+2", 7200)).Add(time.Millisecond)
	})
	if issue(t, s, ca.Public, defaults) != first {
		t.Error("the defaults, written out, gave another certificate")
	}
	if issue(t, s, ca.Internal, soldOrder()) == first {
		t.Error("another CA gave the same certificate")
	}
	if issue(t, s, ca.Public, soldOrder(func(o *plan.Order) { o.EKUs = o.EKUs[:1] })) == first {
		t.Error("another order gave the same certificate")
	}
}

func TestSeedDecidesSerialNumbers(t *testing.T) {
	serials := func(seed uint64, orders ...plan.Order) []string {
		s := newSet(t, seed)
		var serials []string
		for _, o := range orders {
			for _, cert := range parsed(t, issue(t, s, ca.Public, o).TLS) {
				serials = append(serials, cert.SerialNumber.String())
			}
		}
		return serials
	}
	a := soldOrder(func(o *plan.Order) { o.Chain = plan.ChainWithRoot })
	b := soldOrder(func(o *plan.Order) { o.Chain, o.Revoked = plan.ChainWithRoot, true })
	first, reordered, other := serials(7, a, b), serials(7, b, a), serials(8, a, b)
	if !slices.Equal(first[:3], reordered[3:]) || !slices.Equal(first[3:], reordered[:3]) {
		t.Errorf("the same seed gave other serial numbers: %v, then %v", first, reordered)
	}
	for i := range first {
		if first[i] == other[i] {
			t.Errorf("two seeds gave the same serial number %s", first[i])
		}
	}
	if first[0] == first[3] {
		t.Errorf("two orders have the same serial number %s", first[0])
	}
}

func TestOrderIsNotAliased(t *testing.T) {
	s := newSet(t, 1)
	o := soldOrder()
	issued := issue(t, s, ca.Public, o)
	o.SANs[0].Value = "changed.contoso.com"
	if got := issued.Order.SANs[0].Value; got != "sip.contoso.com" {
		t.Errorf("the caller's change reached the issued order: %q", got)
	}
}

func TestConcurrentIssue(t *testing.T) {
	s := newSet(t, 1)
	orders := []plan.Order{
		soldOrder(),
		soldOrder(func(o *plan.Order) { o.Revoked = true }),
		soldOrder(func(o *plan.Order) { o.Key = "rsa-2048" }),
		soldOrder(func(o *plan.Order) { o.IntermediateEKU = []plan.Usage{plan.Server} }),
		soldOrder(func(o *plan.Order) { o.Hash = "sha1" }),
	}
	const callers = 16
	results := make([][]*ca.Issued, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range orders {
				issued, err := s.Issue(t.Context(), ca.Public, orders[(i+c)%len(orders)])
				if err != nil {
					t.Error(err)
					return
				}
				results[c] = append(results[c], issued)
			}
		})
	}
	wg.Wait()
	for c, issued := range results {
		for i := range issued {
			if want := results[0][(i+c)%len(orders)]; issued[i] != want {
				t.Errorf("caller %d got a certificate of its own for order %d", c, (i+c)%len(orders))
			}
		}
	}
}

func TestClosedAndCancelled(t *testing.T) {
	s := ca.NewSet(ca.Options{Keys: &keys})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Issue(ctx, ca.Public, soldOrder()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	issue(t, s, ca.Public, soldOrder())
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := s.Issue(t.Context(), ca.Public, soldOrder()); !errors.Is(err, ca.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := s.Root(t.Context(), ca.Public); !errors.Is(err, ca.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
