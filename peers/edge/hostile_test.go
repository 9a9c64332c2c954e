package edge_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/peers/sip"
	"github.com/edgelab/edgelab/peers/sip/siptest"
)

// An attack is what a hostile partner does with one connection. It returns when the Edge has had enough, or when it has
// done its worst.
type attack func(ctx context.Context, d *deployment, c net.Conn)

// doors are the ports of the Edge that take TLS.
func (d *deployment) doors() map[string]netip.AddrPort {
	at := func(place string, port uint16) netip.AddrPort { return netip.AddrPortFrom(d.Net.Address(place), port) }
	return map[string]netip.AddrPort{
		"federation":      at("edge", sip.FederationPort),
		"users":           at("edge", sip.UserPort),
		"MRAS":            at(edge.InternalInterface, edge.MRASPort),
		"web conferences": at(edge.WebConfInterface, edge.WebConfPort),
	}
}

// Whatever a hostile partner does at any door, a leg that runs at the same time works, memory stays bounded, nobody is let
// in, and the acceptor's evidence says what happened.
func TestHostileClient(t *testing.T) {
	for name, tt := range map[string]struct {
		do   attack
		kind verdict.Kind
		says string
	}{
		"says nothing": {func(context.Context, *deployment, net.Conn) {}, verdict.KindConnectionLost, "during the TLS handshake"},
		"closes in the middle of a hello": {func(_ context.Context, _ *deployment, c net.Conn) {
			_, _ = c.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03"))
		}, verdict.KindConnectionLost, "during the TLS handshake"},
		"resets": {func(_ context.Context, _ *deployment, c net.Conn) {
			_, _ = c.Write([]byte("\x16\x03\x01\x02\x00"))
			_ = c.(*net.TCPConn).SetLinger(0)
		}, verdict.KindConnectionLost, "during the TLS handshake"},
		"speaks SIP without TLS": {func(_ context.Context, _ *deployment, c net.Conn) {
			_, _ = io.WriteString(c, "OPTIONS sip:edgelab@contoso.com SIP/2.0\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		}, verdict.KindRefused, "does not look like a TLS handshake"},
		"100 MB of nonsense": {func(_ context.Context, _ *deployment, c net.Conn) { pour(c, 100<<20) }, verdict.KindRefused, "TLS"},
		"asks for TLS 1.0": {func(ctx context.Context, _ *deployment, c net.Conn) {
			_ = tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}).HandshakeContext(ctx)
		}, verdict.KindRefused, "unsupported versions"},
		"a handshake message of 16 MB": {func(_ context.Context, _ *deployment, c net.Conn) {
			_, _ = c.Write([]byte("\x16\x03\x01\x40\x00\x01\xff\xff\xff"))
			pour(c, 1<<20)
		}, verdict.KindRefused, "exceeds maximum"},
	} {
		for door := range (&deployment{World: &siptest.World{Net: someNet(t)}}).doors() {
			t.Run(name+" at "+door, func(t *testing.T) {
				d := newDeployment(t)
				e := d.start()
				events := d.attacked(e, door, tt.do)
				found := siptest.All(events, tt.kind)
				if len(found) != 1 || !strings.Contains(found[0].Text, tt.says) {
					t.Errorf("evidence %+v, want one %s with %q in it", events, tt.kind, tt.says)
				}
			})
		}
	}
}

func someNet(t *testing.T) *peers.Net {
	n, err := peers.NewNet(netip.MustParseAddr("127.79.9.0"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// attacked lets mallory do her worst at a door while a leg runs, and returns the Edge's evidence of her connection.
func (d *deployment) attacked(e *edge.Edge, door string, do attack) []verdict.Event {
	t := d.T
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	before := heap()
	c, err := d.Net.Dial(ctx, "mallory", d.Net.Bound(d.doors()[door]))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	done := make(chan struct{})
	go func() { defer close(done); do(ctx, d, c) }()
	r := d.Run("edge", func(ctx context.Context, rec *verdict.Record) error {
		return e.CallPartner(ctx, "contoso.com", "litware.com", rec)
	})
	if r.Err != nil {
		t.Errorf("a leg at the same time: %v", r.Err)
	}
	if v := verdict.Draw(verdict.Evidence{Events: append(r.Initiator, r.Acceptor...)}); v.Code != verdict.Trusted {
		t.Errorf("a leg at the same time is %s: %s", v.Code, v.Reason)
	}
	<-done
	_ = c.Close()
	rec, err := d.Journal.Take(ctx, verdict.ConnName(c.LocalAddr(), c.RemoteAddr()))
	if err != nil {
		t.Fatal(err)
	}
	events := rec.Events()
	for _, kind := range []verdict.Kind{verdict.KindAuthenticated, verdict.KindExchanged, verdict.KindHarness} {
		if len(siptest.All(events, kind)) != 0 {
			t.Errorf("evidence of the attack has %s: %+v", kind, events)
		}
	}
	if grown := heap() - before; grown > 64<<20 {
		t.Errorf("%d MB more are in use", grown>>20)
	}
	return events
}

// Behind the handshake, at the federation port, as somebody whose certificate is good or isn't.
func TestHostileClientInsideTLS(t *testing.T) {
	const request = "OPTIONS sip:edgelab@contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS sip.litware.com;branch=z9hG4bK1\r\nFrom: <sip:edgelab@litware.com>;tag=1\r\nTo: <sip:edgelab@contoso.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
	for name, tt := range map[string]struct {
		says func(c *tls.Conn)
		kind verdict.Kind
		text string
	}{
		"half-closes":        {func(c *tls.Conn) { _ = c.CloseWrite() }, verdict.KindClosed, "closed the connection"},
		"half a request":     {func(c *tls.Conn) { _, _ = io.WriteString(c, request[:60]); _ = c.CloseWrite() }, verdict.KindClosed, "closed the connection"},
		"a header of 100 MB": {func(c *tls.Conn) { _, _ = io.WriteString(c, request+"X: "); pour(c, 100<<20) }, verdict.KindRefused, "isn't SIP"},
		"contradicting lengths": {func(c *tls.Conn) {
			_, _ = io.WriteString(c, request+"Content-Length: 3\r\nContent-Length: 99999999\r\n\r\nabcdefghi")
		}, verdict.KindRefused, "isn't SIP"},
		"a negative length": {func(c *tls.Conn) { _, _ = io.WriteString(c, request+"Content-Length: -5\r\n\r\nabcdefghi") }, verdict.KindRefused, "isn't SIP"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t)
			e := d.start()
			events := d.attacked(e, "federation", func(ctx context.Context, d *deployment, raw net.Conn) {
				c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{*d.partner.Certificate}})
				if err := c.HandshakeContext(ctx); err != nil {
					t.Error(err)
					return
				}
				tt.says(c)
				_, _ = io.Copy(io.Discard, c)
			})
			found := siptest.All(events, tt.kind)
			if len(found) != 1 || !strings.Contains(found[0].Text, tt.text) {
				t.Errorf("evidence %+v, want one %s with %q in it", events, tt.kind, tt.text)
			}
		})
	}
}

