package sip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/wire"
)

// MaxMessage bounds a SIP message, in bytes. A larger one ends the connection.
const MaxMessage = 64 << 10

// maxMessages bounds the messages of one connection, keep-alives included: nobody has a server to itself for ever.
const maxMessages = 10_000

// quiet is where sipgo's logs go: what matters is in the evidence.
var quiet = slog.New(slog.DiscardHandler)

// A conn is one SIP connection: it reads messages in order, hands requests to a handler and responses to the
// transactions that wait for them, and remembers why it ended. It is what sipgo's transactions write to.
type conn struct {
	tls      *wire.Conn
	rec      *verdict.Record
	patience time.Duration // for the other side to take a message; zero: none at all
	idle     time.Duration // how long the next whole message may take to come; zero: as long as it takes
	request  func(*sip.Request, *sip.ServerTx)

	mu      sync.Mutex
	pending map[string]*sip.ClientTx
	closing bool
	err     error
	done    chan struct{} // closed when reading has ended
}

func newConn(tls *wire.Conn, rec *verdict.Record, patience time.Duration, request func(*sip.Request, *sip.ServerTx)) *conn {
	return &conn{tls: tls, rec: rec, patience: patience, request: request, pending: map[string]*sip.ClientTx{}, done: make(chan struct{})}
}

// read reads until the connection ends. It owns the connection's requests: handlers run in it.
func (c *conn) read() {
	defer close(c.done)
	// Only what is whole earns more time: one byte a second must not keep a connection for a day.
	c.await()
	count := 0
	in := newStream(func(msg sip.Message) { count++; c.receive(msg); c.await() }, func() { count++; c.pong(); c.await() })
	buf := make([]byte, 8<<10)
	var err error
	for err == nil {
		var n int
		n, err = c.tls.Read(buf)
		if perr := in.write(buf[:n]); perr != nil {
			err = perr
		}
		if err == nil && count > maxMessages {
			err = fmt.Errorf("%w: more than %d messages on one connection", errFraming, maxMessages)
		}
	}
	c.ended(err)
}

// await gives the next message its time.
func (c *conn) await() {
	if c.idle > 0 {
		_ = c.tls.SetReadDeadline(time.Now().Add(c.idle)) // fails on a closed connection only; the next read says so
	}
}

// receive takes one message that was read.
func (c *conn) receive(msg sip.Message) {
	msg.SetTransport("TLS")
	msg.SetSource(c.tls.RemoteAddr().String())
	switch m := msg.(type) {
	case *sip.Response:
		c.rec.Add(verdict.Event{Kind: verdict.KindSIPReceived, Status: m.StatusCode, Text: "receives " + startLine(m), Raw: raw(m)})
		key, err := sip.ClientTxKeyMake(m)
		if err != nil {
			return // belongs to no transaction: RFC 3261 §18.1.2 has it dropped
		}
		c.mu.Lock()
		tx := c.pending[key]
		c.mu.Unlock()
		if tx != nil {
			tx.Receive(m)
		}
	case *sip.Request:
		c.rec.Add(verdict.Event{Kind: verdict.KindSIPReceived, Text: "receives " + startLine(m), Raw: raw(m)})
		if m.IsAck() {
			return // ends a refused INVITE; there is nothing to answer
		}
		key, err := sip.ServerTxKeyMake(m)
		if err != nil {
			_ = c.WriteMsg(sip.NewResponseFromRequest(m, sip.StatusBadRequest, "Bad Request", nil))
			return
		}
		tx := sip.NewServerTx(key, m, c, quiet)
		if tx.Init() == nil {
			c.request(m, tx)
			tx.Terminate() // nothing is sent twice over TLS
		}
	}
}

// pong answers a keep-alive (RFC 5626 §3.5.1).
func (c *conn) pong() {
	_ = c.tls.SetWriteDeadline(time.Now().Add(c.patience))
	_, _ = c.tls.Write([]byte("\r\n"))
}

