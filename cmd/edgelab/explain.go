package main

import (
	"fmt"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/verdict"
)

type explainCmd struct {
	Code code `arg:"" optional:"" help:"A verdict, as a report prints it. Without: the list of all."`
}

// Run prints one verdict's page, or the list.
func (c explainCmd) Run(a *app) error {
	if c.Code == "" {
		return a.result(codeList())
	}
	page, err := verdict.Explain(verdict.Code(c.Code))
	if err != nil {
		names := words(verdict.Codes())
		return badUsage(source.Suggest(string(c.Code), names), "there is no verdict %q", string(c.Code))
	}
	return a.result(page.Text())
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

// Choices returns the verdicts, for completion.
func (code) Choices() []string { return words(verdict.Codes()) }
