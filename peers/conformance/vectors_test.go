package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The suite is read by a program in another language, which has OpenSSL's command judge each case; it must come to what
// was measured on OpenSSL's own ends of connections, in both roles.
func TestVectorsInPython(t *testing.T) {
	for _, tool := range []string{"python3", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skipf("%v: see .ci/tools", err)
		}
	}
	v, err := MakeVectors(time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "vectors.json")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.JSON(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "python3", "testdata/limbo.py", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(out)) {
		id, answer, _ := strings.Cut(strings.TrimSpace(line), " ")
		got[id] = answer
	}
	compared, clients := 0, 0
	for _, c := range v.Cases {
		answer, ok := got[c.ID]
		if !ok {
			t.Errorf("%s wasn't judged", c.ID)
			continue
		}
		for _, r := range c.Edgelab.Results {
			if !strings.HasPrefix(r.Stack, "openssl-3.0.") || r.TLS != "1.3" {
				continue
			}
			compared++
			if c.ValidationKind == "CLIENT" {
				clients++
			}
			if strings.HasPrefix(answer, "SUCCESS") != (r.Outcome == Trusted) {
				t.Errorf("%s (%s): openssl verify says %s, %s did: %s", c.ID, c.Description, answer, r.Stack, r.Outcome)
			}
		}
	}
	if compared < 250 || clients < 100 {
		t.Errorf("%d cases compared, %d of them of clients: too few", compared, clients)
	}
}

// What a case is expected to come to follows from standards: spot checks, each with its twin.
func TestVectorsExpected(t *testing.T) {
	v, err := MakeVectors(time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range v.Cases {
		got[c.ID] = c.Expected
	}
	for id, want := range map[string]string{
		"edgelab::eku-both::server":                       "SUCCESS",
		"edgelab::eku-both::client":                       "SUCCESS",
		"edgelab::eku-server::server":                     "SUCCESS",
		"edgelab::eku-server::client":                     "FAILURE", // RFC 5280 §4.2.1.12
		"edgelab::eku-client::server":                     "FAILURE",
		"edgelab::eku-client::client":                     "SUCCESS",
		"edgelab::eku-none::client":                       "SUCCESS",
		"edgelab::expired-leaf::server":                   "FAILURE", // §6.1.3
		"edgelab::bc-pathlen-kept::server":                "SUCCESS",
		"edgelab::bc-pathlen-intermediate-broken::server": "FAILURE", // §4.2.1.9
		"edgelab::nc-permitted::server":                   "SUCCESS",
		"edgelab::nc-not-permitted::client":               "FAILURE", // §4.2.1.10
		"edgelab::ext-critical-leaf::client":              "FAILURE", // §4.2
		"edgelab::chain-two-intermediates::client":        "SUCCESS",
		"edgelab::chain-missing-intermediate::client":     "FAILURE",
		"edgelab::chain-untrusted-root::server":           "FAILURE",
	} {
		if got[id] != want {
			t.Errorf("%s: %q, want %s", id, got[id], want)
		}
	}
}
