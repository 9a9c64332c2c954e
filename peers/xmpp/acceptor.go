package xmpp

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	xmpplib "mellium.im/xmpp"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/wire"
)

// An acceptance is one stream on its receiving side.
type acceptance struct {
	party
	id       string // of the current stream
	known    bool   // the remote domain is known and its rules are loaded
	external bool   // EXTERNAL is offered on the current stream
	failures int    // of SASL
	bidi     bool   // the initiator takes answers on this stream
	exchange answers
}

// accept sees one stream through, from its first header to its end.
func accept(ctx context.Context, cfg *Config, raw net.Conn, rec *verdict.Record) {
	a := &acceptance{party: party{cfg: cfg, host: cfg.Host, rec: rec, times: cfg.timeouts(), role: policy.Acceptor}}
	a.conn = newConn(ctx, raw, rec)
	defer a.conn.hangUp(lingerTime)
	a.enter("the stream header", a.times.Exchange)
	s, err := xmpplib.ReceiveSession(ctx, a.conn, xmpplib.S2S, a.negotiate)
	if err == nil {
		err = a.serve(s)
	}
	_ = a.finish(err) // the evidence has it; there is nobody else to tell
	a.unjudged()
}

// negotiate is one round of stream negotiation for mellium: from a header to the next restart, or until stanzas may
// flow. Its own negotiator can't receive server-to-server streams: it never becomes ready after SASL, knows no
// dialback, and offers EXTERNAL before anybody could judge.
func (a *acceptance) negotiate(ctx context.Context, in, out *stream.Info, s *xmpplib.Session, _ any) (xmpplib.SessionState, io.ReadWriter, any, error) {
	if err := a.open(in, out, s); err != nil {
		return 0, nil, nil, err
	}
	if s.State()&xmpplib.Authn != 0 {
		return xmpplib.Ready, nil, nil, nil
	}
	for {
		e, err := a.next("the next step of the negotiation", a.times.Exchange)
		if err != nil {
			a.untaken()
			return 0, nil, nil, err
		}
		var done bool
		switch {
		case e.is(nsTLS, "starttls"):
			return xmpplib.Secure, a.conn, nil, a.startTLS(ctx)
		case e.is(nsSASL, "auth"):
			if done, err = a.authenticate(ctx, s); done {
				return xmpplib.Authn, a.conn, nil, err
			}
		case e.is(nsBidi, "bidi"):
			a.bidi = true
			_, err = a.conn.take()
		case e.is(nsDialback, "verify"):
			err = a.verify(e)
		case e.is(nsDialback, "result"):
			if err = a.result(ctx, e); err == nil {
				return xmpplib.Authn | xmpplib.Ready, nil, nil, nil
			}
		default:
			err = a.refuse(streamError(stream.NotAuthorized, "nothing but negotiation before authentication"), verdict.ApplicationRefused)
		}
		if err != nil {
			return 0, nil, nil, err
		}
	}
}

// open reads the initiator's header, answers with this side's, judges if there is something to judge, and says what is
// on offer.
func (a *acceptance) open(in, out *stream.Info, s *xmpplib.Session) error {
	a.enter("the stream header", a.times.Exchange)
	if err := readHeader(s, in); err != nil {
		return err
	}
	own, from := in.To.String(), in.From.String()
	switch {
	case a.local != "" && own != a.local, a.remote != "" && from != a.remote:
		return a.refuse(streamError(stream.InvalidFrom, "the stream's addresses changed on restart"), verdict.ApplicationRefused)
	case !a.cfg.serves(own):
		return a.refuse(streamError(stream.HostUnknown, own+" isn't served here"), verdict.NotAllowed)
	}
	a.local, a.remote = own, from
	if err := a.meet(); err != nil {
		return err
	}
	id, err := a.cfg.id()
	if err != nil {
		return err
	}
	a.id, a.heading = id, true
	out.XMLNS, out.Name, out.ID, out.To, out.From = stanza.NSServer, in.Name, id, in.From, in.To
	a.conn.hold(a.header(id).String())
	if a.handshake != nil && a.judgement == nil {
		a.judge()
	}
	if s.State()&xmpplib.Authn != 0 {
		return a.conn.send("<stream:features/>")
	}
	if a.rejected() {
		failed := a.judgement.Failed()
		text := "certificate refused"
		if len(failed) > 0 {
			text += ": " + failed[0].Detail
		}
		return a.refuse(streamError(stream.NotAuthorized, text), a.judgement.Code)
	}
	if in.Version.Major == 0 {
		return a.conn.send("") // before RFC 3920 there were no features
	}
	return a.offer()
}

// meet loads the rules for the remote domain. A stream without from is let go on: its domain comes with dialback, and
// until then the product's own behaviour counts.
func (a *acceptance) meet() error {
	if a.known {
		return nil
	}
	r, ok, err := a.cfg.rulesFor(a.remote, policy.Acceptor)
	if a.remote == "" && !ok && err == nil {
		r.allowed = AllowedBy(r.behaviour)
		r.explicit, r.methods, ok = false, Methods(r.allowed), true
	}
	a.rules = r
	if err != nil {
		a.rec.Addf(verdict.KindHarness, "%v", err)
		return a.refuse(stream.InternalServerError, verdict.Inconclusive)
	}
	if !ok {
		return a.refuse(streamError(stream.PolicyViolation, a.remote+" isn't an allowed partner"), verdict.NotAllowed)
	}
	a.known = a.remote != ""
	return nil
}

