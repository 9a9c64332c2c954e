package conformance

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"
)

const openssl = "/usr/bin/openssl"

func opensslSetups() []setup {
	crl := map[string]string{"crl_check": "yes"}
	return []setup{
		{role: Acceptor, start: startSServer(storePath)},
		{role: Acceptor, settings: crl, start: startSServer(crlPath, "-crl_check"), only: aboutRevocation},
		{role: Initiator, start: startSClient(storePath)},
		{role: Initiator, settings: crl, start: startSClient(crlPath, "-crl_check"), only: aboutRevocation},
	}
}

// aboutRevocation keeps the variants that say something where CRLs are checked.
func aboutRevocation(v Variant) bool {
	return v.Group == "special" || v.Group == "crl" || v.Name == "eku-both"
}

// sServer is openssl s_server as acceptor: it demands a certificate and refuses one that doesn't verify. It takes one
// connection after the other and answers a line with the line reversed.
type sServer struct {
	*bench
	args []string
	p    *process
}

const sServerAddr = "127.0.0.1:4433"

func startSServer(store string, extra ...string) func(context.Context, *bench) (session, error) {
	return func(ctx context.Context, b *bench) (session, error) {
		s := &sServer{bench: b, args: append([]string{openssl, "s_server", "-accept", sServerAddr, "-cert", certPath,
			"-cert_chain", certPath, "-key", keyPath, "-CAfile", store, "-Verify", "9", "-verify_return_error", "-rev"}, extra...)}
		return s, s.restart(ctx)
	}
}

func (s *sServer) restart(ctx context.Context) (err error) {
	if s.p, err = s.Start(ctx, s.args...); err != nil {
		return err
	}
	_, err = s.p.Expect(ctx, 0, regexp.MustCompile("ACCEPT"))
	return err
}

func (s *sServer) judged(*Credential) string { return "" }
func (s *sServer) stop()                     { s.p.Stop() }

func (s *sServer) probe(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	mark := s.p.Mark()
	o, err := present(ctx, s.Dial, sServerAddr, c, version, "abc\n", "cba")
	if err != nil || o.Outcome == Trusted {
		return o, err
	}
	o.Detail = opensslReason(ctx, s.p, mark, o.Detail)
	select {
	case <-s.p.done:
		return o, s.restart(ctx)
	default:
		return o, nil
	}
}

var (
	opensslFailed = regexp.MustCompile(`[0-9A-F]{8,}:error:[0-9A-F]+:[^:\n]*:[^:\n]*:([^:\n]+):`)
	opensslVerify = regexp.MustCompile(`verify error:num=\d+:([^\n]+)\n`)
)

// opensslReason returns the first reason that OpenSSL gives in its log, which may lag behind the wire.
func opensslReason(ctx context.Context, p *process, mark int, otherwise string) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	failed, err := p.Expect(ctx, mark, opensslFailed)
	if m := opensslVerify.FindStringSubmatch(p.Log(mark)); m != nil {
		return strings.TrimSpace(m[1])
	}
	if err != nil {
		return otherwise
	}
	return strings.TrimSpace(failed[1])
}

// sClient is openssl s_client as initiator: it verifies chain and host name and refuses what doesn't verify.
type sClient struct {
	*bench
	store string
	extra []string
}

func startSClient(store string, extra ...string) func(context.Context, *bench) (session, error) {
	return func(_ context.Context, b *bench) (session, error) {
		return &sClient{bench: b, store: store, extra: extra}, nil
	}
}

func (s *sClient) judged(c *Credential) string { return c.Name }
func (s *sClient) stop()                       {}

func (s *sClient) probe(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	return answerOne(ctx, s.sandbox, c, version, func(addr string) (*process, error) {
		argv := []string{openssl, "s_client", "-connect", addr, "-CAfile", s.store, "-verify", "9", "-verify_return_error",
			"-verify_hostname", c.Name, "-brief"}
		if sni := asciiName(c.Name); sni != "" {
			argv = append(argv, "-servername", sni)
		} else {
			argv = append(argv, "-noservername")
		}
		return s.Start(ctx, append(argv, s.extra...)...)
	}, func(p *process, o Observation) string { return opensslReason(ctx, p, 0, o.Detail) })
}

// answerOne listens, lets start bring up a client that connects, shows it c and waits for what the client makes of
// it. The client must send a line once it trusts.
func answerOne(ctx context.Context, s *sandbox, c *Credential, version uint16, start func(addr string) (*process, error),
	reason func(*process, Observation) string) (Observation, error) {
	l, err := s.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = l.Close() }()
	p, err := start(l.Addr().String())
	if err != nil {
		return Observation{}, err
	}
	defer p.Stop()
	if err := p.Say("hello"); err != nil {
		return Observation{}, fmt.Errorf("client: %w", err)
	}
	o, err := answer(ctx, l, c, version, "hello")
	if err != nil {
		return o, fmt.Errorf("%w; the client's last words: %s", err, tail(p.Log(0)))
	}
	if o.Outcome != Trusted {
		o.Detail = reason(p, o)
	}
	return o, nil
}

// answer accepts one connection, shows c and waits for a line that contains expect.
func answer(ctx context.Context, l net.Listener, c *Credential, version uint16, expect string) (Observation, error) {
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		if err := d.SetDeadline(time.Now().Add(patience)); err != nil {
			return Observation{}, err
		}
	}
	raw, err := l.Accept()
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = raw.Close() }()
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return Observation{}, err
	}
	tap := &alertTap{Conn: raw}
	conn := tls.Server(tap, serverConfig(c, version, tls.NoClientCert))
	if err := conn.HandshakeContext(ctx); err != nil {
		return refusedOr(err, tap)
	}
	return converse(conn, tap, "", expect)
}
