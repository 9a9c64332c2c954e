package lab

import (
	"context"
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
	switch l.Kind {
	case topology.SIPFederation:
		if fromEdge {
			return w.edge.CallPartner(ctx, l.Own, l.Partner.Domain, rec)
		}
		partner := edge.Partner(t, *l.Partner, w.hosts[l.Partner.Name])
		return sip.Call(ctx, partner, sip.Leg{From: l.Partner.Domain, To: l.Own, Record: rec})
	case topology.XMPPFederation:
		if fromEdge {
			return xmpp.Connect(ctx, w.gateway(), xmpp.Call{From: l.Own, To: l.Partner.Domain, Record: rec})
		}
		partner := w.xmppPartner(*l.Partner)
		return xmpp.Connect(ctx, partner, xmpp.Call{From: l.Partner.Domain, To: l.Own, Record: rec})
	case topology.RemoteUser:
		return edge.SignIn(ctx, w.hosts[topology.ActorRemoteUser], l.Own, rec)
	case topology.WebConference:
		return edge.Join(ctx, w.hosts[topology.ActorRemoteUser], t, rec)
	case topology.NextHopSIP:
		if fromEdge {
			return w.edge.CallNextHop(ctx, t.SIPDomains[0], rec)
		}
		return edge.CallInternal(ctx, w.hosts[topology.ActorNextHop], t, t.SIPDomains[0], rec)
	case topology.MRASRequest:
		return edge.Allocate(ctx, w.hosts[topology.ActorNextHop], t, rec)
	default:
		return fmt.Errorf("the lab doesn't know how to make a leg of kind %q", l.Kind)
	}
}

// gateway is the Edge's XMPP proxy: whom it deals with and how is New-CsXmppAllowedPartner's entry for each partner.
func (w *world) gateway() xmpp.Config {
	t := w.scenario.Topology
	return xmpp.Config{
		Host: w.hosts[actorGateway], Domains: t.XMPPDomains, DialbackSecret: "gateway of " + w.scenario.Name,
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

func (w *world) startEdge(ctx context.Context) error {
	cfg := edge.Config{
		Topology: w.scenario.Topology,
		External: w.hosts[topology.ActorEdge],
		Internal: w.hosts[actorInternal],
		NextHop:  w.hosts[topology.ActorNextHop],
	}
	if len(w.scenario.Topology.XMPPDomains) > 0 {
		cfg.XMPP = func(ctx context.Context, _ *peers.Host, port uint16) (io.Closer, error) {
			return xmpp.Listen(ctx, w.gateway(), port)
		}
	}
	e, err := edge.Start(ctx, cfg)
	if err != nil {
		return err
	}
	w.edge = e
	w.closers = append(w.closers, e.Close)
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
