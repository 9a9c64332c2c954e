package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// DefaultLifetime is how long a certificate is valid unless a scenario says otherwise.
const DefaultLifetime = 90 * 24 * time.Hour

// KeyTypes returns the keys that can be ordered.
func KeyTypes() []string {
	return []string{"rsa-1024", "rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519"}
}

// Hashes returns the hashes that a certificate can be signed with.
func Hashes() []string { return []string{"sha256", "sha384", "sha512", "sha1"} }

// KeyUsages returns the names of RFC 5280 §4.2.1.3, and "none" for no extension.
func KeyUsages() []string {
	return []string{
		"digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement",
		"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly", "none",
	}
}

// Chains returns what an end can send.
func Chains() []string { return []string{ChainFull, ChainLeafOnly, ChainWithRoot, ChainMisordered} }

// Issuers returns the issuers that can be asked for instead of the planned CA.
func Issuers() []string { return []string{IssuerUntrusted, IssuerSelfSigned, IssuerForged} }

// Signatures returns the signature schemes that can be asked for instead of the usual one for the issuer's key.
func Signatures() []string { return []string{SignatureRSAPSS} }

// A DifferenceError says which field of a Difference can't be applied.
type DifferenceError struct {
	Field  string // as in a scenario file: "omit-san"
	Value  string // the entry of a list; may be empty
	Reason string
	Valid  []string // what could have been meant
}

func (e *DifferenceError) Error() string { return e.Field + ": " + e.Reason }

// Resolve applies a difference to a line of the plan at a date and returns what is to be made. Unless the difference
// says otherwise it is valid from the day before the date, for DefaultLifetime. The error is a *DifferenceError.
func Resolve(c Certificate, d Difference, at time.Time) (Order, error) {
	o := Order{
		Subject: c.Subject, Key: c.KeySpec.Type, Hash: "sha256", Chain: ChainFull,
		Signature: d.Signature, KeyUsage: d.KeyUsage, Critical: d.Critical, NoCDP: d.NoCDP, Revoked: d.Revoked, Issuer: d.Issuer,
		Withhold: d.Withhold, None: d.None, IntermediateEKU: d.IntermediateEKU, IntermediateCA: d.IntermediateCA, IntermediateKey: d.IntermediateKey,
		IntermediateHash: d.IntermediateHash, Permitted: d.Permitted, SubCA: d.SubCA,
	}
	if d.Subject != nil {
		o.Subject = *d.Subject
	}
	if d.CA != nil {
		o.CA = *d.CA
	}
	override(&o.Key, d.Key)
	override(&o.Hash, d.Hash)
	override(&o.Chain, d.Chain)
	for _, e := range c.EKUs {
		o.EKUs = append(o.EKUs, e.Usage)
	}
	if d.EKUs != nil {
		o.EKUs = slices.Clone(*d.EKUs)
		if len(o.EKUs) == 0 {
			o.EKUs = nil
		}
	}
	if err := resolveNames(&o, c, d); err != nil {
		return Order{}, err
	}
	if err := resolveValidity(&o, d, at); err != nil {
		return Order{}, err
	}
	if err := resolveIssuer(&o, d, at); err != nil {
		return Order{}, err
	}
	return o, nil
}

func override(field *string, value string) {
	if value != "" {
		*field = value
	}
}

func resolveNames(o *Order, c Certificate, d Difference) error {
	for _, s := range c.SANs {
		o.SANs = append(o.SANs, Name{s.Kind, s.Value})
	}
	if d.SANs != nil {
		o.SANs = nil
		for _, n := range d.SANs {
			if contains(o.SANs, n) {
				return &DifferenceError{Field: "san", Value: n.Value, Reason: fmt.Sprintf("duplicate SAN %s", n)}
			}
			o.SANs = append(o.SANs, n)
		}
	}
	for _, value := range d.OmitSANs {
		before := len(o.SANs)
		var valid []string
		for _, n := range o.SANs {
			valid = append(valid, n.Value)
		}
		o.SANs = slices.DeleteFunc(o.SANs, func(n Name) bool { return strings.EqualFold(n.Value, value) })
		if len(o.SANs) == before {
			return &DifferenceError{Field: "omit-san", Value: value, Valid: valid,
				Reason: fmt.Sprintf("%s isn't a SAN of the certificate", value)}
		}
	}
	for _, n := range d.AddSANs {
		if contains(o.SANs, n) {
			return &DifferenceError{Field: "add-san", Value: n.Value, Reason: fmt.Sprintf("duplicate SAN %s: the certificate has it already", n)}
		}
		o.SANs = append(o.SANs, n)
	}
	if len(o.SANs) == 0 {
		o.SANs = nil
	}
	return nil
}

func contains(names []Name, n Name) bool {
	return slices.ContainsFunc(names, func(m Name) bool { return m.Kind == n.Kind && strings.EqualFold(m.Value, n.Value) })
}

// String returns the name's value, with its kind before it unless that is a dNSName.
func (n Name) String() string {
	if n.Kind == DNSName {
		return n.Value
	}
	return string(n.Kind) + ":" + n.Value
}

// ParseName is the reverse of Name.String: a text that begins with no other kind is a dNSName.
func ParseName(text string) Name {
	for _, kind := range []SANKind{URI, XMPPAddr, SRVName} {
		if value, ok := strings.CutPrefix(text, string(kind)+":"); ok {
			return Name{kind, value}
		}
	}
	return Name{DNSName, text}
}

func resolveValidity(o *Order, d Difference, at time.Time) error {
	lifetime := DefaultLifetime
	if d.Lifetime > 0 {
		lifetime = d.Lifetime
	}
	o.NotBefore = at.AddDate(0, 0, -1)
	switch {
	case d.NotBefore != nil:
		o.NotBefore = *d.NotBefore
	case d.NotAfter != nil && (d.Lifetime > 0 || !d.NotAfter.After(o.NotBefore)):
		o.NotBefore = d.NotAfter.Add(-lifetime)
	}
	o.NotAfter = o.NotBefore.Add(lifetime)
	if d.NotAfter != nil {
		o.NotAfter = *d.NotAfter
	}
	o.NotBefore, o.NotAfter = o.NotBefore.UTC().Truncate(time.Second), o.NotAfter.UTC().Truncate(time.Second)
	if !o.NotAfter.After(o.NotBefore) {
		return &DifferenceError{Field: "valid", Reason: fmt.Sprintf("it ends (%s) before it begins (%s)",
			o.NotAfter.Format(time.RFC3339), o.NotBefore.Format(time.RFC3339))}
	}
	return nil
}
