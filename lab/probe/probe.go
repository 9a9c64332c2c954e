// Package probe reads the certificate chain that a live endpoint shows. It is the one package that connects to what
// isn't the lab's own, and it does so only when it is called: nothing is judged, no message is sent beyond what it
// takes to get to the handshake, and the connection is closed after it.
package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// A StartTLS says what is spoken before the handshake.
type StartTLS string

// What can be spoken.
const (
	None StartTLS = "none" // TLS from the first byte: SIP over TLS
	XMPP StartTLS = "xmpp" // the server-to-server stream of RFC 6120 and its <starttls/>
)

// A Target is the endpoint to ask.
type Target struct {
	Address  string // host:port
	StartTLS StartTLS
	// Name is the server name of the handshake, and with XMPP the domain of the stream; empty: the host.
	Name string
	// Timeout bounds the whole of it; 0: DefaultTimeout.
	Timeout time.Duration
}

// DefaultTimeout is enough for a connection around the world.
const DefaultTimeout = 20 * time.Second

// Chain connects to a target and returns the certificates that it sends, as it sends them. A handshake that fails after
// that, because the server wants a certificate or for any other reason, is no error: the chain was shown. The error
// names the address and the phase.
func Chain(ctx context.Context, t Target) ([]*x509.Certificate, error) {
	if t.Timeout == 0 {
		t.Timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	host, _, err := net.SplitHostPort(t.Address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Address, err)
	}
	if t.Name == "" {
		t.Name = host
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, err // names the operation and the address
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Address, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if t.StartTLS == XMPP {
		if err := startXMPP(conn, t.Name); err != nil {
			return nil, ended(ctx, fmt.Errorf("%s: XMPP STARTTLS for %s: %w", t.Address, t.Name, err))
		}
	}
	chain, err := handshake(ctx, conn, t.Name)
	if err != nil {
		return nil, ended(ctx, fmt.Errorf("%s: TLS handshake: %w", t.Address, err))
	}
	return chain, nil
}

// ended prefers the caller's end to what it led to.
func ended(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return err
}

// handshake returns what the server shows. Every version and suite that Go has is offered: an old server's chain is
// as good as a new one's.
func handshake(ctx context.Context, conn net.Conn, name string) (chain []*x509.Certificate, err error) {
	var unreadable error
	cfg := &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // what it shows is judged elsewhere
		MinVersion:         tls.VersionTLS10,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error { //nolint:gosec // no session is kept, so none is resumed
			for _, der := range raw {
				c, err := x509.ParseCertificate(der)
				if err != nil {
					unreadable = err
					return err
				}
				chain = append(chain, c)
			}
			return nil
		},
	}
	for _, suites := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, s := range suites {
			cfg.CipherSuites = append(cfg.CipherSuites, s.ID)
		}
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err != nil {
		cfg.ServerName = name // an address is no server name (RFC 6066 §3)
	}
	err = tls.Client(conn, cfg).HandshakeContext(ctx)
	switch {
	case unreadable != nil:
		return nil, fmt.Errorf("the server's certificate can't be read: %w", unreadable)
	case len(chain) > 0:
		return chain, nil
	case err == nil:
		return nil, errors.New("the server shows no certificate")
	}
	return nil, err
}
