package verdict

import (
	"fmt"
	"slices"
)

// Evidence is everything that is known of a leg.
type Evidence struct {
	Conn   string  // the leg's own connection; dialback verifications have others
	Events []Event // of both sides, merged
	Fault  string  // the lab's own failure, empty for none
	// OneSided says that only one of the ends is ours and the other can't be asked for its evidence.
	OneSided bool
}

// A Verdict is what Draw concludes.
type Verdict struct {
	Code      Code
	Reason    string     // one sentence
	By        string     // the actor whose judgement decided; empty when none did
	Side      Side       // the side it stands on
	Judgement *Judgement // that judgement
	Fault     string     // why the lab can't say, for Inconclusive
}

// Draw concludes from evidence, and from nothing else. The verifier decides: a refusal is taken from the side that
// judged, because in TLS 1.3 the initiator's handshake ends before the acceptor has judged it (RFC 8446 §4.4.2.4).
// Both sides must tell one story; where they don't the verdict is Inconclusive, never a pass.
func Draw(e Evidence) Verdict {
	if e.Fault != "" {
		return Verdict{Code: Inconclusive, Fault: e.Fault, Reason: "the lab failed: " + e.Fault}
	}
	d := drawing{Evidence: e}
	for _, rule := range []func() (Verdict, bool){
		d.harness, d.contradiction, d.refusal, d.connection, d.unjudged, d.undecided, d.success,
	} {
		if v, ok := rule(); ok {
			return v
		}
	}
	return Verdict{Code: Inconclusive, Reason: "nothing decisive was seen", Fault: "the evidence holds neither a success nor a refusal"}
}

type drawing struct{ Evidence }

// find returns the first event of the leg's own connection that has one of the kinds.
func (d drawing) find(side Side, kinds ...Kind) (Event, bool) {
	for _, e := range d.Events {
		if (side == "" || e.Side == side) && d.own(e) && slices.Contains(kinds, e.Kind) {
			return e, true
		}
	}
	return Event{}, false
}

func (d drawing) own(e Event) bool { return e.Conn == "" || d.Conn == "" || e.Conn == d.Conn }

func (d drawing) has(side Side, kinds ...Kind) bool {
	_, ok := d.find(side, kinds...)
	return ok
}

func (d drawing) harness() (Verdict, bool) {
	e, ok := d.find("", KindHarness)
	why := fmt.Sprintf("%s: %s", e.Host, e.Text)
	return Verdict{Code: Inconclusive, Fault: why, Reason: "the lab failed at " + why}, ok
}

// contradiction compares what the two sides say of the same thing, and each judgement with itself.
func (d drawing) contradiction() (Verdict, bool) {
	why := d.absurd()
	if why == "" && !d.OneSided {
		why = d.disagreement()
	}
	if why == "" {
		return Verdict{}, false
	}
	return Verdict{Code: Inconclusive, Reason: why, Fault: why}, true
}

// absurd returns what is wrong with a judgement by itself: one that refuses must say why, one that trusts must not.
func (d drawing) absurd() string {
	for _, e := range d.Events {
		if !d.own(e) || e.Kind != KindJudged || e.Judgement == nil {
			continue
		}
		j := e.Judgement
		switch {
		case j.Outcome == OutcomeRejected && (j.Code == Trusted || j.Code == ""):
			return fmt.Sprintf("%s refuses with the code %q", e.Host, j.Code)
		case j.Outcome == OutcomeTrusted && j.Code != Trusted && j.Code != "":
			return fmt.Sprintf("%s accepts with the code %s", e.Host, j.Code)
		}
	}
	return ""
}

