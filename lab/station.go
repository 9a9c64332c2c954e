package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/peers/sip"
	"github.com/edgelab/edgelab/scenarios"
)

// A Station is the part of a standing lab that one process plays.
type Station struct {
	Setup *Setup
	run   *run
	world *world
}

// StandOptions say how a station stands.
type StandOptions struct {
	KeyLog   io.Writer
	Timeouts peers.Timeouts
	// Incoming is told of each connection that somebody opened to this station, when it is over; nil: nobody is. It is
	// called from several goroutines.
	Incoming func(Incoming)
}

// An Incoming is a connection that a station accepted, as this end saw it.
type Incoming struct {
	At       time.Time // when it was over
	Acceptor string    // the actor: "edge", "webconf"
	Conn     string    // "10.84.0.9:40122 > 10.84.0.10:5061"
	Verdict  verdict.Verdict
	Events   []verdict.Event
}

// kept is how many records of connections that nobody asks for a station keeps.
const kept = 1000

// Stand starts the given hosts of a setup, with the credentials that are theirs, in this process. nil hosts are all but those
// that are elsewhere; only then may the setup's addresses be left to the station, which fills them in. Errors are a
// *HostError, or the machine's.
func Stand(ctx context.Context, setup *Setup, hosts []string, credentials map[string]Credential, o StandOptions) (*Station, error) {
	known := Hosts(setup.Scenario)
	for _, h := range hosts {
		if _, away := setup.Elsewhere[h]; away || !slices.Contains(known, h) {
			return nil, &HostError{Host: h, Reason: "isn't in " + setup.Scenario.Name, Known: known}
		}
	}
	r, err := newRun(Options{Seed: setup.Seed, KeyLog: o.KeyLog, Timeouts: o.Timeouts})
	if err != nil {
		return nil, err
	}
	r.clock = clockSince(setup.Epoch)
	n, err := setup.network()
	if err != nil {
		return nil, err
	}
	w := r.empty(setup.Scenario, n)
	w.given, w.plays = setup, hosts
	st := &Station{Setup: setup, run: r, world: w}
	w.journal.Stand(kept, st.watcher(o.Incoming))
	for key, c := range credentials {
		if w.issued[key], err = c.issued(); err != nil {
			return nil, fmt.Errorf("certificate %q: %w", key, err)
		}
	}
	ctx, w.cancel = context.WithCancel(ctx)
	for _, step := range []func(context.Context) error{w.names, w.makeHosts, w.listen} {
		if err := step(ctx); err != nil {
			st.Close()
			return nil, err
		}
	}
	if setup.Addresses == nil {
		setup.Addresses = n.Addresses()
	}
	return st, nil
}

// clockSince returns a monotonic clock that begins at epoch, the same one in every process of a machine.
func clockSince(epoch time.Time) verdict.Clock {
	start := time.Now()
	passed := start.Sub(epoch)
	return func() time.Duration { return passed + time.Since(start) }
}

// network returns the network of the setup.
func (s *Setup) network() (*peers.Net, error) {
	var n *peers.Net
	var err error
	if s.Addresses == nil {
		n, err = peers.NewNet(loopback(false))
	} else {
		n, err = peers.NewFixedNet(s.Addresses)
	}
	if err != nil {
		return nil, err
	}
	for _, p := range s.Scenario.Topology.Partners {
		if at, ok := s.Elsewhere[p.Name]; ok {
			n.Redirect(netip.AddrPortFrom(n.Address(p.Name), portOf(p)), at)
		}
	}
	return n, nil
}

func portOf(p topology.Partner) uint16 {
	if p.Protocol == topology.XMPP {
		return edge.XMPPPort
	}
	return sip.FederationPort
}

// Close ends what the station started and waits for it.
func (s *Station) Close() {
	s.world.close()
	s.run.close()
}

// Bound returns where an address and port of the lab in fact answers.
func (s *Station) Bound(at netip.AddrPort) netip.AddrPort { return s.world.net.Bound(at) }

// Now is the time on the clock of events.
func (s *Station) Now() time.Duration { return s.run.clock() }

// Initiate makes the initiator's end of a leg, which must be one of this station's. Its error is for telling the lab's own
// faults by; what happened is in rec.
func (s *Station) Initiate(ctx context.Context, leg string, rec *verdict.Record) error {
	l, ok := s.leg(leg)
	switch {
	case !ok:
		return fmt.Errorf("%s has no leg %q", s.Setup.Scenario.Name, leg)
	case !s.world.has(l.Initiator):
		return fmt.Errorf("%s isn't played here", l.Initiator)
	}
	return s.world.initiate(ctx, l, rec)
}

// Record returns an empty record for the initiator's end of a leg.
func (s *Station) Record(leg string) *verdict.Record {
	l, _ := s.leg(leg)
	return verdict.NewRecord(verdict.Initiator, l.Initiator, "", s.run.clock)
}

func (s *Station) leg(id string) (topology.Leg, bool) {
	legs := topology.Legs(s.Setup.Scenario.Topology)
	i := slices.IndexFunc(legs, func(l topology.Leg) bool { return l.ID == id })
	if i < 0 {
		return topology.Leg{}, false
	}
	return legs[i], true
}

// Take returns this end's record of a connection, when it is complete.
func (s *Station) Take(ctx context.Context, conn string) (*verdict.Record, error) {
	return s.world.journal.Take(ctx, conn)
}

