package main

import "github.com/edgelab/edgelab/scenarios"

type initCmd struct{}

// Help names the next step.
func (initCmd) Help() string {
	return "edgelab init > contoso.yaml, edit it, and edgelab run contoso.yaml."
}

// Run prints a scenario to edit.
func (initCmd) Run(a *app) error { return a.result(string(scenarios.Init())) }
