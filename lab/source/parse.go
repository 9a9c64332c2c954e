package source

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds on a tree. The largest sensible scenario stays far below them.
const (
	maxDepth = 32
	maxNodes = 50_000
)

// Read returns the text of the file, at most one byte more than MaxSize, so that Parse can refuse it without the whole
// being read.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	return io.ReadAll(io.LimitReader(f, MaxSize+1))
}

// Parse reads text, called name, into a tree. What is wrong goes to p; the result is nil if there is nothing to walk.
func Parse(name string, text []byte, p *Problems) *Node {
	start := Pos{File: name, Line: 1, Column: 1}
	if len(text) > MaxSize {
		p.AddAt(start, 0, "", "the file has more than 1 MiB (%d bytes), the most that is read", MaxSize)
		return nil
	}
	if !readable(name, text, p) {
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	p.keep(name, text)

	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			p.AddAt(start, 0, "edgelab init prints a file to start from", "the file is empty")
			return nil
		}
		p.syntax(name, err)
		return nil
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.AddAt(Pos{File: name, Line: second.Line, Column: max(second.Column, 1)}, 0,
			"put it into a file of its own", "a second YAML document begins here; a file holds one")
	case !errors.Is(err, io.EOF):
		p.syntax(name, err)
		return nil
	}
	if len(document.Content) == 0 {
		p.AddAt(start, 0, "edgelab init prints a file to start from", "the file is empty")
		return nil
	}
	c := converter{file: name, problems: p}
	return c.convert(document.Content[0], 0)
}

// readable refuses what isn't UTF-8 text.
func readable(name string, text []byte, p *Problems) bool {
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		p.AddAt(Pos{File: name, Line: 1, Column: 1}, 0, "save it as UTF-8", "the file is UTF-16")
		return false
	}
	line, column := 1, 1
	for rest := text; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			p.AddAt(Pos{File: name, Line: line, Column: column}, 0, "a scenario is UTF-8 text",
				"the file is binary: byte 0x%02x at offset %d", rest[0], len(text)-len(rest))
			return false
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		rest = rest[n:]
	}
	return true
}

// A converter turns yaml.v3's tree into ours and refuses the part of YAML that isn't plain.
type converter struct {
	file     string
	problems *Problems
	nodes    int
}

func (c *converter) convert(y *yaml.Node, depth int) *Node {
	n := &Node{Pos: Pos{File: c.file, Line: max(y.Line, 1), Column: max(y.Column, 1)}, Value: y.Value, tag: y.ShortTag()}
	n.width = width(y)
	c.nodes++
	switch {
	case depth > maxDepth:
		c.problems.Add(n, "", "nested deeper than %d levels", maxDepth)
		return nullAt(n)
	case c.nodes > maxNodes:
		if c.nodes == maxNodes+1 {
			c.problems.Add(n, "", "more than %d values in one file", maxNodes)
		}
		return nullAt(n)
	case y.Kind == yaml.AliasNode:
		c.problems.Add(n, "write the value out, or build on another file with base", "YAML aliases aren't read here: *%s", y.Value)
		return nullAt(n)
	case y.Anchor != "":
		c.problems.Add(n, "write the value out, or build on another file with base", "YAML anchors aren't read here: &%s", y.Anchor)
	case y.Style&yaml.TaggedStyle != 0:
		c.problems.Add(n, "leave the tag out", "YAML tags aren't read here: %s", y.Tag)
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.Kind = Mapping
		c.entries(n, y, depth)
	case yaml.SequenceNode:
		n.Kind = List
		for _, item := range y.Content {
			n.Items = append(n.Items, c.convert(item, depth+1))
		}
	default:
		n.Kind = Scalar
	}
	return n
}

func (c *converter) entries(n *Node, y *yaml.Node, depth int) {
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := c.convert(y.Content[i], depth+1)
		if key.Kind != Scalar {
			c.problems.Add(key, "", "a key must be a word, not %s", key.describe())
			continue
		}
		if key.tag == "!!merge" {
			c.problems.Add(key, "build on another file with base", "YAML merge keys aren't read here")
			continue
		}
		value := c.convert(y.Content[i+1], depth+1)
		if first, ok := n.entry(key.Value); ok {
			c.problems.Add(key, "", "key %q is there twice; the first is in line %d", key.Value, first.Key.Line)
			continue
		}
		n.Entries = append(n.Entries, Entry{Key: key, Value: value})
	}
}

func nullAt(n *Node) *Node {
	return &Node{Pos: n.Pos, Kind: Scalar, tag: tagNull, width: n.width}
}

// width is how many characters of its line a scalar takes; others are marked by their first character.
func width(y *yaml.Node) int {
	if y.Kind != yaml.ScalarNode || strings.Contains(y.Value, "\n") {
		return 1
	}
	w := utf8.RuneCountInString(y.Value)
	if y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		w += 2
	}
	return max(w, 1)
}
