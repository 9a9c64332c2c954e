package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
)

// leg makes one leg and says what became of it.
func (w *world) leg(ctx context.Context, l topology.Leg) LegResult {
	start := w.run.clock()
	began := time.Now()
	evidence, environment := w.evidence(ctx, l)
	v := verdict.Draw(evidence)
	expected, _ := w.scenario.Expected(l)
	res := LegResult{
		ID: l.ID, Kind: string(l.Kind), Node: l.Node, Initiator: l.Initiator, Acceptor: l.Acceptor,
		Expected: expected.Code, Verdict: v.Code, OK: v.Fault == "" && (v.Code == expected.Code || evidence.OneSided && unexplained(v.Code) && refusal(expected.Code)),
		Reason: v.Reason, Judge: v.By, Fault: v.Fault,
		Evidence: evidence.Events, Seen: seen(evidence.Events),
		Duration: w.run.clock() - start, began: began, environment: environment,
	}
	if !expected.Pos.IsZero() {
		res.ExpectedAt = fmt.Sprintf("%s:%d:%d", expected.Pos.File, expected.Pos.Line, expected.Pos.Column)
	}
	for _, e := range evidence.Events {
		if e.Judgement != nil && (e.Conn == "" || e.Conn == evidence.Conn) {
			res.Judgements = append(res.Judgements, *e.Judgement)
		}
	}
	if v.Judgement != nil {
		res.Judged = w.scenario.Shown(l, actorAt(l, otherSide(v.Side)))
	}
	res.Advice = advice(v, res.Judged, l)
	return res
}

// unexplained reports whether a verdict is that of a partner that refused and can't be asked why.
func unexplained(c verdict.Code) bool {
	return c == verdict.ApplicationRefused || c == verdict.TLSRefused
}

// refusal reports whether a verdict says that a certificate was refused.
func refusal(c verdict.Code) bool {
	switch c {
	case verdict.Trusted, verdict.FallbackDialback, verdict.PlaintextDialback, verdict.Unknown, verdict.Inconclusive, verdict.NoAnswer:
		return false
	}
	return true
}

// evidence makes the connection and gathers what both ends have to say of it. The error is the machine's fault that
// kept it from being made.
func (w *world) evidence(ctx context.Context, l topology.Leg) (verdict.Evidence, error) {
	start := w.run.clock()
	rec := verdict.NewRecord(verdict.Initiator, l.Initiator, "", w.run.clock)
	err := w.ends.Initiate(ctx, l, rec)
	rec.Finish()
	e := verdict.Evidence{Conn: rec.Conn()}
	var env *peers.EnvError
	var environment error
	switch {
	case errors.As(err, &env):
		e.Fault, environment = env.Error(), env
	case ctx.Err() != nil:
		e.Fault = "interrupted"
	case errors.Is(err, ErrElsewhere):
		e.OneSided = true
	}
	records := []*verdict.Record{rec}
	for i := 0; i < len(records); i++ {
		records = append(records, w.counterparts(ctx, records[i], i == 0, &e)...)
	}
	if e.Fault != "" && environment == nil && ctx.Err() == nil {
		environment = errors.New(e.Fault)
	}
	e.Events = verdict.Merge(start, records...)
	for i := range e.Events {
		ev := &e.Events[i]
		if ev.Conn != e.Conn && ev.Conn != "" {
			// A side is one of the leg; on a dialback connection the leg's acceptor is the one that connects.
			ev.Side = verdict.Acceptor
			if ev.Host == l.Initiator {
				ev.Side = verdict.Initiator
			}
		}
		ev.Host = actorAt(l, ev.Side) // one machine may play several actors: the Edge is MRAS too
		if ev.Kind == verdict.KindHarness && environment == nil {
			environment = errors.New(ev.Text)
		}
	}
	return e, environment
}

// counterparts returns what belongs to a record: the far side's of the same connection, if this side opened it, and
// those of connections that were opened because of it.
func (w *world) counterparts(ctx context.Context, rec *verdict.Record, own bool, e *verdict.Evidence) []*verdict.Record {
	var out []*verdict.Record
	if conn := rec.Conn(); conn != "" && (own || !w.accepted(rec)) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.run.opts.Timeouts.Exchange)
		far, err := w.ends.Take(ctx, conn)
		cancel()
		if far != nil {
			w.mu.Lock()
			w.taken[far] = true
			w.mu.Unlock()
			out = append(out, far)
		}
		switch {
		case errors.Is(err, ErrElsewhere):
			e.OneSided = true
		case err != nil && e.Fault == "":
			e.Fault = fmt.Sprintf("the acceptor's evidence of %s didn't come, as when it is out of file descriptors: %v", conn, err)
		}
	}
	return append(out, rec.Links()...)
}

// accepted reports whether a record came from the journal, and so is an acceptor's.
func (w *world) accepted(rec *verdict.Record) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.taken[rec]
}

// seen picks out of the evidence what stood on the wire or should have.
func seen(events []verdict.Event) []string {
	var out []string
	for _, e := range events {
		switch e.Kind {
		case verdict.KindAlertSent, verdict.KindAlertReceived, verdict.KindRefused, verdict.KindCertWithheld,
			verdict.KindNoCertSeen, verdict.KindTLSNotOffered, verdict.KindTimeout, verdict.KindConnectFailed,
			verdict.KindConnectionLost:
			out = append(out, e.Host+" "+e.Text)
		}
	}
	return out
}

// actorAt returns the actor on one side of a leg.
func actorAt(l topology.Leg, side verdict.Side) string {
	if side == verdict.Initiator {
		return l.Initiator
	}
	return l.Acceptor
}

func otherSide(s verdict.Side) verdict.Side {
	if s == verdict.Initiator {
		return verdict.Acceptor
	}
	return verdict.Initiator
}

// edgeKey returns the key of the certificate at the Edge's end of a leg.
func edgeKey(l topology.Leg) string {
	if l.Kind == topology.NextHopSIP || l.Kind == topology.MRASRequest {
		return plan.Internal
	}
	return plan.External
}
