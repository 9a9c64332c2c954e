package scenarios

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
)

// DifferenceKeys returns the keys of an entry of certificates. What isn't written stays as planned. Of the certificate:
//
//   - subject: the common name; "" for none
//   - san, add-san, omit-san: replace, add to, or take from its names
//   - eku: server, client, any, OIDs; [] for no extension
//   - key, hash, signature: its key's type, the hash and the scheme (rsa-pss) with which its issuer signs it
//   - valid: {from, until}; lifetime: days
//   - cdp: false leaves the CRL distribution point out; revoked: puts it on its issuer's CRL
//   - issuer: untrusted (a root in nobody's store), self-signed, forged (the planned issuer's name, another's signature)
//   - ca, key-usage, critical-extension: faults of the extensions; key-usage [none] leaves the extension out
//   - chain: which certificates are sent; withhold: as an initiator, none at all
//   - none: the Edge Server has no such certificate, so that the services that show it don't start
//
// Of the intermediate that issues it:
//
//   - intermediate-eku, intermediate-ca, intermediate-key, intermediate-hash, intermediate-valid: as above, of the
//     intermediate; intermediate-ca false makes it no CA
//   - permitted-names: its name constraints
//   - sub-ca: it stands below the usual intermediate, whose path length of 0 allows no CA below it; all are sent
func DifferenceKeys() []string {
	return []string{
		"subject", "san", "add-san", "omit-san", "eku", "key", "hash", "signature", "valid", "lifetime", "cdp", "chain",
		"issuer", "revoked", "ca", "key-usage", "critical-extension", "withhold", "none",
		"intermediate-eku", "intermediate-ca", "intermediate-key", "intermediate-hash", "intermediate-valid", "permitted-names",
		"sub-ca",
	}
}

// maxLifetime is the longest lifetime in days: long enough for every real CA certificate.
const maxLifetime = 100 * 366

// difference reads one entry of certificates.
func (l *loader) difference(n *source.Node) plan.Difference {
	p := l.problems
	n = p.Mapping(n, "a certificate", DifferenceKeys()...)
	d := plan.Difference{
		SANs:      l.names(n.Get("san"), "san"),
		AddSANs:   l.names(n.Get("add-san"), "add-san"),
		OmitSANs:  p.Texts(n.Get("omit-san"), "omit-san"),
		Key:       p.OneOf(n.Get("key"), "key type", plan.KeyTypes()),
		Hash:      p.OneOf(n.Get("hash"), "signature hash", plan.Hashes()),
		Signature: p.OneOf(n.Get("signature"), "signature scheme", plan.Signatures()),
		Chain:     p.OneOf(n.Get("chain"), "chain", plan.Chains()),
		Issuer:    p.OneOf(n.Get("issuer"), "issuer", plan.Issuers()),
		CA:        l.flag(n.Get("ca"), "ca"),

		IntermediateEKU:  l.usages(n.Get("intermediate-eku"), "intermediate-eku"),
		IntermediateCA:   l.flag(n.Get("intermediate-ca"), "intermediate-ca"),
		IntermediateKey:  p.OneOf(n.Get("intermediate-key"), "key type", plan.KeyTypes()),
		IntermediateHash: p.OneOf(n.Get("intermediate-hash"), "signature hash", plan.Hashes()),
		Permitted:        l.permitted(n.Get("permitted-names")),
	}
	if subject := n.Get("subject"); !subject.IsNull() {
		text := p.Text(subject, "subject")
		l.subject(subject, text)
		d.Subject = &text
	}
	if eku := n.Get("eku"); !eku.IsNull() {
		usages := l.usages(eku, "eku")
		d.EKUs = &usages
	}
	if days, ok := p.Int(n.Get("lifetime"), "lifetime (days)", 1, maxLifetime); ok {
		d.Lifetime = time.Duration(days) * 24 * time.Hour
	}
	d.NotBefore, d.NotAfter = l.period(n, "valid")
	d.IntermediateNotBefore, d.IntermediateNotAfter = l.period(n, "intermediate-valid")
	if cdp, ok := p.Bool(n.Get("cdp"), "cdp"); ok {
		d.NoCDP = !cdp
	}
	d.Revoked, _ = p.Bool(n.Get("revoked"), "revoked")
	d.Critical, _ = p.Bool(n.Get("critical-extension"), "critical-extension")
	d.Withhold, _ = p.Bool(n.Get("withhold"), "withhold")
	d.None, _ = p.Bool(n.Get("none"), "none")
	d.SubCA, _ = p.Bool(n.Get("sub-ca"), "sub-ca")
	for _, item := range p.List(n.Get("key-usage"), "key-usage") {
		d.KeyUsage = append(d.KeyUsage, p.OneOf(item, "key usage", plan.KeyUsages()))
	}
	if slices.Contains(d.KeyUsage, "none") && len(d.KeyUsage) > 1 {
		p.Add(n.Get("key-usage"), "", "none stands for no keyUsage extension; nothing can stand beside it")
	}
	return d
}

