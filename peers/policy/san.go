package policy

import (
	"encoding/asn1"
	"strings"
)

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
