package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/dns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, zone *dns.Zone) *dns.Resolver {
	t.Helper()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp4", udp.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := dns.Serve(zone, udp, tcp)
	if err != nil {
		t.Fatal(err)
	}
	r := dns.NewResolver(s.Addr(), 5*time.Second)
	t.Cleanup(func() {
		if err := errors.Join(r.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestLookups(t *testing.T) {
	zone := dns.NewZone()
	zone.SetA("sip.contoso.com", netip.MustParseAddr("127.16.0.1"))
	zone.SetSRV("_sipfederationtls._tcp.contoso.com", dns.Target{Host: "sip.contoso.com", Port: 5061})
	zone.SetSRV("_xmpp-server._tcp.contoso.com", dns.Target{Host: ".", Port: 0})
	r := serve(t, zone)
	ctx := context.Background()

	rec := verdict.NewRecord(verdict.Initiator, "litware", "", verdict.NewClock())
	srv, err := r.SRV(ctx, rec, dns.SIPFederation, "Contoso.com")
	if err != nil || len(srv) != 1 || srv[0] != (dns.Target{Host: "sip.contoso.com", Port: 5061}) {
		t.Errorf("SRV: %v, %v", srv, err)
	}
	a, err := r.Host(ctx, rec, "sip.contoso.com")
	if err != nil || len(a) != 1 || a[0] != netip.MustParseAddr("127.16.0.1") {
		t.Errorf("A: %v, %v", a, err)
	}
	if e := rec.Events(); len(e) != 2 || e[0].Kind != verdict.KindDNS || !strings.Contains(e[0].Text, "sip.contoso.com:5061") {
		t.Errorf("evidence: %v", e)
	}
	// RFC 2782: a target of "." says that the service is decidedly not there.
	if _, err := r.SRV(ctx, nil, dns.XMPPServer, "contoso.com"); !errors.Is(err, dns.ErrNotFound) {
		t.Errorf("SRV with target '.': %v", err)
	}
	for _, name := range []string{"fabrikam.com", "_sipfederationtls._tcp.contoso.com"} {
		if _, err := r.Host(ctx, nil, name); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("A %s: %v", name, err)
		}
	}
}

// A DNS that doesn't answer is not a name that isn't there.
func TestSilenceIsNotAbsence(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := dns.NewResolver(netip.MustParseAddrPort(silent.LocalAddr().String()), 50*time.Millisecond)
	defer r.Close()
	if _, err := r.Host(context.Background(), nil, "sip.contoso.com"); err == nil || errors.Is(err, dns.ErrNotFound) {
		t.Errorf("a silent server: %v", err)
	}
}

// An answer too long for UDP is asked for again over TCP.
func TestManyAddresses(t *testing.T) {
	zone := dns.NewZone()
	var want []netip.Addr
	for i := range 200 {
		want = append(want, netip.AddrFrom4([4]byte{127, 16, 1, byte(i)}))
	}
	zone.SetA("pool.contoso.com", want...)
	got, err := serve(t, zone).Host(context.Background(), nil, "pool.contoso.com")
	if err != nil || len(got) != len(want) {
		t.Errorf("%d addresses of %d: %v", len(got), len(want), err)
	}
}

func TestManyAskers(t *testing.T) {
	zone := dns.NewZone()
	for i := range 50 {
		zone.SetA(fmt.Sprintf("h%d.example", i), netip.AddrFrom4([4]byte{127, 16, 2, byte(i)}))
	}
	r := serve(t, zone)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for range 20 {
				a, err := r.Host(context.Background(), nil, fmt.Sprintf("h%d.example", i))
				if err != nil || a[0] != netip.AddrFrom4([4]byte{127, 16, 2, byte(i)}) {
					t.Errorf("h%d: %v, %v", i, a, err)
				}
			}
		})
	}
	wg.Wait()
}
