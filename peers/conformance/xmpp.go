package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What an XMPP product is set up as.
const (
	xmppDomain    = "product.example"
	xmppComponent = "probe.product.example" // XEP-0114; stanzas to send out come from here
	xmppSecret    = "edgelab"
	xmppS2S       = "127.0.0.1:5269"
	xmppTrigger   = "127.0.0.1:5347"
)

// An xmppProduct is a running XMPP server.
type xmppProduct struct {
	*bench
	p         *process
	role      Role
	stopNames func()
	listener  net.Listener // where the product finds every other domain
	component *component
	// decided matches what the product logs when it has judged a certificate.
	decided *regexp.Regexp
	// reason reads the product's log of one probe: whether it took domain's certificate for good, and why not.
	reason func(log, domain string) (good bool, why string)
}

// begin puts names, listener and trigger in place around the running product p.
func (x *xmppProduct) begin(ctx context.Context) (err error) {
	if x.listener, err = x.Listen(ctx, net.JoinHostPort(peerAddr, strconv.Itoa(xmppPeerPort))); err != nil {
		return err
	}
	probe, err := dialRetry(ctx, x.Dial, xmppS2S)
	if err != nil {
		return fmt.Errorf("%w; its last words: %s", err, tail(x.p.Log(0)))
	}
	_ = probe.Close()
	if x.role == Acceptor {
		return nil
	}
	x.component, err = joinComponent(ctx, x.Dial)
	return err
}

func (x *xmppProduct) stop() {
	x.component.close()
	if x.listener != nil {
		_ = x.listener.Close()
	}
	if x.p != nil {
		x.p.Stop()
	}
	if x.stopNames != nil {
		x.stopNames()
	}
}

func (x *xmppProduct) judged(c *Credential) string { return c.Name }

func (x *xmppProduct) probe(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	mark := x.p.Mark()
	var o Observation
	var err error
	if x.role == Acceptor {
		o, err = x.accept(ctx, c, version)
	} else {
		o, err = x.initiate(ctx, c, version)
	}
	if err != nil {
		return o, fmt.Errorf("%w; the product's last words: %s", err, tail(x.p.Log(mark)))
	}
	return x.settle(ctx, o, c.Name, mark), nil
}

// settle adds what the product's log says. A product that goes on though the certificate didn't satisfy it has fallen
// back, whatever it calls that.
func (x *xmppProduct) settle(ctx context.Context, o Observation, domain string, mark int) Observation {
	if o.Alert == 0 {
		// The log may lag behind the wire. Without a word in it the wire alone counts, but for a product that goes on:
		// whether it does so content, only the log says, and it always does.
		wait := time.Second
		if o.Outcome == Trusted && x.role == Initiator {
			wait = patience
		}
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		_, _ = x.p.Expect(ctx, mark, x.decided)
	}
	good, why := x.reason(x.p.Log(mark), domain)
	if o.Outcome == Trusted && x.role == Initiator && !good {
		o.Outcome = Fallback
	}
	if o.Outcome != Trusted && why != "" {
		o.Detail = strings.TrimPrefix(o.Detail+"; "+why, "; ")
	}
	return o
}

// accept connects as the variant's domain and asks for SASL EXTERNAL, then for dialback.
func (x *xmppProduct) accept(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	raw, err := dialRetry(ctx, x.Dial, xmppS2S)
	if err != nil {
		return Observation{}, err
	}
	defer func() { _ = raw.Close() }()
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return Observation{}, err
	}
	s := newStream(raw)
	if err := s.startTLS(c.Name); err != nil {
		return Observation{}, fmt.Errorf("before TLS: %w", err)
	}
	tap := &alertTap{Conn: raw}
	conn := tls.Client(tap, clientConfig(c, version, xmppDomain))
	if err := conn.HandshakeContext(ctx); err != nil {
		return refusedOr(err, tap)
	}
	tap.established = true
	s = newStream(conn)
	_ = s.open(c.Name, xmppDomain, "") // a refusal is read below
	if _, err := s.header(); err != nil {
		return refusedStream(err, tap)
	}
	features, err := s.expect(nsStream, "features")
	if err != nil {
		return refusedStream(err, tap)
	}
	if offersExternal(features) {
		if err := s.authExternal(c.Name); err != nil {
			return Observation{}, err
		}
		answer, err := s.next()
		if err != nil {
			return refusedStream(err, tap)
		}
		if answer.XMLName.Local == "success" {
			return Observation{Outcome: Trusted, Layer: "application"}, nil
		}
	}
	return x.dialback(ctx, s, tap, c)
}

