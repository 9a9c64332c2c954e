package xmpp_test

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
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/xmpp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a network with DNS, one CA and two servers: contoso.com, and fabrikam.com.
type world struct {
	t        testing.TB
	net      *peers.Net
	zone     *dns.Zone
	resolver *dns.Resolver
	journal  *verdict.Journal
	products *policy.Catalogue
	ca       *authority
	times    peers.Timeouts
	now      func() time.Time
	dialled  *atomic.Int64
}

// load reads the policies once for all worlds: a catalogue is immutable.
var load = sync.OnceValues(policy.Load)

func newWorld(t testing.TB) *world {
	t.Helper()
	// Tests that run at the same time, and a fuzzer's workers, must not find each other's listeners.
	n, err := peers.NewNet(netip.AddrFrom4([4]byte{127, 77, byte(os.Getpid()), 0}))
	check(t, err)
	products, err := load()
	check(t, err)
	w := &world{
		t: t, net: n, zone: dns.NewZone(), journal: verdict.NewJournal(verdict.NewClock()), products: products,
		times: peers.Timeouts{Connect: 10 * time.Second, Handshake: 20 * time.Second, Exchange: 20 * time.Second},
		now:   func() time.Time { return date }, dialled: new(atomic.Int64),
	}
	w.ca = newAuthority(t, "lab root", date)
	tcp, err := n.Listen(t.Context(), "dns", 53)
	check(t, err)
	var lc net.ListenConfig
	udp, err := lc.ListenPacket(t.Context(), "udp4", tcp.Addr().String())
	check(t, err)
	srv, err := dns.Serve(w.zone, udp, tcp)
	check(t, err)
	t.Cleanup(func() { check(t, srv.Close()) })
	w.resolver = dns.NewResolver(srv.Addr(), 10*time.Second)
	return w
}

// date is the day of the topic that the lab starts from.
var date = time.Date(2013, 3, 15, 12, 0, 0, 0, time.UTC)

// A server is one end of the federation.
type server struct {
	cfg    xmpp.Config
	domain string
	*xmpp.Server
}

// server returns the configuration of a domain's server, which doesn't listen yet.
func (w *world) server(actor, domain, product string, cert *tls.Certificate) *server {
	w.t.Helper()
	p, ok := w.products.Product(product)
	if !ok {
		w.t.Fatalf("no product %q; there are %v", product, w.products.Names())
	}
	fqdn := "xmpp." + domain
	w.zone.SetA(fqdn, w.net.Address(actor))
	w.zone.SetSRV(dns.XMPPServer+"."+domain, dns.Target{Host: fqdn, Port: xmpp.Port})
	return &server{domain: domain, cfg: xmpp.Config{
		Host: &peers.Host{
			Actor: actor, FQDN: fqdn, Product: p, Certificate: cert, Roots: []*x509.Certificate{w.ca.cert},
			Net: w.net, DNS: w.resolver, Journal: w.journal, Now: w.now, Timeouts: w.times,
		},
		Domains: []string{domain}, DialbackSecret: "s3cr3t of " + actor,
	}}
}

// allow makes s deal with everybody by these settings.
func (s *server) allow(a topology.Allowed) *server {
	s.cfg.Partners = func(string) (topology.Allowed, bool) { return a, true }
	return s
}

func (w *world) listen(servers ...*server) {
	w.t.Helper()
	for _, s := range servers {
		srv, err := xmpp.Listen(w.t.Context(), s.cfg, xmpp.Port)
		check(w.t, err)
		s.Server = srv
		w.t.Cleanup(func() { check(w.t, srv.Close()) })
	}
}

// A leg is what both ends of one leg left behind.
type leg struct {
	t                   testing.TB
	err                 error
	initiator, acceptor events
	verification        []events // what the acceptor did to verify a dialback key
}

type events []verdict.Event

func (w *world) run(from, to *server) leg {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return w.runIn(ctx, from, to)
}

