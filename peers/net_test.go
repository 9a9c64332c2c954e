package peers_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/peers"
)

func newNet(t *testing.T) *peers.Net {
	t.Helper()
	n, err := peers.NewNet(netip.MustParseAddr("127.99.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAddressesAreStable(t *testing.T) {
	n := newNet(t)
	edge, litware := n.Address("edge"), n.Address("litware")
	if edge == litware || n.Address("edge") != edge || !edge.IsLoopback() {
		t.Errorf("edge %s, litware %s, edge again %s", edge, litware, n.Address("edge"))
	}
}

func TestOnlyLoopback(t *testing.T) {
	for _, a := range []string{"10.0.0.0", "192.0.2.1", "0.0.0.0", "::1"} {
		if _, err := peers.NewNet(netip.MustParseAddr(a)); err == nil {
			t.Errorf("a network at %s", a)
		}
	}
	_, err := newNet(t).Dial(context.Background(), "edge", netip.MustParseAddrPort("192.0.2.1:5061"))
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("dialled out: %v", err)
	}
}

// A port that is taken is replaced by another, which whoever dials the usual one finds.
func TestTakenPort(t *testing.T) {
	n := newNet(t)
	ctx := context.Background()
	first, err := n.Listen(ctx, "edge", 5061)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := n.Listen(ctx, "edge", 5061)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if first.Addr().String() == second.Addr().String() {
		t.Fatal("two listeners at one address")
	}
	c, err := n.Dial(ctx, "litware", netip.AddrPortFrom(n.Address("edge"), 5061))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.RemoteAddr().String() != second.Addr().String() {
		t.Errorf("dialled %s, the latest listener is at %s", c.RemoteAddr(), second.Addr())
	}
	if from := c.LocalAddr().(*net.TCPAddr).IP.String(); from != n.Address("litware").String() {
		t.Errorf("dialled from %s, litware is %s", from, n.Address("litware"))
	}
}
