package remote_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/remote"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/policy"
	"github.com/edgelab/edgelab/scenarios"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon")) // started by an init of step-ca's database
}

func scenario(t *testing.T, name string) scenarios.Scenario {
	t.Helper()
	policies, err := policy.Load()
	check(t, err)
	s, err := scenarios.LoadCatalogue(name, scenarios.Options{Products: policies.Names()})
	check(t, err)
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stand makes each host of a scenario a station of its own with its own control channel, as in containers, and returns the
// folder through which they know each other.
func stand(t *testing.T, s scenarios.Scenario) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	setup, credentials, err := lab.Prepare(t.Context(), s, lab.SetupOptions{Seed: 1, Fixed: true})
	check(t, err)
	state := &remote.State{Setup: *setup, Control: map[string]netip.AddrPort{}}
	state.Resolver = netip.AddrPortFrom(state.Addresses[lab.HostDNS], 53)
	for _, host := range lab.Hosts(s) {
		state.Control[host] = netip.AddrPortFrom(state.Addresses[host], remote.ControlPort)
	}
	check(t, remote.Write(dir, state, credentials))
	for _, host := range lab.Hosts(s) {
		st, err := remote.Await(t.Context(), dir) // each its own, as its own process would have
		check(t, err)
		own, err := st.Credentials(dir, host)
		check(t, err)
		if want := len(lab.KeysOf(s, host)); len(own) != want {
			t.Errorf("%s has %d certificates, want its own %d", host, len(own), want)
		}
		station, err := lab.Stand(t.Context(), &st.Setup, []string{host}, own, lab.StandOptions{})
		if errors.Is(err, fs.ErrPermission) && os.Getenv("CI") != "true" {
			t.Skipf("hosts that are several processes need the real ports: %v", err)
		}
		check(t, err)
		t.Cleanup(station.Close)
		ln, err := remote.Listen(t.Context(), st.Control[host])
		check(t, err)
		control, err := st.Serve(t.Context(), dir, host, ln, station)
		check(t, err)
		t.Cleanup(func() { _ = control.Close() })
	}
	return dir
}

// verdicts are what became of each leg.
func verdicts(legs []lab.LegResult) map[string]verdict.Code {
	out := map[string]verdict.Code{}
	for _, l := range legs {
		out[l.ID] = l.Verdict
	}
	return out
}

// same compares two runs of a scenario, leg by leg.
func same(t *testing.T, got, want lab.ScenarioResult) {
	t.Helper()
	if got.Error != "" || want.Error != "" {
		t.Fatalf("not run: %q, %q", got.Error, want.Error)
	}
	have := verdicts(got.Legs)
	for leg, code := range verdicts(want.Legs) {
		if have[leg] != code {
			t.Errorf("%s: %s in processes of their own, %s in one", leg, have[leg], code)
		}
	}
	if len(got.Legs) != len(want.Legs) || len(got.Legs) == 0 {
		t.Errorf("%d legs in processes of their own, %d in one", len(got.Legs), len(want.Legs))
	}
}

// The verdicts of hosts that only know each other by their network are those of one process.
func TestVerdictsAreThoseOfOneProcess(t *testing.T) {
	for _, name := range []string{
		"source-deployment",           // every kind of leg works
		"public-im-aol-no-client-eku", // a refusal in the handshake
		"xmpp-domain-missing",         // refusals after it, in both directions
		"xmpp-dialback-fallback",      // connections that an acceptor opens
		"partner-srv-missing",         // a leg without a connection
		"edge-pool",                   // several servers behind one name
		"revoked-partner",             // CRLs
	} {
		t.Run(name, func(t *testing.T) {
			s := scenario(t, name)
			dir := stand(t, s)
			state, err := remote.Read(dir)
			check(t, err)
			ends, err := state.Ends(dir)
			check(t, err)
			defer ends.Close()
			absent, err := ends.Ready(t.Context())
			check(t, err)
			if len(absent) > 0 {
				t.Errorf("absent: %v", absent)
			}
			got, err := lab.RunAt(t.Context(), &state.Setup, ends, lab.Options{})
			check(t, err)
			want, err := lab.Run(t.Context(), []scenarios.Scenario{s}, lab.Options{Seed: 1})
			check(t, err)
			same(t, got.Scenarios[0], want.Scenarios[0])
			for _, l := range got.Scenarios[0].Legs {
				if l.Verdict == verdict.Trusted && (!saw(l, verdict.Initiator) || !saw(l, verdict.Acceptor)) {
					t.Errorf("%s is trusted, and there isn't the evidence of both ends", l.ID)
				}
				for i, e := range l.Evidence {
					if i > 0 && e.At < l.Evidence[i-1].At || e.At < 0 || e.At > l.Duration {
						t.Errorf("%s: event %d at %s isn't within the leg's %s, in order", l.ID, i, e.At, l.Duration)
					}
				}
			}
		})
	}
}

func saw(l lab.LegResult, side verdict.Side) bool {
	for _, e := range l.Evidence {
		if e.Side == side && e.Kind == verdict.KindExchanged {
			return true
		}
	}
	return false
}

