package lesson

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/scenarios"
)

// Bounds on a lesson: less isn't one, and more isn't listened to.
const (
	minChoices, maxChoices = 2, 6
	minBreaks              = 2
)

// Load reads a lesson from text. name is the file's, as it appears in messages. The error, if any, is a *source.Error
// with everything that is wrong, in the lesson itself and in the scenarios of its breaks.
func Load(name string, text []byte) (Lesson, error) {
	r := reader{Problems: &source.Problems{}, name: name, text: text}
	l := r.lesson(source.Parse(name, text, r.Problems))
	if err := errors.Join(append(r.breaks, r.Err())...); err != nil {
		return Lesson{}, together(err)
	}
	return l, nil
}

// together makes one *source.Error of several.
func together(err error) error {
	var all source.Error
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var one *source.Error
		if !errors.As(e, &one) {
			return err
		}
		all.Problems = append(all.Problems, one.Problems...)
	}
	return &all
}

type reader struct {
	*source.Problems
	name   string
	text   []byte
	breaks []error // what is wrong with the scenarios of breaks
}

func (r *reader) lesson(n *source.Node) Lesson {
	if n == nil {
		return Lesson{}
	}
	n = r.Mapping(n, "a lesson", "title", "scenario", "question", "look", "choices", "answer", "explanation", "rules", "wire", "breaks", "sources")
	l := Lesson{
		Name: nameOf(r.name), File: r.name,
		Title:       r.must(n, "title"),
		Question:    r.must(n, "question"),
		Explanation: r.must(n, "explanation"),
		Rules:       r.Texts(n.Get("rules"), "rules"),
		Wire:        r.Texts(n.Get("wire"), "wire"),
		Sources:     r.Texts(n.Get("sources"), "sources"),
	}
	if strings.Contains(l.Title, "\n") {
		r.Add(n.Get("title"), "", "a title is one line")
	}
	if len(l.Sources) == 0 {
		r.Add(n, "", "a lesson without sources teaches hearsay")
	}
	legs := r.scenario(n, &l)
	for _, item := range r.List(n.Get("look"), "look") {
		l.Look = append(l.Look, r.pattern(item, legs))
	}
	if len(l.Look) == 0 {
		r.Add(n, "look: [edge -> litware]", "a lesson says which legs to look at")
	}
	r.choices(n, &l, legs)
	for i, item := range r.List(n.Get("breaks"), "breaks") {
		l.Breaks = append(l.Breaks, r.variation(item, fmt.Sprintf("%s-%d", l.Name, i+1)))
	}
	if len(l.Breaks) < minBreaks {
		r.Add(n, "", "a lesson has %d breaks at least", minBreaks)
	}
	return l
}

// scenario reads which scenario the lesson runs, and returns its legs; nil if they can't be had.
func (r *reader) scenario(n *source.Node, l *Lesson) []topology.Leg {
	l.Scenario = r.must(n, "scenario")
	if l.Scenario == "" {
		return nil
	}
	s, err := scenarios.LoadCatalogue(l.Scenario, scenarios.Options{})
	if err != nil {
		r.Add(n.Get("scenario"), source.Suggest(l.Scenario, scenarios.Names()), "the catalogue has no scenario %q", l.Scenario)
		return nil
	}
	return topology.Legs(s.Topology)
}

// must reads a text that has to be there.
func (r *reader) must(n *source.Node, key string) string {
	text := strings.TrimSpace(r.Text(n.Get(key), key))
	if text == "" && !r.Marked(n.Get(key)) {
		at := n.Key(key)
		if at == nil {
			at = n
		}
		r.Add(at, "", "%s is missing", key)
	}
	return text
}

func (r *reader) choices(n *source.Node, l *Lesson, legs []topology.Leg) {
	for _, item := range r.List(n.Get("choices"), "choices") {
		item = r.Mapping(item, "a choice", "text", "reply", "claims")
		c := Choice{Text: r.must(item, "text"), Reply: r.must(item, "reply")}
		for _, e := range r.FreeMapping(item.Get("claims"), "claims").Entries {
			is := r.OneOf(e.Value, "verdict", outcomes())
			c.Claims = append(c.Claims, Claim{Legs: r.pattern(e.Key, legs), Is: is})
		}
		if len(c.Claims) == 0 {
			r.Add(item, `claims: {edge -> litware: works}`, "a choice without claims can't be put to the test")
		}
		l.Choices = append(l.Choices, c)
	}
	if len(l.Choices) < minChoices || len(l.Choices) > maxChoices {
		r.Add(n, "", "a lesson has %d to %d choices, not %d", minChoices, maxChoices, len(l.Choices))
		return
	}
	// In the file the choices count from 1, as they do on the screen.
	answer, ok := r.Int(n.Get("answer"), "answer", 1, len(l.Choices))
	if !ok && n.Get("answer").IsNull() {
		r.Add(n, "", "answer is missing")
	}
	l.Answer = answer - 1
}

func (r *reader) pattern(n *source.Node, legs []topology.Leg) string {
	text := r.Text(n, "a leg")
	if _, err := topology.ParsePattern(text); err != nil {
		r.Add(n, "", "%q isn't a leg: %v", text, err)
		return text
	}
	if legs == nil {
		return text
	}
	if _, err := topology.Match(text, legs); err != nil {
		hint := ""
		if near, ok := topology.NearestLeg(text, legs); ok {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		r.Add(n, hint, "%v", err)
	}
	return text
}

// variation reads one entry of breaks and tries its scenario.
func (r *reader) variation(n *source.Node, name string) Break {
	n = r.Mapping(n, "a break", "title", "explanation", "scenario")
	b := Break{Title: r.must(n, "title"), Explanation: r.must(n, "explanation"), name: name}
	b.Text = r.must(n, "scenario") + "\n"
	at := n.Get("scenario")
	if at.IsNull() {
		return b
	}
	b.at = placed{file: r.name, line: at.Line, indent: indentAt(r.text, at.Line)}
	if _, err := b.Load(scenarios.Options{}); err != nil {
		r.breaks = append(r.breaks, err)
	}
	return b
}

func outcomes() []string {
	names := []string{Works, Fails}
	for _, c := range verdict.Codes() {
		names = append(names, string(c))
	}
	return names
}

// placed is where a text stands as a block in another file.
type placed struct {
	file   string
	line   int // that of the key; the block begins below it
	indent string
}

// text returns a block's text with every line and column where the file has it, so that a message points there.
func (p placed) text(block string) []byte {
	lines := slices.Repeat([]string{""}, p.line)
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\n")
		if line != "" {
			line = p.indent + line
		}
		lines = append(lines, line)
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

// indentAt returns the blanks in front of the first line below a key that has anything.
func indentAt(text []byte, key int) string {
	lines := strings.Split(string(text), "\n")
	for _, line := range lines[min(key, len(lines)):] {
		if rest := strings.TrimLeft(line, " "); rest != "" {
			return line[:len(line)-len(rest)]
		}
	}
	return ""
}
