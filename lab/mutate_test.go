package lab_test

import (
	"context"
	"slices"
	"testing"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/scenarios"
)

func scenario(t *testing.T, name string) (scenarios.Scenario, lab.Options) {
	t.Helper()
	list, policies := load(t)
	i := slices.IndexFunc(list, func(s scenarios.Scenario) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("the catalogue has no %s", name)
	}
	return list[i], lab.Options{Policies: policies}
}

// In the source deployment every name and EKU of the external certificate is there for somebody (S1 to S9).
func TestMutateSourceDeployment(t *testing.T) {
	s, opts := scenario(t, "source-deployment")
	m, err := lab.Mutate(context.Background(), s, opts)
	if err != nil {
		t.Fatal(err)
	}
	if r := m.Redundant(); len(r) > 0 {
		t.Errorf("nothing needs %v", r)
	}
	want := map[string]string{ // element, a leg that it must break
		"external san sip.contoso.com":    "remote-user -> edge/contoso.com",
		"external san webcon.contoso.com": "remote-user -> webconf",
		"external san sip.fabrikam.com":   "remote-user -> edge/fabrikam.com",
		"external eku client":             "edge/contoso.com -> aol",
		"external eku server":             "remote-user -> edge/contoso.com",
	}
	for _, row := range m.Rows {
		leg, ok := want[row.Element.String()]
		if ok && !slices.ContainsFunc(row.Broken, func(b lab.Break) bool { return b.Leg == leg }) {
			t.Errorf("without %s: %v, want %s among them", row.Element, row.Broken, leg)
		}
		delete(want, row.Element.String())
	}
	if len(want) > 0 {
		t.Errorf("not tried: %v", want)
	}
}

// Names that nobody asks for go, names that somebody asks for stay.
func TestMinimize(t *testing.T) {
	s, opts := scenario(t, "sip-federation")
	extra := lab.Element{Certificate: plan.External, Kind: lab.ElementSAN, Value: "extra.contoso.com"}
	s.Differences = map[string]plan.Difference{plan.External: {AddSANs: []plan.Name{{Kind: plan.DNSName, Value: extra.Value}}}}
	m, err := lab.Minimize(context.Background(), s, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range m.Proof.Legs {
		if !lab.Works(l.Verdict) {
			t.Errorf("%s: %s", l.ID, l.Verdict)
		}
	}
	if len(m.Kept) == 0 {
		t.Error("nothing is needed")
	}
	for _, k := range m.Kept {
		if len(k.Broken) == 0 {
			t.Errorf("%s is kept and breaks nothing", k.Element)
		}
	}
	if !slices.Equal(m.Removed, []lab.Element{extra}) {
		t.Errorf("removed %v, want the extra name alone", m.Removed)
	}
}
