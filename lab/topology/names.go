package topology

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// maxCommonName is the most characters that a certificate's common name may have (RFC 5280, appendix A.1,
// ub-common-name).
const maxCommonName = 64

// CheckFQDN returns what is wrong with a fully qualified domain name and how to write it, or two empty strings. It
// asks for the letters, digits and hyphens of RFC 1123 §2.1 in at least two labels; an internationalised name must be
// given as its A-label (RFC 5890 §2.3.2.1), because that is what a certificate holds.
func CheckFQDN(name string) (wrong, hint string) {
	host, dotted := strings.CutSuffix(name, ".")
	switch {
	case name == "":
		return "an FQDN is missing", ""
	case strings.Contains(name, "://"):
		_, rest, _ := strings.Cut(name, "://")
		rest, _, _ = strings.Cut(rest, "/")
		return fmt.Sprintf("%q is a URL, not an FQDN", name), suggestWrite(rest)
	case strings.ContainsAny(name, " \t\n\r"):
		return fmt.Sprintf("the FQDN %q has a space in it", name), suggestWrite(strings.Join(strings.Fields(name), "."))
	case !isASCII(name):
		label, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return fmt.Sprintf("%q isn't a valid internationalised name: %s", name, strings.TrimPrefix(err.Error(), "idna: ")), ""
		}
		return fmt.Sprintf("%q is an internationalised name; certificates hold its A-label", name), fmt.Sprintf("write %q", label)
	case dotted:
		return fmt.Sprintf("the FQDN %q ends in a dot; names in certificates don't", name), suggestWrite(host)
	case strings.HasPrefix(name, "*."):
		return fmt.Sprintf("%q is a wildcard; an FQDN is wanted here", name), suggestWrite(name[2:])
	case strings.Contains(name, "@"):
		return fmt.Sprintf("%q is an address, not an FQDN", name), suggestWrite(name[strings.LastIndex(name, "@")+1:])
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Sprintf("%q is an IP address; an FQDN is wanted here", name), ""
	}
	return checkLabels(name)
}

func checkLabels(name string) (wrong, hint string) {
	if len(name) > 253 {
		return fmt.Sprintf("the FQDN is %d characters long; 253 is the most (RFC 1035 §2.3.4)", len(name)), ""
	}
	labels := strings.Split(name, ".")
	if len(labels) < 2 {
		return fmt.Sprintf("%q isn't fully qualified: it has one label", name), fmt.Sprintf("write the domain too, as in %s.example", strings.ToLower(name))
	}
	for _, label := range labels {
		switch {
		case label == "":
			return fmt.Sprintf("the FQDN %q has an empty label (two dots in a row, or one in front)", name), ""
		case len(label) > 63:
			return fmt.Sprintf("the label %q is %d characters long; 63 is the most (RFC 1035 §2.3.4)", label, len(label)), ""
		case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
			return fmt.Sprintf("the label %q of %q begins or ends with a hyphen (RFC 1123 §2.1)", label, name), ""
		}
		for _, r := range label {
			if r == '_' {
				return fmt.Sprintf("the FQDN %q has an underscore; public CAs issue no such name", name), suggestWrite(strings.ReplaceAll(name, "_", "-"))
			}
			if !isLDH(r) {
				return fmt.Sprintf("the FQDN %q has the character %q; only letters, digits and hyphens may be there", name, r), ""
			}
		}
	}
	return "", ""
}

// suggestWrite proposes name if it would pass itself.
func suggestWrite(name string) string {
	if wrong, _ := CheckFQDN(name); wrong != "" {
		return ""
	}
	return fmt.Sprintf("write %q", name)
}

func isLDH(r rune) bool {
	return r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// parent returns the name without its left-most label.
func parent(fqdn string) string {
	_, rest, _ := strings.Cut(fqdn, ".")
	return rest
}
