package main

import (
	"io"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/peers/policy"
)

type planCmd struct {
	File   string     `arg:"" help:"A scenario file, - for standard input." complete:"file"`
	Format planFormat `default:"text" placeholder:"FORMAT" help:"text, markdown, json or yaml."`
}

// Help says what the plan leaves out.
func (planCmd) Help() string {
	return "The plan follows from the topology alone. What the file changes on certificates, to see what comes of it, isn't part of it."
}

// Run prints the plan.
func (c *planCmd) Run(a *app) error {
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	list, err := a.load([]string{c.File}, policies)
	if err != nil {
		return err
	}
	format := plan.Format(c.Format)
	if c.Format == planText {
		format = plan.Table
	}
	return a.write(func(w io.Writer) error { return plan.Render(w, plan.For(list[0].Topology), format) })
}

// planText is what --format calls plan.Table: the same word for people's form as in run.
const planText = "text"

type planFormat string

// Choices returns the formats.
func (planFormat) Choices() []string {
	return []string{planText, string(plan.Markdown), string(plan.JSON), string(plan.YAML)}
}

// UnmarshalText takes one of Choices.
func (f *planFormat) UnmarshalText(text []byte) error {
	*f = planFormat(text)
	return choose("--format", string(text), f.Choices())
}
