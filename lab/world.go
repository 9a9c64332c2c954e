package lab

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/peers/wire"
	"github.com/edgelab/edgelab/scenarios"
)

// A world is everything that one scenario's legs need, up and running: network, DNS, certificates, CRLs, the Edge,
// its next hop, and the partners.
type world struct {
	run      *run
	scenario scenarios.Scenario
	journal  *verdict.Journal
	net      *peers.Net
	zone     *dns.Zone
	resolver *dns.Resolver
	crls     *peers.CRLCache
	issued   map[string]*ca.Issued // by certificate key
	hosts    map[string]*peers.Host
	edges    map[string]*edge.Edge // by node; the only one's is ""
	given    *Setup                // where the certificates came from; nil: the run's own CAs
	plays    []string              // the hosts that this process plays; nil: all
	ends     Ends

	closers []func() error
	cancel  context.CancelFunc

	mu    sync.Mutex
	taken map[*verdict.Record]bool
}

// Products of the deployment's own ends. The Edge's is the topology's to say.
const (
	productUser    = "lync-client"
	productNextHop = "lync-frontend"
	productGateway = "lync-xmpp-2013" // the XMPP proxy on the Edge with its gateway on the Front End
)

// build makes a world in which a job's legs can be made.
func (r *run) build(ctx context.Context, j job) (*world, error) {
	s := j.scenario
	n, err := peers.NewNet(r.nextNet(s.Topology))
	if err != nil {
		return nil, err
	}
	if j.captures != nil {
		n.Record()
	}
	w := r.empty(s, n)
	ctx, w.cancel = context.WithCancel(ctx)
	for _, step := range []func(context.Context) error{w.serveDNS, w.issue, w.serveCRLs, w.makeHosts, w.startEdges} {
		if err := step(ctx); err != nil {
			w.close()
			return nil, err
		}
	}
	wanted := map[string]bool{}
	for _, l := range j.legs {
		if l.Partner != nil {
			wanted[l.Partner.Name] = true
		}
	}
	for _, p := range s.Topology.Partners {
		if !wanted[p.Name] {
			continue
		}
		if err := w.startPartner(ctx, p); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

// empty returns a world of which nothing stands yet.
func (r *run) empty(s scenarios.Scenario, n *peers.Net) *world {
	w := &world{
		run: r, scenario: s, net: n, zone: dns.NewZone(), journal: verdict.NewJournal(r.clock),
		issued: map[string]*ca.Issued{}, hosts: map[string]*peers.Host{}, edges: map[string]*edge.Edge{}, taken: map[*verdict.Record]bool{},
	}
	w.ends = w
	return w
}

// nextNet returns the network of the next scenario: 127.16.0.0/24, 127.16.1.0/24, and on. One with more hosts than that
// takes several in a row.
func (r *run) nextNet(t topology.Topology) netip.Addr {
	const (
		first, blocks = 16 << 8, 200 << 8 // 127.16.0.0 to 127.215.255.0
		most          = 240               // hosts in a block
		own           = 8                 // hosts that aren't partners, and for each Edge Server
	)
	n := uint32(len(t.Partners)+own*(1+len(nodesOf(t))))/most + 1
	i := (r.lastNet.Add(n) - n) % blocks
	if i+n > blocks {
		i = 0
	}
	i += first
	return netip.AddrFrom4([4]byte{127, byte(i >> 8), byte(i), 0})
}

// close ends the world and waits for it.
func (w *world) close() {
	for _, c := range slices.Backward(w.closers) {
		_ = c() // what was seen is in the records; a listener that closes badly changes nothing of it
	}
	w.cancel()
}

func (w *world) serveDNS(ctx context.Context) error {
	// One port for UDP and TCP: the usual one, or whichever the kernel gives for UDP and is free for TCP too.
	const usual, tries = 53, 8
	var err error
	for try := range tries {
		var udp net.PacketConn
		var tcp net.Listener
		if udp, err = w.net.ListenPacket(ctx, actorDNS, []uint16{usual, 0}[min(try, 1)]); err != nil {
			return err
		}
		var lc net.ListenConfig
		if tcp, err = lc.Listen(ctx, "tcp4", udp.LocalAddr().String()); err != nil {
			_ = udp.Close()
			continue
		}
		srv, err := dns.Serve(w.zone, udp, tcp)
		if err != nil {
			return err
		}
		w.closers = append(w.closers, srv.Close)
		w.resolver = dns.NewResolver(srv.Addr(), w.run.opts.Timeouts.Exchange)
		w.resolver.Shown(netip.AddrPortFrom(w.net.Address(actorDNS), usual))
		w.closers = append(w.closers, w.resolver.Close)
		fillZone(w.zone, w.scenario.Topology, w.net)
		return nil
	}
	return fmt.Errorf("lab DNS: no port that is free for UDP and TCP: %w", err)
}

// issue has every certificate of the scenario made, several at a time: each may need a CA of its own.
func (w *world) issue(ctx context.Context) error {
	set := w.run.authorities(w.scenario.At)
	keys := w.scenario.CertificateKeys()
	issued := make([]*ca.Issued, len(keys))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, key := range keys {
		g.Go(func() error {
			order, err := w.scenario.Order(key)
			if err != nil {
				return err
			}
			if order.None {
				issued[i] = &ca.Issued{Order: order}
				return nil
			}
			if in, ok := w.scenario.Installed[key]; ok {
				issued[i] = installed(in, order)
				return nil
			}
			if issued[i], err = set.Issue(ctx, caOf(key), order); err != nil {
				return fmt.Errorf("certificate %q: %w", key, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, key := range keys {
		w.issued[key] = issued[i]
	}
	return nil
}

// installed returns a certificate that exists already in the form of one that was issued.
func installed(in scenarios.Installed, order plan.Order) *ca.Issued {
	t := tls.Certificate{PrivateKey: in.Key, Leaf: in.Chain[0]}
	for _, c := range in.Chain {
		t.Certificate = append(t.Certificate, c.Raw)
	}
	return &ca.Issued{Order: order, Leaf: in.Chain[0], TLS: t}
}

// caOf returns the CA that issues the certificate with the given key.
func caOf(key string) string {
	key, _ = plan.Shared(key)
	switch key {
	case plan.External:
		return ca.Public
	case plan.Internal, plan.NextHop, plan.ClientRole:
		return ca.Internal
	}
	return ca.PartnerCA(key)
}

// serveCRLs publishes the CAs' revocation lists where the certificates say they are.
func (w *world) serveCRLs(ctx context.Context) error {
	ln, err := w.net.Listen(ctx, actorCRL, 80)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           w.revocations(),
		ReadHeaderTimeout: w.run.opts.Timeouts.Exchange,
		ErrorLog:          log.New(io.Discard, "", 0), // whoever can't fetch a CRL says so itself
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln) // ends with Close
	}()
	w.closers = append(w.closers, func() error {
		err := srv.Close()
		<-done
		return err
	})
	for _, host := range w.publishers() {
		w.zone.SetA(host, w.net.Address(actorCRL))
	}
	w.crls = peers.NewCRLCache(ctx, w.net, w.resolver, actorCRL, w.run.opts.Timeouts.Exchange)
	return nil
}

// revocations serves the CRLs.
func (w *world) revocations() http.Handler {
	if w.given != nil {
		return w.given
	}
	at := w.scenario.At
	return w.run.authorities(at).Handler(func() time.Time { return at })
}

// publishers returns the names of the hosts from which the certificates say that CRLs are to be had.
func (w *world) publishers() []string {
	if w.given != nil {
		return w.given.publishers()
	}
	set := w.run.authorities(w.scenario.At)
	hosts := []string{set.CDPHost(ca.Untrusted)}
	for _, key := range w.scenario.CertificateKeys() {
		hosts = append(hosts, set.CDPHost(caOf(key)))
	}
	return hosts
}

// root returns the root certificate of a CA.
func (w *world) root(ctx context.Context, name string) (*x509.Certificate, error) {
	if w.given != nil {
		return w.given.root(name)
	}
	return w.run.authorities(w.scenario.At).Root(ctx, name)
}

// makeHosts makes every machine that stands at an end of a leg, with its certificate, its trust and its policy.
func (w *world) makeHosts(ctx context.Context) error {
	t := w.scenario.Topology
	world, own, private := []string{ca.Public}, []string{ca.Internal}, []string{ca.Internal}
	for _, p := range t.Partners {
		world = append(world, ca.PartnerCA(p.Name))
	}
	private = append(private, world...)
	type machine struct {
		name, place, actor, fqdn, product, key string
		trusts                                 []string
		settings                               topology.Settings
	}
	machines := []machine{
		{topology.ActorNextHop, "", topology.ActorNextHop, t.Edge.NextHop, productNextHop, plan.NextHop, own, nil},
		{topology.ActorRemoteUser, "", topology.ActorRemoteUser, "", productUser, "", world, nil},
	}
	for _, node := range nodesOf(t) {
		external, internal := w.scenario.KeyAt(plan.External, node), w.scenario.KeyAt(plan.Internal, node)
		access := edge.Place(topology.ActorEdge, node)
		machines = append(machines,
			machine{access, access, topology.ActorEdge, t.Edge.Access, t.Edge.Product, external, world, nil},
			machine{edge.Place(actorGateway, node), access, topology.ActorEdge, t.Edge.Access, productGateway, external, world, nil},
			machine{edge.Place(actorInternal, node), edge.Place(edge.InternalInterface, node), topology.ActorEdge, t.Edge.Internal, t.Edge.Product, internal, own, nil})
	}
	for _, p := range t.Partners {
		trusts := world
		if p.TrustsPrivateCA {
			trusts = private
		}
		machines = append(machines, machine{p.Name, "", p.Name, p.Host, p.Product, p.Name, trusts, p.Settings})
	}
	// Whoever trusts the same has the same list: with a thousand partners a list for each would be a million roots.
	roots := map[*string][]*x509.Certificate{}
	for _, m := range machines {
		list := &m.trusts[0]
		if _, made := roots[list]; !made {
			var err error
			if roots[list], err = w.roots(ctx, m.trusts); err != nil {
				return err
			}
		}
		h, err := w.host(m.actor, m.fqdn, m.product, m.key, roots[list])
		if err != nil {
			return err
		}
		h.Settings, h.Interface = m.settings, m.place
		if client := w.issued[plan.ClientRole]; client != nil && m.key != plan.Internal && m.actor == topology.ActorEdge {
			h.ClientCertificate, h.Withhold = &client.TLS, client.Order.Withhold
		}
		w.hosts[m.name] = h
	}
	return nil
}

// nodesOf returns the names of the Edge Servers; the only one's is empty.
func nodesOf(t topology.Topology) []string {
	if nodes := t.Edge.NodeNames(); len(nodes) > 0 {
		return nodes
	}
	return []string{""}
}

// roots returns the root certificates of CAs, and those that came with an installed certificate if one is the public CA.
func (w *world) roots(ctx context.Context, names []string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, name := range names {
		root, err := w.root(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, root)
	}
	if slices.Contains(names, ca.Public) {
		out = append(out, w.scenario.Installed[plan.External].Roots...)
	}
	return out, nil
}

func (w *world) host(actor, fqdn, product, key string, roots []*x509.Certificate) (*peers.Host, error) {
	p, ok := w.run.policies.Product(product)
	if !ok {
		return nil, fmt.Errorf("%s: there is no policy for the product %q", actor, product)
	}
	at := w.scenario.At
	h := &peers.Host{
		Actor: actor, FQDN: fqdn, Product: p, CRL: w.crls.Get, Signatures: &w.run.verified,
		Net: w.net, DNS: w.resolver, Journal: w.journal, KeyLog: w.run.opts.KeyLog, Timeouts: w.run.opts.Timeouts,
		Now: func() time.Time { return at }, Roots: roots,
	}
	if issued := w.issued[key]; issued != nil && !issued.Order.None {
		h.Certificate, h.Withhold = &issued.TLS, issued.Order.Withhold
	}
	return h, nil
}

// report describes the certificates as they were issued.
func (w *world) report() []Certificate {
	if w.given != nil {
		return w.given.Certificates
	}
	var out []Certificate
	for _, key := range w.scenario.CertificateKeys() {
		i := w.issued[key]
		if i.Order.None {
			continue
		}
		out = append(out, Certificate{
			Key: key, Order: i.Order, Fingerprint: wire.Fingerprints([][]byte{i.Leaf.Raw})[0], Serial: fmt.Sprintf("%x", i.Leaf.SerialNumber),
			Issuer: i.Leaf.Issuer.CommonName, Beside: i.Beside,
		})
	}
	return out
}

// describe is the part of a scenario's result that is known before it runs.
func describe(s scenarios.Scenario) ScenarioResult {
	return ScenarioResult{
		Name: s.Name, Title: s.Title, Teaches: s.Teaches, Proves: s.Proves, File: s.File, At: s.At,
		Plan: plan.For(s.Topology), Certificates: []Certificate{}, Legs: []LegResult{},
	}
}
