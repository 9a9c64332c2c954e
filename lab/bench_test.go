package lab

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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/peers/capture"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// benchPartners is how many partners a measured scenario has. As in the source deployment there are two own domains, so
// each brings four federation legs.
const benchPartners = 10

// BenchmarkLeg measures what a leg costs as a ratio to a floor that is measured in the same run, right before and
// after: two certificates by x509.CreateCertificate, one mutual TLS 1.3 handshake on loopback, one OPTIONS parsed and
// answered. The leg pays for its CAs, its DNS, its evidence, its judges, and one MESSAGE more. x-floor is the ratio of
// elapsed times, x-floor-cpu that of processor times, which a busy machine disturbs less.
func BenchmarkLeg(b *testing.B) {
	policies, err := policy.Load()
	if err != nil {
		b.Fatal(err)
	}
	for _, protocol := range []struct{ name, product string }{{"sip", "sip-rfc5922"}, {"xmpp", "xmpp-strict"}} {
		b.Run(protocol.name, func(b *testing.B) {
			s := benchScenario(b, policies, protocol.name, protocol.product)
			const legs = 4 * benchPartners
			var leg, floor cost
			for b.Loop() {
				floor = floor.plus(measure(func() { floors(b, legs/2) }))
				leg = leg.plus(measure(func() { benchLegs(b, Options{Policies: policies}, s, legs) }))
				floor = floor.plus(measure(func() { floors(b, legs/2) }))
			}
			n := float64(b.N * legs)
			b.ReportMetric(float64(leg.wall)/n, "ns/leg")
			b.ReportMetric(float64(floor.wall)/n, "ns/floor")
			b.ReportMetric(float64(leg.wall)/float64(floor.wall), "x-floor")
			b.ReportMetric(float64(leg.cpu)/float64(floor.cpu), "x-floor-cpu")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkCapture measures what a leg costs with a capture, as a ratio to one without that is measured in the same run. The
// captures must stay under 1.5.
func BenchmarkCapture(b *testing.B) {
	policies, err := policy.Load()
	if err != nil {
		b.Fatal(err)
	}
	for _, protocol := range []struct{ name, product string }{{"sip", "sip-rfc5922"}, {"xmpp", "xmpp-strict"}} {
		b.Run(protocol.name, func(b *testing.B) {
			s := benchScenario(b, policies, protocol.name, protocol.product)
			const legs = 4 * benchPartners
			var with, without cost
			for b.Loop() {
				without = without.plus(measure(func() { benchLegs(b, Options{Policies: policies}, s, legs) }))
				folder, err := capture.Open(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				with = with.plus(measure(func() { benchLegs(b, Options{Policies: policies, Captures: folder}, s, legs) }))
				if err := folder.Close(); err != nil {
					b.Fatal(err)
				}
				without = without.plus(measure(func() { benchLegs(b, Options{Policies: policies}, s, legs) }))
			}
			b.ReportMetric(2*float64(with.wall)/float64(without.wall), "x-without")
			b.ReportMetric(2*float64(with.cpu)/float64(without.cpu), "x-without-cpu")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cost is what some work took, on the clock and of the processors.
type cost struct{ wall, cpu time.Duration }

func (c cost) plus(d cost) cost { return cost{c.wall + d.wall, c.cpu + d.cpu} }

func measure(work func()) cost {
	start, cpu := time.Now(), processorTime()
	work()
	return cost{time.Since(start), processorTime() - cpu}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchScenario(b *testing.B, policies *policy.Catalogue, protocol, product string) scenarios.Scenario {
	var text strings.Builder
	text.WriteString("edge: {access: sip.contoso.com, internal: lsedge.contoso.net}\nsip-domains: [contoso.com, fabrikam.com]\nxmpp-domains: [contoso.com, fabrikam.com]\n")
	text.WriteString("certificates:\n  external: {eku: [server, client], key: ecdsa-p256}\n  internal: {key: ecdsa-p256}\n")
	text.WriteString("partners:\n")
	for i := range benchPartners {
		fmt.Fprintf(&text, "  - {name: p%d, domain: p%d.example, protocol: %s, product: %s}\n", i, i, protocol, product)
	}
	s, err := scenarios.Load("bench.yaml", []byte(text.String()), scenarios.Options{Products: policies.Names()})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func benchLegs(b *testing.B, opts Options, s scenarios.Scenario, want int) {
	r, err := newRun(opts)
	if err != nil {
		b.Fatal(err)
	}
	defer r.close()
	todo := jobs([]scenarios.Scenario{s}, func(_ string, l topology.Leg) bool { return l.Partner != nil })
	if opts.Captures != nil {
		todo[0].reserve(opts.Captures)
	}
	out := r.whole(context.Background(), todo)
	if len(out) != 1 || out[0].Error != "" || len(out[0].Legs) != want {
		b.Fatalf("%d scenarios, %v", len(out), out[0].Error)
	}
	for _, l := range out[0].Legs {
		if !l.OK {
			b.Fatalf("%s: %s: %s", l.ID, l.Verdict, l.Reason)
		}
	}
}

// floors does the floor's work n times, as many at a time as a run would.
func floors(b *testing.B, n int) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "floor"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		b.Fatal(err)
	}
	if ca, err = x509.ParseCertificate(der); err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	slots := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := floor(ln, ca, key); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

func floor(ln net.Listener, ca *x509.Certificate, key *ecdsa.PrivateKey) error {
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	var certs [2]tls.Certificate
	for i := range certs {
		t := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 2)), Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{"sip.contoso.com"},
			NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
		der, err := x509.CreateCertificate(rand.Reader, t, ca, key.Public(), key)
		if err != nil {
			return err
		}
		certs[i] = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	done := make(chan error, 1)
	go func() { done <- floorServer(ln, certs[0], pool) }()
	c, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, Certificates: certs[1:], ServerName: "sip.contoso.com"})
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte(floorOptions)); err != nil {
		return err
	}
	buf := make([]byte, 2048)
	k, err := c.Read(buf)
	if err != nil {
		return err
	}
	if _, err := sip.ParseMessage(buf[:k]); err != nil {
		return err
	}
	return <-done
}

const floorOptions = "OPTIONS sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKfloor\r\nFrom: <sip:a@litware.com>;tag=1\r\n" +
	"To: <sip:b@contoso.com>\r\nCall-ID: floor\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"

func floorServer(ln net.Listener, cert tls.Certificate, pool *x509.CertPool) error {
	raw, err := ln.Accept()
	if err != nil {
		return err
	}
	c := tls.Server(raw, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})
	defer c.Close()
	buf := make([]byte, 2048)
	k, err := c.Read(buf)
	if err != nil {
		return err
	}
	msg, err := sip.ParseMessage(buf[:k])
	if err != nil {
		return err
	}
	req, ok := msg.(*sip.Request)
	if !ok {
		return fmt.Errorf("parsed a %T", msg)
	}
	_, err = c.Write([]byte(sip.NewResponseFromRequest(req, 200, "OK", nil).String()))
	return err
}
