package main

import "github.com/edgelab/edgelab/lab/report"

type schemaCmd struct{}

// Help says what it is the schema of.
func (schemaCmd) Help() string {
	return "It is JSON Schema, draft 2020-12, of what edgelab run --format json writes. Its $id ends in the version of that form."
}

// Run prints the schema.
func (schemaCmd) Run(a *app) error { return a.result(report.Schema()) }
