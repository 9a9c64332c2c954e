package edge

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	upstream "github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/sip"
)

// Names of the Edge's addresses in the lab's network. The Access Edge and the XMPP proxy share the one that is called
// like their actor.
const (
	InternalInterface = "internal"
	WebConfInterface  = topology.ActorWebConf
	AVInterface       = "av"
)

// Ports of the Edge beside those of package sip (topics "Port summary - Single consolidated edge with private IP NAT",
// 2013-04-03, and "Port summary - XMPP", 2012-10-20).
const (
	NextHopPort = 5061 // internal, SIP over mutual TLS, both ways
	MRASPort    = 5062 // internal, SIP over mutual TLS
	XMPPPort    = 5269
	WebConfPort = 443 // of the Web Conferencing Edge's own address
	AVPort      = 443 // of the A/V Edge's own address, STUN and TURN over TCP
)

// Place returns the name of an interface's address in the lab's network: of one Edge Server of a pool, or of the only one
// if node is empty. Without a node, in a pool, it is the virtual address of its load balancer.
func Place(iface, node string) string {
	if node == "" {
		return iface
	}
	return iface + "@" + node
}

// Config says which Edge Server to run. One without a certificate for an interface doesn't start the services that show
// it: an Access Edge ends with events 14397, 14694 and 12303 then (skypepro.co.uk, 2014).
type Config struct {
	Topology topology.Topology
	Node     string      // the server's name in its pool; empty: it is the only one
	External *peers.Host // Access Edge, XMPP, Web Conferencing: the external certificate
	Internal *peers.Host // next hop and MRAS: the internal certificate, on InternalInterface
	// NextHop, if set, is run too: the Director or Front End pool that takes what the Edge passes on.
	NextHop *peers.Host
	// XMPP, if set, starts the XMPP listener for External. The Edge closes it.
	XMPP func(ctx context.Context, host *peers.Host, port uint16) (io.Closer, error)
}

// An Edge is a running Edge Server.
type Edge struct {
	cfg     Config
	partner sip.Config // what it is to SIP partners: Federation
	running []io.Closer
}

// Start brings up everything that the topology deploys. On an error, which is a *peers.EnvError or a fault of the
// configuration, nothing is left running.
func Start(ctx context.Context, cfg Config) (*Edge, error) {
	internal := *cfg.Internal
	internal.Interface = Place(InternalInterface, cfg.Node)
	cfg.Internal = &internal
	e := &Edge{cfg: cfg, partner: Federation(cfg.Topology, cfg.External)}
	var starts []func(context.Context) (io.Closer, error)
	if cfg.Internal.Certificate != nil {
		starts = append(starts, e.nextHop, e.av)
	}
	if cfg.External.Certificate != nil {
		starts = append(starts, e.access, e.users)
		if cfg.Topology.Edge.WebConf != "" {
			starts = append(starts, e.webConf)
		}
		if cfg.XMPP != nil {
			starts = append(starts, func(ctx context.Context) (io.Closer, error) { return cfg.XMPP(ctx, cfg.External, XMPPPort) })
		}
	}
	if cfg.NextHop != nil {
		starts = append(starts, e.pool)
	}
	for _, start := range starts {
		c, err := start(ctx)
		if err != nil {
			return nil, errors.Join(err, e.Close())
		}
		e.running = append(e.running, c)
	}
	return e, nil
}

// Close stops the Edge and waits until the records of its connections are finished.
func (e *Edge) Close() error {
	var err error
	for i := len(e.running) - 1; i >= 0; i-- {
		err = errors.Join(err, e.running[i].Close())
	}
	e.running = nil
	return err
}

// Federation returns what the Access Edge is to its SIP partners, as either end of a leg.
func Federation(t topology.Topology, external *peers.Host) sip.Config {
	c := sip.Config{Host: external, Domains: t.SIPDomains, Routing: sip.Routing{Discovery: t.Edge.Discovery}}
	for _, p := range t.Partners {
		if p.Protocol != topology.SIP {
			continue
		}
		entry := sip.Partner{Domain: p.Domain, Listing: p.Listing}
		if p.Listing == topology.AllowedServer || p.Listing == topology.PublicIM {
			entry.Server = cmp.Or(p.Host, "sip."+p.Domain)
		}
		c.Routing.Partners = append(c.Routing.Partners, entry)
	}
	return c
}

// Partner returns what a SIP partner is to the Edge, as either end of a leg: it serves its own domain and has the
// deployment's SIP domains on its list, with a fixed server if it pins one.
func Partner(t topology.Topology, p topology.Partner, host *peers.Host) sip.Config {
	c := sip.Config{Host: host, Domains: []string{p.Domain}}
	for _, d := range t.SIPDomains {
		if len(p.OwnDomains) > 0 && !slices.Contains(p.OwnDomains, d) {
			continue
		}
		entry := sip.Partner{Domain: d, Listing: topology.AllowedDomain}
		if p.EdgeFQDN != "" {
			entry.Listing, entry.Server = topology.AllowedServer, p.EdgeFQDN
		}
		c.Routing.Partners = append(c.Routing.Partners, entry)
	}
	return c
}

