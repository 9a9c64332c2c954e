package conformance

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/netip"
	"strings"
)

var (
	oidCommonName        = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidOrganization      = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidNameConstraints   = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidPolicies          = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidPolicyConstraints = asn1.ObjectIdentifier{2, 5, 29, 36}
)

// extensions returns those that are encoded here and not by crypto/x509.
func (v Variant) extensions(s Spec, leaf bool) ([]pkix.Extension, error) {
	var out []pkix.Extension
	if leaf {
		san, err := v.san(s)
		if err != nil {
			return nil, err
		}
		if san != nil {
			out = append(out, *san)
		}
	}
	if len(s.Permitted)+len(s.Excluded) > 0 {
		der, err := v.constraints(s)
		if err != nil {
			return nil, err
		}
		out = append(out, pkix.Extension{Id: oidNameConstraints, Critical: true, Value: der})
	}
	if len(s.Policies) > 0 {
		type policy struct{ ID asn1.ObjectIdentifier }
		var list []policy
		for _, p := range s.Policies {
			oid, err := parseOID(p)
			if err != nil {
				return nil, err
			}
			list = append(list, policy{oid})
		}
		der, err := asn1.Marshal(list)
		if err != nil {
			return nil, err
		}
		out = append(out, pkix.Extension{Id: oidPolicies, Value: der})
	}
	if s.RequirePolicy {
		der := []byte{0x30, 3, 0x80, 1, 0} // requireExplicitPolicy [0] 0
		out = append(out, pkix.Extension{Id: oidPolicyConstraints, Critical: true, Value: der})
	}
	if s.CriticalExtension {
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
	}
	return out, nil
}

// constraints encodes nameConstraints (RFC 5280 §4.2.1.10).
func (v Variant) constraints(s Spec) ([]byte, error) {
	type subtree struct{ Base asn1.RawValue }
	trees := func(names []string) ([]subtree, error) {
		var out []subtree
		for _, n := range v.expandAll(names) {
			base, err := generalName(n)
			if err != nil {
				return nil, err
			}
			out = append(out, subtree{base})
		}
		return out, nil
	}
	permitted, err := trees(s.Permitted)
	if err != nil {
		return nil, err
	}
	excluded, err := trees(s.Excluded)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Permitted []subtree `asn1:"optional,tag:0"`
		Excluded  []subtree `asn1:"optional,tag:1"`
	}{permitted, excluded})
}

func generalName(n string) (asn1.RawValue, error) {
	form, value, ok := strings.Cut(n, ":")
	if !ok {
		form, value = "dns", n
	}
	name := asn1.RawValue{Class: asn1.ClassContextSpecific, Bytes: []byte(value)}
	switch form {
	case "dns":
		name.Tag = sanDNS
	case "email":
		name.Tag = sanEmail
	case "uri":
		name.Tag = sanURI
	case "ip":
		prefix, err := netip.ParsePrefix(value)
		if err != nil {
			return name, err
		}
		mask := make([]byte, prefix.Addr().BitLen()/8)
		for i := range prefix.Bits() {
			mask[i/8] |= 0x80 >> (i % 8)
		}
		name.Tag, name.Bytes = sanIP, append(prefix.Addr().AsSlice(), mask...)
	case "dir":
		rdn := pkix.RDNSequence{{{Type: oidOrganization, Value: value}}}
		der, err := asn1.Marshal(rdn)
		if err != nil {
			return name, err
		}
		name.Tag, name.IsCompound, name.Bytes = sanDirectory, true, der
	default:
		return name, fmt.Errorf("no name form %q", form)
	}
	return name, nil
}
