package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/scenarios"
)

// ErrControls is returned when the lab's own proof doesn't hold, so that nothing it says counts.
var ErrControls = errors.New("the lab's own control failed: no verdict counts")

// Kinds of Element.
const (
	ElementSAN = "san"
	ElementEKU = "eku"
)

// An Element is one thing on a certificate of the deployment that costs something or can be forgotten: a SAN or an EKU.
type Element struct {
	Certificate string `json:"certificate"` // plan.External, plan.Internal
	Kind        string `json:"kind"`        // ElementSAN, ElementEKU
	Value       string `json:"value"`       // "sip.contoso.com", "client"
}

func (e Element) String() string { return fmt.Sprintf("%s %s %s", e.Certificate, e.Kind, e.Value) }

// Elements lists what can be taken away from the deployment's own certificates, in the order of the plan.
func Elements(s scenarios.Scenario) ([]Element, error) {
	var out []Element
	for _, key := range s.OwnKeys() {
		o, err := s.Order(key)
		if err != nil {
			return nil, err
		}
		for _, n := range o.SANs {
			out = append(out, Element{key, ElementSAN, n.String()})
		}
		for _, u := range o.EKUs {
			out = append(out, Element{key, ElementEKU, string(u)})
		}
	}
	return out, nil
}

// Without returns the scenario with elements taken off its certificates. The last EKU of a certificate can't be taken
// away so: without an extension every usage is allowed. Then ok is false.
func Without(s scenarios.Scenario, elements ...Element) (out scenarios.Scenario, ok bool, err error) {
	return Switched(s, elements, nil)
}

// Switched returns the scenario with some elements taken off its certificates and others put on, behind those that are
// there. ok is false if a certificate would be left without an EKU that had one: without an extension every usage is
// allowed. An element that is off already, or on, is let stand. The error is that of an element that can't be.
func Switched(s scenarios.Scenario, off, on []Element) (out scenarios.Scenario, ok bool, err error) {
	out = s
	out.Differences, out.Orders = maps.Clone(s.Differences), maps.Clone(s.Orders)
	if out.Differences == nil {
		out.Differences = map[string]plan.Difference{}
	}
	for _, key := range s.OwnKeys() {
		o, err := s.Order(key)
		if err != nil {
			return s, false, err
		}
		names := slices.DeleteFunc(slices.Clone(o.SANs), func(n plan.Name) bool {
			return slices.Contains(off, Element{key, ElementSAN, n.String()})
		})
		usages := slices.DeleteFunc(slices.Clone(o.EKUs), func(u plan.Usage) bool {
			return slices.Contains(off, Element{key, ElementEKU, string(u)})
		})
		for _, e := range on {
			if e.Certificate != key || slices.Contains(off, e) {
				continue
			}
			switch e.Kind {
			case ElementSAN:
				if n := plan.ParseName(e.Value); !slices.Contains(names, n) {
					names = append(names, n)
				}
			case ElementEKU:
				if !slices.Contains(usages, plan.Usage(e.Value)) {
					usages = append(usages, plan.Usage(e.Value))
				}
			default:
				return s, false, fmt.Errorf("%s: there is no kind of element %q", e, e.Kind)
			}
		}
		if len(usages) == 0 && len(o.EKUs) > 0 {
			return s, false, nil
		}
		if _, given := out.Orders[key]; given { // it goes before plan and differences
			o.SANs, o.EKUs = names, usages
			out.Orders[key] = o
			continue
		}
		d := out.Differences[key]
		d.AddSANs, d.OmitSANs = nil, nil
		d.SANs = append([]plan.Name{}, names...)
		d.EKUs = &usages
		out.Differences[key] = d
	}
	return out, true, nil
}

// A Mutation is what taking one element away did, over real legs.
type Mutation struct {
	Element Element `json:"element"`
	Broken  []Break `json:"broken"`          // legs that no longer work; empty: nothing needs the element
	Error   string  `json:"error,omitempty"` // the lab couldn't run it
}

// A Break is a leg that worked and doesn't any more.
type Break struct {
	Leg     string       `json:"leg"`
	Before  verdict.Code `json:"before"`
	Verdict verdict.Code `json:"verdict"`
	Reason  string       `json:"reason"`
}

// Mutations are what Mutate found out.
type Mutations struct {
	Baseline ScenarioResult `json:"baseline"`
	Rows     []Mutation     `json:"rows"`
}

// Redundant returns the elements that no leg needs.
func (m Mutations) Redundant() []Element {
	var out []Element
	for _, r := range m.Rows {
		if len(r.Broken) == 0 && r.Error == "" {
			out = append(out, r.Element)
		}
	}
	return out
}

// Mutate takes each SAN and each EKU of the deployment's certificates away in turn and makes every leg again. Elements
// that are the only EKU of their certificate are left out: see Without.
func Mutate(ctx context.Context, s scenarios.Scenario, opts Options) (*Mutations, error) {
	r, err := opened(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer r.close()
	elements, err := Elements(s)
	if err != nil {
		return nil, err
	}
	list, kept := []scenarios.Scenario{s}, []Element(nil)
	for _, e := range elements {
		m, ok, err := Without(s, e)
		if err != nil {
			return nil, err
		}
		if ok {
			list, kept = append(list, m), append(kept, e)
		}
	}
	out := r.all(ctx, list, opts.Select)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(out) != len(list) {
		return nil, errors.New("no leg is selected")
	}
	if out[0].Error != "" {
		return nil, out[0].cause
	}
	res := &Mutations{Baseline: out[0].ScenarioResult}
	for i, e := range kept {
		res.Rows = append(res.Rows, Mutation{Element: e, Error: out[i+1].Error, Broken: broken(out[0].Legs, out[i+1].Legs)})
	}
	return res, nil
}

// opened returns a run whose controls hold.
func opened(ctx context.Context, opts Options) (*run, error) {
	r, err := newRun(opts)
	if err != nil {
		return nil, err
	}
	controls, err := r.prove(ctx)
	if err == nil && !(Result{Controls: controls}).ControlsHold() {
		err = ErrControls
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// broken lists the legs that work before and not after.
func broken(before, after []LegResult) []Break {
	out := []Break{}
	for i, b := range before {
		if i < len(after) && Works(b.Verdict) && !Works(after[i].Verdict) {
			out = append(out, Break{b.ID, b.Verdict, after[i].Verdict, after[i].Reason})
		}
	}
	return out
}

// Works reports whether messages get through on a leg with this verdict, by trust or by a fallback.
func Works(c verdict.Code) bool {
	return c.Works()
}
