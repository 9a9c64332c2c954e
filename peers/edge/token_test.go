package edge

import (
	"context"
	"encoding/xml"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	upstream "github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/sip/siptest"
)

func TestToken(t *testing.T) {
	ca := siptest.NewCA(t, "Internal Root")
	at := siptest.Now
	clock := func() time.Time { return at }
	mine, err := newSigner(ca.Issue(siptest.Leaf{CN: "lsedge.contoso.net"}), clock)
	if err != nil {
		t.Fatal(err)
	}
	other, err := newSigner(ca.Issue(siptest.Leaf{CN: "lsedge.contoso.net"}), clock)
	if err != nil {
		t.Fatal(err)
	}
	tok := mine.issue("sip:kim@contoso.com")
	if p, ok := mine.check(tok.Username); !ok || p != tok.Password {
		t.Error("its own token isn't taken")
	}
	if p, _ := other.check(tok.Username); p == tok.Password {
		t.Error("a token passes under another key")
	}
	for _, bad := range []string{"", "x", "1:", ":", "99999999999999999999:x", "-1:x", tok.Username[1:]} {
		if _, ok := mine.check(bad); ok {
			t.Errorf("user name %q is taken", bad)
		}
	}
	at = siptest.Now.Add(8*time.Hour - time.Second)
	if _, ok := mine.check(tok.Username); !ok {
		t.Error("the token has run out before its 8 hours")
	}
	at = siptest.Now.Add(8 * time.Hour)
	if _, ok := mine.check(tok.Username); ok {
		t.Error("the token is taken after its 8 hours")
	}
	if _, err := newSigner(nil, clock); err == nil {
		t.Error("a signer without a certificate")
	}
}

// A token that MRAS didn't give opens nothing.
func TestWrongTokenRefused(t *testing.T) {
	w := siptest.New(t, "127.80.0.0")
	ca := siptest.NewCA(t, "Internal Root")
	inside := w.Host("edge", "", "lync-frontend", ca)
	inside.Certificate = ca.Issue(siptest.Leaf{CN: "lsedge.contoso.net"})
	e := &Edge{cfg: Config{Internal: inside}}
	av, err := e.av(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = av.Close() }()
	good, err := newSigner(inside.Certificate, inside.Now)
	if err != nil {
		t.Fatal(err)
	}
	tok := good.issue("sip:kim@contoso.com")
	client := w.Host("client", "", "lync-frontend", ca)
	relay := netip.AddrPortFrom(w.Net.Address(AVInterface), AVPort)
	for _, tt := range []struct {
		name string
		c    credentials
		kind verdict.Kind
	}{
		{"right", credentials{Username: tok.Username, Password: tok.Password, Realm: realm}, verdict.KindRelayAllocation},
		{"wrong password", credentials{Username: tok.Username, Password: "guess", Realm: realm}, verdict.KindRefused},
		{"longer life", credentials{Username: "9" + tok.Username, Password: tok.Password, Realm: realm}, verdict.KindRefused},
		{"no token", credentials{Realm: realm}, verdict.KindRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := verdict.NewRecord(verdict.Initiator, "client", "", w.Journal.Clock())
			err := openAllocation(t.Context(), client, tt.c, relay, rec)
			if (err == nil) != (tt.kind == verdict.KindRelayAllocation) {
				t.Error(err)
			}
			if len(siptest.All(rec.Events(), tt.kind)) != 1 {
				t.Errorf("evidence %v, want %s", siptest.Kinds(rec.Events()), tt.kind)
			}
		})
	}
	// A client that stays is sent away when the Edge closes.
	c, err := w.Net.Dial(context.Background(), "client", relay)
	if err != nil {
		t.Fatal(err)
	}
	if err := av.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	_ = c.Close()
}

func TestMRASAnswers(t *testing.T) {
	ca := siptest.NewCA(t, "Internal Root")
	s, err := newSigner(ca.Issue(siptest.Leaf{CN: "lsedge.contoso.net"}), func() time.Time { return siptest.Now })
	if err != nil {
		t.Fatal(err)
	}
	m := mras{signer: s, relays: []netip.AddrPort{netip.MustParseAddrPort("127.80.0.9:443"), netip.MustParseAddrPort("127.80.0.10:443")}}
	good, err := xml.Marshal(mrasRequest{ID: "4", From: "sip:kim@contoso.com", Credentials: []credentialsRequest{{ID: "5", Identity: "sip:kim@contoso.com", Location: "internet"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, typ, body string
		status          int
	}{
		{"good", mrasType, string(good), 200},
		{"another type", "application/xml", string(good), 415},
		{"no XML", mrasType, "x", 400},
		{"no request for credentials", mrasType, `<request xmlns="http://schemas.microsoft.com/2006/09/sip/mrasp" requestID="1"/>`, 400},
		{"too much", mrasType, strings.Repeat(" ", maxMRAS) + string(good), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := upstream.NewRequest(service, upstream.Uri{Scheme: "sip", User: "mras", Host: "contoso.com"})
			req.AppendHeader(upstream.NewHeader("Content-Type", tt.typ))
			req.SetBody([]byte(tt.body))
			res := m.answer(req)
			if res.StatusCode != tt.status {
				t.Fatalf("%d %s, want %d", res.StatusCode, res.Reason, tt.status)
			}
			if tt.status != 200 {
				return
			}
			creds, relays, err := parseResponse(res.Body())
			if err != nil {
				t.Fatal(err)
			}
			if p, ok := s.check(creds.Username); !ok || p != creds.Password || creds.Duration != 480 || !slices.Equal(relays, m.relays) {
				t.Errorf("%+v at %s", creds, relays)
			}
		})
	}
}

func FuzzMRAS(f *testing.F) {
	f.Add([]byte(`<request xmlns="http://schemas.microsoft.com/2006/09/sip/mrasp" requestID="1"><credentialsRequest credentialsRequestID="1"><identity>a</identity></credentialsRequest></request>`))
	f.Add([]byte(`<response xmlns="http://schemas.microsoft.com/2006/09/sip/mrasp" reasonPhrase="OK"><credentialsResponse><mediaRelayList><mediaRelay><directIPAddress>127.0.0.1</directIPAddress><tcpPort>443</tcpPort></mediaRelay></mediaRelayList></credentialsResponse></response>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := parseRequest(body); err == nil && r.Credentials[0].Identity == "" {
			t.Error("a request without an identity passes")
		}
		if _, relays, err := parseResponse(body); err == nil && len(relays) == 0 {
			t.Error("a response without a relay passes")
		}
	})
}
