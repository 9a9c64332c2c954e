package sip_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	upstream "github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/sip"
	"github.com/edgelab/edgelab/peers/sip/siptest"
)

// The real Kamailio 5.6 from Debian stands at the other end, and its policy must say of every certificate what it does.

// kamailio is a running Kamailio. It answers every request that comes over TLS, and sends on over TLS to next what
// comes over UDP.
type kamailio struct {
	tls, udp netip.AddrPort
}

// A setup is one tls.cfg: which end shows and asks for what.
type setup struct {
	verify, require string // of both sections
	cert            *tls.Certificate
	roots           []*x509.Certificate
	next            netip.AddrPort
}

const kamailioCfg = `#!KAMAILIO
debug=-1
children=1
tcp_children=1
enable_tls=yes
auto_aliases=no
dns=no
rev_dns=no
tcp_connect_timeout=5
listen=tls:%s
listen=udp:%s
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
modparam("tls", "config", "%s")
modparam("tm", "fr_timer", 5000)
request_route {
	if (proto == TLS) {
		sl_send_reply("200", "OK");
		exit;
	}
	$du = "sip:%s;transport=tls";
	t_relay();
}
event_route[core:worker-one-init] {
	xlog("L_ALERT", "edgelab: ready\n");
}
`

const kamailioTLS = `[server:default]
method = TLSv1.2+
verify_certificate = %[1]s
require_certificate = %[2]s
private_key = %[3]s
certificate = %[4]s
ca_list = %[5]s

[client:default]
method = TLSv1.2+
verify_certificate = %[1]s
require_certificate = %[2]s
private_key = %[3]s
certificate = %[4]s
ca_list = %[5]s
`

// startKamailio runs Kamailio until the test ends.
func startKamailio(t *testing.T, w *siptest.World, s setup) kamailio {
	t.Helper()
	dir := t.TempDir()
	addr := w.Net.Address("kamailio")
	k := kamailio{tls: netip.AddrPortFrom(addr, freePort(t, addr)), udp: netip.AddrPortFrom(addr, freePort(t, addr))}
	cert, key := writeCertificate(t, dir, "kamailio", s.cert)
	cas := writeRoots(t, dir, s.roots)
	next := s.next
	if !next.IsValid() {
		next = k.tls
	}
	write(t, filepath.Join(dir, "tls.cfg"), fmt.Sprintf(kamailioTLS, s.verify, s.require, key, cert, cas))
	write(t, filepath.Join(dir, "kamailio.cfg"), fmt.Sprintf(kamailioCfg, k.tls, k.udp, filepath.Join(dir, "tls.cfg"), next))
	cmd := exec.Command("kamailio", "-DD", "-E", "-m", "16", "-M", "4", "-Y", dir, "-w", dir, "-f", filepath.Join(dir, "kamailio.cfg"))
	run(t, cmd, "edgelab: ready")
	return k
}

// certificates are the twins that each product is asked about: identical but for the one thing.
func (f *federation) certificates(names ...string) map[string]*tls.Certificate {
	stranger := siptest.NewCA(f.T, "Strange Root")
	return map[string]*tls.Certificate{
		"both EKUs":    f.public.Issue(siptest.Leaf{CN: names[0], SAN: names}),
		"server EKU":   f.public.Issue(siptest.Leaf{CN: names[0], SAN: names, EKU: siptest.ServerEKU}),
		"client EKU":   f.public.Issue(siptest.Leaf{CN: names[0], SAN: names, EKU: siptest.ClientEKU}),
		"expired":      f.public.Issue(siptest.Leaf{CN: names[0], SAN: names, NotAfter: siptest.Now.AddDate(1, 0, 0)}),
		"unknown root": withRoot(stranger.Issue(siptest.Leaf{CN: names[0], SAN: names}), stranger),
	}
}

// withRoot sends the root along, so that it's clear that nothing but trust is missing.
func withRoot(c *tls.Certificate, ca *siptest.CA) *tls.Certificate {
	c.Certificate = append(c.Certificate, ca.Cert.Raw)
	return c
}

