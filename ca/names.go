package ca

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/edgelab/edgelab/lab/plan"
)

var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidXMPPAddr       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120 §13.7.1.4
	oidDNSSRV         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7} // RFC 4985 §2
)

// Tags of GeneralName's choices, RFC 5280 §4.2.1.6.
const (
	tagOtherName = 0
	tagDNSName   = 2
	tagURI       = 6
)

// sanExtension encodes the names in their order. x509 and x509util would sort them by kind, lower-case them, and
// refuse a wildcard next to an otherName.
func sanExtension(names []plan.Name, critical bool) (pkix.Extension, error) {
	var values []asn1.RawValue
	for _, n := range names {
		v, err := generalName(n)
		if err != nil {
			return pkix.Extension{}, err
		}
		values = append(values, v)
	}
	der, err := asn1.Marshal(values)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode the SAN extension: %w", err)
	}
	return pkix.Extension{Id: oidSubjectAltName, Critical: critical, Value: der}, nil
}

func generalName(n plan.Name) (asn1.RawValue, error) {
	if err := checkName(n); err != nil {
		return asn1.RawValue{}, err
	}
	switch n.Kind {
	case plan.DNSName:
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagDNSName, Bytes: []byte(n.Value)}, nil
	case plan.URI:
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagURI, Bytes: []byte(n.Value)}, nil
	case plan.XMPPAddr:
		return otherName(oidXMPPAddr, n.Value, "utf8")
	default: // checkName lets only plan.SRVName come here
		return otherName(oidDNSSRV, n.Value, "ia5")
	}
}

// otherName encodes an otherName whose value is a string of the given ASN.1 type, as encoding/asn1 names it.
func otherName(id asn1.ObjectIdentifier, value, stringType string) (asn1.RawValue, error) {
	oid, err := asn1.Marshal(id)
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("encode otherName %q: %w", value, err)
	}
	text, err := asn1.MarshalWithParams(value, stringType)
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("encode otherName %q: %w", value, err)
	}
	explicit, err := asn1.Marshal(asn1.RawValue{
		Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: text,
	})
	if err != nil {
		return asn1.RawValue{}, fmt.Errorf("encode otherName %q: %w", value, err)
	}
	return asn1.RawValue{
		Class: asn1.ClassContextSpecific, Tag: tagOtherName, IsCompound: true, Bytes: append(oid, explicit...),
	}, nil
}

func sanKinds() []string {
	return []string{string(plan.DNSName), string(plan.URI), string(plan.XMPPAddr), string(plan.SRVName)}
}

// checkName says what keeps a name out of a SAN extension altogether. A name that can be written there but should
// not be is a matter for the refusals.
func checkName(n plan.Name) error {
	switch n.Kind {
	case plan.DNSName, plan.URI, plan.SRVName:
		for _, r := range n.Value {
			if r > 127 || r == utf8.RuneError {
				return fmt.Errorf("%s %q holds characters outside ASCII, and the field is an IA5String "+
					"(RFC 5280 §7.2): write an internationalised domain as its A-label (xn--…)", n.Kind, n.Value)
			}
		}
	case plan.XMPPAddr:
		if !utf8.ValidString(n.Value) {
			return fmt.Errorf("%s %q isn't valid UTF-8, and the field is a UTF8String (RFC 6120 §13.7.1.4)", n.Kind, n.Value)
		}
	default:
		return unknown("SAN kind", string(n.Kind), sanKinds())
	}
	if n.Value == "" {
		return errors.New(string(n.Kind) + " is empty: give it a value or leave the entry out")
	}
	return nil
}
