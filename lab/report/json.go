package report

import (
	"encoding/json"
	"io"
	"slices"

	"github.com/edgelab/edgelab/lab"
)

// JSON writes r as one indented JSON object, lab.Result with its "version" first. json.md beside this file names every
// key. Keys and elements stand in a fixed order, lists are never null, durations are nanoseconds, and a reader must
// accept keys that it doesn't know; what else changes raises the version. The error is w's.
func JSON(w io.Writer, r *lab.Result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(filled(r))
}

// filled returns a copy of r in which every list that the JSON form always has is there, if empty.
func filled(r *lab.Result) *lab.Result {
	out := *r
	out.Controls = filledLegs(r.Controls)
	if r.Repetition != nil {
		rep := *r.Repetition
		rep.Flakes = some(rep.Flakes)
		out.Repetition = &rep
	}
	out.Scenarios = slices.Clone(some(r.Scenarios))
	for i := range out.Scenarios {
		sc := &out.Scenarios[i]
		sc.Legs = filledLegs(sc.Legs)
		sc.Certificates = some(sc.Certificates)
		sc.Plan.Certificates = slices.Clone(some(sc.Plan.Certificates))
		for j := range sc.Plan.Certificates {
			c := &sc.Plan.Certificates[j]
			c.SANs, c.EKUs, c.AssignedTo = some(c.SANs), some(c.EKUs), some(c.AssignedTo)
		}
	}
	return &out
}

func filledLegs(legs []lab.LegResult) []lab.LegResult {
	legs = slices.Clone(some(legs))
	for i := range legs {
		l := &legs[i]
		l.Judgements = slices.Clone(l.Judgements)
		for j := range l.Judgements {
			l.Judgements[j].Checks = some(l.Judgements[j].Checks)
		}
		l.Evidence = slices.Clone(some(l.Evidence))
		for j := range l.Evidence {
			if e := &l.Evidence[j]; e.Judgement != nil && e.Judgement.Checks == nil {
				filled := *e.Judgement
				filled.Checks = some(filled.Checks)
				e.Judgement = &filled
			}
		}
	}
	return legs
}

// some returns list, or an empty one instead of nil.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
