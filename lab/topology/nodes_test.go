package topology_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/topology"
)

func pool(layout topology.Layout, nodes ...string) topology.Topology {
	d := sourceDeployment()
	d.Edge.Layout, d.Edge.Nodes = layout, nodes
	return topology.WithDefaults(d)
}

// In a pool each leg is there once for each server, in the layouts with one server once.
func TestLegsOfNodes(t *testing.T) {
	one := topology.Legs(sourceDeployment())
	for _, layout := range topology.Layouts() {
		legs, want := topology.Legs(pool(layout)), len(one)
		if layout.Pooled() {
			want *= 2
		}
		if len(legs) != want {
			t.Errorf("%s: %d legs, want %d", layout, len(legs), want)
		}
	}
	seen := map[string]bool{}
	for _, l := range topology.Legs(pool(topology.ScaledHLB, "a.contoso.net", "b.contoso.net", "c.contoso.net")) {
		seen[l.ID] = true
	}
	for _, id := range []string{
		"edge/contoso.com@a -> litware", "litware -> edge/fabrikam.com@c", "remote-user -> webconf@b", "next-hop -> mras@c",
		"edge@b -> next-hop",
	} {
		if !seen[id] {
			t.Errorf("there is no leg %s", id)
		}
	}
	if len(seen) != 3*len(one) {
		t.Errorf("%d legs, want %d", len(seen), 3*len(one))
	}
}

// A pattern without a server means all of them, one with a server says more.
func TestPatternOfNode(t *testing.T) {
	legs := topology.Legs(pool(topology.ScaledDNSNAT))
	for pattern, want := range map[string]int{
		"edge -> aol": 2, "edge@edge01 -> aol": 1, "edge/contoso.com@edge02 -> aol": 1, "any -> webconf@edge02": 1,
		"aol@edge01 -> edge": 0, "edge@edge03 -> aol": 0,
	} {
		if got, _ := topology.Match(pattern, legs); len(got) != want {
			t.Errorf("%q matches %d legs, want %d", pattern, len(got), want)
		}
	}
	last := -1
	for _, s := range []string{
		"any -> any", "edge -> any", "edge/contoso.com -> any", "edge@edge01 -> any", "edge/contoso.com@edge01 -> any", "any -> aol",
		"edge -> aol", "edge/contoso.com -> aol", "edge@edge01 -> aol", "edge/contoso.com@edge01 -> aol",
	} {
		p, err := topology.ParsePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(legs, func(l topology.Leg) bool { return l.ID == "edge/contoso.com@edge01 -> aol" })
		n, ok := p.Matches(legs[i])
		if !ok || n <= last {
			t.Errorf("%s is %d specific, not more than what stands before it (%d)", s, n, last)
		}
		last = n
	}
}

func TestCheckNodes(t *testing.T) {
	for name, test := range map[string]struct {
		topology topology.Topology
		message  string // empty: nothing is wrong
	}{
		"two of a pool":     {pool(topology.ScaledDNSNAT), ""},
		"one server":        {pool(topology.SingleNAT, "edge01.contoso.net"), "has one server"},
		"the same computer": {pool(topology.ScaledHLB, "edge01.contoso.net", "edge01.fabrikam.net"), "two servers of the pool are called edge01"},
		"a taken name":      {pool(topology.ScaledHLB, "lsedge.contoso.net"), "is already the name of"},
		"no FQDN":           {pool(topology.ScaledHLB, "edge01"), "isn't fully qualified"},
	} {
		faults := topology.Check(test.topology, topology.Options{})
		if test.message == "" && len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		if test.message != "" && !slices.ContainsFunc(faults, func(f topology.Fault) bool {
			return strings.Contains(f.Message, test.message) && strings.HasPrefix(string(f.Path), "edge.nodes")
		}) {
			t.Errorf("%s: %v, want %q", name, faults, test.message)
		}
	}
}
