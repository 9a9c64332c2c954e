package xmpp_test

import (
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
)

func TestTrustedBothWays(t *testing.T) {
	w := newWorld(t)
	contoso := w.server("edge", "contoso.com", "xmpp-strict", w.ca.issue("contoso.com", serverAuth, clientAuth))
	fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	w.listen(contoso, fabrikam)
	for _, ends := range [][2]*server{{contoso, fabrikam}, {fabrikam, contoso}} {
		l := w.run(ends[0], ends[1])
		l.authenticated(verdict.MethodExternal, true)
		l.initiator.judged(t, verdict.OutcomeTrusted, verdict.Trusted)
		l.acceptor.judged(t, verdict.OutcomeTrusted, verdict.Trusted)
		t.Log(l)
	}
}