// judgement is what Kamailio's policy says of a certificate.
func (f *federation) judgement(t *testing.T, role policy.Role, s setup, version uint16, cert *tls.Certificate) verdict.Judgement {
	t.Helper()
	p, ok := f.Products.Product("kamailio-5.6")
	if !ok {
		t.Fatal("no policy for Kamailio 5.6")
	}
	q := policy.Question{Role: role, Roots: s.roots, At: time.Now(), TLS: version,
		Settings: map[string]string{"verify_certificate": s.verify, "require_certificate": s.require}}
	if cert != nil {
		for _, der := range cert.Certificate {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			q.Chain = append(q.Chain, c)
		}
	}
	return p.Judge(q)
}

// newPresent is a federation on the machine's own date, the only one that Kamailio knows.
func newPresent(t *testing.T) *federation {
	t.Helper()
	f := newFederation(t, "sip-rfc5922")
	f.edge.Host.Now, f.partner.Host.Now = time.Now, time.Now
	return f
}

func TestKamailioAccepts(t *testing.T) {
	needs(t, "kamailio")
	for _, modes := range [][2]string{{"no", "no"}, {"yes", "no"}, {"yes", "yes"}} {
		t.Run("verify "+modes[0]+" require "+modes[1], func(t *testing.T) {
			f := newPresent(t)
			s := setup{verify: modes[0], require: modes[1], cert: f.partner.Host.Certificate, roots: []*x509.Certificate{f.public.Cert}}
			k := startKamailio(t, f.World, s)
			f.Zone.SetA("sip.litware.com", k.tls.Addr())
			shown := f.certificates("sip.contoso.com", "contoso.com")
			shown["none"] = nil
			for version, product := range map[uint16]string{tls.VersionTLS12: "lync-2013", tls.VersionTLS13: "sip-rfc5922"} {
				caller := f.Host("edge", "sip.contoso.com", product, f.private)
				caller.Now = time.Now
				for name, cert := range shown {
					t.Run(name+", "+tls.VersionName(version), func(t *testing.T) {
						cfg := f.edge
						cfg.Host = caller
						caller.Certificate = cert
						rec := verdict.NewRecord(verdict.Initiator, "edge", "", f.Journal.Clock())
						err := sip.Call(t.Context(), cfg, sip.Leg{From: "contoso.com", To: "litware.com", Server: "sip.litware.com", Port: k.tls.Port(), Record: rec})
						compare(t, f.judgement(t, policy.Acceptor, s, version, cert), rec.Events(), err == nil)
					})
				}
			}
		})
	}
}

func TestKamailioConnects(t *testing.T) {
	needs(t, "kamailio")
	for _, verify := range []string{"yes", "no"} {
		t.Run("verify "+verify, func(t *testing.T) {
			f := newPresent(t)
			// The Edge is one that speaks TLS 1.3, so that Kamailio's refusal is the one of its usual version.
			for version, product := range map[uint16]string{tls.VersionTLS12: "lync-2013", tls.VersionTLS13: "sip-rfc5922"} {
				for name, cert := range f.certificates("sip.contoso.com") {
					t.Run(name+", "+tls.VersionName(version), func(t *testing.T) {
						s := setup{verify: verify, require: verify, roots: []*x509.Certificate{f.public.Cert},
							cert: f.private.Issue(siptest.Leaf{CN: "sip.litware.com", SAN: []string{"sip.litware.com", "litware.com"}})}
						events := f.kamailioCalls(t, product, s, cert)
						j := f.judgement(t, policy.Initiator, s, version, cert)
						compare(t, j, events, len(siptest.All(events, verdict.KindExchanged)) == 1)
					})
				}
			}
		})
	}
}

