package lab_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab"
	pcapng "github.com/edgelab/edgelab/peers/capture"
	"github.com/edgelab/edgelab/scenarios"
)

// pcapScenario has a partner of each protocol. The Edge of Lync speaks TLS 1.2; another product in its place TLS 1.3. All
// want the client EKU.
const pcapScenario = `
edge: {access: sip.contoso.com, webconf: webcon.contoso.com, internal: lsedge.contoso.net, product: %s}
sip-domains: [contoso.com]
xmpp-domains: [contoso.com]
partners:
  - {name: litware, domain: litware.com, protocol: sip, product: sip-rfc5922}
  - {name: aol, domain: aol.com, protocol: sip, product: aol-pic}
  - {name: northwind, domain: northwind.example, protocol: xmpp, product: xmpp-strict}
certificates:
  external: {eku: [%s]}
  next-hop: {eku: [server, client]}
`

// A sight is what tshark shows of a leg.
type sight struct {
	certificates int      // messages with certificates: one from each side that shows one
	version      string   // TLS as negotiated
	alert        string   // the fatal ones; empty: none
	refused      bool     // a comment says so
	said         []string // parts of the column Info, in this order
}

// tshark reads the captures without any setting: every connection decrypted, with both certificates; SIP, XMPP and TURN
// decoded; no frame malformed and nothing amiss in TCP.
func TestTsharkReadsCaptures(t *testing.T) {
	const tls12, tls13 = "0x0303", "0x0304"
	pinged := []string{"Request: OPTIONS", "200 OK (OPTIONS)", "Request: MESSAGE", "200 OK (MESSAGE)"}
	registered := slices.Concat([]string{"Request: REGISTER", "200 OK (REGISTER)"}, pinged)
	relayed := []string{"SERVICE", "200 OK (SERVICE)", "Allocate Request", "Allocate Success"}
	stream := []string{"STREAM", "FEATURES", "STARTTLS", "PROCEED", "STREAM"}
	exchanged := slices.Concat(stream, []string{"FEATURES", "AUTH", "SUCCESS", "MESSAGE", "MESSAGE"})
	failed := slices.Concat(stream, []string{"UNKNOWN PACKET"}) // as tshark 4.0 calls a stream error
	for _, tt := range []struct {
		name, product, ekus string
		legs                map[string]sight
	}{
		{"TLS 1.2, trusted", "lync-2013", "server, client", map[string]sight{
			"edge/contoso.com -> aol":         {2, tls12, "", false, pinged},
			"litware -> edge/contoso.com":     {2, tls12, "", false, pinged},
			"edge/contoso.com -> northwind":   {2, tls12, "", false, exchanged},
			"remote-user -> edge/contoso.com": {1, tls12, "", false, registered},
			"next-hop -> mras":                {2, tls12, "", false, relayed},
			"remote-user -> webconf":          {1, tls13, "", false, nil},
		}},
		{"TLS 1.2, refused", "lync-2013", "server", map[string]sight{
			"edge/contoso.com -> aol":       {2, tls12, "43", true, nil},
			"edge/contoso.com -> northwind": {2, tls12, "", true, failed},
		}},
		{"TLS 1.3, trusted", "sip-rfc5922", "server, client", map[string]sight{
			"edge/contoso.com -> litware": {2, tls13, "", false, pinged},
			"litware -> edge/contoso.com": {2, tls13, "", false, pinged},
		}},
		{"TLS 1.3, refused", "sip-rfc5922", "server", map[string]sight{
			"edge/contoso.com -> litware": {2, tls13, "43", true, nil},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := pcaps(t, fmt.Sprintf(pcapScenario, tt.product, tt.ekus))
			for id, want := range tt.legs {
				if files[id] == "" {
					t.Errorf("no leg %s among %v", id, files)
					continue
				}
				want.check(t, id, files[id])
			}
		})
	}
}

