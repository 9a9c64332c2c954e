package xmpp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"mellium.im/xmpp/stream"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/capture"
	"github.com/edgelab/edgelab/peers/wire"
)

// A conn is one side of a stream's connection. It reads and writes whole pieces, records each, and knows which phase
// the stream is in, so that running out of time is evidence of something.
//
// mellium reads from it like from any io.Reader, but gets one piece at a time: what follows stays here, where the
// negotiation can look at it first, and where STARTTLS can see that there is nothing.
//
// It is no net.Conn on purpose: mellium would set and clear deadlines on that behind our back.
type conn struct {
	rec *verdict.Record
	raw net.Conn // TCP

	mu      sync.Mutex // guards what follows between the reader and whoever changes the phase
	cur     net.Conn   // raw, or *wire.Conn
	phase   string
	over    bool   // how the stream ended is recorded
	failure error  // the first error of the socket
	during  string // the phase in which it came

	ctx   context.Context //nolint:containedctx // the connection's lifetime: an io.Reader has no room for one
	stop  func() bool
	wrote func() // called after each write that went through

	pieces   int // read so far
	in       scanner
	pending  []byte // read, not scanned
	partial  []byte // scanned, not complete
	ahead    *received
	handed   []byte // of the piece that mellium is reading
	header   []byte // the other side's stream header, for namespaces
	last     received
	buf      [4096]byte
	out      scanner
	outgoing []byte
	held     []byte // goes out with what is written next
}

// A received piece.
type received struct {
	kind piece
	raw  []byte
}

func newConn(ctx context.Context, raw net.Conn, rec *verdict.Record) *conn {
	capture.Speaks(raw, capture.XMPP)
	c := &conn{rec: rec, raw: raw, cur: raw, ctx: ctx}
	c.stop = context.AfterFunc(ctx, func() { _ = raw.Close() })
	return c
}

// enter begins a phase, which must end within d.
func (c *conn) enter(phase string, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase = phase
	// It fails on a closed connection only, and then the next read says so.
	_ = c.cur.SetDeadline(time.Now().Add(d))
}

// secure reports whether the connection is encrypted.
func (c *conn) secure() bool { return c.tls() != nil }

func (c *conn) tls() *wire.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, _ := c.cur.(*wire.Conn)
	return t
}

// ConnectionState tells mellium about TLS.
func (c *conn) ConnectionState() tls.ConnectionState {
	if t := c.tls(); t != nil {
		return t.ConnectionState()
	}
	return tls.ConnectionState{}
}

// quiet returns an error if the other side has sent more than was its turn. At a restart such bytes would be taken for
// the new stream's, which is how commands are injected into STARTTLS.
func (c *conn) quiet() error {
	if len(c.pending) > 0 || len(c.partial) > 0 || c.ahead != nil || len(c.handed) > 0 {
		return streamError(stream.PolicyViolation, "data sent before the stream was restarted")
	}
	return nil
}

// restart makes both directions expect a stream header again.
func (c *conn) restart() error {
	if err := c.quiet(); err != nil {
		return err
	}
	c.in, c.out, c.partial, c.outgoing = scanner{}, scanner{}, nil, nil
	return nil
}

// upgrade goes on inside TLS.
func (c *conn) upgrade(t *wire.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cur = t
}

// peek returns the next piece without taking it.
func (c *conn) peek() (received, error) {
	if c.ahead == nil {
		r, err := c.read()
		if err != nil {
			return received{}, err
		}
		c.ahead = &r
	}
	return *c.ahead, nil
}

// take returns the next piece past mellium, whose decoder doesn't miss whole elements.
func (c *conn) take() (received, error) {
	r, err := c.peek()
	c.ahead = nil
	return r, err
}

// Read hands the rest of the current piece on, or the next one.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.handed) == 0 {
		r, err := c.take()
		if err != nil {
			return 0, err
		}
		c.handed = r.raw
	}
	n := copy(b, c.handed)
	c.handed = c.handed[n:]
	return n, nil
}

// read waits for the next piece and records it.
func (c *conn) read() (received, error) {
	for {
		if c.in.between() && len(c.partial) == 0 {
			c.pending = bytes.TrimLeft(c.pending, " \t\r\n")
		}
		n, kind, err := c.in.scan(c.pending)
		c.partial = append(c.partial, c.pending[:n]...)
		c.pending = c.pending[n:]
		if err != nil {
			return received{}, err
		}
		if kind != pieceNone {
			if c.pieces++; c.pieces > maxPieces {
				return received{}, streamError(stream.PolicyViolation, "too many pieces on one connection")
			}
			r := received{kind, c.partial}
			c.partial = nil
			if kind == pieceHeader {
				c.header = r.raw
			}
			c.last = r
			c.note(verdict.KindXMPPReceived, "receives", r.raw)
			return r, nil
		}
		c.mu.Lock()
		cur := c.cur
		c.mu.Unlock()
		got, err := cur.Read(c.buf[:])
		if got == 0 && err != nil {
			c.fail(err)
			return received{}, err
		}
		c.pending = append(c.pending, c.buf[:got]...)
	}
}

