package policy_test

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"sync"
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

var catalogue = sync.OnceValues(policy.Load)

func load(t testing.TB) *policy.Catalogue {
	t.Helper()
	c, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func product(t testing.TB, id string) *policy.Product {
	t.Helper()
	p, ok := load(t).Product(id)
	if !ok {
		t.Fatalf("no product %s", id)
	}
	return p
}

func question(h hierarchy, role policy.Role, name string) policy.Question {
	return policy.Question{Role: role, Chain: h.chain(), Roots: h.roots(), Name: name, At: now, TLS: tls.VersionTLS13}
}

// TestProducts puts chains that differ from a good one in one thing to the documented products.
func TestProducts(t *testing.T) {
	type row struct {
		name    string
		product string
		role    policy.Role
		sought  string
		edit    func(leaf, inter, root *spec)
		ask     func(q *policy.Question, h hierarchy)
		outcome verdict.Outcome
		code    verdict.Code
	}
	const trusted, rejected = verdict.OutcomeTrusted, verdict.OutcomeRejected
	eku := func(u []x509.ExtKeyUsage) func(leaf, inter, root *spec) {
		return func(leaf, _, _ *spec) { leaf.eku = u }
	}
	rows := []row{
		{"good", "lync-2013", policy.Acceptor, "sip.contoso.com", nil, nil, trusted, verdict.Trusted},
		{"server EKU alone", "lync-2013", policy.Acceptor, "sip.contoso.com", eku(serverOnly), nil, trusted, verdict.Trusted},
		{"client EKU alone", "lync-2013", policy.Acceptor, "sip.contoso.com", eku(clientOnly), nil, verdict.OutcomeUnknown, verdict.Unknown},
		{"client EKU alone", "lync-2013", policy.Initiator, "sip.contoso.com", eku(clientOnly), nil, rejected, verdict.ServerEKUMissing},
		{"no certificate", "lync-2013", policy.Acceptor, "sip.contoso.com", nil, func(q *policy.Question, _ hierarchy) { q.Chain = nil }, rejected, verdict.NoClientCert},
		{"second domain", "lync-2013", policy.Acceptor, "sip.fabrikam.com", nil, nil, rejected, verdict.NameMismatch},
		{"subject not in SAN", "lync-2013", policy.Initiator, "sip.contoso.com", func(l, _, _ *spec) { l.dns = []string{"webcon.contoso.com"} }, nil, rejected, verdict.SubjectNotInSAN},
		{"no SAN at all", "lync-2013", policy.Initiator, "sip.contoso.com", func(l, _, _ *spec) { l.dns = nil }, nil, trusted, verdict.Trusted},
		{"wildcard", "lync-2013", policy.Initiator, "sip.contoso.com", func(l, _, _ *spec) { l.cn, l.dns = "x", []string{"*.contoso.com"} }, nil, rejected, verdict.WildcardRefused},
		{"intermediate missing", "lync-2013", policy.Initiator, "sip.contoso.com", nil, func(q *policy.Question, _ hierarchy) { q.Chain = q.Chain[:1] }, rejected, verdict.ChainIncomplete},
		{"untrusted root", "lync-2013", policy.Initiator, "sip.contoso.com", nil, func(q *policy.Question, _ hierarchy) { q.Roots = nil }, rejected, verdict.UntrustedRoot},
		{"expired", "lync-2013", policy.Initiator, "sip.contoso.com", nil, func(q *policy.Question, h hierarchy) { q.At = h.leaf.cert.NotAfter.AddDate(0, 0, 1) }, rejected, verdict.Expired},
		{"RSA-1024 and SHA-1 are fine", "lync-2013", policy.Initiator, "sip.contoso.com", func(l, i, _ *spec) { l.key, i.key, l.sig = "rsa1024", "rsa2048", x509.SHA1WithRSA }, nil, trusted, verdict.Trusted},
		{"PSS", "lync-2013", policy.Initiator, "sip.contoso.com", func(l, i, _ *spec) { i.key, l.sig = "rsa2048", x509.SHA256WithRSAPSS }, nil, rejected, verdict.WeakSignature},

		{"dual EKU", "aol-pic", policy.Acceptor, "sip.contoso.com", nil, nil, trusted, verdict.Trusted},
		{"server EKU alone", "aol-pic", policy.Acceptor, "sip.contoso.com", eku(serverOnly), nil, rejected, verdict.ClientEKUMissing},
		{"server-only intermediate", "aol-pic", policy.Acceptor, "sip.contoso.com", func(_, i, _ *spec) { i.eku = serverOnly }, nil, verdict.OutcomeUnknown, verdict.Unknown},
		{"server EKU alone", "msn-pic", policy.Acceptor, "sip.contoso.com", eku(serverOnly), nil, trusted, verdict.Trusted},

		{"good", "sip-rfc5922", policy.Acceptor, "contoso.com", nil, nil, trusted, verdict.Trusted},
		{"server EKU alone", "sip-rfc5922", policy.Acceptor, "contoso.com", eku(serverOnly), nil, rejected, verdict.ClientEKUMissing},
		{"server-only intermediate", "sip-rfc5922", policy.Acceptor, "contoso.com", func(_, i, _ *spec) { i.eku = serverOnly }, nil, rejected, verdict.IntermediateEKU},
		{"host name only", "sip-rfc5922", policy.Acceptor, "contoso.com", func(l, _, _ *spec) { l.dns = []string{"sip.contoso.com"} }, nil, rejected, verdict.NameMismatch},
		{"sip URI", "sip-rfc5922", policy.Acceptor, "contoso.com", func(l, _, _ *spec) { l.dns, l.uris = nil, []string{"sip:contoso.com"} }, nil, trusted, verdict.Trusted},
		{"sip URI with a user", "sip-rfc5922", policy.Acceptor, "contoso.com", func(l, _, _ *spec) { l.dns, l.uris = nil, []string{"sip:alice@contoso.com"} }, nil, rejected, verdict.NameMismatch},
		{"wildcard", "sip-rfc5922", policy.Acceptor, "a.contoso.com", func(l, _, _ *spec) { l.dns = []string{"*.contoso.com"} }, nil, rejected, verdict.WildcardRefused},

		{"good", "xmpp-strict", policy.Acceptor, "contoso.com", nil, nil, trusted, verdict.Trusted},
		{"XmppAddr", "xmpp-strict", policy.Acceptor, "contoso.com", func(l, _, _ *spec) { l.dns, l.xmpp = nil, []string{"contoso.com"} }, nil, trusted, verdict.Trusted},
		{"SRVName", "xmpp-strict", policy.Acceptor, "contoso.com", func(l, _, _ *spec) { l.dns, l.srv = nil, []string{"_xmpp-server.contoso.com"} }, nil, trusted, verdict.Trusted},
		{"SRVName of clients", "xmpp-strict", policy.Acceptor, "contoso.com", func(l, _, _ *spec) { l.dns, l.srv = nil, []string{"_xmpp-client.contoso.com"} }, nil, rejected, verdict.NameMismatch},
		{"wildcard for the root domain", "xmpp-strict", policy.Acceptor, "contoso.com", func(l, _, _ *spec) { l.dns = []string{"*.contoso.com"} }, nil, rejected, verdict.WildcardRefused},
		{"wildcard for a child domain", "xmpp-strict", policy.Acceptor, "corp.contoso.com", func(l, _, _ *spec) { l.dns = []string{"*.contoso.com"} }, nil, trusted, verdict.Trusted},
		{"no certificate", "xmpp-strict", policy.Acceptor, "contoso.com", nil, func(q *policy.Question, _ hierarchy) { q.Chain = nil }, rejected, verdict.NoClientCert},
		{"server EKU alone", "xmpp-strict-dialback", policy.Acceptor, "contoso.com", eku(serverOnly), nil, verdict.OutcomeFallback, verdict.ClientEKUMissing},
		{"no certificate", "google-talk", policy.Acceptor, "contoso.com", nil, func(q *policy.Question, _ hierarchy) { q.Chain = nil }, verdict.OutcomeFallback, verdict.PlaintextDialback},

		{"server EKU alone", "prosody-0.12", policy.Acceptor, "contoso.com", eku(serverOnly), nil, trusted, verdict.Trusted},
		{"client EKU alone", "prosody-0.12", policy.Acceptor, "contoso.com", eku(clientOnly), nil, rejected, verdict.ServerEKUMissing},
		{"client EKU alone", "prosody-0.12", policy.Acceptor, "contoso.com", eku(clientOnly), func(q *policy.Question, _ hierarchy) {
			q.Settings = map[string]string{"s2s_secure_auth": "false"}
		}, verdict.OutcomeFallback, verdict.ServerEKUMissing},
		{"RSA-1024", "prosody-0.12", policy.Acceptor, "contoso.com", func(l, _, _ *spec) { l.key = "rsa1024" }, nil, rejected, verdict.WeakKey},
		{"SHA-1", "prosody-0.12", policy.Acceptor, "contoso.com", func(l, i, _ *spec) { i.key, l.sig = "rsa2048", x509.SHA1WithRSA }, nil, rejected, verdict.WeakSignature},
		{"asks for nothing as packaged", "kamailio-5.6", policy.Acceptor, "contoso.com", nil, func(q *policy.Question, _ hierarchy) { q.Roots = nil }, trusted, verdict.Trusted},
	}
	for _, r := range rows {
		t.Run(r.product+"/"+string(r.role)+"/"+r.name, func(t *testing.T) {
			t.Parallel()
			h := build(t, r.edit)
			q := question(h, r.role, r.sought)
			if r.ask != nil {
				r.ask(&q, h)
			}
			j := product(t, r.product).Judge(q)
			if j.Outcome != r.outcome || j.Code != r.code {
				t.Errorf("got %s, %s; want %s, %s", j.Outcome, j.Code, r.outcome, r.code)
				for _, c := range j.Failed() {
					t.Logf("%s %s first=%t unknown=%t %s", c.RuleID, c.Code, c.First, c.Unknown, c.Detail)
				}
			}
			first := slices.IndexFunc(j.Checks, func(c verdict.Check) bool { return c.First })
			if (first >= 0) != (r.outcome != trusted) {
				t.Errorf("first failure is %d for outcome %s", first, j.Outcome)
			}
		})
	}
}
