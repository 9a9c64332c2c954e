package sip_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	upstream "github.com/emiago/sipgo/sip"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/sip"
	"github.com/edgelab/edgelab/peers/sip/siptest"
	"github.com/edgelab/edgelab/peers/wire"
)

func contains(e verdict.Event, text string) bool { return strings.Contains(e.Text, text) }

func TestNothingListens(t *testing.T) {
	f := newFederation(t, "lync-2013")
	r := siptest.Result{}
	rec := verdict.NewRecord(verdict.Initiator, "edge", "", f.Journal.Clock())
	r.Err = sip.Call(t.Context(), f.edge, sip.Leg{From: "contoso.com", To: "litware.com", Record: rec})
	r.Initiator = rec.Events()
	want(t, r, verdict.NoAnswer)
	if len(siptest.All(r.Initiator, verdict.KindConnectFailed)) != 1 {
		t.Error("no connect-failed in the evidence")
	}
}

// A silent partner costs the time of the phase in which it is silent, and the evidence names that phase.
func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name  string
		short func(f *federation)
		far   func(ctx context.Context, f *federation, c net.Conn)
		phase string
	}{
		{
			name: "in the handshake", phase: "TLS handshake",
			short: func(f *federation) { f.edge.Host.Timeouts.Handshake = 50 * time.Millisecond },
			far:   func(_ context.Context, _ *federation, c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		},
		{
			name: "after the handshake", phase: "OPTIONS",
			short: func(f *federation) { f.edge.Host.Timeouts.Exchange = 50 * time.Millisecond },
			far: func(ctx context.Context, f *federation, c net.Conn) {
				tc, err := wire.Server(ctx, c, wire.Config{Certificate: f.partner.Host.Certificate, Timeout: 10 * time.Second})
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, tc)
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFederation(t, "lync-2013")
			tt.short(f)
			r := f.against(tt.far)
			want(t, r, verdict.NoAnswer)
			late := siptest.All(r.Initiator, verdict.KindTimeout)
			if len(late) != 1 || !contains(late[0], tt.phase) {
				t.Errorf("time-outs: %+v, want one in the phase %q", late, tt.phase)
			}
		})
	}
}

// against calls from the Edge to a partner that is a bare function.
func (f *federation) against(far func(context.Context, *federation, net.Conn)) siptest.Result {
	f.T.Helper()
	ln, err := f.Net.Listen(f.T.Context(), "litware", sip.FederationPort)
	if err != nil {
		f.T.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		far(f.T.Context(), f, c)
	}()
	rec := verdict.NewRecord(verdict.Initiator, "edge", "", f.Journal.Clock())
	r := siptest.Result{Err: sip.Call(f.T.Context(), f.edge, sip.Leg{From: "contoso.com", To: "litware.com", Record: rec})}
	r.Initiator = rec.Events()
	_ = ln.Close()
	<-done
	return r
}

// An acceptor whose caller says nothing gives up in time, and says so.
func TestSilentCaller(t *testing.T) {
	f := newFederation(t, "lync-2013")
	f.edge.Host.Timeouts.Exchange = 50 * time.Millisecond
	srv, err := sip.Listen(t.Context(), f.edge, sip.FederationPort)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	r := f.Run("litware", func(ctx context.Context, rec *verdict.Record) error {
		tc := dialEdge(ctx, t, f, rec)
		_, err := io.Copy(io.Discard, tc)
		_ = tc.Close()
		return err
	})
	if late := siptest.All(r.Acceptor, verdict.KindTimeout); len(late) != 1 {
		t.Errorf("time-outs: %+v", late)
	}
	if j := siptest.Judgement(t, r.Acceptor); j == nil || j.Outcome != verdict.OutcomeTrusted {
		t.Errorf("judgement of the handshake: %+v", j)
	}
}

