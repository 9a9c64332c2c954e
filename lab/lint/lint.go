package lint

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Severity says how much a finding weighs.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // a rule with a must is broken
	Warning Severity = "warning" // a rule with a should is broken, or something is known to go wrong
	Notice  Severity = "notice"  // worth knowing
)

// A Finding is one broken rule.
type Finding struct {
	Severity    Severity       `json:"severity"`
	Rule        string         `json:"rule"` // zlint's name, or one that begins with "edge/"
	Source      verdict.Source `json:"source"`
	Detail      string         `json:"detail"`
	Certificate string         `json:"certificate"` // "leaf", "issuer 1", "request"
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s [%s]", f.Severity, f.Rule, f.Detail, f.Source)
}

// Options say what the certificate is for.
type Options struct {
	// Use is the line of the plan that it is for: plan.External or plan.Internal. Empty: plan.External.
	Use string
	// Private says that a private CA issued it, so that neither the Baseline Requirements nor Chrome's root programme bind it.
	Private bool
	// At is the date at which it is to be used; zero: its validity isn't looked at.
	At time.Time
}

// A Linter holds the rules. It can be used by several goroutines at once.
type Linter struct{ zlint registry }

// New returns a linter with all rules.
func New() (*Linter, error) {
	r, err := newRegistry()
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	return &Linter{r}, nil
}

// Check holds a certificate with its issuers, or a request, against the rules, and returns the findings, the heaviest
// first. Microsoft's rules are about the leaf or the request; zlint's are about every certificate of the chain, and
// not about requests.
func (l *Linter) Check(f certfile.File, o Options) []Finding {
	found := edgeRules(f, o)
	for i, c := range f.Chain {
		name := "leaf"
		if i > 0 {
			name = fmt.Sprintf("issuer %d", i)
		}
		found = append(found, l.zlint.check(c, name, o.Private)...)
	}
	return sorted(found)
}

// Certificate is Check for a certificate that is at hand already, alone.
func (l *Linter) Certificate(c *x509.Certificate, o Options) []Finding {
	return l.Check(certfile.File{Name: "certificate", Format: certfile.DER, Chain: []*x509.Certificate{c}}, o)
}

func sorted(found []Finding) []Finding {
	weight := []Severity{Error, Warning, Notice}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(weight, a.Severity), slices.Index(weight, b.Severity)),
			cmp.Compare(order(a.Certificate), order(b.Certificate)), cmp.Compare(a.Certificate, b.Certificate), cmp.Compare(a.Rule, b.Rule))
	})
	return found
}

// order puts the leaf before its issuers.
func order(certificate string) int {
	if certificate == "leaf" || certificate == "request" {
		return 0
	}
	return 1
}

func (o Options) external() bool { return o.Use == "" || o.Use == plan.External }
