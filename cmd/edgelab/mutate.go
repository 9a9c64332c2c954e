package main

import (
	"io"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
)

type mutateCmd struct {
	File   string     `arg:"" help:"A scenario file, - for standard input." complete:"file"`
	At     date       `placeholder:"DATE" help:"The date on everybody's clock, instead of the scenario's own: 2027-03-15."`
	Format listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
	legFlags
}

// Help says what is tried.
func (mutateCmd) Help() string {
	return "Each SAN and each EKU of the external and the internal certificate is taken away in turn, and every leg is made again without it. The last EKU of a certificate stays: without an EKU extension every usage is allowed."
}

// Run tells which names and EKUs are load-bearing.
func (c *mutateCmd) Run(a *app) error {
	s, opts, err := a.deployment(c.File, c.At, c.legFlags)
	if err != nil {
		return err
	}
	m, err := lab.Mutate(a.ctx, s, opts)
	if err != nil {
		return err
	}
	if c.Format == formatJSON {
		return a.write(func(w io.Writer) error { return report.MutationsJSON(w, *m) })
	}
	return a.result(report.MutationsText(*m, report.Options{Colour: a.colour(a.out)}))
}
