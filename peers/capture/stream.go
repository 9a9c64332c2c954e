package capture

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A side is one end of a connection.
type side int

const (
	client side = iota // the end that dialled
	server
)

func (s side) other() side { return 1 - s }

// A stream is one TCP connection, as its ends saw it.
type stream struct {
	name string // its real addresses, which is how the ends find each other
	sub  *Trace // what the accepting end does because of the connection

	mu             sync.Mutex
	client, server netip.AddrPort // as they are shown
	began, up      time.Time      // the client started to dial; the connection was there
	refused        bool

	attached [2]bool
	shut     [2]bool // it has sent its FIN, or closed
	closed   [2]bool
	sent     [2]int // bytes
	got      [2]int
	size     int
	events   []event
	keys     [][]byte // NSS key log lines
	protocol Protocol
	pending  [2][]byte // plaintext that is about to be written
	cut      bool
	done     chan struct{} // closed when every attached end is closed
}

// An event is something that one end did.
type event struct {
	at   time.Time
	from side
	kind kind
	data []byte
	text []byte // the plaintext in data, if that is TLS records
}

type kind int

const (
	write  kind = iota
	halved      // it closed its own direction
	closed      // it closed both
	reset       // it closed both while data that it hadn't read was waiting
	gone        // it closed both after its own direction: nothing goes over the wire
)

// newStream returns an empty stream of a connection to a server that is shown to be at the address at.
func newStream(name string, at netip.Addr) *stream {
	return &stream{name: name, sub: NewTrace(at), done: make(chan struct{})}
}

// connName names a connection the same way at both its ends. It is what the lab's evidence calls it, too.
func connName(client, server net.Addr) string { return client.String() + " > " + server.String() }

func (s *stream) dialled(c net.Conn, since time.Time, from, to netip.AddrPort) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client, s.server, s.began, s.up = from, to, since, time.Now()
	s.attached[client] = true
	return &conn{Conn: c, stream: s, me: client}
}

// over says that nothing more will come.
func (s *stream) over() {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
}

// writes notes what an end is about to write and returns its place, -1 if it isn't kept. It is noted before it is
// written, so that nobody is seen to answer what wasn't sent yet.
func (s *stream) writes(me side, b []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[me] += len(b)
	return s.keep(me, b)
}

func (s *stream) keep(from side, b []byte) int {
	if s.cut || len(b) == 0 {
		return -1
	}
	if s.size+len(b) > maxStream || len(s.events) >= maxEvents {
		s.cut = true
		return -1
	}
	s.size += len(b)
	s.events = append(s.events, event{at: time.Now(), from: from, kind: write, data: slices.Clone(b), text: s.pending[from]})
	s.size += len(s.pending[from])
	s.pending[from] = nil
	return len(s.events) - 1
}

// wrote corrects a write of which only n of want bytes went out.
func (s *stream) wrote(me side, at, n, want int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[me] -= want - n
	if at >= 0 {
		s.events[at].data = s.events[at].data[:n]
	}
}

// read notes what an end has read. The other end has noted it already, unless that one isn't the lab's.
func (s *stream) read(me side, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.attached[me.other()] {
		s.sent[me.other()] += len(b)
		s.keep(me.other(), b)
	}
	s.got[me] += len(b)
}

// ended notes that the other end, if it isn't the lab's, has closed its direction or reset the connection.
func (s *stream) ended(me side, k kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := me.other(); !s.attached[other] && !s.shut[other] {
		s.shut[other] = true
		s.events = append(s.events, event{at: time.Now(), from: other, kind: k})
	}
}

// closes notes that an end closes its direction, or both.
func (s *stream) closes(me side, both bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed[me] || s.shut[me] && !both {
		return
	}
	k := halved
	switch unread := s.sent[me.other()] - s.got[me]; {
	case both && unread > 0:
		k = reset
	case s.shut[me]:
		k = gone
	case both:
		k = closed
	}
	s.shut[me], s.closed[me] = true, both
	s.events = append(s.events, event{at: time.Now(), from: me, kind: k})
	if both && (s.closed[me.other()] || !s.attached[me.other()]) {
		s.over()
	}
}

// key notes a line of the key log. Both ends log the same secrets.
func (s *stream) key(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.keys, func(k []byte) bool { return bytes.Equal(k, line) }) {
		s.keys = append(s.keys, slices.Clone(line))
	}
}
