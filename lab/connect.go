package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/peers/sip"
	"github.com/edgelab/edgelab/peers/xmpp"
)

// initiate opens one leg's connection and speaks over it. Its error is for the caller to tell the lab's own faults by;
// what happened is in rec.
func (w *world) initiate(ctx context.Context, l topology.Leg, rec *verdict.Record) error {
	t := w.scenario.Topology
	fromEdge := l.Initiator == topology.ActorEdge
	if err := w.runs(l, rec); err != nil && fromEdge {
		return err
	}
	if t.Edge.Layout == topology.ScaledHLB && !fromEdge {
		rec.Addf(verdict.KindNote, "the load balancer leads this connection to %s", l.Node)
	}
	switch l.Kind {
	case topology.SIPFederation:
		if fromEdge {
			return w.edges[l.Node].CallPartner(ctx, l.Own, l.Partner.Domain, rec)
		}
		partner := edge.Partner(t, *l.Partner, w.towards(w.hosts[l.Partner.Name], l.Node))
		return sip.Call(ctx, partner, sip.Leg{From: l.Partner.Domain, To: l.Own, Record: rec})
	case topology.XMPPFederation:
		if fromEdge {
			return xmpp.Connect(ctx, w.gateway(l.Node), xmpp.Call{From: l.Own, To: l.Partner.Domain, Record: rec})
		}
		partner := w.xmppPartner(*l.Partner)
		partner.Host = w.towards(partner.Host, l.Node)
		return xmpp.Connect(ctx, partner, xmpp.Call{From: l.Partner.Domain, To: l.Own, Record: rec})
	case topology.RemoteUser:
		return edge.SignIn(ctx, w.towards(w.hosts[topology.ActorRemoteUser], l.Node), l.Own, rec)
	case topology.WebConference:
		return edge.Join(ctx, w.towards(w.hosts[topology.ActorRemoteUser], l.Node), t, rec)
	case topology.NextHopSIP:
		if fromEdge {
			return w.edges[l.Node].CallNextHop(ctx, t.SIPDomains[0], rec)
		}
		return edge.CallInternal(ctx, w.towards(w.hosts[topology.ActorNextHop], l.Node), t, t.SIPDomains[0], rec)
	case topology.MRASRequest:
		return edge.Allocate(ctx, w.towards(w.hosts[topology.ActorNextHop], l.Node), t, rec)
	default:
		return fmt.Errorf("the lab doesn't know how to make a leg of kind %q", l.Kind)
	}
}

// runs says whether the service at the Edge's end of a leg runs: without a certificate it doesn't start.
func (w *world) runs(l topology.Leg, rec *verdict.Record) error {
	key := w.scenario.KeyAt(edgeKey(l), l.Node)
	if issued := w.issued[key]; issued == nil || !issued.Order.None {
		return nil
	}
	server := "the Edge Server"
	if l.Node != "" {
		server = l.Node
	}
	why := fmt.Sprintf("%s has no certificate for its %s interface, so that the services there don't start", server, edgeKey(l))
	if l.Initiator == topology.ActorEdge {
		rec.Addf(verdict.KindConnectFailed, "%s", why)
		return errors.New(why)
	}
	rec.Addf(verdict.KindNote, "%s", why)
	return nil
}

// gateway is an Edge Server's XMPP proxy: whom it deals with and how is New-CsXmppAllowedPartner's entry for each partner.
func (w *world) gateway(node string) xmpp.Config {
	t := w.scenario.Topology
	return xmpp.Config{
		Host: w.hosts[edge.Place(actorGateway, node)], Domains: t.XMPPDomains, DialbackSecret: "gateway of " + w.scenario.Name,
		Partners: func(domain string) (topology.Allowed, bool) {
			for _, p := range t.Partners {
				if p.Protocol == topology.XMPP && strings.EqualFold(p.Domain, domain) {
					return p.XMPP, true
				}
			}
			return topology.Allowed{}, false
		},
	}
}

// xmppPartner is a partner's XMPP server, which deals with every domain in its product's own way.
func (w *world) xmppPartner(p topology.Partner) xmpp.Config {
	return xmpp.Config{
		Host: w.hosts[p.Name], Domains: []string{p.Domain}, DialbackSecret: p.Name + " of " + w.scenario.Name,
	}
}

// startEdges brings the Edge Servers up, and the next hop with the first of them.
func (w *world) startEdges(ctx context.Context) error {
	for i, node := range nodesOf(w.scenario.Topology) {
		cfg := edge.Config{
			Topology: w.scenario.Topology, Node: node,
			External: w.hosts[edge.Place(topology.ActorEdge, node)],
			Internal: w.hosts[edge.Place(actorInternal, node)],
		}
		if i == 0 && w.has(topology.ActorNextHop) {
			cfg.NextHop = w.hosts[topology.ActorNextHop]
		}
		if len(w.scenario.Topology.XMPPDomains) > 0 {
			cfg.XMPP = func(ctx context.Context, _ *peers.Host, port uint16) (io.Closer, error) {
				return xmpp.Listen(ctx, w.gateway(node), port)
			}
		}
		e, err := edge.Start(ctx, cfg)
		if err != nil {
			return err
		}
		w.edges[node] = e
		w.closers = append(w.closers, e.Close)
	}
	return nil
}

// startPartner brings a partner's border server up.
func (w *world) startPartner(ctx context.Context, p topology.Partner) error {
	host := w.hosts[p.Name]
	switch p.Protocol {
	case topology.SIP:
		s, err := sip.Listen(ctx, edge.Partner(w.scenario.Topology, p, host), sip.FederationPort)
		if err != nil {
			return err
		}
		w.closers = append(w.closers, s.Close)
	case topology.XMPP:
		s, err := xmpp.Listen(ctx, w.xmppPartner(p), xmpp.Port)
		if err != nil {
			return err
		}
		w.closers = append(w.closers, s.Close)
	}
	return nil
}
