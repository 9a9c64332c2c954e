package policy

import (
	"encoding/asn1"
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
	// it off the certificate's names too.
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
	return r.equal(cn, want) || r.covers(r.CNWildcard, cn, want)
}

// wildcards are the values of Wildcard and CNWildcard.
var wildcards = []string{"none", "label", "partial", "leading", "glob", "glob-once", "any-label", "suffix"}

// covers reports whether a presented name with an asterisk stands for want under these rules.
func (r *nameRules) covers(wildcard, presented, want string) bool {
	if r.Dot == "ignored" {
		presented = strings.TrimSuffix(presented, ".")
	}
	if !strings.Contains(presented, "*") {
		return false
	}
	if rest, ok := strings.CutPrefix(presented, "*."); ok && wildcard == "suffix" {
		return r.equal(rest, want) || len(want) > len(rest)+1 && r.equal("."+rest, want[len(want)-len(rest)-1:])
	}
	label, rest, ok := strings.Cut(presented, ".")
	wantLabel, wantRest, wantOK := strings.Cut(want, ".")
	if !ok || !wantOK || wantLabel == "" || strings.Count(rest, ".")+1 < r.WildcardLabels {
		return false
	}
	if wildcard == "any-label" {
		return globLabels(strings.ToLower(presented), strings.ToLower(want))
	}
	if !strings.Contains(label, "*") || strings.Contains(rest, "*") || !r.equal(rest, wantRest) {
		return false
	}
	switch wildcard {
	case "label":
		return label == "*"
	case "partial":
		return partial(label, wantLabel)
	case "leading":
		return label[0] == '*' && !strings.Contains(label[1:], "*") && len(wantLabel) >= len(label)-1 &&
			r.equal(label[1:], wantLabel[len(wantLabel)-len(label)+1:])
	case "glob-once":
		return strings.Count(label, "*") == 1 && glob(strings.ToLower(label), strings.ToLower(wantLabel))
	case "glob":
		return glob(strings.ToLower(label), strings.ToLower(wantLabel))
	}
	return false
}

// globLabels matches label by label. The last asterisk must have a dot behind it.
func globLabels(pattern, want string) bool {
	ps, ws := strings.Split(pattern, "."), strings.Split(want, ".")
	if len(ps) != len(ws) || strings.Contains(ps[len(ps)-1], "*") {
		return false
	}
	for i := range ps {
		if !glob(ps[i], ws[i]) {
			return false
		}
	}
	return true
}

// glob reports whether s matches a pattern whose asterisks stand for any characters, none included.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

// emptySAN reports whether c's SAN extension is an empty sequence.
func emptySAN(c *cert) bool {
	for i := range c.Extensions {
		if e := &c.Extensions[i]; e.Id.Equal(oidSAN) {
			return len(e.Value) <= 2
		}
	}
	return false
}

// partial reports whether label, which has one asterisk at its start or end, stands for want.
func partial(label, want string) bool {
	before, after, _ := strings.Cut(label, "*")
	if strings.Contains(after, "*") || before != "" && after != "" {
		return false
	}
	if label == "*" {
		return want != ""
	}
	if strings.HasPrefix(strings.ToLower(want), "xn--") || strings.HasPrefix(strings.ToLower(label), "xn--") {
		return false
	}
	return len(want) >= len(before)+len(after) && strings.EqualFold(want[:len(before)], before) &&
		strings.EqualFold(want[len(want)-len(after):], after)
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

// nearWildcard reports whether someone could think that presented, a name with an asterisk, covers want: its text
// does, or it covers what is right below want.
func nearWildcard(presented, want string) bool {
	before, after, ok := strings.Cut(strings.ToLower(presented), "*")
	if !ok {
		return false
	}
	want = strings.ToLower(want)
	if "."+want == after && before == "" {
		return true
	}
	return len(want) > len(before)+len(after) && strings.HasPrefix(want, before) && strings.HasSuffix(want, after)
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

// commonNames returns every common name of c's subject, in order.
func commonNames(c *cert) []string {
	var cns []string
	for _, n := range c.Subject.Names {
		if s, ok := n.Value.(string); ok && n.Type.Equal(oidCommonName) {
			cns = append(cns, s)
		}
	}
	return cns
}

// namesOf returns c's SAN entries of a kind, in the form in which they are compared with a domain or host: the host of
// a SIP URI without user part, the name of an SRVName behind its service. An empty service takes any.
func (c *cert) namesOf(kind, service string) []string {
	switch kind {
	case kindDNS:
		return c.DNSNames
	case kindSIPURI:
		var hosts []string
		for _, u := range c.URIs {
			if h := sipHost(u.Scheme, u.Opaque); h != "" {
				hosts = append(hosts, h)
			}
		}
		return hosts
	case kindURI:
		var all []string
		for _, u := range c.URIs {
			all = append(all, u.String())
		}
		return all
	case kindXMPPAddr:
		return otherNames(c, oidXMPPAddr)
	case kindSRVName:
		var names []string
		for _, n := range otherNames(c, oidSRVName) {
			s, name, ok := strings.Cut(n, ".")
			if ok && (service == "" || strings.EqualFold(s, service)) {
				names = append(names, name)
			}
		}
		return names
	case kindIP:
		var all []string
		for _, ip := range c.IPAddresses {
			all = append(all, ip.String())
		}
		return all
	case kindEmail:
		return c.EmailAddresses
	}
	return nil
}

// sipHost returns the host of a sip: or sips: URI without a user part, the only form that names a domain (RFC 5922
// §7.1), or "".
func sipHost(scheme, opaque string) string {
	if !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") || strings.Contains(opaque, "@") {
		return ""
	}
	host := opaque
	if i := strings.IndexAny(host, ";?:"); i >= 0 {
		host = host[:i]
	}
	return host
}

// otherNames returns the values of c's otherName SAN entries of one type.
func otherNames(c *cert, oid asn1.ObjectIdentifier) []string {
	var out []string
	for i := range c.Extensions {
		e := &c.Extensions[i]
		if !e.Id.Equal(oidSAN) {
			continue
		}
		var seq asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &seq); err != nil || len(rest) > 0 {
			return out
		}
		for rest := seq.Bytes; len(rest) > 0; {
			var name asn1.RawValue
			var err error
			if rest, err = asn1.Unmarshal(rest, &name); err != nil {
				return out
			}
			if name.Class != asn1.ClassContextSpecific || name.Tag != 0 {
				continue
			}
			if v, ok := otherName(name.Bytes, oid); ok {
				out = append(out, v)
			}
		}
	}
	return out
}

func otherName(b []byte, oid asn1.ObjectIdentifier) (string, bool) {
	var id asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(b, &id)
	if err != nil || !id.Equal(oid) {
		return "", false
	}
	var explicit, value asn1.RawValue
	if _, err := asn1.Unmarshal(rest, &explicit); err != nil || explicit.Class != asn1.ClassContextSpecific {
		return "", false
	}
	if _, err := asn1.Unmarshal(explicit.Bytes, &value); err != nil {
		return "", false
	}
	return string(value.Bytes), true
}
