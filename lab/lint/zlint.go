package lint

import (
	"crypto/x509"
	"fmt"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	zl "github.com/zmap/zlint/v3/lint"

	"github.com/edgelab/edgelab/lab/verdict"
)

// zlintVersion is the version of the library that the rules are from.
const zlintVersion = "zlint v3.7.3"

// A registry is the part of zlint's rules that is asked. Which of them apply at all follows from the date on which the
// certificate was issued: zlint knows from when to when each rule holds.
type registry struct{ public, private zl.Registry }

func newRegistry() (registry, error) {
	var r registry
	for _, set := range []struct {
		to      *zl.Registry
		sources zl.SourceList
	}{
		{&r.public, zl.SourceList{zl.RFC5280, zl.CABFBaselineRequirements, zl.ChromeRootStorePolicy}},
		{&r.private, zl.SourceList{zl.RFC5280}},
	} {
		filtered, err := zl.GlobalRegistry().Filter(zl.FilterOptions{IncludeSources: set.sources})
		if err != nil {
			return registry{}, fmt.Errorf("%s: %w", zlintVersion, err)
		}
		*set.to = filtered
	}
	return r, nil
}

// check returns what zlint finds.
func (r registry) check(c *x509.Certificate, name string, private bool) (found []Finding) {
	defer func() {
		// Its rules are written for certificates that a CA has made; one that runs into something else is no reason
		// to keep the other findings back.
		if v := recover(); v != nil {
			found = []Finding{r.unreadable(name, fmt.Sprintf("a rule failed: %v", v))}
		}
	}()
	parsed, err := zx509.ParseCertificate(c.Raw)
	if err != nil {
		return []Finding{r.unreadable(name, err.Error())}
	}
	rules := r.public
	if private {
		rules = r.private
	}
	for rule, result := range zlint.LintCertificateEx(parsed, rules).Results {
		var s Severity
		switch result.Status {
		case zl.Error, zl.Fatal:
			s = Error
		case zl.Warn:
			s = Warning
		case zl.Notice:
			s = Notice
		default: // passed, or it doesn't apply
			continue
		}
		detail := result.LintMetadata.Description
		if result.Details != "" {
			detail += ": " + result.Details
		}
		found = append(found, Finding{Severity: s, Rule: rule, Source: citation(result.LintMetadata), Detail: detail, Certificate: name})
	}
	return found
}

func (r registry) unreadable(name, why string) Finding {
	return Finding{
		Severity: Error, Rule: "edge/unreadable", Certificate: name, Detail: "zlint can't judge it: " + why,
		Source: verdict.Source{Kind: verdict.Measured, Ref: zlintVersion},
	}
}

func citation(m zl.LintMetadata) verdict.Source {
	ref := m.Citation
	if ref == "" {
		ref = string(m.Source)
	}
	return verdict.Source{Kind: verdict.Documented, Ref: ref + ", as " + zlintVersion + " has it"}
}
