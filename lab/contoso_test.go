package lab_test

import (
	"context"
	"encoding/pem"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/topology/csexport"
)

var updateContoso = flag.Bool("update-contoso", false, "have the certificate of testdata/contoso made anew")

const boughtFile = "testdata/contoso/bought.pem"

// The example of README.md is a deployment as it is exported, and a certificate that was bought for it and came without
// the client EKU, since nobody asked for it.
func TestContosoExample(t *testing.T) {
	data, err := os.ReadFile("testdata/contoso/topology.xml")
	if err != nil {
		t.Fatal(err)
	}
	i, err := csexport.Read("topology.xml", data)
	if err != nil {
		t.Fatal(err)
	}
	line, _ := plan.For(topology.WithDefaults(i.Topology)).Certificate(plan.External)
	order, err := plan.Resolve(line, plan.Difference{}, date(2026, 11, 25))
	if err != nil {
		t.Fatal(err)
	}
	order.EKUs = []plan.Usage{plan.Server}
	order.NotAfter = order.NotBefore.AddDate(0, 0, 200).Add(-1e9)
	if *updateContoso {
		set := ca.NewSet(ca.Options{Seed: 2027, At: order.NotBefore})
		defer set.Close()
		issued, err := set.Issue(context.Background(), ca.Public, order)
		if err != nil {
			t.Fatal(err)
		}
		var text []byte
		for _, der := range issued.TLS.Certificate {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
		if err := os.WriteFile(boughtFile, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := certfile.ReadFile(boughtFile, certfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := f.Order(order.NotBefore)
	if !slices.Equal(sorted(got.SANs), sorted(order.SANs)) || !slices.Equal(got.EKUs, order.EKUs) || got.Subject != order.Subject || !got.NotAfter.Equal(order.NotAfter) {
		t.Errorf("%s is %+v, want %+v", boughtFile, got, order)
	}
}

// sorted is for names whose order doesn't count.
func sorted(names []plan.Name) []plan.Name {
	return slices.SortedFunc(slices.Values(names), func(a, b plan.Name) int { return strings.Compare(a.Value, b.Value) })
}
