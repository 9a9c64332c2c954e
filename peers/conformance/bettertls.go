package conformance

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgelab/edgelab/peers/policy"
)

// BetterTLS is the suite of other people that the stacks and the engine are put to beside the variants of this
// package: path building and name constraints, for a client that judges a server (Apache-2.0). It is fetched and run
// as a program, so that it is no dependency of the lab.
const BetterTLS = "github.com/Netflix/bettertls/test-suites/cmd/bettertls@v0.0.0-20250909192348-e1e99e353074"

// A suiteCase is one case of BetterTLS, as its exporter writes it.
type suiteCase struct {
	ID           uint     `json:"id"`
	Suite        string   `json:"suite"`
	Certificates [][]byte `json:"certificates"`
	Hostname     string   `json:"hostname"`
	Expected     string   `json:"expected"` // ACCEPT or REJECT
	// FailureIsWarning: the suite's authors find the other answer tolerable.
	FailureIsWarning bool `json:"failureIsWarning"`

	chain []*x509.Certificate
}

// Name names the case in reports.
func (c suiteCase) Name() string { return fmt.Sprintf("%s/%d", c.Suite, c.ID) }

// exportBetterTLS has the suite write its cases and returns them with the root that they are judged by. A case that
// crypto/x509 can't read isn't returned: nobody could ask the engine about it.
func exportBetterTLS(ctx context.Context, dir string) (cases []suiteCase, root *x509.Certificate, err error) {
	out := filepath.Join(dir, "bettertls.json")
	cmd := exec.CommandContext(ctx, "go", "run", BetterTLS, "export-tests", "--out", out)
	cmd.Dir = dir
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("go run %s: %w: %s", BetterTLS, err, tail(string(msg)))
	}
	data, err := os.ReadFile(out)
	if err != nil {
		return nil, nil, err
	}
	var export struct {
		TrustRoot []byte `json:"trustRoot"`
		Suites    map[string]struct {
			TestCases []suiteCase `json:"testCases"`
		} `json:"suites"`
	}
	if err := json.Unmarshal(data, &export); err != nil {
		return nil, nil, err
	}
	if root, err = x509.ParseCertificate(export.TrustRoot); err != nil {
		return nil, nil, fmt.Errorf("the suite's root: %w", err)
	}
	for _, s := range export.Suites {
		for _, c := range s.TestCases {
			if c.parse() == nil {
				cases = append(cases, c)
			}
		}
	}
	slices.SortFunc(cases, func(a, b suiteCase) int {
		return cmp.Or(-cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.ID, b.ID))
	})
	return cases, root, nil
}

func (c *suiteCase) parse() error {
	for _, der := range c.Certificates {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		c.chain = append(c.chain, cert)
	}
	if len(c.chain) == 0 {
		return errors.New("no certificates")
	}
	return nil
}

// A suiteStack is a stack that the cases are put to: verify returns, for each case, whether it accepts.
type suiteStack struct {
	policy    string // the policy that models it
	release   string // Debian's; "": this program's own
	addresses bool   // it looks for an address where it is given one as the name
	verify    func(ctx context.Context, s *sandbox, cases []suiteCase, root *x509.Certificate, at time.Time) ([]bool, error)
}

func suiteStacks() []suiteStack {
	return []suiteStack{
		{"go", "", true, verifyGo},
		{"openssl-3.0", "bookworm", false, verifyEach(opensslCommand)},
		{"openssl-3.5", "trixie", false, verifyEach(opensslCommand)},
		{"gnutls-3.7", "bookworm", true, verifyEach(certtoolCommand)},
		{"gnutls-3.8", "trixie", true, verifyEach(certtoolCommand)},
	}
}

func verifyGo(_ context.Context, _ *sandbox, cases []suiteCase, root *x509.Certificate, at time.Time) ([]bool, error) {
	roots := x509.NewCertPool()
	roots.AddCert(root)
	accepts := make([]bool, len(cases))
	for i, c := range cases {
		rest := x509.NewCertPool()
		for _, cert := range c.chain[1:] {
			rest.AddCert(cert)
		}
		_, err := c.chain[0].Verify(x509.VerifyOptions{DNSName: c.Hostname, Roots: roots, Intermediates: rest, CurrentTime: at})
		accepts[i] = err == nil
	}
	return accepts, nil
}

// The commands that judge one case, whose files are in $d. Debian's TLS runs at OpenSSL's security level 2, which openssl
// verify must be told. To OpenSSL a name and an address are two questions, and the policy models the one about names.
const (
	opensslCommand = `openssl verify -CAfile root.pem -untrusted $d/rest.pem -purpose sslserver -auth_level 2 -verify_hostname $name $d/leaf.pem`
	// What certtool calls the host name may be an address.
	certtoolCommand = `certtool --verify --load-ca-certificate root.pem --verify-purpose 1.3.6.1.5.5.7.3.1 --verify-hostname $name --infile $d/chain.pem`
)