// startTLS opens a stream and brings it to the point where TLS begins.
func (s *stream) startTLS(from string) error {
	if err := s.open(from, xmppDomain, ""); err != nil {
		return err
	}
	if _, err := s.header(); err != nil {
		return err
	}
	features, err := s.expect(nsStream, "features")
	if err != nil {
		return err
	}
	if !strings.Contains(features.Inner, "starttls") {
		return errors.New("the product doesn't offer STARTTLS")
	}
	if err := s.write(`<starttls xmlns='%s'/>`, nsTLS); err != nil {
		return err
	}
	_, err = s.expect(nsTLS, "proceed")
	return err
}

// dialback asks to be authenticated by XEP-0220, and answers as the authoritative server of the variant's domain.
func (x *xmppProduct) dialback(ctx context.Context, s *stream, tap *alertTap, c *Credential) (Observation, error) {
	const key = "6b65792d6f662d746865206c6162"
	if err := s.write(`<db:result from='%s' to='%s'>%s</db:result>`, c.Name, xmppDomain, key); err != nil {
		return refusedStream(err, tap)
	}
	verified := make(chan struct{})
	verifyCtx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		<-verified
	}()
	go func() {
		defer close(verified)
		_ = x.authoritative(verifyCtx) // if it fails dialback does, which is seen below
	}()
	for {
		e, err := s.next()
		if err != nil {
			return refusedStream(err, tap)
		}
		if e.XMLName.Local != "result" {
			continue
		}
		if e.attr("type") == "valid" {
			return Observation{Outcome: Fallback, Layer: "application", Detail: "dialback valid"}, nil
		}
		return Observation{Outcome: Rejected, Layer: "application", Detail: "dialback " + e.attr("type")}, nil
	}
}

// authoritative answers one dialback verification, and gives up when ctx ends. It shows a sound certificate: the one in
// question has been judged already.
func (x *xmppProduct) authoritative(ctx context.Context) error {
	raw, err := x.await(ctx, patience)
	if err != nil {
		return err
	}
	in, err := x.receive(ctx, raw, x.product, tls.VersionTLS13, &alertTap{}, "")
	if err != nil {
		return err
	}
	defer func() { _ = in.raw.Close() }()
	for {
		e, err := in.next()
		if err != nil {
			return err
		}
		switch e.XMLName.Local {
		case "result": // some authenticate themselves first
			err := in.write(`<db:result from='%s' to='%s' type='valid'/>`, e.attr("to"), e.attr("from"))
			if err != nil {
				return err
			}
		case "verify":
			return in.write(`<db:verify from='%s' to='%s' id='%s' type='valid'/>`, e.attr("to"), e.attr("from"), e.attr("id"))
		}
	}
}

// initiate makes the product connect to the variant's domain and sees whether it goes on over TLS.
func (x *xmppProduct) initiate(ctx context.Context, c *Credential, version uint16) (Observation, error) {
	id, raw, err := x.summon(ctx, c.Name)
	if err != nil {
		return Observation{}, fmt.Errorf("the product didn't connect: %w", err)
	}
	o, err := x.initiated(ctx, raw, c, version)
	if err != nil {
		return o, err
	}
	return o, x.component.settled(id)
}

