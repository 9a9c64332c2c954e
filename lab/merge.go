package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A NamedResult is a result and where it is from.
type NamedResult struct {
	Name   string // a file's
	Result *Result
}

// A MergeError is why results don't make one.
type MergeError struct {
	Reason string
	Hint   string // the way out
}

func (e *MergeError) Error() string { return e.Reason }

func unmergeable(hint, format string, args ...any) error {
	return &MergeError{fmt.Sprintf(format, args...), hint}
}

// Merge makes one result of several: of all the shards of one run, in any order, what the run would have been on one
// machine; of results that aren't shards, one after the other. The error is a *MergeError.
func Merge(list []NamedResult) (*Result, error) {
	if len(list) == 0 {
		return nil, unmergeable("", "there is nothing to merge")
	}
	first := list[0]
	out := &Result{Version: first.Result.Version, Seed: first.Result.Seed, Controls: first.Result.Controls, Scenarios: []ScenarioResult{}}
	for _, n := range list {
		r := n.Result
		if r.Seed != out.Seed {
			return nil, unmergeable("", "%s has seed %d and %s seed %d: their certificates differ", first.Name, out.Seed, n.Name, r.Seed)
		}
		if (r.Shard == nil) != (first.Result.Shard == nil) {
			return nil, unmergeable("give the shards of one run, or reports of whole runs", "one of %s and %s is a shard and the other isn't", first.Name, n.Name)
		}
		out.Duration = max(out.Duration, r.Duration)
		if !r.ControlsHold() {
			out.Controls = r.Controls
		}
		if r.Repetition != nil {
			if out.Repetition == nil {
				out.Repetition = &Repetition{Runs: r.Repetition.Runs}
			}
			out.Repetition.Legs += r.Repetition.Legs
			out.Repetition.Flakes = append(out.Repetition.Flakes, r.Repetition.Flakes...)
		}
	}
	if first.Result.Shard != nil {
		if err := complete(list); err != nil {
			return nil, err
		}
	}
	if !out.ControlsHold() {
		return out, nil // no scenario was run
	}
	var parts []ScenarioResult
	for _, n := range list {
		parts = append(parts, n.Result.Scenarios...)
	}
	var err error
	if first.Result.Shard == nil {
		out.Scenarios, err = parts, unique(list)
	} else {
		out.Scenarios, err = joined(parts)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// complete sees that every shard of one run is there, once.
func complete(list []NamedResult) error {
	first := list[0]
	from := map[int]string{}
	for _, n := range list {
		shard := n.Result.Shard
		switch {
		case shard.Of != first.Result.Shard.Of || shard.Question != first.Result.Shard.Question:
			return unmergeable("run every shard with the same files, filter, date, seed and costs, and the same edgelab",
				"%s (shard %s) and %s (shard %s) are of different runs", first.Name, first.Result.Shard, n.Name, shard)
		case from[shard.Index] != "":
			return unmergeable("leave one of them out", "%s and %s are both shard %s", from[shard.Index], n.Name, shard)
		}
		from[shard.Index] = n.Name
	}
	var missing []string
	for i := range first.Result.Shard.Of {
		if from[i+1] == "" {
			missing = append(missing, Shard{i + 1, first.Result.Shard.Of}.String())
		}
	}
	if len(missing) > 0 {
		return unmergeable("run what is missing with --shard, and merge again", "missing: shard %s", strings.Join(missing, ", "))
	}
	return nil
}

// unique sees that no scenario is there twice.
func unique(list []NamedResult) error {
	from := map[string]string{}
	for _, n := range list {
		for _, s := range n.Result.Scenarios {
			id := s.File + " " + s.Name + " " + s.At.String()
			if other, ok := from[id]; ok {
				return unmergeable("leave one of them out", "%s and %s both have the scenario %s", other, n.Name, s.Name)
			}
			from[id] = n.Name
		}
	}
	return nil
}

// joined puts the parts of scenarios together, in the order of the run.
func joined(parts []ScenarioResult) ([]ScenarioResult, error) {
	for _, p := range parts {
		if p.Part == nil {
			return nil, unmergeable("", "scenario %s doesn't say which part of the run it is", p.Name)
		}
	}
	slices.SortStableFunc(parts, func(a, b ScenarioResult) int {
		return cmp.Or(cmp.Compare(a.Part.Scenario, b.Part.Scenario), cmp.Compare(a.Part.First, b.Part.First))
	})
	out := []ScenarioResult{}
	for i, p := range parts {
		whole := p
		if i > 0 && parts[i-1].Part.Scenario == p.Part.Scenario {
			last := &out[len(out)-1]
			last.Legs = append(slices.Clip(last.Legs), p.Legs...)
			last.Setup = max(last.Setup, p.Setup)
			last.Error = cmp.Or(last.Error, p.Error)
			continue
		}
		whole.Part = nil
		out = append(out, whole)
	}
	return out, nil
}
