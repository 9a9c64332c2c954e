package verdict_test

import (
	"slices"
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
)

const (
	initiator = verdict.Initiator
	acceptor  = verdict.Acceptor
)

func judged(side verdict.Side, outcome verdict.Outcome, code verdict.Code) verdict.Event {
	j := verdict.Judgement{Product: "p", Outcome: outcome, Code: code, Layer: verdict.TLS}
	if code != verdict.Trusted {
		j.Checks = []verdict.Check{{Name: "eku", Code: code, Detail: "d", First: true}}
	}
	return verdict.Event{Side: side, Host: string(side), Kind: verdict.KindJudged, Judgement: &j}
}

func ev(side verdict.Side, kind verdict.Kind) verdict.Event {
	return verdict.Event{Side: side, Host: string(side), Kind: kind}
}

func cert(side verdict.Side, kind verdict.Kind, prints ...string) verdict.Event {
	return verdict.Event{Side: side, Kind: kind, Certs: prints}
}

func auth(side verdict.Side, method string, encrypted bool) verdict.Event {
	return verdict.Event{Side: side, Kind: verdict.KindAuthenticated, Method: method, Encrypted: encrypted}
}

func TestDraw(t *testing.T) {
	accepted := []verdict.Event{
		judged(initiator, verdict.OutcomeTrusted, verdict.Trusted), judged(acceptor, verdict.OutcomeTrusted, verdict.Trusted),
		auth(initiator, verdict.MethodCertificate, true), auth(acceptor, verdict.MethodCertificate, true),
	}
	both := append(accepted[:len(accepted):len(accepted)], ev(initiator, verdict.KindExchanged), ev(acceptor, verdict.KindExchanged))
	for _, tt := range []struct {
		name     string
		events   []verdict.Event
		fault    string
		oneSided bool
		want     verdict.Code
	}{
		{name: "both ends exchanged", events: both, want: verdict.Trusted},
		{name: "only the initiator says so", events: append(accepted[:4:4], ev(initiator, verdict.KindExchanged)), want: verdict.Inconclusive},
		{name: "only the initiator can say so", events: append(accepted[:4:4], ev(initiator, verdict.KindExchanged)), oneSided: true, want: verdict.Trusted},
		{name: "exchange without authentication", events: []verdict.Event{ev(initiator, verdict.KindExchanged), ev(acceptor, verdict.KindExchanged)}, want: verdict.Inconclusive},
		{
			name: "acceptor refuses and the initiator reads the alert", want: verdict.ClientEKUMissing,
			events: []verdict.Event{judged(acceptor, verdict.OutcomeRejected, verdict.ClientEKUMissing), ev(initiator, verdict.KindAlertReceived)},
		},
		{
			name: "acceptor refuses and nobody notices", want: verdict.Inconclusive,
			events: []verdict.Event{judged(acceptor, verdict.OutcomeRejected, verdict.ClientEKUMissing), ev(initiator, verdict.KindHandshake)},
		},
		{
			name: "acceptor refuses and the initiator had its answer", want: verdict.Inconclusive,
			events: []verdict.Event{judged(acceptor, verdict.OutcomeRejected, verdict.ClientEKUMissing), ev(initiator, verdict.KindExchanged), ev(initiator, verdict.KindClosed)},
		},
		{
			name: "initiator refuses before it connects", want: verdict.SRVMissing,
			events: []verdict.Event{judged(initiator, verdict.OutcomeRejected, verdict.SRVMissing), {Side: initiator, Kind: verdict.KindRefused, Code: verdict.SRVMissing, Status: 504}},
		},
		{
			name: "initiator refuses", want: verdict.ServerEKUMissing,
			events: []verdict.Event{judged(initiator, verdict.OutcomeRejected, verdict.ServerEKUMissing), ev(acceptor, verdict.KindAlertReceived)},
		},
		{
			name: "shown another chain than was sent", want: verdict.Inconclusive,
			events: append([]verdict.Event{cert(initiator, verdict.KindCertSent, "aa"), cert(acceptor, verdict.KindCertSeen, "bb")}, both...),
		},
		{
			name: "shown the chain that was sent", want: verdict.Trusted,
			events: append([]verdict.Event{cert(initiator, verdict.KindCertSent, "aa", "bb"), cert(acceptor, verdict.KindCertSeen, "aa", "bb")}, both...),
		},
		{name: "nothing listens", events: []verdict.Event{ev(initiator, verdict.KindConnectFailed)}, want: verdict.NoAnswer},
		{name: "a partner lets time run out", oneSided: true, events: []verdict.Event{ev(initiator, verdict.KindTimeout)}, want: verdict.NoAnswer},
		{name: "an alert that no judge of ours explains", oneSided: true, events: []verdict.Event{ev(initiator, verdict.KindAlertReceived)}, want: verdict.TLSRefused},
		{name: "STARTTLS not offered", events: []verdict.Event{ev(initiator, verdict.KindTLSNotOffered)}, want: verdict.TLSRefused},
		{
			name: "the initiator's own rules stop it", want: verdict.SRVMismatch,
			events: []verdict.Event{{Side: initiator, Kind: verdict.KindRefused, Code: verdict.SRVMismatch}},
		},
		{
			name: "the acceptor's allow list", want: verdict.NotAllowed,
			events: []verdict.Event{{Side: acceptor, Kind: verdict.KindRefused, Code: verdict.NotAllowed, Status: 403}, {Side: initiator, Kind: verdict.KindRefused, Status: 403}},
		},
		{
			name: "a SIP refusal of a partner that can't be asked", oneSided: true, want: verdict.ApplicationRefused,
			events: []verdict.Event{{Side: initiator, Kind: verdict.KindRefused, Status: 504}},
		},
		{
			name: "dialback inside TLS", want: verdict.FallbackDialback,
			events: []verdict.Event{
				judged(acceptor, verdict.OutcomeFallback, verdict.ClientEKUMissing), auth(acceptor, verdict.MethodDialback, true),
				ev(initiator, verdict.KindExchanged), ev(acceptor, verdict.KindExchanged),
			},
		},
		{
			name: "dialback without TLS", want: verdict.PlaintextDialback,
			events: []verdict.Event{auth(acceptor, verdict.MethodDialback, false), ev(initiator, verdict.KindExchanged), ev(acceptor, verdict.KindExchanged)},
		},
		{
			name: "works in the lab, and the product's answer isn't known", want: verdict.Unknown,
			events: append([]verdict.Event{judged(acceptor, verdict.OutcomeUnknown, verdict.ClientEKUMissing)}, both[2:]...),
		},
		{
			name: "an alert for another reason than a judgement, which its sender knows of", want: verdict.TLSRefused,
			events: []verdict.Event{ev(initiator, verdict.KindAlertReceived), {Side: acceptor, Kind: verdict.KindRefused, Code: verdict.TLSRefused}},
		},
		{name: "a partner goes away", oneSided: true, events: []verdict.Event{ev(initiator, verdict.KindConnectionLost)}, want: verdict.NoAnswer},
		{name: "the lab failed", fault: "no free port", events: both, want: verdict.Inconclusive},
		{name: "a peer of ours failed", events: append([]verdict.Event{ev(acceptor, verdict.KindHarness)}, both...), want: verdict.Inconclusive},
		{name: "nothing at all", want: verdict.Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := verdict.Draw(verdict.Evidence{Events: tt.events, Fault: tt.fault, OneSided: tt.oneSided})
			if got.Code != tt.want {
				t.Errorf("drew %s (%s), want %s", got.Code, got.Reason, tt.want)
			}
			if (got.Code == verdict.Inconclusive) != (got.Fault != "") {
				t.Errorf("an inconclusive verdict and a fault go together: %+v", got)
			}
		})
	}
}

