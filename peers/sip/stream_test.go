package sip

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

const options = "OPTIONS sip:edgelab@contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS sip.litware.com;branch=z9hG4bK1\r\n" +
	"From: <sip:edgelab@litware.com>;tag=1\r\nTo: <sip:edgelab@contoso.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 5\r\n\r\nhello"

// However TCP cuts the bytes, the same messages come out, and keep-alives between them don't disturb.
func TestStream(t *testing.T) {
	in := "\r\n\r\n" + options + "\r\n\r\n" + options + options
	for _, size := range []int{1, 2, 3, 7, 64, len(in)} {
		var got []string
		pings := 0
		s := newStream(func(m sip.Message) { got = append(got, string(m.Body())) }, func() { pings++ })
		for rest := in; rest != ""; {
			n := min(size, len(rest))
			if err := s.write([]byte(rest[:n])); err != nil {
				t.Fatalf("%d bytes at a time: %v", size, err)
			}
			rest = rest[n:]
		}
		if len(got) != 3 || got[0] != "hello" || got[2] != "hello" {
			t.Errorf("%d bytes at a time: messages with bodies %q", size, got)
		}
		if size == len(in) && pings != 1 {
			t.Errorf("%d pings, want the one at the start", pings)
		}
	}
}

func TestSenderDomain(t *testing.T) {
	for _, tt := range []struct{ headers, want string }{
		{"From: <sip:kim@Contoso.com>;tag=1", "contoso.com"},
		{"From: sip:contoso.com;tag=1", "contoso.com"},
		{"From: \"A\" <sip:anonymous@anonymous.invalid>;tag=1\r\nP-Asserted-Identity: <sip:kim@contoso.com>", "contoso.com"},
		{"From: <sip:kim@contoso.com>;tag=1\r\nP-Asserted-Identity: <sip:kim@fabrikam.com>", "contoso.com"},
		{"From: <sip:anonymous@anonymous.invalid>;tag=1\r\nP-Asserted-Identity: nonsense", ""},
		{"From: <sip:anonymous@anonymous.invalid>;tag=1", ""},
		{"Subject: no From", ""},
	} {
		m, err := sip.ParseMessage([]byte("OPTIONS sip:contoso.com SIP/2.0\r\n" + tt.headers + "\r\nContent-Length: 0\r\n\r\n"))
		if err != nil {
			t.Fatalf("%s: %v", tt.headers, err)
		}
		if got := senderDomain(m.(*sip.Request)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.headers, got, tt.want)
		}
	}
}

func TestDiagnosticHeader(t *testing.T) {
	got := srvElsewhere.header("sip.contoso.com", "domain", "fabrikam.com", "fqdn1", "sip.contoso.com:5061")
	want := `1009;reason="No match for domain in DNS SRV results";domain="fabrikam.com";fqdn1="sip.contoso.com:5061";source="sip.contoso.com"`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHostOf(t *testing.T) {
	for _, tt := range []struct {
		fqdn, domain string
		want         bool
	}{
		{"sip.contoso.com", "contoso.com", true},
		{"SIP.Contoso.com", "contoso.COM", true},
		{"sip.eu.contoso.com", "contoso.com", false},
		{"sip.fabrikam.com", "contoso.com", false},
		{"contoso.com", "contoso.com", false},
		{".contoso.com", "contoso.com", false},
		{"sipcontoso.com", "contoso.com", false},
	} {
		if got := hostOf(tt.fqdn, tt.domain); got != tt.want {
			t.Errorf("%s in %s: %v", tt.fqdn, tt.domain, got)
		}
	}
}

// Whatever comes over a connection, reading it ends with messages or an error, and what is kept of it stays printable.
func FuzzStream(f *testing.F) {
	f.Add([]byte(options), 10)
	f.Add([]byte("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"), 3)
	f.Add([]byte("\r\n\r\n\r\nINVITE x SIP/2.0\r\n"), 0)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		s := newStream(func(m sip.Message) {
			if line := startLine(m); strings.ContainsAny(line, "\r\n\x00") {
				t.Errorf("start line %q", line)
			}
			if len(raw(m)) > 3*maxRaw { // a byte that isn't UTF-8 becomes three
				t.Error("too much is kept")
			}
			if req, ok := m.(*sip.Request); ok {
				_ = senderDomain(req)
				_ = sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil).String()
			}
		}, func() {})
		if cut < 0 || cut > len(in) {
			cut = 0
		}
		if s.write(in[:cut]) == nil {
			_ = s.write(in[cut:])
		}
	})
}
