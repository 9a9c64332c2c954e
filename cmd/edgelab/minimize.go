package main

import (
	"io"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
)

type minimizeCmd struct {
	File   string     `arg:"" help:"A scenario file, - for standard input." complete:"file"`
	At     date       `placeholder:"DATE" help:"The date on everybody's clock, instead of the scenario's own: 2027-03-15."`
	Format listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
	legFlags
}

// Help says what is proven.
func (minimizeCmd) Help() string {
	return "What no leg needs is taken away until each thing that is left is needed. Both are proven by running every leg: with what is left all work that worked, and each further removal breaks one."
}

// Run tells what must be ordered at least.
func (c *minimizeCmd) Run(a *app) error {
	s, opts, err := a.deployment(c.File, c.At, c.legFlags)
	if err != nil {
		return err
	}
	m, err := lab.Minimize(a.ctx, s, opts)
	if err != nil {
		return err
	}
	if c.Format == formatJSON {
		return a.write(func(w io.Writer) error { return report.MinimumJSON(w, *m) })
	}
	return a.result(report.MinimumText(*m, report.Options{Colour: a.colour(a.out)}))
}
