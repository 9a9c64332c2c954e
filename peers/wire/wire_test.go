package wire_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func certificate(t testing.TB, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func accept(wire.Presented) verdict.Judgement {
	return verdict.Judgement{Product: "test", Outcome: verdict.OutcomeTrusted, Code: verdict.Trusted}
}

func refuse(alert uint8) func(wire.Presented) verdict.Judgement {
	return func(wire.Presented) verdict.Judgement {
		return verdict.Judgement{
			Product: "test", Outcome: verdict.OutcomeRejected, Layer: verdict.TLS, Alert: alert, Code: verdict.ClientEKUMissing,
		}
	}
}

// pair makes one connection. Each side's function runs with its handshake's result.
func pair(t *testing.T, server, client wire.Config) (s, c *wire.Conn, sErr, cErr error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		raw, err := ln.Accept()
		if err != nil {
			sErr = err
			return
		}
		if s, sErr = wire.Server(ctx, raw, server); sErr != nil {
			return
		}
		buf := make([]byte, 64)
		n, err := s.Read(buf)
		if err != nil {
			sErr = err
			return
		}
		_, sErr = s.Write(buf[:n])
	}()
	raw, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, cErr = wire.Client(ctx, raw, client)
	if cErr == nil {
		if _, cErr = c.Write([]byte("hello")); cErr == nil {
			_, cErr = c.Read(make([]byte, 64))
		}
		if r := c.Refused(); r != nil {
			cErr = r
		}
		_ = c.Close()
	}
	<-done
	if s != nil {
		_ = s.Close()
	}
	return s, c, sErr, cErr
}

func records() (s, c *verdict.Record) {
	clock := verdict.NewClock()
	return verdict.NewRecord(verdict.Acceptor, "acceptor", "c", clock), verdict.NewRecord(verdict.Initiator, "initiator", "c", clock)
}

func kinds(r *verdict.Record) (out []verdict.Kind) {
	for _, e := range r.Events() {
		out = append(out, e.Kind)
	}
	return out
}

// The alert that the judge chooses is the one that the other side reads, in both roles and versions.
func TestRefusalCarriesTheChosenAlert(t *testing.T) {
	cert := certificate(t, "sip.contoso.com")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, alert := range []uint8{42, 43, 45, 48, 116} {
			t.Run(fmt.Sprintf("%s/acceptor/%d", tls.VersionName(version), alert), func(t *testing.T) {
				sr, cr := records()
				_, _, sErr, cErr := pair(t,
					wire.Config{Certificate: cert, Ask: true, Judge: refuse(alert), Record: sr, MinVersion: version, MaxVersion: version},
					wire.Config{Certificate: cert, Judge: accept, Record: cr})
				checkRefusal(t, alert, sErr, cErr, sr, cr)
			})
			t.Run(fmt.Sprintf("%s/initiator/%d", tls.VersionName(version), alert), func(t *testing.T) {
				sr, cr := records()
				_, _, sErr, cErr := pair(t,
					wire.Config{Certificate: cert, Judge: accept, Record: sr, MinVersion: version, MaxVersion: version},
					wire.Config{Certificate: cert, Judge: refuse(alert), Record: cr})
				checkRefusal(t, alert, cErr, sErr, cr, sr)
			})
		}
	}
}

func checkRefusal(t *testing.T, alert uint8, judge, judged error, judgeRec, judgedRec *verdict.Record) {
	t.Helper()
	var refused *wire.RefusedError
	if !errors.As(judge, &refused) {
		t.Errorf("the judging side's error is %v, want a RefusedError", judge)
	}
	var ae *wire.AlertError
	if !errors.As(judged, &ae) || ae.Alert != alert {
		t.Errorf("the judged side's error is %v, want alert %d", judged, alert)
	}
	var sent, received uint8
	for _, e := range judgeRec.Events() {
		if e.Kind == verdict.KindAlertSent {
			sent = e.Alert
		}
	}
	for _, e := range judgedRec.Events() {
		if e.Kind == verdict.KindAlertReceived {
			received = e.Alert
		}
	}
	if sent != alert || received != alert {
		t.Errorf("evidence: sent %d, received %d, want %d twice\n%v\n%v", sent, received, alert, kinds(judgeRec), kinds(judgedRec))
	}
}