// The Edge judges Kamailio's certificate on a connection that Kamailio opens with it, whatever EKU that has.
func TestKamailioIsJudged(t *testing.T) {
	needs(t, "kamailio")
	want := map[string]verdict.Code{
		"both EKUs": verdict.Trusted, "server EKU": verdict.ClientEKUMissing, "client EKU": verdict.Trusted,
		"expired": verdict.Expired, "unknown root": verdict.UntrustedRoot,
	}
	f := newPresent(t)
	f.partner.Host.Roots = nil
	for name, cert := range f.certificates("sip.litware.com", "litware.com") {
		t.Run(name, func(t *testing.T) {
			s := setup{verify: "yes", require: "yes", roots: []*x509.Certificate{f.public.Cert}, cert: cert}
			events := f.kamailioCalls(t, "sip-rfc5922", s, f.public.Issue(siptest.Leaf{CN: "sip.contoso.com"}))
			if j := siptest.Judgement(t, events); j == nil || j.Code != want[name] {
				t.Errorf("judgement %+v, want %s", j, want[name])
			}
			if got := len(siptest.All(events, verdict.KindExchanged)) == 1; got != (want[name] == verdict.Trusted) {
				t.Errorf("exchanged: %v", got)
			}
		})
	}
}

// kamailioCalls has Kamailio send OPTIONS and MESSAGE to an Edge and returns the Edge's evidence.
func (f *federation) kamailioCalls(t *testing.T, product string, s setup, cert *tls.Certificate) []verdict.Event {
	t.Helper()
	host := f.Host("edge", "sip.contoso.com", product, f.public, f.private)
	host.Now, host.Certificate = time.Now, cert
	srv, err := sip.Listen(t.Context(), sip.Config{Host: host, Domains: []string{"contoso.com"},
		Routing: sip.Routing{Partners: []sip.Partner{{Domain: "litware.com", Listing: topology.AllowedDomain}}}}, sip.FederationPort)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	between, conn := relay(t, f, addrOf(f, "edge"))
	s.next = between
	k := startKamailio(t, f.World, s)

	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(k.udp))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	send(t, c, upstream.OPTIONS)
	name := <-conn
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		buf := make([]byte, 64<<10)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			switch line, _, _ := strings.Cut(string(buf[:n]), "\r\n"); {
			case strings.HasPrefix(line, "SIP/2.0 1"):
			case strings.Contains(string(buf[:n]), "MESSAGE\r\n"):
				name.close()
				return
			case strings.HasPrefix(line, "SIP/2.0 200"):
				send(t, c, upstream.MESSAGE)
			default:
				name.close()
				return
			}
		}
	}()
	rec, err := f.Journal.Take(ctx, name.conn)
	if err != nil {
		t.Error(err)
	}
	_ = c.Close()
	<-answered
	return rec.Events()
}

// send sends one request to Kamailio's UDP side, as a user of litware.com would.
func send(t *testing.T, c net.Conn, method upstream.RequestMethod) {
	req := fmt.Sprintf("%[1]s sip:edgelab@contoso.com SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[1]s\r\n"+
		"From: <sip:edgelab@litware.com>;tag=1\r\nTo: <sip:edgelab@contoso.com>\r\nCall-ID: %[1]s\r\nCSeq: 1 %[1]s\r\n"+
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n", method, c.LocalAddr())
	if _, err := io.WriteString(c, req); err != nil {
		t.Error(err)
	}
}

// compare holds what Kamailio did against what its policy says it does, down to the alert.
func compare(t *testing.T, j verdict.Judgement, events []verdict.Event, worked bool) {
	t.Helper()
	if want := j.Outcome == verdict.OutcomeTrusted; worked != want {
		t.Errorf("worked: %v; the policy says %s (%s)", worked, j.Outcome, j.Code)
		siptest.Result{Initiator: events}.Dump(t)
	}
	alerts := siptest.All(events, verdict.KindAlertReceived)
	if j.Outcome == verdict.OutcomeRejected && (len(alerts) != 1 || alerts[0].Alert != j.Alert) {
		t.Errorf("alerts %+v, the policy says %d", alerts, j.Alert)
		siptest.Result{Initiator: events}.Dump(t)
	}
}
