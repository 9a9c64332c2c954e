package main

import (
	"github.com/edgelab/edgelab/peers/conformance"
	"github.com/edgelab/edgelab/scenarios"
)

type vectorsCmd struct {
	Output string `short:"o" placeholder:"FILE" help:"Write them there, whole or not at all, instead of to standard output."`
	At     date   `placeholder:"DATE" help:"The date around which the certificates are valid; unset: that of the scenarios."`
}

// Help says what is in it.
func (vectorsCmd) Help() string {
	return `The format is that of x509-limbo (github.com/C2SP/x509-limbo), so its harnesses read it; validation_kind CLIENT are the cases of a side that connects, which public suites lack. expected_result follows RFC 5280 and RFC 9525; what was measured on real products is under "edgelab". Keys are made anew each time, and are nobody's secret.`
}

// Run writes the vectors.
func (c *vectorsCmd) Run(a *app) error {
	at := scenarios.DefaultAt
	if !c.At.IsZero() {
		at = c.At.Time
	}
	var to *sink
	if c.Output != "" {
		var err error
		if to, err = openSink(c.Output); err != nil {
			return err
		}
		defer to.discard()
	}
	v, err := conformance.MakeVectors(at)
	if err != nil {
		return err
	}
	if to != nil {
		return to.fill(v.JSON)
	}
	return a.write(v.JSON)
}
