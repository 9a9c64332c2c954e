package lesson_test

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/lesson"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon")) // started by an init of step-ca's database
}

// TestLessons makes the legs of every lesson and of every way to break it. What the files state must be what the legs
// gave: the one right guess, the rules that were asked, what was to be seen, and the verdict of each leg.
func TestLessons(t *testing.T) {
	policies, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	all, err := lesson.All()
	if err != nil {
		t.Fatal(err)
	}
	var list []scenarios.Scenario
	for _, l := range all {
		own, err := l.Scenarios(scenarios.Options{Products: policies.Names()})
		if err != nil {
			t.Fatal(err)
		}
		own[0].Name = l.Name
		list = append(list, own...)
	}
	result, err := lab.Run(t.Context(), list, lab.Options{Policies: policies})
	if err != nil {
		t.Fatal(err)
	}
	if !result.ControlsHold() {
		t.Fatal("the lab's controls don't hold")
	}
	rest := result.Scenarios
	for _, l := range all {
		runs := rest[:1+len(l.Breaks)]
		rest = rest[len(runs):]
		t.Run(l.Name, func(t *testing.T) {
			for i, s := range runs {
				asExpected(t, i, s)
			}
			states(t, l, runs[0])
			changing := 0
			for _, s := range runs[1:] {
				if changes(runs[0], s) {
					changing++
				}
			}
			if changing < 2 {
				t.Errorf("of %d ways to break it %d change the verdict of a leg; want two", len(l.Breaks), changing)
			}
		})
	}
}

func asExpected(t *testing.T, i int, s lab.ScenarioResult) {
	t.Helper()
	if s.Error != "" {
		t.Fatalf("%s: %s", s.Name, s.Error)
	}
	for _, l := range s.Legs {
		if !l.OK {
			t.Errorf("%s (break %d, if it is one): %s is expected %s and gets %s: %s", s.Name, i, l.ID, l.Expected, l.Verdict, l.Reason)
		}
	}
}

// states holds what a lesson says against the run of its scenario.
func states(t *testing.T, l lesson.Lesson, s lab.ScenarioResult) {
	t.Helper()
	verdicts := map[string]verdict.Code{}
	asked := map[string]bool{}
	var seen strings.Builder
	for _, leg := range s.Legs {
		verdicts[leg.ID] = leg.Verdict
		for _, j := range leg.Judgements {
			for _, c := range j.Checks {
				asked[c.RuleID] = true
			}
		}
		if slices.ContainsFunc(l.Look, func(p string) bool { return lesson.Means(p, leg.ID) }) {
			for _, e := range leg.Evidence {
				seen.WriteString(e.Host + " " + e.Text + "\n")
			}
		}
	}
	right, err := l.Right(verdicts)
	if err != nil {
		t.Errorf("%v\n%v", err, verdicts)
	} else if right != l.Answer {
		t.Errorf("the file says that guess %d is right, and the legs bear out guess %d", l.Answer+1, right+1)
	}
	for _, id := range l.Rules {
		if !asked[id] {
			t.Errorf("no leg of the run was asked rule %s", id)
		}
	}
	for _, w := range l.Wire {
		if !strings.Contains(seen.String(), w) {
			t.Errorf("nothing in the evidence of %v has %q", l.Look, w)
		}
	}
}

// changes reports whether a leg has another verdict than before, or is new.
func changes(before, after lab.ScenarioResult) bool {
	was := map[string]verdict.Code{}
	for _, l := range before.Legs {
		was[l.ID] = l.Verdict
	}
	return slices.ContainsFunc(after.Legs, func(l lab.LegResult) bool { return was[l.ID] != l.Verdict })
}
