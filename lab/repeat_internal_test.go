package lab

import (
	"reflect"
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A leg whose verdict changes is a flake, with how often it came to which; one that is wrong each time is none.
func TestTally(t *testing.T) {
	pass := func(first, second verdict.Code) []outcome {
		return []outcome{{ScenarioResult: ScenarioResult{Name: "contoso", Legs: []LegResult{
			{ID: "edge -> aol", Verdict: first, Reason: string(first) + "!"},
			{ID: "aol -> edge", Verdict: second, Reason: string(second) + "!"},
		}}}}
	}
	runs := [][]outcome{
		pass(verdict.Trusted, verdict.Expired), pass(verdict.Trusted, verdict.Expired),
		pass(verdict.NoAnswer, verdict.Expired), pass(verdict.Trusted, verdict.Expired),
	}
	var c tally
	for _, r := range runs {
		c.add(r)
	}
	got := c.repetition(runs[0])
	want := &Repetition{Runs: 4, Legs: 8, Flakes: []Flake{{Scenario: "contoso", Leg: "edge -> aol", Drawn: []Drawn{
		{Verdict: verdict.Trusted, Times: 3, Reason: "trusted!"}, {Verdict: verdict.NoAnswer, Times: 1, Reason: "no-answer!"},
	}}}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	if rate := got.Flakes[0].Rate(); rate != 0.25 {
		t.Errorf("flake rate %v, want 1 in 4", rate)
	}
	if !got.Flaky() || got.Fault() {
		t.Errorf("flaky %v, fault %v; want a flake that is no fault of the lab", got.Flaky(), got.Fault())
	}
	c.add(pass(verdict.Inconclusive, verdict.Expired))
	if r := c.repetition(runs[0]); !r.Fault() {
		t.Error("a leg that was inconclusive once is no fault of the lab")
	}
	var once *Repetition
	if once.Flaky() || once.Fault() {
		t.Error("a run that was made once is flaky")
	}
}
