package web

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// Bounds on what visitors can make this machine do.
const (
	runTime    = time.Minute // that one run may take
	clientRuns = 4           // of one browser, under way or waiting
	allRuns    = 64          // of all
	maxLegs    = 400         // of a scenario
	maxMade    = 12_000      // legs of one matrix or timeline
	keptLegs   = 2_000       // in the runs that are kept
)

// errBusy is returned to whoever asks for more runs than one browser can have.
var errBusy = errors.New("this browser has as many runs under way as it can have")

// A Run is what came of one State.
type Run struct {
	lab.ScenarioResult
	Controls int                     // legs of the lab's own proof, which held
	Before   map[string]verdict.Code // what came of each leg of the State as written; nil if that is this one
	Made     time.Time
	Took     time.Duration
}

// runs makes runs, as many at a time as the machine bears, and keeps the last.
type runs struct {
	policies *policy.Catalogue
	now      func() time.Time
	slots    chan struct{}

	mu      sync.Mutex
	waiting map[string]int // by client
	total   int
	kept    map[string]*Run
	order   []string // of kept, the one used last at the end
	legs    int      // in kept
}

func newRuns(policies *policy.Catalogue) *runs {
	return &runs{
		policies: policies, now: time.Now, slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		waiting: map[string]int{}, kept: map[string]*Run{},
	}
}

// options are those of every run: the command line's seed, so that both make the same certificates.
func (r *runs) options() lab.Options { return lab.Options{Seed: 1, Policies: r.policies} }

// bounded calls f when there is room for a run of the client's.
func (r *runs) bounded(ctx context.Context, client string, f func(context.Context) error) error {
	if !r.enter(client) {
		return errBusy
	}
	defer r.leave(client)
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return f(ctx)
}

func (r *runs) enter(client string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting[client] >= clientRuns || r.total >= allRuns {
		return false
	}
	r.waiting[client]++
	r.total++
	return true
}

func (r *runs) leave(client string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total--
	if r.waiting[client]--; r.waiting[client] == 0 {
		delete(r.waiting, client)
	}
}

// make runs a scenario's legs anew, and those of what it is compared with if there is such a thing and no run of it is
// kept.
func (r *runs) make(ctx context.Context, client, key string, s scenarios.Scenario, baseKey string, base *scenarios.Scenario) (*Run, error) {
	var made *Run
	err := r.bounded(ctx, client, func(ctx context.Context) error {
		list := []scenarios.Scenario{s}
		var before *Run
		if base != nil {
			if before = r.find(baseKey); before == nil {
				list = append(list, *base)
			}
		}
		start := r.now()
		res, err := lab.Run(ctx, list, r.options())
		switch {
		case err != nil:
			return err
		case !res.ControlsHold():
			return lab.ErrControls
		case len(res.Scenarios) != len(list):
			return errors.New("the scenario has no leg")
		}
		for _, sc := range res.Scenarios {
			if sc.Error != "" {
				return fmt.Errorf("%s", sc.Error)
			}
		}
		made = &Run{ScenarioResult: res.Scenarios[0], Controls: len(res.Controls), Made: start, Took: r.now().Sub(start)}
		if len(res.Scenarios) > 1 {
			before = &Run{ScenarioResult: res.Scenarios[1], Controls: len(res.Controls), Made: start, Took: made.Took}
			r.keep(baseKey, before)
		}
		if before != nil {
			made.Before = map[string]verdict.Code{}
			for _, l := range before.Legs {
				made.Before[l.ID] = l.Verdict
			}
		}
		r.keep(key, made)
		return nil
	})
	return made, err
}

// find returns the last run of a key, nil if none is kept.
func (r *runs) find(key string) *Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	run := r.kept[key]
	if run != nil {
		r.use(key)
	}
	return run
}

func (r *runs) keep(key string, run *Run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.kept[key]; old != nil {
		r.legs -= len(old.Legs)
	}
	r.kept[key] = run
	r.legs += len(run.Legs)
	r.use(key)
	for r.legs > keptLegs && len(r.order) > 1 {
		oldest := r.order[0]
		r.order = r.order[1:]
		r.legs -= len(r.kept[oldest].Legs)
		delete(r.kept, oldest)
	}
}

// use puts a key at the end of the order.
func (r *runs) use(key string) {
	for i, k := range r.order {
		if k == key {
			r.order = append(r.order[:i:i], r.order[i+1:]...)
			break
		}
	}
	r.order = append(r.order, key)
}

// count is how many runs are under way or waiting.
func (r *runs) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}
