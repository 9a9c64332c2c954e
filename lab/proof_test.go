package lab_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// Each rule that a catalogue product asks matters: with that one rule switched off, some leg of the catalogue ends
// otherwise than its scenario says. A rule whose absence nobody notices is untested, or isn't one.
func TestEachRuleMatters(t *testing.T) {
	list, policies := load(t)
	base, err := lab.Run(context.Background(), list, lab.Options{Policies: policies})
	if err != nil {
		t.Fatal(err)
	}
	// A rule can only matter where it said no.
	said := map[string]map[string][]string{} // rule, scenario, legs
	for _, s := range base.Scenarios {
		for _, l := range s.Legs {
			for _, c := range l.Failed() {
				if said[c.RuleID] == nil {
					said[c.RuleID] = map[string][]string{}
				}
				said[c.RuleID][s.Name] = append(said[c.RuleID][s.Name], l.ID)
			}
		}
	}
	for _, rule := range rulesOf(list, policies) {
		t.Run(rule, func(t *testing.T) {
			if why, ok := outOfReach[rule]; ok {
				if len(said[rule]) > 0 {
					t.Errorf("%s says no in %v: take it off the list of rules out of reach (%s)", rule, slices.Sorted(maps.Keys(said[rule])), why)
				}
				return
			}
			without := policies.Without(rule)
			for _, name := range slices.Sorted(maps.Keys(said[rule])) {
				legs := said[rule][name]
				res, err := lab.Run(context.Background(), list, lab.Options{
					Policies: without,
					Select:   func(s string, l topology.Leg) bool { return s == name && slices.Contains(legs, l.ID) },
				})
				if err != nil {
					t.Fatal(err)
				}
				if !res.ControlsHold() || res.Counts().Differ > 0 {
					return
				}
			}
			t.Errorf("without %s the catalogue ends as expected; scenarios in which it fails: %v", rule, slices.Sorted(maps.Keys(said[rule])))
		})
	}
}

// outOfReach lists the rules that no leg of the catalogue can break, and why. It is a list to keep short.
var outOfReach = map[string]string{
	"openssl/ca-root":        "every root of the lab's CAs is a CA; measured rows of peers/conformance hold the rule",
	"openssl/encoding":       "the lab's CAs make no certificate that can't be read; TestOddCertificates of lab/judge does",
	"openssl/explicit-curve": "the lab's CAs make no such key; TestOddCertificates of lab/judge does",
	"schannel/encoding":      "the lab's CAs make no certificate that can't be read",
	"rfc5280/encoding":       "the lab's CAs make no certificate that can't be read",
	"openssl/crl-ended":      "the lab's CRLs don't end; measured rows of peers/conformance hold the rule",
	"openssl/crl-begun":      "the lab's CRLs have begun; measured rows of peers/conformance hold the rule",
	"openssl/crl-signature":  "the lab's CRLs are signed by their CAs; measured rows of peers/conformance hold the rule",
	"openssl/crl-use":        "the lab's CRLs are for all certificates; measured rows of peers/conformance hold the rule",
	"kamailio/crl-ended":     "as openssl/crl-ended",
	"kamailio/crl-begun":     "as openssl/crl-begun",
	"kamailio/crl-signature": "as openssl/crl-signature",
	"kamailio/crl-use":       "as openssl/crl-use",
	"google-talk/dialback":   "it says that certificates play no part, and so never says no",
}

// rulesOf returns the rules that the products of the catalogue ask.
func rulesOf(list []scenarios.Scenario, policies *policy.Catalogue) []string {
	ids := map[string]bool{"lync-client": true, "lync-frontend": true, "lync-xmpp-2013": true}
	for _, s := range list {
		ids[s.Topology.Edge.Product] = true
		for _, p := range s.Topology.Partners {
			ids[p.Product] = true
		}
	}
	asked := policies.RuleIDs() // what a product does by itself is a rule too, and not one that can be switched off
	rules := map[string]bool{}
	for id := range ids {
		if p, ok := policies.Product(id); ok {
			for _, r := range p.Rules() {
				if slices.Contains(asked, r.ID) {
					rules[r.ID] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(rules))
}

// Each rule by which an end finds its way, or admits who comes, matters in both roles: some leg of the catalogue hinges
// on it and on nothing else. They are no product's data and can't be switched off, so this is shown from the verdicts: the
// only check that failed is this one, so without it the leg would have been trusted.
func TestEachRoutingRuleMatters(t *testing.T) {
	list, policies := load(t)
	res, err := lab.Run(context.Background(), list, lab.Options{Policies: policies})
	if err != nil {
		t.Fatal(err)
	}
	type hinge struct {
		rule string
		code verdict.Code
		role string
	}
	found := map[hinge]bool{}
	for _, s := range res.Scenarios {
		for _, l := range s.Legs {
			failed := l.Failed()
			if len(failed) != 1 || l.Verdict != failed[0].Code || l.Expected != l.Verdict {
				continue
			}
			for _, j := range l.Judgements {
				if len(j.Failed()) > 0 {
					found[hinge{failed[0].RuleID, l.Verdict, j.Role}] = true
				}
			}
		}
	}
	for _, role := range []policy.Role{policy.Acceptor, policy.Initiator} {
		for _, h := range []hinge{
			{"access-edge/allowed", verdict.NotAllowed, string(role)},
			{"access-edge/srv", verdict.SRVMissing, string(role)},
			{"access-edge/srv", verdict.SRVMismatch, string(role)},
			{"federation/provisioned", verdict.NotAllowed, string(role)},
		} {
			if !found[h] {
				t.Errorf("no leg of the catalogue hinges on %s alone, as %s, with the verdict %s", h.rule, h.role, h.code)
			}
		}
	}
}

// Each name of the plan is load-bearing: left out, it breaks a leg of the source deployment.
func TestEachNameOfThePlanMatters(t *testing.T) {
	list, policies := load(t)
	i := slices.IndexFunc(list, func(s scenarios.Scenario) bool { return s.Name == "source-deployment" })
	if i < 0 {
		t.Fatal("the catalogue has no source-deployment")
	}
	whole := list[i]
	external, _ := plan.For(whole.Topology).Certificate(plan.External)
	for _, san := range external.SANs {
		t.Run(san.Value, func(t *testing.T) {
			s := whole
			s.Differences = map[string]plan.Difference{plan.External: {OmitSANs: []string{san.Value}}}
			res, err := lab.Run(context.Background(), []scenarios.Scenario{s}, lab.Options{Policies: policies})
			if err != nil {
				t.Fatal(err)
			}
			if res.Counts().Differ == 0 {
				t.Errorf("without %s every leg still works", san.Value)
			}
		})
	}
	for _, usage := range []plan.Usage{plan.Server, plan.Client} {
		t.Run(string(usage)+" EKU alone", func(t *testing.T) {
			s := whole
			s.Differences = map[string]plan.Difference{plan.External: {EKUs: &[]plan.Usage{usage}}}
			res, err := lab.Run(context.Background(), []scenarios.Scenario{s}, lab.Options{Policies: policies})
			if err != nil {
				t.Fatal(err)
			}
			if res.Counts().Differ == 0 {
				t.Errorf("with the %s EKU alone every leg still works", usage)
			}
		})
	}
}
