package xmpp

import (
	"context"
	"errors"
	"io"
	"slices"

	xmpplib "mellium.im/xmpp"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/wire"
)

// negotiate is one round of stream negotiation for mellium: from a header to the next restart, or until stanzas may
// flow.
func (c *calling) negotiate(ctx context.Context, in, out *stream.Info, s *xmpplib.Session, _ any) (xmpplib.SessionState, io.ReadWriter, any, error) {
	if err := c.open(in, out, s); err != nil {
		return 0, nil, nil, err
	}
	if s.State()&xmpplib.Authn != 0 {
		return xmpplib.Ready, nil, nil, nil
	}
	if !c.conn.secure() {
		start, err := c.wantsTLS()
		if err != nil {
			return 0, nil, nil, err
		}
		if start {
			return xmpplib.Secure, c.conn, nil, c.startTLS(ctx)
		}
	}
	if c.rejected() {
		text := "certificate refused"
		if failed := c.judgement.Failed(); len(failed) > 0 {
			text += ": " + failed[0].Detail
		}
		return 0, nil, nil, c.refuse(streamError(stream.NotAuthorized, text), c.judgement.Code)
	}
	if c.verify != nil {
		return 0, nil, nil, c.inquire()
	}
	if c.features.Bidi != nil {
		c.bidi = true
		if err := c.conn.send("<bidi xmlns='%s'/>", nsBidi); err != nil {
			return 0, nil, nil, err
		}
	}
	return c.authenticate(ctx, s, in.ID)
}

// open exchanges stream headers and reads what is on offer.
func (c *calling) open(in, out *stream.Info, s *xmpplib.Session) error {
	out.XMLNS, out.Name.Space, out.Name.Local = stanza.NSServer, stream.NS, "stream"
	c.enter("the stream header", c.times.Exchange)
	c.heading = true
	if err := c.conn.send("%s", c.header("")); err != nil {
		return err
	}
	remote, local := in.From, in.To
	if err := readHeader(s, in); err != nil {
		return err
	}
	// Some servers leave to out, or from in a stream that ends with an error; stanzas are addressed all the same.
	if !in.From.Equal(remote) && in.From.String() != "" {
		return c.refuse(streamError(stream.InvalidFrom, "the stream is from "+in.From.String()), verdict.ApplicationRefused)
	}
	in.From, in.To = remote, local
	c.features = features{}
	if in.Version.Major == 0 {
		return nil // before RFC 3920 there were no features
	}
	e, err := c.next("the stream features", c.times.Exchange)
	if err != nil {
		return err
	}
	if !e.is(stream.NS, "features") {
		return streamError(stream.UnsupportedStanzaType, "features were due")
	}
	if _, err := c.conn.take(); err != nil {
		return err
	}
	return e.decode(&c.features)
}

// wantsTLS reports whether to start TLS, by what is offered and what the rules for the remote domain say.
func (c *calling) wantsTLS() (bool, error) {
	offered := c.features.StartTLS != nil
	switch tls := c.rules.allowed.TLS; {
	case tls == topology.NotSupported && offered && c.features.StartTLS.Required != nil:
		c.rec.Addf(verdict.KindTLSNotOffered, "%s requires STARTTLS, and this side doesn't do TLS with it", c.remote)
		return false, c.refuse(streamError(stream.UnsupportedFeature, "TLS isn't supported here"), verdict.TLSRefused)
	case tls == topology.NotSupported:
		return false, nil
	case offered:
		return true, nil
	case tls == topology.Required:
		c.rec.Addf(verdict.KindTLSNotOffered, "%s doesn't offer STARTTLS, and this side requires it", c.remote)
		return false, c.refuse(streamError(stream.PolicyViolation, "TLS is required"), verdict.TLSRefused)
	}
	c.rec.Addf(verdict.KindNote, "%s doesn't offer STARTTLS; going on without", c.remote)
	return false, nil
}

// startTLS does the initiator's part of STARTTLS and judges the acceptor's certificate.
func (c *calling) startTLS(ctx context.Context) error {
	if err := c.conn.send("<starttls xmlns='%s'/>", nsTLS); err != nil {
		return err
	}
	e, err := c.next("the answer to <starttls/>", c.times.Exchange)
	if err != nil {
		return err
	}
	if _, err := c.conn.take(); err != nil {
		return err
	}
	switch {
	case e.is(nsTLS, "proceed"):
	case e.is(nsTLS, "failure"):
		c.conn.once()
		c.rec.Add(verdict.Event{Kind: verdict.KindRefused, Text: "receives STARTTLS failure"})
		return &RefusedError{Condition: "STARTTLS failure"}
	default:
		return streamError(stream.UnsupportedStanzaType, "<proceed/> or <failure/> was due")
	}
	name := c.remote
	switch c.rules.behaviour.Reference {
	case policy.RefNone:
		name = ""
	case policy.RefHost, policy.RefSRVTarget, policy.RefProvisioned:
		name = c.server
	}
	if err := c.secure(ctx, func(shown wire.Presented) verdict.Judgement {
		return c.host.Product.Judge(c.question(shown, name))
	}); err != nil {
		return err
	}
	if c.handshake != nil {
		c.judged(*c.handshake)
	}
	return nil
}

