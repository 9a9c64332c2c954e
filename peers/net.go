package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/edgelab/edgelab/peers/capture"
)

// A Net is the loopback network of one lab: each host has an address of its own in 127.0.0.0/8, and listens on the
// port it has in real life where that port can be bound, on another where it can't. It is safe for concurrent use.
type Net struct {
	*wiring
	// behind says which server a virtual address leads to for this view's dials; nil: as Balance says.
	behind map[netip.Addr]netip.Addr
}

// wiring is what every view of a network shares.
type wiring struct {
	base  netip.Addr
	fixed bool         // hosts holds all that there are, and ports are the real ones
	tap   *capture.Tap // nil: nothing is recorded

	mu      sync.Mutex
	next    uint32
	hosts   map[string]netip.Addr
	ports   map[netip.AddrPort]netip.AddrPort // as dialled -> as bound
	virtual map[netip.Addr]netip.Addr         // addresses of load balancers -> the server behind
}

// NewNet returns the network whose hosts have the addresses that follow base: 127.16.0.0 gives 127.16.0.1 and on.
// base must be a loopback address; the lab never binds to anything else.
func NewNet(base netip.Addr) (*Net, error) {
	if !base.Is4() || !base.IsLoopback() {
		return nil, fmt.Errorf("lab network: %s isn't in 127.0.0.0/8", base)
	}
	return &Net{wiring: &wiring{
		base: base, hosts: map[string]netip.Addr{}, ports: map[netip.AddrPort]netip.AddrPort{}, virtual: map[netip.Addr]netip.Addr{},
	}}, nil
}

// Balance makes an address one of a load balancer: what is dialled there is led to a server, as destination NAT does it.
func (n *Net) Balance(address, server netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.virtual[address] = server
}

// Behind returns the same network for hosts whose connections the load balancers lead to other servers: those that the
// map has for their addresses.
func (n *Net) Behind(servers map[netip.Addr]netip.Addr) *Net {
	return &Net{wiring: n.wiring, behind: servers}
}

// Server returns the server that an address leads to: the one behind it if it is a load balancer's, else the address.
func (n *Net) Server(address netip.Addr) netip.Addr {
	if server, ok := n.behind[address]; ok {
		return server
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if server, ok := n.virtual[address]; ok {
		return server
	}
	return address
}

// Record has the network's connections recorded from now on, those that are dialled with a context that has a
// capture.Trace.
func (n *Net) Record() { n.tap = capture.NewTap() }

// Address returns the address of a host, giving it the next free one when it is first asked for. Where the system
// has no loopback aliases (macOS), every host shares 127.0.0.1 and only ports tell them apart.
func (n *Net) Address(host string) netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	if a, ok := n.hosts[host]; ok || n.fixed {
		return a
	}
	n.next++
	b := n.base.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += n.next
	a := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	n.hosts[host] = a
	return a
}

// Listen listens for host on port, or on another port where that one is taken or privileged. Dial finds either.
func (n *Net) Listen(ctx context.Context, host string, port uint16) (net.Listener, error) {
	want := netip.AddrPortFrom(n.Address(host), port)
	var lc net.ListenConfig
	var first error
	for _, at := range n.candidates(want) {
		ln, err := lc.Listen(ctx, "tcp4", at.String())
		if err == nil {
			n.bind(want, ln.Addr())
			return n.tap.Listener(ln, want), nil
		}
		if first == nil {
			first = err
		}
		if !retryable(err) {
			break
		}
	}
	return nil, &EnvError{Op: "listen", Host: host, Addr: want, Err: first}
}

// ListenPacket is Listen for UDP.
func (n *Net) ListenPacket(ctx context.Context, host string, port uint16) (net.PacketConn, error) {
	want := netip.AddrPortFrom(n.Address(host), port)
	var lc net.ListenConfig
	var first error
	for _, at := range n.candidates(want) {
		pc, err := lc.ListenPacket(ctx, "udp4", at.String())
		if err == nil {
			return pc, nil
		}
		if first == nil {
			first = err
		}
		if !retryable(err) {
			break
		}
	}
	return nil, &EnvError{Op: "listen", Host: host, Addr: want, Err: first}
}

// candidates are the places to try, best first.
func (n *Net) candidates(want netip.AddrPort) []netip.AddrPort {
	if n.fixed {
		return []netip.AddrPort{want} // another process couldn't find any other
	}
	return []netip.AddrPort{
		want,
		netip.AddrPortFrom(want.Addr(), 0),
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0),
	}
}

func (n *Net) bind(want netip.AddrPort, bound net.Addr) {
	at, err := netip.ParseAddrPort(bound.String())
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ports[want] = at
}

// Bound returns where an address and port in fact answers, which differs when the port couldn't be had.
func (n *Net) Bound(at netip.AddrPort) netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	if b, ok := n.ports[at]; ok {
		return b
	}
	return at
}

// Dial connects host to the given address and port, from host's own address.
func (n *Net) Dial(ctx context.Context, host string, to netip.AddrPort) (net.Conn, error) {
	at := n.Bound(netip.AddrPortFrom(n.Server(to.Addr()), to.Port()))
	if err := n.within(at.Addr()); err != nil {
		return nil, fmt.Errorf("dial %s: %w", at, err)
	}
	own, since := n.Address(host), time.Now()
	var d net.Dialer
	if own.IsLoopback() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(own, 0))
	} // between containers the network that both are in decides
	c, err := d.DialContext(ctx, "tcp4", at.String())
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		d.LocalAddr = nil // no loopback aliases here
		c, err = d.DialContext(ctx, "tcp4", at.String())
	}
	if err != nil {
		if n.tap != nil && errors.Is(err, syscall.ECONNREFUSED) {
			capture.From(ctx).Refused(since, own, to)
		}
		return nil, err
	}
	return n.tap.Dialled(ctx, c, since, netip.AddrPortFrom(own, capture.PortOf(c.LocalAddr())), to), nil
}

// An EnvError is a fault of the machine the lab runs on (a port, an address, file descriptors), never of a partner.
type EnvError struct {
	Op   string
	Host string
	Addr netip.AddrPort
	Err  error
}

func (e *EnvError) Error() string {
	return fmt.Sprintf("%s for %s on %s: %v", e.Op, e.Host, e.Addr, e.Err)
}

func (e *EnvError) Unwrap() error { return e.Err }

func retryable(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EADDRNOTAVAIL)
}
