package policy_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// TestEveryRuleHasASource fails on a rule, setting or fact that doesn't say where it is from.
func TestEveryRuleHasASource(t *testing.T) {
	t.Parallel()
	for _, p := range load(t).Products() {
		for _, r := range p.Rules() {
			if r.Source.Kind == "" || strings.TrimSpace(r.Source.Ref) == "" || r.Words == "" {
				t.Errorf("%s: rule %s has words %q and source %+v", p.ID(), r.ID, r.Words, r.Source)
			}
			if r.Source.Kind == verdict.UnknownSource && !strings.Contains(r.Words, "may") && !strings.Contains(r.Words, "not written") {
				t.Errorf("%s: rule %s has no source and is worded as if it had: %s", p.ID(), r.ID, r.Words)
			}
		}
		for _, s := range p.Settings() {
			if s.Source.Ref == "" || s.Words == "" {
				t.Errorf("%s: setting %s has no source", p.ID(), s.Name)
			}
		}
	}
}

// TestLoaderRefuses feeds the loader data that is wrong in one thing.
func TestLoaderRefuses(t *testing.T) {
	t.Parallel()
	const stack = `stack: s
title: S
path: {strategy: all-paths, source: {kind: documented, ref: somewhere}}
order: [{walk: up, rules: [s/chain]}]
rules:
  - {id: s/chain, check: chain, words: it must chain, source: {kind: documented, ref: somewhere}}
`
	const product = `product: p
title: P
versions: "1"
protocol: sip
stack: s
roles:
  acceptor: {source: {kind: documented, ref: somewhere}, want: required, reference: none, purpose: client, no-certificate: alert, chain-failure: alert, name-failure: alert}
`
	rows := []struct{ name, stack, product, want string }{
		{"nothing wrong", stack, product, ""},
		{"a rule without a source", strings.Replace(stack, ", source: {kind: documented, ref: somewhere}}\n", "}\n", 1), product, "source"},
		{"a rule with an empty source", strings.Replace(stack, "must chain, source: {kind: documented, ref: somewhere}", "must chain, source: {kind: documented, ref: ''}", 1), product, "says nothing"},
		{"an unknown key", stack + "colour: red\n", product, "colour"},
		{"an unknown check", strings.Replace(stack, "check: chain", "check: chian", 1), product, "chain"},
		{"a rule that is never asked", strings.Replace(stack, "[s/chain]", "[]", 1), product, "no phase"},
		{"a phase of nothing", strings.Replace(stack, "[s/chain]", "[s/chain, s/other]", 1), product, "s/other"},
		{"an unknown strategy", strings.Replace(stack, "all-paths", "some-paths", 1), product, "some-paths"},
		{"an unknown stack", stack, strings.Replace(product, "stack: s", "stack: z", 1), `"z"`},
		{"a role without a source", stack, strings.Replace(product, "source: {kind: documented, ref: somewhere}, ", "", 1), "source"},
		{"a consequence that can't be", stack, strings.Replace(product, "chain-failure: alert", "chain-failure: explode", 1), "explode"},
		{"two documents", stack, product + "---\nproduct: q\n", "more than one"},
		{"a condition over nothing", stack, product + "facts: [{id: p/f, words: w, source: {kind: documented, ref: x}, if: {colour: red}}]\n", "colour"},
		{"based on itself", stack, product + "base: p\n", "itself"},
		{"an EKU case that can't be", strings.Replace(stack, "check: chain,", "check: eku, cases: [{when: full-moon, answer: ok}],", 1), product, "full-moon"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.LoadFS(fstest.MapFS{"stacks/s.yaml": {Data: []byte(r.stack)}, "products/p.yaml": {Data: []byte(r.product)}})
			switch {
			case r.want == "" && err != nil:
				t.Error(err)
			case r.want != "" && (err == nil || !strings.Contains(err.Error(), r.want)):
				t.Errorf("got %v, want an error about %s", err, r.want)
			}
		})
	}
}

// TestSettings asks for settings that products have and haven't.
func TestSettings(t *testing.T) {
	t.Parallel()
	rows := []struct {
		product  string
		settings map[string]string
		want     string
	}{
		{"prosody-0.12", map[string]string{"s2s_secure_auth": "false"}, ""},
		{"prosody-0.12", map[string]string{"s2s_secure_auth": "no"}, ""},
		{"prosody-0.12", map[string]string{"s2s_secure_auht": "false"}, `did you mean "s2s_secure_auth"`},
		{"prosody-0.12", map[string]string{"s2s_secure_auth": "perhaps"}, "it is one of true, false"},
		{"kamailio-5.6", map[string]string{"verify_certificate": "1"}, ""},
		{"lync-2013", map[string]string{"verify": "yes"}, "has no settings"},
		{"ejabberd-24", map[string]string{"s2s_use_starttls": "require"}, `did you mean "required"`},
	}
	for _, r := range rows {
		_, err := product(t, r.product).Behaviour(policy.Acceptor, r.settings)
		switch {
		case r.want == "" && err != nil:
			t.Errorf("%s %v: %v", r.product, r.settings, err)
		case r.want != "" && (err == nil || !strings.Contains(err.Error(), r.want)):
			t.Errorf("%s %v: got %v, want an error with %s", r.product, r.settings, err, r.want)
		}
	}
	if _, err := product(t, "lync-client").Behaviour(policy.Acceptor, nil); err == nil {
		t.Error("a client acts as acceptor")
	}
}

