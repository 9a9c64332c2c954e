package xmpp_test

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/capture"
)

// tshark, without any setting, reads captures of XMPP under TLS 1.3: the certificates of both sides, and the stanzas.
func TestTsharkReadsTLS13(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is needed in CI: apt-get install tshark")
		}
		t.Skip("tshark isn't installed: apt-get install tshark")
	}
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, tt := range []struct {
		name string
		ekus []x509.ExtKeyUsage
		ends string // how what the acceptor says ends
	}{
		{"trusted", both, "MESSAGE"},
		{"refused", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, "UNKNOWN PACKET"}, // as tshark 4.0 calls a stream error
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.net.Record()
			contoso := w.server("contoso", "contoso.com", "xmpp-strict", w.ca.issue("contoso.com", tt.ekus...)).allow(topology.Allowed{TLS: topology.Required, SASL: topology.Required})
			fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict", w.ca.issue("fabrikam.com", both...))
			w.listen(fabrikam)
			trace := capture.NewTrace(w.net.Address("contoso"))
			l := w.runIn(capture.With(t.Context(), trace), contoso, fabrikam)
			if hs := l.initiator.one(t, verdict.KindHandshake); !strings.HasPrefix(hs.Text, "TLS 1.3") {
				t.Fatal(hs.Text)
			}
			file := filepath.Join(t.TempDir(), "xmpp.pcapng")
			f, err := os.Create(file)
			check(t, err)
			_, err = trace.Write(f, tt.name, nil)
			check(t, err)
			check(t, f.Close())
			cmd := exec.CommandContext(t.Context(), tshark, "-r", file, "-T", "fields", "-e", "_ws.malformed", "-e", "tls.handshake.certificate", "-e", "xmpp", "-e", "_ws.col.Info")
			cmd.Env = append(os.Environ(), "WIRESHARK_CONFIG_DIR="+t.TempDir())
			out, err := cmd.Output()
			check(t, err)
			certificates, last := 0, ""
			for line := range strings.Lines(string(out)) {
				f := strings.Split(line, "\t")
				if f[0] != "" {
					t.Errorf("tshark objects: %s", line)
				}
				if f[1] != "" {
					certificates++
				}
				if f[2] != "" {
					last = f[3]
				}
			}
			if certificates != 2 {
				t.Errorf("%d messages with certificates are to be seen, want 2", certificates)
			}
			if !strings.HasPrefix(last, tt.ends) {
				t.Errorf("the last of XMPP that is decoded: %q, want %s", last, tt.ends)
			}
		})
	}
}
