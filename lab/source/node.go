package source

import (
	"strconv"
	"strings"
)

// A Kind is the shape of a node.
type Kind string

// The shapes.
const (
	Scalar  Kind = "scalar"
	Mapping Kind = "mapping"
	List    Kind = "list"
)

// Tags of scalars, as YAML 1.2's core schema resolves them.
const (
	tagString = "!!str"
	tagInt    = "!!int"
	tagFloat  = "!!float"
	tagBool   = "!!bool"
	tagNull   = "!!null"
	tagTime   = "!!timestamp"
)

// A Node is one value of an input.
type Node struct {
	Pos
	Kind    Kind
	Value   string  // Scalar: as written, without quotes
	Entries []Entry // Mapping, in the order of the text
	Items   []*Node // List

	tag   string
	width int
}

// An Entry is one key of a mapping with its value.
type Entry struct {
	Key   *Node
	Value *Node
}

// Get returns the value of key, or nil.
func (n *Node) Get(key string) *Node {
	if e, ok := n.entry(key); ok {
		return e.Value
	}
	return nil
}

// Key returns the node of the key itself, or nil.
func (n *Node) Key(key string) *Node {
	if e, ok := n.entry(key); ok {
		return e.Key
	}
	return nil
}

func (n *Node) entry(key string) (Entry, bool) {
	if n != nil {
		for _, e := range n.Entries {
			if e.Key.Value == key {
				return e, true
			}
		}
	}
	return Entry{}, false
}

// IsNull reports whether n is absent or written as null, ~ or nothing.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Scalar && n.tag == tagNull }

// describe says what n is, for messages about wrong types.
func (n *Node) describe() string {
	switch n.Kind {
	case Mapping:
		return "a mapping"
	case List:
		return "a list"
	}
	switch n.tag {
	case tagNull:
		return "nothing"
	case tagBool:
		return "the boolean " + n.Value
	case tagInt, tagFloat:
		return "the number " + n.Value
	case tagTime:
		return "the date " + n.Value
	}
	return strconv.Quote(n.Value)
}

// A Path names a node below a root: keys and list positions, as in partners[1].domain. A key that holds a dot or a
// bracket stands in double quotes.
type Path string

// Child returns the path of a key below p.
func (p Path) Child(key string) Path {
	if strings.ContainsAny(key, `.[]" `) {
		key = strconv.Quote(key)
	}
	if p == "" {
		return Path(key)
	}
	return p + "." + Path(key)
}

// At returns the path of the item at position i of the list p.
func (p Path) At(i int) Path { return p + Path("["+strconv.Itoa(i)+"]") }

// An Index finds nodes by path.
type Index struct {
	nodes map[Path]*Node // the value
	keys  map[Path]*Node // the key, for entries of mappings
}

// NewIndex returns the index of the tree below root.
func NewIndex(root *Node) *Index {
	x := &Index{nodes: map[Path]*Node{}, keys: map[Path]*Node{}}
	if root != nil {
		x.add("", root)
	}
	return x
}

func (x *Index) add(path Path, n *Node) {
	x.nodes[path] = n
	for _, e := range n.Entries {
		child := path.Child(e.Key.Value)
		x.keys[child] = e.Key
		x.add(child, e.Value)
	}
	for i, item := range n.Items {
		x.add(path.At(i), item)
	}
}

// Value returns the node at path, or that of the nearest ancestor that was written.
func (x *Index) Value(path Path) *Node {
	for {
		if n, ok := x.nodes[path]; ok || path == "" {
			return n
		}
		path = path.parent()
	}
}

// Has reports whether a value was written at path.
func (x *Index) Has(path Path) bool { return x.nodes[path] != nil }

// Positions returns where each path was written: the key of a mapping's entry, the item of a list.
func (x *Index) Positions() map[Path]Pos {
	all := make(map[Path]Pos, len(x.nodes))
	for path, n := range x.nodes {
		all[path] = n.Pos
	}
	for path, n := range x.keys {
		all[path] = n.Pos
	}
	return all
}

// Parent returns the path above p; that of a top-level key is "".
func (p Path) Parent() Path { return p.parent() }

func (p Path) parent() Path {
	quoted := false
	cut := 0
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '.' || c == '['):
			cut = i
		}
	}
	return p[:cut]
}
