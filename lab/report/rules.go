package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// RulesText tells every rule that word means, by its ID or by the name of its check, with the products that ask it. It
// is empty if word is neither; otherwise it ends in a line break.
func RulesText(c *policy.Catalogue, word string) string {
	rules := RulesOf(c, word)
	if len(rules) == 0 {
		return ""
	}
	var b strings.Builder
	if rules[0].ID != word {
		fmt.Fprintf(&b, "%s: a check, for which there are %s\n\n", word, count(len(rules), "rule"))
	}
	for i, r := range rules {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(RuleText(r.Rule))
		b.WriteString(Wrap("    asked by ", strings.Join(r.By, ", ")))
	}
	return b.String()
}

// A SharedRule is a rule with the products that ask it.
type SharedRule struct {
	policy.Rule
	By []string
}

// RulesOf returns the rules that word means, sorted by ID. Products may have different rules under one ID.
func RulesOf(c *policy.Catalogue, word string) []*SharedRule {
	var rules []*SharedRule
	for _, p := range c.Products() {
		for _, r := range p.Rules() {
			if r.ID != word && r.Check != word {
				continue
			}
			i := slices.IndexFunc(rules, func(s *SharedRule) bool {
				return s.ID == r.ID && s.Words == r.Words && s.Source == r.Source && s.Role == r.Role
			})
			if i < 0 {
				i = len(rules)
				rules = append(rules, &SharedRule{Rule: r})
			}
			rules[i].By = append(rules[i].By, p.ID())
		}
	}
	slices.SortStableFunc(rules, func(a, b *SharedRule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}

// RuleText tells one rule: its ID, what it asks, when, and its source. The text ends in a line break.
func RuleText(r policy.Rule) string {
	role := "in both roles"
	if r.Role != "" {
		role = "as " + string(r.Role)
	}
	layer := "TLS"
	if r.Layer == verdict.Application {
		layer = "application"
	}
	head := fmt.Sprintf("  %s  (%s, %s, %s%s)\n", r.ID, r.Check, layer, role, under(r.Under))
	return head + Wrap("    ", r.Words) + sourceText(r.Source)
}