func (s sight) check(t *testing.T, id, file string) {
	t.Helper()
	certificates, version, alerts, why := 0, "", "", false
	var said []string
	for _, f := range frames(t, file) {
		// A reset is no fault: a kernel answers so to a close_notify that meets a closed socket.
		for _, name := range amiss {
			if f[name] != "" {
				t.Errorf("%s: frame %s, %s: tshark says %s", id, f["frame.number"], f["_ws.col.Info"], name)
			}
		}
		types := strings.Split(f["tls.handshake.type"], ",")
		if slices.Contains(types, "11") {
			certificates++
		}
		if slices.Contains(types, "2") { // TLS 1.3 says so in an extension of the server's (RFC 8446 §4.2.1)
			version = cmp.Or(f["tls.handshake.extensions.supported_version"], f["tls.handshake.version"])
		}
		if f["tls.alert_message.level"] == "2" {
			alerts += f["tls.alert_message.desc"]
		}
		if f["sip"]+f["xmpp"]+f["stun"] != "" {
			said = append(said, f["_ws.col.Info"])
		}
		why = why || strings.Contains(f["frame.comment"], "client-eku-missing")
	}
	if certificates != s.certificates || version != s.version || alerts != s.alert || why != s.refused {
		t.Errorf("%s: %d messages with certificates, %s, fatal alerts %q, a comment that says why it is refused: %t; want %+v", id, certificates, version, alerts, why, s)
	}
	for _, want := range s.said {
		at := slices.IndexFunc(said, func(info string) bool { return strings.Contains(info, want) })
		if at < 0 {
			t.Errorf("%s: %q isn't to be read, or not in its place, among what is left: %v", id, want, said)
			break
		}
		said = said[at+1:]
	}
}

// amiss are what tshark has of frames that can't be right.
var amiss = []string{
	"_ws.malformed", "_ws.short", "tcp.analysis.retransmission", "tcp.analysis.ack_lost_segment", "tcp.analysis.lost_segment",
	"tcp.analysis.out_of_order", "tcp.analysis.window_full", "tcp.analysis.duplicate_ack", "tcp.analysis.reused_ports",
}

// frames returns what tshark, without any setting, says of a capture's frames.
func frames(t *testing.T, file string) []map[string]string {
	t.Helper()
	names := append([]string{
		"frame.number", "_ws.col.Info", "frame.comment", "sip", "xmpp", "stun", "tls.handshake.type", "tls.handshake.version",
		"tls.handshake.extensions.supported_version", "tls.alert_message.level", "tls.alert_message.desc",
	}, amiss...)
	args := []string{"-r", file, "-T", "fields"}
	for _, n := range names {
		args = append(args, "-e", n)
	}
	cmd := exec.CommandContext(t.Context(), needs(t, "tshark", "tshark"), args...)
	cmd.Env = append(os.Environ(), "WIRESHARK_CONFIG_DIR="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark -r %s: %v", file, err)
	}
	var all []map[string]string
	for line := range strings.Lines(string(out)) {
		f := map[string]string{}
		for i, v := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			f[names[i]] = v
		}
		all = append(all, f)
	}
	return all
}

// pcaps runs a scenario with captures and returns their files by leg.
func pcaps(t *testing.T, text string) map[string]string {
	t.Helper()
	_, policies := load(t)
	s, err := scenarios.Load("pcap.yaml", []byte(text), scenarios.Options{Products: policies.Names()})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := pcapng.Open(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := lab.Run(t.Context(), []scenarios.Scenario{s}, lab.Options{Policies: policies, Captures: folder})
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, l := range res.Scenarios[0].Legs {
		if l.Capture == "" {
			t.Errorf("%s has no capture", l.ID)
		}
		files[l.ID] = l.Capture
		if l.Fault != "" {
			t.Errorf("%s: %s %s", l.ID, l.Verdict, l.Fault)
		}
	}
	return files
}
