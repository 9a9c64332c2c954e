package xmpp

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"mellium.im/xmlstream"
	xmpplib "mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/mux"
	"mellium.im/xmpp/ping"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

	"github.com/edgelab/edgelab/lab/verdict"
)

// user is the local part of the addresses between which the lab's message goes: anybody, since every address of an
// acceptor answers.
const user = "edgelab"

// answers are what an acceptor has done so far of an exchange.
type answers struct{ ping, message, recorded bool }

// serve answers pings and messages until the stream ends.
func (a *acceptance) serve(s *xmpplib.Session) error {
	a.conn.wrote = func() {
		if a.exchange.ping && a.exchange.message && !a.exchange.recorded {
			a.exchange.recorded = true
			a.rec.Addf(verdict.KindExchanged, "answered a ping and a message from %s", a.remote)
		}
	}
	a.enter("a stanza", a.times.Exchange)
	m := mux.New(stanza.NSServer,
		mux.IQFunc(stanza.GetIQ, xml.Name{Space: ping.NS, Local: "ping"}, a.pong),
		mux.MessageFunc(stanza.ChatMessage, xml.Name{Local: "body"}, a.echo),
		mux.MessageFunc(stanza.NormalMessage, xml.Name{Local: "body"}, a.echo),
		mux.MessageFunc("", xml.Name{Local: "body"}, a.echo),
	)
	err := s.Serve(xmpplib.HandlerFunc(func(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
		a.enter("a stanza", a.times.Exchange)
		switch start.Name.Space {
		case nsDialback:
			return a.piggyback()
		case stanza.NSServer:
		default:
			return streamError(stream.UnsupportedStanzaType, "neither a stanza nor dialback")
		}
		if err := a.addressed(start); err != nil {
			return err
		}
		return m.HandleXMPP(t, start)
	}))
	return a.parted(err)
}

// parted turns the end of mellium's Serve into that of the stream.
func (p *party) parted(err error) error {
	if p.conn.last.kind == pieceClosing {
		if p.conn.once() {
			p.rec.Addf(verdict.KindClosed, "the other side closed the stream")
		}
		return nil
	}
	return err
}

// piggyback answers a dialback question on a stream that is in use already.
func (a *acceptance) piggyback() error {
	e, err := parse(a.conn.header, a.conn.last.raw)
	if err != nil {
		return err
	}
	if !e.is(nsDialback, "verify") {
		return streamError(stream.UnsupportedStanzaType, "one pair of domains to a stream")
	}
	return a.confirm(e)
}

// addressed refuses a stanza that isn't between the two domains that the stream was authenticated for (RFC 6120
// §8.1.1.2 and §8.1.2.2).
func (a *acceptance) addressed(start *xml.StartElement) error {
	for _, end := range []struct{ name, domain string }{{"from", a.remote}, {"to", a.local}} {
		i := indexAttr(start.Attr, end.name)
		if i < 0 {
			return streamError(stream.ImproperAddressing, "a stanza without "+end.name)
		}
		j, err := jid.Parse(start.Attr[i].Value)
		if err != nil {
			return streamError(stream.ImproperAddressing, "a stanza whose "+end.name+" is no address")
		}
		if j.Domain().String() != end.domain {
			return streamError(stream.InvalidFrom, "a stanza "+end.name+" "+j.Domain().String()+" on a stream between "+a.remote+" and "+a.local)
		}
	}
	return nil
}

func indexAttr(attrs []xml.Attr, local string) int {
	for i, a := range attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return i
		}
	}
	return -1
}

func (a *acceptance) pong(iq stanza.IQ, t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
	if !a.mayAnswer() {
		return nil
	}
	a.exchange.ping = true
	return ping.Handler{}.HandleIQ(iq, t, start)
}

// echo answers a message from whomever it was addressed to.
func (a *acceptance) echo(msg stanza.Message, t xmlstream.TokenReadEncoder) error {
	var in struct {
		Body string `xml:"body"`
	}
	if err := xml.NewTokenDecoder(t).Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !a.mayAnswer() {
		return nil
	}
	a.exchange.message = true
	out := stanza.Message{ID: msg.ID, To: msg.From, From: msg.To, Type: msg.Type}
	_, err := xmlstream.Copy(t, out.Wrap(body(in.Body)))
	return err
}