// judge compares names and settles what becomes of the initiator's certificate, before anything is offered: offering
// EXTERNAL first and refusing it afterwards leaves peers no way to fall back (RFC 6120 §13.7, XEP-0178 §3).
func (a *acceptance) judge() {
	name := a.remote
	if a.rules.behaviour.Reference == policy.RefNone {
		name = ""
	}
	a.judged(a.host.Product.Identify(a.question(a.conn.tls().Presented(), name), *a.handshake))
}

// startable reports whether STARTTLS is on offer.
func (a *acceptance) startable() bool {
	return !a.conn.secure() && a.rules.allowed.TLS != topology.NotSupported && a.host.Certificate != nil
}

// offer sends the stream's features.
func (a *acceptance) offer() error {
	secure := a.conn.secure()
	required := a.startable() && a.rules.allowed.TLS == topology.Required
	a.external = secure && a.rules.may(SASLOverTLS) && a.believed()
	dialback := a.rules.dialback(secure)
	var b strings.Builder
	b.WriteString("<stream:features>")
	switch {
	case required:
		b.WriteString("<starttls xmlns='" + nsTLS + "'><required/></starttls>")
	case a.startable():
		b.WriteString("<starttls xmlns='" + nsTLS + "'/>")
	}
	if a.external {
		b.WriteString("<mechanisms xmlns='" + nsSASL + "'><mechanism>EXTERNAL</mechanism></mechanisms>")
	}
	if dialback {
		b.WriteString("<dialback xmlns='" + nsDialbackFeature + "'><errors/></dialback>")
	}
	if !a.startable() && !a.external && !dialback {
		if !secure {
			return a.refuse(streamError(stream.PolicyViolation, "TLS is required and can't be had here"), verdict.TLSRefused)
		}
		return a.refuse(streamError(stream.PolicyViolation, "no certificate was asked for, and nothing else is accepted"), verdict.ApplicationRefused)
	}
	if !required {
		b.WriteString("<bidi xmlns='" + nsBidiFeature + "'/>")
	}
	b.WriteString("</stream:features>")
	return a.conn.send("%s", b.String())
}

// untaken records that TLS was required and the initiator ended the stream without it.
func (a *acceptance) untaken() {
	if a.startable() && a.known && a.rules.allowed.TLS == topology.Required {
		a.rec.Addf(verdict.KindTLSNotOffered, "STARTTLS is required, and %s didn't take it", a.remote)
	}
}

// startTLS does the acceptor's part of STARTTLS (RFC 6120 §5.4).
func (a *acceptance) startTLS(ctx context.Context) error {
	if _, err := a.conn.take(); err != nil {
		return err
	}
	if !a.startable() {
		if a.conn.once() {
			a.rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: verdict.TLSRefused, Text: "sends STARTTLS failure: TLS isn't supported here"})
		}
		if err := a.conn.send("<failure xmlns='%s'/></stream:stream>", nsTLS); err != nil {
			return err
		}
		return &RefusedError{Condition: "STARTTLS failure", Own: true, Code: verdict.TLSRefused}
	}
	if err := a.conn.quiet(); err != nil {
		return err
	}
	if err := a.conn.send("<proceed xmlns='%s'/>", nsTLS); err != nil {
		return err
	}
	return a.secure(ctx, func(shown wire.Presented) verdict.Judgement {
		return a.host.Product.Handshake(a.question(shown, ""))
	})
}

// authenticate does the acceptor's part of SASL through mellium. done means that the stream starts anew.
func (a *acceptance) authenticate(ctx context.Context, s *xmpplib.Session) (done bool, err error) {
	if !a.external {
		why := "invalid-mechanism"
		if !a.conn.secure() {
			why = "encryption-required"
		}
		if _, err := a.conn.take(); err != nil {
			return false, err
		}
		return false, errors.Join(a.conn.send("<failure xmlns='%s'><%s/></failure>", nsSASL, why), a.failedSASL(why))
	}
	a.enter("SASL", a.times.Exchange)
	feature := xmpplib.SASLServer(nil, external(a.remote))
	if _, _, err := feature.Negotiate(ctx, s, nil); err != nil {
		if a.conn.failed() != nil {
			return false, err
		}
		return false, a.failedSASL(err.Error())
	}
	a.vouched(verdict.MethodExternal)
	a.heading = false
	return true, a.conn.restart()
}

// maxFailures is how often an initiator may fail at SASL (RFC 6120 §6.4.5: between two and five times).
const maxFailures = 3

// failedSASL records a failure, after which the initiator may still turn to dialback.
func (a *acceptance) failedSASL(why string) error {
	a.rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: verdict.ApplicationRefused, Text: "sends SASL failure: " + why})
	if a.failures++; a.failures >= maxFailures {
		return a.refuse(streamError(stream.PolicyViolation, "too many SASL failures"), verdict.ApplicationRefused)
	}
	return nil
}
