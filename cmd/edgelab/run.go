package main

import (
	"io"
	"os"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

type runCmd struct {
	Files []string `arg:"" optional:"" help:"Scenario files, - for standard input. None: the catalogue." complete:"file"`

	Filter   filter       `placeholder:"TEXT" help:"Only scenarios and legs whose name has this part, or is like this glob."`
	Format   reportFormat `default:"text" placeholder:"FORMAT" help:"text, html, json, junit, sarif, tap, markdown or github."`
	Output   string       `short:"o" placeholder:"FILE" help:"Write the report there, whole or not at all; the screen still gets the text."`
	At       date         `placeholder:"DATE" help:"The date on everybody's clock, instead of the scenarios' own: 2027-03-15."`
	Seed     uint64       `default:"1" help:"Seed of all that is random: serial numbers, dialback keys."`
	Parallel int          `placeholder:"N" help:"How many legs run at a time; 0: as many as suit the machine."`
	Remote   bool         `help:"Make the legs of the lab that stands (edgelab up, edgelab peer), where their ends run."`
	State    string       `env:"EDGELAB_STATE" placeholder:"DIR" help:"With --remote: the folder that the lab has left its state in."`
	Repeat   int          `placeholder:"N" help:"Make every leg N times, and name those whose verdict changes: flakes."`
	captureFlags
	Verbose bool `short:"v" help:"Tell every leg with all its evidence."`
}

// Help says what else decides.
func (runCmd) Help() string {
	return exitHelp + `

` + captureHelp
}

// Run runs the scenarios and reports.
func (c *runCmd) Run(a *app) error {
	var list []scenarios.Scenario
	var policies *policy.Catalogue
	var err error
	if c.Remote {
		err = c.checkRemote()
	} else {
		list, policies, err = c.prepare(a)
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
	if c.Remote {
		if c.Pcap != "" || c.Keylog != "" {
			return badUsage("run without --remote", "--pcap and --keylog record legs of which both ends are in one process, and with --remote they aren't")
		}
		return c.standing(a, to)
	}
	opts := lab.Options{Seed: c.Seed, Parallel: c.Parallel, Policies: policies, Repeat: c.Repeat, Select: c.Filter.leg, Progress: a.progress}
	done, err := c.record(a, &opts)
	if err != nil {
		return err
	}
	result, err := lab.Run(a.ctx, list, opts)
	missing := done()
	if err != nil {
		return err
	}
	if err := c.report(a, result, to); err != nil {
		return err
	}
	if missing != nil {
		return missing
	}
	return outcome(result)
}

// prepare checks the arguments and loads what is to be run.
func (c *runCmd) prepare(a *app) ([]scenarios.Scenario, *policy.Catalogue, error) {
	if c.Parallel < 0 {
		return nil, nil, badUsage("0 takes as many as suit the machine", "--parallel %d: there can't be fewer than none", c.Parallel)
	}
	if c.Repeat < 0 {
		return nil, nil, badUsage("1 makes every leg once", "--repeat %d: there can't be fewer than none", c.Repeat)
	}
	if err := c.Filter.check(); err != nil {
		return nil, nil, err
	}
	policies, err := policy.Load()
	if err != nil {
		return nil, nil, err
	}
	list, err := a.load(c.Files, policies)
	if err != nil {
		return nil, nil, err
	}
	if !c.Filter.any(list) {
		return nil, nil, badUsage("edgelab scenarios lists the catalogue", "--filter %q: no scenario and no leg is called that", string(c.Filter))
	}
	for i := range list {
		if !c.At.IsZero() {
			list[i].At = c.At.Time
		}
	}
	return list, policies, nil
}

// report prints the result, and writes it to the file that was asked for.
func (c *runCmd) report(a *app, result *lab.Result, to *sink) error {
	format := report.Format(c.Format)
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	write := func(f report.Format, colour bool) func(io.Writer) error {
		opts := report.Options{Detail: c.detail(), Colour: colour, Line: line, Name: repositoryName(folder)}
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

// detail is how much the text tells: whoever picks a scenario wants its story.
func (c *runCmd) detail() report.Detail {
	switch {
	case c.Verbose:
		return report.Evidence
	case c.Filter != "":
		return report.Stories
	}
	return report.Brief
}

// outcome returns the status that a result ends the program with. A lab that failed says nothing about a deployment,
// so its faults go before differences.
func outcome(r *lab.Result) error {
	counts := r.Counts()
	switch {
	case !r.ControlsHold():
		return status(exitControl)
	case counts.Faults > 0 || r.Repetition.Fault():
		return status(exitEnvironment)
	case counts.Differ > 0 || r.Repetition.Flaky():
		return status(exitDiffers)
	}
	return nil
}

type reportFormat string

// Choices returns the formats.
func (reportFormat) Choices() []string { return words(report.Formats()) }

// UnmarshalText takes one of Choices.
func (f *reportFormat) UnmarshalText(text []byte) error {
	*f = reportFormat(text)
	return choose("--format", string(text), f.Choices())
}
