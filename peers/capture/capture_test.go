package capture_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/peers/capture"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	clientAddr = netip.MustParseAddr("127.16.0.2")
	serverAt   = netip.MustParseAddrPort("127.16.0.1:5061")
)

// pair returns both ends of a recorded connection.
func pair(t *testing.T, trace *capture.Trace) (client, server net.Conn) {
	t.Helper()
	tap := capture.NewTap()
	plain, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	ln := tap.Listener(plain, serverAt)
	began := time.Now()
	raw, err := net.Dial("tcp4", plain.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client = tap.Dialled(capture.With(t.Context(), trace), raw, began, netip.AddrPortFrom(clientAddr, capture.PortOf(raw.LocalAddr())), serverAt)
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

// segments returns what TCP segments a trace's capture has: "> SYN", "< ACK 12", with the bytes of their payload.
func segments(t *testing.T, trace *capture.Trace) []string {
	t.Helper()
	var b bytes.Buffer
	if _, err := trace.Write(&b, "test", nil); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&b, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	next := map[string]uint32{}
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if ci.InterfaceIndex != 0 {
			continue
		}
		p := gopacket.NewPacket(data, layers.LayerTypeIPv4, gopacket.Default)
		if f := p.ErrorLayer(); f != nil {
			t.Fatal(f.Error())
		}
		tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			continue
		}
		if err := tcp.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
			t.Fatal(err)
		}
		if err, mismatches := p.VerifyChecksums(); err != nil || len(mismatches) > 0 {
			t.Errorf("checksums: %v %v", mismatches, err)
		}
		dir := ">"
		if tcp.SrcPort == layers.TCPPort(serverAt.Port()) {
			dir = "<"
		}
		var words []string
		for _, f := range []struct {
			on   bool
			name string
		}{{tcp.SYN, "SYN"}, {tcp.FIN, "FIN"}, {tcp.RST, "RST"}} {
			if f.on {
				words = append(words, f.name)
			}
		}
		if len(tcp.Payload) > 0 {
			words = append(words, string(tcp.Payload[:min(8, len(tcp.Payload))]))
		}
		// What is sent must follow what was sent, without a gap.
		if want, ok := next[dir]; ok && want != tcp.Seq {
			t.Errorf("%s %v has the sequence number %d, want %d", dir, words, tcp.Seq, want)
		}
		next[dir] = tcp.Seq + uint32(len(tcp.Payload))
		if tcp.SYN || tcp.FIN {
			next[dir]++
		}
		if len(words) > 0 {
			out = append(out, dir+" "+strings.Join(words, " "))
		}
	}
}

func say(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(from, text); err != nil {
		t.Fatal(err)
	}
	if to == nil {
		return
	}
	if _, err := io.ReadFull(to, make([]byte, len(text))); err != nil {
		t.Fatal(err)
	}
}