// verifyEach runs command for each case in the sandbox and takes status 0 for yes.
func verifyEach(command string) func(context.Context, *sandbox, []suiteCase, *x509.Certificate, time.Time) ([]bool, error) {
	const dir = "/edgelab/suite"
	script := "cd " + dir + " && for d in [0-9]*; do read -r name <$d/name; " + command + " >/dev/null 2>&1; echo case $d $?; done"
	return func(ctx context.Context, s *sandbox, cases []suiteCase, root *x509.Certificate, _ time.Time) ([]bool, error) {
		if err := writeCases(s, dir, cases, root); err != nil {
			return nil, err
		}
		out, err := s.Run(ctx, "/bin/sh", "-c", script)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, tail(out))
		}
		accepts := make([]bool, len(cases))
		n := 0
		for line := range strings.Lines(out) {
			var i, status int
			if _, err := fmt.Sscanf(line, "case %d %d", &i, &status); err != nil || i < 0 || i >= len(cases) {
				return nil, fmt.Errorf("unexpected line %q", line)
			}
			if status > 2 { // 126 and 127: the command couldn't be run
				return nil, fmt.Errorf("case %s: %s ended with %d", cases[i].Name(), command, status)
			}
			accepts[i] = status == 0
			n++
		}
		if n != len(cases) {
			return nil, fmt.Errorf("%d of %d cases were answered", n, len(cases))
		}
		return accepts, nil
	}
}

func writeCases(s *sandbox, dir string, cases []suiteCase, root *x509.Certificate) error {
	var b bytes.Buffer
	writePEM(&b, "CERTIFICATE", root.Raw)
	if err := s.WriteFile(dir+"/root.pem", b.Bytes(), 0o644); err != nil {
		return err
	}
	for i, c := range cases {
		var leaf, rest bytes.Buffer
		writePEM(&leaf, "CERTIFICATE", c.chain[0].Raw)
		for _, cert := range c.chain[1:] {
			writePEM(&rest, "CERTIFICATE", cert.Raw)
		}
		at := dir + "/" + strconv.Itoa(i)
		for name, data := range map[string][]byte{
			"leaf.pem": leaf.Bytes(), "rest.pem": rest.Bytes(), "chain.pem": slices.Concat(leaf.Bytes(), rest.Bytes()),
			"name": []byte(c.Hostname + "\n"),
		} {
			if err := s.WriteFile(at+"/"+name, data, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// A suiteScore counts, for one stack, how the answers of three agree: the stack, the engine and the suite.
type suiteScore struct {
	Policy      string
	Cases       int
	Engine      int // the engine answers as the stack does
	Suite       int // the stack answers as the suite expects, or as its authors tolerate
	Differences []string
}

func (s suiteScore) String() string {
	return fmt.Sprintf("%s: %d cases; engine agrees with the stack on %s, the stack with the suite on %s",
		s.Policy, s.Cases, percent(s.Engine, s.Cases), percent(s.Suite, s.Cases))
}

// scoreSuite puts the cases to a stack and to the engine.
func scoreSuite(ctx context.Context, st suiteStack, roots string, cases []suiteCase, root *x509.Certificate, catalogue *policy.Catalogue, at time.Time) (suiteScore, error) {
	if !st.addresses {
		cases = slices.DeleteFunc(slices.Clone(cases), func(c suiteCase) bool {
			_, err := netip.ParseAddr(c.Hostname)
			return err == nil
		})
	}
	score := suiteScore{Policy: st.policy, Cases: len(cases)}
	product, ok := catalogue.Product(st.policy)
	if !ok {
		return score, fmt.Errorf("no policy %s", st.policy)
	}
	var s *sandbox
	if st.release != "" {
		dir := filepath.Join(roots, st.release)
		if _, err := os.Stat(filepath.Join(dir, "usr/bin/dpkg-query")); err != nil {
			return score, fmt.Errorf("%w: no Debian %s at %s", ErrNotInstalled, st.release, dir)
		}
		var err error
		if s, err = openSandbox(ctx, dir); err != nil {
			return score, err
		}
		defer s.Close()
	}
	accepts, err := st.verify(ctx, s, cases, root, at)
	if err != nil {
		return score, fmt.Errorf("%s: %w", st.policy, err)
	}
	signatures := new(policy.Signatures)
	for i, c := range cases {
		j := product.Judge(policy.Question{Role: policy.Initiator, Chain: c.chain, Roots: []*x509.Certificate{root}, Name: c.Hostname,
			At: at, TLS: versionNumber("1.3"), Signatures: signatures})
		if accepts[i] == (c.Expected == "ACCEPT") || c.FailureIsWarning {
			score.Suite++
		}
		if accepts[i] == (Outcome(j.Outcome) == Trusted) {
			score.Engine++
			continue
		}
		why := ""
		if failed := j.Failed(); len(failed) > 0 {
			why = failed[0].RuleID + ": " + failed[0].Detail
		}
		score.Differences = append(score.Differences, fmt.Sprintf("%s for %s: the stack accepts: %t, the engine: %s %s", c.Name(), c.Hostname, accepts[i], j.Outcome, why))
	}
	return score, nil
}
