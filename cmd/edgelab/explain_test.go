package main

import (
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
