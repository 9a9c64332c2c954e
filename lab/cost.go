package lab

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab/topology"
)

// Costs are what the parts of runs took when they were measured, in microseconds. Shards are balanced by them; only how
// they relate to each other counts.
type Costs struct {
	Setup  map[string]int64 `json:"setup"`          // of a scenario's certificates and listeners, by its name
	Others int64            `json:"others"`         // the set-up of a scenario that isn't listed
	Kinds  map[string]int64 `json:"kinds"`          // of a leg, by its kind
	Legs   map[string]int64 `json:"legs,omitempty"` // of a leg, by scenario and leg, where it was measured by itself
}

//go:embed costs.json
var measured []byte

// MeasuredCosts returns those that are part of the program. The test that measures them anew is TestMeasureCosts.
func MeasuredCosts() (*Costs, error) {
	var c Costs
	if err := json.Unmarshal(measured, &c); err != nil {
		return nil, fmt.Errorf("costs.json: %w", err)
	}
	return &c, nil
}

// CostsOf returns what the parts of a run took.
func CostsOf(r *Result) *Costs {
	c := &Costs{Setup: map[string]int64{}, Kinds: map[string]int64{}, Legs: map[string]int64{}}
	kinds := map[string][]int64{}
	var setups []int64
	for _, s := range r.Scenarios {
		if s.Error != "" {
			continue
		}
		c.Setup[s.Name] = micro(s.Setup)
		setups = append(setups, c.Setup[s.Name])
		for _, l := range s.Legs {
			c.Legs[s.Name+" "+l.ID] = micro(l.Duration)
			kinds[l.Kind] = append(kinds[l.Kind], micro(l.Duration))
		}
	}
	c.Others = median(setups)
	for kind, list := range kinds {
		c.Kinds[kind] = median(list)
	}
	return c
}

func micro(d time.Duration) int64 { return max(d.Microseconds(), 1) }

// median is a middle value: a machine that was busy for a moment doesn't move it.
func median(list []int64) int64 {
	if len(list) == 0 {
		return 1
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func (c *Costs) setup(j job) int64 {
	if cost, ok := c.Setup[j.scenario.Name]; ok {
		return cost
	}
	return max(c.Others, 1)
}

func (c *Costs) leg(j job, l topology.Leg) int64 {
	if cost, ok := c.Legs[j.scenario.Name+" "+l.ID]; ok {
		return cost
	}
	return max(c.Kinds[string(l.Kind)], 1)
}

func (c *Costs) job(j job) int64 {
	cost := c.setup(j)
	for _, l := range j.legs {
		cost += c.leg(j, l)
	}
	return cost
}
