package conformance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
)

// goSetups measure the crypto/tls that this program is built with, in this process.
func goSetups() []setup {
	return []setup{{role: Acceptor, start: startGo(true)}, {role: Initiator, start: startGo(false)}}
}

type goStack struct {
	server bool
	pool   *x509.CertPool
	own    tls.Certificate
}

func startGo(server bool) func(context.Context, *bench) (session, error) {
	return func(_ context.Context, b *bench) (session, error) {
		g := &goStack{server: server, pool: x509.NewCertPool(), own: *b.product.TLS()}
		for _, c := range b.credentials {
			for _, cert := range c.Store {
				g.pool.AddCert(cert)
			}
		}
		return g, nil
	}
}

func (g *goStack) stop() {}

func (g *goStack) judged(c *Credential) string {
	if g.server {
		return ""
	}
	return c.Name
}

func (g *goStack) probe(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = l.Close() }()
	reason := make(chan error, 1)
	var o Observation
	if g.server {
		go func() { reason <- g.serve(ctx, l) }()
		o, err = present(ctx, new(net.Dialer).DialContext, l.Addr().String(), c, version, "hello\n", "ok")
	} else {
		go func() { reason <- g.connect(ctx, l.Addr().String(), c.Name) }()
		o, err = answer(ctx, l, c, version, "hello")
	}
	if r := <-reason; r != nil && err == nil && o.Outcome != Trusted {
		o.Detail = timeless(r.Error())
	}
	return o, err
}

func (g *goStack) serve(ctx context.Context, l net.Listener) error {
	raw, err := l.Accept()
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{g.own}, MinVersion: tls.VersionTLS12,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: g.pool})
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	_, err = conn.Write([]byte("ok\n"))
	return err
}

func (g *goStack) connect(ctx context.Context, addr, name string) error {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	conn := tls.Client(raw, &tls.Config{RootCAs: g.pool, ServerName: name, MinVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	_, err = conn.Write([]byte("hello\n"))
	return err
}
