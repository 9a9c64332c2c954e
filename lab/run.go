package lab

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/capture"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// Options are the inputs of a run besides its scenarios. The zero value runs every leg with the embedded policies.
type Options struct {
	Seed     uint64            // of serial numbers and names; the same seed gives the same certificate fields
	Parallel int               // legs at a time; 0: four for each processor
	Policies *policy.Catalogue // nil: the embedded ones
	KeyLog   io.Writer         // NSS key log of every TLS connection; nil: none
	Captures *capture.Folder   // where each leg of a scenario leaves a capture; nil: nothing is recorded
	Timeouts peers.Timeouts    // zero: peers.DefaultTimeouts
	// Repeat makes every leg that often and compares the verdicts; below 2: once. Result.Repetition says what came of it.
	Repeat int
	// Select says which legs to make; nil: all. Controls are always made.
	Select func(scenario string, leg topology.Leg) bool
	// Progress is told how many legs are done of how many, from several goroutines; nil: nobody is.
	Progress func(done, total int)
	// Shard is the part of the run that is to be made; the zero value is all of it. Costs is what it is balanced by; nil:
	// MeasuredCosts.
	Shard Shard
	Costs *Costs

	unrecorded int // how many of the first scenarios leave no captures
}

// Run runs scenarios. First the lab proves itself on its controls; if they don't hold, no scenario is run and
// Result.ControlsHold says so. A scenario that the machine can't run (no address, no port, no file descriptor) has
// its Error set and the others go on. Run's own errors are those that concern everything: ctx's end, bad policies.
// When ctx ends, Run returns what was done until then along with ctx's error.
func Run(ctx context.Context, list []scenarios.Scenario, opts Options) (*Result, error) {
	r, err := newRun(opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	res := &Result{Version: ResultVersion, Seed: opts.Seed, Scenarios: []ScenarioResult{}}
	defer func() { res.Duration = r.clock() }()

	if res.Controls, err = r.prove(ctx); err != nil || !res.ControlsHold() {
		return res, err
	}
	todo := jobs(list, opts.Select)
	if opts.Shard.Of > 0 {
		if err := opts.Shard.check(); err != nil {
			return nil, err
		}
		costs := opts.Costs
		if costs == nil {
			if costs, err = MeasuredCosts(); err != nil {
				return nil, err
			}
		}
		var info ShardInfo
		todo, info = opts.Shard.split(todo, opts.Seed, costs)
		res.Shard = &info
	}
	again := slices.Clone(todo) // of which nothing is recorded
	if opts.Captures != nil {
		for i := range todo[min(opts.unrecorded, len(todo)):] {
			todo[opts.unrecorded+i].reserve(opts.Captures)
		}
	}
	first := r.whole(ctx, todo)
	for _, s := range first {
		res.Scenarios = append(res.Scenarios, s.ScenarioResult)
	}
	if opts.Repeat > 1 && ctx.Err() == nil {
		res.Repetition, err = r.repeat(ctx, again, first, opts.Repeat)
		return res, err
	}
	return res, ctx.Err()
}

// prove makes the controls' legs: the lab's own proof. The error is one that keeps them from being made.
func (r *run) prove(ctx context.Context) ([]LegResult, error) {
	controls, err := controlScenarios(r.policies.Names())
	if err != nil {
		return nil, err
	}
	var legs []LegResult
	for _, c := range r.all(ctx, controls, nil) {
		if c.Error != "" {
			return nil, fmt.Errorf("the lab's controls can't be run: %w", c.cause)
		}
		for _, l := range c.Legs {
			if l.environment != nil && ctx.Err() == nil {
				return nil, fmt.Errorf("the lab's control %s can't be made: %w", l.ID, l.environment)
			}
		}
		legs = append(legs, c.Legs...)
	}
	return legs, ctx.Err()
}

// run is what the scenarios of one Run share: the clock, the CAs with their keys, and the bound on parallel legs.
type run struct {
	opts     Options
	policies *policy.Catalogue
	clock    verdict.Clock
	slots    chan struct{}
	keys     ca.KeyPool
	lastNet  atomic.Uint32
	verified policy.Signatures
	stand    func(context.Context, job) (*world, error) // makes the world of a scenario

	mu   sync.Mutex
	sets map[time.Time]*ca.Set // by the date on everybody's clock
}

func newRun(opts Options) (*run, error) {
	r := &run{opts: opts, policies: opts.Policies, clock: verdict.NewClock(), sets: map[time.Time]*ca.Set{}}
	if r.policies == nil {
		var err error
		if r.policies, err = policy.Load(); err != nil {
			return nil, err
		}
	}
	if r.opts.Timeouts == (peers.Timeouts{}) {
		r.opts.Timeouts = peers.DefaultTimeouts
	}
	if r.opts.Parallel <= 0 {
		r.opts.Parallel = 4 * runtime.GOMAXPROCS(0)
	}
	r.slots = make(chan struct{}, r.opts.Parallel)
	r.stand = r.build
	return r, nil
}

func (r *run) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sets {
		_ = s.Close() // in memory: there is nothing that could be lost
	}
}