// What is slow is ended in the time of its phase, at every door, and counts as late and not as a refusal.
func TestSlowClient(t *testing.T) {
	for door := range (&deployment{World: &siptest.World{Net: someNet(t)}}).doors() {
		t.Run(door, func(t *testing.T) {
			d := newDeployment(t)
			for _, h := range []*peers.Host{d.external, d.inside} {
				h.Timeouts.Handshake = 300 * time.Millisecond
			}
			d.start()
			c, err := d.Net.Dial(t.Context(), "mallory", d.Net.Bound(d.doors()[door]))
			if err != nil {
				t.Fatal(err)
			}
			for sent := []byte("\x16\x03\x01\x40\x00"); err == nil; sent = []byte{1} {
				_, err = c.Write(sent)
				time.Sleep(10 * time.Millisecond)
			}
			_ = c.Close()
			rec, err := d.Journal.Take(t.Context(), verdict.ConnName(c.LocalAddr(), c.RemoteAddr()))
			if err != nil {
				t.Fatal(err)
			}
			if late := siptest.All(rec.Events(), verdict.KindTimeout); len(late) != 1 || !strings.Contains(late[0].Text, "handshake") {
				t.Errorf("evidence %+v, want one time-out of the handshake", rec.Events())
			}
			if no := siptest.All(rec.Events(), verdict.KindRefused); len(no) != 0 {
				t.Errorf("refusals %+v", no)
			}
		})
	}
}

