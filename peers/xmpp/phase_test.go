package xmpp_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
)

const (
	plainFeatures = "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/><bidi xmlns='urn:xmpp:features:bidi'/></stream:features>"
	tlsFeatures   = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
)

// A peer that stops talking is a time-out of the phase in which it did.
func TestInitiatorTimesOut(t *testing.T) {
	header := streamHeader("fabrikam.com", "contoso.com", "1")
	valid := "<db:result from='fabrikam.com' to='contoso.com' type='valid'/>"
	for phase, tt := range map[string]struct {
		product string
		play    func(*client)
	}{
		"the stream header":         {"google-talk", func(*client) {}},
		"the stream features":       {"google-talk", func(c *client) { c.send("%s", header) }},
		"the answer to <starttls/>": {"xmpp-strict", func(c *client) { c.send("%s%s", header, tlsFeatures) }},
		"the TLS handshake": {"xmpp-strict", func(c *client) {
			c.send("%s%s", header, tlsFeatures)
			c.expect("<starttls")
			c.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		}},
		"the dialback result":         {"google-talk", func(c *client) { c.send("%s%s", header, plainFeatures) }},
		"the answer to the ping":      {"google-talk", func(c *client) { c.send("%s%s%s", header, plainFeatures, valid) }},
		"the answer to the message":   {"google-talk", func(c *client) { c.send("%s%s%s", header, plainFeatures, valid); c.pong() }},
		"the stream header, in parts": {"google-talk", func(c *client) { _, _ = c.conn.Write([]byte(header[:60])) }},
	} {
		t.Run(phase, func(t *testing.T) {
			w := newWorld(t)
			phase, _, _ := strings.Cut(phase, ",")
			contoso := w.server("edge", "contoso.com", tt.product, w.ca.issue("contoso.com", serverAuth, clientAuth))
			contoso.cfg.Hurry(phase)
			fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
			w.script(t, fabrikam, func(c *client) {
				if phase != "the stream header" { // else time may be up before this side has seen anything
					c.expect("<stream:stream")
				}
				tt.play(c)
				c.drain()
			})
			l := w.run(contoso, fabrikam)
			e := l.initiator.one(t, verdict.KindTimeout)
			if !strings.Contains(e.Text, strings.TrimPrefix(phase, "the ")) {
				t.Errorf("time-out %q, want that of %s", e.Text, phase)
			}
			l.initiator.none(t, verdict.KindRefused, verdict.KindConnectionLost, verdict.KindHarness)
			if l.err == nil || phase != "the TLS handshake" && !errors.Is(l.err, os.ErrDeadlineExceeded) {
				t.Errorf("Connect returned %v", l.err)
			}
		})
	}
}

func TestAcceptorTimesOut(t *testing.T) {
	for phase, play := range map[string]func(*client){
		"the stream header":                nil,
		"the next step of the negotiation": func(c *client) { c.open("fabrikam.com", "contoso.com") },
		"the TLS handshake": func(c *client) {
			c.open("fabrikam.com", "contoso.com")
			c.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			c.expect("<proceed")
		},
	} {
		t.Run(phase, func(t *testing.T) {
			w := newWorld(t)
			contoso := w.server("edge", "contoso.com", "xmpp-strict", w.ca.issue("contoso.com", serverAuth, clientAuth))
			contoso.cfg.Hurry(phase)
			w.listen(contoso)
			c := w.dial(t, contoso)
			if play != nil {
				play(c)
			}
			_, acceptor := c.rest()
			if e := acceptor.one(t, verdict.KindTimeout); !strings.Contains(e.Text, strings.TrimPrefix(phase, "the ")) {
				t.Errorf("time-out %q, want that of %s", e.Text, phase)
			}
			acceptor.none(t, verdict.KindRefused, verdict.KindConnectionLost, verdict.KindHarness)
		})
	}
}

// A peer that goes away without a word is neither a refusal nor a time-out.
func TestConnectionLost(t *testing.T) {
	w := newWorld(t)
	contoso := w.server("edge", "contoso.com", "google-talk", nil)
	fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
	w.script(t, fabrikam, func(c *client) {
		c.expect("<stream:stream")
		c.send("%s%s", streamHeader("fabrikam.com", "contoso.com", "1"), plainFeatures)
		c.expect("</db:result>")
	})
	l := w.run(contoso, fabrikam)
	l.initiator.one(t, verdict.KindConnectionLost)
	l.initiator.none(t, verdict.KindRefused, verdict.KindTimeout, verdict.KindClosed)

	w.listen(contoso)
	c := w.dial(t, contoso)
	c.open("fabrikam.com", "contoso.com")
	acceptor := c.close()
	acceptor.one(t, verdict.KindConnectionLost)
	acceptor.none(t, verdict.KindRefused, verdict.KindTimeout, verdict.KindClosed)
}

// Ending the run ends a leg at once, whatever it waits for.
func TestCancelled(t *testing.T) {
	w := newWorld(t)
	contoso := w.server("edge", "contoso.com", "google-talk", nil)
	fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
	ctx, cancel := context.WithCancel(context.Background())
	w.script(t, fabrikam, func(c *client) {
		c.expect("<stream:stream")
		cancel()
		c.drain()
	})
	l := w.runIn(ctx, contoso, fabrikam)
	if !errors.Is(l.err, context.Canceled) {
		t.Errorf("Connect returned %v", l.err)
	}
	l.initiator.none(t, verdict.KindRefused, verdict.KindTimeout, verdict.KindConnectionLost, verdict.KindHarness)
}

// Closing a server ends its streams and leaves their evidence complete.
func TestCloseEndsStreams(t *testing.T) {
	w := newWorld(t)
	contoso := w.server("edge", "contoso.com", "google-talk", nil)
	w.listen(contoso)
	c := w.dial(t, contoso)
	c.open("fabrikam.com", "contoso.com")
	check(t, contoso.Close())
	_, acceptor := c.rest()
	acceptor.none(t, verdict.KindRefused, verdict.KindTimeout, verdict.KindHarness)
	acceptor.one(t, verdict.KindNote)
}
