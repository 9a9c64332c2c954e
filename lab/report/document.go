package report

import (
	"encoding/json"
	"io"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/lint"
	"github.com/edgelab/edgelab/lab/plan"
)

// DocumentVersion is the version of the JSON forms in this file.
const DocumentVersion = 1

// An order's JSON forms. Each has its version first; json.md names every key.
type (
	offeredPlan struct {
		Version int `json:"version"`
		plan.Plan
		Offer lab.Offered `json:"offer"`
	}
	chosenPlan struct {
		Version int `json:"version"`
		plan.Plan
		Chosen lab.Chosen `json:"chosen"`
	}
	bought struct {
		Version int `json:"version"`
		lab.Bought
	}
	renewal struct {
		Version int `json:"version"`
		lab.Renewal
	}
	mutations struct {
		Version int `json:"version"`
		lab.Mutations
		Redundant []lab.Element `json:"redundant"`
	}
	minimum struct {
		Version int `json:"version"`
		lab.Minimum
	}
	timeline struct {
		Version int `json:"version"`
		lab.Timeline
	}
	linted struct {
		Version  int            `json:"version"`
		File     string         `json:"file"`
		Findings []lint.Finding `json:"findings"`
	}
)

// OfferedJSON writes a plan and what comes of it from one issuer.
func OfferedJSON(w io.Writer, p plan.Plan, o lab.Offered) error {
	return document(w, offeredPlan{DocumentVersion, p, o})
}

// ChosenJSON writes a plan and what comes of the recipes that were chosen for it.
func ChosenJSON(w io.Writer, p plan.Plan, c lab.Chosen) error {
	c.Broken, c.Mended = some(c.Broken), some(c.Mended)
	return document(w, chosenPlan{DocumentVersion, p, c})
}

// BoughtJSON writes what a deployment does with a certificate.
func BoughtJSON(w io.Writer, b lab.Bought) error {
	return document(w, bought{DocumentVersion, filledBought(b)})
}

// RenewalJSON writes what a renewal changes and breaks.
func RenewalJSON(w io.Writer, r lab.Renewal) error {
	r.Old, r.New, r.Changes = filledBought(r.Old), filledBought(r.New), some(r.Changes)
	return document(w, renewal{DocumentVersion, r})
}

// MutationsJSON writes what each name and EKU is good for.
func MutationsJSON(w io.Writer, m lab.Mutations) error {
	m.Baseline, m.Rows = filledScenario(m.Baseline), some(m.Rows)
	return document(w, mutations{DocumentVersion, m, some(m.Redundant())})
}

// MinimumJSON writes what must be ordered at least.
func MinimumJSON(w io.Writer, m lab.Minimum) error {
	m.Removed, m.Kept, m.Proof = some(m.Removed), some(m.Kept), filledScenario(m.Proof)
	return document(w, minimum{DocumentVersion, m})
}

// TimelineJSON writes every purchase to come.
func TimelineJSON(w io.Writer, t lab.Timeline) error {
	t.Steps = some(t.Steps)
	return document(w, timeline{DocumentVersion, t})
}

// LintJSON writes what the rules find in a certificate.
func LintJSON(w io.Writer, file string, found []lint.Finding) error {
	return document(w, linted{DocumentVersion, file, some(found)})
}

func document(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func filledBought(b lab.Bought) lab.Bought {
	b.Result, b.Planned = *filled(&b.Result), filledScenario(b.Planned)
	b.Findings, b.Broken = some(b.Findings), some(b.Broken)
	return b
}

func filledScenario(s lab.ScenarioResult) lab.ScenarioResult {
	return filled(&lab.Result{Scenarios: []lab.ScenarioResult{s}}).Scenarios[0]
}
