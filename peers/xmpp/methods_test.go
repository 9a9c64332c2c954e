package xmpp_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/xmpp"
)

const (
	required     = topology.Required
	optional     = topology.Optional
	notSupported = topology.NotSupported
)

// matrix is the table of the topic "Negotiation settings for XMPP federated partners" (2012-10-21): the methods that
// each combination may end with, none where it is invalid.
var matrix = []struct {
	tls, sasl topology.Negotiation
	dialback  bool
	methods   []xmpp.Method
}{
	{required, required, true, []xmpp.Method{xmpp.SASLOverTLS}},
	{required, required, false, []xmpp.Method{xmpp.SASLOverTLS}},
	{optional, required, true, []xmpp.Method{xmpp.SASLOverTLS, xmpp.DialbackOverTLS, xmpp.DialbackOverTCP}},
	{optional, required, false, []xmpp.Method{xmpp.SASLOverTLS}},
	{notSupported, required, true, []xmpp.Method{xmpp.DialbackOverTCP}},
	{notSupported, required, false, nil},
	{required, optional, true, []xmpp.Method{xmpp.SASLOverTLS, xmpp.DialbackOverTLS}},
	{required, optional, false, []xmpp.Method{xmpp.SASLOverTLS}},
	{optional, optional, true, []xmpp.Method{xmpp.SASLOverTLS, xmpp.DialbackOverTLS, xmpp.DialbackOverTCP}},
	{optional, optional, false, []xmpp.Method{xmpp.SASLOverTLS}},
	{notSupported, optional, true, []xmpp.Method{xmpp.DialbackOverTCP}},
	{notSupported, optional, false, nil},
	{required, notSupported, true, []xmpp.Method{xmpp.DialbackOverTLS}},
	{required, notSupported, false, nil},
	{optional, notSupported, true, []xmpp.Method{xmpp.DialbackOverTLS, xmpp.DialbackOverTCP}},
	{optional, notSupported, false, nil},
	{notSupported, notSupported, true, []xmpp.Method{xmpp.DialbackOverTCP}},
	{notSupported, notSupported, false, nil},
}

func TestMethods(t *testing.T) {
	for _, row := range matrix {
		a := topology.Allowed{TLS: row.tls, SASL: row.sasl, Dialback: row.dialback}
		if got := xmpp.Methods(a); !slices.Equal(got, row.methods) {
			t.Errorf("%+v: %v, want %v", a, got, row.methods)
		}
	}
}

// Each combination runs against a partner that can do everything, one whose certificate is for another domain, and one
// that does no TLS. What was used must be the best that the matrix has for such a partner, in both directions.
func TestMatrixOnTheWire(t *testing.T) {
	everything := topology.Allowed{TLS: optional, SASL: optional, Dialback: true}
	w := newWorld(t)
	plain := w.server("plain", "plain.example", "google-talk", nil)
	good := w.server("good", "fabrikam.com", "xmpp-strict-dialback", w.ca.issue("fabrikam.com", serverAuth, clientAuth)).allow(everything)
	weak := w.server("weak", "weak.example", "xmpp-strict-dialback", w.ca.issue("elsewhere.example")).allow(everything)
	w.listen(plain, good, weak)
	for i, row := range matrix {
		a := topology.Allowed{TLS: row.tls, SASL: row.sasl, Dialback: row.dialback}
		edge := w.server(fmt.Sprintf("edge%d", i), fmt.Sprintf("contoso%d.com", i), "xmpp-strict-dialback", nil)
		edge.cfg.Host.Certificate = w.ca.issue(edge.domain, serverAuth, clientAuth)
		edge.allow(a)
		w.listen(edge)
		for _, partner := range []struct {
			*server
			can []xmpp.Method // best first
		}{
			{good, []xmpp.Method{xmpp.SASLOverTLS, xmpp.DialbackOverTLS, xmpp.DialbackOverTCP}},
			{weak, []xmpp.Method{xmpp.DialbackOverTLS, xmpp.DialbackOverTCP}},
			{plain, []xmpp.Method{xmpp.DialbackOverTCP}},
		} {
			for _, outbound := range []bool{false, true} {
				t.Run(fmt.Sprintf("tls %s, sasl %s, dialback %t/%s/outbound=%t", a.TLS, a.SASL, a.Dialback, partner.domain, outbound), func(t *testing.T) {
					w := *w
					w.t = t
					from, to := partner.server, edge
					if outbound {
						from, to = to, from
					}
					l := w.run(from, to)
					used := used(t, l)
					want := best(row.methods, partner.can)
					if used != want {
						t.Errorf("used %q, want %q\n%v", used, want, l)
					}
				})
			}
		}
	}
}

// best returns the best method that both can do. With STARTTLS offered and taken there is no way back to TCP.
func best(allowed, can []xmpp.Method) xmpp.Method {
	for _, m := range can {
		if slices.Contains(allowed, m) {
			return m
		}
	}
	return ""
}

// used returns the method that a leg was authenticated by, "" if it wasn't. Both ends must agree.
func used(t *testing.T, l leg) xmpp.Method {
	t.Helper()
	var out [2]xmpp.Method
	for i, side := range []events{l.initiator, l.acceptor} {
		for _, e := range side.all(verdict.KindAuthenticated) {
			switch {
			case e.Method == verdict.MethodExternal && e.Encrypted:
				out[i] = xmpp.SASLOverTLS
			case e.Method == verdict.MethodDialback && e.Encrypted:
				out[i] = xmpp.DialbackOverTLS
			case e.Method == verdict.MethodDialback:
				out[i] = xmpp.DialbackOverTCP
			default:
				t.Errorf("authenticated by %s, encrypted %t", e.Method, e.Encrypted)
			}
		}
	}
	if out[0] != out[1] {
		t.Errorf("the initiator used %q, the acceptor %q\n%v", out[0], out[1], l)
	}
	if (l.err == nil) != (out[0] != "") {
		t.Errorf("authenticated by %q, and Connect returned %v", out[0], l.err)
	}
	return out[0]
}
