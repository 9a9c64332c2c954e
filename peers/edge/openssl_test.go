package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/netip"
	"os"
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

// needs skips a test whose program isn't there, except where everything has to be.
func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s isn't installed, and CI must run this test: %v", program, err)
		}
		t.Skipf("needs %s, which isn't installed", program)
	}
}

// openssl s_client, with nothing of the lab in it, is let in or refused by the Access Edge as the verdict says.
func TestOpenSSLClient(t *testing.T) {
	needs(t, "openssl")
	d := newDeployment(t)
	d.external.Now = time.Now
	d.start()
	at := netip.AddrPortFrom(d.Net.Address("edge"), sip.FederationPort)
	certs := map[string]*tls.Certificate{
		"good":         d.public.Issue(siptest.Leaf{CN: "sip.litware.com"}),
		"another name": d.public.Issue(siptest.Leaf{CN: "edge.litware.com"}),
		"expired":      d.public.Issue(siptest.Leaf{CN: "sip.litware.com", NotAfter: siptest.Now.AddDate(1, 0, 0)}),
		"none":         nil,
	}
	for name, want := range map[string]struct {
		reply string // the first line of the answer
		code  verdict.Code
		alert string // in OpenSSL's words
	}{
		"good":         {reply: "SIP/2.0 200 OK", code: verdict.Trusted},
		"another name": {reply: "SIP/2.0 504 Server time-out", code: verdict.NameMismatch},
		"expired":      {code: verdict.Expired, alert: "certificate expired"},
		"none":         {code: verdict.NoClientCert, alert: "handshake failure"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			local, conn := between(t, d, at)
			args := []string{"s_client", "-connect", local, "-servername", "sip.contoso.com", "-CAfile", roots(t, dir, d.public.Cert),
				"-verify_return_error", "-verify_hostname", "sip.contoso.com", "-quiet", "-no_ign_eof"}
			if c := certs[name]; c != nil {
				cert, key := pair(t, dir, c)
				args = append(args, "-cert", cert, "-key", key)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, "openssl", args...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var errs bytes.Buffer
			cmd.Stderr = &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(in, "OPTIONS sip:edgelab@contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS sip.litware.com;branch=z9hG4bK1\r\n"+
				"From: <sip:edgelab@litware.com>;tag=1\r\nTo: <sip:edgelab@contoso.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
			reply, _ := bufio.NewReader(out).ReadString('\n')
			_ = in.Close()
			_ = cmd.Wait()
			if got := strings.TrimSpace(reply); got != want.reply {
				t.Errorf("answer %q, want %q; openssl said %s", got, want.reply, errs.String())
			}
			if !strings.Contains(errs.String(), want.alert) {
				t.Errorf("openssl said %s, want %q", errs.String(), want.alert)
			}
			rec, err := d.Journal.Take(ctx, <-conn)
			if err != nil {
				t.Fatal(err)
			}
			if j := siptest.Judgement(t, rec.Events()); j == nil || j.Code != want.code {
				t.Errorf("judgement %+v, want %s", j, want.code)
			}
		})
	}
}

// The Edge as initiator is let in or refused by openssl s_server as the policy of that stack says, and speaks SIP with it.
func TestOpenSSLServer(t *testing.T) {
	needs(t, "openssl")
	d := newDeployment(t)
	d.external.Now = time.Now
	for name, leaf := range map[string]siptest.Leaf{
		"both EKUs":  {CN: "sip.contoso.com"},
		"server EKU": {CN: "sip.contoso.com", EKU: siptest.ServerEKU},
	} {
		t.Run(name, func(t *testing.T) {
			d.external.Certificate = d.public.Issue(leaf)
			port := serve(t, d)
			rec := verdict.NewRecord(verdict.Initiator, "edge", "", d.Journal.Clock())
			err := sip.Call(t.Context(), edgeConfig(d), sip.Leg{From: "contoso.com", To: "litware.com", Server: "sip.litware.com", Port: port, Record: rec})
			p, ok := d.Products.Product("openssl-3.0")
			if !ok {
				t.Fatal("no policy for OpenSSL 3.0")
			}
			j := p.Judge(policy.Question{Role: policy.Acceptor, Chain: []*x509.Certificate{d.external.Certificate.Leaf},
				Roots: []*x509.Certificate{d.public.Cert}, At: time.Now(), TLS: tls.VersionTLS12})
			if (err == nil) != (j.Outcome == verdict.OutcomeTrusted) {
				t.Errorf("error %v; the policy says %s", err, j.Code)
			}
			alerts := siptest.All(rec.Events(), verdict.KindAlertReceived)
			if j.Alert != 0 && (len(alerts) != 1 || alerts[0].Alert != j.Alert) {
				t.Errorf("alerts %+v, the policy says %d", alerts, j.Alert)
			}
		})
	}
}

func edgeConfig(d *deployment) sip.Config {
	return sip.Config{Host: d.external, Domains: d.topology.SIPDomains,
		Routing: sip.Routing{Partners: []sip.Partner{{Domain: "litware.com", Listing: topology.AllowedDomain}}}}
}

// serve runs openssl s_server as sip.litware.com and answers what it prints with 200.
func serve(t *testing.T, d *deployment) uint16 {
	t.Helper()
	dir := t.TempDir()
	cert, key := pair(t, dir, d.partner.Certificate)
	addr := d.Net.Address("litware").String()
	cmd := exec.CommandContext(t.Context(), "openssl", "s_server", "-accept", addr+":0", "-cert", cert, "-key", key,
		"-CAfile", roots(t, dir, d.public.Cert), "-Verify", "3", "-verify_return_error", "-naccept", "1", "-no_ign_eof")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	var port uint16
	for port == 0 {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("openssl s_server: %v", err)
		}
		if at, ok := strings.CutPrefix(strings.TrimSpace(line), "ACCEPT "); ok {
			port = netip.MustParseAddrPort(at).Port()
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var msg strings.Builder
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			method, _, request := strings.Cut(line, " sip:")
			switch {
			case request && (method == "OPTIONS" || method == "MESSAGE"):
				msg.Reset()
				msg.WriteString(line)
			case msg.Len() > 0 && strings.TrimSpace(line) == "":
				// The body, if there is one, is what comes next; nothing of it is needed for the answer.
				head := dropLength(msg.String()) + "Content-Length: 0\r\n\r\n"
				msg.Reset()
				if m, err := upstream.ParseMessage([]byte(head)); err == nil {
					_, _ = io.WriteString(in, upstream.NewResponseFromRequest(m.(*upstream.Request), 200, "OK", nil).String())
				}
			case msg.Len() > 0:
				msg.WriteString(line)
			}
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
	})
	return port
}

