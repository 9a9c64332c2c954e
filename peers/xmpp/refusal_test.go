package xmpp_test

import (
	"crypto/tls"
	"errors"
	"testing"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/wire"
	"github.com/edgelab/edgelab/peers/xmpp"
)

// Each certificate is refused by a strict acceptor when it calls, and by a strict initiator when it is called, for the
// reason given, and its good twin isn't.
func TestStrictRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		cert            func(*authority) *tls.Certificate
		calling, called verdict.Code
	}{
		"both EKUs":       {func(a *authority) *tls.Certificate { return a.issue("contoso.com", serverAuth, clientAuth) }, verdict.Trusted, verdict.Trusted},
		"server EKU only": {func(a *authority) *tls.Certificate { return a.issue("contoso.com", serverAuth) }, verdict.ClientEKUMissing, verdict.Trusted},
		"client EKU only": {func(a *authority) *tls.Certificate { return a.issue("contoso.com", clientAuth) }, verdict.Trusted, verdict.ServerEKUMissing},
		"wrong name":      {func(a *authority) *tls.Certificate { return a.issue("sip.contoso.com", serverAuth, clientAuth) }, verdict.NameMismatch, verdict.NameMismatch},
		"wildcard":        {func(a *authority) *tls.Certificate { return a.issue("*.contoso.com", serverAuth, clientAuth) }, verdict.WildcardRefused, verdict.WildcardRefused},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			strict := w.server("strict", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
			edge := w.server("edge", "contoso.com", "xmpp-strict", tt.cert(w.ca))
			w.listen(strict, edge)
			calling := w.run(edge, strict)
			verdictOf(t, calling, calling.acceptor, tt.calling)
			called := w.run(strict, edge)
			verdictOf(t, called, called.initiator, tt.called)
		})
	}
}

// verdictOf checks what the judging side of a leg concluded, and that the leg went accordingly.
func verdictOf(t *testing.T, l leg, judge events, want verdict.Code) {
	t.Helper()
	if want == verdict.Trusted {
		l.authenticated(verdict.MethodExternal, true)
		return
	}
	judge.judged(t, verdict.OutcomeRejected, want)
	if l.err == nil || used(t, l) != "" {
		t.Errorf("the leg worked though %s judged %s", judge[0].Side, want)
	}
	for _, side := range []events{l.initiator, l.acceptor} {
		side.none(t, verdict.KindTimeout, verdict.KindConnectionLost, verdict.KindHarness, verdict.KindExchanged)
	}
	// The refusal is there at both ends: as an alert where TLS refuses, as a stream error where XMPP does.
	if sent := judge.all(verdict.KindAlertSent); len(sent) > 0 {
		other := l.initiator
		if judge[0].Side == verdict.Initiator {
			other = l.acceptor
		}
		if got := other.one(t, verdict.KindAlertReceived); got.Alert != sent[0].Alert {
			t.Errorf("alert %d sent, %d received", sent[0].Alert, got.Alert)
		}
		return
	}
	if r := judge.one(t, verdict.KindRefused); r.Code != want {
		t.Errorf("refused for %s, want %s", r.Code, want)
	}
	l.initiator.one(t, verdict.KindRefused)
	l.acceptor.one(t, verdict.KindRefused)
}

func TestWithheldCertificate(t *testing.T) {
	for product, want := range map[string]verdict.Outcome{"xmpp-strict": verdict.OutcomeRejected, "xmpp-strict-dialback": verdict.OutcomeFallback} {
		t.Run(product, func(t *testing.T) {
			w := newWorld(t)
			strict := w.server("strict", "fabrikam.com", product, w.ca.issue("fabrikam.com", serverAuth, clientAuth))
			edge := w.server("edge", "contoso.com", product, w.ca.issue("contoso.com", serverAuth, clientAuth))
			edge.cfg.Host.Withhold = true
			w.listen(strict, edge)
			l := w.run(edge, strict)
			l.initiator.one(t, verdict.KindCertWithheld)
			l.acceptor.one(t, verdict.KindNoCertSeen)
			l.acceptor.judged(t, want, verdict.NoClientCert)
			l.acceptor.none(t, verdict.KindTimeout)
			if want == verdict.OutcomeFallback {
				l.authenticated(verdict.MethodDialback, true)
			}
		})
	}
}

func TestTLSNotOffered(t *testing.T) {
	optionalTLS := topology.Allowed{TLS: optional, SASL: optional, Dialback: true}
	requiredTLS := topology.Allowed{TLS: required, SASL: optional, Dialback: true}
	w := newWorld(t)
	plain := w.server("google", "gmail.example", "google-talk", nil)
	strict := w.server("strict", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	lax := w.server("lax", "lax.example", "xmpp-strict-dialback", w.ca.issue("lax.example", serverAuth, clientAuth)).allow(optionalTLS)
	bare := w.server("bare", "bare.example", "xmpp-strict-dialback", nil).allow(requiredTLS)
	w.listen(plain, strict, lax, bare)
	for name, tt := range map[string]struct {
		from, to *server
		noticed  verdict.Side // who has KindTLSNotOffered
		works    bool
	}{
		"required, not offered":           {strict, plain, verdict.Initiator, false},
		"required, not taken":             {plain, strict, verdict.Acceptor, false},
		"optional, not offered":           {lax, plain, "", true},
		"optional, not taken":             {plain, lax, "", true},
		"required, and there is no cert":  {lax, bare, "", false},
		"required by one without a cert ": {bare, plain, verdict.Initiator, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := w.run(tt.from, tt.to)
			if works := used(t, l) != ""; works != tt.works {
				t.Fatalf("worked: %t, want %t\n%v", works, tt.works, l)
			}
			for side, ev := range map[verdict.Side]events{verdict.Initiator: l.initiator, verdict.Acceptor: l.acceptor} {
				ev.none(t, verdict.KindTimeout, verdict.KindHarness, verdict.KindHandshake)
				if side == tt.noticed {
					ev.one(t, verdict.KindTLSNotOffered)
				}
			}
			if tt.works {
				l.initiator.none(t, verdict.KindTLSNotOffered)
				l.acceptor.none(t, verdict.KindTLSNotOffered)
			}
		})
	}
}

