package main

import (
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
	Verbose bool      `short:"v" help:"Tell every leg with all its evidence."`
	Shard   shardFlag `placeholder:"I/N" help:"Only the I-th of N parts of about equal cost: 3/16. Without a number, what the CI or the Kubernetes Job says."`
	Costs   string    `placeholder:"FILE" complete:"file" help:"Balance shards by what everything took in this report (JSON), instead of what was measured on the catalogue."`
}

// Help says what else decides.
func (runCmd) Help() string {
	return exitHelp + `

` + captureHelp + `

--shard without a number reads the variables of ` + shardSystems() + `. Give each shard --format json -o FILE; edgelab report merge makes one report of them.`
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
		if c.Shard.given {
			return badUsage("run without --remote", "--shard splits the legs of scenarios, and a lab that stands has one")
		}
		if c.Pcap != "" || c.Keylog != "" {
			return badUsage("run without --remote", "--pcap and --keylog record legs of which both ends are in one process, and with --remote they aren't")
		}
		return c.standing(a, to)
	}
	opts := lab.Options{Seed: c.Seed, Parallel: c.Parallel, Policies: policies, Repeat: c.Repeat, Select: c.Filter.leg, Progress: a.progress}
	if opts.Shard, err = c.Shard.shard(a); err != nil {
		return err
	}
	if opts.Costs, err = a.costs(c.Costs); err != nil {
		return err
	}
	done, err := c.record(a, &opts)
	if err != nil {
		return err
	}
	result, err := lab.Run(a.ctx, list, opts)
	missing := done()
	if err != nil {
		return err
	}
	if err := a.report(report.Format(c.Format), c.detail(), result, to); err != nil {
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
