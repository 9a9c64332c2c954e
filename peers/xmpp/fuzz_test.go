package xmpp_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
)

// Whatever a stranger sends, the acceptor ends the stream by itself, lets nobody in, and doesn't break.
func FuzzAcceptor(f *testing.F) {
	header := streamHeader("fabrikam.com", "contoso.com", "")
	for _, s := range []string{
		header, header + "</stream:stream>", header + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
		header + "<db:verify from='a.example' to='contoso.com' id='1'>k</db:verify>",
		header + "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
		header + "<bidi xmlns='urn:xmpp:bidi'/><iq/>",
	} {
		f.Add([]byte(s))
	}
	w := newWorld(f)
	w.times.Connect, w.times.Handshake, w.times.Exchange = time.Second, time.Second, time.Second
	contoso := w.server("edge", "contoso.com", "xmpp-strict-dialback", w.ca.issue("contoso.com", serverAuth, clientAuth))
	w.listen(contoso)
	f.Fuzz(func(t *testing.T, says []byte) {
		c := w.dial(t, contoso)
		_, _ = c.conn.Write(says) // it may have hung up already
		_ = c.conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c.in)
		check(t, c.conn.Close())
		acceptor := c.evidence()
		acceptor.none(t, verdict.KindHarness, verdict.KindAuthenticated, verdict.KindExchanged)
	})
}
