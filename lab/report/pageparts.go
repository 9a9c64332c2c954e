package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// checked returns c with a link to its rule in the list of rules.
func (p *pager) checked(c verdict.Check) pageCheck {
	key := ruleWords{c.RuleID, c.Rule, c.Source}
	i, ok := p.rules[key]
	if !ok {
		i = len(p.page.Rules)
		p.rules[key] = i
		p.page.Rules = append(p.page.Rules, pageRule{ruleWords: key, Anchor: p.ids.of("rule", c.RuleID)})
	}
	return pageCheck{c, p.page.Rules[i].Anchor}
}

// check is checked for a check of a judgement, which counts.
func (p *pager) check(c verdict.Check) pageCheck {
	out := p.checked(c)
	rule := &p.page.Rules[p.rules[ruleWords{c.RuleID, c.Rule, c.Source}]]
	rule.Asked++
	if !c.OK {
		rule.Failed++
	}
	return out
}

// verdicts lists the verdicts of the run that have a page.
func (p *pager) verdicts() {
	count := map[verdict.Code]int{}
	for _, sc := range p.page.Scenarios {
		for _, l := range sc.Legs {
			count[l.Verdict]++
		}
	}
	for _, c := range verdict.Codes() {
		page, err := verdict.Explain(c)
		if count[c] == 0 || err != nil {
			continue
		}
		p.page.Verdicts = append(p.page.Verdicts, pageVerdict{
			Explanation: page, Anchor: "verdict-" + string(c), Count: count[c],
			Paragraphs: strings.Split(strings.TrimSpace(page.Meaning), "\n\n"),
		})
	}
}

// unlike says how an order differs from the line of the plan that it was made from.
func unlike(planned plan.Certificate, o plan.Order) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if o.Subject != planned.Subject {
		say("subject name %s instead of %s", cmp.Or(o.Subject, "none"), cmp.Or(planned.Subject, "none"))
	}
	var want []plan.Name
	for _, s := range planned.SANs {
		want = append(want, plan.Name{Kind: s.Kind, Value: s.Value})
	}
	for _, n := range want {
		if !slices.Contains(o.SANs, n) {
			say("without %s", n)
		}
	}
	for _, n := range o.SANs {
		if !slices.Contains(want, n) {
			say("with %s", n)
		}
	}
	var purposes []plan.Usage
	for _, e := range planned.EKUs {
		purposes = append(purposes, e.Usage)
	}
	if !slices.Equal(slices.Sorted(slices.Values(purposes)), slices.Sorted(slices.Values(o.EKUs))) {
		say("EKU %s instead of %s", usages(o.EKUs), usages(purposes))
	}
	if o.Key != planned.KeySpec.Type {
		say("key %s instead of %s", o.Key, planned.KeySpec.Type)
	}
	for _, x := range []struct {
		is   bool
		text string
	}{
		{o.Hash != "" && o.Hash != "sha256", "signed with " + o.Hash},
		{o.Signature != "", "signature " + o.Signature},
		{o.KeyUsage != nil, "key usage " + strings.Join(o.KeyUsage, ", ")},
		{o.CA, "it calls itself a CA"},
		{o.Critical, "a critical extension that nobody knows"},
		{o.NoCDP, "no CRL distribution point"},
		{o.Revoked, "revoked"},
		{o.Issuer != plan.IssuerPlanned, "issuer: " + o.Issuer},
		{o.Chain != "" && o.Chain != plan.ChainFull, "chain sent: " + o.Chain},
		{o.Withhold, "not shown when asked for"},
		{o.IntermediateEKU != nil, "the intermediate has the EKU " + usages(o.IntermediateEKU)},
		{o.IntermediateCA != nil && !*o.IntermediateCA, "the intermediate is no CA"},
		{o.IntermediateKey != "", "the intermediate's key is " + o.IntermediateKey},
		{o.IntermediateHash != "", "the intermediate is signed with " + o.IntermediateHash},
		{!o.IntermediateNotBefore.IsZero(), "the intermediate is valid from " + day(o.IntermediateNotBefore)},
		{!o.IntermediateNotAfter.IsZero(), "the intermediate is valid until " + day(o.IntermediateNotAfter)},
		{o.Permitted != nil, "the intermediate is constrained to " + strings.Join(o.Permitted, ", ")},
		{o.SubCA, "one CA more than the path length allows"},
	} {
		if x.is {
			out = append(out, x.text)
		}
	}
	return out
}