// period reads {from, until}; what isn't there is nil.
func (l *loader) period(n *source.Node, key string) (from, until *time.Time) {
	m := l.problems.Mapping(n.Get(key), key, "from", "until")
	if t, ok := l.problems.Time(m.Get("from"), "from"); ok {
		from = &t
	}
	if t, ok := l.problems.Time(m.Get("until"), "until"); ok {
		until = &t
	}
	return from, until
}

func (l *loader) flag(n *source.Node, what string) *bool {
	if v, ok := l.problems.Bool(n, what); ok {
		return &v
	}
	return nil
}

// maxCommonName is RFC 5280's ub-common-name.
const maxCommonName = 64

// subject is a name that may be wrong on purpose: it must be one that a certificate can hold, no more.
func (l *loader) subject(n *source.Node, text string) {
	switch {
	case text == "":
	case len(text) > maxCommonName:
		l.problems.Add(n, "", "the subject name has %d characters; a certificate holds %d at most (RFC 5280, appendix A.1)", len(text), maxCommonName)
	default:
		if wrong, hint := checkSAN(plan.DNSName, text); wrong != "" {
			l.problems.Add(n, hint, "%s", wrong)
		}
	}
}

// names reads a list of SANs: a text is a dNSName, a mapping with one key gives the kind.
func (l *loader) names(n *source.Node, what string) []plan.Name {
	if n.IsNull() {
		return nil
	}
	names := []plan.Name{}
	for _, item := range l.problems.List(n, what) {
		name := plan.Name{Kind: plan.DNSName}
		value := item
		if item.Kind == source.Mapping {
			kinds := []string{string(plan.DNSName), string(plan.URI), string(plan.XMPPAddr), string(plan.SRVName)}
			m := l.problems.Mapping(item, "a SAN", kinds...)
			if len(m.Entries) != 1 {
				l.problems.Add(item, "", "a SAN has one kind: dns, uri, xmpp-addr or srv-name")
				continue
			}
			name.Kind, value = plan.SANKind(m.Entries[0].Key.Value), m.Entries[0].Value
		}
		before := l.problems.Len()
		name.Value = l.problems.Text(value, "a SAN")
		if l.problems.Len() > before {
			continue
		}
		if wrong, hint := checkSAN(name.Kind, name.Value); wrong != "" {
			l.problems.Add(value, hint, "%s", wrong)
			continue
		}
		if slices.Contains(names, name) {
			l.problems.Add(item, "", "duplicate SAN %s", name)
			continue
		}
		names = append(names, name)
	}
	return names
}

var srvName = regexp.MustCompile(`^_[A-Za-z0-9-]+\.[A-Za-z0-9.-]+$`)

