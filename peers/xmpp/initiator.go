package xmpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	xmpplib "mellium.im/xmpp"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/policy"
)

// A calling is one stream on its initiating side.
type calling struct {
	party
	server   string    // FQDN that was connected to
	verify   *dialback // the stream is there to verify this key
	answer   string    // what the authoritative server said
	bidi     bool
	features features
}

// errVerified ends the negotiation of a stream that only verifies a key.
var errVerified = errors.New("XMPP: the key is verified")

// Connect runs one leg: it finds the server of the remote domain, opens a stream, secures and authenticates it as far
// as the rules for that domain ask, exchanges a ping and a message, and closes. What happened is in the record; the
// error, for whoever wants no evidence, is a *RefusedError, *wire.RefusedError, *wire.AlertError or says in words what
// failed.
func Connect(ctx context.Context, cfg Config, call Call) error {
	if err := cfg.check(); err != nil {
		return err
	}
	c, err := newCalling(&cfg, call)
	if err != nil {
		return err
	}
	return c.run(ctx, func(s *xmpplib.Session) error { return c.talk(ctx, s) })
}

// verifyKey asks the authoritative server of call.To about a dialback key and returns its answer.
func verifyKey(ctx context.Context, cfg *Config, call Call, key dialback) (string, error) {
	c, err := newCalling(cfg, call)
	if err != nil {
		return "", err
	}
	c.verify = &key
	err = c.run(ctx, func(*xmpplib.Session) error { return errVerified })
	if errors.Is(err, errVerified) {
		return c.answer, nil
	}
	return "", err
}

func newCalling(cfg *Config, call Call) (*calling, error) {
	from, err := domainOf(call.From)
	if err != nil {
		return nil, err
	}
	to, err := domainOf(call.To)
	if err != nil {
		return nil, err
	}
	c := &calling{party: party{
		cfg: cfg, host: cfg.Host, rec: call.Record, times: cfg.timeouts(), role: policy.Initiator,
		local: from.String(), remote: to.String(),
	}}
	r, ok, err := cfg.rulesFor(c.remote, policy.Initiator)
	switch {
	case err != nil:
		c.rec.Addf(verdict.KindHarness, "%v", err)
		return nil, err
	case !ok:
		c.rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: verdict.NotAllowed, Text: "doesn't connect: " + c.remote + " isn't an allowed partner"})
		return nil, &RefusedError{Condition: "not an allowed partner", Own: true, Code: verdict.NotAllowed}
	}
	c.rules = r
	return c, nil
}

func (c *calling) run(ctx context.Context, then func(*xmpplib.Session) error) error {
	raw, err := c.dial(ctx)
	if err != nil {
		return err
	}
	c.conn = newConn(ctx, raw, c.rec)
	defer c.conn.hangUp(lingerTime)
	to, err := domainOf(c.remote)
	if err != nil {
		return err
	}
	from, err := domainOf(c.local)
	if err != nil {
		return err
	}
	s, err := xmpplib.NewSession(ctx, to, from, c.conn, xmpplib.S2S, c.negotiate)
	if err == nil {
		err = then(s)
	}
	if errors.Is(err, errVerified) {
		c.leave()
	} else {
		err = c.finish(err)
	}
	c.unjudged()
	return err
}

// leave ends a stream that has served its purpose.
func (c *calling) leave() {
	if c.conn.once() {
		c.rec.Addf(verdict.KindClosed, "closes the stream")
	}
	_ = c.conn.send("</stream:stream>") // a courtesy
}

// dial finds and connects to a server of the remote domain (RFC 6120 §3.2): by SRV, else at the domain itself.
func (c *calling) dial(ctx context.Context) (net.Conn, error) {
	targets, err := c.host.DNS.SRV(ctx, c.rec, dns.XMPPServer, c.remote)
	if errors.Is(err, dns.ErrNotFound) {
		targets, err = []dns.Target{{Host: c.remote, Port: Port}}, nil
	}
	if err != nil {
		return nil, c.harness(err)
	}
	for _, t := range targets {
		addrs, lookup := c.host.DNS.Host(ctx, c.rec, t.Host)
		if lookup != nil && !errors.Is(lookup, dns.ErrNotFound) {
			return nil, c.harness(lookup)
		}
		err = lookup
		for _, addr := range addrs {
			var raw net.Conn
			if raw, err = c.connect(ctx, netip.AddrPortFrom(addr, t.Port)); err == nil {
				c.server = t.Host
				c.rec.SetConn(verdict.ConnName(raw.LocalAddr(), raw.RemoteAddr()))
				c.rec.Addf(verdict.KindConnect, "connects to %s port %d", t.Host, t.Port)
				return raw, nil
			}
		}
	}
	return nil, c.unreached(ctx, targets[len(targets)-1], err)
}

func (c *calling) connect(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.times.Connect)
	defer cancel()
	return c.host.Net.Dial(ctx, c.host.Place(), to)
}

// unreached records why no server could be connected to.
func (c *calling) unreached(ctx context.Context, t dns.Target, err error) error {
	var ne net.Error
	switch {
	case errors.Is(err, dns.ErrNotFound):
		c.rec.Add(verdict.Event{Kind: verdict.KindConnectFailed, Code: verdict.SRVMissing, Text: t.Host + " has no address"})
	case errors.Is(ctx.Err(), context.Canceled):
		c.rec.Addf(verdict.KindNote, "the lab ended the leg while it was connecting")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		c.rec.Addf(verdict.KindTimeout, "connecting to %s port %d took too long", t.Host, t.Port)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		c.rec.Addf(verdict.KindConnectFailed, "nothing listens on %s port %d", t.Host, t.Port)
	default:
		return c.harness(&peers.EnvError{Op: "connect", Host: c.host.Actor, Err: err})
	}
	return fmt.Errorf("connecting to %s port %d for %s: %w", t.Host, t.Port, c.remote, err)
}

// harness records a fault of the lab or its machine.
func (c *calling) harness(err error) error {
	c.rec.Addf(verdict.KindHarness, "%v", err)
	return err
}
