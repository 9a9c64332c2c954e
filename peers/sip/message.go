package sip

import (
	"strings"
	"unicode"

	"github.com/emiago/sipgo/sip"
)

// maxRaw bounds what is kept of a message in the evidence, in bytes.
const maxRaw = 4 << 10

// user is the user part of every address the lab speaks for or to.
const user = "edgelab"

// startLine returns a message's first line, and of a response also the method it answers.
func startLine(msg sip.Message) string {
	switch m := msg.(type) {
	case *sip.Request:
		return printable(m.StartLine())
	case *sip.Response:
		line := m.StartLine()
		if cseq := m.CSeq(); cseq != nil {
			line += " to " + string(cseq.MethodName)
		}
		return printable(line)
	}
	return ""
}

// printable makes text from the wire fit for one line.
func printable(s string) string {
	const maxLine = 200
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return strings.ToValidUTF8(s[:min(len(s), maxLine)], "")
}

func raw(msg sip.Message) string { return bounded(msg.String()) }

func bounded(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxRaw)], "\uFFFD")
}

// senderDomain returns the domain that a request speaks for: that of From, or of P-Asserted-Identity (RFC 3325 §9.1)
// where From is withheld for privacy (RFC 3323 §4.1.1.3).
func senderDomain(req *sip.Request) string {
	if from := req.From(); from != nil {
		if h := from.Address.Host; h != "" && !strings.EqualFold(h, "anonymous.invalid") {
			return strings.ToLower(h)
		}
	}
	if h := req.GetHeader("P-Asserted-Identity"); h != nil {
		var uri sip.Uri
		var params sip.HeaderParams
		if _, err := sip.ParseAddressValue(h.Value(), &uri, &params); err == nil {
			return strings.ToLower(uri.Host)
		}
	}
	return ""
}

// address returns the lab's user in domain.
func address(domain string) sip.Uri { return sip.Uri{Scheme: "sip", User: user, Host: domain} }

// newRequest returns a request from one domain to another. What it lacks of RFC 3261 §8.1.1 is sipgo's to add.
func newRequest(method sip.RequestMethod, from, to string) *sip.Request {
	req := sip.NewRequest(method, address(to))
	f := &sip.FromHeader{Address: address(from)}
	f.Params.Add("tag", sip.GenerateTagN(16))
	req.AppendHeader(f)
	req.SetTransport("TLS")
	return req
}

// refusal describes a final response other than 2xx for the evidence.
func refusal(res *sip.Response) string {
	text := printable(startLine(res))
	if h := res.GetHeader(diagnosticsHeader); h != nil {
		text += "; ms-diagnostics: " + printable(h.Value())
	}
	return text
}
