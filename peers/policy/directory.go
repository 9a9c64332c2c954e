package policy

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/url"
	"slices"
	"strings"
)

// uncompared returns what a stack refuses without comparing it.
func uncompared(ca, c *cert, forms []string) (string, bool) {
	switch {
	case slices.Contains(forms, formNoDirectory) && len(ca.directories(1)) > 0:
		return "any directory name, since it excludes some", true
	case slices.Contains(forms, formNoURI) && len(c.URIs) > 0 && len(ca.ExcludedURIDomains) > 0:
		return c.URIs[0].String() + " or any other URI, since it excludes some", true
	case slices.Contains(forms, formNoEmpty) && slices.Contains(ca.PermittedDNSDomains, ""):
		return "anything, by an empty dNSName", true
	case slices.Contains(forms, formNoAddress) && len(c.IPAddresses) > 0 && len(ca.PermittedIPRanges)+len(ca.ExcludedIPRanges) > 0:
		return c.IPAddresses[0].String() + " or any other address", true
	case slices.Contains(forms, formSubject) && len(c.Subject.Names) == 0 && len(ca.directories(0)) > 0:
		return "an empty subject", true
	case slices.Contains(forms, formHosted) && len(ca.PermittedURIDomains)+len(ca.ExcludedURIDomains) > 0:
		if i := slices.IndexFunc(c.URIs, func(u *url.URL) bool { return u.Hostname() == "" }); i >= 0 {
			return c.URIs[i].String() + ", which has no host", true
		}
	}
	return "", false
}

// coversExcluded reports whether a wildcard stands for a name that is excluded.
func coversExcluded(name string, excluded []string) bool {
	rest, ok := strings.CutPrefix(name, "*.")
	return ok && slices.ContainsFunc(excluded, func(e string) bool {
		_, parent, ok := strings.Cut(strings.TrimPrefix(e, "."), ".")
		return ok && strings.EqualFold(parent, rest)
	})
}

// directories returns the directoryName subtrees of c's name constraints: the permitted (0) or the excluded (1) ones.
func (c *cert) directories(which int) []pkix.RDNSequence {
	var out []pkix.RDNSequence
	for i := range c.Extensions {
		if !c.Extensions[i].Id.Equal(oidNameConstraints) {
			continue
		}
		var all asn1.RawValue
		if _, err := asn1.Unmarshal(c.Extensions[i].Value, &all); err != nil {
			return nil
		}
		for _, trees := range parts(all.Bytes) {
			if trees.Tag != which {
				continue
			}
			for _, tree := range parts(trees.Bytes) {
				base := parts(tree.Bytes)
				var name pkix.RDNSequence
				if len(base) == 0 || base[0].Tag != 4 {
					continue
				}
				if _, err := asn1.Unmarshal(base[0].Bytes, &name); err == nil {
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// parts returns the elements that follow each other in der.
func parts(der []byte) []asn1.RawValue {
	var out []asn1.RawValue
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			return out
		}
		out, der = append(out, v), rest
	}
	return out
}

// directoryAllowed holds c's subject, if it has one, against ca's constraints (RFC 5280 §4.2.1.10).
func directoryAllowed(ca, c *cert) bool {
	permitted, excluded := ca.directories(0), ca.directories(1)
	if len(permitted)+len(excluded) == 0 {
		return true
	}
	var subject pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.RawSubject, &subject); err != nil || len(subject) == 0 {
		return true
	}
	return allowed(subject, permitted, excluded, func(name, base pkix.RDNSequence) bool {
		if len(base) > len(name) {
			return false
		}
		a, errA := asn1.Marshal(name[:len(base)])
		b, errB := asn1.Marshal(base)
		return errA == nil && errB == nil && (bytes.Equal(a, b) || sameName(a, b, canonicalNames))
	})
}
