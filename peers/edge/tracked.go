package edge

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/edgelab/edgelab/peers"
)

// allocationLife is how long a client may say nothing once it has said something whole: the default lifetime of an
// allocation (RFC 8656 §3.2).
const allocationLife = 10 * time.Minute

// acceptPause keeps a machine without file descriptors from spinning.
const acceptPause = 10 * time.Millisecond

// tracked is a listener that does for a TURN server what that leaves out: it can end the connections it has accepted,
// bounds how many one address has and how long each may take to say something, and survives a lack of file descriptors.
type tracked struct {
	net.Listener
	first time.Duration // for the first whole frame

	wg   sync.WaitGroup
	mu   sync.Mutex
	open map[*trackedConn]struct{} // nil once drained
}

func track(ln net.Listener, first time.Duration) *tracked {
	return &tracked{Listener: ln, first: first, open: map[*trackedConn]struct{}{}}
}

func (t *tracked) Accept() (net.Conn, error) {
	for {
		c, err := t.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil {
			time.Sleep(acceptPause)
			continue
		}
		tc := &trackedConn{Conn: c, owner: t}
		switch t.enter(tc) {
		case entered:
			_ = c.SetDeadline(time.Now().Add(t.first)) // fails on a closed connection only; the first read says so
			return tc, nil
		case tooMany:
			_ = c.Close()
		case drained:
			_ = c.Close()
			return nil, net.ErrClosed
		}
	}
}

type entry int

const (
	entered entry = iota
	tooMany
	drained
)

func (t *tracked) enter(c *trackedConn) entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		return drained
	}
	same := 0
	for other := range t.open {
		if host(other) == host(c) {
			same++
		}
	}
	if same >= peers.MaxPerSource {
		return tooMany
	}
	t.wg.Add(1)
	t.open[c] = struct{}{}
	return entered
}

func host(c net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr()
}

func (t *tracked) drain() {
	t.mu.Lock()
	for c := range t.open {
		_ = c.Conn.Close() // its reader then closes the rest
	}
	t.open = nil
	t.mu.Unlock()
	t.wg.Wait()
}

type trackedConn struct {
	net.Conn
	owner  *tracked
	once   sync.Once
	frames frames
}

// Read hands on what comes as long as it is framed, and gives time for more only after whole frames.
func (c *trackedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	whole, bad := c.frames.see(b[:n])
	if bad != nil {
		return 0, bad
	}
	if whole {
		_ = c.SetDeadline(time.Now().Add(allocationLife))
	}
	return n, err
}

func (c *trackedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.owner.mu.Lock()
		delete(c.owner.open, c)
		c.owner.mu.Unlock()
		c.owner.wg.Done()
	})
	return err
}
