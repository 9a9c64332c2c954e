package lab_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/scenarios"
)

// Switched takes elements off and puts others on, whether the certificate follows from the plan or is given field by field.
func TestSwitched(t *testing.T) {
	planned, _ := scenario(t, "source-deployment")
	differs, _ := scenario(t, "renewal-2026") // its EKU is server alone
	given := planned
	order, err := planned.Order(plan.External)
	if err != nil {
		t.Fatal(err)
	}
	given.Orders = map[string]plan.Order{plan.External: order}
	san := func(value string) lab.Element {
		return lab.Element{Certificate: plan.External, Kind: lab.ElementSAN, Value: value}
	}
	eku := func(value string) lab.Element {
		return lab.Element{Certificate: plan.External, Kind: lab.ElementEKU, Value: value}
	}
	const all = "sip.contoso.com webcon.contoso.com contoso.com sip.fabrikam.com fabrikam.com"
	for _, c := range []struct {
		name    string
		of      scenarios.Scenario
		off, on []lab.Element
		want    string // names and usages; empty: it can't be done
	}{
		{"nothing", planned, nil, nil, all + " / server client"},
		{"a name off", planned, []lab.Element{san("sip.fabrikam.com")}, nil, strings.Replace(all, " sip.fabrikam.com", "", 1) + " / server client"},
		{"the same, given", given, []lab.Element{san("sip.fabrikam.com")}, nil, strings.Replace(all, " sip.fabrikam.com", "", 1) + " / server client"},
		{"a name on", planned, nil, []lab.Element{san("lyncdiscover.contoso.com")}, all + " lyncdiscover.contoso.com / server client"},
		{"a name of another kind on", given, nil, []lab.Element{san("uri:sip:contoso.com")}, all + " uri:sip:contoso.com / server client"},
		{"what is on already", planned, nil, []lab.Element{san("contoso.com"), eku("server")}, all + " / server client"},
		{"what is off already", differs, []lab.Element{eku("client")}, nil, all + " / server"},
		{"a usage on", differs, nil, []lab.Element{eku("client")}, all + " / server client"},
		{"one usage for another", differs, []lab.Element{eku("server")}, []lab.Element{eku("client")}, all + " / client"},
		{"off goes before on", planned, []lab.Element{eku("client")}, []lab.Element{eku("client")}, all + " / server"},
		{"the last usage off", differs, []lab.Element{eku("server")}, nil, ""},
		{"the last usage off, given", given, []lab.Element{eku("server"), eku("client")}, nil, ""},
	} {
		s, ok, err := lab.Switched(c.of, c.off, c.on)
		if err != nil || ok != (c.want != "") {
			t.Errorf("%s: done %v, %v; want %q", c.name, ok, err, c.want)
			continue
		}
		if !ok {
			continue
		}
		o, err := s.Order(plan.External)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var words []string
		for _, n := range o.SANs {
			words = append(words, n.String())
		}
		words = append(words, "/")
		for _, u := range o.EKUs {
			words = append(words, fmt.Sprint(u))
		}
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if _, _, err := lab.Switched(planned, nil, []lab.Element{{Certificate: plan.External, Kind: "key", Value: "rsa-1024"}}); err == nil {
		t.Error("a kind of element that there isn't is switched on")
	}
	if again, err := planned.Order(plan.External); err != nil || len(again.SANs) != 5 || len(again.EKUs) != 2 {
		t.Errorf("the scenario itself was changed: %v, %v", again, err)
	}
}
