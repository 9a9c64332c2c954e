package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/capture"
	"github.com/edgelab/edgelab/peers/edge"
)

// closing bounds how long a capture waits for ends that close after their leg is over.
const closing = time.Second

// recordedLeg is leg that leaves a capture.
func (w *world) recordedLeg(ctx context.Context, l topology.Leg, e *capture.Entry) LegResult {
	trace := capture.NewTrace(w.net.Address(place(l)))
	res := w.leg(capture.With(ctx, trace), l)
	wait, cancel := context.WithTimeout(ctx, closing)
	trace.Wait(wait)
	cancel()
	e.Verdict = string(res.Verdict)
	about := fmt.Sprintf("edgelab, scenario %s, leg %s\n%s: %s\nCertificates are judged as of %s; the times here are those of the run.",
		w.scenario.Name, l.ID, res.Verdict, res.Reason, w.scenario.At.UTC().Format("2006-01-02 15:04 UTC"))
	res.Capture = w.run.opts.Captures.Write(e, trace, about, notes(res))
	return res
}

// place returns the name in Net of the address from which a leg begins.
func place(l topology.Leg) string {
	switch {
	case l.Initiator != topology.ActorEdge:
		return l.Initiator
	case l.Kind == topology.NextHopSIP:
		return edge.Place(edge.InternalInterface, l.Node)
	}
	return edge.Place(topology.ActorEdge, l.Node)
}

// notes returns what of a leg's evidence a capture doesn't show by itself: what the ends decided, and why. On dialback's
// second connection it is the leg's acceptor that is the client.
func notes(res LegResult) []capture.Note {
	var out []capture.Note
	own := "" // the leg's own connection, which is opened first
	for _, e := range res.Evidence {
		if own == "" {
			own = e.Conn
		}
		switch e.Kind {
		case verdict.KindJudged, verdict.KindRefused, verdict.KindAlertSent, verdict.KindCertWithheld, verdict.KindNoCertSeen,
			verdict.KindTLSNotOffered, verdict.KindAuthenticated, verdict.KindExchanged, verdict.KindConnectionLost, verdict.KindTimeout:
		default:
			continue
		}
		text := e.Host + ": " + e.Text
		if j := e.Judgement; j != nil {
			for _, c := range j.Failed() {
				text += fmt.Sprintf("\n%s: %s (%s)", c.Name, c.Detail, c.Rule)
			}
		}
		out = append(out, capture.Note{At: res.began.Add(e.At), Conn: e.Conn, Acceptor: (e.Side == verdict.Acceptor) == (e.Conn == own), Text: text})
	}
	return out
}
