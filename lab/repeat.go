package lab

import (
	"context"
	"slices"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A Repetition says how steady the verdicts of a run are that was made several times.
type Repetition struct {
	Runs   int     `json:"runs"`   // how often each leg was made
	Legs   int     `json:"legs"`   // legs made in all runs together, controls left out
	Flakes []Flake `json:"flakes"` // legs whose verdict wasn't the same each time
}

// A Flake is a leg whose verdict changed from run to run, which nothing in a scenario can bring about.
type Flake struct {
	Scenario string  `json:"scenario"`
	Leg      string  `json:"leg"`
	Drawn    []Drawn `json:"drawn"` // in the order in which they first came
}

// Drawn is how often a verdict was drawn.
type Drawn struct {
	Verdict verdict.Code `json:"verdict"`
	Times   int          `json:"times"`
	Reason  string       `json:"reason"` // of the first time
}

// Rate returns the share of runs in which the leg's verdict wasn't its most frequent one, from 0 to 1.
func (f Flake) Rate() float64 {
	most, all := 0, 0
	for _, d := range f.Drawn {
		most, all = max(most, d.Times), all+d.Times
	}
	if all == 0 {
		return 0
	}
	return float64(all-most) / float64(all)
}

// Flaky reports whether a verdict changed. A run that was made once isn't flaky.
func (r *Repetition) Flaky() bool { return r != nil && len(r.Flakes) > 0 }

// Fault reports whether a leg was Inconclusive in one run and not in another: then it was the lab that failed.
func (r *Repetition) Fault() bool {
	return r != nil && slices.ContainsFunc(r.Flakes, func(f Flake) bool {
		return slices.ContainsFunc(f.Drawn, func(d Drawn) bool { return d.Verdict == verdict.Inconclusive })
	})
}

// repeat makes every leg again until it was made n times, and compares. first holds the results of the first time; of
// the others only their verdicts are kept. The error is ctx's.
func (r *run) repeat(ctx context.Context, todo []job, first []outcome, n int) (*Repetition, error) {
	t := tally{}
	t.add(first)
	for t.runs < n && ctx.Err() == nil {
		t.add(r.whole(ctx, todo))
	}
	return t.repetition(first), ctx.Err()
}

// A tally counts verdicts over runs of the same legs.
type tally struct {
	runs, legs int
	drawn      map[[2]int][]Drawn // by scenario and leg
}

func (t *tally) add(all []outcome) {
	if t.drawn == nil {
		t.drawn = map[[2]int][]Drawn{}
	}
	t.runs++
	for i, s := range all {
		for j, l := range s.Legs {
			t.legs++
			k := [2]int{i, j}
			at := slices.IndexFunc(t.drawn[k], func(d Drawn) bool { return d.Verdict == l.Verdict })
			if at < 0 {
				t.drawn[k] = append(t.drawn[k], Drawn{Verdict: l.Verdict, Times: 1, Reason: l.Reason})
				continue
			}
			t.drawn[k][at].Times++
		}
	}
}

// repetition says what was counted. names holds the names of scenarios and legs.
func (t *tally) repetition(names []outcome) *Repetition {
	rep := &Repetition{Runs: t.runs, Legs: t.legs, Flakes: []Flake{}}
	for i, s := range names {
		for j, l := range s.Legs {
			if d := t.drawn[[2]int{i, j}]; len(d) > 1 {
				rep.Flakes = append(rep.Flakes, Flake{Scenario: s.Name, Leg: l.ID, Drawn: d})
			}
		}
	}
	return rep
}
