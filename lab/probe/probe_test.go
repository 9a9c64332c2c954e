package probe_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// certificate is a self-signed one; the probe judges nothing.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sip.contoso.com"}, DNSNames: []string{"sip.contoso.com"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0), // expired: that is for others to mind
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serve answers one connection and returns the address and what ends the listener.
func serve(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		answer(conn)
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	return ln.Addr().String()
}

// say reads until the peer has said a text, and answers.
func say(conn net.Conn, until, answer string) bool {
	var heard strings.Builder
	buf := make([]byte, 1)
	for !strings.Contains(heard.String(), until) {
		if _, err := conn.Read(buf); err != nil {
			return false
		}
		heard.Write(buf)
	}
	_, err := io.WriteString(conn, answer)
	return err == nil
}

const (
	head     = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>"
	features = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
	proceed  = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

// A server may want a certificate, as every federation port does, and end the handshake for want of one: its chain has
// been shown by then.
func TestChain(t *testing.T) {
	cert := certificate(t)
	handshake := func(cfg *tls.Config) func(net.Conn) {
		cfg.Certificates = []tls.Certificate{cert}
		return func(conn net.Conn) { _ = tls.Server(conn, cfg).Handshake() }
	}
	for name, tt := range map[string]struct {
		answer   func(net.Conn)
		startTLS probe.StartTLS
	}{
		"TLS 1.3":               {handshake(&tls.Config{}), probe.None},
		"TLS 1.0, CBC":          {handshake(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}), probe.None},
		"a certificate is due":  {handshake(&tls.Config{MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}), probe.None},
		"a certificate, TLS 13": {handshake(&tls.Config{ClientAuth: tls.RequireAnyClientCert}), probe.None},
		"XMPP": {func(conn net.Conn) {
			if say(conn, "to='contoso.com' version='1.0'>", head+features) && say(conn, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", proceed) {
				handshake(&tls.Config{})(conn)
			}
		}, probe.XMPP},
	} {
		t.Run(name, func(t *testing.T) {
			chain, err := probe.Chain(t.Context(), probe.Target{Address: serve(t, tt.answer), StartTLS: tt.startTLS, Name: "contoso.com"})
			if err != nil {
				t.Fatal(err)
			}
			if len(chain) != 1 || chain[0].Subject.CommonName != "sip.contoso.com" {
				t.Errorf("%v", chain)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		startTLS probe.StartTLS
		answer   func(net.Conn)
		want     string
	}{
		"no TLS":           {probe.None, func(c net.Conn) { say(c, "\x16", "HTTP/1.1 400 Bad Request\r\n\r\n") }, "TLS handshake"},
		"closes":           {probe.None, func(net.Conn) {}, "TLS handshake"},
		"no XMPP":          {probe.XMPP, func(c net.Conn) { say(c, "'1.0'>", "220 mail.contoso.com ESMTP\r\n") }, "unexpected EOF"},
		"another document": {probe.XMPP, func(c net.Conn) { say(c, "'1.0'>", "<html>") }, "no stream"},
		"no STARTTLS":      {probe.XMPP, func(c net.Conn) { say(c, "'1.0'>", head+"<stream:features/>") }, "doesn't offer STARTTLS"},
		"a stream error": {probe.XMPP, func(c net.Conn) {
			say(c, "'1.0'>", head+"<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
		}, "stream error host-unknown"},
		"closes the stream": {probe.XMPP, func(c net.Conn) { say(c, "'1.0'>", head+"</stream:stream>") }, "closed the stream"},
		"refuses": {probe.XMPP, func(c net.Conn) {
			say(c, "'1.0'>", head+features)
			say(c, "/>", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		}, "<failure/>"},
		"talks without end":  {probe.XMPP, func(c net.Conn) { say(c, "'1.0'>", head+"<stream:features>"+strings.Repeat("<a/>", 40_000)) }, "unexpected EOF"},
		"broken XML":         {probe.XMPP, func(c net.Conn) { say(c, "'1.0'>", head+"<stream:features></b>") }, "syntax error"},
		"proceeds and stops": {probe.XMPP, func(c net.Conn) { say(c, "'1.0'>", head+features); say(c, "/>", proceed) }, "TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, tt.answer)
			_, err := probe.Chain(t.Context(), probe.Target{Address: address, StartTLS: tt.startTLS, Name: "contoso.com"})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), address) {
				t.Errorf("%v, want %q and the address", err, tt.want)
			}
		})
	}
	if _, err := probe.Chain(t.Context(), probe.Target{Address: "contoso.com"}); err == nil || !strings.Contains(err.Error(), "missing port") {
		t.Errorf("an address without a port: %v", err)
	}
}

// Who waits can stop waiting.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := serve(t, func(c net.Conn) {
		if say(c, "'1.0'>", head) {
			cancel()
			_, _ = io.Copy(io.Discard, c)
		}
	})
	if _, err := probe.Chain(ctx, probe.Target{Address: address, StartTLS: probe.XMPP, Name: "contoso.com"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's end", err)
	}
}
