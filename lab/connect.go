package lab

import (
	"context"
	"fmt"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/peers/sip"
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

func (w *world) startEdge(ctx context.Context) error {
	e, err := edge.Start(ctx, edge.Config{
		Topology: w.scenario.Topology,
		External: w.hosts[topology.ActorEdge],
		Internal: w.hosts[actorInternal],
		NextHop:  w.hosts[topology.ActorNextHop],
	})
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
	}
	return nil
}
