package main

import (
	"io"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
)

type diffCmd struct {
	Old      string     `arg:"" help:"The certificate in use." complete:"file"`
	New      string     `arg:"" help:"The one that is to replace it." complete:"file"`
	File     string     `arg:"" help:"A scenario file." complete:"file"`
	Password string     `placeholder:"PASSWORD" help:"Of PKCS#12 files."`
	Format   listFormat `default:"text" placeholder:"FORMAT" help:"text or json."`
	legFlags
}

// Help says on which day the two are compared.
func (diffCmd) Help() string {
	return "Each certificate is run on the scenario's date, or if it isn't valid then, on the day after it begins: whether it has expired isn't the question.\n\nExit codes: 0 the renewal breaks no leg, 1 it does, 2 usage or bad input, 3 environment, 4 the lab's own control failed."
}

// Run tells what a renewal changes, and what that breaks.
func (c *diffCmd) Run(a *app) error {
	s, opts, err := a.deployment(c.File, date{}, c.legFlags)
	if err != nil {
		return err
	}
	before, err := a.certificate(c.Old, c.Password, "")
	if err != nil {
		return err
	}
	after, err := a.certificate(c.New, c.Password, "")
	if err != nil {
		return err
	}
	r, err := lab.CompareCertificates(a.ctx, s, before, after, opts)
	if err != nil {
		return err
	}
	if c.Format == formatJSON {
		err = a.write(func(w io.Writer) error { return report.RenewalJSON(w, *r) })
	} else {
		err = a.result(report.RenewalText(*r, report.Options{Colour: a.colour(a.out)}))
	}
	if err != nil {
		return err
	}
	for _, b := range []lab.Bought{r.Old, r.New} {
		if err := soundness(b); err != nil {
			return err
		}
	}
	if len(r.Broken) > 0 {
		return status(exitDiffers)
	}
	return nil
}