// authorities returns the CAs as they are at a date. Each date has its own, because what a CA sells depends on it.
func (r *run) authorities(at time.Time) *ca.Set {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sets[at]
	if !ok {
		s = ca.NewSet(ca.Options{Seed: r.opts.Seed, At: at, Keys: &r.keys})
		r.sets[at] = s
	}
	return s
}

// outcome is a ScenarioResult with the error behind its text.
type outcome struct {
	ScenarioResult
	cause error
}

// A job is the legs of one scenario that are to be made, in one world.
type job struct {
	scenario scenarios.Scenario
	legs     []topology.Leg
	captures []*capture.Entry // of the legs; nil: nothing is recorded
	part     *Part            // in a run that is split
}

// jobs returns what is selected of scenarios; want nil: everything. Scenarios of which nothing is selected are left out.
func jobs(list []scenarios.Scenario, want func(string, topology.Leg) bool) []job {
	var out []job
	for _, s := range list {
		j := job{scenario: s}
		for _, l := range topology.Legs(s.Topology) {
			if want == nil || want(s.Name, l) {
				j.legs = append(j.legs, l)
			}
		}
		if len(j.legs) > 0 {
			out = append(out, j)
		}
	}
	return out
}

// all runs what is selected of scenarios and returns the results in order.
func (r *run) all(ctx context.Context, list []scenarios.Scenario, want func(string, topology.Leg) bool) []outcome {
	return r.whole(ctx, jobs(list, want))
}

// whole runs jobs to their end and returns the results in order.
func (r *run) whole(ctx context.Context, todo []job) []outcome {
	out := make([]outcome, len(todo))
	total := 0
	for _, j := range todo {
		total += len(j.legs)
	}
	r.each(ctx, todo, r.counter(0, total), func(i int, o outcome) {
		o.Part = todo[i].part
		out[i] = o
	})
	return out
}

// counter returns what is to be called after each leg, several at a time, so that Options.Progress knows.
func (r *run) counter(before, total int) func() {
	var done atomic.Int64
	done.Store(int64(before))
	return func() {
		n := int(done.Add(1))
		if r.opts.Progress != nil {
			r.opts.Progress(n, total)
		}
	}
}

// each runs jobs side by side, as many legs at a time as there are slots, and hands each one's result over as soon as
// there is one, several at a time.
func (r *run) each(ctx context.Context, todo []job, finished func(), take func(int, outcome)) {
	// A world holds listeners and file descriptors, so only some stand at a time.
	worlds := make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))
	var wg sync.WaitGroup
	for i, j := range todo {
		worlds <- struct{}{}
		wg.Go(func() {
			defer func() { <-worlds }()
			take(i, r.scenario(ctx, j, finished))
		})
	}
	wg.Wait()
}

// reserve gives the legs their files, in the order in which they stand and whichever ends first.
func (j *job) reserve(f *capture.Folder) {
	folder := f.Scenario(j.scenario.Name)
	for _, l := range j.legs {
		j.captures = append(j.captures, f.Leg(folder, j.scenario.Name, l.ID))
	}
}

// scenario runs the legs of one scenario in a world of their own.
func (r *run) scenario(ctx context.Context, j job, finished func()) outcome {
	out := outcome{ScenarioResult: describe(j.scenario)}
	fail := func(err error) outcome {
		out.cause, out.Error = err, err.Error()
		return out
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	start := r.clock()
	w, err := r.stand(ctx, j)
	if err != nil {
		return fail(err)
	}
	defer w.close()
	out.Setup = r.clock() - start
	out.Certificates = w.report()
	out.Legs = make([]LegResult, len(j.legs))
	var wg sync.WaitGroup
	for i, l := range j.legs {
		r.slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-r.slots; finished() }()
			if j.captures != nil {
				out.Legs[i] = w.recordedLeg(ctx, l, j.captures[i])
			} else {
				out.Legs[i] = w.leg(ctx, l)
			}
		})
	}
	wg.Wait()
	return out
}
