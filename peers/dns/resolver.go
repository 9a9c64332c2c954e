package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	mdns "github.com/miekg/dns"

	"github.com/edgelab/edgelab/lab/verdict"
)

// ErrNotFound is returned for a name or record that the DNS doesn't hold. Time-outs and other faults are different
// errors: a partner without a record and a lab without DNS must not look alike.
var ErrNotFound = errors.New("no such DNS record")

// A Resolver asks one DNS server and records what it was told. It keeps its sockets for the next question; Close gives
// them back.
type Resolver struct {
	server  netip.AddrPort
	timeout time.Duration
	first   []netip.Addr // addresses that this resolver is given before others
	*sockets
}

// sockets are what the views of one resolver share.
type sockets struct {
	shown netip.AddrPort

	mu     sync.Mutex
	idle   []*mdns.Conn
	closed bool
}

// NewResolver returns a resolver that asks server. timeout bounds one query.
func NewResolver(server netip.AddrPort, timeout time.Duration) *Resolver {
	return &Resolver{server: server, timeout: timeout, sockets: &sockets{shown: server}}
}

// First returns the same resolver for a host that is given these addresses before others of the same name: DNS load
// balancing gives each who asks another order, and this one has drawn theirs.
func (r *Resolver) First(addrs ...netip.Addr) *Resolver {
	return &Resolver{server: r.server, timeout: r.timeout, first: addrs, sockets: r.sockets}
}

// Shown says by which address captures show the server, where that had to bind another. It is called before the first
// question.
func (r *Resolver) Shown(at netip.AddrPort) { r.shown = at }

// Server returns where the server is that is asked.
func (r *Resolver) Server() netip.AddrPort { return r.server }

// SRV looks up service (SIPFederation, XMPPServer) of domain. A record whose only target is "." means that the
// service is decidedly not there (RFC 2782) and counts as not found.
func (r *Resolver) SRV(ctx context.Context, rec *verdict.Record, service, domain string) ([]Target, error) {
	name := service + "." + domain
	msg, err := r.exchange(ctx, name, mdns.TypeSRV)
	var targets []Target
	if err == nil {
		for _, rr := range msg.Answer {
			if s, ok := rr.(*mdns.SRV); ok && answers(s, name) && s.Target != "." {
				targets = append(targets, Target{Host: strings.TrimSuffix(s.Target, "."), Port: s.Port})
			}
		}
		if len(targets) == 0 {
			err = fmt.Errorf("SRV %s: %w", name, ErrNotFound)
		}
	}
	if err != nil {
		rec.Addf(verdict.KindDNS, "SRV %s: %v", name, cause(err))
		return nil, err
	}
	rec.Addf(verdict.KindDNS, "SRV %s is %s:%d", name, targets[0].Host, targets[0].Port)
	return targets, nil
}

// Host looks up the IPv4 addresses of host.
func (r *Resolver) Host(ctx context.Context, rec *verdict.Record, host string) ([]netip.Addr, error) {
	msg, err := r.exchange(ctx, host, mdns.TypeA)
	var addrs []netip.Addr
	if err == nil {
		for _, rr := range msg.Answer {
			if a, ok := rr.(*mdns.A); ok && answers(a, host) {
				if ip, ok := netip.AddrFromSlice(a.A.To4()); ok {
					addrs = append(addrs, ip)
				}
			}
		}
		if len(addrs) == 0 {
			err = fmt.Errorf("A %s: %w", host, ErrNotFound)
		}
	}
	if err != nil {
		rec.Addf(verdict.KindDNS, "A %s: %v", host, cause(err))
		return nil, err
	}
	slices.SortStableFunc(addrs, func(a, b netip.Addr) int { return r.order(a) - r.order(b) })
	text := make([]string, len(addrs))
	for i, a := range addrs {
		text[i] = a.String()
	}
	rec.Addf(verdict.KindDNS, "A %s is %s", host, strings.Join(text, ", "))
	return addrs, nil
}

func (r *Resolver) order(a netip.Addr) int {
	if slices.Contains(r.first, a) {
		return 0
	}
	return 1
}

// answers reports whether a record is about name; the lab's zone has no aliases.
func answers(rr mdns.RR, name string) bool {
	return strings.EqualFold(rr.Header().Name, mdns.Fqdn(name))
}

// Stdlib returns a resolver of the standard library that asks the same server, for packages that want one.
func (r *Resolver) Stdlib() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, r.server.String())
	}}
}

// Close ends the resolver's sockets. Questions under way end on their own.
func (r *Resolver) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, c := range r.idle {
		_ = c.Close()
	}
	r.idle = nil
	return nil
}

func (r *Resolver) exchange(ctx context.Context, name string, typ uint16) (*mdns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	q := new(mdns.Msg)
	q.SetQuestion(mdns.Fqdn(name), typ)
	msg, err := r.ask(ctx, q)
	if err == nil && msg.Truncated {
		msg, err = r.askAtLength(ctx, q)
	}
	what := mdns.TypeToString[typ] + " " + name
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: asking the lab's DNS at %s: %w", what, r.server, err)
	case len(msg.Question) != 1 || !strings.EqualFold(msg.Question[0].Name, q.Question[0].Name) || msg.Question[0].Qtype != typ:
		return nil, fmt.Errorf("%s: the lab's DNS answered another question", what)
	case msg.Rcode == mdns.RcodeNameError:
		return nil, fmt.Errorf("%s: %w", what, ErrNotFound)
	case msg.Rcode != mdns.RcodeSuccess:
		return nil, fmt.Errorf("%s: the lab's DNS answered %s", what, mdns.RcodeToString[msg.Rcode])
	}
	return msg, nil
}

// ask puts one question over UDP. A socket whose question went wrong isn't used again: a late answer to it must not
// meet the next question.
func (r *Resolver) ask(ctx context.Context, q *mdns.Msg) (*mdns.Msg, error) {
	c := mdns.Client{Net: "udp"}
	conn, err := r.take(ctx, &c)
	if err != nil {
		return nil, err
	}
	udp := conn.Conn
	conn.Conn = r.recorded(ctx, udp)
	msg, _, err := c.ExchangeWithConnContext(ctx, q, conn)
	conn.Conn = udp
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		_ = conn.Close()
	} else {
		r.idle = append(r.idle, conn)
	}
	return msg, nil
}

func (r *Resolver) take(ctx context.Context, c *mdns.Client) (*mdns.Conn, error) {
	r.mu.Lock()
	if n := len(r.idle); n > 0 {
		conn := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return conn, nil
	}
	r.mu.Unlock()
	return c.DialContext(ctx, r.server.String())
}

// cause shortens an error for the evidence, where the name stands already.
func cause(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrNotFound
	}
	return err
}
