package lab_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/edgelab/edgelab/lab"
)

var measure = flag.Bool("measure", false, "measure what the parts of the catalogue cost, and write costs.json")

// TestMeasureCosts writes costs.json when it is asked to with -measure; otherwise it sees that what is there was
// measured: every kind of leg has a cost.
func TestMeasureCosts(t *testing.T) {
	if *measure {
		list, policies := load(t)
		// The first run is for what is made once: keys, CAs. One leg at a time, so that none waits for another.
		res, err := lab.Run(context.Background(), list, lab.Options{Policies: policies, Parallel: 1})
		if err != nil {
			t.Fatal(err)
		}
		costs := lab.CostsOf(res)
		costs.Legs = nil
		text, err := json.MarshalIndent(costs, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("costs.json", append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	costs, err := lab.MeasuredCosts()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"sip-federation", "xmpp-federation", "remote-user", "web-conference", "next-hop-sip", "mras-request"} {
		if costs.Kinds[kind] <= 0 {
			t.Errorf("costs.json has no cost of a leg of kind %s", kind)
		}
	}
	if costs.Others <= 0 || len(costs.Setup) == 0 {
		t.Error("costs.json has no cost of a scenario's set-up")
	}
}