func dropLength(head string) string {
	var b strings.Builder
	for line := range strings.Lines(head) {
		if !strings.HasPrefix(line, "Content-Length:") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// between passes bytes from a client whose port nobody knows beforehand, so that the Edge's record of it can be found.
func between(t *testing.T, d *deployment, to netip.AddrPort) (string, <-chan string) {
	t.Helper()
	ln, err := net.Listen("tcp4", netip.AddrPortFrom(d.Net.Address("relay"), 0).String())
	if err != nil {
		t.Fatal(err)
	}
	conn, over := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(over)
		a, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = a.Close() }()
		b, err := d.Net.Dial(t.Context(), "relay", to)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = b.Close() }()
		conn <- verdict.ConnName(b.LocalAddr(), b.RemoteAddr())
		back := make(chan struct{})
		go func() {
			defer close(back)
			_, _ = io.Copy(a, b)
			_ = a.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(b, a)
		_ = b.(*net.TCPConn).CloseWrite()
		<-back
	}()
	t.Cleanup(func() { _ = ln.Close(); <-over })
	return ln.Addr().String(), conn
}

func pair(t *testing.T, dir string, c *tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pemFile(t, dir, "CERTIFICATE", c.Certificate[0]), pemFile(t, dir, "PRIVATE KEY", der)
}

func roots(t *testing.T, dir string, c *x509.Certificate) string {
	return pemFile(t, dir, "CERTIFICATE", c.Raw)
}

func pemFile(t *testing.T, dir, kind string, der []byte) string {
	t.Helper()
	f, err := os.CreateTemp(dir, "*.pem")
	if err != nil {
		t.Fatal(err)
	}
	if err := pem.Encode(f, &pem.Block{Type: kind, Bytes: der}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Clean(f.Name())
}
