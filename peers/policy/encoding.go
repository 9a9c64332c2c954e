package policy

import (
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/verdict"
)

// oddities are what a certificate may have that some stacks can't read, for an encoding rule's unreadable.
var oddities = map[string]func(c *cert) (string, bool){
	"other-curve": func(c *cert) (string, bool) {
		kind, _ := keyKind(c.Certificate)
		return "a key of kind " + kind, otherCurve(kind)
	},
	"explicit-curve": func(c *cert) (string, bool) {
		kind, _ := keyKind(c.Certificate)
		return "a key whose curve is spelt out", kind == explicitCurve
	},
	// What crypto/x509 refuses to parse; and of that, what isn't another of these.
	"not-parsed-by-go": func(c *cert) (string, bool) {
		why := unparsed(c.Certificate)
		return "what can't be parsed: " + why, why != ""
	},
	"odd-otherwise": func(c *cert) (string, bool) {
		why, kind := unparsed(c.Certificate), ""
		if why != "" {
			kind, _ = keyKind(c.Certificate)
		}
		return "what can't be parsed: " + why, why != "" && !otherCurve(kind) && c.SerialNumber.Sign() >= 0 && !slices.ContainsFunc(c.DNSNames, notASCII)
	},
	"negative-serial": func(c *cert) (string, bool) {
		return "a negative serial number", c.SerialNumber != nil && c.SerialNumber.Sign() < 0
	},
	"non-ascii-dns-name": func(c *cert) (string, bool) {
		return "a dNSName that isn't ASCII", slices.ContainsFunc(c.DNSNames, notASCII)
	},
	"empty-dns-name": func(c *cert) (string, bool) { return "an empty dNSName", slices.Contains(c.DNSNames, "") },
}

func askEncoding(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	for _, k := range r.Unreadable {
		if what, odd := oddities[k](c); odd {
			return fails(verdict.Unreadable, c.label()+" has "+what)
		}
	}
	return passed
}

func notASCII(s string) bool { return !isASCII(s) }

// otherCurve reports whether a kind of key is on none of the curves that NIST named for TLS.
func otherCurve(kind string) bool {
	return strings.HasPrefix(kind, "ecdsa-") &&
		!slices.Contains([]string{"ecdsa-p192", "ecdsa-p224", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"}, kind)
}
