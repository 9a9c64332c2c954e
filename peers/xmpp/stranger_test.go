package xmpp_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
)

// What a stranger may not do gets the stream error that RFC 6120 has for it, and is refused in the evidence.
func TestStranger(t *testing.T) {
	const from, to = "fabrikam.com", "contoso.com"
	header := streamHeader(from, to, "")
	for name, tt := range map[string]struct{ product, says, want string }{
		"no XML":                       {"google-talk", "GET / HTTP/1.1\r\n\r\n", "bad-format"},
		"binary":                       {"google-talk", "\x16\x03\x01\x02\x00\x01\x00", "bad-format"},
		"not a stream":                 {"google-talk", "<hello>", "invalid-namespace"},
		"a client":                     {"google-talk", strings.Replace(header, "jabber:server'", "jabber:client'", 1), "invalid-namespace"},
		"another namespace":            {"google-talk", strings.Replace(header, "etherx", "ether", 1), "invalid-namespace"},
		"version 2":                    {"google-talk", strings.Replace(header, "version='1.0'>", "version='2.0'>", 1), "unsupported-version"},
		"an unclosed attribute":        {"google-talk", "<stream:stream to='a<b", "not-well-formed"},
		"a stream that is over":        {"google-talk", "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>", "not-well-formed"},
		"an undeclared entity":         {"google-talk", strings.Replace(header, "to='contoso.com'", "to='&lol;'", 1), "not-well-formed"},
		"a document type":              {"google-talk", "<!DOCTYPE lolz [<!ENTITY lol 'lol'>]>", "restricted-xml"},
		"an entity bomb":               {"google-talk", header + "<!DOCTYPE lolz [<!ENTITY a 'lol'>" + strings.Repeat("<!ENTITY b '&a;&a;&a;'>", 100) + "]><message>&b;</message>", "restricted-xml"},
		"an entity in a stanza":        {"google-talk", header + "<db:result from='fabrikam.com' to='contoso.com'>&lol9;</db:result>", "not-well-formed"},
		"pipelining after STARTTLS":    {"xmpp-strict", header + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message from='a@fabrikam.com' to='b@contoso.com'/>", "policy-violation"},
		"half a stanza after STARTTLS": {"xmpp-strict", header + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><mess", "policy-violation"},
		"EXTERNAL without TLS":         {"xmpp-strict", header + strings.Repeat("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>ZmFicmlrYW0uY29t</auth>", 3), "policy-violation"},
		"a comment":                    {"google-talk", header + "<!-- -->", "restricted-xml"},
		"a processing instruction":     {"google-talk", header + "<?php ?>", "restricted-xml"},
		"Latin-1":                      {"google-talk", "<?xml version='1.0' encoding='iso-8859-1'?>" + strings.TrimPrefix(header, "<?xml version='1.0'?>"), "not-well-formed"},
		"a header without end":         {"google-talk", "<stream:stream a='" + strings.Repeat("a", 65<<10), "policy-violation"},
		"a stanza without end":         {"google-talk", header + "<message>" + strings.Repeat("a", 65<<10), "policy-violation"},
		"deep nesting":                 {"google-talk", header + strings.Repeat("<a>", 40), "policy-violation"},
		"mismatched tags":              {"google-talk", header + "<db:result from='fabrikam.com' to='contoso.com'>key</db:verify>", "not-well-formed"},
		"no such host":                 {"google-talk", streamHeader(from, "northwind.example", ""), "host-unknown"},
		"no to":                        {"google-talk", strings.Replace(header, "to='contoso.com'", "", 1), "host-unknown"},
		"no address":                   {"google-talk", streamHeader("a@b@c", to, ""), "improper-addressing"},
		"a stanza first":               {"google-talk", header + "<message from='a@fabrikam.com' to='b@contoso.com'/>", "not-authorized"},
		"text between":                 {"google-talk", header + "hello", "bad-format"},
		"dialback without TLS":         {"xmpp-strict-dialback", header + "<db:result from='fabrikam.com' to='contoso.com'>key</db:result>", "policy-violation"},
		"dialback without from":        {"google-talk", header + "<db:result to='contoso.com'>key</db:result>", "improper-addressing"},
		"an answer never asked for":    {"google-talk", header + "<db:result from='fabrikam.com' to='contoso.com' type='valid'/>", "unsupported-stanza-type"},
		"STARTTLS that isn't there":    {"google-talk", header + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "failure"},
		"more behind STARTTLS":         {"xmpp-strict", header + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message/>", "policy-violation"},
		"a header behind STARTTLS":     {"xmpp-strict", header + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + header, "policy-violation"},
		"EXTERNAL three times in vain": {"google-talk", header + strings.Repeat("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", 3), "policy-violation"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			contoso := w.server("edge", to, tt.product, w.ca.issue(to, serverAuth, clientAuth))
			w.listen(contoso)
			c := w.dial(t, contoso)
			c.send("%s", tt.says)
			got, acceptor := c.rest()
			if !strings.Contains(got, "<"+tt.want+" ") || !strings.HasSuffix(got, "</stream:stream>") {
				t.Errorf("answered %q, want %s and the end of the stream", got, tt.want)
			}
			if r := acceptor.all(verdict.KindRefused); len(r) == 0 || r[0].Code == "" {
				t.Errorf("refused %+v, want a refusal with a code", r)
			}
			acceptor.none(t, verdict.KindAuthenticated, verdict.KindHarness, verdict.KindTimeout, verdict.KindConnectionLost)
			for _, e := range acceptor {
				if len(e.Raw) > 2100 || strings.Contains(e.Text, "\n") {
					t.Errorf("evidence of %d bytes, text %q", len(e.Raw), e.Text)
				}
			}
		})
	}
}

// EXTERNAL that isn't offered is refused without ending the stream.
func TestSASLNotOffered(t *testing.T) {
	w := newWorld(t)
	contoso := w.server("edge", "contoso.com", "google-talk", nil)
	w.listen(contoso)
	c := w.dial(t, contoso)
	c.open("fabrikam.com", "contoso.com")
	c.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>%s</auth>", base64.StdEncoding.EncodeToString([]byte("fabrikam.com")))
	c.expect("<encryption-required/>")
	c.send("</stream:stream>")
	c.expect("</stream:stream>")
	_, acceptor := c.rest()
	acceptor.one(t, verdict.KindRefused)
	acceptor.one(t, verdict.KindClosed)
}

// A stanza counts between the two authenticated domains only.
func TestStanzaOfAnotherDomain(t *testing.T) {
	for name, stanza := range map[string]string{
		"from another domain": "<message from='a@northwind.example' to='b@contoso.com'><body/></message>",
		"to another domain":   "<message from='a@fabrikam.com' to='b@northwind.example'><body/></message>",
		"from nobody":         "<message to='b@contoso.com'><body/></message>",
		"not a stanza":        "<hello xmlns='urn:example'/>",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			contoso := w.server("edge", "contoso.com", "google-talk", nil)
			fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
			w.listen(contoso)
			w.authority(t, fabrikam)
			c := w.dial(t, contoso)
			c.open("fabrikam.com", "contoso.com")
			c.send("<db:result from='fabrikam.com' to='contoso.com'>key</db:result>")
			c.expect("type='valid'")
			c.send("%s", stanza)
			got, acceptor := c.rest()
			if !strings.Contains(got, "urn:ietf:params:xml:ns:xmpp-streams") {
				t.Errorf("answered %q, want a stream error", got)
			}
			acceptor.one(t, verdict.KindAuthenticated)
			acceptor.one(t, verdict.KindRefused)
			acceptor.none(t, verdict.KindExchanged)
		})
	}
}

// authority answers in s's place that every key is valid.
func (w *world) authority(t *testing.T, s *server) {
	w.script(t, s, func(c *client) {
		c.expect("<stream:stream")
		c.send("%s%s", streamHeader(s.domain, "contoso.com", "verify-1"), plainFeatures)
		question := c.expect("</db:verify>")
		c.send("%s", fmt.Sprintf("<db:verify from='%s' to='contoso.com' id='%s' type='valid'/>", s.domain, attribute(question, "id")))
		c.drain()
	})
}
