package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
)

// maxSweep is the size of a sweep's JSON from which on it isn't read: some millions of legs.
const maxSweep = 1 << 30

type sweepCmd struct {
	File string `arg:"" help:"A scenario file, - for standard input." complete:"file"`

	Products wordList    `default:"all" placeholder:"LIST" help:"Which products stand in for the partners: all, or IDs with commas between them."`
	Elements wordList    `default:"all" placeholder:"LIST" help:"What to change on the external certificate, in turn: all, or with commas between them san, eku, chain, key, cdp, one name or one EKU."`
	At       date        `placeholder:"DATE" help:"The date on everybody's clock, instead of the scenario's own: 2027-03-15."`
	Format   sweepFormat `default:"text" placeholder:"FORMAT" help:"text, json, csv or markdown."`
	Output   string      `short:"o" placeholder:"FILE" help:"Write the report there, whole or not at all; the screen still gets the text."`
	Resume   string      `placeholder:"FILE" complete:"file" help:"Go on with a sweep that was interrupted: its JSON. What it has isn't made again."`
	Evidence bool        `help:"Keep all the evidence of legs that don't work, for the JSON."`
	legFlags
}

// Help says what is tried.
func (sweepCmd) Help() string {
	return "Each product, with its settings as packaged, takes the place of the deployment's own partners; each variation of the external certificate is shown to it and by it over real legs, for each own domain, in both directions. Bare TLS stacks stand for a SIP server.\n\n" +
		"Interrupted (exit code 130) it still reports what was made; with --format json -o FILE the next one goes on from there: --resume FILE. What doesn't work is the answer, not a failure: the exit code is then 0.\n\n" + exitHelp
}

// Run sweeps and reports.
func (c *sweepCmd) Run(a *app) error {
	s, opts, err := a.deployment(c.File, c.At, c.legFlags)
	if err != nil {
		return err
	}
	o := lab.SweepOptions{Options: opts, Products: c.Products, Elements: c.Elements, Keep: c.Evidence}
	if c.Resume != "" {
		text, err := a.contents(c.Resume, maxSweep)
		if err != nil {
			return err
		}
		if o.Resume, err = report.ReadSweep(text); err != nil {
			return badUsage("give what edgelab sweep --format json wrote", "--resume %s: %v", c.Resume, err)
		}
	}
	var to *sink
	if c.Output != "" {
		if to, err = openSink(c.Output); err != nil {
			return err
		}
		defer to.discard()
	}
	sweep, err := lab.MakeSweep(a.ctx, s, o)
	var unknown *lab.NameError
	switch {
	case errors.As(err, &unknown):
		return badUsage(unknown.Hint, "%v", err)
	case errors.Is(err, lab.ErrOtherQuestion):
		return badUsage("run the sweep without --resume", "--resume %s: %v", c.Resume, err)
	case errors.Is(err, lab.ErrNothingToSweep):
		return badUsage("edgelab products lists them with their protocols", "%v", err)
	case sweep == nil:
		return err
	}
	if err := c.report(a, sweep, to); err != nil {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled):
		how := "write it with --format json -o FILE to be able to go on"
		if c.Format == sweepJSON && c.Output != "" {
			how = "go on with --resume " + c.Output
		}
		a.note("interrupted after %d of %d legs; %s", len(sweep.Rows), sweep.Total(), how)
		return status(exitInterrupted)
	case err != nil:
		return err
	case sweep.Faults() > 0:
		return status(exitEnvironment)
	}
	return nil
}

// report prints the result, and writes it to the file that was asked for.
func (c *sweepCmd) report(a *app, s *lab.Sweep, to *sink) error {
	write := func(f sweepFormat, colour bool) func(io.Writer) error {
		return func(w io.Writer) error {
			switch f {
			case sweepJSON:
				return report.SweepJSON(w, s)
			case sweepCSV:
				return report.SweepCSV(w, s)
			case sweepMarkdown:
				return report.SweepMarkdown(w, s)
			}
			_, err := io.WriteString(w, report.SweepText(s, report.Options{Colour: colour}))
			return err
		}
	}
	switch {
	case to == nil:
		return a.write(write(c.Format, a.colour(a.out)))
	case c.Format == sweepText:
		if err := to.fill(write(c.Format, false)); err != nil {
			return err
		}
		return a.result(report.SweepClosing(s))
	}
	if err := to.fill(write(c.Format, false)); err != nil {
		return err
	}
	return a.write(write(sweepText, a.colour(a.out)))
}

// A wordList is an argument of words with commas between them.
type wordList []string

// UnmarshalText reads a list.
func (l *wordList) UnmarshalText(text []byte) error {
	*l = nil
	for word := range strings.SplitSeq(string(text), ",") {
		if word = strings.TrimSpace(word); word != "" {
			*l = append(*l, word)
		}
	}
	if len(*l) == 0 {
		return errors.New("the list is empty")
	}
	return nil
}

type sweepFormat string

const (
	sweepText     sweepFormat = "text"
	sweepJSON     sweepFormat = "json"
	sweepCSV      sweepFormat = "csv"
	sweepMarkdown sweepFormat = "markdown"
)

// Choices returns the formats.
func (sweepFormat) Choices() []string {
	return words([]sweepFormat{sweepText, sweepJSON, sweepCSV, sweepMarkdown})
}

// UnmarshalText takes one of Choices.
func (f *sweepFormat) UnmarshalText(text []byte) error {
	*f = sweepFormat(text)
	return choose("--format", string(text), f.Choices())
}
