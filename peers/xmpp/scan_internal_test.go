package xmpp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"mellium.im/xmpp/stream"
)

// pieces cuts text into pieces, feeding it size bytes at a time.
func pieces(text string, size int) ([]string, error) {
	var s scanner
	var out []string
	var part []byte
	for rest := []byte(text); len(rest) > 0; {
		if s.between() && len(part) == 0 {
			if rest = bytes.TrimLeft(rest, " \t\r\n"); len(rest) == 0 {
				break
			}
		}
		n, kind, err := s.scan(rest[:min(size, len(rest))])
		part = append(part, rest[:n]...)
		rest = rest[n:]
		if err != nil {
			return out, err
		}
		if kind != pieceNone {
			out = append(out, string(part))
			part = nil
		}
	}
	return out, nil
}

func TestScan(t *testing.T) {
	const header = "<?xml version='1.0'?><stream:stream to='a'>"
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"nothing":              {"", nil},
		"a header":             {header, []string{header}},
		"half a header":        {header[:30], nil},
		"white space":          {header + " \n <a/> \n </stream:stream>", []string{header, "<a/>", "</stream:stream>"}},
		"elements in each":     {header + "<a><b/><c>x</c></a><d/>", []string{header, "<a><b/><c>x</c></a>", "<d/>"}},
		"'>' in an attribute":  {header + `<a b='>' c="'/>"/>`, []string{header, `<a b='>' c="'/>"/>`}},
		"a slash in a name":    {header + "<a b=c/d></a>", []string{header, "<a b=c/d></a>"}},
		"CDATA":                {header + "<a><![CDATA[</a>]]]]></a>", []string{header, "<a><![CDATA[</a>]]]]></a>"}},
		"question marks":       {"<?xml a='??'??><s>", []string{"<?xml a='??'??><s>"}},
		"a proceed and more":   {header + "<starttls/>\x16\x03", []string{header, "<starttls/>"}},
		"the end of a stream ": {header + "</stream:stream>", []string{header, "</stream:stream>"}},
	} {
		for size := range 7 {
			got, err := pieces(tt.text, size+1)
			var fault stream.Error
			if err != nil && !errors.As(err, &fault) {
				t.Errorf("%s: %v", name, err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s, by %d: %q, want %q", name, size+1, got, tt.want)
			}
		}
	}
}

// However the bytes arrive, the pieces are the same, and together they are what arrived. Where encoding/xml can read
// a piece, it agrees that it is one element.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		"<?xml version='1.0'?><stream:stream xmlns:stream='a'><stream:features/> <a b='>'><![CDATA[x]]></a></stream:stream>",
		"<s><!-- --></s>", "<s><a><!DOCTYPE a></a>", "<s></s>", "<s/>", "<<", "<s><a/ b>",
	} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		whole, err := pieces(text, len(text)+1)
		parts, err2 := pieces(text, max(size, 1))
		if !slices.Equal(whole, parts) || (err == nil) != (err2 == nil) {
			t.Fatalf("at once %q, %v; in parts %q, %v", whole, err, parts, err2)
		}
		for i, p := range whole {
			if i == 0 || strings.HasPrefix(p, "</") || strings.Contains(p, "stream:") {
				continue
			}
			d := xml.NewDecoder(strings.NewReader(p))
			if _, err := d.Token(); err != nil {
				continue
			}
			if err := d.Skip(); err == nil {
				if _, err := d.Token(); !errors.Is(err, io.EOF) && err == nil {
					t.Fatalf("%q is more than one element to encoding/xml", p)
				}
			}
		}
	})
}

// No element, however made, breaks what reads it; what dialback is read from names two domains.
func FuzzElement(f *testing.F) {
	for _, s := range []string{
		"<db:result from='a.example' to='b.example'>key</db:result>",
		"<db:verify from='a' to='b' id='1' type='error'><error type='cancel'><item-not-found/></error></db:verify>",
		"<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text>no</text></stream:error>",
		"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
		"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>",
	} {
		f.Add([]byte(s))
	}
	head := []byte(header{to: "a", from: "b", id: "c", dialback: true}.String())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s := bounded(raw); len(s) > maxRaw+4*3 && len(raw) <= maxRaw {
			t.Errorf("%d bytes became %d", len(raw), len(s))
		}
		if s := summary(raw); strings.ContainsAny(s, "\n\r") || len(s) > 80 {
			t.Errorf("summary %q", s)
		}
		read := func() (element, bool) {
			e, err := parse(head, raw)
			return e, err == nil
		}
		if e, ok := read(); ok {
			if d, err := readDialback(e); err == nil {
				for _, s := range []string{d.From, d.To} {
					if j, err := domainOf(s); err != nil || j.String() != s {
						t.Errorf("%q isn't a domain in its own form: %v", s, err)
					}
				}
				_ = d.outcome()
			}
		}
		if e, ok := read(); ok {
			_, _ = e.condition()
		}
		if e, ok := read(); ok {
			var v features
			_ = e.decode(&v)
		}
	})
}
