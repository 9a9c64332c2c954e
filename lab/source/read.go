package source

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mapping returns n if it is a mapping whose keys are all among keys; each other key is noted. what names the
// mapping in messages. An absent or null n is an empty mapping.
func (p *Problems) Mapping(n *Node, what string, keys ...string) *Node {
	n = p.FreeMapping(n, what)
	for _, e := range n.Entries {
		if !slices.Contains(keys, e.Key.Value) {
			p.Add(e.Key, Suggest(e.Key.Value, keys), "unknown key %q in %s", e.Key.Value, what)
		}
	}
	return n
}

// FreeMapping returns n if it is a mapping, whatever its keys, and an empty one else.
func (p *Problems) FreeMapping(n *Node, what string) *Node {
	if n.IsNull() {
		return &Node{Kind: Mapping}
	}
	if n.Kind != Mapping {
		p.Add(n, "", "%s must be a mapping (key: value), not %s", what, n.describe())
		return &Node{Kind: Mapping, Pos: n.Pos, width: n.width}
	}
	return n
}

// List returns the items of a list. An absent or null n has none.
func (p *Problems) List(n *Node, what string) []*Node {
	if n.IsNull() {
		return nil
	}
	if n.Kind != List {
		p.Add(n, fmt.Sprintf("write [%s]", n.Value), "%s must be a list, not %s", what, n.describe())
		return nil
	}
	return n.Items
}

// Text returns a string. An absent or null n is "".
func (p *Problems) Text(n *Node, what string) string {
	if n.IsNull() {
		return ""
	}
	if n.Kind != Scalar || n.tag != tagString {
		hint := ""
		if n.Kind == Scalar {
			hint = fmt.Sprintf("write it in quotes if that is meant: %q", n.Value)
		}
		p.Add(n, hint, "%s must be text, not %s", what, n.describe())
		return ""
	}
	return n.Value
}

// Literal returns any scalar as it was written, whatever YAML makes of it: for options of products and for OIDs.
func (p *Problems) Literal(n *Node, what string) string {
	if n.IsNull() {
		return ""
	}
	if n.Kind != Scalar {
		p.Add(n, "", "%s must be a single value, not %s", what, n.describe())
		return ""
	}
	return n.Value
}

// Texts returns a list of strings.
func (p *Problems) Texts(n *Node, what string) []string {
	var all []string
	for _, item := range p.List(n, what) {
		if item.IsNull() {
			p.Add(item, "", "an entry of %s is empty", what)
		}
		all = append(all, p.Text(item, "an entry of "+what))
	}
	return all
}

// Bool returns true or false, and whether either is there.
func (p *Problems) Bool(n *Node, what string) (value, ok bool) {
	if n.IsNull() {
		return false, false
	}
	if n.Kind != Scalar || n.tag != tagBool {
		hint := "write true or false"
		switch strings.ToLower(n.Value) {
		case "yes", "on":
			hint = "write true"
		case "no", "off":
			hint = "write false"
		}
		p.Add(n, hint, "%s must be true or false, not %s", what, n.describe())
		return false, false
	}
	value, err := strconv.ParseBool(strings.ToLower(n.Value))
	return value, err == nil
}

// Int returns a whole number within bounds, and whether it is there.
func (p *Problems) Int(n *Node, what string, least, most int) (int, bool) {
	if n.IsNull() {
		return 0, false
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != Scalar || n.tag != tagInt || err != nil || v < least || v > most {
		p.Add(n, "", "%s must be a whole number from %d to %d, not %s", what, least, most, n.describe())
		return 0, false
	}
	return v, true
}

// Time returns a date (midnight UTC) or a time with a zone, and whether it is there.
func (p *Problems) Time(n *Node, what string) (time.Time, bool) {
	if n.IsNull() {
		return time.Time{}, false
	}
	if n.Kind == Scalar {
		for _, layout := range []string{time.DateOnly, time.RFC3339} {
			if t, err := time.Parse(layout, n.Value); err == nil && t.Year() >= 1950 && t.Year() <= 9000 {
				return t.UTC(), true
			}
		}
	}
	p.Add(n, "", "%s must be a date such as 2026-11-24 or a time such as 2026-11-24T12:00:00Z, not %s", what, n.describe())
	return time.Time{}, false
}

// OneOf returns a string that is one of names; another one is noted with the nearest. An absent or null n is "".
func (p *Problems) OneOf(n *Node, what string, names []string) string {
	before := p.Len()
	v := p.Text(n, what)
	if n.IsNull() || p.Len() > before {
		return ""
	}
	if !slices.Contains(names, v) {
		p.Add(n, Suggest(v, names), "%q is no %s", v, what)
		return ""
	}
	return v
}
