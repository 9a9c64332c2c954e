package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/remote"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/peers/policy"
)

// checkRemote refuses what a standing lab has settled already.
func (c *runCmd) checkRemote() error {
	switch {
	case len(c.Files) > 0:
		return badUsage("leave the file out; edgelab up and edgelab peer dns take it", "--remote: the lab that stands has its scenario")
	case !c.At.IsZero():
		return badUsage("edgelab up and edgelab peer dns take --at", "--remote: the lab that stands has its date")
	case c.State == "":
		return badUsage("--state DIR, or EDGELAB_STATE in the environment, names its folder", "--remote: where is the lab that stands?")
	case c.Parallel < 0:
		return badUsage("0 takes as many as suit the machine", "--parallel %d: there can't be fewer than none", c.Parallel)
	}
	return c.Filter.check()
}

// standing runs the scenario of a lab that stands, and reports.
func (c *runCmd) standing(a *app, to *sink) error {
	state, err := remote.Read(c.State)
	if err != nil {
		return stateProblem(err)
	}
	ends, err := state.Ends(c.State)
	if err != nil {
		return stateProblem(err)
	}
	defer ends.Close()
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(a.ctx, patience)
	defer cancel()
	absent, err := ends.Ready(ctx)
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%w; start it, or the whole lab anew", err)
	}
	return c.remote(a, state, ends, absent, to)
}

// remote makes the legs of a standing lab and reports.
func (c *runCmd) remote(a *app, state *remote.State, ends *remote.Ends, absent []string, to *sink) error {
	policies, err := policy.Load()
	if err != nil {
		return err
	}
	for _, host := range absent {
		a.note("%s isn't there, so its legs are left out: %s would play it", host, state.Products[host])
	}
	own, made := 0, 0
	want := func(scenario string, l topology.Leg) bool {
		return c.Filter.leg(scenario, l) && ends.Makes(l) && !slices.Contains(absent, l.Initiator) && !slices.Contains(absent, l.Acceptor)
	}
	for _, l := range topology.Legs(state.Scenario.Topology) {
		switch {
		case want(state.Scenario.Name, l):
			made++
		case c.Filter.leg(state.Scenario.Name, l) && !ends.Makes(l):
			own++
		}
	}
	if own > 0 {
		a.note("legs that are for your own server to open: %d; the lab tells of them when they come", own)
	}
	if made == 0 {
		return badUsage("edgelab run --remote without --filter makes all legs", "--filter %q: no leg of %s that can be made is called that", string(c.Filter), state.Scenario.Name)
	}
	opts := lab.Options{Seed: state.Seed, Parallel: c.Parallel, Policies: policies, Select: want, Progress: a.progress}
	result, err := lab.RunAt(a.ctx, &state.Setup, ends, opts)
	if err != nil {
		return err
	}
	if err := a.report(report.Format(c.Format), c.detail(), result, to); err != nil {
		return err
	}
	return outcome(result)
}