func TestNotAllowed(t *testing.T) {
	w := newWorld(t)
	nobody := func(string) (topology.Allowed, bool) { return topology.Allowed{}, false }
	edge := w.server("edge", "contoso.com", "xmpp-strict", w.ca.issue("contoso.com", serverAuth, clientAuth))
	edge.cfg.Partners = nobody
	fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	w.listen(edge, fabrikam)

	in := w.run(fabrikam, edge)
	if r := in.acceptor.one(t, verdict.KindRefused); r.Code != verdict.NotAllowed {
		t.Errorf("refused for %q", r.Code)
	}
	in.initiator.one(t, verdict.KindRefused)
	var refused *xmpp.RefusedError
	if !errors.As(in.err, &refused) || refused.Own || refused.Condition != "policy-violation" {
		t.Errorf("Connect returned %v", in.err)
	}

	out := w.run(edge, fabrikam)
	if r := out.initiator.one(t, verdict.KindRefused); r.Code != verdict.NotAllowed {
		t.Errorf("refused for %q", r.Code)
	}
	out.initiator.none(t, verdict.KindConnect, verdict.KindDNS)
}

func TestHostUnknown(t *testing.T) {
	w := newWorld(t)
	edge := w.server("edge", "contoso.com", "xmpp-strict", w.ca.issue("contoso.com", serverAuth, clientAuth))
	fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	w.listen(edge, fabrikam)
	edge.domain = "northwind.example"
	w.zone.SetSRV("_xmpp-server._tcp.northwind.example", w.zone.SRV("_xmpp-server._tcp.contoso.com")...)
	l := w.run(fabrikam, edge)
	l.acceptor.one(t, verdict.KindRefused)
	var refused *xmpp.RefusedError
	if !errors.As(l.err, &refused) || refused.Condition != "host-unknown" {
		t.Errorf("Connect returned %v", l.err)
	}
}

// Where the product's TLS stack refuses, its alert is what both ends have, and XMPP has no more to say.
func TestRefusedByAlert(t *testing.T) {
	w := newWorld(t)
	// Any product that demands a certificate will do; dialback leaves it something to offer.
	edge := w.server("edge", "contoso.com", "lync-2013", w.ca.issue("contoso.com", serverAuth, clientAuth))
	edge.allow(topology.Allowed{TLS: optional, SASL: optional, Dialback: true})
	shy := w.server("shy", "fabrikam.com", "xmpp-strict-dialback", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	shy.cfg.Host.Withhold = true
	w.listen(edge, shy)
	l := w.run(shy, edge)
	l.acceptor.judged(t, verdict.OutcomeRejected, verdict.NoClientCert)
	sent, received := l.acceptor.one(t, verdict.KindAlertSent), l.initiator.one(t, verdict.KindAlertReceived)
	if sent.Alert == 0 || sent.Alert != received.Alert {
		t.Errorf("alert %d sent, %d received", sent.Alert, received.Alert)
	}
	var alert *wire.AlertError
	if !errors.As(l.err, &alert) {
		t.Errorf("Connect returned %v", l.err)
	}
	for _, side := range []events{l.initiator, l.acceptor} {
		side.none(t, verdict.KindRefused, verdict.KindTimeout, verdict.KindConnectionLost, verdict.KindHarness)
	}
}

func TestUntrustedChain(t *testing.T) {
	w := newWorld(t)
	other := newAuthority(t, "another root", date)
	edge := w.server("edge", "contoso.com", "xmpp-strict", other.issue("contoso.com", serverAuth, clientAuth))
	strict := w.server("strict", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	w.listen(edge, strict)
	l := w.run(strict, edge)
	l.initiator.judged(t, verdict.OutcomeRejected, verdict.ChainIncomplete)
	var refused *xmpp.RefusedError
	if !errors.As(l.err, &refused) || !refused.Own || refused.Code != verdict.ChainIncomplete {
		t.Errorf("Connect returned %v", l.err)
	}
}

func TestFallbackToDomainWithoutSRV(t *testing.T) {
	w := newWorld(t)
	edge := w.server("edge", "contoso.com", "xmpp-strict", w.ca.issue("contoso.com", serverAuth, clientAuth))
	fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	w.listen(edge, fabrikam)
	w.zone.SetSRV("_xmpp-server._tcp.contoso.com")
	w.zone.SetA("contoso.com", w.net.Address("edge"))
	w.run(fabrikam, edge).authenticated(verdict.MethodExternal, true)
}

func TestNoAnswer(t *testing.T) {
	w := newWorld(t)
	edge := w.server("edge", "contoso.com", "xmpp-strict", w.ca.issue("contoso.com", serverAuth, clientAuth))
	fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	l := w.run(fabrikam, edge)
	if l.err == nil {
		t.Error("connected to nobody")
	}
	l.initiator.one(t, verdict.KindConnectFailed)
	l.initiator.none(t, verdict.KindRefused, verdict.KindTimeout, verdict.KindHarness)
}