// access is the Access Edge for partners.
func (e *Edge) access(ctx context.Context) (io.Closer, error) {
	return sip.Listen(ctx, e.partner, sip.FederationPort)
}

// users is the Access Edge for remote users.
func (e *Edge) users(ctx context.Context) (io.Closer, error) {
	return sip.Listen(ctx, sip.Config{
		Host: e.cfg.External, Domains: e.cfg.Topology.SIPDomains, Routing: sip.Routing{Users: true},
		Methods: map[upstream.RequestMethod]sip.Handler{
			upstream.REGISTER: func(req *upstream.Request) *upstream.Response {
				return upstream.NewResponseFromRequest(req, upstream.StatusOK, "OK", nil)
			},
		},
		Completes: []upstream.RequestMethod{upstream.REGISTER, upstream.OPTIONS, upstream.MESSAGE},
	}, sip.UserPort)
}

// internal is what the Edge is to its own organisation: only the next hop is a trusted server.
func (e *Edge) internal() sip.Config {
	return sip.Config{
		Host: e.cfg.Internal, Domains: e.cfg.Topology.SIPDomains,
		Routing: sip.Routing{Servers: []string{e.cfg.Topology.Edge.NextHop}},
	}
}

// nextHop is the internal interface towards the next hop.
func (e *Edge) nextHop(ctx context.Context) (io.Closer, error) {
	return sip.Listen(ctx, e.internal(), NextHopPort)
}

// pool is the next hop itself.
func (e *Edge) pool(ctx context.Context) (io.Closer, error) {
	return sip.Listen(ctx, pool(e.cfg.Topology, e.cfg.NextHop), NextHopPort)
}

func pool(t topology.Topology, nextHop *peers.Host) sip.Config {
	return sip.Config{
		Host: nextHop, Domains: t.SIPDomains, Routing: sip.Routing{Servers: []string{t.Edge.Internal}},
	}
}

// CallPartner plays the leg from the Edge to a partner: from one of the deployment's SIP domains to the partner's.
func (e *Edge) CallPartner(ctx context.Context, from, to string, rec *verdict.Record) error {
	return sip.Call(ctx, e.partner, sip.Leg{From: from, To: to, Record: rec})
}

// CallNextHop plays the leg from the Edge's internal interface to the next hop, with a message for domain.
func (e *Edge) CallNextHop(ctx context.Context, domain string, rec *verdict.Record) error {
	return sip.Call(ctx, e.internal(), sip.Leg{
		From: domain, To: domain, Server: e.cfg.Topology.Edge.NextHop, Port: NextHopPort, Record: rec,
	})
}

// CallInternal plays the leg from the next hop to the Edge's internal interface, with a message from domain.
func CallInternal(ctx context.Context, nextHop *peers.Host, t topology.Topology, domain string, rec *verdict.Record) error {
	return sip.Call(ctx, pool(t, nextHop), sip.Leg{
		From: domain, To: domain, Server: t.Edge.Internal, Port: NextHopPort, Record: rec,
	})
}

// SignIn plays the leg from a remote user's client to the Access Edge: TLS on which only the Edge shows a certificate,
// REGISTER, OPTIONS and MESSAGE. The client goes to sip.<domain>, the name that client auto-configuration needs in the
// certificate (topic "Certificate requirements for external user access", 2016-03-29).
func SignIn(ctx context.Context, user *peers.Host, domain string, rec *verdict.Record) error {
	domain = strings.ToLower(domain)
	s, err := sip.Dial(ctx, sip.Config{Host: user}, sip.Leg{
		From: domain, To: domain, Server: "sip." + domain, Port: sip.UserPort, Record: rec,
	})
	if err != nil {
		return err
	}
	defer s.Close("the leg is over")
	reg := s.Request(upstream.REGISTER)
	reg.Recipient.User = "" // RFC 3261 §10.2
	if _, err := s.Do(ctx, reg); err != nil {
		return err
	}
	if err := s.Ping(ctx); err != nil {
		return err
	}
	s.Exchanged("REGISTER, OPTIONS and MESSAGE were answered by sip." + domain)
	return nil
}

// ListenNextHop runs the next hop alone, where the Edge is another process. The caller closes it.
func ListenNextHop(ctx context.Context, t topology.Topology, nextHop *peers.Host) (io.Closer, error) {
	return sip.Listen(ctx, pool(t, nextHop), NextHopPort)
}
