package xmpp_test

import (
	"bufio"
	"context"
	"crypto/sha1" // XEP-0114 §3 wants it
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/xmpp"
)

// The real Prosody 0.12 from Debian stands at the other end, and its policy must say of every certificate what it does.

const prosodyCfg = `run_as_root = true
pidfile = "%[1]s/prosody.pid"
data_path = "%[1]s"
interfaces = { "%[2]s" }
component_interfaces = { "%[2]s" }
modules_enabled = { "saslauth", "tls", "dialback", "disco", "ping" }
c2s_ports = {}
c2s_direct_tls_ports = {}
s2s_direct_tls_ports = {}
s2s_secure_auth = %[3]s
ssl = { certificate = "%[1]s/cert.pem", key = "%[1]s/key.pem", cafile = "%[1]s/roots.pem" }
log = { { levels = { min = "debug" }, to = "console" } }
VirtualHost "adatum.com"
Component "bot.adatum.com"
	component_secret = "secret"
`

// A prosody is a running Prosody.
type prosody struct {
	at   netip.Addr
	stop func()

	mu   sync.Mutex
	log  strings.Builder
	more chan struct{} // has an element when the log has grown
	over chan struct{} // closed when it has ended
}

// read keeps what Prosody logs.
func (p *prosody) read(out io.Reader) {
	defer close(p.over)
	for in := bufio.NewScanner(out); in.Scan(); {
		p.mu.Lock()
		p.log.WriteString(in.Text() + "\n")
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
}

// logged waits until the log has a match.
func (p *prosody) logged(t *testing.T, mark *regexp.Regexp) string {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		p.mu.Lock()
		found := mark.FindString(p.log.String())
		p.mu.Unlock()
		if found != "" {
			return found
		}
		select {
		case <-p.more:
		case <-p.over:
			t.Fatal("Prosody has ended")
		case <-limit:
			t.Fatalf("Prosody doesn't log %s", mark)
		}
	}
}

// prosody starts Prosody for adatum.com with the world's DNS as its own, and returns when it listens. It needs root: its
// /etc/resolv.conf is one of a mount namespace of its own.
func (w *world) prosody(t *testing.T, secure string) *prosody {
	t.Helper()
	for _, program := range []string{"prosody", "unshare"} {
		if _, err := exec.LookPath(program); err != nil || os.Geteuid() != 0 {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s and root are needed, and CI must run this test: %v", program, err)
			}
			t.Skipf("needs %s, and root to give it a DNS of its own", program)
		}
	}
	if w.resolver.Server().Port() != 53 {
		t.Fatalf("the lab's DNS is at %s; Prosody asks port 53 only", w.resolver.Server())
	}
	at := w.net.Address("prosody")
	w.zone.SetA("xmpp.adatum.com", at)
	for _, d := range []string{"adatum.com", "bot.adatum.com"} {
		w.zone.SetSRV(dns.XMPPServer+"."+d, dns.Target{Host: "xmpp.adatum.com", Port: xmpp.Port})
	}
	cert := w.ca.issueNames([]string{"adatum.com", "bot.adatum.com"}, serverAuth, clientAuth)
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	check(t, err)
	for name, text := range map[string][]byte{
		"cert.pem":        pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}),
		"key.pem":         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"roots.pem":       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.ca.cert.Raw}),
		"resolv.conf":     []byte("nameserver " + w.resolver.Server().Addr().String() + "\n"),
		"prosody.cfg.lua": []byte(fmt.Sprintf(prosodyCfg, dir, at, secure)),
	} {
		check(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	cmd := exec.Command("unshare", "-m", "sh", "-c",
		`mount --bind "$1/resolv.conf" /etc/resolv.conf && exec prosody -F --config "$1/prosody.cfg.lua"`, "sh", dir)
	out, err := cmd.StdoutPipe()
	check(t, err)
	cmd.Stderr = cmd.Stdout
	check(t, cmd.Start())
	p := &prosody{at: at, more: make(chan struct{}, 1), over: make(chan struct{})}
	go p.read(out)
	p.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-p.over
		_ = cmd.Wait()
	})
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("Prosody said:\n%s", p.log.String())
		}
	})
	for _, port := range []uint16{xmpp.Port, 5347} {
		w.waitFor(t, netip.AddrPortFrom(at, port), p.over)
	}
	return p
}