// authenticate proves this side's domain: by EXTERNAL where that is offered and this side takes the other's
// certificate, else by dialback. (Prosody 0.12 without s2s_secure_auth takes EXTERNAL whatever it thinks of the other's
// certificate. Which of the two it is makes no difference to what it then knows of the other side: its name in DNS.)
func (c *calling) authenticate(ctx context.Context, s *xmpplib.Session, id string) (xmpplib.SessionState, io.ReadWriter, any, error) {
	secure := c.conn.secure()
	mayCertify := secure && c.rules.may(SASLOverTLS) && slices.Contains(c.features.Mechanisms, "EXTERNAL")
	vouch := c.rules.dialback(secure) && (c.features.Dialback != nil || declaresDialback(c.conn.header))
	if mayCertify && (c.believed() || !vouch) {
		c.enter("the answer to SASL EXTERNAL", c.times.Exchange)
		_, _, err := xmpplib.SASL("", "", external(c.remote)).Negotiate(ctx, s, c.features.Mechanisms)
		if err == nil {
			c.vouched(verdict.MethodExternal)
			c.heading = false
			return xmpplib.Authn, c.conn, nil, c.conn.restart()
		}
		if err := c.refusedSASL(err); err != nil || !vouch {
			return 0, nil, nil, errors.Join(err, &RefusedError{Condition: "SASL failure"})
		}
	}
	if !vouch {
		text := "neither EXTERNAL nor dialback is both offered and allowed"
		return 0, nil, nil, c.refuse(streamError(stream.NotAuthorized, text), verdict.ApplicationRefused)
	}
	if err := c.dialback(id); err != nil {
		return 0, nil, nil, err
	}
	c.vouched(verdict.MethodDialback)
	return xmpplib.Authn | xmpplib.Ready, nil, nil, nil
}

// refusedSASL makes evidence of a failed authentication; nil means that the other side said no in order, so that
// something else can be tried on the same stream.
func (c *calling) refusedSASL(err error) error {
	if c.conn.failed() != nil {
		return err
	}
	e, perr := parse(c.conn.header, c.conn.last.raw)
	switch {
	case perr != nil || c.conn.last.kind != pieceElement:
		return err
	case e.is(stream.NS, "error"):
		return c.refusedBy("stream error", e)
	case !e.is(nsSASL, "failure"):
		return err
	}
	cond, perr := e.condition()
	if perr != nil {
		return perr
	}
	c.rec.Add(verdict.Event{Kind: verdict.KindRefused, Text: "receives SASL failure " + cond.String()})
	return nil
}

// dialback vouches for this side's domain with a key, and waits until the receiving server has had it verified. That
// takes a connection, a handshake and a negotiation of its own (XEP-0220 §2.2).
func (c *calling) dialback(id string) error {
	key := DialbackKey(c.cfg.DialbackSecret, c.remote, c.local, id)
	if err := c.conn.ask("result", dialback{From: c.local, To: c.remote, Key: key}); err != nil {
		return err
	}
	e, err := c.next("the dialback result", c.times.Connect+c.times.Handshake+3*c.times.Exchange)
	if err != nil {
		return err
	}
	d, err := c.reply(e, "result")
	if err != nil {
		return err
	}
	if d.Type == dialbackValid {
		return nil
	}
	c.rec.Add(verdict.Event{Kind: verdict.KindRefused, Text: "receives dialback result " + d.outcome()})
	c.conn.once()
	return &RefusedError{Condition: "dialback " + d.outcome()}
}

// inquire asks the authoritative server about a key.
func (c *calling) inquire() error {
	if err := c.conn.ask("verify", *c.verify); err != nil {
		return err
	}
	e, err := c.next("the dialback verification", c.times.Exchange)
	if err != nil {
		return err
	}
	d, err := c.reply(e, "verify")
	if err != nil {
		return err
	}
	if d.ID != c.verify.ID {
		return streamError(stream.InvalidFrom, "the verification of another stream")
	}
	if d.Type == dialbackError {
		c.rec.Add(verdict.Event{Kind: verdict.KindRefused, Text: "receives dialback verification " + d.outcome()})
		return &RefusedError{Condition: "dialback " + d.outcome()}
	}
	c.answer = dialbackInvalid
	if d.Type == dialbackValid {
		c.answer = dialbackValid
	}
	return errVerified
}

// reply takes an answer to a dialback question, which must be for the very pair of domains that was asked about.
func (c *calling) reply(e element, local string) (dialback, error) {
	if _, err := c.conn.take(); err != nil {
		return dialback{}, err
	}
	if !e.is(nsDialback, local) {
		return dialback{}, streamError(stream.UnsupportedStanzaType, "<db:"+local+"/> was due")
	}
	d, err := readDialback(e)
	if err != nil {
		return dialback{}, err
	}
	if d.From != c.remote || d.To != c.local || d.Type == "" {
		return dialback{}, streamError(stream.InvalidFrom, "a dialback answer for another pair of domains")
	}
	return d, nil
}