// Inside TLS one byte after the other earns no more time than silence.
func TestSlowRequest(t *testing.T) {
	d := newDeployment(t)
	d.external.Timeouts.Exchange = 500 * time.Millisecond
	d.start()
	raw, err := d.Net.Dial(t.Context(), "mallory", d.doors()["federation"])
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{*d.partner.Certificate}})
	for text := "OPTIONS sip:"; err == nil; text = "a" {
		_, err = io.WriteString(c, text)
		time.Sleep(10 * time.Millisecond)
	}
	_ = raw.Close()
	rec, err := d.Journal.Take(t.Context(), verdict.ConnName(raw.LocalAddr(), raw.RemoteAddr()))
	if err != nil {
		t.Fatal(err)
	}
	if late := siptest.All(rec.Events(), verdict.KindTimeout); len(late) != 1 {
		t.Errorf("evidence %+v, want one time-out", rec.Events())
	}
}

// Asking without reading the answers ends with the acceptor's patience.
func TestNeverReads(t *testing.T) {
	d := newDeployment(t)
	d.external.Timeouts.Exchange = time.Second
	d.start()
	raw, err := d.Net.Dial(t.Context(), "mallory", d.doors()["federation"])
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.(*net.TCPConn).SetReadBuffer(1024)
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{*d.partner.Certificate}})
	for i := 0; err == nil; i++ {
		_, err = fmt.Fprintf(c, "OPTIONS sip:edgelab@contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS sip.litware.com;branch=z9hG4bK%d\r\nFrom: <sip:edgelab@litware.com>;tag=1\r\nTo: <sip:edgelab@contoso.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", i)
	}
	_ = raw.Close()
	rec, err := d.Journal.Take(t.Context(), verdict.ConnName(raw.LocalAddr(), raw.RemoteAddr()))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(rec.Events()); n > verdict.MaxEvents {
		t.Errorf("%d events are kept", n)
	}
}

// A flood of connections from one address is cut off at the bound, which the lab doesn't take for anybody's refusal; other
// addresses are served.
func TestConnectionFlood(t *testing.T) {
	d := newDeployment(t)
	d.start()
	at := d.doors()["federation"]
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range peers.MaxPerSource {
		c, err := d.Net.Dial(t.Context(), "mallory", at)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	over, err := d.Net.Dial(t.Context(), "mallory", at)
	if err != nil {
		t.Fatal(err)
	}
	conns = append(conns, over)
	if _, err := io.Copy(io.Discard, over); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	rec, err := d.Journal.Take(t.Context(), verdict.ConnName(over.LocalAddr(), over.RemoteAddr()))
	if err != nil {
		t.Fatal(err)
	}
	if v := verdict.Draw(verdict.Evidence{Events: rec.Events()}); v.Code != verdict.Inconclusive || !strings.Contains(v.Fault, "connections from") {
		t.Errorf("a connection too many is %s: %s", v.Code, v.Reason)
	}
	r := d.Run("litware", func(ctx context.Context, rec *verdict.Record) error {
		return sip.Call(ctx, edge.Partner(d.topology, d.topology.Partners[0], d.partner), sip.Leg{From: "litware.com", To: "contoso.com", Record: rec})
	})
	want(t, r, verdict.Trusted)
}

// The relay gives up on what is no TURN, or would keep pion busy for ever, and goes on serving.
func TestHostileTURN(t *testing.T) {
	for name, says := range map[string]string{
		"a message of no length in 16 bits": "\x00\x01\xff\xec\x21\x12\xa4\x42" + strings.Repeat("i", 12),
		"HTTP":                              "GET / HTTP/1.1\r\n\r\n",
		"half a message":                    "\x00\x03\x00\x08\x21\x12\xa4\x42iiii",
		"nothing":                           "",
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t)
			d.inside.Timeouts.Exchange = 2 * time.Second
			d.start()
			c, err := d.Net.Dial(t.Context(), "mallory", netip.AddrPortFrom(d.Net.Address(edge.AVInterface), edge.AVPort))
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			_, _ = io.WriteString(c, says)
			if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("the relay doesn't hang up: %v", err)
			}
			_ = c.Close()
			want(t, d.Run("next-hop", func(ctx context.Context, rec *verdict.Record) error {
				return edge.Allocate(ctx, d.nextHop, d.topology, rec)
			}), verdict.Trusted)
		})
	}
}

