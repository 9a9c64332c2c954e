package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/edgelab/edgelab/scenarios"
)

// A Minimum is a certificate set from which nothing more can be taken away.
type Minimum struct {
	Removed []Element      `json:"removed"` // what nothing needs, in the order in which it was taken away
	Kept    []Mutation     `json:"kept"`    // what is left; taking any of it away breaks the legs it lists
	Proof   ScenarioResult `json:"proof"`   // the legs with what is left
}

// Minimize takes away what no leg needs until each thing that is left is needed, and proves both over real legs: with
// the result every leg that worked still works, and each further removal breaks one. The fewest elements is what it
// goes for; SANs at the end of the plan go first, since the plan puts the names that everybody needs first.
func Minimize(ctx context.Context, s scenarios.Scenario, opts Options) (*Minimum, error) {
	r, err := opened(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	elements, err := Elements(s)
	if err != nil {
		return nil, err
	}
	base, err := r.one(ctx, s, opts)
	if err != nil {
		return nil, err
	}
	res := &Minimum{}
	current := s
	for _, e := range slices.Backward(elements) {
		next, ok, err := Without(current, e)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		out, err := r.one(ctx, next, opts)
		if err != nil {
			return nil, err
		}
		if len(broken(base.Legs, out.Legs)) == 0 {
			res.Removed, current = append(res.Removed, e), next
		}
	}
	if res.Proof, err = r.one(ctx, current, opts); err != nil {
		return nil, err
	}
	if b := broken(base.Legs, res.Proof.Legs); len(b) > 0 {
		return nil, fmt.Errorf("the minimum breaks %s (%s) when it is run again", b[0].Leg, b[0].Verdict)
	}
	return res, r.proveMinimum(ctx, res, current, base, opts)
}

// proveMinimum takes each element that is left away once more.
func (r *run) proveMinimum(ctx context.Context, res *Minimum, s scenarios.Scenario, base ScenarioResult, opts Options) error {
	left, err := Elements(s)
	if err != nil {
		return err
	}
	for _, e := range left {
		next, ok, err := Without(s, e)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		out, err := r.one(ctx, next, opts)
		if err != nil {
			return err
		}
		m := Mutation{Element: e, Broken: broken(base.Legs, out.Legs)}
		if len(m.Broken) == 0 {
			return fmt.Errorf("%s was needed when it was tried and isn't when it is proven", e)
		}
		res.Kept = append(res.Kept, m)
	}
	return nil
}

// one runs one scenario. A leg that the lab itself failed at is an error: nothing may be concluded from it.
func (r *run) one(ctx context.Context, s scenarios.Scenario, opts Options) (ScenarioResult, error) {
	out := r.all(ctx, []scenarios.Scenario{s}, opts.Select)
	if err := ctx.Err(); err != nil {
		return ScenarioResult{}, err
	}
	if len(out) == 0 {
		return ScenarioResult{}, errors.New("no leg is selected")
	}
	if out[0].Error != "" {
		return ScenarioResult{}, out[0].cause
	}
	for _, l := range out[0].Legs {
		if l.Fault != "" {
			return ScenarioResult{}, fmt.Errorf("%s: %s", l.ID, l.Fault)
		}
	}
	return out[0].ScenarioResult, nil
}
