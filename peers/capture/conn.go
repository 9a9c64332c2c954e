package capture

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// A conn is one end of a recorded connection.
type conn struct {
	net.Conn
	stream *stream
	me     side
	tap    *Tap // the one that it was accepted through
}

// Read is net.Conn.Read.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.stream.read(c.me, b[:n])
	}
	switch {
	case errors.Is(err, io.EOF):
		c.stream.ended(c.me, halved)
	case errors.Is(err, syscall.ECONNRESET):
		c.stream.ended(c.me, reset)
	}
	return n, err
}

// Write is net.Conn.Write.
func (c *conn) Write(b []byte) (int, error) {
	at := c.stream.writes(c.me, b)
	n, err := c.Conn.Write(b)
	if n < len(b) {
		c.stream.wrote(c.me, at, n, len(b))
	}
	return n, err
}

// CloseWrite closes this end's direction, as net.TCPConn's does.
func (c *conn) CloseWrite() error {
	t, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	c.stream.closes(c.me, false)
	return t.CloseWrite()
}

// Close is net.Conn.Close.
func (c *conn) Close() error {
	c.stream.closes(c.me, true)
	c.tap.forget(c.stream)
	return c.Conn.Close()
}

// KeyLog returns where the TLS secrets of a connection are to be logged (tls.Config.KeyLogWriter), nil if it isn't
// recorded.
func KeyLog(raw net.Conn) io.Writer {
	if c, ok := raw.(*conn); ok {
		return keyLog{c.stream}
	}
	return nil
}

type keyLog struct{ *stream }

func (k keyLog) Write(line []byte) (int, error) {
	k.key(line)
	return len(line), nil
}
