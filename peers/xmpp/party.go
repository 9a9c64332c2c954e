package xmpp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"mellium.im/xmpp/stream"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/peers/wire"
)

// lingerTime bounds how long an end that refused waits for the other to read it.
const lingerTime = time.Second

// A RefusedError says that one side of a stream refused the other, above TLS.
type RefusedError struct {
	Condition string // the stream error's, the SASL failure's or the dialback answer's
	Own       bool   // this side refused
	Code      verdict.Code
}

func (e *RefusedError) Error() string {
	if e.Own {
		return fmt.Sprintf("XMPP: refused the other side: %s (%s)", e.Condition, e.Code)
	}
	return "XMPP: the other side refused: " + e.Condition
}

// errClosed says that the other side ended the stream in order.
var errClosed = errors.New("XMPP: the other side closed the stream")

// A party is what both ends of a stream have in common.
type party struct {
	cfg   *Config
	host  *peers.Host
	rec   *verdict.Record
	conn  *conn
	times peers.Timeouts
	role  policy.Role
	rules rules

	local, remote string // domains
	heading       bool   // our header of the current stream is out
	handshake     *verdict.Judgement
	judgement     *verdict.Judgement
}

// enter begins a phase of the stream, which must end within d.
func (p *party) enter(phase string, d time.Duration) { p.conn.enter(phase, p.cfg.within(phase, d)) }

// header is what this side opens its stream with.
func (p *party) header(id string) header {
	return header{to: p.remote, from: p.local, id: id, dialback: p.rules.may(DialbackOverTLS) || p.rules.may(DialbackOverTCP)}
}

// question asks about the certificate that the other side showed.
func (p *party) question(shown wire.Presented, name string) policy.Question {
	return policy.Question{
		Role: p.role, Chain: shown.Chain, Roots: p.host.Roots, Name: name, At: p.host.Now(), TLS: shown.Version,
		Settings: p.host.Settings, CRL: p.host.CRL, Signatures: p.host.Signatures,
	}
}

// secure does TLS on the stream's connection.
func (p *party) secure(ctx context.Context, judge func(wire.Presented) verdict.Judgement) error {
	if err := p.conn.restart(); err != nil {
		return err
	}
	const phase = "the TLS handshake"
	p.enter(phase, p.times.Handshake)
	b := p.rules.behaviour
	cfg := wire.Config{
		Certificate: p.host.Certificate, ServerName: p.remote, Judge: judge, Record: p.rec,
		MinVersion: b.MinTLS, MaxVersion: b.MaxTLS, Timeout: p.cfg.within(phase, p.times.Handshake), KeyLog: p.host.KeyLog,
	}
	var t *wire.Conn
	var err error
	if p.role == policy.Acceptor {
		cfg.Ask = b.Want != policy.WantNone && b.Want != ""
		t, err = wire.Server(ctx, p.conn.raw, cfg)
	} else {
		cfg.Certificate, cfg.Withhold = p.host.AsClient(), withhold(p.host, b)
		t, err = wire.Client(ctx, p.conn.raw, cfg)
	}
	if err != nil {
		p.conn.once() // wire recorded why
		return err
	}
	p.conn.upgrade(t)
	p.handshake = t.Judgement()
	p.heading = false
	return nil
}

// withhold returns why an initiator shows no certificate though it has one, or "".
func withhold(h *peers.Host, b policy.Behaviour) string {
	switch {
	case h.Withhold:
		return "it is told not to"
	case b.NeedsClientEKU && h.AsClient() != nil && !clientEKU(h.AsClient().Leaf):
		return "its certificate has EKUs and the client EKU isn't among them"
	}
	return ""
}