// TestBehaviour asks for what peers rely on.
func TestBehaviour(t *testing.T) {
	t.Parallel()
	rows := []struct {
		product  string
		role     policy.Role
		settings map[string]string
		ok       func(policy.Behaviour) bool
	}{
		{"lync-2013", policy.Acceptor, nil, func(b policy.Behaviour) bool {
			return b.Want == policy.WantRequired && b.Reference == policy.RefSRVTarget
		}},
		{"xmpp-strict", policy.Acceptor, nil, func(b policy.Behaviour) bool { return b.External && !b.Dialback && b.TLS == "required" }},
		{"xmpp-strict", policy.Acceptor, map[string]string{"dialback": "true"}, func(b policy.Behaviour) bool { return b.Dialback }},
		{"xmpp-strict-dialback", policy.Initiator, nil, func(b policy.Behaviour) bool { return b.Dialback }},
		{"google-talk", policy.Acceptor, nil, func(b policy.Behaviour) bool {
			return b.TLS == "not-supported" && b.Dialback && !b.External && b.Want == policy.WantNone
		}},
		{"kamailio-5.6", policy.Acceptor, nil, func(b policy.Behaviour) bool { return b.Want == policy.WantNone }},
		{"kamailio-5.6", policy.Acceptor, map[string]string{"require_certificate": "yes"}, func(b policy.Behaviour) bool { return b.Want == policy.WantRequired }},
		{"cisco-expressway-x14", policy.Initiator, nil, func(b policy.Behaviour) bool { return b.NeedsClientEKU }},
		{"cisco-expressway-x15.5", policy.Initiator, nil, func(b policy.Behaviour) bool { return !b.NeedsClientEKU }},
	}
	for _, r := range rows {
		b, err := product(t, r.product).Behaviour(r.role, r.settings)
		if err != nil || !r.ok(b) {
			t.Errorf("%s as %s with %v: %+v, %v", r.product, r.role, r.settings, b, err)
		}
	}
}

// TestWithout switches rules off and expects what they forbid to be let through.
func TestWithout(t *testing.T) {
	t.Parallel()
	h := build(t, func(l, _, _ *spec) { l.eku = serverOnly })
	q := question(h, policy.Acceptor, "sip.contoso.com")
	none := q
	none.Chain = nil
	rows := []struct {
		product, rule string
		q             policy.Question
	}{
		{"aol-pic", "aol-pic/eku-client", q},
		{"sip-rfc5922", "rfc5280/eku-client", question(h, policy.Acceptor, "contoso.com")},
		{"sip-rfc5922", "rfc5922/domain", question(build(t, nil), policy.Acceptor, "fabrikam.com")},
		{"lync-2013", "lync/mutual-tls", none},
		{"go", "go/eku-client", q},
	}
	for _, r := range rows {
		if j := product(t, r.product).Judge(r.q); j.Outcome != verdict.OutcomeRejected {
			t.Errorf("%s with %s: %s", r.product, r.rule, j.Outcome)
		}
		p, _ := load(t).Without(r.rule).Product(r.product)
		if j := p.Judge(r.q); j.Outcome != verdict.OutcomeTrusted {
			t.Errorf("%s without %s: %s, %+v", r.product, r.rule, j.Outcome, j.Failed())
		}
	}
	ids := load(t).RuleIDs()
	if !slices.IsSorted(ids) || !slices.Contains(ids, "lync/srv-target") || slices.Contains(ids, "lync/tls-version") {
		t.Errorf("RuleIDs: %q", ids)
	}
}

// FuzzLoad feeds the loader whatever comes: it must answer with an error or a catalogue, never panic.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"stacks/rfc5280.yaml", "products/xmpp-strict.yaml", "products/kamailio-5.6.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, strings.HasPrefix(name, "stacks"))
	}
	f.Fuzz(func(_ *testing.T, data []byte, isStack bool) {
		fsys := fstest.MapFS{"stacks/none.yaml": {Data: []byte("stack: none\ntitle: N\npath: {strategy: none, source: {kind: documented, ref: x}}\n")}, "products/p.yaml": {Data: data}}
		if isStack {
			fsys["stacks/s.yaml"] = &fstest.MapFile{Data: data}
		}
		_, _ = policy.LoadFS(fsys)
	})
}
