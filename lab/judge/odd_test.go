package judge_test

import (
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/judge"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// TestOddCertificates puts certificates that crypto/x509 can't parse, or can't use, to each stack. The answers of OpenSSL
// 3.0.20 and GnuTLS 3.7.9 are those of openssl verify, certtool and gnutls-cli; Go's are crypto/x509's own.
func TestOddCertificates(t *testing.T) {
	t.Parallel()
	products, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	j := judge.New(products, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	const ok, no, unknown = verdict.OutcomeTrusted, verdict.OutcomeRejected, verdict.OutcomeUnknown
	for _, r := range []struct {
		chain string
		want  map[string]verdict.Outcome
	}{
		{"leaf-secp256k1", map[string]verdict.Outcome{"openssl-3.0": ok, "gnutls-3.7": no, "go": no, "java-17": no, "erlang-27": unknown, "sip-rfc5922": unknown}},
		{"leaf-explicit", map[string]verdict.Outcome{"openssl-3.0": no, "gnutls-3.7": no, "go": no, "java-17": no}},
		{"leaf-ed448", map[string]verdict.Outcome{"openssl-3.0": ok, "gnutls-3.7": ok, "go": no}},
		{"intermediate-brainpool", map[string]verdict.Outcome{"openssl-3.0": ok, "gnutls-3.7": no, "go": no}},
		{"negative", map[string]verdict.Outcome{"openssl-3.0": ok, "gnutls-3.7": ok, "go": no, "java-17": ok, "erlang-27": ok, "erlang-25": unknown}},
	} {
		for product, want := range r.want {
			got, err := j.Judge(judge.Row{Product: product, Role: "initiator", Name: "im.odd.example",
				Chain: judge.Files{"testdata/odd/" + r.chain + ".pem"}, Roots: judge.Files{"testdata/odd/" + r.chain + ".root.pem"}})
			if err != nil {
				t.Errorf("%s, %s: %v", r.chain, product, err)
				continue
			}
			if got.Outcome != want {
				t.Errorf("%s, %s: %s (%s), want %s; %+v", r.chain, product, got.Outcome, got.Verdict, want, verdict.Judgement{Checks: got.Checks}.Failed())
			}
		}
	}
}

// TestOwn asks for the gate before any handshake. What the products do is Cisco's FN74362 and 225693, and dotnet/runtime#121982.
func TestOwn(t *testing.T) {
	t.Parallel()
	products, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	j := judge.New(products, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	for _, r := range []struct {
		product, role, chain string
		want                 verdict.Outcome
		code                 verdict.Code
	}{
		{"cisco-expressway-x14", "acceptor", "chain-both.pem", verdict.OutcomeTrusted, verdict.Trusted},
		{"cisco-expressway-x14", "acceptor", "chain-server.pem", verdict.OutcomeRejected, verdict.ClientEKUMissing},
		{"cisco-expressway-x14", "initiator", "chain-server.pem", verdict.OutcomeRejected, verdict.ClientEKUMissing},
		{"cisco-expressway-x15.5", "acceptor", "chain-server.pem", verdict.OutcomeTrusted, verdict.Trusted},
		{"cisco-expressway-x15.5", "initiator", "chain-server.pem", verdict.OutcomeRejected, verdict.ClientEKUMissing},
		{"dotnet", "initiator", "chain-server.pem", verdict.OutcomeRejected, verdict.ClientEKUMissing},
		{"dotnet", "acceptor", "chain-server.pem", verdict.OutcomeTrusted, verdict.Trusted},
		{"prosody-13", "acceptor", "chain-server.pem", verdict.OutcomeTrusted, verdict.Trusted},
	} {
		got, err := j.Judge(judge.Row{Product: r.product, Role: r.role, Own: true, Chain: judge.Files{"testdata/" + r.chain}})
		if err != nil {
			t.Errorf("%s as %s: %v", r.product, r.role, err)
			continue
		}
		if got.Outcome != r.want || got.Verdict != r.code || !got.Own {
			t.Errorf("%s as %s, %s: %s, %s; want %s, %s", r.product, r.role, r.chain, got.Outcome, got.Verdict, r.want, r.code)
		}
	}
}
