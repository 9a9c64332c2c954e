package topology

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
)

// Anyone stands for any actor in a pattern.
const Anyone = "any"

// A Pattern says which legs are meant: initiator -> acceptor, where each end is an actor (edge, aol), the Edge in the
// name of one own domain (edge/contoso.com), one server of the pool (edge@edge01, edge/contoso.com@edge01,
// webconf@edge01), or any.
type Pattern struct{ initiator, acceptor end }

type end struct{ actor, domain, node string }

// ErrPattern is returned for a text that isn't a pattern at all.
var ErrPattern = errors.New("a leg is written initiator -> acceptor, as in edge -> litware")

// ParsePattern reads a pattern. Blanks around the arrow don't matter.
func ParsePattern(s string) (Pattern, error) {
	left, right, ok := strings.Cut(s, "->")
	p := Pattern{parseEnd(left), parseEnd(right)}
	if !ok || strings.Contains(right, "->") {
		return Pattern{}, ErrPattern
	}
	for _, e := range []end{p.initiator, p.acceptor} {
		if e.actor == "" || e.domain != "" && e.actor != ActorEdge || e.node != "" && !isOwnServer(e.actor) {
			return Pattern{}, ErrPattern
		}
	}
	return p, nil
}

func parseEnd(s string) end {
	s, node, _ := strings.Cut(strings.TrimSpace(s), "@")
	actor, domain, _ := strings.Cut(s, "/")
	return end{strings.TrimSpace(actor), strings.ToLower(strings.TrimSpace(domain)), strings.ToLower(strings.TrimSpace(node))}
}

func (p Pattern) String() string { return p.initiator.String() + " -> " + p.acceptor.String() }

func (e end) String() string {
	name := e.actor
	if e.domain != "" {
		name += "/" + e.domain
	}
	if e.node != "" {
		name += "@" + e.node
	}
	return name
}

// Matches reports whether l is meant, and how specifically: of several patterns that match a leg the one with the
// highest number counts. Naming the acceptor says most, then naming the initiator, then a server of the pool, then an own
// domain, then the Edge, then any. No two different patterns that match a leg are equally specific.
func (p Pattern) Matches(l Leg) (specificity int, ok bool) {
	if !p.initiator.matches(l, l.Initiator) || !p.acceptor.matches(l, l.Acceptor) {
		return 0, false
	}
	if p.acceptor.namesOther() {
		specificity += 16
	}
	if p.initiator.namesOther() {
		specificity += 8
	}
	for _, e := range []end{p.initiator, p.acceptor} {
		if e.node != "" {
			specificity += 4
		}
		switch {
		case e.domain != "":
			specificity += 2
		case e.actor == ActorEdge:
			specificity++
		}
	}
	return specificity, true
}

func (e end) namesOther() bool { return e.actor != Anyone && e.actor != ActorEdge }

func (e end) matches(l Leg, actor string) bool {
	if e.domain != "" && l.Own != e.domain || e.node != "" && l.Node != e.node {
		return false
	}
	return e.actor == Anyone || e.actor == actor
}

// Match returns the legs that a pattern means, in their order. A pattern that means none is an error; NearestLeg
// proposes another.
func Match(pattern string, legs []Leg) ([]Leg, error) {
	p, err := ParsePattern(pattern)
	if err != nil {
		return nil, err
	}
	var all []Leg
	for _, l := range legs {
		if _, ok := p.Matches(l); ok {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no leg is called %q", pattern)
	}
	return all, nil
}

// NearestLeg returns the pattern closest to one that matched nothing: a leg's ID, or what it is called without the own
// domain or server.
func NearestLeg(pattern string, legs []Leg) (string, bool) {
	var names []string
	for _, l := range legs {
		for _, name := range []string{l.Initiator + " -> " + l.Acceptor, l.ID} {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	p, err := ParsePattern(pattern)
	if err != nil {
		return source.Nearest(pattern, names)
	}
	joins := func(from, to end) int {
		return slices.IndexFunc(legs, func(l Leg) bool { return l.Initiator == from.actor && l.Acceptor == to.actor })
	}
	if i := joins(p.acceptor, p.initiator); i >= 0 && joins(p.initiator, p.acceptor) < 0 { // the wrong way round
		return legs[i].ID, true
	}
	return source.Nearest(p.String(), names)
}
