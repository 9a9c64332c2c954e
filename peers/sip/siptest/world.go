// Package siptest is a small world for tests of SIP peers and of the mock Edge: a network of its own, DNS, certificate
// authorities made with crypto/x509, and hosts that act as real products.
package siptest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/policy"
)

// Now is the date on every clock of a world, unless its Now says otherwise.
var Now = time.Date(2013, 3, 15, 12, 0, 0, 0, time.UTC)

// A World is what hosts of one test have in common. It ends with the test.
type World struct {
	T        testing.TB
	Net      *peers.Net
	Zone     *dns.Zone
	Journal  *verdict.Journal
	Products *policy.Catalogue
	Timeouts peers.Timeouts
	Now      func() time.Time // real products have no clock but the machine's

	resolver *dns.Resolver
}

// New returns a world on the addresses that follow base.
func New(t testing.TB, base string) *World {
	t.Helper()
	n, err := peers.NewNet(netip.MustParseAddr(base))
	check(t, err)
	products, err := policy.Load()
	check(t, err)
	w := &World{
		T: t, Net: n, Zone: dns.NewZone(), Journal: verdict.NewJournal(verdict.NewClock()), Products: products,
		Timeouts: peers.Timeouts{Connect: 5 * time.Second, Handshake: 10 * time.Second, Exchange: 10 * time.Second},
		Now:      func() time.Time { return Now },
	}
	tcp, err := n.Listen(t.Context(), "dns", 53)
	check(t, err)
	var lc net.ListenConfig
	udp, err := lc.ListenPacket(t.Context(), "udp4", tcp.Addr().String())
	check(t, err)
	srv, err := dns.Serve(w.Zone, udp, tcp)
	check(t, err)
	t.Cleanup(func() { check(t, srv.Close()) })
	w.resolver = dns.NewResolver(srv.Addr(), 5*time.Second)
	return w
}

// Host returns a host that acts as product, with an address record for fqdn unless that is empty.
func (w *World) Host(actor, fqdn, product string, roots ...*CA) *peers.Host {
	w.T.Helper()
	p, ok := w.Products.Product(product)
	if !ok {
		w.T.Fatalf("no product %q; there are %v", product, w.Products.Names())
	}
	h := &peers.Host{
		Actor: actor, FQDN: fqdn, Product: p, Net: w.Net, DNS: w.resolver, Journal: w.Journal,
		Now: w.Now, Timeouts: w.Timeouts,
	}
	for _, ca := range roots {
		h.Roots = append(h.Roots, ca.Cert)
	}
	if fqdn != "" {
		w.Zone.SetA(fqdn, w.Net.Address(actor))
	}
	return h
}

// SRV publishes the federation record of domain.
func (w *World) SRV(domain, target string) {
	w.Zone.SetSRV(dns.SIPFederation+"."+domain, dns.Target{Host: target, Port: 5061})
}

// A Result is what both ends of a leg recorded.
type Result struct {
	Err       error
	Initiator []verdict.Event
	Acceptor  []verdict.Event
}

// Run plays one leg and waits for the acceptor's record, if a connection came about.
func (w *World) Run(actor string, leg func(context.Context, *verdict.Record) error) Result {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), time.Minute)
	defer cancel()
	rec := verdict.NewRecord(verdict.Initiator, actor, "", w.Journal.Clock())
	r := Result{Err: leg(ctx, rec)}
	r.Initiator = rec.Events()
	if conn := rec.Conn(); conn != "" {
		other, err := w.Journal.Take(ctx, conn)
		check(w.T, err)
		r.Acceptor = other.Events()
	}
	return r
}

// Kinds returns the kinds of events in order.
func Kinds(events []verdict.Event) []verdict.Kind {
	var out []verdict.Kind
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

// All returns the events of one kind.
func All(events []verdict.Event, k verdict.Kind) []verdict.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e verdict.Event) bool { return e.Kind != k })
}

// Judgement returns the only judgement among events, nil if there is none. Two are a fault of the peer.
func Judgement(t testing.TB, events []verdict.Event) *verdict.Judgement {
	t.Helper()
	j := All(events, verdict.KindJudged)
	if len(j) > 1 {
		t.Errorf("a side judged %d times", len(j))
	}
	if len(j) == 0 {
		return nil
	}
	return j[0].Judgement
}

// Dump prints the evidence of both ends in the order in which it came about.
func (r Result) Dump(t testing.TB) {
	t.Helper()
	all := slices.Concat(r.Initiator, r.Acceptor)
	slices.SortStableFunc(all, func(a, b verdict.Event) int { return int(a.At - b.At) })
	for _, e := range all {
		t.Logf("%-9s %-20s %s", e.Side, e.Kind, e.Text)
		if e.Judgement != nil {
			for _, c := range e.Judgement.Checks {
				t.Logf("%30s ok=%v %s: %s", "", c.OK, c.RuleID, c.Detail)
			}
		}
	}
	if r.Err != nil {
		t.Logf("error: %v", r.Err)
	}
}

// A CA issues test certificates.
type CA struct {
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey
	t    testing.TB
	next int64
}

// NewCA returns a root.
func NewCA(t testing.TB, name string) *CA {
	t.Helper()
	key := newKey(t)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: Now.AddDate(-5, 0, 0), NotAfter: Now.AddDate(20, 0, 0), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return &CA{Cert: create(t, tmpl, tmpl, key, key), key: key, t: t, next: 2}
}

// A Leaf says what a certificate holds. The zero values of EKU and NotAfter mean both EKUs and until 2033.
type Leaf struct {
	CN       string
	SAN      []string // nil: the CN
	EKU      []x509.ExtKeyUsage
	NotAfter time.Time
}

// EKUs for Leaf.
var (
	ServerEKU = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	ClientEKU = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
)

// Issue returns a certificate with its key.
func (c *CA) Issue(l Leaf) *tls.Certificate {
	c.t.Helper()
	if l.SAN == nil {
		l.SAN = []string{l.CN}
	}
	if l.EKU == nil {
		l.EKU = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	if l.NotAfter.IsZero() {
		l.NotAfter = Now.AddDate(20, 0, 0)
	}
	c.next++
	key := newKey(c.t)
	cert := create(c.t, &x509.Certificate{
		SerialNumber: big.NewInt(c.next), Subject: pkix.Name{CommonName: l.CN}, DNSNames: l.SAN, ExtKeyUsage: l.EKU,
		NotBefore: Now.AddDate(-1, 0, 0), NotAfter: l.NotAfter, BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		CRLDistributionPoints: []string{"http://crl.example/ca.crl"},
	}, c.Cert, key, c.key)
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// Sign returns a certificate of the CA for any template and public key, in DER.
func (c *CA) Sign(tmpl *x509.Certificate, key any) []byte {
	c.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tmpl, c.Cert, key, c.key)
	check(c.t, err)
	return der
}

func create(t testing.TB, tmpl, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	check(t, err)
	cert, err := x509.ParseCertificate(der)
	check(t, err)
	return cert
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(fmt.Errorf("test world: %w", err))
	}
}