// waitFor dials until somebody answers, or the program that should is over.
func (w *world) waitFor(t *testing.T, at netip.AddrPort, over <-chan struct{}) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		if c, err := net.DialTimeout("tcp4", at.String(), time.Second); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-over:
			t.Fatalf("the program that should listen at %s is over", at)
		case <-tick.C:
		}
	}
	t.Fatalf("nobody listens at %s", at)
}

// prosodyCases are certificates of the Edge that Prosody is shown.
var prosodyCases = map[string]func(*authority) *tls.Certificate{
	"both EKUs":       func(a *authority) *tls.Certificate { return a.issue("contoso.com", serverAuth, clientAuth) },
	"server EKU only": func(a *authority) *tls.Certificate { return a.issue("contoso.com", serverAuth) },
	"client EKU only": func(a *authority) *tls.Certificate { return a.issue("contoso.com", clientAuth) },
	"wrong name":      func(a *authority) *tls.Certificate { return a.issue("sip.contoso.com", serverAuth, clientAuth) },
}

// prosodyWorld is a world of today: Prosody's clock can't be set.
func prosodyWorld(t *testing.T) *world {
	w := newWorld(t)
	w.now = time.Now
	w.ca = newAuthority(t, "lab root", time.Now())
	return w
}

// judge says what Prosody's policy makes of a certificate.
func (w *world) judge(t *testing.T, role policy.Role, cert *tls.Certificate, secure string) verdict.Judgement {
	t.Helper()
	p, ok := w.products.Product("prosody-0.12")
	if !ok {
		t.Fatal("no policy prosody-0.12")
	}
	return p.Judge(policy.Question{
		Role: role, Chain: []*x509.Certificate{cert.Leaf}, Roots: []*x509.Certificate{w.ca.cert}, Name: "contoso.com",
		At: time.Now(), TLS: tls.VersionTLS13, Settings: map[string]string{"s2s_secure_auth": secure},
	})
}

func TestProsodyAsAcceptor(t *testing.T) {
	for name, issue := range prosodyCases {
		for _, secure := range []string{"true", "false"} {
			t.Run(name+"/s2s_secure_auth="+secure, func(t *testing.T) {
				w := prosodyWorld(t)
				w.prosody(t, secure)
				edge := w.server("edge", "contoso.com", "xmpp-strict-dialback", issue(w.ca)).allow(anyMethod)
				w.listen(edge) // Prosody verifies a dialback key there
				j := w.judge(t, policy.Acceptor, edge.cfg.Host.Certificate, secure)
				l := w.run(edge, &server{domain: "adatum.com"})
				method := ""
				if a := l.initiator.all(verdict.KindAuthenticated); len(a) > 0 {
					method = a[len(a)-1].Method
				}
				prosodyDid(t, l.err, method, j)
			})
		}
	}
}

func TestProsodyAsInitiator(t *testing.T) {
	for name, issue := range prosodyCases {
		for _, secure := range []string{"true", "false"} {
			t.Run(name+"/s2s_secure_auth="+secure, func(t *testing.T) {
				w := prosodyWorld(t)
				p := w.prosody(t, secure)
				edge := w.server("edge", "contoso.com", "xmpp-strict-dialback", issue(w.ca)).allow(anyMethod)
				w.listen(edge)
				conns := w.relay(t, netip.AddrPortFrom(w.net.Address("edge"), xmpp.Port))
				j := w.judge(t, policy.Initiator, edge.cfg.Host.Certificate, secure)
				bot(t, p.at)
				p.logged(t, decided)
				p.stop() // ends the stream, and so the Edge's record of it
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				rec, err := w.journal.Take(ctx, <-conns)
				check(t, err)
				l := leg{t: t, acceptor: events(rec.Events())}
				went := len(l.acceptor.all(verdict.KindAuthenticated)) > 0
				if refused := j.Outcome == verdict.OutcomeRejected; went == refused {
					t.Errorf("the policy says %s (%s), and by the Edge's evidence Prosody went on: %v\n%v", j.Outcome, j.Code, went, l)
				}
			})
		}
	}
}

