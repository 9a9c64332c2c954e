package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/scenarios"
)

// password is that of the PKCS#12 files that bought makes.
const password = "geheim"

// bought makes what a CA sells for the scenario source-deployment: NAME.pem (leaf and intermediate), NAME-root.pem,
// NAME-key.pem and NAME.pfx. What follows the name changes the order: eku=server,client, omit=NAME,
// intermediate=server, chain=leaf-only.
func bought(ts *testscript.TestScript, _ bool, args []string) {
	s, err := scenarios.LoadCatalogue("source-deployment", scenarios.Options{})
	ts.Check(err)
	order, err := s.Order(plan.External)
	ts.Check(err)
	for _, change := range args[1:] {
		key, value, _ := strings.Cut(change, "=")
		switch key {
		case "eku":
			order.EKUs = usageList(value)
		case "intermediate":
			order.IntermediateEKU = usageList(value)
		case "omit":
			var left []plan.Name
			for _, n := range order.SANs {
				if n.Value != value {
					left = append(left, n)
				}
			}
			order.SANs = left
		case "chain":
			order.Chain = value
		default:
			ts.Fatalf("bought: %q isn't something to change", key)
		}
	}
	set := ca.NewSet(ca.Options{Seed: 4711, At: s.At})
	defer set.Close()
	issued, err := set.Issue(context.Background(), ca.Public, order)
	ts.Check(err)
	root, err := set.Root(context.Background(), ca.Public)
	ts.Check(err)
	key, err := x509.MarshalPKCS8PrivateKey(issued.TLS.PrivateKey)
	ts.Check(err)
	chain, err := x509.ParseCertificates(bytes.Join(issued.TLS.Certificate, nil))
	ts.Check(err)
	pfx, err := pkcs12.Modern.Encode(issued.TLS.PrivateKey, chain[0], append(chain[1:], root), password)
	ts.Check(err)
	write := func(suffix string, data []byte) { ts.Check(os.WriteFile(ts.MkAbs(args[0]+suffix), data, 0o600)) }
	write(".pem", blocks("CERTIFICATE", issued.TLS.Certificate...))
	write("-root.pem", blocks("CERTIFICATE", root.Raw))
	write("-key.pem", blocks("PRIVATE KEY", key))
	write(".pfx", pfx)
}

func usageList(value string) (list []plan.Usage) {
	for u := range strings.SplitSeq(value, ",") {
		list = append(list, plan.Usage(u))
	}
	return list
}

func blocks(kind string, ders ...[]byte) (text []byte) {
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	return text
}

// listen shows the chain of NAME.pem to whoever connects, and puts the address into $ADDRESS: listen NAME [xmpp].
func listen(ts *testscript.TestScript, _ bool, args []string) {
	cert, err := tls.X509KeyPair([]byte(ts.ReadFile(args[0]+".pem")), []byte(ts.ReadFile(args[0]+"-key.pem")))
	ts.Check(err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			show(conn, cert, len(args) > 1 && args[1] == "xmpp")
		}
	}()
	ts.Defer(func() {
		_ = ln.Close()
		<-done
	})
	ts.Setenv("ADDRESS", ln.Addr().String())
}

// show makes one handshake. Like a federation port it wants a certificate, and doesn't get one.
func show(conn net.Conn, cert tls.Certificate, xmpp bool) {
	defer conn.Close()
	if xmpp {
		for _, x := range [][2]string{
			{"to='contoso.com' version='1.0'>", "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>" +
				"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"},
			{"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"},
		} {
			if !heard(conn, x[0]) {
				return
			}
			_, _ = io.WriteString(conn, x[1])
		}
	}
	_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}).Handshake()
}

// heard reads until the peer has said a text.
func heard(conn net.Conn, text string) bool {
	var all strings.Builder
	buf := make([]byte, 1)
	for !strings.Contains(all.String(), text) {
		if _, err := conn.Read(buf); err != nil {
			return false
		}
		all.Write(buf)
	}
	return true
}
