package capture

import (
	"bytes"
	"encoding/binary"
	"net"

	"github.com/gopacket/gopacket/layers"
)

// A Protocol is what is spoken on a connection, by the name of Wireshark's dissector.
type Protocol string

// The protocols that Wireshark finds by their ports alone.
const (
	SIP  Protocol = "sip"
	XMPP Protocol = "xmpp"
	STUN Protocol = "stun-udp" // a message at a time, over whatever
)

// known reports whether Wireshark dissects the protocol on a server's port (its defaults, as of 4.0).
func (p Protocol) known(port uint16) bool {
	switch p {
	case SIP:
		return port == 5060 || port == 5061
	case XMPP:
		return port == 5222
	case STUN:
		return port == 3478
	}
	return false
}

// messages returns what an event says in the protocol: its plaintext, or all of it if it isn't TLS. Of XMPP the end of the
// stream is left out, and what follows a header stands alone: Wireshark takes each message for a whole document, in which that tag
// would be malformed, and reads its first element.
func (p Protocol) messages(e event) [][]byte {
	const firstType, lastType, major = 20, 23, 3 // of a TLS record (RFC 8446 §5.1)
	text := e.text
	if len(e.data) < 2 || e.data[0] < firstType || e.data[0] > lastType || e.data[1] != major {
		text = e.data
	}
	if p != XMPP {
		return [][]byte{text}
	}
	text = bytes.TrimSuffix(text, []byte("</stream:stream>"))
	for _, child := range []string{"<stream:features", "<stream:error"} {
		if at := bytes.Index(text, []byte(child)); at > 0 {
			return [][]byte{text[:at], text[at:]}
		}
	}
	return [][]byte{text}
}

// Speaks says what is spoken on raw, inside TLS or not. Wireshark, which goes by port numbers, wouldn't know that of
// XMPP between servers (5269), of MRAS (5062), or of SIP and TURN on port 443; so such a capture has each message
// a second time, as a PDU of the protocol.
func Speaks(raw net.Conn, p Protocol) {
	if c, ok := raw.(*conn); ok {
		c.stream.mu.Lock()
		defer c.stream.mu.Unlock()
		c.stream.protocol = p
	}
}

// Sends notes the plaintext that is about to be written to raw inside TLS.
func Sends(raw net.Conn, b []byte) {
	if c, ok := raw.(*conn); ok {
		s := c.stream
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.cut && s.size+len(s.pending[c.me])+len(b) <= maxStream {
			s.pending[c.me] = append(s.pending[c.me], b...)
		}
	}
}

// Receives notes the plaintext that was read from raw inside TLS. The other end has noted it already, unless that one
// isn't the lab's.
func Receives(raw net.Conn, b []byte) {
	c, ok := raw.(*conn)
	if !ok {
		return
	}
	s := c.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attached[c.me.other()] || s.cut || s.size+len(b) > maxStream {
		return
	}
	for i := len(s.events) - 1; i >= 0; i-- {
		if e := &s.events[i]; e.from != c.me && e.kind == write {
			e.text = append(e.text, b...)
			s.size += len(b)
			return
		}
	}
}

// linkTypePDU is LINKTYPE_WIRESHARK_UPPER_PDU: a message for a dissector that tags in front of it name, along with the
// addresses. Tags and values are those of Wireshark's epan/exported_pdu.h.
const linkTypePDU = layers.LinkType(252)

const (
	tagEnd       = 0
	tagDissector = 12
	tagSource    = 20 // IPv4
	tagDest      = 21
	tagPortType  = 24
	tagSrcPort   = 25
	tagDestPort  = 26

	portTypeTCP = 2
)

func (d *drawer) messages(from side, p Protocol, all [][]byte) {
	for _, m := range all {
		if len(m) > 0 {
			d.out = append(d.out, d.message(from, p, m))
		}
	}
}

// message returns a message of one end as a PDU.
func (d *drawer) message(from side, p Protocol, text []byte) packet {
	src, dst := d.ends[from], d.ends[from.other()]
	var b []byte
	tag := func(t uint16, v []byte) {
		b = binary.BigEndian.AppendUint16(b, t)
		b = binary.BigEndian.AppendUint16(b, uint16(len(v)))
		b = append(b, v...)
	}
	number := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	name := []byte(p)
	for len(name)%4 != 0 {
		name = append(name, 0)
	}
	tag(tagDissector, name)
	tag(tagSource, src.Addr().AsSlice())
	tag(tagDest, dst.Addr().AsSlice())
	if p != XMPP { // with them Wireshark would apply the STARTTLS of this message to the real connection, and show all twice
		tag(tagPortType, number(portTypeTCP))
		tag(tagSrcPort, number(uint32(src.Port())))
		tag(tagDestPort, number(uint32(dst.Port())))
	}
	tag(tagEnd, nil)
	return packet{at: d.at, data: append(b, text...), pdu: true}
}