// decided is how Prosody logs that an outgoing stream stands or is given up.
var decided = regexp.MustCompile(`Outgoing s2s connection \S+ complete|Outgoing s2s stream \S+ closed|s2s connection attempt failed`)

// prosodyDid compares what came of a leg with what the policy says.
func prosodyDid(t *testing.T, err error, method string, j verdict.Judgement) {
	t.Helper()
	want := map[verdict.Outcome]string{verdict.OutcomeTrusted: verdict.MethodExternal, verdict.OutcomeFallback: verdict.MethodDialback}[j.Outcome]
	if err != nil {
		method = ""
	}
	if method != want {
		t.Errorf("the policy says %s (%s), and the leg was authenticated by %q: %v", j.Outcome, j.Code, method, err)
	}
}

// relay makes contoso.com's SRV record lead to an address that passes everything on to the Edge, and tells the names of
// the Edge's side of each connection.
func (w *world) relay(t *testing.T, to netip.AddrPort) <-chan string {
	t.Helper()
	ln, err := net.Listen("tcp4", netip.AddrPortFrom(w.net.Address("relay"), 0).String())
	check(t, err)
	at := netip.MustParseAddrPort(ln.Addr().String())
	w.zone.SetA("relay.contoso.com", at.Addr())
	w.zone.SetSRV(dns.XMPPServer+".contoso.com", dns.Target{Host: "relay.contoso.com", Port: at.Port()})
	names := make(chan string, 16)
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			a, err := ln.Accept()
			if err != nil {
				return
			}
			b, err := w.net.Dial(t.Context(), "relay", to)
			if err != nil {
				_ = a.Close()
				return
			}
			select {
			case names <- verdict.ConnName(b.LocalAddr(), b.RemoteAddr()):
			default:
			}
			pass := func(dst, src net.Conn) {
				_, _ = io.Copy(dst, src)
				_, _ = dst.Close(), src.Close()
			}
			wg.Go(func() { pass(a, b) })
			wg.Go(func() { pass(b, a) })
		}
	})
	return names
}

// bot connects to Prosody as its component and pings contoso.com, so that Prosody has to open a stream there.
func bot(t *testing.T, prosody netip.Addr) {
	t.Helper()
	c, err := net.DialTimeout("tcp4", netip.AddrPortFrom(prosody, 5347).String(), 10*time.Second)
	check(t, err)
	t.Cleanup(func() { _ = c.Close() }) // not before: what an unconnected component has asked for isn't sent
	check(t, c.SetDeadline(time.Now().Add(time.Minute)))
	in := bufio.NewReader(c)
	until := func(mark string) string {
		var b strings.Builder
		for !strings.Contains(b.String(), mark) {
			r, err := in.ReadByte()
			if err != nil {
				t.Fatalf("the component's stream: %v after %q", err, b.String())
			}
			b.WriteByte(r)
		}
		return b.String()
	}
	_, err = io.WriteString(c, "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='bot.adatum.com'>")
	check(t, err)
	head := until("<stream:stream") + until(">")
	id := regexp.MustCompile(`id=['"]([^'"]+)['"]`).FindStringSubmatch(head)
	if id == nil {
		t.Fatalf("no stream ID in %q", head)
	}
	sum := sha1.Sum([]byte(id[1] + "secret")) // XEP-0114 §3
	_, err = fmt.Fprintf(c, "<handshake>%s</handshake>", hex.EncodeToString(sum[:]))
	check(t, err)
	until("<handshake/>")
	_, err = io.WriteString(c, "<iq from='bot.adatum.com' to='contoso.com' id='p1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
	check(t, err)
}

// anyMethod lets a partner be authenticated in every way.
var anyMethod = topology.Allowed{TLS: topology.Optional, SASL: topology.Optional, Dialback: true, KeepAlive: true}
