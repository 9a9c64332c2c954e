package dns

import (
	"context"
	"net"
	"net/netip"
	"time"

	mdns "github.com/miekg/dns"

	"github.com/edgelab/edgelab/peers/capture"
)

// recorded returns c, the socket of one question, with what goes over it recorded in the context's trace.
func (r *Resolver) recorded(ctx context.Context, c net.Conn) net.Conn {
	t, udp := capture.From(ctx), (*net.UDPConn)(nil)
	if t != nil {
		udp, _ = c.(*net.UDPConn)
	}
	if udp == nil {
		return c
	}
	return &recordedConn{UDPConn: udp, trace: t, own: netip.AddrPortFrom(t.Self(), capture.PortOf(c.LocalAddr())), server: r.shown}
}

// A recordedConn is a UDP socket towards the server whose datagrams are recorded.
type recordedConn struct {
	*net.UDPConn
	trace       *capture.Trace
	own, server netip.AddrPort
}

// Read is net.Conn.Read.
func (c *recordedConn) Read(b []byte) (int, error) {
	n, err := c.UDPConn.Read(b)
	if err == nil {
		c.trace.Datagram(time.Now(), c.server, c.own, b[:n])
	}
	return n, err
}

// Write is net.Conn.Write.
func (c *recordedConn) Write(b []byte) (int, error) {
	at := time.Now()
	n, err := c.UDPConn.Write(b)
	if err == nil {
		c.trace.Datagram(at, c.own, c.server, b)
	}
	return n, err
}

// askAtLength puts one question over TCP.
func (r *Resolver) askAtLength(ctx context.Context, q *mdns.Msg) (*mdns.Msg, error) {
	var d net.Dialer
	since := time.Now()
	raw, err := d.DialContext(ctx, "tcp4", r.server.String())
	if err != nil {
		return nil, err
	}
	if t := capture.From(ctx); t != nil {
		raw = t.Stream(raw, since, netip.AddrPortFrom(t.Self(), capture.PortOf(raw.LocalAddr())), r.shown)
	}
	defer raw.Close()
	c := mdns.Client{Net: "tcp"}
	msg, _, err := c.ExchangeWithConnContext(ctx, q, &mdns.Conn{Conn: raw})
	return msg, err
}
