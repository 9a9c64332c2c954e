package capture

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// A packet is one IP packet of a capture.
type packet struct {
	at   time.Time
	data []byte
	conn string // the connection's real name; empty for a datagram
	from side
	size int // bytes of payload
	pdu  bool
}

// What is drawn around what was recorded: a Linux host's usual values on loopback.
const (
	ttl         = 64
	mss         = 65495 // an IPv4 packet's 65535 bytes without its two headers (RFC 9293 §3.7.1)
	windowScale = 7     // RFC 7323 §2.2
	window      = 65535
)

// A drawer turns one stream into packets.
type drawer struct {
	ends  [2]netip.AddrPort
	next  [2]uint32 // sequence number of the next byte
	id    [2]uint16 // IP identification
	name  string
	at    time.Time
	out   []packet
	fault error
}

// packets draws the stream.
func (s *stream) packets() ([]packet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &drawer{ends: [2]netip.AddrPort{s.client, s.server}, next: [2]uint32{1 << 28, 2 << 28}, name: s.name}
	d.open(s.began, s.up, s.refused)
	if s.refused {
		return d.out, d.fault
	}
	var over [2]bool // it is closed, and its kernel resets what still comes
	for i, e := range s.events {
		d.at = e.at
		switch e.kind {
		case write:
			answered := i+1 < len(s.events) && s.events[i+1].from != e.from && s.events[i+1].kind == write
			d.write(e.from, e.data, !over[e.from.other()] && !answered)
			if s.protocol != "" && !s.protocol.known(s.server.Port()) {
				d.messages(e.from, s.protocol, s.protocol.messages(e))
			}
			if over[e.from.other()] && len(e.data) > 0 {
				d.send(e.from.other(), flags{rst: true, ack: true}, nil)
				return d.out, d.fault
			}
		case halved, closed:
			d.fin(e.from)
			over[e.from] = e.kind == closed
		case reset:
			d.send(e.from, flags{rst: true, ack: true}, nil)
			return d.out, d.fault
		case gone:
			over[e.from] = true
		}
	}
	return d.out, d.fault
}

// open draws the handshake: SYN when the client began to dial, the rest when it was done.
func (d *drawer) open(began, up time.Time, refused bool) {
	d.at = began
	d.send(client, flags{syn: true}, nil)
	d.next[client]++
	d.at = up
	if refused {
		d.next[server] = 0
		d.send(server, flags{rst: true, ack: true}, nil)
		return
	}
	d.send(server, flags{syn: true, ack: true}, nil)
	d.next[server]++
	d.send(client, flags{ack: true}, nil)
}

func (d *drawer) write(from side, data []byte, acked bool) {
	for chunk := range slices.Chunk(data, mss) {
		d.send(from, flags{ack: true, psh: true}, chunk)
		d.next[from] += uint32(len(chunk))
		if acked {
			d.send(from.other(), flags{ack: true}, nil)
		}
	}
}

func (d *drawer) fin(from side) {
	d.send(from, flags{fin: true, ack: true}, nil)
	d.next[from]++
	d.send(from.other(), flags{ack: true}, nil)
}

type flags struct{ syn, ack, psh, fin, rst bool }

// send draws one segment.
func (d *drawer) send(from side, f flags, data []byte) {
	src, dst := d.ends[from], d.ends[from.other()]
	t := &layers.TCP{
		SrcPort: layers.TCPPort(src.Port()), DstPort: layers.TCPPort(dst.Port()),
		Seq: d.next[from], SYN: f.syn, ACK: f.ack, PSH: f.psh, FIN: f.fin, RST: f.rst, Window: window,
	}
	if f.ack {
		t.Ack = d.next[from.other()]
	}
	if f.rst {
		t.Window = 0
	}
	if f.syn {
		t.Options = []layers.TCPOption{
			{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{mss >> 8, mss & 0xff}},
			{OptionType: layers.TCPOptionKindNop},
			{OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{windowScale}},
		}
	}
	d.id[from]++
	raw, err := serialize(src.Addr(), dst.Addr(), layers.IPProtocolTCP, d.id[from], t, data)
	if err != nil && d.fault == nil {
		d.fault = err
	}
	d.out = append(d.out, packet{at: d.at, data: raw, conn: d.name, from: from, size: len(data)})
}

// packet draws the datagram.
func (g datagram) packet(id uint16) (packet, error) {
	u := &layers.UDP{SrcPort: layers.UDPPort(g.from.Port()), DstPort: layers.UDPPort(g.to.Port())}
	raw, err := serialize(g.from.Addr(), g.to.Addr(), layers.IPProtocolUDP, id, u, g.data)
	return packet{at: g.at, data: raw, size: len(g.data)}, err
}

// A transport is a TCP or UDP header.
type transport interface {
	gopacket.SerializableLayer
	SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
}

func serialize(src, dst netip.Addr, proto layers.IPProtocol, id uint16, t transport, data []byte) ([]byte, error) {
	ip := &layers.IPv4{
		Version: 4, TTL: ttl, Id: id, Flags: layers.IPv4DontFragment, Protocol: proto,
		SrcIP: net.IP(src.AsSlice()), DstIP: net.IP(dst.AsSlice()),
	}
	if err := t.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, t, gopacket.Payload(data))
	return b.Bytes(), err
}
