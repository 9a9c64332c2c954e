package main

import (
	"slices"
	"testing"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

// Whoever follows a page's recipe must see the verdict that the page is about.
func TestExplanationsCanBeReproduced(t *testing.T) {
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	opts := scenarios.Options{Products: policies.Names()}
	var list []scenarios.Scenario
	wants := map[string]verdict.Code{}
	for _, c := range verdict.Codes() {
		page, err := verdict.Explain(c)
		if err != nil {
			t.Fatal(err)
		}
		var s scenarios.Scenario
		switch r := page.Reproduce; {
		case r.Scenario != "":
			s, err = scenarios.LoadCatalogue(r.Scenario, opts)
		case r.File != "":
			s, err = scenarios.Load(string(c)+".yaml", []byte(r.File), opts)
		default:
			continue
		}
		if err != nil {
			t.Errorf("explain %s: %v", c, err)
			continue
		}
		s.Name = string(c)
		wants[s.Name] = c
		list = append(list, s)
	}
	result, err := lab.Run(t.Context(), list, lab.Options{Policies: policies})
	if err != nil {
		t.Fatal(err)
	}
	if !result.ControlsHold() {
		t.Fatal("the lab's controls don't hold")
	}
	for _, s := range result.Scenarios {
		leadsThere(t, s)
		seen := map[verdict.Code]bool{}
		for _, l := range s.Legs {
			seen[l.Verdict] = true
			if !l.OK {
				t.Errorf("explain %s: its scenario expects %s of %s and gets %s: %s", s.Name, l.Expected, l.ID, l.Verdict, l.Reason)
			}
		}
		if !seen[wants[s.Name]] {
			t.Errorf("explain %s: no leg of its scenario has this verdict; there are %v", s.Name, seen)
		}
	}
}

// leadsThere sees that what a failed check is said to lead to is what it led to.
func leadsThere(t *testing.T, s lab.ScenarioResult) {
	t.Helper()
	for _, l := range s.Legs {
		for _, j := range l.Judgements {
			for _, c := range j.Failed() {
				page, err := verdict.ExplainCheck(c.Name)
				if !slices.Contains(policy.CheckNames(), c.Name) || c.Unknown || c.Name == "certificate-unused" {
					continue
				}
				if err != nil || !slices.Contains(page.Leads, c.Code) {
					t.Errorf("check %s (%s) led to %s; its page says %v, %v", c.Name, c.RuleID, c.Code, page.Leads, err)
				}
			}
		}
	}
}

// Every check has a page with all its parts, and every page a check.
func TestEveryCheckHasAPage(t *testing.T) {
	pages, err := verdict.CheckExplanations()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range pages {
		names = append(names, p.Check)
		if p.Title == "" || p.Meaning == "" || len(p.Leads) == 0 {
			t.Errorf("%s: title, meaning and verdicts must be there", p.Check)
		}
		for _, c := range p.Leads {
			if !c.Valid() {
				t.Errorf("%s leads to %q, which is no verdict", p.Check, c)
			}
		}
	}
	if want := policy.CheckNames(); !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(want))) {
		t.Errorf("there are pages for %v, and the checks are %v", names, want)
	}
}
