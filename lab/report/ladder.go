package report

import (
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Ladder is a leg's evidence as a diagram: one column per side, the initiator's on the left, and the steps between
// them from top to bottom.
type Ladder struct {
	Left, Right string // the actors
	Steps       []Step
}

// A Step is one row of a ladder: an arrow from one side to the other, or a note at one side.
type Step struct {
	Event verdict.Event  // what happened; of an arrow that both sides noticed, what the sending side says
	Seen  *verdict.Event // what the receiving side says; nil for a note, and for an arrow that only one side noticed
	Arrow bool
	Right bool // the arrow begins at the right side, or the note stands there
}

// Alone reports whether s is an arrow that only one side noticed.
func (s Step) Alone() bool { return s.Arrow && s.Seen == nil }

// Label is the step in words, without those that the arrow itself says.
func (s Step) Label() string {
	text := oneLine(eventText(s.Event))
	if s.Arrow {
		for _, verb := range []string{"sends ", "receives ", "is shown "} {
			if rest, ok := strings.CutPrefix(text, verb); ok {
				text = rest
				break
			}
		}
		text = strings.TrimPrefix(text, s.Layer()+" ")
	}
	return text
}

// A Tone says whether something went well. It is never told by colour alone.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Fine  Tone = "good"
	Doubt Tone = "warn"
	Bad   Tone = "bad"
)

// Tone returns how the step went.
func (s Step) Tone() Tone {
	switch s.Event.Kind {
	case verdict.KindAuthenticated, verdict.KindExchanged, verdict.KindRelayAllocation:
		return Fine
	case verdict.KindConnectFailed, verdict.KindCertWithheld, verdict.KindNoCertSeen, verdict.KindAlertSent, verdict.KindAlertReceived,
		verdict.KindTLSNotOffered, verdict.KindRefused, verdict.KindTimeout, verdict.KindConnectionLost, verdict.KindHarness:
		return Bad
	case verdict.KindSIPSent, verdict.KindSIPReceived:
		if s.Event.Status >= 300 {
			return Bad
		}
	case verdict.KindJudged:
		if s.Event.Judgement != nil {
			return OutcomeTone(s.Event.Judgement.Outcome)
		}
	}
	return Plain
}

// OutcomeTone says what a judge's decision means for its peer.
func OutcomeTone(o verdict.Outcome) Tone {
	switch o {
	case verdict.OutcomeTrusted:
		return Fine
	case verdict.OutcomeRejected:
		return Bad
	}
	return Doubt
}

// Layer names what the step belongs to.
func (s Step) Layer() string {
	switch s.Event.Kind {
	case verdict.KindDNS:
		return "DNS"
	case verdict.KindConnect, verdict.KindConnectFailed, verdict.KindConnectionLost, verdict.KindClosed:
		return "TCP"
	case verdict.KindHello, verdict.KindCertSent, verdict.KindCertWithheld, verdict.KindCertSeen, verdict.KindNoCertSeen,
		verdict.KindAlertSent, verdict.KindAlertReceived, verdict.KindTLSNotOffered:
		return "TLS"
	case verdict.KindSIPSent, verdict.KindSIPReceived:
		return "SIP"
	case verdict.KindXMPPSent, verdict.KindXMPPReceived:
		return "XMPP"
	case verdict.KindRelayAllocation:
		return "TURN"
	case verdict.KindRevocation:
		return "CRL"
	}
	return string(s.Event.Kind)
}

// NewLadder draws the evidence of l. What one side sent and the other received becomes one arrow if it is the same thing
// on the same connection, and stands where the first of them noticed it; otherwise each has an arrow of its own.
func NewLadder(l lab.LegResult) Ladder {
	d := Ladder{Left: l.Initiator, Right: l.Acceptor}
	opener := openers(l.Evidence)
	for _, e := range l.Evidence {
		what, sent := motion(e, opener)
		s := Step{Event: e, Arrow: what != "", Right: (e.Side == verdict.Acceptor) == (what == "" || sent)}
		i := -1
		if s.Arrow {
			i = slices.IndexFunc(d.Steps, func(o Step) bool { return o.Alone() && meet(o.Event, e, opener) })
		}
		switch {
		case i < 0:
			d.Steps = append(d.Steps, s)
		case sent: // the receiving side was the first to be heard
			seen := d.Steps[i].Event
			d.Steps[i].Event, d.Steps[i].Seen = e, &seen
		default:
			d.Steps[i].Seen = &e
		}
	}
	return d
}

// openers returns the side that opened each connection. The first connection is the leg's own, which its initiator
// opens, whoever is heard first; later ones are those of whoever speaks of them first.
func openers(events []verdict.Event) map[string]verdict.Side {
	all := map[string]verdict.Side{}
	for _, e := range events {
		if _, ok := all[e.Conn]; ok || e.Conn == "" {
			continue
		}
		all[e.Conn] = e.Side
		if len(all) == 1 {
			all[e.Conn] = verdict.Initiator
		}
	}
	return all
}

// motion says what went from one side to the other in an event, and whether the event is the sending side's. It is
// empty for what happened at one side alone.
func motion(e verdict.Event, opener map[string]verdict.Side) (what string, sent bool) {
	switch e.Kind {
	case verdict.KindConnect, verdict.KindHello:
		by, ok := opener[e.Conn]
		return string(e.Kind), !ok || e.Side == by
	case verdict.KindCertSent, verdict.KindCertSeen:
		return "certificate", e.Kind == verdict.KindCertSent
	case verdict.KindCertWithheld, verdict.KindNoCertSeen:
		return "no certificate", e.Kind == verdict.KindCertWithheld
	case verdict.KindAlertSent, verdict.KindAlertReceived:
		return "alert", e.Kind == verdict.KindAlertSent
	case verdict.KindSIPSent, verdict.KindSIPReceived:
		return "sip", e.Kind == verdict.KindSIPSent
	case verdict.KindXMPPSent, verdict.KindXMPPReceived:
		return "xmpp", e.Kind == verdict.KindXMPPSent
	}
	return "", false
}

// meet reports whether a and b are the two ends of one arrow.
func meet(a, b verdict.Event, opener map[string]verdict.Side) bool {
	what, sent := motion(a, opener)
	other, sentToo := motion(b, opener)
	return what == other && sent != sentToo && a.Side != b.Side && a.Conn == b.Conn &&
		a.Raw == b.Raw && a.Alert == b.Alert && a.Status == b.Status && slices.Equal(a.Certs, b.Certs)
}