// A twin of the above: the same connection, and a judge that doesn't mind.
func TestAcceptedConnectionShowsBothCertificates(t *testing.T) {
	sCert, cCert := certificate(t, "sip.contoso.com"), certificate(t, "sip.litware.com")
	sr, cr := records()
	s, c, sErr, cErr := pair(t,
		wire.Config{Certificate: sCert, Ask: true, Judge: accept, Record: sr},
		wire.Config{Certificate: cCert, Judge: accept, Record: cr, ServerName: "sip.contoso.com"})
	if sErr != nil || cErr != nil {
		t.Fatalf("acceptor %v, initiator %v", sErr, cErr)
	}
	if got := s.Presented().Chain[0].Subject.CommonName; got != "sip.litware.com" {
		t.Errorf("the acceptor was shown %s", got)
	}
	if got := c.Presented().Chain[0].Subject.CommonName; got != "sip.contoso.com" {
		t.Errorf("the initiator was shown %s", got)
	}
	if s.Presented().ServerName != "sip.contoso.com" {
		t.Errorf("SNI %q", s.Presented().ServerName)
	}
	for i, r := range []*verdict.Record{sr, cr} {
		var sent, seen int
		for _, e := range r.Events() {
			switch e.Kind {
			case verdict.KindCertSent:
				sent++
			case verdict.KindCertSeen:
				seen++
			}
		}
		if sent != 1 || seen != 1 {
			t.Errorf("record %d: %v", i, kinds(r))
		}
	}
}

// A certificate withheld is neither a refusal nor a time-out.
func TestWithheldCertificate(t *testing.T) {
	cert := certificate(t, "sip.contoso.com")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			sr, cr := records()
			judged := 0
			pair(t, wire.Config{Certificate: cert, Ask: true, Record: sr, MinVersion: version, MaxVersion: version, Judge: func(p wire.Presented) verdict.Judgement {
				judged++
				if len(p.Chain) != 0 {
					t.Errorf("shown %d certificates", len(p.Chain))
				}
				return refuse(116)(p)
			}}, wire.Config{Certificate: cert, Withhold: "the stack wants the client EKU", Record: cr})
			if judged != 1 {
				t.Errorf("judged %d times", judged)
			}
			if got := fmt.Sprint(kinds(sr)); !strings.Contains(got, string(verdict.KindNoCertSeen)) {
				t.Errorf("acceptor: %s", got)
			}
			if got := fmt.Sprint(kinds(cr)); !strings.Contains(got, string(verdict.KindCertWithheld)) {
				t.Errorf("initiator: %s", got)
			}
		})
	}
}

// OpenSSL reads the chosen alert too, under each TLS 1.3 cipher suite.
func TestOpenSSLReadsTheChosenAlert(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is needed in CI")
		}
		t.Skip("openssl isn't installed: apt-get install openssl")
	}
	cert := certificate(t, "sip.contoso.com")
	for _, suite := range []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} {
		t.Run(suite, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			done := make(chan error, 1)
			go func() {
				raw, err := ln.Accept()
				if err != nil {
					done <- err
					return
				}
				_, err = wire.Server(context.Background(), raw, wire.Config{Certificate: cert, Ask: true, Judge: refuse(43), Timeout: 10 * time.Second})
				done <- err
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, openssl, "s_client", "-connect", ln.Addr().String(), "-ciphersuites", suite, "-tls1_3")
			cmd.Dir = t.TempDir()
			stdin, err := cmd.StdinPipe() // held open: s_client leaves at the end of its input
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			out, _ := cmd.CombinedOutput() // it ends with an error, being refused
			if err := <-done; err == nil {
				t.Error("the server took it")
			}
			if !strings.Contains(string(out), "SSL alert number 43") {
				t.Errorf("openssl s_client read no alert 43:\n%s", out)
			}
		})
	}
}

// A peer that connects and says nothing is a time-out of the handshake phase.
func TestSilentPeer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	raw, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, cr := records()
	if _, err := wire.Client(context.Background(), raw, wire.Config{Record: cr, Timeout: 50 * time.Millisecond}); err == nil {
		t.Fatal("a handshake with nobody")
	}
	if got := fmt.Sprint(kinds(cr)); !strings.Contains(got, string(verdict.KindTimeout)) {
		t.Errorf("evidence: %s", got)
	}
}

// The key log reaches the caller whole, so that captures can be decrypted.
func TestKeyLog(t *testing.T) {
	cert := certificate(t, "sip.contoso.com")
	f, err := os.Create(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pair(t, wire.Config{Certificate: cert}, wire.Config{KeyLog: f})
	text, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} {
		if !strings.Contains(string(text), label) {
			t.Errorf("%s isn't in the key log", label)
		}
	}
}