// mayAnswer reports whether answers may go back over this stream, which without XEP-0288 has one direction only.
func (a *acceptance) mayAnswer() bool {
	if !a.bidi {
		a.rec.Addf(verdict.KindNote, "%s takes no answers on its own stream (XEP-0288), so it gets none", a.remote)
	}
	return a.bidi
}

func body(text string) xml.TokenReader {
	return xmlstream.Wrap(xmlstream.Token(xml.CharData(text)), xml.StartElement{Name: xml.Name{Local: "body"}})
}

// talk sends a ping and a message and waits for both answers.
func (c *calling) talk(ctx context.Context, s *xmpplib.Session) error {
	if !c.bidi {
		c.rec.Addf(verdict.KindNote, "%s doesn't offer XEP-0288: its answers would come over a stream of its own", c.remote)
		c.leave()
		return nil
	}
	token, err := c.cfg.id()
	if err != nil {
		return c.harness(err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answered := make(chan string, 1)
	served := make(chan struct{})
	go func() {
		defer close(served)
		err := s.Serve(c.listener(token, answered))
		if err == nil {
			err = errClosed
		}
		cancel(err)
	}()
	err = c.converse(ctx, s, token, answered)
	if err == nil {
		c.rec.Addf(verdict.KindExchanged, "a ping and a message were answered by %s", c.remote)
		if c.conn.once() {
			c.rec.Addf(verdict.KindClosed, "closes the stream")
		}
		c.enter("the end of the stream", c.times.Exchange)
		if err := s.Close(); err != nil {
			return err
		}
	} else {
		c.enter("the end of the stream", 0)
	}
	<-served
	return c.parted(err)
}

// converse does the asking.
func (c *calling) converse(ctx context.Context, s *xmpplib.Session, token string, answered <-chan string) error {
	to := s.RemoteAddr()
	c.enter("the answer to the ping", c.times.Exchange)
	if err := ping.Send(ctx, s, to); err != nil {
		return cmpCause(ctx, err)
	}
	c.enter("the answer to the message", c.times.Exchange)
	there, err := to.WithLocal(user)
	if err != nil {
		return err
	}
	here, err := s.LocalAddr().WithLocal(user)
	if err != nil {
		return err
	}
	msg := stanza.Message{ID: token, To: there, From: here, Type: stanza.ChatMessage}
	if err := s.Send(ctx, msg.Wrap(body("edgelab "+token))); err != nil {
		return cmpCause(ctx, err)
	}
	select {
	case refusal := <-answered:
		if refusal == "" {
			return nil
		}
		c.rec.Add(verdict.Event{Kind: verdict.KindRefused, Text: "receives stanza error " + refusal})
		return &RefusedError{Condition: refusal}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// cmpCause prefers why the stream ended to how a call noticed it.
func cmpCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// listener waits for the answer to the message: the same token from whom it was sent to, or an error.
func (c *calling) listener(token string, answered chan<- string) xmpplib.Handler {
	receive := func(msg stanza.Message, t xmlstream.TokenReadEncoder) error {
		var in struct {
			Body  string `xml:"body"`
			Error struct {
				Conditions []struct{ XMLName xml.Name } `xml:",any"`
			} `xml:"error"`
		}
		if err := xml.NewTokenDecoder(t).Decode(&in); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		answer := ""
		switch {
		case msg.ID != token && !strings.Contains(in.Body, token):
			return nil
		case msg.Type == stanza.ErrorMessage && len(in.Error.Conditions) > 0:
			answer = in.Error.Conditions[0].XMLName.Local
		case msg.Type == stanza.ErrorMessage:
			answer = "error"
		}
		if msg.From.Domain().String() != c.remote {
			return fmt.Errorf("an answer from %s: %w", msg.From, stream.InvalidFrom)
		}
		select {
		case answered <- answer:
		default:
		}
		return nil
	}
	return mux.New(stanza.NSServer,
		mux.MessageFunc("", xml.Name{}, receive),
		mux.MessageFunc(stanza.ChatMessage, xml.Name{}, receive),
		mux.MessageFunc(stanza.NormalMessage, xml.Name{}, receive),
		mux.MessageFunc(stanza.ErrorMessage, xml.Name{}, receive),
	)
}
