package sip_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/sip/siptest"
)

// A partner's server that does its worst costs the Edge bounded memory and time, and the verdict says what happened: who
// stays silent or goes away gives no answer, whom this side's TLS or SIP can't take is refused, and what the lab itself
// can't do is the lab's.
func TestHostileServer(t *testing.T) {
	options := "OPTIONS sip:edgelab@contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS sip.litware.com;branch=z9hG4bK%d\r\n" +
		"From: <sip:edgelab@litware.com>;tag=1\r\nTo: <sip:edgelab@contoso.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
	for _, tt := range []struct {
		name string
		far  func(context.Context, *federation, net.Conn)
		want verdict.Code
		says string // part of the verdict's reason
	}{
		{"closes at once", func(context.Context, *federation, net.Conn) {}, verdict.NoAnswer, "during the TLS handshake"},
		{"closes in the middle of the handshake", func(_ context.Context, _ *federation, c net.Conn) {
			_, _ = io.ReadFull(c, make([]byte, 100))
			_, _ = c.Write([]byte{22, 3, 3, 0, 90, 2, 0})
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		}, verdict.NoAnswer, "during the TLS handshake"},
		{"resets", func(_ context.Context, _ *federation, c net.Conn) {
			_ = c.(*net.TCPConn).SetLinger(0)
		}, verdict.NoAnswer, "during the TLS handshake"},
		{"one byte at a time in the handshake", func(ctx context.Context, _ *federation, c net.Conn) {
			drip(ctx, c, []byte{22, 3, 3, 64, 0})
		}, verdict.NoAnswer, "handshake didn't end in time"},
		{"speaks HTTP", func(_ context.Context, _ *federation, c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		}, verdict.TLSRefused, "does not look like a TLS handshake"},
		{"has TLS 1.0 only", serve(tlsConfig(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }), nil),
			verdict.TLSRefused, "protocol_version"},
		{"shows an RSA key of 16384 bits", serve(oversized, nil), verdict.Inconclusive, "8192 bits"},
		{"shows a chain of 200", serve(longChain, nil), verdict.UntrustedRoot, ""},
		{"shows another domain's certificate", serve(otherDomain, nil), verdict.NameMismatch, "northwind"},
		{"closes in place of an answer", serve(tlsConfig(nil), func(_ context.Context, c *tls.Conn) {}), verdict.NoAnswer, "in place of an answer"},
		{"closes half", serve(tlsConfig(nil), func(_ context.Context, c *tls.Conn) {
			_ = c.CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		}), verdict.NoAnswer, "in place of an answer"},
		{"answers one byte at a time", serve(tlsConfig(nil), func(ctx context.Context, c *tls.Conn) {
			drip(ctx, c, []byte("SIP/2.0 200 OK\r\nVia: "))
		}), verdict.NoAnswer, "no answer to OPTIONS in time"},
		{"answers with a header of 100 MB", serve(tlsConfig(nil), func(_ context.Context, c *tls.Conn) {
			_, _ = io.WriteString(c, "SIP/2.0 200 OK\r\nVia: ")
			pour(c, 100<<20)
		}), verdict.ApplicationRefused, "isn't SIP"},
		{"answers with contradicting lengths", serve(tlsConfig(nil), func(_ context.Context, c *tls.Conn) {
			_, _ = io.WriteString(c, "SIP/2.0 200 OK\r\nContent-Length: 5\r\nContent-Length: 99999999\r\n\r\nhello and more than five\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		}), verdict.ApplicationRefused, "isn't SIP"},
		{"floods", serve(tlsConfig(nil), func(_ context.Context, c *tls.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for i := range 3000 {
				if _, err := fmt.Fprintf(c, options, i); err != nil {
					return
				}
			}
		}), verdict.Inconclusive, "more than a leg needs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFederation(t, "lync-2013")
			f.edge.Host.Timeouts.Handshake, f.edge.Host.Timeouts.Exchange = 20*time.Second, 20*time.Second
			switch {
			case strings.Contains(tt.says, "handshake didn't end in time"):
				f.edge.Host.Timeouts.Handshake = 300 * time.Millisecond
			case strings.Contains(tt.says, "in time"):
				f.edge.Host.Timeouts.Exchange = 300 * time.Millisecond
			}
			before := heap()
			r := f.against(tt.far)
			v := want(t, r, tt.want)
			if !strings.Contains(v.Reason, tt.says) {
				t.Errorf("reason %q, want %q in it", v.Reason, tt.says)
			}
			if grown := heap() - before; grown > 64<<20 {
				t.Errorf("%d MB more are in use", grown>>20)
			}
			if n := len(siptest.All(r.Initiator, verdict.KindExchanged)); n != 0 {
				t.Error("counts as an exchange")
			}
		})
	}
}

// heap returns how much memory is in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// drip sends first, and then one byte after the other until the other side has had enough.
func drip(ctx context.Context, c net.Conn, first []byte) {
	gone := make(chan struct{})
	go func() { defer close(gone); _, _ = io.Copy(io.Discard, c) }()
	_, err := c.Write(first)
	for ; err == nil; _, err = c.Write([]byte{'a'}) {
		select {
		case <-ctx.Done():
			return
		case <-gone:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// pour sends n bytes, or as many as the other side takes.
func pour(c io.Writer, n int) {
	for b := []byte(strings.Repeat("a", 16<<10)); n > 0; n -= len(b) {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// serve returns a partner that does TLS and then plays; nil: reads until the end.
func serve(config func(*federation) *tls.Config, play func(context.Context, *tls.Conn)) func(context.Context, *federation, net.Conn) {
	return func(ctx context.Context, f *federation, raw net.Conn) {
		c := tls.Server(raw, config(f))
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		if c.HandshakeContext(ctx) != nil {
			return
		}
		if play == nil {
			_, _ = io.Copy(io.Discard, c)
			return
		}
		_, _ = c.Read(make([]byte, 1))
		play(ctx, c)
	}
}

func tlsConfig(edit func(*tls.Config)) func(*federation) *tls.Config {
	return func(f *federation) *tls.Config {
		c := &tls.Config{Certificates: []tls.Certificate{*f.partner.Host.Certificate}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
		if edit != nil {
			edit(c)
		}
		return c
	}
}

// oversized is a certificate for a key of 16384 bits, which nobody needs to have: its length alone is looked at.
func oversized(f *federation) *tls.Config {
	n := new(big.Int).SetBit(new(big.Int).SetBit(big.NewInt(1), 16383, 1), 8000, 1)
	ca := f.private
	der := ca.Sign(&x509.Certificate{
		SerialNumber: big.NewInt(99), Subject: pkix.Name{CommonName: "sip.litware.com"}, DNSNames: []string{"sip.litware.com"},
		NotBefore: siptest.Now.AddDate(-1, 0, 0), NotAfter: siptest.Now.AddDate(1, 0, 0),
	}, &rsa.PublicKey{N: n, E: 65537})
	return tlsConfig(func(c *tls.Config) {
		c.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: f.partner.Host.Certificate.PrivateKey}}
	})(f)
}

// longChain is 200 certificates, each issued by the next, of which the last one's issuer is nobody's.
func longChain(f *federation) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.T.Error(err)
	}
	const length = 200
	c := tls.Certificate{PrivateKey: key}
	for i := range length {
		t := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: fmt.Sprintf("CA %d", i)}, IsCA: i > 0, BasicConstraintsValid: true,
			NotBefore: siptest.Now.AddDate(-1, 0, 0), NotAfter: siptest.Now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if i == 0 {
			t.Subject.CommonName, t.DNSNames = "sip.litware.com", []string{"sip.litware.com"}
			t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		}
		issuer := &x509.Certificate{Subject: pkix.Name{CommonName: fmt.Sprintf("CA %d", i+1)}}
		der, err := x509.CreateCertificate(rand.Reader, t, issuer, key.Public(), key)
		if err != nil {
			f.T.Error(err)
		}
		c.Certificate = append(c.Certificate, der)
	}
	return tlsConfig(func(t *tls.Config) { t.Certificates = []tls.Certificate{c} })(f)
}

func otherDomain(f *federation) *tls.Config {
	return tlsConfig(func(c *tls.Config) {
		c.Certificates = []tls.Certificate{*f.private.Issue(siptest.Leaf{CN: "sip.northwind.example"})}
	})(f)
}
