package policy

import (
	"net"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/edgelab/edgelab/lab/verdict"
)

// nameRules say which names of a certificate a product compares, and how.
type nameRules struct {
	// Kinds are the kinds of SAN entry that are compared: "dns", "sip-uri", "xmpp-addr", "srv-name".
	Kinds []string `yaml:"kinds"`
	// Service is the service label of SRVName entries, "_xmpp-server".
	Service string `yaml:"service"`
	// CN says when the subject's common name is compared too: "never", "no-san" (no SAN extension), "no-match" (always,
	// after the SAN), or "without": no entry of the kinds in Without.
	CN      string   `yaml:"cn"`
	Without []string `yaml:"without"`
	// Several says which of several common names counts: "any", "first", "last", "none" (more than one: none).
	Several string `yaml:"several"`
	// Wildcard says what an asterisk may stand for: "none", "label" (all of the left-most label), "partial" (that, its
	// start or its end), "leading" (that, or its start), "glob" (any parts of it), "glob-once" (one part of it),
	// "any-label" (any parts of any label), "suffix" (any number of labels, or none at all).
	Wildcard string `yaml:"wildcard"`
	// CNWildcard says the same for the common name; empty: none.
	CNWildcard string `yaml:"cn-wildcard"`
	// WildcardLabels is how many labels must follow a wildcard.
	WildcardLabels int `yaml:"wildcard-labels"`
	// Dot says what becomes of a trailing dot of the name that is looked for: "kept", "removed", or "ignored", which takes
	// it off the certificate's names too, or "ignored-in-cn".
	Dot string `yaml:"trailing-dot"`
	// Unicode turns a name with other than ASCII letters into A-labels before it is compared.
	Unicode bool `yaml:"to-ascii"`
	// Addresses compares a name that is an IP address with iPAddress entries, and with nothing else.
	Addresses bool `yaml:"addresses"`
	// EmptySAN is "refused" where a SAN extension without entries is an error.
	EmptySAN string `yaml:"empty-san"`
	// Case is "ignored", "kept", or "kept-in-dns", which compares dNSName entries alone letter by letter.
	Case string `yaml:"case"`
}

// Kinds of name that nameRules.Kinds and Without can list.
const (
	kindDNS      = "dns"
	kindSIPURI   = "sip-uri"
	kindURI      = "uri" // any URI: only in Without
	kindXMPPAddr = "xmpp-addr"
	kindSRVName  = "srv-name"
	kindIP       = "ip" // only in Without
	kindEmail    = "email"
)

// askName compares a certificate's names with the name that the judge looks for.
func askName(c *cert, r *nameRules, want string) finding {
	if ip := net.ParseIP(want); r.Addresses && ip != nil {
		if slices.ContainsFunc(c.IPAddresses, ip.Equal) {
			return passed
		}
		return fails(verdict.NameMismatch, "looked for the address "+want+"; "+c.label()+" doesn't have it")
	}
	if r.EmptySAN == "refused" && c.hasSAN && emptySAN(c) {
		return fails(verdict.NameMismatch, c.label()+" has a SAN extension without entries")
	}
	norm, ok := r.normalise(want)
	if !ok {
		return fails(verdict.NameMismatch, want+" is no name that can be looked for")
	}
	for _, kind := range r.Kinds {
		if slices.ContainsFunc(c.namesOf(kind, r.Service), func(n string) bool { return r.matches(kind, n, norm) }) {
			return passed
		}
	}
	cns := commonNames(c)
	consulted := r.consultsCN(c)
	if consulted {
		for _, cn := range r.choose(cns) {
			if r.matchesCN(cn, norm) {
				return passed
			}
		}
	}
	return r.explain(c, norm, cns, consulted)
}

// normalise prepares the name that is looked for.
func (r *nameRules) normalise(name string) (string, bool) {
	if r.Dot == "removed" || r.Dot == "ignored" {
		name = strings.TrimSuffix(name, ".")
	}
	if name == "" {
		return "", false
	}
	if r.Unicode && !isASCII(name) {
		a, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", false
		}
		name = a
	}
	return name, true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func (r *nameRules) equal(a, b string) bool {
	if r.Case == "kept" {
		return a == b
	}
	return strings.EqualFold(a, b)
}

// matches compares one SAN entry.
func (r *nameRules) matches(kind, presented, want string) bool {
	if r.Dot == "ignored" {
		presented = strings.TrimSuffix(presented, ".")
	}
	if r.Case == "kept-in-dns" && kind == kindDNS {
		exact := *r
		exact.Case = "kept"
		return presented == want || exact.covers(r.Wildcard, presented, want)
	}
	if r.equal(presented, want) {
		return true
	}
	if kind != kindDNS && kind != kindSRVName {
		return false
	}
	return r.covers(r.Wildcard, presented, want)
}

func (r *nameRules) matchesCN(cn, want string) bool {
	if r.Dot == "ignored" || r.Dot == "ignored-in-cn" {
		cn, want = strings.TrimSuffix(cn, "."), strings.TrimSuffix(want, ".")
	}
	return r.equal(cn, want) || r.covers(r.CNWildcard, cn, want)
}

// consultsCN reports whether the rules look at c's common name.
func (r *nameRules) consultsCN(c *cert) bool {
	switch r.CN {
	case "no-match":
		return true
	case "no-san":
		return !c.hasSAN
	case "without":
		return !slices.ContainsFunc(r.Without, func(kind string) bool { return len(c.namesOf(kind, "")) > 0 })
	}
	return false
}

func (r *nameRules) choose(cns []string) []string {
	switch {
	case len(cns) < 2 || r.Several == "any" || r.Several == "":
		return cns
	case r.Several == "first":
		return cns[:1]
	case r.Several == "last":
		return cns[len(cns)-1:]
	}
	return nil
}

// explain finds the code for names that don't match: is the name there, but where this judge doesn't look?
func (r *nameRules) explain(c *cert, want string, cns []string, consulted bool) finding {
	if !consulted && slices.ContainsFunc(cns, func(cn string) bool { return strings.EqualFold(cn, want) }) {
		return fails(verdict.SubjectNotInSAN, want+" is the subject name of "+c.label()+", but is not in its SAN")
	}
	for _, n := range append(slices.Clone(c.DNSNames), cns...) {
		if nearWildcard(n, want) {
			return fails(verdict.WildcardRefused, c.label()+" has "+n+", which this judge does not take for "+want)
		}
	}
	return fails(verdict.NameMismatch, "looked for "+want+"; "+c.label()+" has "+namesInWords(c, cns))
}

func namesInWords(c *cert, cns []string) string {
	var names []string
	names = append(names, c.DNSNames...)
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	for _, n := range c.namesOf(kindXMPPAddr, "") {
		names = append(names, "XmppAddr "+n)
	}
	for _, n := range otherNames(c, oidSRVName) {
		names = append(names, "SRVName "+n)
	}
	if len(names) == 0 {
		if len(cns) == 0 {
			return "no names"
		}
		return "no SAN, and the subject name " + strings.Join(cns, ", ")
	}
	return strings.Join(names, ", ")
}
