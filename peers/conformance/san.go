package conformance

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/netip"
)

var (
	oidSAN      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidXMPPAddr = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120 §13.7.1.4
	oidSRVName  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7} // RFC 4985 §2
)

// The choices of GeneralName, RFC 5280 §4.2.1.6.
const (
	sanOtherName = 0
	sanEmail     = 1
	sanDNS       = 2
	sanDirectory = 4
	sanURI       = 6
	sanIP        = 7
)

// san encodes the SAN extension by hand: libraries refuse or rewrite much of what is asked about here (wildcards
// beside otherNames, UTF-8, an empty list).
func (v Variant) san(s Spec) (*pkix.Extension, error) {
	if s.NoSAN {
		return nil, nil
	}
	dns := s.DNS
	if dns == nil {
		dns = []string{"{name}"}
		if v.Judged != "" {
			dns = []string{v.Judged}
		}
	}
	var names []asn1.RawValue
	plain := func(tag int, value []byte) {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: value})
	}
	other := func(oid asn1.ObjectIdentifier, stringTag int, value string) error {
		inner, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: stringTag, Bytes: []byte(value)})
		if err != nil {
			return err
		}
		id, err := asn1.Marshal(oid)
		if err != nil {
			return err
		}
		explicit, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner})
		if err != nil {
			return err
		}
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: sanOtherName, IsCompound: true,
			Bytes: append(id, explicit...)})
		return nil
	}
	for _, n := range v.expandAll(dns) {
		plain(sanDNS, []byte(n))
	}
	for _, n := range v.expandAll(s.Email) {
		plain(sanEmail, []byte(n))
	}
	for _, n := range v.expandAll(s.URI) {
		plain(sanURI, []byte(n))
	}
	for _, n := range s.IP {
		addr, err := netip.ParseAddr(n)
		if err != nil {
			return nil, fmt.Errorf("iPAddress: %w", err)
		}
		plain(sanIP, addr.AsSlice())
	}
	for _, n := range v.expandAll(s.XMPPAddr) {
		if err := other(oidXMPPAddr, asn1.TagUTF8String, n); err != nil {
			return nil, err
		}
	}
	for _, n := range v.expandAll(s.SRVName) {
		if err := other(oidSRVName, asn1.TagIA5String, n); err != nil {
			return nil, err
		}
	}
	der, err := asn1.Marshal(names)
	if err != nil {
		return nil, err
	}
	// RFC 5280 §4.2.1.6: critical if the subject is empty.
	return &pkix.Extension{Id: oidSAN, Critical: s.CN == "-" || s.SANCritical, Value: der}, nil
}
