package report_test

import (
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
)

// The text names a flake with its rate and every verdict, and its last line counts them.
func TestFlakes(t *testing.T) {
	r := &lab.Result{
		Controls:  []lab.LegResult{{OK: true}},
		Scenarios: []lab.ScenarioResult{{Name: "contoso", Legs: []lab.LegResult{{ID: "edge -> aol", OK: true}}}},
		Repetition: &lab.Repetition{Runs: 8, Legs: 8, Flakes: []lab.Flake{{Scenario: "contoso", Leg: "edge -> aol", Drawn: []lab.Drawn{
			{Verdict: verdict.Trusted, Times: 7, Reason: "fine"}, {Verdict: verdict.NoAnswer, Times: 1, Reason: "gone\nfor good"},
		}}}},
	}
	var b strings.Builder
	if err := report.Text(&b, r, report.Options{}); err != nil {
		t.Fatal(err)
	}
	want := `flake: edge -> aol, in contoso: 12.5 % of 8 runs
   = trusted  7 times: fine
   = no-answer  once: gone for good

1 scenario, 1 leg: all as expected; 8 legs made in 8 runs, 1 flake (0.0 s)
`
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("got\n%s\nwant it to end in\n%s", b.String(), want)
	}
}
