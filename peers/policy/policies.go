package policy

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"github.com/edgelab/edgelab/lab/verdict"
)

var (
	oidPolicyConstraints = asn1.ObjectIdentifier{2, 5, 29, 36}
	anyPolicy            = "2.5.29.32.0"
)

// askPolicy follows certificate policies down the path (RFC 5280 §6.1), as far as a judge does that wants none in
// particular: where a CA requires an explicit policy, some policy must be in every certificate below the anchor. Mappings
// and inhibitAnyPolicy are not followed.
func askPolicy(in *inquiry, _ *rule, _ int) finding {
	path := in.path.certs
	if in.path.anchored && len(path) > 1 {
		path = path[:len(path)-1]
	}
	explicit := len(path) + 1
	valid := []string{anyPolicy}
	for i := len(path) - 1; i >= 0; i-- {
		c := path[i]
		valid = common(valid, policiesOf(c.Certificate))
		required, ok := requiresPolicy(c.Certificate)
		if i == 0 && ok && required == 0 {
			explicit = 0
		}
		if explicit == 0 && len(valid) == 0 {
			return fails(verdict.PolicyMissing, "a CA above requires a certificate policy, and "+c.label()+" has none that is in all of them")
		}
		if explicit > 0 && !c.selfIssued {
			explicit--
		}
		if i > 0 && ok && required < explicit {
			explicit = required
		}
	}
	return passed
}

func policiesOf(c *x509.Certificate) []string {
	var out []string
	for _, p := range c.PolicyIdentifiers {
		out = append(out, p.String())
	}
	return out
}

// common returns the policies that are in both sets, where anyPolicy stands for all.
func common(a, b []string) []string {
	switch {
	case slices.Contains(b, anyPolicy):
		return a
	case slices.Contains(a, anyPolicy):
		return b
	}
	return slices.DeleteFunc(slices.Clone(a), func(p string) bool { return !slices.Contains(b, p) })
}

// requiresPolicy returns requireExplicitPolicy of c's policyConstraints (RFC 5280 §4.2.1.11).
func requiresPolicy(c *x509.Certificate) (int, bool) {
	for i := range c.Extensions {
		if !c.Extensions[i].Id.Equal(oidPolicyConstraints) {
			continue
		}
		var all asn1.RawValue
		if _, err := asn1.Unmarshal(c.Extensions[i].Value, &all); err != nil {
			return 0, false
		}
		for _, p := range parts(all.Bytes) {
			if p.Tag == 0 && len(p.Bytes) == 1 {
				return int(p.Bytes[0]), true
			}
		}
	}
	return 0, false
}
