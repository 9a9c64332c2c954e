package main

import (
	"errors"
	"io"
	"os"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
)

type reportCmd struct {
	Merge mergeCmd `cmd:"" help:"Make one report of several: of the shards of a run, or of runs."`
}

type mergeCmd struct {
	Files []string `arg:"" help:"Reports as edgelab run --format json writes them, - for standard input." complete:"file"`

	Format  reportFormat `default:"text" placeholder:"FORMAT" help:"text, html, json, junit, sarif, tap, markdown or github."`
	Output  string       `short:"o" placeholder:"FILE" help:"Write the report there, whole or not at all; the screen still gets the text."`
	Verbose bool         `short:"v" help:"Tell every leg with all its evidence."`
}

// Help says what goes together.
func (mergeCmd) Help() string {
	return "Of the shards of one run, all of which must be there, comes what the run would have been on one machine; of other reports, one after the other. The exit code is the run's.\n\n" + exitHelp
}

// Run merges and reports.
func (c *mergeCmd) Run(a *app) error {
	var list []lab.NamedResult
	for _, file := range c.Files {
		r, err := a.readReport(file)
		if err != nil {
			return err
		}
		list = append(list, lab.NamedResult{Name: file, Result: r})
	}
	merged, err := lab.Merge(list)
	var not *lab.MergeError
	if errors.As(err, &not) {
		return badUsage(not.Hint, "%v", err)
	}
	if err != nil {
		return err
	}
	var to *sink
	if c.Output != "" {
		if to, err = openSink(c.Output); err != nil {
			return err
		}
		defer to.discard()
	}
	detail := report.Brief
	if c.Verbose {
		detail = report.Evidence
	}
	if err := a.report(report.Format(c.Format), detail, merged, to); err != nil {
		return err
	}
	return outcome(merged)
}

// report prints a result, and writes it to the file that was asked for, if one was.
func (a *app) report(format report.Format, detail report.Detail, result *lab.Result, to *sink) error {
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	write := func(f report.Format, colour bool) func(io.Writer) error {
		opts := report.Options{Detail: detail, Colour: colour, Line: line, Name: repositoryName(folder)}
		return func(w io.Writer) error { return report.Write(w, f, result, opts) }
	}
	switch {
	case to == nil:
		return a.write(write(format, a.colour(a.out)))
	case format == report.FormatText:
		if err := to.fill(write(format, false)); err != nil {
			return err
		}
		return a.result(report.Closing(result))
	default:
		if err := to.fill(write(format, false)); err != nil {
			return err
		}
		return a.write(write(report.FormatText, a.colour(a.out)))
	}
}
