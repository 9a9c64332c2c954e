package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Driver stands beside a real product and has it connect. It sees of a leg what the product tells: whether the answer came
// back, or how it was refused. What the product saw of the connection it can't be asked for, so a leg's other end decides.
type Driver struct {
	state   *State
	partner topology.Partner
	clock   verdict.Clock
	product product
}

// A product is how one is driven.
type product interface {
	// ready returns nil once the product takes orders.
	ready(ctx context.Context) error
	// reach has the product send something to a domain of the Edge's and waits for the answer. What happened is in rec.
	reach(ctx context.Context, domain string, rec *verdict.Record) error
}

// driverTimeout bounds one order to a product.
const driverTimeout = 20 * time.Second

// Drive returns the driver of the product that plays a partner on this machine, or in this container, when the product is
// ready.
func (s *State) Drive(ctx context.Context, partner string) (*Driver, error) {
	i := slices.IndexFunc(s.Scenario.Topology.Partners, func(p topology.Partner) bool { return p.Name == partner })
	if i < 0 || s.Products[partner] == "" {
		return nil, &lab.HostError{Host: partner, Reason: "is played by no real product in this lab"}
	}
	start := time.Now()
	passed := start.Sub(s.Epoch)
	d := &Driver{state: s, partner: s.Scenario.Topology.Partners[i], clock: func() time.Duration { return passed + time.Since(start) }}
	switch s.Products[partner] {
	case "prosody":
		d.product = prosody{domain: d.partner.Domain}
	case "kamailio":
		d.product = kamailio{domain: d.partner.Domain}
	}
	const often = 100 * time.Millisecond
	for {
		err := d.product.ready(ctx)
		if err == nil {
			return d, nil
		}
		select {
		case <-time.After(often):
		case <-ctx.Done():
			return nil, fmt.Errorf("%s isn't ready: %w", s.Products[partner], errors.Join(err, ctx.Err()))
		}
	}
}

// Record returns an empty record for the product's end of a leg.
func (d *Driver) Record(string) *verdict.Record {
	return verdict.NewRecord(verdict.Initiator, d.partner.Name, "", d.clock)
}

// Initiate has the product make its end of a leg.
func (d *Driver) Initiate(ctx context.Context, leg string, rec *verdict.Record) error {
	legs := topology.Legs(d.state.Scenario.Topology)
	i := slices.IndexFunc(legs, func(l topology.Leg) bool { return l.ID == leg && l.Initiator == d.partner.Name })
	if i < 0 {
		return fmt.Errorf("%s opens no leg %q", d.partner.Name, leg)
	}
	ctx, cancel := context.WithTimeout(ctx, driverTimeout)
	defer cancel()
	return d.product.reach(ctx, legs[i].Own, rec)
}

// Take returns lab.ErrElsewhere: a product isn't asked for what it saw.
func (d *Driver) Take(context.Context, string) (*verdict.Record, error) { return nil, lab.ErrElsewhere }

// From returns lab.ErrElsewhere.
func (d *Driver) From(context.Context, netip.Addr, time.Duration) (string, error) {
	return "", lab.ErrElsewhere
}

// Now is the time on the clock of events.
func (d *Driver) Now() time.Duration { return d.clock() }

// dial connects to where a product takes orders, which is on loopback only.
func dial(ctx context.Context, network string, port uint16) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String())
	if err != nil {
		return nil, err
	}
	if by, ok := ctx.Deadline(); ok {
		err = c.SetDeadline(by)
	}
	return c, err
}
