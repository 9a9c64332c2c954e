package ca

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/plan"
)

// A refusal is one rule of a well-behaved CA.
type refusal struct {
	source string
	// broken says what of the order breaks the rule; "": nothing. At is the date at which the CA is asked, or zero.
	broken func(o plan.Order, at time.Time) string
}

// refusals lists why the named CA would not sell the order, each reason with its source in brackets.
func refusals(ca string, o plan.Order, at time.Time) []string {
	rules := everyCA()
	if ca == Public {
		rules = slices.Concat(publicCA(), rules)
	}
	var reasons []string
	for _, r := range rules {
		if why := r.broken(o, at); why != "" {
			reasons = append(reasons, why+" ["+r.source+"]")
		}
	}
	return reasons
}

// everyCA holds the rules that any CA keeps to, an enterprise's own included.
func everyCA() []refusal {
	return []refusal{
		{"RFC 5280 §3.2", selfSigned},
		{"RFC 5280 §4.1.2.5", inverted},
		{"RFC 5280 §4.1.2.5", expired},
		{"RFC 5280 §4.1.2.5", notYetValid},
		{"NIST SP 800-131A Rev. 2 §9", sha1},
		{"NIST SP 800-131A Rev. 2 §3", rsa1024},
		{"RFC 5280 §4.2.1.9", caLeaf},
		{"RFC 5280 §4.2.1.3", certSignOnLeaf},
		{"RFC 5280 §4.2", unknownCritical},
		{"RFC 5280 §4.2.1.9", issuedByNonCA},
		{"RFC 5280 §4.2.1.9", beyondPathLength},
		{"RFC 5280 §6.1.3 (a)(1)", forged},
		{"RFC 5280 §6.1.3 (a)(2)", issuerExpired},
		{"RFC 5280 §6.1.3 (a)(2)", issuerNotYetValid},
		{"RFC 5280 §4.2.1.10", outsidePermitted},
		{"RFC 5280 §4.1.2.6", nameless},
		{"RFC 5280 Appendix A.1, ub-common-name", longSubject},
	}
}

func selfSigned(o plan.Order, _ time.Time) string {
	if o.Issuer != plan.IssuerSelfSigned {
		return ""
	}
	return "it is self-signed: no CA vouches for it"
}

func inverted(o plan.Order, _ time.Time) string {
	if o.NotAfter.After(o.NotBefore) {
		return ""
	}
	return fmt.Sprintf("its validity ends at %s, not after it begins at %s", date(o.NotAfter), date(o.NotBefore))
}

func expired(o plan.Order, at time.Time) string {
	if at.IsZero() || !o.NotAfter.Before(at) {
		return ""
	}
	return fmt.Sprintf("it expired at %s, before the date of issuing, %s", date(o.NotAfter), date(at))
}

func notYetValid(o plan.Order, at time.Time) string {
	if at.IsZero() || !o.NotBefore.After(at) {
		return ""
	}
	return fmt.Sprintf("it becomes valid at %s, after the date of issuing, %s", date(o.NotBefore), date(at))
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func sha1(o plan.Order, _ time.Time) string {
	switch {
	case o.Hash == "sha1":
		return "it is signed with SHA-1"
	case o.IntermediateHash == "sha1":
		return "its issuer's certificate is signed with SHA-1"
	}
	return ""
}

func rsa1024(o plan.Order, _ time.Time) string {
	switch {
	case o.Key == "rsa-1024":
		return "its RSA key has 1024 bits, fewer than 2048"
	case o.IntermediateKey == "rsa-1024":
		return "its issuer's RSA key has 1024 bits, fewer than 2048"
	}
	return ""
}

func caLeaf(o plan.Order, _ time.Time) string {
	if !o.CA {
		return ""
	}
	return "basicConstraints makes the end's certificate a CA"
}

func certSignOnLeaf(o plan.Order, _ time.Time) string {
	if o.CA || !slices.Contains(o.KeyUsage, "keyCertSign") {
		return ""
	}
	return "keyUsage has keyCertSign, which only a CA may have"
}

func unknownCritical(o plan.Order, _ time.Time) string {
	if !o.Critical {
		return ""
	}
	return "it has a critical extension that nobody knows, so everybody must reject it"
}

func issuedByNonCA(o plan.Order, _ time.Time) string {
	if o.IntermediateCA == nil || *o.IntermediateCA {
		return ""
	}
	return "its issuer's certificate is not a CA's"
}

func beyondPathLength(o plan.Order, _ time.Time) string {
	if !o.SubCA {
		return ""
	}
	return "its issuer stands below a CA whose path length of 0 allows no CA below it"
}

func forged(o plan.Order, _ time.Time) string {
	if o.Issuer != plan.IssuerForged {
		return ""
	}
	return "the CA that it names as its issuer didn't sign it"
}

func issuerExpired(o plan.Order, at time.Time) string {
	if at.IsZero() || o.IntermediateNotAfter.IsZero() || !o.IntermediateNotAfter.Before(at) {
		return ""
	}
	return fmt.Sprintf("its issuer's certificate expired at %s, before the date of issuing, %s", date(o.IntermediateNotAfter), date(at))
}

func issuerNotYetValid(o plan.Order, at time.Time) string {
	if at.IsZero() || !o.IntermediateNotBefore.After(at) {
		return ""
	}
	return fmt.Sprintf("its issuer's certificate becomes valid at %s, after the date of issuing, %s", date(o.IntermediateNotBefore), date(at))
}

func outsidePermitted(o plan.Order, _ time.Time) string {
	if len(o.Permitted) == 0 {
		return ""
	}
	var outside []string
	for _, name := range dnsNames(o.SANs) {
		if !slices.ContainsFunc(o.Permitted, func(domain string) bool { return within(name, domain) }) {
			outside = append(outside, clip(name))
		}
	}
	if len(outside) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: outside the names that the issuer may certify, %s",
		strings.Join(outside, ", "), strings.Join(o.Permitted, ", "))
}

// within reports whether adding zero or more labels to the left of domain gives name. A leading dot, as some CAs
// write it, asks for one label or more.
func within(name, domain string) bool {
	name, domain = strings.ToLower(name), strings.ToLower(domain)
	if below, ok := strings.CutPrefix(domain, "."); ok {
		return strings.HasSuffix(name, "."+below)
	}
	return name == domain || strings.HasSuffix(name, "."+domain)
}

func nameless(o plan.Order, _ time.Time) string {
	if o.Subject != "" || len(o.SANs) > 0 {
		return ""
	}
	return "it has neither a subject nor a SAN"
}

func longSubject(o plan.Order, _ time.Time) string {
	const longest = 64
	if n := len([]rune(o.Subject)); n > longest {
		return fmt.Sprintf("its common name has %d characters, more than %d", n, longest)
	}
	return ""
}
