package lab_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// needs returns where a program is. Without it the test is skipped, except in CI, where everything must be there.
func needs(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is needed in CI: apt-get install %s", program, pkg)
		}
		t.Skipf("%s isn't installed: apt-get install %s", program, pkg)
	}
	return path
}

// A capture is what tshark saw of loopback while a test ran.
type capture struct {
	cmd  *exec.Cmd
	file string
	live *bufio.Scanner
}

// startCapture starts tshark and returns when it is seen to capture.
func startCapture(ctx context.Context, t *testing.T) *capture {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("capturing needs root in CI")
		}
		t.Skip("capturing on loopback needs root")
	}
	c := &capture{file: filepath.Join(t.TempDir(), "run.pcapng")}
	c.cmd = exec.CommandContext(ctx, needs(t, "tshark", "tshark"), "-i", "lo", "-w", c.file, "-P", "-l", "-f", "net 127.0.0.0/8 and (tcp or udp port 9)")
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.live = bufio.NewScanner(out)
	c.mark(t)
	return c
}

// mark sends datagrams to the discard port until tshark prints one: everything before it is captured.
func (c *capture) mark(t *testing.T) {
	t.Helper()
	conn, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			_, _ = conn.Write([]byte("mark")) // refused by the port; what counts is that it was sent
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	from := conn.LocalAddr().(*net.UDPAddr).Port
	for c.live.Scan() {
		if strings.Contains(c.live.Text(), "UDP") && strings.Contains(c.live.Text(), strconv.Itoa(from)) {
			break
		}
	}
	close(stop)
	<-done
}

func (c *capture) stop(t *testing.T) {
	t.Helper()
	c.mark(t)
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for c.live.Scan() { // until tshark has ended its output
	}
	_ = c.cmd.Wait()
}

// What tshark reads in a capture is what the evidence says: the alerts that refuse, in the direction that they went, and
// the SIP answers and XMPP stanzas of legs that worked, decrypted with the run's key log.
func TestTsharkAgrees(t *testing.T) {
	tshark := needs(t, "tshark", "tshark")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	list, policies := load(t)
	keys, err := os.Create(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	c := startCapture(ctx, t)
	res, err := lab.Run(ctx, list, lab.Options{Policies: policies, KeyLog: keys, Select: func(s string, l topology.Leg) bool {
		return l.Partner != nil && slices.Contains([]string{"public-im-aol-no-client-eku", "xmpp-client-eku-missing", "rsa-1024", "untrusted-root"}, s)
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.stop(t)
	frames := dissect(ctx, t, tshark, c.file, keys.Name(), res)
	legs, alerts := 0, 0
	for _, s := range res.Scenarios {
		for _, l := range s.Legs {
			if !l.OK || len(l.Evidence) == 0 {
				t.Errorf("%s: %s: %s", s.Name, l.ID, l.Verdict)
				continue
			}
			legs++
			alerts += compare(t, s.Name, l, frames)
		}
	}
	if legs < 10 || alerts < 4 {
		t.Errorf("compared %d legs with %d alerts: too few to prove anything", legs, alerts)
	}
}

// A frame is what tshark says of one packet that matters here.
type frame struct {
	from, to string
	alert    string
	status   string
	method   string
	xmpp     bool
}

func dissect(ctx context.Context, t *testing.T, tshark, file, keys string, res *lab.Result) []frame {
	t.Helper()
	args := []string{"-r", file, "-o", "tls.keylog_file:" + keys, "-T", "fields", "-E", "separator=|"}
	for _, f := range []string{"ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tls.alert_message.desc", "sip.Status-Code", "sip.Method", "xmpp"} {
		args = append(args, "-e", f)
	}
	ports := map[string]bool{} // where a port wasn't free, tshark must be told what is spoken on the other
	for _, s := range res.Scenarios {
		for _, l := range s.Legs {
			_, acceptor, _ := strings.Cut(conn(l), " > ")
			port := acceptor[strings.LastIndex(acceptor, ":")+1:]
			protocol := "tls"
			if l.Kind == string(topology.XMPPFederation) {
				protocol = "xmpp"
			}
			if port != "" && !ports[port] {
				ports[port] = true
				args = append(args, "-d", fmt.Sprintf("tcp.port==%s,%s", port, protocol))
				if protocol == "tls" {
					args = append(args, "-d", fmt.Sprintf("tls.port==%s,sip", port))
				}
			}
		}
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, tshark, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, stderr.String())
	}
	var frames []frame
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if len(f) == 8 {
			frames = append(frames, frame{f[0] + ":" + f[1], f[2] + ":" + f[3], f[4], f[5], f[6], f[7] != ""})
		}
	}
	return frames
}

// conn returns the name of a leg's own connection.
func conn(l lab.LegResult) string {
	for _, e := range l.Evidence {
		if e.Side == verdict.Initiator && e.Conn != "" {
			return e.Conn
		}
	}
	return ""
}

// compare holds one leg's evidence against what was captured, and returns how many alerts it found.
func compare(t *testing.T, scenario string, l lab.LegResult, frames []frame) (alerts int) {
	t.Helper()
	initiator, acceptor, _ := strings.Cut(conn(l), " > ")
	var wantAlerts, gotAlerts, gotStatus []string
	exchanged, xmpp := 0, false
	for _, e := range l.Evidence {
		if e.Conn != conn(l) {
			continue
		}
		switch e.Kind {
		case verdict.KindAlertSent:
			from := initiator
			if e.Side == verdict.Acceptor {
				from = acceptor
			}
			wantAlerts = append(wantAlerts, fmt.Sprintf("%s %d", from, e.Alert))
		case verdict.KindExchanged:
			exchanged++
		}
	}
	for _, f := range frames {
		if (f.from != initiator || f.to != acceptor) && (f.from != acceptor || f.to != initiator) {
			continue
		}
		for a := range strings.SplitSeq(f.alert, ",") {
			if a != "" && a != "0" {
				gotAlerts = append(gotAlerts, f.from+" "+a)
			}
		}
		if f.status != "" {
			gotStatus = append(gotStatus, f.status)
		}
		xmpp = xmpp || f.xmpp
	}
	if !slices.Equal(wantAlerts, gotAlerts) {
		t.Errorf("%s: %s: the evidence has alerts %v, tshark saw %v", scenario, l.ID, wantAlerts, gotAlerts)
	}
	switch {
	case exchanged == 0:
	case l.Kind == string(topology.SIPFederation) && !slices.Equal(gotStatus, []string{"200", "200"}):
		t.Errorf("%s: %s: exchanged, and tshark read the SIP answers %v", scenario, l.ID, gotStatus)
	case l.Kind == string(topology.XMPPFederation) && !xmpp:
		t.Errorf("%s: %s: exchanged, and tshark read no XMPP", scenario, l.ID)
	}
	return len(gotAlerts)
}
