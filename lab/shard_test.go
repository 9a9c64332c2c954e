package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

func catalogue(t *testing.T) ([]scenarios.Scenario, *policy.Catalogue) {
	t.Helper()
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	list, err := scenarios.Catalogue(scenarios.Options{Products: policies.Names()})
	if err != nil {
		t.Fatal(err)
	}
	return list, policies
}

// Every leg is in one shard, each time in the same, and no shard has much more to do than its share.
func TestShardsSplit(t *testing.T) {
	list, policies := catalogue(t)
	big, err := scenarios.Load("federation.yaml", federation(300), scenarios.Options{Products: policies.Names()})
	if err != nil {
		t.Fatal(err)
	}
	todo := jobs(append(list, big), nil)
	costs, err := MeasuredCosts()
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []int{1, 2, 3, 16, 64, 5000} {
		pieces, owner, question := assign(todo, of, 1, costs)
		if _, again, same := assign(todo, of, 1, costs); same != question || !slices.Equal(again, owner) {
			t.Errorf("%d shards: each time otherwise", of)
		}
		if _, _, other := assign(todo, of, 2, costs); other == question {
			t.Errorf("%d shards: another seed is the same question", of)
		}
		legs, load := 0, make([]int64, of+1)
		var total, dearest int64
		last := piece{job: -1}
		for i, p := range pieces {
			switch {
			case p.job == last.job && p.first != last.end, p.job != last.job && p.first != 0, p.end <= p.first:
				t.Errorf("%d shards: %+v follows %+v", of, p, last)
			case p.job != last.job && last.job >= 0 && last.end != len(todo[last.job].legs):
				t.Errorf("%d shards: the end of %s is in none", of, todo[last.job].scenario.Name)
			}
			legs += p.end - p.first
			load[owner[i]] += p.cost
			total, dearest, last = total+p.cost, max(dearest, p.cost), p
		}
		want := 0
		for _, j := range todo {
			want += len(j.legs)
		}
		if legs != want {
			t.Errorf("%d shards: %d legs, want %d", of, legs, want)
		}
		// The bound of giving each piece to whoever has least: a fair share and one piece (Graham, 1966).
		for i, cost := range load[1:] {
			if bound := total/int64(of) + dearest; cost > bound {
				t.Errorf("shard %d/%d costs %d, more than %d", i+1, of, cost, bound)
			}
		}
	}
	for index, made := 1, 0; index <= 3; index++ {
		part, _ := (Shard{index, 3}).split(todo, 1, costs)
		for _, j := range part {
			if want := todo[j.part.Scenario].legs[j.part.First].ID; j.legs[0].ID != want || j.part.Of != len(todo[j.part.Scenario].legs) {
				t.Errorf("shard %d/3: %+v begins with %s, want %s", index, *j.part, j.legs[0].ID, want)
			}
			made += len(j.legs)
		}
		if index == 3 && made != len(slices.Concat(legsOf(todo)...)) {
			t.Errorf("3 shards make %d legs", made)
		}
	}
}

func legsOf(todo []job) (out [][]topology.Leg) {
	for _, j := range todo {
		out = append(out, j.legs)
	}
	return out
}