// OpenSSL asks for a renegotiation; the Edge ends TLS and says so.
func TestRenegotiation(t *testing.T) {
	needs(t, "openssl")
	d := newDeployment(t)
	e := d.start()
	dir := t.TempDir()
	cert, key := pair(t, dir, d.partner.Certificate)
	events := d.attacked(e, "federation", func(ctx context.Context, _ *deployment, c net.Conn) {
		ln, err := d.Net.Listen(ctx, "relay", 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = ln.Close() }()
		cmd := exec.CommandContext(ctx, "openssl", "s_client", "-connect", ln.Addr().String(), "-tls1_2", "-legacy_renegotiation",
			"-servername", "sip.contoso.com", "-cert", cert, "-key", key)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Error(err)
			return
		}
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		local, err := ln.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = local.Close() }()
		_, _ = io.WriteString(in, "R\n")
		go func() { _, _ = io.Copy(c, local) }()
		_, _ = io.Copy(local, c)
		_ = local.Close()
		_ = in.Close()
		_ = cmd.Wait()
		if !strings.Contains(out.String(), "RENEGOTIATING") {
			t.Errorf("openssl didn't ask: %s", out.String())
		}
	})
	if no := siptest.All(events, verdict.KindRefused); len(no) != 1 || !strings.Contains(no[0].Text, "ends TLS") {
		t.Errorf("evidence %+v, want that TLS was ended", events)
	}
}

// A client certificate with an RSA key of 16384 bits is beyond the lab's TLS, which isn't put down to the product.
func TestOversizedClientKey(t *testing.T) {
	d := newDeployment(t)
	d.start()
	raw, err := d.Net.Dial(t.Context(), "mallory", d.doors()["federation"])
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{oversized(t, d)}})
	if c.HandshakeContext(t.Context()) == nil {
		_, _ = io.Copy(io.Discard, c)
	}
	_ = raw.Close()
	rec, err := d.Journal.Take(t.Context(), verdict.ConnName(raw.LocalAddr(), raw.RemoteAddr()))
	if err != nil {
		t.Fatal(err)
	}
	if v := verdict.Draw(verdict.Evidence{Events: rec.Events()}); v.Code != verdict.Inconclusive || !strings.Contains(v.Fault, "8192 bits") {
		t.Errorf("the leg is %s: %s", v.Code, v.Reason)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func pour(c io.Writer, n int) {
	for b := []byte(strings.Repeat("a", 16<<10)); n > 0; n -= len(b) {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// oversized is a certificate for a key of 16384 bits, which nobody needs to have: its length alone is looked at.
func oversized(t *testing.T, d *deployment) tls.Certificate {
	t.Helper()
	n := new(big.Int).SetBit(new(big.Int).SetBit(big.NewInt(1), 16383, 1), 8000, 1)
	der := d.public.Sign(&x509.Certificate{
		SerialNumber: big.NewInt(99), Subject: pkix.Name{CommonName: "sip.litware.com"}, DNSNames: []string{"sip.litware.com"},
		NotBefore: siptest.Now.AddDate(-1, 0, 0), NotAfter: siptest.Now.AddDate(1, 0, 0),
	}, &rsa.PublicKey{N: n, E: 65537})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: d.partner.Certificate.PrivateKey}
}
