package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

type explainCmd struct {
	Code code `arg:"" optional:"" help:"A verdict, as a report prints it; the name of a check; or the ID of a rule. Without: the list of all verdicts."`
}

// Run prints the page of a verdict, of a check or of a rule, or the list of verdicts.
func (c explainCmd) Run(a *app) error {
	if c.Code == "" {
		return a.result(codeList())
	}
	if page, err := verdict.Explain(verdict.Code(c.Code)); err == nil {
		return a.result(page.Text())
	}
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	if page := report.RulesText(policies, string(c.Code)); page != "" {
		if check, err := verdict.ExplainCheck(string(c.Code)); err == nil {
			page = check.Text() + "\n" + page
		}
		return a.result(page)
	}
	hint := "edgelab explain lists the verdicts, edgelab products show ID the rules of a product"
	names := slices.Concat(words(verdict.Codes()), policy.CheckNames(), policies.RuleIDs())
	if near, ok := source.Nearest(string(c.Code), names); ok {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return badUsage(hint, "there is no verdict, check or rule %q", string(c.Code))
}

func codeList() string {
	var b strings.Builder
	for _, c := range verdict.Codes() {
		title := ""
		if page, err := verdict.Explain(c); err == nil {
			title = page.Title
		}
		fmt.Fprintf(&b, "%-22s  %s\n", c, title)
	}
	return b.String()
}

type code string

// Choices returns the verdicts and checks, for completion.
func (code) Choices() []string { return slices.Concat(words(verdict.Codes()), policy.CheckNames()) }