// ended notes why reading ended and ends the transactions that wait.
func (c *conn) ended(err error) {
	c.mu.Lock()
	c.err = err
	ours := c.closing
	waiting := make([]*sip.ClientTx, 0, len(c.pending))
	for _, tx := range c.pending {
		waiting = append(waiting, tx)
	}
	c.mu.Unlock()
	switch {
	case ours:
	case errors.Is(err, io.EOF) && len(waiting) > 0:
		c.rec.Addf(verdict.KindConnectionLost, "the other side closed the connection in place of an answer")
	case errors.Is(err, io.EOF):
		c.rec.Addf(verdict.KindClosed, "the other side closed the connection")
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.rec.Addf(verdict.KindTimeout, "no SIP message came in time")
	case errors.Is(err, errFraming):
		c.rec.Add(verdict.Event{Kind: verdict.KindRefused, Code: verdict.ApplicationRefused, Text: printable(fmt.Sprintf("ends the connection, what arrived isn't SIP: %v", err))})
	}
	for _, tx := range waiting {
		tx.Terminate()
	}
}

// cause returns why reading ended, nil while it hasn't.
func (c *conn) cause() error {
	if err := c.tls.Refused(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// close ends the connection in order and waits for its reader, which must be running or done.
func (c *conn) close(why string) {
	c.mu.Lock()
	first := !c.closing && c.err == nil
	c.closing = true
	c.mu.Unlock()
	if first {
		c.rec.Addf(verdict.KindClosed, "closes the connection: %s", why)
	}
	_ = c.tls.Close()
	<-c.done
}

// Request starts a client transaction (sipgo.ClientTransactionRequester).
func (c *conn) Request(_ context.Context, req *sip.Request) (sip.ClientTransaction, error) {
	key, err := sip.ClientTxKeyMake(req)
	if err != nil {
		return nil, err
	}
	tx := sip.NewClientTx(key, req, c, quiet)
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return nil, c.err
	}
	c.pending[key] = tx
	c.mu.Unlock()
	tx.OnTerminate(func(key string, _ error) {
		c.mu.Lock()
		delete(c.pending, key)
		c.mu.Unlock()
	})
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, err
	}
	return tx, nil
}

// WriteMsg sends one message (sip.Connection).
func (c *conn) WriteMsg(msg sip.Message) error {
	var b bytes.Buffer
	msg.StringWrite(&b)
	e := verdict.Event{Kind: verdict.KindSIPSent, Text: "sends " + startLine(msg), Raw: bounded(b.String())}
	if r, ok := msg.(*sip.Response); ok {
		e.Status = r.StatusCode
	}
	c.rec.Add(e)
	// Whoever asks and never reads the answers mustn't hold this end for ever.
	_ = c.tls.SetWriteDeadline(time.Now().Add(c.patience))
	_, err := c.tls.Write(b.Bytes())
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.rec.Addf(verdict.KindTimeout, "the other side doesn't take what it is sent")
	}
	if err != nil {
		_ = c.tls.NetConn().Close() // TLS can't go on after half a record; reading ends with it
	}
	return err
}

// LocalAddr, Ref, TryClose and Close are the rest of sip.Connection. The connection belongs to whoever opened it; no
// transaction closes it.
func (c *conn) LocalAddr() net.Addr    { return c.tls.LocalAddr() }
func (c *conn) Ref(int) int            { return 1 }
func (c *conn) TryClose() (int, error) { return 1, nil }
func (c *conn) Close() error           { return nil }

var errFraming = errors.New("malformed SIP stream")

// A stream cuts bytes into messages.
type stream struct {
	parser  *sip.ParserStream
	between bool // no message has begun
	message func(sip.Message)
	ping    func()
}

func newStream(message func(sip.Message), ping func()) *stream {
	p := sip.NewParser()
	p.MaxMessageLength = MaxMessage
	return &stream{parser: p.NewSIPStream(), between: true, message: message, ping: ping}
}

// write takes what was read. Its error wraps errFraming; after one there is no way back into the stream.
func (s *stream) write(b []byte) error {
	if s.between {
		rest := bytes.TrimLeft(b, "\r\n")
		if len(b)-len(rest) >= len("\r\n\r\n") {
			s.ping()
		}
		b = rest
	}
	if len(b) == 0 {
		return nil
	}
	err := s.parser.ParseSIPStream(b, s.message)
	s.between = err == nil
	if err != nil && !errors.Is(err, sip.ErrParseSipPartial) {
		return fmt.Errorf("%w: %w", errFraming, err)
	}
	return nil
}
