package main

import (
	"fmt"
	"io"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

type scenariosCmd struct {
	List listCmd `cmd:"" default:"1" help:"List the catalogue (this is also what scenarios alone does)."`
	Show showCmd `cmd:"" help:"Print a scenario as it was written, to copy and edit."`
}

type listCmd struct{}

// Run lists the catalogue.
func (listCmd) Run(a *app) error {
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	list, err := a.load(nil, policies)
	if err != nil {
		return err
	}
	width := 0
	for _, s := range list {
		width = max(width, len(s.Name))
	}
	return a.write(func(w io.Writer) error {
		for _, s := range list {
			if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, s.Name, s.Title); err != nil {
				return err
			}
		}
		return nil
	})
}

type showCmd struct {
	Name scenarioName `arg:"" help:"Its name, as scenarios lists it."`
}

// Run prints one scenario's file.
func (c showCmd) Run(a *app) error {
	text, err := scenarios.Text(string(c.Name))
	if err != nil {
		return badUsage(source.Suggest(string(c.Name), scenarios.Names()), "the catalogue has no scenario %q", string(c.Name))
	}
	return a.result(string(text))
}

type scenarioName string

// Choices returns the catalogue's names, for completion.
func (scenarioName) Choices() []string { return scenarios.Names() }
