package lab

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/scenarios"
)

// Kinds of Step.
const (
	StepFirst   = "first"   // the certificate that is bought at the beginning
	StepRenewal = "renewal" // the next one
	StepChange  = "change"  // the issuer's offer changes; the certificate in force stays
)

// A Step is one day on which something changes.
type Step struct {
	Date     time.Time         `json:"date"`
	Kind     string            `json:"kind"`
	Changes  []profile.Change  `json:"changes,omitempty"`  // of the issuer's offer, since the step before
	Findings []profile.Finding `json:"findings,omitempty"` // what the issuer doesn't sell of the order, on a purchase
	Order    plan.Order        `json:"order"`              // the certificate in force from this day on
	Days     int               `json:"days"`               // how long it is valid
	Legs     []StepLeg         `json:"legs"`
	Broken   []Break           `json:"broken,omitempty"` // legs that worked at the step before
	Mended   []string          `json:"mended,omitempty"` // legs that work again
}

// A StepLeg is a leg's verdict on a day.
type StepLeg struct {
	ID      string       `json:"id"`
	Verdict verdict.Code `json:"verdict"`
}

// A Timeline is every purchase to come and what it does.
type Timeline struct {
	CA    string    `json:"ca"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	// LastClientEKU is the first day on which the issuer doesn't sell the client EKU any more, if the order asks for
	// it and such a day is known.
	LastClientEKU *profile.Line `json:"client-eku-ends,omitempty"`
	Steps         []Step        `json:"steps"`
}

// renewBefore is how long before its end a certificate is renewed: 30 days, or a third of a short one's life.
func renewBefore(lifetime time.Duration) time.Duration { return min(30*24*time.Hour, lifetime/3) }

// MakeTimeline buys the deployment's external certificate from an issuer at the scenario's date and each time it is due
// until the last day, runs every leg on each day on which something changes, with the clocks of both ends set to that
// day, and says which legs break when.
func MakeTimeline(ctx context.Context, s scenarios.Scenario, profiles *profile.Profiles, ca string, until time.Time, opts Options) (*Timeline, error) {
	order, err := s.Order(plan.External)
	if err != nil {
		return nil, err
	}
	offer, err := profiles.At(ca, s.At)
	if err != nil {
		return nil, err
	}
	changes, err := profiles.Changes(ca, s.At, until)
	if err != nil {
		return nil, err
	}
	t := &Timeline{CA: offer.Profile.ID, From: s.At, Until: until}
	if slices.Contains(order.EKUs, plan.Client) {
		if end, ok := offer.Ends(); ok {
			t.LastClientEKU = &end
		}
	}
	r, err := opened(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := t.purchases(r, s, profiles, order, changes); err != nil {
		return nil, err
	}
	return t, t.run(ctx, r, s, opts)
}

// purchases lays out the days on which something changes.
func (t *Timeline) purchases(r *run, s scenarios.Scenario, profiles *profile.Profiles, order plan.Order, changes []profile.Change) error {
	kind := StepFirst
	for at := s.At; !at.After(t.Until); {
		offer, err := profiles.At(t.CA, at)
		if err != nil {
			return err
		}
		asked := order
		asked.NotBefore, asked.NotAfter = at, lastSecond(at, longest(offer))
		made := offer.Make(asked)
		lifetime := made.NotAfter.Sub(made.NotBefore)
		t.Steps = append(t.Steps, Step{
			Date: at, Kind: kind, Order: made, Findings: r.waysOut(s, offer.Fits(asked)), Days: lifeDays(made),
		})
		due := made.NotAfter.Add(-renewBefore(lifetime))
		if !due.After(at) {
			return fmt.Errorf("a certificate of %s from %s would be due for renewal at once", t.CA, at.Format(time.DateOnly))
		}
		due = due.UTC().Truncate(24 * time.Hour)
		for _, c := range changes {
			if day := c.Date.Time; day.After(at) && day.Before(due) && !day.After(t.Until) {
				if last := &t.Steps[len(t.Steps)-1]; last.Date.Equal(day) {
					last.Changes = append(last.Changes, c)
					continue
				}
				t.Steps = append(t.Steps, Step{Date: day, Kind: StepChange, Order: made, Days: lifeDays(made), Changes: []profile.Change{c}})
			}
		}
		at, kind = due, StepRenewal
	}
	for i := range t.Steps { // changes that fall on the day of a renewal
		for _, c := range changes {
			if t.Steps[i].Kind == StepRenewal && c.Date.Equal(t.Steps[i].Date) {
				t.Steps[i].Changes = append(t.Steps[i].Changes, c)
			}
		}
	}
	return nil
}

// lastSecond is the end of a validity of a length: both its ends belong to it (RFC 5280 §4.1.2.5).
func lastSecond(from time.Time, lifetime time.Duration) time.Time {
	return from.Add(lifetime - time.Second)
}

// lifeDays is how many days an order is valid, both ends counted.
func lifeDays(o plan.Order) int {
	return int((o.NotAfter.Sub(o.NotBefore) + time.Second) / (24 * time.Hour))
}

// longest is the longest life that an issuer gives a certificate; where that isn't known, what a plan asks for.
func longest(o profile.Offer) time.Duration {
	if days, known := o.Days(); known {
		return time.Duration(days) * 24 * time.Hour
	}
	return plan.DefaultLifetime
}

func (t *Timeline) run(ctx context.Context, r *run, s scenarios.Scenario, opts Options) error {
	var list []scenarios.Scenario
	for i, step := range t.Steps {
		day := s
		day.Name = fmt.Sprintf("%s, step %d", s.Name, i+1)
		day.At = step.Date.Add(dayTime)
		list = append(list, with(day, step.Order))
	}
	out := r.all(ctx, list, func(_ string, l topology.Leg) bool { return opts.Select == nil || opts.Select(s.Name, l) })
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, o := range out {
		if o.Error != "" {
			return o.cause
		}
		step := &t.Steps[i]
		for _, l := range o.Legs {
			if l.Fault != "" {
				return fmt.Errorf("%s: %s", l.ID, l.Fault)
			}
			step.Legs = append(step.Legs, StepLeg{l.ID, l.Verdict})
		}
		if i > 0 {
			step.Broken = broken(out[i-1].Legs, o.Legs)
			for _, b := range broken(o.Legs, out[i-1].Legs) {
				step.Mended = append(step.Mended, b.Leg)
			}
		}
	}
	return nil
}
