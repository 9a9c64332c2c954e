package policy_test

import (
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// TestNames puts names to products that compare them differently. What the stacks do beyond this is compared with the
// real ones in the differential tests and in package conformance.
func TestNames(t *testing.T) {
	type names struct {
		cn                   string
		dns, uris, xmpp, srv []string
	}
	const trusted = verdict.Trusted
	rows := []struct {
		product string
		sought  string
		has     names
		code    verdict.Code
	}{
		{"lync-2013", "SIP.contoso.com", names{cn: "x", dns: []string{"sip.Contoso.com"}}, trusted},
		{"lync-2013", "sip.contoso.com", names{cn: "sip.contoso.com", uris: []string{"sip:contoso.com"}}, verdict.SubjectNotInSAN},
		{"openssl-3.0", "sip.contoso.com", names{cn: "sip.contoso.com", uris: []string{"sip:contoso.com"}}, trusted},
		{"openssl-3.0", "sip.contoso.com", names{cn: "x", dns: []string{"s*.contoso.com"}}, trusted},
		{"go", "sip.contoso.com", names{cn: "x", dns: []string{"s*.contoso.com"}}, verdict.WildcardRefused},
		{"go", "sip.contoso.com", names{cn: "sip.contoso.com"}, verdict.SubjectNotInSAN},
		{"gnutls-3.7", "sip.contoso.com", names{cn: "x", dns: []string{"*p.contoso.com"}}, trusted},
		{"gnutls-3.7", "sip.contoso.com", names{cn: "x", dns: []string{"s*.contoso.com"}}, verdict.WildcardRefused},
		{"java-17", "sip.eu.contoso.com", names{cn: "x", dns: []string{"*.*.contoso.com"}}, trusted},
		{"java-21", "sip.eu.contoso.com", names{cn: "x", dns: []string{"*.*.contoso.com"}}, verdict.WildcardRefused},
		{"erlang-25", "sip.contoso.com", names{cn: "x", dns: []string{"*.contoso.com"}}, verdict.WildcardRefused},
		{"prosody-0.12", "contoso.com", names{cn: "x", xmpp: []string{"contoso.com"}}, verdict.NameMismatch},
		{"prosody-0.12", "contoso.com", names{cn: "contoso.com"}, trusted},
		{"prosody-13", "contoso.com", names{cn: "contoso.com"}, verdict.SubjectNotInSAN},
		{"prosody-13", "contoso.com", names{cn: "x", srv: []string{"_xmpp-server.contoso.com"}}, trusted},
		{"prosody-13", "bücher.contoso.com", names{cn: "x", dns: []string{"xn--bcher-kva.contoso.com"}}, trusted},
		{"openfire", "contoso.com", names{cn: "x", dns: []string{"*.contoso.com"}}, trusted},
		{"openfire", "a.b.contoso.com", names{cn: "x", dns: []string{"*.contoso.com"}}, trusted},
		{"xmpp-strict", "contoso.com", names{cn: "contoso.com"}, verdict.SubjectNotInSAN},
		{"xmpp-strict", "contoso.com", names{cn: "x", dns: []string{"*.contoso.com"}}, verdict.WildcardRefused},
		{"xmpp-strict", "contoso.com", names{cn: "x", dns: []string{"*"}}, verdict.WildcardRefused},
		{"xmpp-strict", "contoso.com", names{cn: "x", dns: []string{"fabrikam.com"}}, verdict.NameMismatch},
	}
	for _, r := range rows {
		t.Run(r.product+"/"+r.sought, func(t *testing.T) {
			t.Parallel()
			h := build(t, func(l, _, _ *spec) {
				l.cn, l.dns, l.uris, l.xmpp, l.srv = r.has.cn, r.has.dns, r.has.uris, r.has.xmpp, r.has.srv
			})
			j := product(t, r.product).Judge(question(h, policy.Initiator, r.sought))
			if j.Code != r.code {
				t.Errorf("%+v: got %s, want %s; %+v", r.has, j.Code, r.code, j.Failed())
			}
		})
	}
}

// FuzzNames puts any names to every product: it must answer, and say why if it says no.
func FuzzNames(f *testing.F) {
	for _, s := range [][2]string{{"*.contoso.com", "sip.contoso.com"}, {"", "."}, {"*", "*"}, {"xn--*", "xn--a.b"}, {"a*b*c.d.e", "abc.d.e"}, {"*..", ".."}} {
		f.Add(s[0], s[1])
	}
	root := issue(f, spec{cn: "Root CA", ca: true}, nil)
	f.Fuzz(func(t *testing.T, presented, sought string) {
		leaf, err := tryIssue(spec{cn: presented, dns: []string{presented}}, root)
		if err != nil {
			return
		}
		h := hierarchy{root: root, inter: root, leaf: leaf}
		for _, p := range load(t).Products() {
			j := p.Judge(question(h, policy.Initiator, sought))
			if j.Outcome == verdict.OutcomeRejected && len(j.Failed()) == 0 {
				t.Errorf("%s says no without a reason", p.ID())
			}
		}
	})
}