// disagreement returns in what the two sides' stories differ.
func (d drawing) disagreement() string {
	why := ""
	for _, dir := range []struct{ from, to Side }{{Initiator, Acceptor}, {Acceptor, Initiator}} {
		sent, wasSent := d.find(dir.from, KindCertSent)
		seen, ok := d.find(dir.to, KindCertSeen)
		switch {
		case !ok && wasSent && d.has(dir.to, KindNoCertSeen):
			why = fmt.Sprintf("the %s sent a certificate and the %s was shown none", dir.from, dir.to)
		case !ok:
		case !wasSent:
			why = fmt.Sprintf("the %s was shown a certificate that the %s didn't send", dir.to, dir.from)
		case !slices.Equal(sent.Certs, seen.Certs):
			why = fmt.Sprintf("the %s was shown another chain than the %s sent", dir.to, dir.from)
		}
	}
	if e, ok := d.refused(); ok {
		other := Initiator
		if e.Side == Initiator {
			other = Acceptor
		}
		if d.has(other, KindExchanged) {
			why = fmt.Sprintf("the %s refused (%s) and the %s had its answer all the same", e.Side, e.Judgement.Code, other)
		}
	}
	for _, dir := range []struct{ from, to Side }{{Initiator, Acceptor}, {Acceptor, Initiator}} {
		sent, ok := d.find(dir.from, KindAlertSent)
		got, seen := d.find(dir.to, KindAlertReceived)
		if ok && seen && sent.Alert != got.Alert {
			why = fmt.Sprintf("the %s sent TLS alert %d and the %s received %d", dir.from, sent.Alert, dir.to, got.Alert)
		}
	}
	one, ok := d.find(Initiator, KindAuthenticated)
	two, both := d.find(Acceptor, KindAuthenticated)
	if ok && both && one.Encrypted != two.Encrypted {
		why = "one side was authenticated inside TLS and the other without"
	}
	return why
}

func (d drawing) refused() (Event, bool) {
	for _, e := range d.Events {
		if d.own(e) && e.Kind == KindJudged && e.Judgement != nil && e.Judgement.Outcome == OutcomeRejected {
			return e, true
		}
	}
	return Event{}, false
}

// refusal is a judge that said no.
func (d drawing) refusal() (Verdict, bool) {
	e, ok := d.refused()
	if !ok {
		return Verdict{}, false
	}
	v := Verdict{Code: e.Judgement.Code, By: e.Host, Side: e.Side, Judgement: e.Judgement}
	v.Reason = fmt.Sprintf("%s (%s) refuses", e.Host, e.Judgement.Product)
	if f := e.Judgement.Failed(); len(f) > 0 {
		v.Reason += ": " + f[0].Detail
	}
	if !d.OneSided && !d.noticed(e) {
		v.Code, v.Fault = Inconclusive, fmt.Sprintf("%s refused, and the other side noticed nothing of it", e.Host)
		v.Reason = v.Fault
	}
	return v, true
}

// noticed reports whether the side opposite to a refusal saw it: an alert, an answer, or at least the connection's end.
func (d drawing) noticed(refusal Event) bool {
	if refusal.Side == Initiator && refusal.Conn == "" && !d.has(Initiator, KindConnect, KindHandshake, KindCertSeen) {
		return true // it refused before it connected: there was no other side yet
	}
	other := Initiator
	if refusal.Side == Initiator {
		other = Acceptor
	}
	return d.has(other, KindAlertReceived, KindRefused, KindConnectionLost, KindClosed, KindTimeout, KindTLSNotOffered)
}

// connection is a leg that never got as far as a judgement.
func (d drawing) connection() (Verdict, bool) {
	for _, e := range d.Events {
		if !d.own(e) || e.Side != Initiator {
			continue
		}
		switch e.Kind {
		case KindConnectFailed:
			return Verdict{Code: orElse(e.Code, NoAnswer), Reason: e.Text}, true
		case KindRefused:
			if e.Code != "" && e.Status == 0 { // the initiator itself gave up: no SRV record, not allowed, …
				return Verdict{Code: e.Code, By: e.Host, Side: e.Side, Reason: e.Text}, true
			}
		case KindTLSNotOffered:
			return Verdict{Code: TLSRefused, Reason: e.Text}, true
		case KindTimeout:
			return d.late(e), true
		}
	}
	return Verdict{}, false
}

// late is a phase that ran out of time. A partner that can't be asked didn't answer. Where both ends are the lab's own
// nobody stays silent on purpose: the machine is too slow, which says nothing about a partner.
func (d drawing) late(e Event) Verdict {
	if d.OneSided {
		return Verdict{Code: NoAnswer, Reason: e.Text}
	}
	why := fmt.Sprintf("%s: %s, though both ends are the lab's own: the machine is too busy, or an end hangs", e.Host, e.Text)
	return Verdict{Code: Inconclusive, Reason: why, Fault: why}
}