// knock is how long a ping may take to bring a connection before another is sent. ejabberd drops what is sent while
// it forgets a connection that has failed.
const knock = 300 * time.Millisecond

// summon sends pings to domain until the product connects, and returns the last one's id.
func (x *xmppProduct) summon(ctx context.Context, domain string) (id string, raw net.Conn, err error) {
	for range int(patience / knock) {
		if id, err = x.component.ping(domain); err != nil {
			return "", nil, err
		}
		if raw, err = x.await(ctx, knock); err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil {
			return id, raw, err
		}
	}
	return "", nil, err
}

// initiated reads what the product makes of c on the connection that it has opened.
func (x *xmppProduct) initiated(ctx context.Context, raw net.Conn, c *Credential, version uint16) (Observation, error) {
	tap := &alertTap{}
	in, err := x.receive(ctx, raw, c, version, tap, external)
	if err != nil {
		return refusedStream(err, tap)
	}
	defer func() { _ = in.raw.Close() }()
	e, err := in.next()
	if err != nil {
		return refusedStream(err, tap)
	}
	switch e.XMLName.Local {
	case "auth":
		return Observation{Outcome: Trusted, Layer: "application", Detail: "asks for EXTERNAL"}, nil
	case "result", "verify":
		return Observation{Outcome: Trusted, Layer: "application", Detail: "asks for dialback"}, nil
	}
	return Observation{}, fmt.Errorf("unexpected <%s>", e.XMLName.Local)
}

// external is what the harness offers beside dialback where it wants to be asked for EXTERNAL.
const external = `<mechanisms xmlns='` + nsSASL + `'><mechanism>EXTERNAL</mechanism></mechanisms>`

type incoming struct {
	*stream
	raw net.Conn
}

// await waits for a connection of the product.
func (x *xmppProduct) await(ctx context.Context, wait time.Duration) (net.Conn, error) {
	if d, ok := x.listener.(*net.TCPListener); ok {
		if err := d.SetDeadline(time.Now().Add(wait)); err != nil {
			return nil, err
		}
		defer context.AfterFunc(ctx, func() { _ = d.SetDeadline(time.Now()) })()
	}
	return x.listener.Accept()
}

// receive answers a stream from the product and brings it to the features after TLS. What is offered beside dialback
// is in offer.
func (x *xmppProduct) receive(ctx context.Context, raw net.Conn, c *Credential, version uint16, tap *alertTap, offer string) (*incoming, error) {
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Now()) })
	defer stop()
	in, err := x.negotiate(ctx, raw, c, version, tap, offer)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return in, nil
}

func (x *xmppProduct) negotiate(ctx context.Context, raw net.Conn, c *Credential, version uint16, tap *alertTap, offer string) (*incoming, error) {
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	s := newStream(raw)
	header, err := s.header()
	if err != nil {
		return nil, err
	}
	if err := s.open(header.attr("to"), header.attr("from"), " id='a'"); err != nil {
		return nil, err
	}
	if err := s.write(`<stream:features><starttls xmlns='%s'><required/></starttls></stream:features>`, nsTLS); err != nil {
		return nil, err
	}
	if _, err := s.expect(nsTLS, "starttls"); err != nil {
		return nil, err
	}
	if err := s.write(`<proceed xmlns='%s'/>`, nsTLS); err != nil {
		return nil, err
	}
	tap.Conn = raw
	conn := tls.Server(tap, serverConfig(c, version, tls.RequestClientCert))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	tap.established = true
	s = newStream(conn)
	if header, err = s.header(); err != nil {
		return nil, err
	}
	if err := s.open(header.attr("to"), header.attr("from"), " id='b'"); err != nil {
		return nil, err
	}
	err = s.write(`<stream:features>%s<dialback xmlns='urn:xmpp:features:dialback'/></stream:features>`, offer)
	return &incoming{stream: s, raw: raw}, err
}
