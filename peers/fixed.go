package peers

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
)

// NewFixedNet returns a network whose hosts have the given addresses and no others: one that several processes share.
// Ports are the real ones, because one process can't know on which other port another had to listen. The addresses are
// loopback ones, or private ones (RFC 1918) for hosts in containers.
func NewFixedNet(hosts map[string]netip.Addr) (*Net, error) {
	for name, a := range hosts {
		if err := CheckAddress(a); err != nil {
			return nil, fmt.Errorf("host %s: %w", name, err)
		}
	}
	return &Net{wiring: &wiring{
		fixed: true, hosts: maps.Clone(hosts), ports: map[netip.AddrPort]netip.AddrPort{}, virtual: map[netip.Addr]netip.Addr{},
	}}, nil
}

// CheckAddress says whether a host of the lab may have an address.
func CheckAddress(a netip.Addr) error {
	if !a.Is4() || !a.IsLoopback() && !a.IsPrivate() {
		return fmt.Errorf("%s is neither in 127.0.0.0/8 nor private (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16)", a)
	}
	return nil
}

// Addresses returns the hosts that have an address so far.
func (n *Net) Addresses() map[string]netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.hosts)
}

// Redirect makes what is dialled at one address and port go to another: where a host that isn't the lab's answers.
func (n *Net) Redirect(at, to netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ports[at] = to
}

var errOutside = errors.New("not an address of the lab: nothing of a run leaves it")

// within says whether an address may be dialled.
func (n *Net) within(a netip.Addr) error {
	if a.IsLoopback() {
		return nil
	}
	if n.fixed {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, h := range n.hosts {
			if h == a {
				return nil
			}
		}
		return errOutside
	}
	return errors.New("not a loopback address: nothing of a run leaves this machine")
}
