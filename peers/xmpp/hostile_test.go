package xmpp_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
)

// What an acceptor slips in behind <proceed/> isn't taken for the encrypted stream's.
func TestInjectionBehindProceed(t *testing.T) {
	w := newWorld(t)
	contoso := w.server("edge", "contoso.com", "xmpp-strict", w.ca.issue("contoso.com", serverAuth, clientAuth))
	fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
	w.script(t, fabrikam, func(c *client) {
		c.expect("<stream:stream")
		c.send("%s%s", streamHeader("fabrikam.com", "contoso.com", "1"), tlsFeatures)
		c.expect("<starttls")
		c.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:features/>")
		c.drain()
	})
	l := w.run(contoso, fabrikam)
	if e := l.initiator.one(t, verdict.KindRefused); !strings.Contains(e.Text, "before the stream was restarted") {
		t.Errorf("refused with %q", e.Text)
	}
	l.initiator.none(t, verdict.KindHandshake, verdict.KindAuthenticated, verdict.KindHarness)
}

// One byte after the other doesn't keep a stream longer than silence does; half a stanza, a reset and a flood are what
// they are; and a leg that runs meanwhile isn't harmed.
func TestHostileStream(t *testing.T) {
	header := streamHeader("fabrikam.com", "contoso.com", "")
	for name, tt := range map[string]struct {
		hurry string // the phase that must end
		play  func(*client)
		kind  verdict.Kind
		says  string
	}{
		"one byte at a time": {"the stream header", func(c *client) {
			for i := 0; ; i++ {
				if _, err := c.conn.Write([]byte{header[i%40]}); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}, verdict.KindTimeout, "stream header"},
		"white space for ever": {"the next step of the negotiation", func(c *client) {
			c.open("fabrikam.com", "contoso.com")
			for {
				if _, err := c.conn.Write([]byte(" ")); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}, verdict.KindTimeout, "next step"},
		"half a stanza": {"", func(c *client) {
			c.open("fabrikam.com", "contoso.com")
			c.send("<message to='b@contoso.com'><bo")
			check(c.t, c.conn.(*net.TCPConn).CloseWrite())
		}, verdict.KindConnectionLost, "closed the connection"},
		"a reset": {"", func(c *client) {
			c.open("fabrikam.com", "contoso.com")
			check(c.t, c.conn.(*net.TCPConn).SetLinger(0))
			check(c.t, c.conn.Close())
		}, verdict.KindConnectionLost, "closed the connection"},
		"a flood of questions": {"", func(c *client) {
			c.open("fabrikam.com", "contoso.com")
			go c.drain()
			for i := range 2000 {
				if _, err := fmt.Fprintf(c.conn, "<db:verify from='a.example' to='contoso.com' id='%d'>k</db:verify>", i); err != nil {
					return
				}
			}
			_ = c.conn.(*net.TCPConn).CloseWrite()
		}, verdict.KindHarness, "more than a leg needs"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			contoso := w.server("edge", "contoso.com", "xmpp-strict-dialback", w.ca.issue("contoso.com", serverAuth, clientAuth))
			fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict-dialback", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
			if tt.hurry != "" {
				contoso.cfg.Hurry(tt.hurry)
			}
			w.listen(contoso, fabrikam)
			c := w.dial(t, contoso)
			done := make(chan struct{})
			go func() { defer close(done); tt.play(c) }()
			if tt.hurry == "" {
				w.run(fabrikam, contoso).authenticated(verdict.MethodExternal, true)
			}
			<-done
			acceptor := c.evidence()
			_ = c.conn.Close()
			if e := acceptor.one(t, tt.kind); !strings.Contains(e.Text, tt.says) {
				t.Errorf("%s %q, want %q in it", e.Kind, e.Text, tt.says)
			}
			acceptor.none(t, verdict.KindAuthenticated, verdict.KindExchanged)
			if len(acceptor) > verdict.MaxEvents {
				t.Errorf("%d events", len(acceptor))
			}
		})
	}
}