func (w *world) runIn(ctx context.Context, from, to *server) leg {
	w.t.Helper()
	rec := verdict.NewRecord(verdict.Initiator, from.cfg.Host.Actor, "", w.journal.Clock())
	l := leg{t: w.t}
	l.err = xmpp.Connect(ctx, from.cfg, xmpp.Call{From: from.domain, To: to.domain, Record: rec})
	l.initiator = rec.Events()
	if rec.Conn() != "" && to.Server != nil {
		other, err := w.journal.Take(ctx, rec.Conn())
		check(w.t, err)
		l.acceptor = other.Events()
		for _, link := range other.Links() {
			l.verification = append(l.verification, link.Events())
		}
	}
	if w.t.Failed() || testing.Verbose() {
		w.t.Cleanup(func() {
			if w.t.Failed() {
				w.t.Log(l.String())
			}
		})
	}
	return l
}

func (l leg) String() string {
	var b strings.Builder
	for _, side := range append([]events{l.initiator, l.acceptor}, l.verification...) {
		for _, e := range side {
			fmt.Fprintf(&b, "%-8v %-9s %-22s %-20s %s %.300s\n", e.At.Round(time.Microsecond), e.Side, e.Kind, e.Code, e.Text, e.Raw)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (e events) all(k verdict.Kind) events {
	return slices.DeleteFunc(slices.Clone(e), func(x verdict.Event) bool { return x.Kind != k })
}

// one returns the only event of a kind.
func (e events) one(t testing.TB, k verdict.Kind) verdict.Event {
	t.Helper()
	all := e.all(k)
	if len(all) != 1 {
		t.Fatalf("%d events %s, want 1", len(all), k)
	}
	return all[0]
}

func (e events) none(t testing.TB, kinds ...verdict.Kind) {
	t.Helper()
	for _, k := range kinds {
		if all := e.all(k); len(all) > 0 {
			t.Errorf("%s: %s", k, all[0].Text)
		}
	}
}

// authenticated checks by which method a leg was authenticated at both ends, and that messages went through.
func (l leg) authenticated(method string, encrypted bool) {
	l.t.Helper()
	if l.err != nil {
		l.t.Fatalf("the leg failed: %v\n%v", l.err, l)
	}
	for _, side := range []events{l.initiator, l.acceptor} {
		if a := side.one(l.t, verdict.KindAuthenticated); a.Method != method || a.Encrypted != encrypted {
			l.t.Errorf("%s: authenticated by %s, encrypted %t; want %s, %t", a.Side, a.Method, a.Encrypted, method, encrypted)
		}
		side.one(l.t, verdict.KindExchanged)
		side.one(l.t, verdict.KindClosed)
		side.none(l.t, verdict.KindHarness, verdict.KindTimeout, verdict.KindConnectionLost)
	}
}

// judged checks what one side made of the other's certificate.
func (e events) judged(t testing.TB, outcome verdict.Outcome, code verdict.Code) {
	t.Helper()
	j := e.one(t, verdict.KindJudged).Judgement
	if j == nil || j.Outcome != outcome || j.Code != code {
		t.Errorf("judged %+v, want %s, %s", j, outcome, code)
	}
}

// An authority issues certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	at   time.Time
}

func newAuthority(t testing.TB, name string, at time.Time) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	check(t, err)
	cert, err := x509.ParseCertificate(der)
	check(t, err)
	return &authority{t, cert, key, at}
}

const (
	serverAuth = x509.ExtKeyUsageServerAuth
	clientAuth = x509.ExtKeyUsageClientAuth
)

// issue returns a certificate for domain with the given EKUs.
func (a *authority) issue(domain string, ekus ...x509.ExtKeyUsage) *tls.Certificate {
	a.t.Helper()
	return a.issueNames([]string{domain}, ekus...)
}

// issueNames returns a certificate for several names.
func (a *authority) issueNames(names []string, ekus ...x509.ExtKeyUsage) *tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(a.t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: a.at.AddDate(0, -1, 0), NotAfter: a.at.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: ekus,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	check(a.t, err)
	leaf, err := x509.ParseCertificate(der)
	check(a.t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
