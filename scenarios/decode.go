package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// Version is the version of the scenario file's form. A file may say which it is written in; one that says nothing is
// version 1. A change by which a file of an older version would mean something else raises it, and both are read then.
const Version = "1"

// Keys returns the keys of a scenario file's top level.
func Keys() []string {
	return slices.Concat([]string{"version", "title", "teaches", "proves", "base", "at"}, topology.Keys(), []string{"certificates", "expect"})
}

// Statements returns the statements of the source topic that a scenario can prove.
func Statements() []string {
	return []string{"S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9"}
}

// scenario decodes and checks a merged tree.
func (l *loader) scenario(name string, root *source.Node) Scenario {
	if root == nil {
		return Scenario{}
	}
	p := l.problems
	p.Mapping(root, "a scenario", Keys()...)
	s := Scenario{
		Name:      nameOf(name),
		File:      name,
		Title:     p.Text(root.Get("title"), "title"),
		Teaches:   p.Text(root.Get("teaches"), "teaches"),
		Base:      p.Text(root.Get("base"), "base"),
		At:        DefaultAt,
		Positions: source.NewIndex(root).Positions(),
	}
	if n := root.Get("version"); n != nil {
		if v := p.Literal(n, "version"); v != Version {
			p.Add(n, "leave it out, or write version: "+Version, "%q is no version of the scenario file's form that this program reads", v)
		}
	}
	for _, item := range p.List(root.Get("proves"), "proves") {
		s.Proves = append(s.Proves, p.OneOf(item, "statement of the source topic", Statements()))
	}
	if at, ok := p.Time(root.Get("at"), "at"); ok {
		s.At = at
	}
	before := p.Len()
	s.Topology = topology.Decode(root, topology.Options{Products: l.opts.Products, Serves: l.opts.Serves, TwoCertificates: l.opts.TwoCertificates}, p)
	sound := p.Len() == before
	l.differences(&s, root.Get("certificates"), sound)
	l.expectations(&s, root.Get("expect"), sound)
	return s
}

// expectations reads expect. Whether there are such legs can be said only if the topology is sound.
func (l *loader) expectations(s *Scenario, n *source.Node, sound bool) {
	legs := topology.Legs(s.Topology)
	seen := map[string]*source.Node{}
	for _, e := range l.problems.FreeMapping(n, "expect").Entries {
		pattern, err := topology.ParsePattern(e.Key.Value)
		if err != nil {
			l.problems.Add(e.Key, "", "%q isn't a leg: %v", e.Key.Value, err)
			continue
		}
		if first, ok := seen[pattern.String()]; ok {
			l.problems.Add(e.Key, "", "%q is expected twice; the first is in line %d of %s", pattern, first.Line, first.File)
			continue
		}
		seen[pattern.String()] = e.Key
		if _, err := topology.Match(pattern.String(), legs); err != nil && sound {
			l.problems.Add(e.Key, legHint(pattern.String(), legs), "%v", err)
		}
		code := l.problems.OneOf(e.Value, "verdict", codeNames())
		if e.Value.IsNull() {
			l.problems.Add(e.Key, "for example: trusted", "no verdict is given for %q", pattern)
		}
		s.Expect = append(s.Expect, Expectation{Pattern: pattern.String(), Code: verdict.Code(code), Pos: e.Key.Pos})
	}
	slices.SortFunc(s.Expect, func(a, b Expectation) int { return cmp.Compare(a.Pattern, b.Pattern) })
}

func legHint(pattern string, legs []topology.Leg) string {
	if near, ok := topology.NearestLeg(pattern, legs); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	hint := "the legs here:"
	for _, leg := range legs {
		hint += "\n       " + leg.ID
	}
	return hint
}

func codeNames() []string {
	var names []string
	for _, c := range verdict.Codes() {
		names = append(names, string(c))
	}
	return names
}

// differences reads certificates, and tries each difference on its line of the plan.
func (l *loader) differences(s *Scenario, n *source.Node, sound bool) {
	keys := append(s.CertificateKeys(), s.nodeKeys()...)
	for _, e := range l.problems.FreeMapping(n, "certificates").Entries {
		key := e.Key.Value
		if !slices.Contains(keys, key) {
			if sound {
				l.problems.Add(e.Key, source.Suggest(key, keys), "no certificate is called %q", key)
			}
			continue
		}
		before := l.problems.Len()
		d := l.difference(e.Value)
		if s.Differences == nil {
			s.Differences = map[string]plan.Difference{}
		}
		s.Differences[key] = d
		if shared, _ := plan.Shared(key); d.None && shared != plan.External && shared != plan.Internal {
			l.problems.Add(e.Value.Get("none"), "withhold: true lets it show none", "only the Edge can be without a certificate; %s isn't the Edge's", key)
		}
		if l.problems.Len() > before || !sound {
			continue
		}
		var fault *plan.DifferenceError
		if _, err := s.Order(key); errors.As(err, &fault) {
			l.problems.Add(locate(e.Value, fault), suggest(fault), "%s", fault.Reason)
		}
	}
}

// locate finds what a DifferenceError is about: the last entry of a list with its value, or the field.
func locate(n *source.Node, fault *plan.DifferenceError) *source.Node {
	field := n.Get(fault.Field)
	if field == nil {
		return n
	}
	for _, item := range slices.Backward(field.Items) {
		if item.Value == fault.Value || len(item.Entries) == 1 && item.Entries[0].Value.Value == fault.Value {
			return item
		}
	}
	return field
}

func suggest(fault *plan.DifferenceError) string {
	if len(fault.Valid) == 0 {
		return ""
	}
	return source.Suggest(fault.Value, fault.Valid)
}
