package dns_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"github.com/edgelab/edgelab/peers/dns"
)

// impostor answers every question as reply says, until the test ends.
func impostor(t testing.TB, reply func(q *mdns.Msg) []byte) *dns.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			q := new(mdns.Msg)
			if q.Unpack(b[:n]) != nil {
				continue
			}
			if out := reply(q); out != nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	r := dns.NewResolver(netip.MustParseAddrPort(pc.LocalAddr().String()), 300*time.Millisecond)
	t.Cleanup(func() {
		_ = r.Close()
		_ = pc.Close()
		<-done
	})
	return r
}

func packed(t testing.TB, m *mdns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return b
}

// A DNS that answers wrong, late or not at all is a fault of the lab: it is neither a name that isn't there nor an address.
func TestFaultyDNS(t *testing.T) {
	address := func(q *mdns.Msg, name string) *mdns.Msg {
		m := new(mdns.Msg)
		m.SetReply(q)
		m.Answer = []mdns.RR{&mdns.A{Hdr: mdns.RR_Header{Name: name, Rrtype: mdns.TypeA, Class: mdns.ClassINET}, A: net.IPv4(127, 1, 2, 3)}}
		return m
	}
	for name, tt := range map[string]struct {
		reply    func(q *mdns.Msg) []byte
		notFound bool
	}{
		"not at all": {func(*mdns.Msg) []byte { return nil }, false},
		"late": {func(q *mdns.Msg) []byte {
			time.Sleep(600 * time.Millisecond)
			return packed(t, address(q, "sip.contoso.com."))
		}, false},
		"under another id":  {func(q *mdns.Msg) []byte { m := address(q, "sip.contoso.com."); m.Id++; return packed(t, m) }, false},
		"nonsense":          {func(q *mdns.Msg) []byte { return packed(t, address(q, "sip.contoso.com."))[:20] }, false},
		"an empty datagram": {func(*mdns.Msg) []byte { return []byte{} }, false},
		"SERVFAIL": {func(q *mdns.Msg) []byte {
			m := new(mdns.Msg)
			m.SetRcode(q, mdns.RcodeServerFailure)
			return packed(t, m)
		}, false},
		"REFUSED": {func(q *mdns.Msg) []byte { m := new(mdns.Msg); m.SetRcode(q, mdns.RcodeRefused); return packed(t, m) }, false},
		"another question": {func(q *mdns.Msg) []byte {
			m := address(q, "sip.contoso.com.")
			m.Question[0].Name = "evil.example."
			return packed(t, m)
		}, false},
		"for another name":   {func(q *mdns.Msg) []byte { return packed(t, address(q, "evil.example.")) }, true},
		"that it isn't here": {func(q *mdns.Msg) []byte { m := new(mdns.Msg); m.SetRcode(q, mdns.RcodeNameError); return packed(t, m) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := impostor(t, tt.reply).Host(context.Background(), nil, "sip.contoso.com")
			if err == nil || a != nil || errors.Is(err, dns.ErrNotFound) != tt.notFound {
				t.Errorf("got %v and %v; want no address, and not found %v", a, err, tt.notFound)
			}
		})
	}
}

// Whatever a DNS answers, the resolver returns loop-free, and an address only for the name that was asked for.
func FuzzAnswer(f *testing.F) {
	q := new(mdns.Msg)
	q.SetQuestion("sip.contoso.com.", mdns.TypeA)
	m := new(mdns.Msg)
	m.SetReply(q)
	m.Answer = []mdns.RR{&mdns.A{Hdr: mdns.RR_Header{Name: "sip.contoso.com.", Rrtype: mdns.TypeA, Class: mdns.ClassINET}, A: net.IPv4(127, 1, 2, 3)}}
	f.Add(packed(f, m))
	m.Rcode = mdns.RcodeNameError
	f.Add(packed(f, m))
	f.Add([]byte("\x00\x00\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	var says atomic.Pointer[[]byte]
	r := impostor(f, func(q *mdns.Msg) []byte { return append([]byte{byte(q.Id >> 8), byte(q.Id)}, *says.Load()...) })
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < 2 || len(in) > 4000 || len(in) > 2 && in[2]&2 != 0 { // truncated: the resolver would wait for TCP
			return
		}
		answer := slices.Clone(in[2:]) // the fuzzer keeps what it gave
		says.Store(&answer)
		got, err := r.Host(context.Background(), nil, "sip.contoso.com")
		if (err == nil) != (len(got) > 0) {
			t.Errorf("%v and %v", got, err)
		}
	})
}