// Nobody but the coordinator is served on the control channel.
func TestControlIsForTheCoordinator(t *testing.T) {
	dir := stand(t, scenario(t, "sip-federation"))
	state, err := remote.Read(dir)
	check(t, err)
	url := "https://" + state.Control["edge"].String() + "/ready"
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if res, err := stranger.Get(url); err == nil {
		check(t, res.Body.Close())
		t.Errorf("a stranger is answered %s", res.Status)
	}
	// Another host has a certificate of the same CA.
	other, err := remote.ClientAs(state, dir, "next-hop", "edge")
	check(t, err)
	defer other.CloseIdleConnections()
	if res, err := other.Get(url); err == nil {
		check(t, res.Body.Close())
		t.Errorf("the next hop is answered %s", res.Status)
	}
	coordinator, err := remote.ClientAs(state, dir, remote.Coordinator, "edge")
	check(t, err)
	defer coordinator.CloseIdleConnections()
	res, err := coordinator.Get(url)
	check(t, err)
	check(t, res.Body.Close())
	if res.StatusCode != http.StatusOK {
		t.Errorf("the coordinator is answered %s", res.Status)
	}
	for _, q := range []string{"", "{", `{"conn": 5}`, `{"other": "x"}`, `{"leg": "` + strings.Repeat("x", 1<<17) + `"}`} {
		res, err := coordinator.Post("https://"+state.Control["edge"].String()+"/initiate", "application/json", strings.NewReader(q))
		check(t, err)
		check(t, res.Body.Close())
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("%.20q is answered %s, want 400", q, res.Status)
		}
	}
}

// A host that is gone is named.
func TestHostDown(t *testing.T) {
	s := scenario(t, "sip-federation")
	setup, credentials, err := lab.Prepare(t.Context(), s, lab.SetupOptions{Fixed: true})
	check(t, err)
	state := &remote.State{Setup: *setup, Control: map[string]netip.AddrPort{"edge": netip.MustParseAddrPort("127.241.9.9:8421")}}
	dir := t.TempDir()
	check(t, remote.Write(dir, state, credentials))
	ends, err := state.Ends(dir)
	check(t, err)
	defer ends.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var down *remote.HostDown
	if _, err := ends.Ready(ctx); !errors.As(err, &down) || down.Host != "edge" {
		t.Errorf("error %v, want that the host edge is down", err)
	}
}

// Keys can be read by their owner alone, and a folder with other things in it isn't touched.
func TestState(t *testing.T) {
	s := scenario(t, "xmpp-federation")
	mine := s.Topology.Partners[0].Name
	setup, credentials, err := lab.Prepare(t.Context(), s, lab.SetupOptions{Elsewhere: map[string]netip.AddrPort{mine: netip.MustParseAddrPort("127.0.0.1:5269")}})
	check(t, err)
	state := &remote.State{Setup: *setup}
	dir := filepath.Join(t.TempDir(), "a", "state")
	for range 2 { // the second time in place of the first
		check(t, remote.Write(dir, state, credentials))
	}
	check(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		check(t, err)
		info, err := e.Info()
		check(t, err)
		text, _ := os.ReadFile(path)
		secret := strings.Contains(string(text), "PRIVATE KEY") || strings.Contains(string(text), `"key"`) && strings.Contains(path, "hosts")
		if secret && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		if strings.HasSuffix(path, "key.pem") && !strings.Contains(string(text), "A lab's") {
			t.Errorf("%s doesn't say that it is a lab's", path)
		}
		return nil
	}))
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, mine, "cert.pem"), filepath.Join(dir, mine, "key.pem")); err != nil {
		t.Error(err)
	}
	check(t, os.WriteFile(filepath.Join(dir, "notes"), nil, 0o600))
	check(t, remote.Remove(dir))
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || left[0].Name() != "notes" {
		t.Errorf("left are %v (%v), want what somebody else has put there", left, err)
	}
	if err := remote.Write(dir, state, credentials); !errors.Is(err, remote.ErrNotState) {
		t.Errorf("error %v for a folder with other things in it", err)
	}
	if _, err := remote.Read(dir); !errors.Is(err, remote.ErrNoState) {
		t.Errorf("error %v for a folder without a state", err)
	}
}

// The lab listens on loopback and in private networks only.
func TestAddresses(t *testing.T) {
	s := scenario(t, "sip-federation")
	for addr, ok := range map[string]bool{"127.0.0.9": true, "10.1.2.3": true, "192.168.7.7": true, "172.16.0.4": true, "172.32.0.4": false, "0.0.0.0": false, "8.8.8.8": false, "::1": false, "169.254.1.1": false} {
		if err := peers.CheckAddress(netip.MustParseAddr(addr)); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
	var wrong *lab.HostError
	_, _, err := lab.Prepare(t.Context(), s, lab.SetupOptions{Fixed: true, Addresses: map[string]netip.Addr{"edge": netip.MustParseAddr("8.8.8.8")}})
	if !errors.As(err, &wrong) || wrong.Host != "edge" {
		t.Errorf("error %v for a public address", err)
	}
	_, _, err = lab.Prepare(t.Context(), s, lab.SetupOptions{Fixed: true, Addresses: map[string]netip.Addr{"edge": netip.MustParseAddr("10.0.0.1")}})
	if !errors.As(err, &wrong) {
		t.Errorf("error %v for hosts without an address", err)
	}
}
