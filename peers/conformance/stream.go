package conformance

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"strings"
)

// A stream is one direction-less end of an XMPP server-to-server stream, RFC 6120, as little of it as a measurement
// needs.
type stream struct {
	conn net.Conn
	dec  *xml.Decoder
}

func newStream(conn net.Conn) *stream { return &stream{conn: conn, dec: xml.NewDecoder(conn)} }

// An element is a direct child of the stream.
type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Inner   string     `xml:",innerxml"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// streamError is what the other side closed its stream with, RFC 6120 §4.9.
type streamError struct{ condition, text string }

func (e *streamError) Error() string {
	if e.text == "" {
		return "stream error " + e.condition
	}
	return "stream error " + e.condition + ": " + e.text
}

const (
	nsStream   = "http://etherx.jabber.org/streams"
	nsTLS      = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL     = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsDialback = "jabber:server:dialback"
)

func (s *stream) write(format string, args ...any) error {
	_, err := fmt.Fprintf(s.conn, format, args...)
	return err
}

// open sends a stream header.
func (s *stream) open(from, to, extra string) error {
	return s.write(`<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='%s' xmlns:db='%s' from='%s' to='%s' version='1.0'%s>`,
		nsStream, nsDialback, from, to, extra)
}

// header reads the other side's stream header.
func (s *stream) header() (element, error) {
	s.dec = xml.NewDecoder(s.conn) // each stream is a document of its own
	for {
		t, err := s.dec.Token()
		if err != nil {
			return element{}, err
		}
		if start, ok := t.(xml.StartElement); ok {
			return element{XMLName: start.Name, Attrs: start.Attr}, nil
		}
	}
}

// next reads the next child of the stream. The end of the stream is io.EOF, an error element a *streamError.
func (s *stream) next() (element, error) {
	for {
		t, err := s.dec.Token()
		if err != nil {
			return element{}, err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return element{}, io.EOF
		case xml.StartElement:
			var e element
			if err := s.dec.DecodeElement(&e, &t); err != nil {
				return element{}, err
			}
			if e.XMLName.Space == nsStream && e.XMLName.Local == "error" {
				return element{}, parseStreamError(e.Inner)
			}
			return e, nil
		}
	}
}

// parseStreamError reads the condition and the text of an error element.
func parseStreamError(inner string) error {
	out := &streamError{condition: "undefined-condition"}
	dec := xml.NewDecoder(strings.NewReader(inner))
	for {
		t, err := dec.Token()
		if err != nil {
			return out
		}
		if start, ok := t.(xml.StartElement); ok {
			var e element
			if dec.DecodeElement(&e, &start) != nil {
				return out
			}
			if e.XMLName.Local == "text" {
				out.text = html.UnescapeString(strings.TrimSpace(e.Inner))
			} else if out.condition == "undefined-condition" {
				out.condition = e.XMLName.Local
			}
		}
	}
}

// expect reads the next child and insists on its name.
func (s *stream) expect(space, local string) (element, error) {
	e, err := s.next()
	if err == nil && (e.XMLName.Local != local || (space != "" && e.XMLName.Space != space)) {
		err = fmt.Errorf("got <%s xmlns='%s'>, want <%s>", e.XMLName.Local, e.XMLName.Space, local)
	}
	return e, err
}

func offersExternal(features element) bool {
	return strings.Contains(features.Inner, ">EXTERNAL<")
}

func (s *stream) authExternal(identity string) error {
	return s.write(`<auth xmlns='%s' mechanism='EXTERNAL'>%s</auth>`, nsSASL, base64.StdEncoding.EncodeToString([]byte(identity)))
}

// refusedStream reads what an error says: a refusal by the application, one in the handshake, which TLS 1.3 shows only
// after it, or neither. A connection that is closed after the handshake, without an alert, was closed by the application.
func refusedStream(err error, tap *alertTap) (Observation, error) {
	var se *streamError
	if errors.As(err, &se) {
		return Observation{Outcome: Rejected, Layer: "application", Detail: timeless(se.Error())}, nil
	}
	o, rerr := refusedOr(err, tap)
	if rerr == nil && o.Alert == 0 && tap.established {
		o.Layer = "application"
	}
	return o, rerr
}