// checkSAN returns what is wrong with a SAN's value. What a CA wouldn't issue is let through, because a scenario may be
// about just that; what the field of the certificate can't hold is not.
func checkSAN(kind plan.SANKind, value string) (wrong, hint string) {
	switch {
	case value == "":
		return "a SAN is empty", ""
	case strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Sprintf("the SAN %q has a control character", value), ""
	case len(value) > 253:
		return fmt.Sprintf("the SAN has %d characters; 253 is the most here", len(value)), ""
	}
	switch kind {
	case plan.DNSName:
		return checkDNSName(value)
	case plan.URI:
		if u, err := url.Parse(value); err != nil || u.Scheme == "" || strings.ContainsFunc(value, notASCII) || strings.Contains(value, " ") {
			return fmt.Sprintf("%q isn't a URI", value), "for example: sip:contoso.com"
		}
	case plan.SRVName:
		if !srvName.MatchString(value) {
			return fmt.Sprintf("%q isn't an SRVName (RFC 4985 §2: _Service.Name)", value), "for example: _xmpp-server.contoso.com"
		}
	case plan.XMPPAddr:
		if strings.Contains(value, " ") {
			return fmt.Sprintf("the XMPP address %q has a space in it", value), ""
		}
	}
	return "", ""
}

func notASCII(r rune) bool { return r >= 0x80 }

// checkDNSName lets wildcards, underscores, single labels and a final dot through.
func checkDNSName(value string) (wrong, hint string) {
	if strings.ContainsFunc(value, notASCII) || strings.ContainsAny(value, " :/@") {
		return topology.CheckFQDN(value)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(value, "."), ".") {
		bad := strings.IndexFunc(label, func(r rune) bool {
			return r != '-' && r != '_' && r != '*' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
		switch {
		case label == "":
			return fmt.Sprintf("the name %q has an empty label", value), ""
		case len(label) > 63:
			return fmt.Sprintf("the label %q has %d characters; 63 is the most (RFC 1035 §2.3.4)", label, len(label)), ""
		case bad >= 0:
			return fmt.Sprintf("the name %q has the character %q", value, label[bad:bad+1]), ""
		}
	}
	return "", ""
}

var (
	oid       = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]{0,8}))+$`)
	namedOIDs = map[string]plan.Usage{"1.3.6.1.5.5.7.3.1": plan.Server, "1.3.6.1.5.5.7.3.2": plan.Client, "2.5.29.37.0": plan.Any}
)

// usages reads a list of EKUs. The result is nil only if there is none to read.
func (l *loader) usages(n *source.Node, what string) []plan.Usage {
	if n.IsNull() {
		return nil
	}
	usages := []plan.Usage{}
	names := []string{string(plan.Server), string(plan.Client), string(plan.Any)}
	for _, item := range l.problems.List(n, what) {
		text := l.problems.Literal(item, "an EKU")
		usage := plan.Usage(text)
		if named, ok := namedOIDs[text]; ok {
			usage = named
		}
		switch {
		case text == "none":
			l.problems.Add(item, "write []", "an EKU can't be none")
		case !slices.Contains(names, string(usage)) && !validOID(text):
			l.problems.Add(item, source.Suggest(text, names)+"; an OID is written in digits and dots", "%s is no EKU", strconv.Quote(text))
		case slices.Contains(usages, usage):
			l.problems.Add(item, "", "duplicate EKU %s", text)
		default:
			usages = append(usages, usage)
		}
	}
	return usages
}

// validOID refuses what ASN.1 can't encode: under the arcs 0 and 1 the second number is below 40 (X.660).
func validOID(text string) bool {
	if !oid.MatchString(text) {
		return false
	}
	parts := strings.SplitN(text, ".", 3)
	second, err := strconv.Atoi(parts[1])
	return err == nil && (parts[0] == "2" || second < 40)
}

func (l *loader) permitted(n *source.Node) []string {
	names := l.problems.Texts(n, "permitted-names")
	for i, item := range l.problems.List(n, "permitted-names") {
		if wrong, hint := topology.CheckFQDN(names[i]); wrong != "" && names[i] != "" {
			l.problems.Add(item, hint, "%s", wrong)
		}
	}
	return names
}
