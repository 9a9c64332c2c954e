package capture

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of what one leg keeps. What is beyond them isn't recorded, and the capture says that it was cut short.
const (
	maxStream    = 1 << 20 // bytes of one connection
	maxEvents    = 4096    // writes on one connection
	maxStreams   = 64      // connections of one trace
	maxDatagrams = 256     // datagrams of one trace
)

// A Trace holds what one host sent and received because of one leg: the connections that it opened, with all that the
// other ends did because of them, and its datagrams. It is safe for use by several goroutines.
type Trace struct {
	self netip.Addr

	mu      sync.Mutex
	streams []*stream
	grams   []datagram
	cut     bool
}

// A datagram is one UDP datagram.
type datagram struct {
	at       time.Time
	from, to netip.AddrPort
	data     []byte
}

// NewTrace returns an empty trace of what the host with the address self does.
func NewTrace(self netip.Addr) *Trace { return &Trace{self: self} }

type traceKey struct{}

// With returns a context in which what is dialled and asked goes to t.
func With(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// From returns the context's trace, nil if nothing is recorded.
func From(ctx context.Context) *Trace {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	return t
}

// Of returns a context in which what an acceptor does because of raw, a connection that it accepted, is recorded with
// that connection. It is ctx if raw isn't recorded.
func Of(ctx context.Context, raw net.Conn) context.Context {
	if c, ok := raw.(*conn); ok {
		return With(ctx, c.stream.sub)
	}
	return ctx
}

// Stream records a TCP connection that c's end has opened, from and to as they are shown, since before it dialled. A nil
// Trace records nothing.
func (t *Trace) Stream(c net.Conn, since time.Time, from, to netip.AddrPort) net.Conn {
	if t == nil {
		return c
	}
	return t.add(newStream(connName(c.LocalAddr(), c.RemoteAddr()), to.Addr()), c, since, from, to)
}

func (t *Trace) add(s *stream, c net.Conn, since time.Time, from, to netip.AddrPort) net.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.streams) >= maxStreams {
		t.cut = true
		return c
	}
	t.streams = append(t.streams, s)
	return s.dialled(c, since, from, to)
}

// Refused records that to refused a connection. The port that it was tried from isn't known, and is shown as 0.
func (t *Trace) Refused(since time.Time, from netip.Addr, to netip.AddrPort) {
	if t == nil {
		return
	}
	s := newStream("", to.Addr())
	s.client, s.server, s.began, s.up = netip.AddrPortFrom(from, 0), to, since, time.Now()
	s.refused = true
	s.over()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.streams) < maxStreams {
		t.streams = append(t.streams, s)
	}
}

// Datagram records a UDP datagram.
func (t *Trace) Datagram(at time.Time, from, to netip.AddrPort, data []byte) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.grams) >= maxDatagrams {
		t.cut = true
		return
	}
	t.grams = append(t.grams, datagram{at, from, to, slices.Clone(data)})
}

// Self returns the address that the host's questions come from.
func (t *Trace) Self() netip.Addr { return t.self }

// Wait waits until both ends of every connection are closed, as far as they are recorded, or until ctx ends: an end that
// nobody waits for (a TURN server's) closes a little later than its leg.
func (t *Trace) Wait(ctx context.Context) {
	streams, _, _ := t.all()
	for _, s := range streams {
		select {
		case <-s.done:
		case <-ctx.Done():
			return
		}
	}
}

// all returns the trace's connections and datagrams, with those that the far ends of its connections opened in turn.
func (t *Trace) all() (streams []*stream, grams []datagram, cut bool) {
	t.mu.Lock()
	own := slices.Clone(t.streams)
	grams, cut = slices.Clone(t.grams), t.cut
	t.mu.Unlock()
	for _, s := range own {
		streams = append(streams, s)
		more, g, c := s.sub.all()
		streams, grams, cut = append(streams, more...), append(grams, g...), cut || c
	}
	return streams, grams, cut
}
