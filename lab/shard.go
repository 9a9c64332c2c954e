package lab

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Shard is one of the parts that a run is split into, so that several machines can share it. The zero value is all of
// it.
type Shard struct {
	Index int `json:"index"` // 1 to Of
	Of    int `json:"of"`
}

// maxShards bounds Of: there is no machine park for more.
const maxShards = 10000

// ParseShard reads "3/16".
func ParseShard(text string) (Shard, error) {
	index, of, ok := strings.Cut(text, "/")
	i, errI := strconv.Atoi(index)
	n, errN := strconv.Atoi(of)
	s := Shard{i, n}
	if !ok || errI != nil || errN != nil {
		return Shard{}, fmt.Errorf("%q is no shard: write it like 3/16", text)
	}
	return s, s.check()
}

func (s Shard) check() error {
	switch {
	case s.Of < 1 || s.Of > maxShards:
		return fmt.Errorf("%s: there can be 1 to %d shards", s, maxShards)
	case s.Index < 1 || s.Index > s.Of:
		return fmt.Errorf("%s: shards are numbered from 1 to %d", s, s.Of)
	}
	return nil
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// A ShardSystem is a CI or cluster that numbers the machines that share a job, in environment variables.
type ShardSystem struct {
	Name, Index, Total string
	First              int // the number of the first machine
}

// ShardSystems are those whose variables ShardOf knows, each from its documentation.
func ShardSystems() []ShardSystem {
	return []ShardSystem{
		// Kubernetes has no variable for .spec.completions; the manifest puts it there.
		{"Kubernetes, Indexed Job", "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", 0},
		{"GitLab, parallel", "CI_NODE_INDEX", "CI_NODE_TOTAL", 1},
		{"CircleCI, parallelism", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0},
		{"Buildkite, parallelism", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0},
		{"Azure Pipelines, parallel", "SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1},
		{"Bitbucket Pipelines, parallel", "BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT", 0},
		{"Semaphore, parallelism", "SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT", 1},
	}
}

// ShardOf returns the shard that the environment says this machine is. The error says what is missing or wrong.
func ShardOf(getenv func(string) string) (Shard, error) {
	var names []string
	for _, sys := range ShardSystems() {
		names = append(names, sys.Index)
		index, total := getenv(sys.Index), getenv(sys.Total)
		if index == "" {
			continue
		}
		if total == "" {
			return Shard{}, fmt.Errorf("%s is set and %s isn't: how many shards are there (%s)?", sys.Index, sys.Total, sys.Name)
		}
		i, errI := strconv.Atoi(index)
		n, errN := strconv.Atoi(total)
		if errI != nil || errN != nil {
			return Shard{}, fmt.Errorf("%s=%q of %s=%q is no shard (%s)", sys.Index, index, sys.Total, total, sys.Name)
		}
		s := Shard{i - sys.First + 1, n}
		if err := s.check(); err != nil {
			return Shard{}, fmt.Errorf("%s=%s, %s=%s: %w", sys.Index, index, sys.Total, total, err)
		}
		return s, nil
	}
	return Shard{}, fmt.Errorf("no shard is given, and none of %s is set", strings.Join(names, ", "))
}

// A ShardInfo says which part of which run a result is.
type ShardInfo struct {
	Index int `json:"index"`
	Of    int `json:"of"`
	// Question is a digest of all that is run and how it is split: shards go together if it is the same.
	Question string `json:"question"`
}

func (s ShardInfo) String() string { return Shard{s.Index, s.Of}.String() }

// A Part says where the legs of a scenario's result belong in a run that is split.
type Part struct {
	Scenario int `json:"scenario"` // the scenario's place in the run, from 0
	First    int `json:"first"`    // the first leg's place among those of the scenario that are run, from 0
	Of       int `json:"of"`       // how many legs of the scenario are run in all
}

// A piece is some of a job's legs in a row, and what they cost.
type piece struct {
	job, first, end int
	cost            int64
}

// split returns what a shard has to do, and a digest of the split.
func (s Shard) split(todo []job, seed uint64, costs *Costs) ([]job, ShardInfo) {
	pieces, owner, question := assign(todo, s.Of, seed, costs)
	var out []job
	for i, p := range pieces {
		if owner[i] == s.Index {
			j := todo[p.job]
			part := &Part{Scenario: p.job, First: p.first, Of: len(j.legs)}
			out = append(out, job{scenario: j.scenario, legs: j.legs[p.first:p.end], part: part})
		}
	}
	return out, ShardInfo{s.Index, s.Of, question}
}

// assign splits a run: its pieces, the shard that each belongs to, and a digest of it all. Scenarios that are more than a
// fair share are cut; the dearest pieces are given out first, each to the shard that has least so far. It depends on
// nothing but its arguments.
func assign(todo []job, of int, seed uint64, costs *Costs) (pieces []piece, owner []int, question string) {
	pieces = cut(todo, of, costs)
	order := make([]int, len(pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(pieces[b].cost, pieces[a].cost) })
	load := make([]int64, of)
	owner = make([]int, len(pieces))
	for _, i := range order {
		least := 0
		for n := range load {
			if load[n] < load[least] {
				least = n
			}
		}
		load[least] += pieces[i].cost
		owner[i] = least + 1
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %d\n", seed, of)
	for i, p := range pieces {
		j := todo[p.job]
		fmt.Fprintf(sum, "%q %q %s %d\n", j.scenario.Name, j.scenario.File, j.scenario.At, owner[i])
		for _, l := range j.legs[p.first:p.end] {
			fmt.Fprintf(sum, " %q\n", l.ID)
		}
	}
	return pieces, owner, hex.EncodeToString(sum.Sum(nil)[:16])
}

// cut makes pieces of jobs: one of each, or several of about the same cost where it is more than one of n shares.
func cut(todo []job, n int, costs *Costs) []piece {
	var total int64
	for _, j := range todo {
		total += costs.job(j)
	}
	share := max(total/int64(n), 1)
	var out []piece
	for i, j := range todo {
		setup := costs.setup(j)
		whole := costs.job(j) - setup
		many := min((whole+share-1)/share, int64(len(j.legs)))
		p := piece{job: i, cost: setup}
		var done, bound int64
		k := int64(1)
		for l, leg := range j.legs {
			bound = whole * k / max(many, 1)
			cost := costs.leg(j, leg)
			p.cost, p.end, done = p.cost+cost, l+1, done+cost
			if done >= bound && k < many && l+1 < len(j.legs) {
				out = append(out, p)
				p, k = piece{job: i, first: l + 1, cost: setup}, k+1
			}
		}
		out = append(out, p)
	}
	return out
}
