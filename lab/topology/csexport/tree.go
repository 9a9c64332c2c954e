package csexport

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
)

// An element is one element of an XML document with its place.
type element struct {
	name     xml.Name
	attrs    []xml.Attr
	children []*element
	text     string // character data directly below, without surrounding blanks
	pos      source.Pos
	raw      []byte // text, while the element is open
}

// attr returns an attribute's value without surrounding blanks, or "".
func (e *element) attr(name string) string {
	if e != nil {
		for _, a := range e.attrs {
			if a.Name.Local == name {
				return strings.TrimSpace(a.Value)
			}
		}
	}
	return ""
}

// flag reports whether an attribute is a true boolean of XML Schema.
func (e *element) flag(name string) bool {
	v := strings.ToLower(e.attr(name))
	return v == "true" || v == "1"
}

// child returns the first child with a local name, or nil.
func (e *element) child(local string) *element {
	if e != nil {
		for _, c := range e.children {
			if c.name.Local == local {
				return c
			}
		}
	}
	return nil
}

// all returns the children with a local name.
func (e *element) all(local string) []*element {
	var found []*element
	if e != nil {
		for _, c := range e.children {
			if c.name.Local == local {
				found = append(found, c)
			}
		}
	}
	return found
}

// walk calls f for e and everything below it, in the order of the text.
func (e *element) walk(f func(*element)) {
	f(e)
	for _, c := range e.children {
		c.walk(f)
	}
}

// parse reads a document into a tree, within bounds and without a document type: an export has none, and entities are
// how XML attacks its readers. root may refuse the root element before the rest is read.
func (t *text) parse(root func(*element) error) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(t.data))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(label) {
		case "utf-16", "unicode", "us-ascii": // newText has decoded it
			return in, nil
		}
		return nil, fmt.Errorf("the encoding %q isn't read", label)
	}
	p := treeParser{t: t, root: root}
	for {
		at := int(d.InputOffset())
		token, err := d.Token()
		if errors.Is(err, io.EOF) && p.top != nil && len(p.open) == 0 {
			return p.top, nil
		}
		if err != nil {
			return nil, p.syntax(err, int(d.InputOffset()))
		}
		if err := p.take(token, at); err != nil {
			return nil, err
		}
	}
}

type treeParser struct {
	t     *text
	root  func(*element) error
	top   *element
	open  []*element
	count int
}

func (p *treeParser) take(token xml.Token, at int) error {
	switch token := token.(type) {
	case xml.Directive:
		return p.t.fault(p.t.pos(at), "an export has none; take it out if it was added on purpose",
			"a document type declaration isn't read: it can define entities that grow without bound or read other files")
	case xml.StartElement:
		return p.start(token, p.t.pos(at))
	case xml.EndElement:
		last := p.open[len(p.open)-1] // the decoder has seen to it that start and end match
		last.text, last.raw = strings.TrimSpace(string(last.raw)), nil
		p.open = p.open[:len(p.open)-1]
	case xml.CharData:
		if len(p.open) > 0 {
			last := p.open[len(p.open)-1]
			last.raw = append(last.raw, token...)
		}
	}
	return nil
}

func (p *treeParser) start(s xml.StartElement, pos source.Pos) error {
	e := &element{name: s.Name, attrs: s.Copy().Attr, pos: pos}
	p.count++
	switch {
	case p.count > maxElements:
		return p.t.fault(pos, "", "more than %d elements; this is no export of a deployment", maxElements)
	case len(p.open) >= maxDepth:
		return p.t.fault(pos, "", "elements nested deeper than %d levels; this is no export of a deployment", maxDepth)
	case len(p.open) > 0:
		last := p.open[len(p.open)-1]
		last.children = append(last.children, e)
	case p.top != nil:
		return p.t.fault(pos, "a file holds one document", "a second document begins here")
	default:
		p.top = e
		if err := p.root(e); err != nil {
			return err
		}
	}
	p.open = append(p.open, e)
	return nil
}

func (p *treeParser) syntax(err error, at int) error {
	pos := p.t.pos(at)
	message := strings.TrimPrefix(err.Error(), "xml: ")
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		message = syntax.Msg
	}
	if len(p.open) > 0 && (errors.Is(err, io.EOF) || message == "unexpected EOF") {
		last := p.open[len(p.open)-1]
		return p.t.fault(pos, "export it again, or copy the whole file",
			"the export breaks off here: <%s>, begun in line %d, isn't closed", last.name.Local, last.pos.Line)
	}
	_, encoding, foreign := strings.Cut(message, "the encoding ")
	switch {
	case errors.Is(err, io.EOF):
		return p.t.fault(pos, "", "there is no XML element in the file")
	case strings.HasPrefix(message, "invalid character entity"):
		return p.t.fault(pos, "an export uses the five entities of XML only", "%s: entities that a document defines itself aren't read", message)
	case foreign:
		return p.t.fault(pos, "save it as UTF-8", "the encoding %s", encoding)
	}
	return p.t.fault(pos, "", "this isn't well-formed XML: %s", message)
}
