package lab_test

import (
	"context"
	"slices"
	"testing"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// DigiCert sells the client EKU up to 2027-02-28 (ALERT53). On the day after the plan can't be had, and the legs to
// those who ask for it break; the day before nothing does.
func TestOffered(t *testing.T) {
	s, opts := scenario(t, "source-deployment")
	profiles, err := profile.Load()
	if err != nil {
		t.Fatal(err)
	}
	s.At = date(2027, 2, 28)
	before, err := lab.MakeOffered(context.Background(), s, profiles, "digicert", opts)
	if err != nil {
		t.Fatal(err)
	}
	if before.Refused() || len(before.Broken) > 0 || !slices.Contains(before.Order.EKUs, plan.Client) {
		t.Errorf("on the last day: %v, broken %v, EKUs %v", before.Findings, before.Broken, before.Order.EKUs)
	}
	s.At = date(2027, 3, 1)
	after, err := lab.MakeOffered(context.Background(), s, profiles, "digicert", opts)
	if err != nil {
		t.Fatal(err)
	}
	if !after.Refused() || slices.Contains(after.Order.EKUs, plan.Client) {
		t.Errorf("on the first day without: %v, EKUs %v", after.Findings, after.Order.EKUs)
	}
	for _, leg := range []string{"edge/contoso.com -> aol", "edge/contoso.com -> northwind"} {
		if !slices.ContainsFunc(after.Broken, func(b lab.Break) bool { return b.Leg == leg && b.Verdict == verdict.ClientEKUMissing }) {
			t.Errorf("%s doesn't break: %v", leg, after.Broken)
		}
	}
}