// The shards of a run, merged, are the run.
func TestMergedIsUnsharded(t *testing.T) {
	list, policies := catalogue(t)
	list = slices.DeleteFunc(list, func(s scenarios.Scenario) bool {
		return !slices.Contains([]string{"source-deployment", "renewal-2026", "second-domain-srv", "xmpp-federation"}, s.Name)
	})
	opts := Options{Seed: 1, Policies: policies}
	whole, err := Run(context.Background(), list, opts)
	if err != nil {
		t.Fatal(err)
	}
	const of = 3
	var parts []NamedResult
	cutUp := false
	for index := of; index >= 1; index-- { // in any order
		opts.Shard = Shard{index, of}
		r, err := Run(context.Background(), list, opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Scenarios {
			cutUp = cutUp || len(s.Legs) < s.Part.Of
		}
		parts = append(parts, NamedResult{fmt.Sprintf("%d.json", index), r})
	}
	if !cutUp {
		t.Error("no scenario is cut up: the test doesn't see that its parts come together")
	}
	merged, err := Merge(parts)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := stable(t, merged), stable(t, whole); a != b {
		t.Errorf("merged:\n%s\nunsharded:\n%s", a, b)
	}

	for _, tt := range []struct {
		name, want string
		list       []NamedResult
	}{
		{"one is missing", "missing: shard 2/3", []NamedResult{parts[0], parts[2]}},
		{"one is there twice", "both shard 3/3", append(slices.Clone(parts), parts[0])},
		{"a whole run among them", "is a shard and the other isn't", append(slices.Clone(parts), NamedResult{"whole.json", whole})},
		{"a whole run twice", "both have the scenario", []NamedResult{{"a.json", whole}, {"b.json", whole}}},
		{"none", "nothing to merge", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Merge(tt.list); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// stable is a result without what differs between two runs on one machine: times, ports, keys.
func stable(t *testing.T, r *Result) string {
	t.Helper()
	out := *r
	out.Duration = 0
	out.Controls = bare(r.Controls)
	out.Scenarios = slices.Clone(r.Scenarios)
	for i := range out.Scenarios {
		s := &out.Scenarios[i]
		s.Setup, s.Legs = 0, bare(s.Legs)
		s.Certificates = slices.Clone(s.Certificates)
		for j := range s.Certificates {
			s.Certificates[j].Fingerprint = ""
		}
	}
	text, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func bare(legs []LegResult) []LegResult {
	legs = slices.Clone(legs)
	for i := range legs {
		legs[i].Duration, legs[i].Evidence = time.Duration(0), nil
	}
	return legs
}

// Each system's own numbers give the same shards; half of a pair is an error that names the other half.
func TestShardOf(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for _, tt := range []struct {
		env  func(string) string
		want Shard
		err  string
	}{
		{env("JOB_COMPLETION_INDEX", "0", "JOB_COMPLETIONS", "4"), Shard{1, 4}, ""},
		{env("JOB_COMPLETION_INDEX", "3", "JOB_COMPLETIONS", "4"), Shard{4, 4}, ""},
		{env("CI_NODE_INDEX", "1", "CI_NODE_TOTAL", "2"), Shard{1, 2}, ""},
		{env("CIRCLE_NODE_INDEX", "0", "CIRCLE_NODE_TOTAL", "2"), Shard{1, 2}, ""},
		{env("BUILDKITE_PARALLEL_JOB", "7", "BUILDKITE_PARALLEL_JOB_COUNT", "8"), Shard{8, 8}, ""},
		{env("SYSTEM_JOBPOSITIONINPHASE", "2", "SYSTEM_TOTALJOBSINPHASE", "2"), Shard{2, 2}, ""},
		{env("BITBUCKET_PARALLEL_STEP", "0", "BITBUCKET_PARALLEL_STEP_COUNT", "1"), Shard{1, 1}, ""},
		{env("SEMAPHORE_JOB_INDEX", "1", "SEMAPHORE_JOB_COUNT", "3"), Shard{1, 3}, ""},
		{env(), Shard{}, "none of JOB_COMPLETION_INDEX, CI_NODE_INDEX"},
		{env("JOB_COMPLETION_INDEX", "0"), Shard{}, "JOB_COMPLETIONS isn't"},
		{env("JOB_COMPLETION_INDEX", "4", "JOB_COMPLETIONS", "4"), Shard{}, "from 1 to 4"},
		{env("CI_NODE_INDEX", "one", "CI_NODE_TOTAL", "2"), Shard{}, `CI_NODE_INDEX="one"`},
	} {
		got, err := ShardOf(tt.env)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v, want %q", err, tt.err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%v, %v; want %v", got, err, tt.want)
		}
	}
	for text, want := range map[string]string{"3/16": "", "0/2": "from 1 to 2", "3/2": "from 1 to 2", "1/0": "1 to 10000", "x/2": "no shard", "3": "no shard", "1/99999": "1 to 10000"} {
		if _, err := ParseShard(text); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
