package xmpp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mellium.im/xmpp/stream"
)

// Namespaces (RFC 6120 appendix A, XEP-0220, XEP-0288).
const (
	nsTLS             = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL            = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsDialback        = "jabber:server:dialback"
	nsDialbackFeature = "urn:xmpp:features:dialback"
	nsBidi            = "urn:xmpp:bidi"
	nsBidiFeature     = "urn:xmpp:features:bidi"
)

// maxRaw bounds what a piece leaves in the evidence.
const maxRaw = 2 << 10

// bounded returns raw as text of at most maxRaw bytes.
func bounded(raw []byte) string {
	s := string(raw)
	if len(s) > maxRaw {
		cut := maxRaw
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// summary names a piece by its tag as it stands in the stream, prefix and all, which is how people speak of it.
func summary(raw []byte) string {
	s := bytes.TrimSpace(raw)
	if bytes.HasPrefix(s, []byte("<?")) {
		if _, rest, ok := bytes.Cut(s, []byte("?>")); ok {
			s = bytes.TrimSpace(rest)
		}
	}
	end := bytes.IndexAny(s, " \t\r\n>")
	if end < 0 {
		end = len(s)
	}
	name := strings.TrimSuffix(strings.ToValidUTF8(string(s[:end]), "\uFFFD"), "/")
	if len(name) > 64 {
		name = name[:64]
	}
	return name + ">"
}

// An element is a first-level element whose namespaces are resolved.
type element struct {
	start xml.StartElement
	dec   *xml.Decoder
}

// parse resolves an element's namespaces in the stream that header has opened.
func parse(header, raw []byte) (element, error) {
	// A bytes.Reader is read as it is; around others encoding/xml puts a buffer of 4 KiB.
	d := xml.NewDecoder(bytes.NewReader(slices.Concat(header, raw)))
	opened := false
	for {
		tok, err := d.Token()
		if err != nil {
			return element{}, notWellFormed(err)
		}
		start, ok := tok.(xml.StartElement)
		switch {
		case !ok:
		case !opened:
			opened = true
		default:
			return element{start.Copy(), d}, nil
		}
	}
}

// is reports whether the element has the given namespace and local name.
func (e element) is(space, local string) bool {
	return e.start.Name == xml.Name{Space: space, Local: local}
}

// decode fills v by the rules of encoding/xml.
func (e element) decode(v any) error {
	if err := e.dec.DecodeElement(v, &e.start); err != nil {
		return notWellFormed(err)
	}
	return nil
}

func notWellFormed(err error) error {
	var se stream.Error
	if errors.As(err, &se) {
		return se
	}
	return streamError(stream.NotWellFormed, err.Error())
}

// A condition is what a stream error or a SASL failure says.
type condition struct{ name, text string }

func (c condition) String() string {
	if c.text == "" {
		return c.name
	}
	return fmt.Sprintf("%s (%s)", c.name, strings.Join(strings.Fields(c.text), " "))
}

// condition reads <stream:error/> and SASL's <failure/>: the first child names the condition, <text/> explains.
func (e element) condition() (condition, error) {
	var v struct {
		Children []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := e.decode(&v); err != nil {
		return condition{}, err
	}
	c := condition{name: "no condition"}
	named := false
	for _, child := range v.Children {
		switch {
		case child.XMLName.Local == "text":
			c.text = child.Text
		case !named:
			c.name, named = child.XMLName.Local, true
		}
	}
	return c, nil
}

// features are what a stream offers.
type features struct {
	StartTLS *struct {
		Required *struct{} `xml:"urn:ietf:params:xml:ns:xmpp-tls required"`
	} `xml:"urn:ietf:params:xml:ns:xmpp-tls starttls"`
	Mechanisms []string  `xml:"urn:ietf:params:xml:ns:xmpp-sasl mechanisms>mechanism"`
	Dialback   *struct{} `xml:"urn:xmpp:features:dialback dialback"`
	Bidi       *struct{} `xml:"urn:xmpp:features:bidi bidi"`
}

// escape returns s as it may stand in an attribute or between tags.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
