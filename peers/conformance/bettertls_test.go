package conformance

import (
	"crypto/x509"
	"os"
	"testing"
	"time"

	"github.com/edgelab/edgelab/peers/policy"
)

// namesTaken is which of the suite's thousands of cases about name constraints are put to the stacks that need a
// process for each: every seventh. Seven shares no factor with the suite's own counting.
const namesTaken = 7

// TestBetterTLS puts a suite of other people to the Go, OpenSSL and GnuTLS stacks and to the engine.
func TestBetterTLS(t *testing.T) {
	if os.Getenv("CI") != "true" && os.Getenv("EDGELAB_CONFORMANCE") == "" {
		t.Skip("the suite is fetched, and its cases are put to real stacks as root: set EDGELAB_CONFORMANCE=1, or run make conformance")
	}
	roots, err := DefaultRoots()
	if err != nil {
		t.Fatal(err)
	}
	if err := Install(t.Context(), roots, []string{"openssl", "gnutls"}, os.Stderr); err != nil {
		t.Fatalf("the stacks can't be installed: %v", err)
	}
	catalogue, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	cases, root, err := exportBetterTLS(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var some []suiteCase
	for _, c := range cases {
		if c.Suite == "pathbuilding" || c.ID%namesTaken == 0 {
			some = append(some, c)
		}
	}
	if len(cases) < 9000 || len(some) < 1000 {
		t.Fatalf("%d cases, %d of them chosen: the suite has become smaller", len(cases), len(some))
	}
	for _, st := range suiteStacks() {
		t.Run(st.policy, func(t *testing.T) {
			t.Parallel()
			score := scoreOf(t, st, roots, map[bool][]suiteCase{true: cases, false: some}[st.release == ""], root, catalogue)
			t.Log(score)
			for i, d := range score.Differences {
				if i == 20 {
					t.Logf("and %d more", len(score.Differences)-i)
					break
				}
				t.Log(d)
			}
			if float64(score.Engine) < leastAgreement*float64(score.Cases) {
				t.Errorf("the engine agrees with the stack on less than %.0f %%", 100*leastAgreement)
			}
		})
	}
}

func scoreOf(t *testing.T, st suiteStack, roots string, cases []suiteCase, root *x509.Certificate, catalogue *policy.Catalogue) suiteScore {
	t.Helper()
	score, err := scoreSuite(t.Context(), st, roots, cases, root, catalogue, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return score
}
