// Package dns is the lab's own DNS: a server on loopback that holds the A and SRV records which a topology implies,
// and the resolver by which peers ask it and note what they were told. No query of the lab ever leaves the machine.
package dns

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Service labels of the SRV records that federation looks up.
const (
	SIPFederation = "_sipfederationtls._tcp" // [topic "Determine DNS requirements"]
	XMPPServer    = "_xmpp-server._tcp"      // RFC 6120 §3.2.1
)

// A Target is what an SRV record points to.
type Target struct {
	Host string // without a trailing dot
	Port uint16
}

// A Zone holds every record of one lab. Names are case-insensitive and written without a trailing dot. It is safe
// for concurrent use.
type Zone struct {
	mu  sync.RWMutex
	a   map[string][]netip.Addr
	srv map[string][]Target
}

// NewZone returns an empty zone.
func NewZone() *Zone { return &Zone{a: map[string][]netip.Addr{}, srv: map[string][]Target{}} }

// SetA replaces the addresses of host.
func (z *Zone) SetA(host string, addrs ...netip.Addr) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.a[canonical(host)] = slices.Clone(addrs)
}

// SetSRV replaces the record "service.domain". No target takes it away.
func (z *Zone) SetSRV(name string, targets ...Target) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if len(targets) == 0 {
		delete(z.srv, canonical(name))
		return
	}
	z.srv[canonical(name)] = slices.Clone(targets)
}

// A returns the addresses of host.
func (z *Zone) A(host string) []netip.Addr {
	z.mu.RLock()
	defer z.mu.RUnlock()
	return z.a[canonical(host)]
}

// SRV returns the targets of a record by its full name.
func (z *Zone) SRV(name string) []Target {
	z.mu.RLock()
	defer z.mu.RUnlock()
	return z.srv[canonical(name)]
}

// exists reports whether anything is held under name, which tells NODATA from NXDOMAIN (RFC 2308 §2).
func (z *Zone) exists(name string) bool { return len(z.A(name)) > 0 || len(z.SRV(name)) > 0 }

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