// clientEKU reports whether a certificate may be shown by a client: without the extension any use is allowed (RFC 5280
// §4.2.1.12).
func clientEKU(leaf *x509.Certificate) bool {
	if leaf == nil || len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, u := range leaf.ExtKeyUsage {
		if u == x509.ExtKeyUsageClientAuth || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

// judged records this side's final judgement, under the rules for the partner.
func (p *party) judged(j verdict.Judgement) {
	j = p.rules.settle(j)
	p.judgement = &j
	p.rec.Add(verdict.Event{Kind: verdict.KindJudged, Judgement: &j, Code: j.Code, Text: fmt.Sprintf("%s as %s judges %s: %s", j.Product, j.Role, p.remote, conclusion(j))})
}

// unjudged records what the handshake found where the stream ended before the name could be compared.
func (p *party) unjudged() {
	if p.handshake != nil && p.judgement == nil {
		p.judgement = p.handshake
		p.rec.Add(verdict.Event{Kind: verdict.KindJudged, Judgement: p.handshake, Code: p.handshake.Code, Text: fmt.Sprintf("%s as %s: the stream ended before names were compared", p.handshake.Product, p.handshake.Role)})
	}
}

func conclusion(j verdict.Judgement) string {
	if failed := j.Failed(); len(failed) > 0 && j.Outcome != verdict.OutcomeTrusted {
		return fmt.Sprintf("%s, %s: %s", j.Outcome, j.Code, failed[0].Detail)
	}
	return string(j.Outcome)
}

// rejected reports whether this side's judgement ends the stream.
func (p *party) rejected() bool {
	return p.judgement != nil && p.judgement.Outcome == verdict.OutcomeRejected
}

// believed reports whether this side's judgement lets a certificate authenticate the other. A judgement that hinges on
// an unknown rule is carried on, so that the rest of the leg shows; it stays unknown.
func (p *party) believed() bool {
	return p.judgement != nil && (p.judgement.Outcome == verdict.OutcomeTrusted || p.judgement.Outcome == verdict.OutcomeUnknown)
}

// refuse ends the stream with a stream error (RFC 6120 §4.9), records why, and returns that as an error.
func (p *party) refuse(e stream.Error, code verdict.Code) error {
	if code == verdict.ProductDefect {
		return p.breakDown()
	}
	text := ""
	if len(e.Text) > 0 {
		text = e.Text[0].Value
	}
	c := condition{e.Err, text}
	if p.conn.once() {
		p.rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: code, Text: "sends stream error " + c.String()})
	}
	var b strings.Builder
	if !p.heading { // an error can't stand outside of a stream (RFC 6120 §4.9.1.2)
		b.WriteString(p.header("").String())
		p.heading = true
	}
	fmt.Fprintf(&b, "<stream:error><%s xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", e.Err)
	if text != "" {
		fmt.Fprintf(&b, "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>%s</text>", escape(text))
	}
	b.WriteString("</stream:error></stream:stream>")
	// If it can't be written any more, the other side has gone; the refusal stands.
	_ = p.conn.send("%s", b.String())
	return &RefusedError{Condition: e.Err, Own: true, Code: code}
}

// breakDown ends the connection as a product does whose stream crashes: without a word.
func (p *party) breakDown() error {
	if p.conn.once() {
		p.rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: verdict.ProductDefect, Text: "breaks down, and the connection ends without a stream error"})
	}
	return &RefusedError{Condition: "breakdown", Own: true, Code: verdict.ProductDefect}
}

// next waits for the next element and leaves it where it is. A stream error or the end of the stream are recorded and
// returned as errors.
func (p *party) next(phase string, within time.Duration) (element, error) {
	p.enter(phase, within)
	r, err := p.conn.peek()
	if err != nil {
		return element{}, err
	}
	if r.kind == pieceClosing {
		p.closed()
		return element{}, errClosed
	}
	e, err := parse(p.conn.header, r.raw)
	if err != nil {
		return element{}, err
	}
	if e.is(stream.NS, "error") {
		return element{}, p.refusedBy("stream error", e)
	}
	return e, nil
}

// refusedBy records a refusal that the other side sent.
func (p *party) refusedBy(what string, e element) error {
	c, err := e.condition()
	if err != nil {
		return err
	}
	p.conn.once()
	p.rec.Add(verdict.Event{Kind: verdict.KindRefused, Text: fmt.Sprintf("receives %s %s", what, c)})
	return &RefusedError{Condition: c.name}
}

// closed records that the other side ended the stream in order, and answers (RFC 6120 §4.4).
func (p *party) closed() {
	if p.conn.once() {
		p.rec.Addf(verdict.KindClosed, "the other side closed the stream")
	}
	if p.heading {
		_ = p.conn.send("</stream:stream>") // a courtesy
	}
}

// finish turns whatever ended the stream into evidence and the returned error. A fault in what the other side sent is
// answered with a stream error.
func (p *party) finish(err error) error {
	var fault stream.Error
	var refused *RefusedError
	switch {
	case err == nil, errors.Is(err, errClosed), errors.As(err, &refused):
		return err
	case p.conn.failed() != nil:
		return p.conn.ended()
	case errors.As(err, &fault):
		if e, perr := parse(p.conn.header, p.conn.last.raw); perr == nil && e.is(stream.NS, "error") {
			return p.refusedBy("stream error", e)
		}
		return p.refuse(fault, verdict.ApplicationRefused)
	}
	if p.conn.once() {
		p.rec.Addf(verdict.KindNote, "the stream ended: %v", err)
	}
	return err
}

// vouched records that the streams' ends have been authenticated to each other: on the receiving side, that the
// initiator is who it says; on the initiating side, that it has been believed.
func (p *party) vouched(method string) {
	e := verdict.Event{Kind: verdict.KindAuthenticated, Method: method, Encrypted: p.conn.secure(), Text: p.remote + " and " + p.local + " are authenticated by " + method}
	if !e.Encrypted {
		e.Text += ", without TLS"
	}
	p.rec.Add(e)
}