// unjudged is a refusal that only the refused side saw, or whose reason isn't a certificate.
func (d drawing) unjudged() (Verdict, bool) {
	if e, ok := d.find(Acceptor, KindRefused); ok {
		return Verdict{Code: orElse(e.Code, ApplicationRefused), By: e.Host, Side: e.Side, Reason: e.Text}, true
	}
	if e, ok := d.find("", KindAlertReceived); ok && (d.OneSided || d.explained(e)) {
		return Verdict{Code: TLSRefused, Reason: fmt.Sprintf("%s %s", e.Host, e.Text)}, true
	}
	if e, ok := d.find(Initiator, KindRefused); ok {
		return Verdict{Code: orElse(e.Code, ApplicationRefused), Reason: e.Text}, true
	}
	if d.has(Initiator, KindExchanged) || d.OneSided && d.exchanged() {
		return Verdict{}, false
	}
	if e, ok := d.find("", KindTimeout); ok {
		return d.late(e), true
	}
	if e, ok := d.find(Initiator, KindConnectionLost); ok {
		if d.OneSided {
			return Verdict{Code: NoAnswer, Reason: fmt.Sprintf("%s: %s", e.Host, e.Text)}, true
		}
		why := fmt.Sprintf("%s: %s, and the acceptor, the lab's own, doesn't say why", e.Host, e.Text)
		return Verdict{Code: Inconclusive, Reason: why, Fault: why}, true
	}
	return Verdict{}, false
}

// explained reports whether the side that must have sent an alert knows of it.
func (d drawing) explained(received Event) bool {
	other := Initiator
	if received.Side == Initiator {
		other = Acceptor
	}
	return d.has(other, KindAlertSent, KindRefused, KindTLSNotOffered)
}

// undecided is a leg that worked in the lab, where the real product's answer isn't known.
func (d drawing) undecided() (Verdict, bool) {
	for _, e := range d.Events {
		if d.own(e) && e.Kind == KindJudged && e.Judgement != nil && e.Judgement.Outcome == OutcomeUnknown {
			v := Verdict{Code: Unknown, By: e.Host, Side: e.Side, Judgement: e.Judgement, Reason: "no source settles what " + e.Judgement.Product + " does"}
			if f := e.Judgement.Failed(); len(f) > 0 {
				v.Reason += ": " + f[0].Detail
			}
			return v, true
		}
	}
	return Verdict{}, false
}

// exchanged reports whether a message went there and its answer came back, by all ends that can be asked.
func (d drawing) exchanged() bool {
	if d.OneSided {
		return d.has("", KindExchanged)
	}
	return d.has(Initiator, KindExchanged) && d.has(Acceptor, KindExchanged)
}

// success needs an exchange that both sides saw, and says how the ends were authenticated.
func (d drawing) success() (Verdict, bool) {
	if !d.exchanged() {
		return Verdict{}, false
	}
	dialback, encrypted, certificate := false, true, false
	for _, e := range d.Events {
		if !d.own(e) {
			continue
		}
		if e.Kind == KindJudged && e.Judgement != nil && e.Judgement.Outcome == OutcomeFallback {
			dialback = true
		}
		if e.Kind != KindAuthenticated {
			continue
		}
		switch e.Method {
		case MethodDialback:
			dialback = true
			encrypted = encrypted && e.Encrypted
		case MethodCertificate, MethodExternal, MethodServerTLS:
			certificate = true
		}
	}
	switch {
	case dialback && !encrypted:
		return Verdict{Code: PlaintextDialback, Reason: "authenticated by dialback without TLS: no certificate was asked about"}, true
	case dialback:
		v := Verdict{Code: FallbackDialback, Reason: "works by dialback inside TLS, without trust in a certificate"}
		for _, e := range d.Events {
			if !d.own(e) || e.Kind != KindJudged || e.Judgement == nil {
				continue
			}
			if f := e.Judgement.Failed(); len(f) > 0 && v.Judgement == nil {
				v.By, v.Side, v.Judgement = e.Host, e.Side, e.Judgement
				v.Reason += fmt.Sprintf("; %s (%s) doesn't trust it: %s", e.Host, e.Judgement.Product, f[0].Detail)
			}
		}
		return v, true
	case certificate:
		return Verdict{Code: Trusted, Reason: "messages were exchanged over a connection that both ends authenticated"}, true
	}
	return Verdict{Code: Inconclusive, Reason: "messages were exchanged, and neither end says how the other was authenticated",
		Fault: "an exchange without authentication"}, true
}

func orElse(c, other Code) Code {
	if c == "" {
		return other
	}
	return c
}
