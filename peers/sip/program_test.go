package sip_test

import (
	"bufio"
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
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
)

// run starts a program whose standard error says when it is ready, and ends it with the test.
func run(t *testing.T, cmd *exec.Cmd, ready string) {
	t.Helper()
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	up, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		var once sync.Once
		for in := bufio.NewScanner(errs); in.Scan(); {
			log.WriteString(in.Text() + "\n")
			if strings.Contains(in.Text(), ready) {
				once.Do(func() { close(up) })
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-over
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", cmd.Path, log.String())
		}
	})
	select {
	case <-up:
	case <-over:
		t.Fatalf("%s ended at once:\n%s", cmd.Path, log.String())
	case <-time.After(30 * time.Second):
		t.Fatalf("%s isn't ready after 30 s", cmd.Path)
	}
}

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

// A relayed connection passes bytes between Kamailio, whose port nobody knows beforehand, and the Edge.
type relayed struct {
	conn  string // its name on the Edge's side
	close func()
}

func relay(t *testing.T, f *federation, to netip.AddrPort) (netip.AddrPort, <-chan relayed) {
	t.Helper()
	ln, err := net.Listen("tcp4", netip.AddrPortFrom(f.Net.Address("relay"), 0).String())
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan relayed, 1)
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	wg.Go(func() {
		a, err := ln.Accept()
		if err != nil {
			return
		}
		b, err := f.Net.Dial(t.Context(), "relay", to)
		if err != nil {
			t.Error(err)
			_ = a.Close()
			return
		}
		out <- relayed{verdict.ConnName(b.LocalAddr(), b.RemoteAddr()), func() { _ = a.Close(); _ = b.Close() }}
		pass := func(dst, src net.Conn) {
			_, _ = io.Copy(dst, src)
			_ = dst.(*net.TCPConn).CloseWrite()
		}
		var both sync.WaitGroup
		both.Go(func() { pass(a, b) })
		both.Go(func() { pass(b, a) })
		both.Wait()
		_, _ = a.Close(), b.Close()
	})
	return netip.MustParseAddrPort(ln.Addr().String()), out
}

func writeCertificate(t *testing.T, dir, name string, c *tls.Certificate) (cert, key string) {
	t.Helper()
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	var chain strings.Builder
	for _, b := range c.Certificate {
		chain.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b}))
	}
	write(t, cert, chain.String())
	return cert, key
}

func writeRoots(t *testing.T, dir string, roots []*x509.Certificate) string {
	t.Helper()
	var all strings.Builder
	for _, c := range roots {
		all.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	name := filepath.Join(dir, "roots.pem")
	write(t, name, all.String())
	return name
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePort returns a TCP port of addr that was free a moment ago.
func freePort(t *testing.T, addr netip.Addr) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp4", netip.AddrPortFrom(addr, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return netip.MustParseAddrPort(ln.Addr().String()).Port()
}