func halve(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// Connections end in a capture as the kernel ends them.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, c, s net.Conn)
		want []string
	}{
		{"in order", func(t *testing.T, c, s net.Conn) {
			say(t, c, s, "hello")
			say(t, s, c, "good day")
			_, _ = c.Close(), s.Close()
		}, []string{"> hello", "< good day", "> FIN", "< FIN"}},
		{"half, and answered", func(t *testing.T, c, s net.Conn) {
			halve(t, c)
			say(t, s, c, "bye")
			_, _ = s.Close(), c.Close()
		}, []string{"> FIN", "< bye", "< FIN"}},
		{"with data unread: RFC 1122 §4.2.2.13", func(t *testing.T, c, s net.Conn) {
			say(t, c, nil, "unread")
			_, _ = s.Close(), c.Close()
		}, []string{"> unread", "< RST"}},
		{"data for a closed end: RFC 9293 §3.10.7.1", func(t *testing.T, c, s net.Conn) {
			_ = c.Close()
			say(t, s, nil, "late")
			_ = s.Close()
		}, []string{"> FIN", "< late", "> RST"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trace := capture.NewTrace(clientAddr)
			c, s := pair(t, trace)
			tt.do(t, c, s)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			trace.Wait(ctx)
			if ctx.Err() != nil {
				t.Error("both ends are closed, and the trace waits")
			}
			want := append([]string{"> SYN", "< SYN"}, tt.want...)
			if got := segments(t, trace); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// What one side sends without end is kept up to a bound, and the capture says that it is cut.
func TestBound(t *testing.T) {
	trace := capture.NewTrace(clientAddr)
	c, s := pair(t, trace)
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, s)
		done <- err
	}()
	block := make([]byte, 1<<20/8)
	for range 64 {
		if _, err := c.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	sum, err := trace.Write(&b, "test", nil)
	if err != nil || !sum.Cut || b.Len() > 2<<20 {
		t.Errorf("%d bytes, %+v, %v", b.Len(), sum, err)
	}
	if got := segments(t, trace); got[len(got)-1] != "> FIN" {
		t.Errorf("the end isn't there: %q", got[len(got)-1])
	}
}

// Nobody asked: nothing is wrapped.
func TestOff(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var none *capture.Tap
	if none.Listener(ln, serverAt) != ln {
		t.Error("a nil tap wraps a listener")
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if none.Dialled(t.Context(), a, time.Now(), serverAt, serverAt) != a || capture.NewTap().Dialled(t.Context(), a, time.Now(), serverAt, serverAt) != a {
		t.Error("a connection is wrapped")
	}
	if capture.KeyLog(a) != nil || capture.Of(t.Context(), a) != t.Context() {
		t.Error("a plain connection is recorded")
	}
}

// A folder's names are safe, and stable in the order in which they are asked for; a file that can't be written is missing
// and said.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "out")
	f, err := capture.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, want string }{
		{"source-deployment", "source-deployment"},
		{"Source-Deployment", "source-deployment-2"},
		{"../../etc/passwd", "etc-passwd"},
		{".hidden", "hidden"},
		{"", "unnamed"},
		{"ü", "unnamed-2"},
		{strings.Repeat("x", 300), strings.Repeat("x", 120)},
	} {
		if got := f.Scenario(tt.name); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.name, got, tt.want)
		}
	}
	good := f.Leg("a", "A", "edge/contoso.com -> aol")
	if good.File != "a/edge-contoso.com-to-aol.pcapng" {
		t.Error(good.File)
	}
	bad := f.Leg("b", "B", "x")
	if err := os.WriteFile(filepath.Join(dir, "b"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if p := f.Write(good, capture.NewTrace(clientAddr), "", nil); p == "" {
		t.Error("not written")
	}
	if p := f.Write(bad, capture.NewTrace(clientAddr), "", nil); p != "" {
		t.Errorf("written to %s, where a file is in the way", p)
	}
	if f.Close() == nil {
		t.Error("nobody says what is missing")
	}
	index, err := os.ReadFile(filepath.Join(dir, capture.IndexName))
	if err != nil || !bytes.Contains(index, []byte(good.File)) || bytes.Contains(index, []byte(bad.File)) {
		t.Errorf("%s %v", index, err)
	}
	if _, err := capture.Open(filepath.Join(dir, capture.IndexName)); !errors.Is(err, capture.ErrNotFolder) {
		t.Error(err)
	}
}

// Whatever two ends do to each other, the capture can be read and its sequence numbers hold.
func FuzzEnds(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3})
	f.Add([]byte{0, 0, 5, 1, 4, 2, 3})
	f.Fuzz(func(t *testing.T, steps []byte) {
		trace := capture.NewTrace(clientAddr)
		c, s := pair(t, trace)
		ends := []net.Conn{c, s}
		for i, step := range steps[:min(len(steps), 20)] {
			me := ends[step&1]
			switch step >> 1 % 4 {
			case 0:
				_, _ = me.Write(bytes.Repeat([]byte{step}, i*31))
			case 1:
				_ = me.SetReadDeadline(time.Now().Add(time.Millisecond))
				_, _ = me.Read(make([]byte, 64))
			case 2:
				_ = me.(interface{ CloseWrite() error }).CloseWrite()
			case 3:
				_ = me.Close()
			}
		}
		segments(t, trace)
	})
}