// What happens on a dialback verification's connection doesn't decide the leg.
func TestDrawLooksAtTheLegsOwnConnection(t *testing.T) {
	other := judged(initiator, verdict.OutcomeRejected, verdict.Expired)
	other.Conn = "b > a"
	events := []verdict.Event{other, auth(acceptor, verdict.MethodDialback, true), ev(initiator, verdict.KindExchanged), ev(acceptor, verdict.KindExchanged)}
	got := verdict.Draw(verdict.Evidence{Conn: "a > b", Events: events})
	if got.Code != verdict.FallbackDialback {
		t.Errorf("drew %s (%s)", got.Code, got.Reason)
	}
}

// Evidence that contradicts itself, or that only a fault of the lab can have left, never gives a verdict on a partner. Each
// row starts from a leg that is trusted and changes one thing.
func TestDrawNeverBelievesAContradiction(t *testing.T) {
	good := func() []verdict.Event {
		return []verdict.Event{
			ev(initiator, verdict.KindConnect), ev(acceptor, verdict.KindConnect),
			cert(initiator, verdict.KindCertSent, "aa"), cert(acceptor, verdict.KindCertSeen, "aa"),
			cert(acceptor, verdict.KindCertSent, "bb"), cert(initiator, verdict.KindCertSeen, "bb"),
			judged(initiator, verdict.OutcomeTrusted, verdict.Trusted), judged(acceptor, verdict.OutcomeTrusted, verdict.Trusted),
			auth(initiator, verdict.MethodCertificate, true), auth(acceptor, verdict.MethodCertificate, true),
			ev(initiator, verdict.KindExchanged), ev(acceptor, verdict.KindExchanged),
		}
	}
	if v := verdict.Draw(verdict.Evidence{Events: good()}); v.Code != verdict.Trusted {
		t.Fatalf("the leg that everything starts from is %s: %s", v.Code, v.Reason)
	}
	drop := func(kind verdict.Kind, sides ...verdict.Side) func([]verdict.Event) []verdict.Event {
		return func(in []verdict.Event) []verdict.Event {
			return slices.DeleteFunc(in, func(e verdict.Event) bool {
				return e.Kind == kind && (len(sides) == 0 || slices.Contains(sides, e.Side))
			})
		}
	}
	add := func(more ...verdict.Event) func([]verdict.Event) []verdict.Event {
		return func(in []verdict.Event) []verdict.Event { return append(in, more...) }
	}
	alert := func(side verdict.Side, kind verdict.Kind, n uint8) verdict.Event {
		return verdict.Event{Side: side, Host: string(side), Kind: kind, Alert: n}
	}
	unanswered := func(more ...verdict.Event) func([]verdict.Event) []verdict.Event {
		return func(in []verdict.Event) []verdict.Event { return append(drop(verdict.KindExchanged)(in), more...) }
	}
	for name, change := range map[string]func([]verdict.Event) []verdict.Event{
		"the acceptor was shown another certificate than was sent": func(in []verdict.Event) []verdict.Event { in[3].Certs = []string{"cc"}; return in },
		"the initiator was shown another":                          func(in []verdict.Event) []verdict.Event { in[5].Certs = []string{"cc"}; return in },
		"a longer chain than was sent":                             func(in []verdict.Event) []verdict.Event { in[5].Certs = []string{"bb", "cc"}; return in },
		"a certificate that nobody sent":                           drop(verdict.KindCertSent, initiator),
		"a certificate that was sent and not shown": func(in []verdict.Event) []verdict.Event {
			in[3] = ev(acceptor, verdict.KindNoCertSeen)
			return in
		},
		"the acceptor knows of no exchange":          drop(verdict.KindExchanged, acceptor),
		"the initiator knows of no exchange":         drop(verdict.KindExchanged, initiator),
		"nobody was authenticated":                   drop(verdict.KindAuthenticated),
		"TLS on one side only":                       func(in []verdict.Event) []verdict.Event { in[9].Encrypted = false; return in },
		"the acceptor refused an exchange":           add(judged(acceptor, verdict.OutcomeRejected, verdict.Expired)),
		"the initiator refused an exchange":          add(judged(initiator, verdict.OutcomeRejected, verdict.Expired)),
		"a refusal with the code trusted":            unanswered(judged(acceptor, verdict.OutcomeRejected, verdict.Trusted), ev(initiator, verdict.KindClosed)),
		"a refusal without a code":                   unanswered(judged(acceptor, verdict.OutcomeRejected, ""), ev(initiator, verdict.KindClosed)),
		"an acceptance with a code of refusal":       add(judged(initiator, verdict.OutcomeTrusted, verdict.Expired)),
		"a refusal that the initiator didn't notice": unanswered(judged(acceptor, verdict.OutcomeRejected, verdict.Expired)),
		"a refusal that the acceptor didn't notice":  unanswered(judged(initiator, verdict.OutcomeRejected, verdict.Expired)),
		"another alert than was sent":                unanswered(judged(acceptor, verdict.OutcomeRejected, verdict.Expired), alert(acceptor, verdict.KindAlertSent, 45), alert(initiator, verdict.KindAlertReceived, 42)),
		"an alert that nobody sent":                  unanswered(alert(initiator, verdict.KindAlertReceived, 42)),
		"time ran out between the lab's own ends":    unanswered(ev(initiator, verdict.KindTimeout)),
		"time ran out at the lab's own acceptor":     unanswered(ev(acceptor, verdict.KindTimeout)),
		"the acceptor is gone and doesn't say why":   unanswered(ev(initiator, verdict.KindConnectionLost)),
		"the acceptor of the lab failed":             add(ev(acceptor, verdict.KindHarness)),
		"the initiator of the lab failed":            add(ev(initiator, verdict.KindHarness)),
		"a harness fault beside a partner's refusal": unanswered(judged(acceptor, verdict.OutcomeRejected, verdict.Expired), ev(initiator, verdict.KindClosed), ev(initiator, verdict.KindHarness)),
		"one side's evidence is missing altogether": func(in []verdict.Event) []verdict.Event {
			return slices.DeleteFunc(in, func(e verdict.Event) bool { return e.Side == acceptor })
		},
		"the other side's evidence is missing likewise": func(in []verdict.Event) []verdict.Event {
			return slices.DeleteFunc(in, func(e verdict.Event) bool { return e.Side == initiator })
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := verdict.Draw(verdict.Evidence{Events: change(good())})
			if v.Code != verdict.Inconclusive || v.Fault == "" {
				t.Errorf("drew %s (%s), fault %q; want inconclusive and why", v.Code, v.Reason, v.Fault)
			}
		})
	}
}
