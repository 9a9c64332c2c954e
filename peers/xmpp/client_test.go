package xmpp_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/xmpp"
)

// A client is an end of a stream that says what a test tells it to.
type client struct {
	t    testing.TB
	w    *world
	conn net.Conn
	in   *bufio.Reader
	got  strings.Builder
}

// strangers is the number of addresses that nobodies connect from: a fuzzer would soon be out of ports on one.
const strangers = 200

// dial connects to a server as nobody in particular.
func (w *world) dial(t testing.TB, to *server) *client {
	t.Helper()
	nobody := fmt.Sprintf("stranger %d", w.dialled.Add(1)%strangers)
	conn, err := w.net.Dial(t.Context(), nobody, netip.AddrPortFrom(w.net.Address(to.cfg.Host.Actor), xmpp.Port))
	check(t, err)
	check(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return &client{t: t, w: w, conn: conn, in: bufio.NewReader(conn)}
}

// script answers one connection to s in a server's place.
func (w *world) script(t testing.TB, s *server, play func(*client)) {
	t.Helper()
	ln, err := w.net.Listen(t.Context(), s.cfg.Host.Actor, xmpp.Port)
	check(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		play(&client{t: t, w: w, conn: conn, in: bufio.NewReader(conn)})
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
}

func streamHeader(from, to, id string) string {
	if id != "" {
		id = " id='" + id + "'"
	}
	return fmt.Sprintf("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='%s' to='%s'%s version='1.0'>", from, to, id)
}

// open sends a stream header and waits for features.
func (c *client) open(from, to string) {
	c.t.Helper()
	c.send("%s", streamHeader(from, to, ""))
	c.expect("</stream:features>")
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, format, args...); err != nil {
		c.t.Errorf("sending: %v", err)
	}
}

// sendf is send for formats that may leave arguments unused.
func (c *client) sendf(format string, arg string) {
	c.t.Helper()
	c.send("%s", strings.ReplaceAll(format, "%s", arg))
}

// expect reads until everything that is wanted has been there, and returns what came in.
func (c *client) expect(want ...string) string {
	c.t.Helper()
	for _, s := range want {
		for !strings.Contains(c.got.String(), s) || !strings.HasSuffix(c.got.String(), ">") {
			b, err := c.in.ReadByte()
			if err != nil {
				c.t.Errorf("waiting for %q: %v; so far %q", s, err, c.got.String())
				return c.got.String()
			}
			c.got.WriteByte(b)
		}
	}
	got := c.got.String()
	c.got.Reset()
	return got
}

// close ends the connection and returns the server's evidence.
func (c *client) close() events {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, io.LimitReader(c.in, 0)); err != nil {
		c.t.Error(err)
	}
	check(c.t, c.conn.Close())
	return c.evidence()
}

// rest reads until the server closes the connection, then closes and returns everything that came in and the server's
// evidence.
func (c *client) rest() (string, events) {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	if err != nil {
		c.t.Errorf("reading to the end: %v", err)
	}
	check(c.t, c.conn.Close())
	return c.got.String() + string(rest), c.evidence()
}

func (c *client) evidence() events {
	c.t.Helper()
	rec, err := c.w.journal.Take(c.t.Context(), verdict.ConnName(c.conn.LocalAddr(), c.conn.RemoteAddr()))
	check(c.t, err)
	return rec.Events()
}

// attribute returns the value of the last attribute of that name in s.
func attribute(s, name string) string {
	i := strings.LastIndex(s, " "+name+"='")
	if i < 0 {
		return ""
	}
	v, _, _ := strings.Cut(s[i+len(name)+3:], "'")
	return v
}

// drain reads until the other side hangs up.
func (c *client) drain() {
	_, _ = io.Copy(io.Discard, c.in) // a reset ends it as well
}

// pong answers the ping that comes next.
func (c *client) pong() {
	c.t.Helper()
	iq := c.expect("</iq>")
	id := attribute(strings.ReplaceAll(iq, "\"", "'"), "id")
	c.send("<iq type='result' id='%s' from='fabrikam.com' to='contoso.com'/>", id)
}
