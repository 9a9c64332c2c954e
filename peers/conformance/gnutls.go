package conformance

import (
	"context"
	"net"
	"regexp"
	"strings"
	"time"
)

// gnutlsSetups measure gnutls-serv and gnutls-cli. Before 3.8.13 gnutls-serv doesn't say for which purpose it verifies.
func gnutlsSetups(purpose bool) func() []setup {
	crl := map[string]string{"x509crlfile": "yes"}
	var serv map[string]string
	servCRL := crl
	if !purpose {
		serv = map[string]string{"verify-purpose": "no"}
		servCRL = map[string]string{"verify-purpose": "no", "x509crlfile": "yes"}
	}
	return func() []setup {
		return []setup{
			{role: Acceptor, settings: serv, start: startGnuTLSServ()},
			{role: Acceptor, settings: servCRL, start: startGnuTLSServ("--x509crlfile", rootCRLPath), only: byRoot},
			{role: Initiator, start: startGnuTLSCli(), only: sniOf}, // gnutls-cli takes the dot off, the library doesn't
			{role: Initiator, settings: crl, start: startGnuTLSCli("--x509crlfile", rootCRLPath), only: byRoot},
		}
	}
}

// byRoot keeps the variants whose CRL GnuTLS can take. It refuses a whole CRL file if one of the CRLs in it isn't signed
// by a certificate of its trust store, so that an intermediate's CRL is of no use to it.
func byRoot(v Variant) bool { return v.ByRoot && v.Group == "special" }

// gnutlsServ is gnutls-serv as acceptor: it demands a certificate, verifies it and echoes lines.
type gnutlsServ struct {
	*bench
	p *process
}

const gnutlsServAddr = "127.0.0.1:4434"

func startGnuTLSServ(extra ...string) func(context.Context, *bench) (session, error) {
	return func(ctx context.Context, b *bench) (session, error) {
		p, err := b.Start(ctx, append([]string{"/usr/bin/gnutls-serv", "--port", "4434", "--x509certfile", certPath,
			"--x509keyfile", keyPath, "--x509cafile", storePath, "--require-client-cert", "--verify-client-cert", "--echo"}, extra...)...)
		if err != nil {
			return nil, err
		}
		if _, err := p.Expect(ctx, 0, regexp.MustCompile("(?i)server (listening|ready)")); err != nil {
			p.Stop()
			return nil, err
		}
		return &gnutlsServ{bench: b, p: p}, nil
	}
}

func (s *gnutlsServ) judged(*Credential) string { return "" }
func (s *gnutlsServ) stop()                     { s.p.Stop() }

var gnutlsFailed = regexp.MustCompile(`(?:The certificate is NOT trusted\. ([^\n]+)\n)|(?:Error in handshake: ([^\n]+)\n)`)

func (s *gnutlsServ) probe(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	mark := s.p.Mark()
	o, err := present(ctx, s.Dial, gnutlsServAddr, c, version, "hello\n", "hello")
	if err == nil && o.Outcome != Trusted {
		o.Detail = gnutlsReason(ctx, s.p, mark, o.Detail)
	}
	return o, err
}

func gnutlsReason(ctx context.Context, p *process, mark int, otherwise string) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	m, err := p.Expect(ctx, mark, gnutlsFailed)
	if err != nil {
		return otherwise
	}
	return strings.TrimSpace(m[1] + m[2])
}

// gnutlsCli is gnutls-cli as initiator.
type gnutlsCli struct {
	*bench
	extra []string
}

func startGnuTLSCli(extra ...string) func(context.Context, *bench) (session, error) {
	return func(_ context.Context, b *bench) (session, error) { return &gnutlsCli{bench: b, extra: extra}, nil }
}

func (s *gnutlsCli) judged(c *Credential) string { return c.Name }
func (s *gnutlsCli) stop()                       {}

func (s *gnutlsCli) probe(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	return answerOne(ctx, s.sandbox, c, version, func(addr string) (*process, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		argv := []string{"/usr/bin/gnutls-cli", "--port", port, "--x509cafile", storePath, "--verify-hostname", c.Name}
		if sni := asciiName(c.Name); sni != "" {
			argv = append(argv, "--sni-hostname", sni)
		}
		return s.Start(ctx, append(append(argv, s.extra...), host)...)
	}, func(p *process, o Observation) string { return gnutlsReason(ctx, p, 0, o.Detail) })
}
