package lab_test

import (
	"context"
	"testing"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

func load(t testing.TB) ([]scenarios.Scenario, *policy.Catalogue) {
	t.Helper()
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	list, err := scenarios.Catalogue(scenarios.Options{Products: policies.Names()})
	if err != nil {
		t.Fatal(err)
	}
	return list, policies
}

// Every leg of the catalogue ends as its scenario says.
func TestCatalogue(t *testing.T) {
	list, policies := load(t)
	res, err := lab.Run(context.Background(), list, lab.Options{Policies: policies})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range res.Controls {
		if !l.OK {
			t.Errorf("control %s: %s, want %s: %s", l.ID, l.Verdict, l.Expected, l.Reason)
		}
	}
	for _, s := range res.Scenarios {
		if s.Error != "" {
			t.Errorf("%s: %s", s.Name, s.Error)
		}
		for _, l := range s.Legs {
			if !l.OK {
				t.Errorf("%s: %s: %s, want %s: %s %s", s.Name, l.ID, l.Verdict, l.Expected, l.Reason, l.Fault)
			}
		}
	}
	t.Log(res.Counts(), res.Duration)
}