// dialEdge opens TLS to the Edge's federation port as litware's server.
func dialEdge(ctx context.Context, t *testing.T, f *federation, rec *verdict.Record) *wire.Conn {
	t.Helper()
	h := f.partner.Host
	raw, err := h.Net.Dial(ctx, h.Actor, addrOf(f, "edge"))
	if err != nil {
		t.Fatal(err)
	}
	rec.SetConn(verdict.ConnName(raw.LocalAddr(), raw.RemoteAddr()))
	tc, err := wire.Client(ctx, raw, wire.Config{Certificate: h.Certificate, ServerName: "sip.contoso.com", Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return tc
}

// What isn't SIP, or is too much of it, ends the connection and nothing else.
func TestBadInput(t *testing.T) {
	f := newFederation(t, "lync-2013")
	srv, err := sip.Listen(t.Context(), f.edge, sip.FederationPort)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	for name, sent := range map[string]string{
		"HTTP":              "GET / HTTP/1.1\r\nHost: sip.contoso.com\r\n\r\n",
		"binary":            strings.Repeat("\x00\xff\x16\x03", 64) + "\r\n\r\n",
		"endless line":      "OPTIONS sip:" + strings.Repeat("a", sip.MaxMessage+1),
		"huge body":         "OPTIONS sip:contoso.com SIP/2.0\r\nContent-Length: 99999999\r\n\r\n",
		"no length":         "OPTIONS sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\n\r\n",
		"negative length":   "OPTIONS sip:contoso.com SIP/2.0\r\nContent-Length: -1\r\n\r\n",
		"only a response":   "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\nnonsense\r\n\r\n",
		"headers without a": "OPTIONS sip:contoso.com SIP/2.0\r\n: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := f.Run("litware", func(ctx context.Context, rec *verdict.Record) error {
				tc := dialEdge(ctx, t, f, rec)
				_, _ = io.WriteString(tc, sent)
				_ = tc.CloseWrite()
				_, _ = io.Copy(io.Discard, tc)
				return tc.Close()
			})
			if len(siptest.All(r.Acceptor, verdict.KindExchanged)) != 0 {
				t.Error("nonsense counts as an exchange")
			}
		})
	}
	want(t, f.Run("litware", func(ctx context.Context, rec *verdict.Record) error {
		return sip.Call(ctx, f.partner, sip.Leg{From: "litware.com", To: "contoso.com", Record: rec})
	}), verdict.Trusted)
}

// An acceptor says what it doesn't answer.
func TestOtherRequests(t *testing.T) {
	f := newFederation(t, "lync-2013")
	srv, err := sip.Listen(t.Context(), f.edge, sip.FederationPort)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Close() }()
	for _, tt := range []struct {
		name   string
		edit   func(*upstream.Request)
		status int
	}{
		{"method", func(r *upstream.Request) { r.Method, r.CSeq().MethodName = "SUBSCRIBE", "SUBSCRIBE" }, 405},
		{"another domain's recipient", func(r *upstream.Request) { r.Recipient.Host = "elsewhere.example" }, 404},
		{"another sender", func(r *upstream.Request) { r.From().Address.Host = "elsewhere.example" }, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := f.Run("litware", func(ctx context.Context, rec *verdict.Record) error {
				s, err := sip.Dial(ctx, f.partner, sip.Leg{From: "litware.com", To: "contoso.com", Record: rec})
				if err != nil {
					return err
				}
				defer s.Close("enough")
				if _, err := s.Do(ctx, s.Request(upstream.OPTIONS)); err != nil {
					return err
				}
				req := s.Request(upstream.OPTIONS)
				req.AppendHeader(&upstream.CSeqHeader{SeqNo: 7, MethodName: upstream.OPTIONS})
				tt.edit(req)
				res, err := s.Do(ctx, req)
				if res == nil || res.StatusCode != tt.status {
					t.Errorf("answer %v, want %d", res, tt.status)
				}
				return err
			})
			want(t, r, verdict.ApplicationRefused)
			if no := siptest.All(r.Acceptor, verdict.KindRefused); len(no) != 1 || no[0].Status != tt.status {
				t.Errorf("refusals: %+v", no)
			}
		})
	}
}

// Closing a server finishes the records of connections that are still open.
func TestCloseEndsConnections(t *testing.T) {
	f := newFederation(t, "lync-2013")
	srv, err := sip.Listen(t.Context(), f.edge, sip.FederationPort)
	if err != nil {
		t.Fatal(err)
	}
	rec := verdict.NewRecord(verdict.Initiator, "litware", "", f.Journal.Clock())
	tc := dialEdge(t.Context(), t, f, rec)
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Journal.Take(t.Context(), rec.Conn()); err != nil {
		t.Error(err)
	}
	_ = tc.Close()
}

func addrOf(f *federation, actor string) netip.AddrPort {
	return netip.AddrPortFrom(f.Net.Address(actor), sip.FederationPort)
}
