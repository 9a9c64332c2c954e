package policy_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// samples is how many random chains are put to each stack and to the engine.
const samples = 400

// against judges samples with the engine's product and with the real thing, and compares accepted with accepted.
func against(t *testing.T, id string, ask func(t *testing.T, p presentation, role policy.Role) (ok bool, reason string)) {
	t.Helper()
	c := load(t)
	p, ok := c.Product(id)
	if !ok {
		t.Fatalf("no product %s", id)
	}
	for seed := range uint64(samples) {
		s := sample(t, seed)
		for _, role := range []policy.Role{policy.Acceptor, policy.Initiator} {
			if id == "gnutls-3.7" && slices.ContainsFunc(s.roots, s.chain[0].Equal) {
				continue // certtool, unlike gnutls-serv and gnutls-cli, never trusts a leaf for being in the store
			}
			want, reason := ask(t, s, role)
			j := p.Judge(policy.Question{Role: role, Chain: s.chain, Roots: s.roots, Name: s.name, At: now, TLS: tls.VersionTLS13})
			if got := j.Outcome == verdict.OutcomeTrusted || beyond(j); got != want {
				t.Errorf("seed %d, %s, %q: the real %s says %t (%s), the engine %s", seed, role, s.faults, id, want, reason, j.Outcome)
				for _, f := range j.Failed() {
					t.Logf("  %s %s: %s", f.RuleID, f.Code, f.Detail)
				}
				if dir := os.Getenv("KEEP"); dir != "" {
					_ = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.chain.pem", seed)), encode(s.chain...), 0o600)
					_ = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.roots.pem", seed)), encode(s.roots...), 0o600)
				}
			}
		}
	}
}

// beyond reports whether j refuses for what verifying a chain doesn't look at: whether the key may be used in the
// handshake itself.
func beyond(j verdict.Judgement) bool {
	for _, f := range j.Failed() {
		if f.Name != "key-usage" || !strings.HasPrefix(f.RuleID, "gnutls/") {
			return false
		}
	}
	return len(j.Failed()) > 0
}

func TestGoDifferential(t *testing.T) {
	t.Parallel()
	against(t, "go", func(_ *testing.T, p presentation, role policy.Role) (bool, string) {
		o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		if role == policy.Initiator {
			o.KeyUsages, o.DNSName = serverOnly, p.name
		}
		for _, c := range p.roots {
			o.Roots.AddCert(c)
		}
		for _, c := range p.chain[1:] {
			o.Intermediates.AddCert(c)
		}
		_, err := p.chain[0].Verify(o)
		return err == nil, fmt.Sprint(err)
	})
}

// tool finds a program that the differential tests need. Where the tests run unattended it must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is needed to compare the engine with: %v", name, err)
		}
		t.Skipf("%s isn't installed, so the engine can't be compared with it", name)
	}
	return path
}

func TestOpenSSLDifferential(t *testing.T) {
	t.Parallel()
	openssl := tool(t, "openssl")
	out, err := exec.Command(openssl, "version").Output()
	if err != nil || !bytes.HasPrefix(out, []byte("OpenSSL 3.")) {
		t.Fatalf("OpenSSL 3 is needed, this is %s (%v)", out, err)
	}
	dir := t.TempDir()
	at := fmt.Sprint(now.Unix())
	against(t, "openssl-3.0", func(t *testing.T, p presentation, role policy.Role) (bool, string) {
		write(t, dir, "leaf", p.chain[:1])
		write(t, dir, "roots", p.roots)
		args := []string{"verify", "-no-CApath", "-no-CAstore", "-CAfile", filepath.Join(dir, "roots"), "-auth_level", "2", "-attime", at}
		if len(p.chain) > 1 {
			write(t, dir, "rest", p.chain[1:])
			args = append(args, "-untrusted", filepath.Join(dir, "rest"))
		}
		if role == policy.Acceptor {
			args = append(args, "-purpose", "sslclient")
		} else {
			args = append(args, "-purpose", "sslserver", "-verify_hostname", p.name)
		}
		return run(t, openssl, append(args, filepath.Join(dir, "leaf"))...)
	})
}

func TestGnuTLSDifferential(t *testing.T) {
	t.Parallel()
	certtool := tool(t, "certtool")
	dir := t.TempDir()
	against(t, "gnutls-3.7", func(t *testing.T, p presentation, role policy.Role) (bool, string) {
		write(t, dir, "chain", p.chain)
		write(t, dir, "roots", p.roots)
		args := []string{"--verify", "--verify-profile", "low", "--load-ca-certificate", filepath.Join(dir, "roots"), "--infile", filepath.Join(dir, "chain")}
		if role == policy.Acceptor {
			args = append(args, "--verify-purpose", "1.3.6.1.5.5.7.3.2")
		} else {
			args = append(args, "--verify-purpose", "1.3.6.1.5.5.7.3.1", "--verify-hostname", p.name)
		}
		return run(t, certtool, args...)
	})
}

func write(t *testing.T, dir, name string, list []*x509.Certificate) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), encode(list...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run reports whether a program ended well, and the last lines of what it said.
func run(t *testing.T, name string, args ...string) (bool, string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return err == nil, strings.Join(lines[max(0, len(lines)-4):], " / ")
}
