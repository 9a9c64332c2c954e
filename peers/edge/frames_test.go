package edge

import (
	"strings"
	"testing"
)

// A frame is followed to its end however it is cut, and one that pion/turn would trip over ends the connection.
func TestFrames(t *testing.T) {
	stun := "\x00\x03\x00\x04\x21\x12\xa4\x42" + strings.Repeat("i", 12) + "\x00\x19\x00\x00"
	data := "\x40\x01\x00\x05hello\x00\x00\x00" // padded to four bytes over TCP, RFC 8656 section 12.5
	for _, tt := range []struct {
		name, in string
		whole    int // frames that end, read byte by byte
		bad      bool
	}{
		{"STUN", stun, 1, false},
		{"ChannelData and STUN", data + stun, 2, false},
		{"half a message", stun[:15], 0, false},
		{"a message whose length wraps around in 16 bits", "\x00\x01\xff\xec", 0, true},
		{"a message longer than is read", "\x00\x01\x10\x00", 0, true},
		{"ChannelData longer than is read", "\x40\x01\xff\xff", 0, true},
		{"neither", "GET / HTTP/1.1\r\n\r\n", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f frames
			var err error
			n := 0
			for i := 0; i < len(tt.in) && err == nil; i++ {
				var whole bool
				if whole, err = f.see([]byte{tt.in[i]}); whole {
					n++
				}
			}
			if n != tt.whole || (err != nil) != tt.bad {
				t.Errorf("%d frames and error %v, want %d and an error %v", n, err, tt.whole, tt.bad)
			}
		})
	}
}

// However a stream is cut, the same frames end in it.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x03\x00\x00\x21\x12\xa4\x42iiiiiiiiiiii"), 3)
	f.Add([]byte("\x40\x01\x00\x05hello\x00\x00\x00\x00\x01\x00\x00"), 9)
	f.Add([]byte("\x00\x01\xff\xec\x00\x00"), 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		if cut < 0 || cut > len(in) {
			cut = 0
		}
		var one, two frames
		_, err := one.see(in)
		_, first := two.see(in[:cut])
		if first == nil {
			_, first = two.see(in[cut:])
		}
		if (err == nil) != (first == nil) {
			t.Fatalf("whole: %v; cut at %d: %v", err, cut, first)
		}
		if err == nil && (one.rest != two.rest || one.have != two.have) {
			t.Errorf("whole: %+v; cut at %d: %+v", one, cut, two)
		}
		if one.rest < 0 || one.rest > maxFrame {
			t.Errorf("%d bytes to come", one.rest)
		}
	})
}
