package capture

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A Tap finds the two ends of each connection of a network that is recorded. A nil Tap records nothing.
type Tap struct {
	mu   sync.Mutex
	open map[string]*stream // by name, those of which one end has come
}

// NewTap returns a tap for one network.
func NewTap() *Tap { return &Tap{open: map[string]*stream{}} }

// Dialled records c with the context's trace, if there is one: a connection that was being opened since then, from and
// to as they are shown.
func (t *Tap) Dialled(ctx context.Context, c net.Conn, since time.Time, from, to netip.AddrPort) net.Conn {
	trace := From(ctx)
	if t == nil || trace == nil {
		return c
	}
	name := connName(c.LocalAddr(), c.RemoteAddr())
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.open[name]
	if ok && !s.has(client) {
		delete(t.open, name)
	} else { // what is there is of an older connection, whose port has been given out again
		s = newStream(name, to.Addr())
		t.open[name] = s
	}
	return trace.add(s, c, since, from, to)
}

// Listener returns ln with each connection that it accepts recorded. at is where it is shown to listen.
func (t *Tap) Listener(ln net.Listener, at netip.AddrPort) net.Listener {
	if t == nil {
		return ln
	}
	return &listener{ln, t, at}
}

type listener struct {
	net.Listener
	tap *Tap
	at  netip.AddrPort
}

// Accept is net.Listener.Accept.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.tap.accepted(c, l.at), nil
}

func (t *Tap) accepted(c net.Conn, at netip.AddrPort) net.Conn {
	name := connName(c.RemoteAddr(), c.LocalAddr())
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.open[name]
	if ok && !s.has(server) {
		delete(t.open, name)
	} else {
		s = newStream(name, at.Addr())
		t.open[name] = s
	}
	s.mu.Lock()
	s.attached[server] = true
	s.mu.Unlock()
	return &conn{Conn: c, stream: s, me: server, tap: t}
}

// forget drops an accepted connection that nobody of the lab has dialled.
func (t *Tap) forget(s *stream) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[s.name] == s {
		delete(t.open, s.name)
	}
}

// PortOf returns the port of a TCP or UDP address, 0 if it has none.
func PortOf(a net.Addr) uint16 {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return 0
	}
	return at.Port()
}

func (s *stream) has(end side) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attached[end]
}
