package report

import (
	"strings"

	"github.com/edgelab/edgelab/lab"
)

// together joins legs of a pool that broke for the same reason on several servers: edge@edge01,edge02 -> aol. What is
// different on one server stands by itself.
func together(list []lab.Break) []lab.Break {
	var out []lab.Break
	seen := map[lab.Break]int{}
	for _, b := range list {
		leg, node := withoutNode(b.Leg)
		key := b
		key.Leg = leg
		i, ok := seen[key]
		if !ok || node == "" {
			seen[key], out = len(out), append(out, b)
			continue
		}
		out[i].Leg = addNode(out[i].Leg, node)
	}
	return out
}

// togetherLegs is together for legs alone.
func togetherLegs(list []string) []string {
	var breaks []lab.Break
	for _, leg := range list {
		breaks = append(breaks, lab.Break{Leg: leg})
	}
	var out []string
	for _, b := range together(breaks) {
		out = append(out, b.Leg)
	}
	return out
}

// withoutNode takes the server off a leg's ID.
func withoutNode(id string) (leg, node string) {
	before, after, ok := strings.Cut(id, "@")
	if !ok {
		return id, ""
	}
	node, after, _ = strings.Cut(after, " ")
	return strings.TrimSpace(before + " " + after), node
}

// addNode puts one more server beside those of a leg's ID.
func addNode(id, node string) string {
	before, after, _ := strings.Cut(id, "@")
	nodes, after, more := strings.Cut(after, " ")
	id = before + "@" + nodes + "," + node
	if more {
		id += " " + after
	}
	return id
}
