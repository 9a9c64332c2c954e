package probe

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
)

// Namespaces of RFC 6120.
const (
	nsStream = "http://etherx.jabber.org/streams"
	nsTLS    = "urn:ietf:params:xml:ns:xmpp-tls"
)

// maxStream is how much a server may say before it proceeds. Features have a few hundred bytes.
const maxStream = 64 << 10

// startXMPP opens a server-to-server stream to a domain and negotiates TLS (RFC 6120 §5.4).
func startXMPP(conn net.Conn, domain string) error {
	var to escaped
	if err := xml.EscapeText(&to, []byte(domain)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='%s' to='%s' version='1.0'>", nsStream, to); err != nil {
		return err
	}
	// A server that waits for our hello after <proceed/> sends nothing that the decoder could swallow.
	d := xml.NewDecoder(io.LimitReader(conn, maxStream))
	offered, err := features(d)
	if err != nil {
		return err
	}
	if !offered {
		return errors.New("the server doesn't offer STARTTLS")
	}
	if _, err := fmt.Fprintf(conn, "<starttls xmlns='%s'/>", nsTLS); err != nil {
		return err
	}
	e, err := next(d)
	if err != nil {
		return err
	}
	if e.Name != (xml.Name{Space: nsTLS, Local: "proceed"}) {
		return fmt.Errorf("the server answers <%s/> to STARTTLS", e.Name.Local)
	}
	return nil
}

type escaped []byte

func (e *escaped) Write(p []byte) (int, error) {
	*e = append(*e, p...)
	return len(p), nil
}

// features reads the stream's head and features, and reports whether STARTTLS is among them.
func features(d *xml.Decoder) (bool, error) {
	head, err := next(d)
	if err != nil {
		return false, err
	}
	if head.Name != (xml.Name{Space: nsStream, Local: "stream"}) {
		return false, fmt.Errorf("the server answers <%s>, no stream", head.Name.Local)
	}
	list, err := next(d)
	if err != nil {
		return false, err
	}
	switch list.Name {
	case xml.Name{Space: nsStream, Local: "error"}:
		reason, err := next(d)
		if err != nil {
			return false, errors.New("the server answers with a stream error")
		}
		return false, fmt.Errorf("the server answers with the stream error %s", reason.Name.Local)
	case xml.Name{Space: nsStream, Local: "features"}:
	default:
		return false, fmt.Errorf("the server sends <%s>, no features", list.Name.Local)
	}
	var f struct {
		StartTLS *struct{} `xml:"urn:ietf:params:xml:ns:xmpp-tls starttls"`
	}
	err = d.DecodeElement(&f, &list)
	return f.StartTLS != nil, err
}

// next returns the next element that begins.
func next(d *xml.Decoder) (xml.StartElement, error) {
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return xml.StartElement{}, io.ErrUnexpectedEOF
		}
		if err != nil {
			return xml.StartElement{}, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			return e, nil
		case xml.EndElement:
			if e.Name.Local == "stream" {
				return xml.StartElement{}, errors.New("the server closed the stream")
			}
		}
	}
}
