package lab

import (
	"context"
	"errors"

	"github.com/edgelab/edgelab/scenarios"
)

// A Chosen is what comes of recipes that aren't the defaults.
type Chosen struct {
	Choices map[string]string `json:"choices"`
	Legs    int               `json:"legs"`   // how many were made
	Broken  []Break           `json:"broken"` // legs that work with the defaults, and not with these
	Mended  []Break           `json:"mended"` // the other way round; Verdict is that with the defaults
}

// MakeChosen runs every leg twice, with certificates as planned: by the default answers to what the sources contradict
// each other on, and by the scenario's own.
func MakeChosen(ctx context.Context, s scenarios.Scenario, opts Options) (*Chosen, error) {
	r, err := opened(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	chosen := AsPlanned(s)
	usual := chosen
	usual.Topology.Choices = nil
	before, err := r.one(ctx, usual, opts)
	if err != nil {
		return nil, err
	}
	after, err := r.one(ctx, chosen, opts)
	if err != nil {
		return nil, err
	}
	if len(before.Legs) != len(after.Legs) {
		return nil, errors.New("the legs differ with what is chosen")
	}
	c := &Chosen{Choices: s.Topology.Choices, Legs: len(before.Legs), Broken: broken(before.Legs, after.Legs)}
	c.Mended = broken(after.Legs, before.Legs)
	return c, nil
}
