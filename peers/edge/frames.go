package edge

import (
	"encoding/binary"
	"fmt"
)

// maxFrame bounds one STUN message or ChannelData frame, in bytes. It is what pion/turn reads at a time.
const maxFrame = 1600

// frames follows the frames of a TURN connection over TCP (RFC 8656 §12.4 and §12.5, RFC 8489 §5). pion/turn computes a
// frame's size in 16 bits: a STUN message that says it is 65516 bytes long has none at all for it, and it reads the same
// nothing over and over. So a frame that is longer than a read ends the connection before pion sees it.
type frames struct {
	header [4]byte
	have   int // bytes of header
	rest   int // bytes of the current frame that are to come, once its header is there
}

// see takes what was read and reports whether a frame ended in it. After an error there is no way back into the stream.
func (f *frames) see(b []byte) (whole bool, err error) {
	for len(b) > 0 {
		if f.rest > 0 {
			n := min(f.rest, len(b))
			f.rest -= n
			b = b[n:]
			if f.rest == 0 {
				f.have, whole = 0, true
			}
			continue
		}
		f.header[f.have] = b[0]
		f.have++
		b = b[1:]
		if f.have < len(f.header) {
			continue
		}
		size, err := frameSize(f.header)
		if err != nil {
			return whole, err
		}
		if f.rest = size - len(f.header); f.rest == 0 {
			f.have, whole = 0, true
		}
	}
	return whole, nil
}

// frameSize returns the size of the frame that begins with header, padding included.
func frameSize(header [4]byte) (int, error) {
	const stunHeader, channelHeader, pad = 20, 4, 4
	length := int(binary.BigEndian.Uint16(header[2:]))
	var size int
	switch header[0] >> 6 {
	case 0:
		size = stunHeader + length
	case 1:
		size = channelHeader + (length+pad-1)/pad*pad
	default:
		return 0, fmt.Errorf("neither STUN nor ChannelData: %x", header)
	}
	if size > maxFrame {
		return 0, fmt.Errorf("a TURN frame of %d bytes, of at most %d", size, maxFrame)
	}
	return size, nil
}
