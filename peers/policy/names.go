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
	// ServiceKept compares that label letter by letter.
	ServiceKept bool `yaml:"service-kept"`
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
	// Labels turns A-labels of both names into letters before they are compared.
	Labels bool `yaml:"to-unicode"`
	// Sought says which names can be looked for: "any"; "ldh", which refuses others than letters, digits, hyphens and dots
	// make up; "host", which takes those (with underscores) for wildcards to cover, and others exactly, or "ldh-host", the same
	// without underscores.
	Sought string `yaml:"sought"`
	// Addresses compares a name that is an IP address with iPAddress entries, and with nothing else.
	Addresses bool `yaml:"addresses"`
	// EmptySAN is "refused" where a SAN extension without entries is an error.
	EmptySAN string `yaml:"empty-san"`
	// Case is "ignored", "kept", "kept-in-dns", which compares dNSName entries alone letter by letter, or
	// "kept-behind-wildcard", which so compares only what follows an asterisk.
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
	if !ok || r.Sought == "ldh" && !isHost(norm, "-.") {
		return fails(verdict.NameMismatch, want+" is no name that can be looked for")
	}
	if r.Labels {
		norm = toUnicode(norm)
	}
	if r.Dot == "removed-or-same" && slices.ContainsFunc(c.DNSNames, func(n string) bool { return strings.EqualFold(n, want) }) {
		return passed
	}
	for _, kind := range r.Kinds {
		if r.ServiceKept && kind == kindSRVName && !slices.ContainsFunc(otherNames(c, oidSRVName), func(n string) bool { return strings.HasPrefix(n, r.Service+".") }) {
			continue
		}
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
	if r.Dot == "removed" || r.Dot == "removed-or-same" || r.Dot == "ignored" {
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

// isHost reports whether s has but ASCII letters, digits and what also names.
func isHost(s, also string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(also, r))
	})
}

// toUnicode turns the A-labels of a name into letters, and leaves what is none.
func toUnicode(name string) string {
	if u, err := idna.Punycode.ToUnicode(name); err == nil {
		return u
	}
	return name
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
	if r.Labels {
		presented = toUnicode(presented)
	}
	if r.Dot == "ignored" {
		presented = strings.TrimSuffix(presented, ".")
	}
	if r.Case == "kept-in-dns" && kind == kindDNS {
		return presented == want || r.exact().covers(r.Wildcard, presented, want)
	}
	if r.equal(presented, want) {
		return true
	}
	if kind != kindDNS && kind != kindSRVName {
		return false
	}
	return r.wild().covers(r.Wildcard, presented, want)
}

// exact returns the same rules, with letters compared as they are.
func (r *nameRules) exact() *nameRules {
	exact := *r
	exact.Case = "kept"
	return &exact
}

// wild returns the rules for names with an asterisk.
func (r *nameRules) wild() *nameRules {
	if r.Case == "kept-behind-wildcard" {
		return r.exact()
	}
	return r
}

func (r *nameRules) matchesCN(cn, want string) bool {
	if r.Labels {
		cn = toUnicode(cn)
	}
	if r.Dot == "ignored" || r.Dot == "ignored-in-cn" {
		cn, want = strings.TrimSuffix(cn, "."), strings.TrimSuffix(want, ".")
	}
	return r.equal(cn, want) || r.wild().covers(r.CNWildcard, cn, want)
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
