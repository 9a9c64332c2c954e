package capture

import (
	"bytes"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// A Note is what one end noticed or decided, for a comment on the packet that it goes with.
type Note struct {
	At       time.Time
	Conn     string // the connection by its real addresses, "127.16.0.5:40122 > 127.16.0.1:5061"
	Acceptor bool   // which end's it is
	Text     string // one line
}

// A Summary says what is in a capture.
type Summary struct {
	Packets     int
	Connections int  // of TCP
	Cut         bool // the leg's bounds were reached, and what came later is missing
}

// Write writes the trace as pcapng (draft-ietf-opsawg-pcapng) with nanosecond times and no link layer. The TLS secrets
// come first, so that a reader has them before it needs them. about is the section's comment. Errors are w's.
func (t *Trace) Write(w io.Writer, about string, notes []Note) (Summary, error) {
	streams, grams, cut := t.all()
	sum := Summary{Connections: len(streams), Cut: cut}
	var packets []packet
	var keys bytes.Buffer
	for _, s := range streams {
		p, err := s.packets()
		if err != nil {
			return sum, err
		}
		packets = append(packets, p...)
		s.mu.Lock()
		for _, k := range s.keys {
			keys.Write(k)
		}
		sum.Cut = sum.Cut || s.cut
		s.mu.Unlock()
	}
	for i, g := range grams {
		p, err := g.packet(uint16(i + 1))
		if err != nil {
			return sum, err
		}
		packets = append(packets, p)
	}
	slices.SortStableFunc(packets, func(a, b packet) int { return a.at.Compare(b.at) })
	sum.Packets = len(packets)
	if sum.Cut {
		about += "\nThis capture is cut short: the leg sent more than is kept of one."
	}
	return sum, writeFile(w, about, keys.Bytes(), packets, comments(packets, notes))
}

func writeFile(w io.Writer, about string, keys []byte, packets []packet, comments map[int][]string) error {
	ng, err := pcapgo.NewNgWriterInterface(w, pcapgo.NgInterface{
		Name: "lab", Description: "the lab's network, at the leg's sockets", OS: runtime.GOOS,
		LinkType: layers.LinkTypeRaw, TimestampResolution: 9,
	}, pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "edgelab", OS: runtime.GOOS, Comment: about}})
	if err != nil {
		return err
	}
	if len(keys) > 0 {
		if err := ng.WriteDecryptionSecretsBlock(pcapgo.DSB_SECRETS_TYPE_TLS, keys); err != nil {
			return err
		}
	}
	pdus, err := ng.AddInterface(pcapgo.NgInterface{
		Name: "messages", Description: "what is inside, where Wireshark doesn't know the port", OS: runtime.GOOS,
		LinkType: linkTypePDU, TimestampResolution: 9,
	})
	if err != nil {
		return err
	}
	for i, p := range packets {
		ci := gopacket.CaptureInfo{Timestamp: p.at, CaptureLength: len(p.data), Length: len(p.data)}
		if p.pdu {
			ci.InterfaceIndex = pdus
		}
		if err := ng.WritePacketWithOptions(ci, p.data, pcapgo.NgPacketOptions{Comments: comments[i]}); err != nil {
			return err
		}
	}
	return ng.Flush()
}

// comments finds the packet that each note goes with: the next one with a payload that its end sent, or else the
// connection's last.
func comments(packets []packet, notes []Note) map[int][]string {
	out := map[int][]string{}
	notes = slices.Clone(notes)
	slices.SortStableFunc(notes, func(a, b Note) int { return a.At.Compare(b.At) })
	for _, n := range notes {
		from, at := client, -1
		if n.Acceptor {
			from = server
		}
		for i, p := range packets {
			if p.conn == "" || p.conn != n.Conn {
				continue
			}
			at = i
			if p.from == from && p.size > 0 && !p.at.Before(n.At) {
				break
			}
		}
		if at >= 0 {
			out[at] = append(out[at], n.Text)
		}
	}
	return out
}