// hold keeps text back until something is written: a header and its features go out as one TLS record, as servers send
// them, and wake the other side once.
func (c *conn) hold(text string) { c.held = append(c.held, text...) }

// Write records each piece before it goes out, so that evidence of both sides stays in order.
func (c *conn) Write(b []byte) (int, error) {
	held := len(c.held)
	if held > 0 {
		b, c.held = slices.Concat(c.held, b), nil
	}
	for rest := b; len(rest) > 0; {
		n, kind, err := c.out.scan(rest)
		c.outgoing = append(c.outgoing, rest[:n]...)
		if err != nil { // our own fault; it goes out all the same, and the other side will object
			c.outgoing = append(c.outgoing, rest[n:]...)
			n, kind = len(rest), pieceElement
			c.out = scanner{opened: true}
		}
		rest = rest[n:]
		if kind != pieceNone {
			c.note(verdict.KindXMPPSent, "sends", c.outgoing)
			c.outgoing = nil
		}
	}
	c.mu.Lock()
	cur := c.cur
	c.mu.Unlock()
	n, err := cur.Write(b)
	switch {
	case err != nil:
		c.fail(err)
	case c.wrote != nil:
		c.wrote()
	}
	return max(n-held, 0), err
}

// fail keeps the socket's first error, which libraries above report in their own words or not at all.
func (c *conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil {
		c.failure, c.during = err, c.phase
	}
}

// failed returns the socket's first error.
func (c *conn) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// send writes one or several pieces that don't come from mellium.
func (c *conn) send(format string, args ...any) error {
	_, err := c.Write(fmt.Appendf(nil, format, args...))
	return err
}

func (c *conn) note(kind verdict.Kind, verb string, raw []byte) {
	c.rec.Add(verdict.Event{Kind: kind, Text: verb + " " + summary(raw), Raw: bounded(raw)})
}

// once reports whether how the stream ended is still to be recorded, and takes that upon the caller.
func (c *conn) once() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.over
	c.over = true
	return !was
}

// ended records how the socket came to fail, once, and returns the error with the phase in which it did. wire has
// recorded alerts and resets inside TLS already.
func (c *conn) ended() error {
	c.mu.Lock()
	err, phase := c.failure, c.during
	c.mu.Unlock()
	var ne net.Error
	late := errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
	switch {
	case c.ctx.Err() != nil:
		if c.once() {
			kind, text := verdict.KindNote, "the lab ended the connection while waiting for "+phase
			if errors.Is(c.ctx.Err(), context.DeadlineExceeded) {
				kind, text = verdict.KindTimeout, phase+" didn't come in time"
			}
			c.rec.Add(verdict.Event{Kind: kind, Text: text})
		}
		err = c.ctx.Err()
	case late:
		if c.once() {
			c.rec.Addf(verdict.KindTimeout, "%s didn't come in time", phase)
		}
	case c.tls() != nil && c.tls().Refused() != nil:
		c.once()
		err = c.tls().Refused()
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || !c.secure():
		if c.once() {
			c.rec.Addf(verdict.KindConnectionLost, "the other side closed the connection while waiting for %s", phase)
		}
	default:
		c.once()
	}
	return fmt.Errorf("waiting for %s: %w", phase, err)
}

// hangUp closes the connection. After a refusal the other side must be able to read it: closing while bytes of its own
// wait unread would reset the connection, and the reset can overtake what was written last.
func (c *conn) hangUp(linger time.Duration) {
	c.stop()
	c.mu.Lock()
	c.over = true
	cur := c.cur
	c.mu.Unlock()
	if t, ok := c.raw.(interface{ CloseWrite() error }); ok && linger > 0 && c.ctx.Err() == nil {
		_ = c.raw.SetDeadline(time.Now().Add(linger))
		if w, ok := cur.(*wire.Conn); ok {
			_ = w.CloseWrite()
		}
		if t.CloseWrite() == nil {
			stop := context.AfterFunc(c.ctx, func() { _ = c.raw.Close() })
			_, _ = io.Copy(io.Discard, io.LimitReader(c.raw, 1<<20))
			stop()
		}
	}
	_ = cur.Close()
}