// From waits for a connection that comes from an address, opened since a time on the clock of events, and returns its name.
func (s *Station) From(ctx context.Context, addr netip.Addr, since time.Duration) (string, error) {
	const often = 20 * time.Millisecond
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		conn, ok := s.world.journal.Find(func(r *verdict.Record) bool {
			events := r.Events()
			caller, _ := verdict.Ends(r.Conn())
			return len(events) > 0 && events[0].At >= since && caller.Addr() == addr
		})
		if ok {
			return conn, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// watcher makes of a finished record what is told of it.
func (s *Station) watcher(tell func(Incoming)) func(*verdict.Record) {
	if tell == nil {
		return nil
	}
	return func(r *verdict.Record) {
		t := r.Transcript()
		tell(Incoming{
			At: time.Now(), Acceptor: t.Host, Conn: t.Conn, Events: t.Events,
			Verdict: verdict.Draw(verdict.Evidence{Conn: t.Conn, Events: t.Events, OneSided: true}),
		})
	}
}

// has reports whether this process plays a host.
func (w *world) has(host string) bool {
	if w.given != nil {
		if _, away := w.given.Elsewhere[host]; away {
			return false
		}
	}
	switch host {
	case topology.ActorMRAS, topology.ActorWebConf:
		host = topology.ActorEdge
	}
	return w.plays == nil || slices.Contains(w.plays, host)
}

// names serves DNS and CRLs, or finds them where another process does.
func (w *world) names(ctx context.Context) error {
	if w.has(HostDNS) {
		if err := w.serveDNS(ctx); err != nil {
			return err
		}
		w.given.Resolver = w.resolver.Server()
		for _, p := range w.given.Scenario.Topology.Partners {
			if at, ok := w.given.Elsewhere[p.Name]; ok {
				w.zone.SetA(p.Host, at.Addr())
				w.zone.SetSRV(srvOf(p), dns.Target{Host: p.Host, Port: at.Port()})
			}
		}
		return w.serveCRLs(ctx)
	}
	fillZone(w.zone, w.scenario.Topology, w.net) // nobody asks it; the network learns where load balancers lead
	w.resolver = dns.NewResolver(w.given.Resolver, w.run.opts.Timeouts.Exchange)
	w.closers = append(w.closers, w.resolver.Close)
	w.crls = peers.NewCRLCache(ctx, w.net, w.resolver, actorCRL, w.run.opts.Timeouts.Exchange)
	return nil
}

func srvOf(p topology.Partner) string {
	if p.Protocol == topology.XMPP {
		return dns.XMPPServer + "." + p.Domain
	}
	return dns.SIPFederation + "." + p.Domain
}

// listen starts what listens of the hosts that this process plays.
func (w *world) listen(ctx context.Context) error {
	t := w.scenario.Topology
	switch {
	case w.has(topology.ActorEdge):
		if err := w.startEdges(ctx); err != nil {
			return err
		}
	case w.has(topology.ActorNextHop):
		c, err := edge.ListenNextHop(ctx, t, w.hosts[topology.ActorNextHop])
		if err != nil {
			return err
		}
		w.closers = append(w.closers, c.Close)
	}
	for _, p := range t.Partners {
		if !w.has(p.Name) {
			continue
		}
		if err := w.startPartner(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// Ends are both ends of the legs, wherever they run.
type Ends interface {
	// Initiate makes a leg's connection from its initiator and speaks over it. What happened is in the record; the error is
	// for telling the lab's own faults by.
	Initiate(context.Context, topology.Leg, *verdict.Record) error
	// Take returns the acceptor's record of a connection when it is complete. ErrElsewhere says that the acceptor isn't the
	// lab's.
	Take(ctx context.Context, conn string) (*verdict.Record, error)
}

// ErrElsewhere says that an end of a connection isn't the lab's, so that it can't be asked for its evidence.
var ErrElsewhere = errors.New("not an end of the lab's")

// Initiate makes a leg of a world that is all in this process.
func (w *world) Initiate(ctx context.Context, l topology.Leg, rec *verdict.Record) error {
	return w.initiate(ctx, l, rec)
}

// Take takes from the journal of this process.
func (w *world) Take(ctx context.Context, conn string) (*verdict.Record, error) {
	return w.journal.Take(ctx, conn)
}

// RunAt is Run for the scenario of a lab that stands: its legs are made where their initiators run, and both ends are asked
// for their evidence. The lab's own proof is made in this process.
func RunAt(ctx context.Context, setup *Setup, ends Ends, opts Options) (*Result, error) {
	r, err := newRun(opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	began := r.clock()
	res := &Result{Version: ResultVersion, Seed: setup.Seed, Scenarios: []ScenarioResult{}}
	defer func() { res.Duration = r.clock() - began }()
	if res.Controls, err = r.prove(ctx); err != nil || !res.ControlsHold() {
		return res, err
	}
	r.stand = func(context.Context, job) (*world, error) {
		w := r.empty(setup.Scenario, nil)
		w.given, w.ends, w.cancel = setup, ends, func() {}
		return w, nil
	}
	took := r.clock() - began
	r.clock = clockSince(setup.Epoch) // the one that the ends have
	began = r.clock() - took
	for _, s := range r.all(ctx, []scenarios.Scenario{setup.Scenario}, opts.Select) {
		res.Scenarios = append(res.Scenarios, s.ScenarioResult)
	}
	return res, ctx.Err()
}
