package lab_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/topology"
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

// A run ends with all that it began: no goroutine, no listener, also when it is interrupted.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon")) // started by an init of step-ca's database
}

// Two runs on one machine don't disturb each other: what one has taken, the other replaces.
func TestTwoRunsAtOnce(t *testing.T) {
	list, policies := load(t)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			res, err := lab.Run(context.Background(), list, lab.Options{Policies: policies})
			if err != nil {
				t.Error(err)
				return
			}
			if c := res.Counts(); c.Differ+c.Faults > 0 || !res.ControlsHold() {
				t.Errorf("%+v, controls hold: %v: %v", c, res.ControlsHold(), faults(res))
			}
		})
	}
	wg.Wait()
}

// faults lists what the lab itself failed at.
func faults(res *lab.Result) (out []string) {
	for _, s := range res.Scenarios {
		if s.Error != "" {
			out = append(out, s.Name+": "+s.Error)
		}
		for _, l := range s.Legs {
			if l.Fault != "" {
				out = append(out, s.Name+": "+l.ID+": "+l.Fault)
			}
		}
	}
	return out
}

// An interrupted run returns what it has, says that it was interrupted, and blames no partner.
func TestInterrupted(t *testing.T) {
	list, policies := load(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var legs atomic.Int32
	res, err := lab.Run(ctx, list, lab.Options{Policies: policies, Progress: func(int, int) {
		if legs.Add(1) == 40 { // past the controls
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	for _, s := range res.Scenarios {
		for _, l := range s.Legs {
			if !l.OK && l.Fault == "" {
				t.Errorf("%s: %s: %s: an interruption is no verdict on a partner: %s", s.Name, l.ID, l.Verdict, l.Reason)
			}
		}
	}
}

// The same scenario, date and seed give the same certificates, field by field, and the same verdicts.
func TestReproducible(t *testing.T) {
	list, policies := load(t)
	run := func(seed uint64) *lab.Result {
		res, err := lab.Run(context.Background(), list, lab.Options{Policies: policies, Seed: seed, Select: func(s string, _ topology.Leg) bool {
			return s == "source-deployment" || s == "xmpp-client-eku-missing"
		}})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	a, b, other := run(7), run(7), run(8)
	for i, s := range a.Scenarios {
		for j, c := range s.Certificates {
			if d := b.Scenarios[i].Certificates[j]; c.Serial != d.Serial || !reflect.DeepEqual(c.Order, d.Order) {
				t.Errorf("%s: certificate %s: %s and %s", s.Name, c.Key, c.Serial, d.Serial)
			}
			if c.Serial == other.Scenarios[i].Certificates[j].Serial {
				t.Errorf("%s: certificate %s has the same serial number with another seed", s.Name, c.Key)
			}
		}
		for j, l := range s.Legs {
			if m := b.Scenarios[i].Legs[j]; l.ID != m.ID || l.Verdict != m.Verdict {
				t.Errorf("%s: %s %s and %s %s", s.Name, l.ID, l.Verdict, m.ID, m.Verdict)
			}
		}
	}
}
