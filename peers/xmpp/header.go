package xmpp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	xmpplib "mellium.im/xmpp"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"
)

// A header is what one side says when it opens a stream (RFC 6120 §4.7).
type header struct {
	to, from, id string
	dialback     bool // declares the namespace of XEP-0220, by which servers without features announce it
}

func (h header) String() string {
	var b strings.Builder
	b.WriteString(xml.Header[:len(xml.Header)-1])
	b.WriteString(`<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'`)
	if h.dialback {
		b.WriteString(` xmlns:db='jabber:server:dialback'`)
	}
	for _, a := range []struct{ name, value string }{{"to", h.to}, {"from", h.from}, {"id", h.id}} {
		if a.value != "" {
			fmt.Fprintf(&b, " %s='%s'", a.name, escape(a.value))
		}
	}
	b.WriteString(` version='1.0' xml:lang='en'>`)
	return b.String()
}

// readHeader reads the other side's header through the session, whose decoder needs to have seen it, and fills in.
// Errors that the other side is to blame for are of type stream.Error.
func readHeader(s *xmpplib.Session, in *stream.Info) error {
	r := s.TokenReader()
	defer func() { _ = r.Close() }()
	for {
		tok, err := r.Token()
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) || err != nil && strings.HasPrefix(err.Error(), "xml:") {
			return streamError(stream.NotWellFormed, err.Error())
		}
		if err != nil {
			return err
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		in.Version, in.ID, in.XMLNS = stream.Version{}, "", ""
		if err := in.FromStartElement(start); err != nil {
			return err
		}
		switch {
		case start.Name != xml.Name{Space: stream.NS, Local: "stream"}:
			return streamError(stream.InvalidNamespace, "the stream isn't http://etherx.jabber.org/streams")
		case in.XMLNS != stanza.NSServer:
			return streamError(stream.InvalidNamespace, "the content namespace isn't jabber:server")
		case in.Version.Major > 1:
			return streamError(stream.UnsupportedVersion, "")
		}
		return nil
	}
}

// declaresDialback reports whether a raw header declares the namespace of XEP-0220.
func declaresDialback(raw []byte) bool { return bytes.Contains(raw, []byte(nsDialback)) }
