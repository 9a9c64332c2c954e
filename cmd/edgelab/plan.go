package main

import (
	"errors"
	"io"
	"maps"
	"slices"
	"syscall"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/request"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/scenarios"
)

type planCmd struct {
	File   string            `arg:"" help:"A scenario file, - for standard input." complete:"file"`
	Format planFormat        `default:"text" placeholder:"FORMAT" help:"text, markdown, json or yaml."`
	CA     caID              `name:"ca" placeholder:"ID" help:"Also say what this issuer doesn't sell of it, and which legs that breaks."`
	At     date              `placeholder:"DATE" help:"With --ca: the day of the order. Unset: the scenario's date."`
	Choose map[string]string `placeholder:"RECIPE=NAME" help:"Where the sources contradict each other, take another answer than the default, and say which legs that breaks. Repeatable."`
	CSR    string            `name:"csr" placeholder:"DIR" help:"Make keys and requests for it in this folder, instead of printing it."`
	legFlags
}

// Help says what the plan leaves out.
func (planCmd) Help() string {
	return `The plan follows from the topology alone. What the file changes on certificates, to see what comes of it, isn't part of it.

Where the sources contradict each other the plan names the choice, its default and the other answers; choices: in the file or --choose takes another one. With --choose every leg is run twice, by the defaults and by what is chosen. Exit code 1: it breaks a leg.

With --ca every leg is run twice on that day: with the certificate that the plan asks for, and with the one that the issuer makes of the order. Exit code 1: something of the plan can't be had.

With --csr each certificate gets a new private key (mode 0600, unencrypted), a request for the CA, and the same request for Windows: an .inf file for certreq, and lines for the Lync Server Management Shell. What exists is never written over.`
}

// Run prints the plan, or makes its requests.
func (c *planCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	s, opts, err := a.deployment(c.File, c.At, c.legFlags)
	if err != nil {
		return err
	}
	if s, err = c.choose(s); err != nil {
		return err
	}
	switch {
	case c.CSR != "":
		return c.request(a, s)
	case c.CA != "":
		return c.offered(a, s, opts)
	case len(c.Choose) > 0 && (c.Format == planText || c.Format == planFormat(plan.JSON)):
		return c.chosen(a, s, opts)
	}
	return a.write(func(w io.Writer) error { return plan.Render(w, plan.For(s.Topology), c.format()) })
}

// choose lays the answers of the command line over those of the file.
func (c *planCmd) choose(s scenarios.Scenario) (scenarios.Scenario, error) {
	if len(c.Choose) == 0 {
		return s, nil
	}
	choices := maps.Clone(s.Topology.Choices)
	if choices == nil {
		choices = map[string]string{}
	}
	maps.Copy(choices, c.Choose)
	s.Topology.Choices = choices
	for _, f := range topology.Check(s.Topology, topology.Options{}) {
		return s, badUsage(f.Hint, "--choose: %s", f.Message)
	}
	for key := range c.Choose {
		if !slices.ContainsFunc(s.Topology.Open(), func(o topology.Choice) bool { return o.Key == key }) {
			return s, badUsage("edgelab plan FILE lists the choices that matter to it", "--choose: %s doesn't matter to this deployment", key)
		}
	}
	return s, nil
}

// chosen prints the plan and what comes of the recipes that were chosen.
func (c *planCmd) chosen(a *app, s scenarios.Scenario, opts lab.Options) error {
	chosen, err := lab.MakeChosen(a.ctx, s, opts)
	if err != nil {
		return err
	}
	p := plan.For(s.Topology)
	err = a.write(func(w io.Writer) error {
		if c.format() == plan.JSON {
			return report.ChosenJSON(w, p, *chosen)
		}
		if err := plan.Render(w, p, plan.Table); err != nil {
			return err
		}
		_, err := io.WriteString(w, "\n"+report.ChosenText(*chosen, report.Options{Colour: a.colour(a.out)}))
		return err
	})
	if err == nil && len(chosen.Broken) > 0 {
		return status(exitDiffers)
	}
	return err
}

// check refuses flags that don't go together.
func (c *planCmd) check() error {
	people := c.Format == planText || c.Format == planFormat(plan.JSON)
	switch {
	case !c.At.IsZero() && c.CA == "":
		return badUsage("name an issuer: --ca digicert", "--at goes with --ca: the plan itself is the same on every day")
	case c.CA != "" && c.CSR != "":
		return badUsage("look at what --ca says first, then make the requests", "--ca and --csr are two questions")
	case c.CA != "" && !people:
		return badUsage("--format text or json", "--ca can't be told as %s", string(c.Format))
	case c.CSR != "" && !people:
		return badUsage("--format text or json", "--csr can't be told as %s", string(c.Format))
	}
	return nil
}

func (c *planCmd) format() plan.Format {
	if c.Format == planText {
		return plan.Table
	}
	return plan.Format(c.Format)
}

// offered prints the plan and what comes of it from one issuer.
func (c *planCmd) offered(a *app, s scenarios.Scenario, opts lab.Options) error {
	profiles, err := profile.Load()
	if err != nil {
		return err
	}
	o, err := lab.MakeOffered(a.ctx, s, profiles, string(c.CA), opts)
	if err != nil {
		return err
	}
	p := plan.For(s.Topology)
	err = a.write(func(w io.Writer) error {
		if c.format() == plan.JSON {
			return report.OfferedJSON(w, p, *o)
		}
		if err := plan.Render(w, p, plan.Table); err != nil {
			return err
		}
		_, err := io.WriteString(w, "\n"+report.OfferedText(*o, report.Options{Colour: a.colour(a.out)}))
		return err
	})
	if err == nil && o.Refused() {
		return status(exitDiffers)
	}
	return err
}

// request makes the requests of the deployment's own certificates.
func (c *planCmd) request(a *app, s scenarios.Scenario) error {
	var list []request.Request
	for _, line := range plan.For(s.Topology).Certificates {
		order, err := plan.Resolve(line, plan.Difference{}, s.At)
		if err != nil {
			return err
		}
		r, err := request.Make(line, order, request.Options{Topology: s.Topology})
		if err != nil {
			return badUsage("", "%v", err)
		}
		list = append(list, r)
	}
	paths, err := request.Write(c.CSR, list...)
	var exists *request.ExistsError
	switch {
	case errors.As(err, &exists):
		return badUsage("choose another folder, or move it away", "%s exists already, and a key or a request is never written over", exists.Path)
	case errors.Is(err, syscall.ENOTDIR):
		return badUsage("name a folder", "--csr %s: %v", c.CSR, stripped(err))
	case err != nil:
		return &outputError{c.CSR, stripped(err)}
	}
	if c.format() == plan.JSON {
		return a.write(func(w io.Writer) error { return report.RequestsJSON(w, list, paths) })
	}
	return a.result(report.RequestsText(list, paths, c.File, report.Options{Colour: a.colour(a.out)}))
}

// planText is what --format calls plan.Table: the same word for people's form as in run.
const planText = "text"

type planFormat string

// Choices returns the formats.
func (planFormat) Choices() []string {
	return []string{planText, string(plan.Markdown), string(plan.JSON), string(plan.YAML)}
}

// UnmarshalText takes one of Choices.
func (f *planFormat) UnmarshalText(text []byte) error {
	*f = planFormat(text)
	return choose("--format", string(text), f.Choices())
}
