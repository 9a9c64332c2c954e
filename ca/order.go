package ca

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgelab/edgelab/lab/plan"
)

// An OrderError says why an order can't be made into a certificate at all. What can be made, but should not be sold,
// is no error: see Issued.Beside.
type OrderError struct {
	CA    string // as passed to Issue
	Order string // the subject, or what else the order is known by
	Field string // the order's field, by its JSON name; empty: the order as a whole
	Err   error  // the reason and the way out
}

func (e *OrderError) Error() string {
	field := e.Field
	if field != "" {
		field += ": "
	}
	return fmt.Sprintf("order %q on the CA %q: %s%v", e.Order, e.CA, field, e.Err)
}

func (e *OrderError) Unwrap() error { return e.Err }

// title is what an error calls the order.
func title(o plan.Order) string {
	switch {
	case o.Subject != "":
		return clip(o.Subject)
	case len(o.SANs) > 0:
		return clip(o.SANs[0].Value)
	}
	return "without a name"
}

// clip keeps a message on one line, whatever a name holds.
func clip(s string) string {
	const longest = 80
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

const hashDefault = "sha256"

// caKey is the type of a CA's key unless the order asks for another.
const caKey = "ecdsa-p256"

func hashes() []string { return []string{hashDefault, "sha384", "sha512", "sha1"} }

func chains() []string {
	return []string{plan.ChainFull, plan.ChainLeafOnly, plan.ChainWithRoot, plan.ChainMisordered}
}

// keyUsages maps the names of RFC 5280 §4.2.1.3 to their bits.
func keyUsages() map[string]x509.KeyUsage {
	return map[string]x509.KeyUsage{
		"digitalSignature":  x509.KeyUsageDigitalSignature,
		"contentCommitment": x509.KeyUsageContentCommitment,
		"nonRepudiation":    x509.KeyUsageContentCommitment, // the older name of the same bit
		"keyEncipherment":   x509.KeyUsageKeyEncipherment,
		"dataEncipherment":  x509.KeyUsageDataEncipherment,
		"keyAgreement":      x509.KeyUsageKeyAgreement,
		"keyCertSign":       x509.KeyUsageCertSign,
		"cRLSign":           x509.KeyUsageCRLSign,
		"encipherOnly":      x509.KeyUsageEncipherOnly,
		"decipherOnly":      x509.KeyUsageDecipherOnly,
	}
}

// noKeyUsage in an order's KeyUsage leaves the extension out.
const noKeyUsage = "none"

// complete copies an order, fills in its defaults, and checks that every field can be put into a certificate.
func complete(o plan.Order) (plan.Order, string, error) {
	o.SANs = slices.Clone(o.SANs)
	o.EKUs = slices.Clone(o.EKUs)
	o.KeyUsage = slices.Clone(o.KeyUsage)
	o.IntermediateEKU = slices.Clone(o.IntermediateEKU)
	o.Permitted = slices.Clone(o.Permitted)
	if o.IntermediateCA != nil {
		isCA := *o.IntermediateCA
		o.IntermediateCA = &isCA
		if isCA {
			o.IntermediateCA = nil // as every intermediate is
		}
	}
	if o.Hash == "" {
		o.Hash = hashDefault
	}
	if o.Chain == "" {
		o.Chain = plan.ChainFull
	}
	if o.IntermediateKey == caKey {
		o.IntermediateKey = "" // as it is by itself
	}
	if o.IntermediateHash == hashDefault {
		o.IntermediateHash = ""
	}
	// A certificate's times have no fraction and no zone (RFC 5280 §4.1.2.5).
	o.NotBefore = o.NotBefore.UTC().Truncate(time.Second)
	o.NotAfter = o.NotAfter.UTC().Truncate(time.Second)
	o.IntermediateNotBefore = o.IntermediateNotBefore.UTC().Truncate(time.Second)
	o.IntermediateNotAfter = o.IntermediateNotAfter.UTC().Truncate(time.Second)

	for _, check := range []struct {
		field string
		fault func(plan.Order) error
	}{
		{"subject", subjectFault},
		{"sans", sanFault},
		{"ekus", func(o plan.Order) error { return usageFault(o.EKUs) }},
		{"intermediate-eku", func(o plan.Order) error { return usageFault(o.IntermediateEKU) }},
		{"key", func(o plan.Order) error { return oneOf("key type", o.Key, KeyTypes()) }},
		{"hash", func(o plan.Order) error { return oneOf("hash", o.Hash, hashes()) }},
		{"chain", func(o plan.Order) error { return oneOf("chain", o.Chain, chains()) }},
		{"key-usage", keyUsageFault},
		{"not-before", func(o plan.Order) error { return dateFault(o.NotBefore) }},
		{"not-after", func(o plan.Order) error { return dateFault(o.NotAfter) }},
		{"permitted-names", permittedFault},
		{"issuer", issuerFault},
		{"signature", signatureFault},
		{"intermediate-key", func(o plan.Order) error { return oneOf("key type", cmp.Or(o.IntermediateKey, caKey), KeyTypes()) }},
		{"intermediate-hash", func(o plan.Order) error { return oneOf("hash", cmp.Or(o.IntermediateHash, hashDefault), hashes()) }},
		{"intermediate-not-after", intermediateDateFault},
		{"revoked", alone("revoked", func(o plan.Order) bool { return o.Revoked })},
		{"intermediate-eku", alone("intermediate-eku", func(o plan.Order) bool { return len(o.IntermediateEKU) > 0 })},
		{"intermediate-ca", alone("intermediate-ca", func(o plan.Order) bool { return o.IntermediateCA != nil })},
		{"intermediate-key", alone("intermediate-key", func(o plan.Order) bool { return o.IntermediateKey != "" })},
		{"intermediate-hash", alone("intermediate-hash", func(o plan.Order) bool { return o.IntermediateHash != "" })},
		{"intermediate-not-after", alone("intermediate-not-after", func(o plan.Order) bool { return !o.IntermediateNotAfter.IsZero() })},
		{"permitted-names", alone("permitted-names", func(o plan.Order) bool { return len(o.Permitted) > 0 })},
		{"sub-ca", alone("sub-ca", func(o plan.Order) bool { return o.SubCA })},
	} {
		if err := check.fault(o); err != nil {
			return o, check.field, err
		}
	}
	return o, "", nil
}

func oneOf(what, word string, known []string) error {
	if slices.Contains(known, word) {
		return nil
	}
	return unknown(what, clip(word), known)
}

func subjectFault(o plan.Order) error {
	if !utf8.ValidString(o.Subject) {
		return fmt.Errorf("%q isn't valid UTF-8: write it in UTF-8", clip(o.Subject))
	}
	return nil
}

func sanFault(o plan.Order) error {
	for _, n := range o.SANs {
		if err := checkName(n); err != nil {
			return err
		}
	}
	return nil
}

func usageFault(usages []plan.Usage) error {
	for _, u := range usages {
		if _, err := usageOID(u); err != nil {
			return err
		}
	}
	return nil
}

func keyUsageFault(o plan.Order) error {
	if len(o.KeyUsage) == 1 && o.KeyUsage[0] == noKeyUsage {
		return nil
	}
	known := append(slices.Sorted(maps.Keys(keyUsages())), noKeyUsage)
	for _, name := range o.KeyUsage {
		if name == noKeyUsage {
			return fmt.Errorf("%q stands among other key usages: let it stand alone", noKeyUsage)
		}
		if err := oneOf("key usage", name, known); err != nil {
			return err
		}
	}
	return nil
}

func dateFault(t time.Time) error {
	if t.IsZero() {
		return errors.New("no date is given: set both not-before and not-after")
	}
	if t.Year() < 1 || t.Year() > 9999 {
		return fmt.Errorf("year %d doesn't fit a certificate's date: use 1 to 9999", t.Year())
	}
	return nil
}

func permittedFault(o plan.Order) error {
	for _, domain := range o.Permitted {
		if err := checkName(plan.Name{Kind: plan.DNSName, Value: domain}); err != nil {
			return err
		}
		if strings.Contains(domain, "*") {
			return fmt.Errorf("%q: a name constraint holds no wildcard, it covers all names below a domain "+
				"(RFC 5280 §4.2.1.10): write the bare domain", clip(domain))
		}
	}
	return nil
}

func issuerFault(o plan.Order) error {
	issuers := []string{plan.IssuerUntrusted, plan.IssuerSelfSigned, plan.IssuerForged}
	if o.Issuer == plan.IssuerPlanned {
		return nil
	}
	return oneOf("issuer", o.Issuer, issuers)
}

func signatureFault(o plan.Order) error {
	if o.Signature == "" {
		return nil
	}
	return oneOf("signature scheme", o.Signature, []string{plan.SignatureRSAPSS})
}

func intermediateDateFault(o plan.Order) error {
	if o.IntermediateNotBefore.IsZero() && o.IntermediateNotAfter.IsZero() {
		return nil
	}
	if err := dateFault(o.IntermediateNotBefore); err != nil {
		return err
	}
	return dateFault(o.IntermediateNotAfter)
}

// alone keeps a field that is about the issuer off a self-signed order, where it would silently come to nothing.
func alone(field string, set func(plan.Order) bool) func(plan.Order) error {
	return func(o plan.Order) error {
		if o.Issuer == plan.IssuerSelfSigned && set(o) {
			return fmt.Errorf("a self-signed certificate has no issuer that this could apply to: drop %s, or have a CA issue it", field)
		}
		return nil
	}
}

// content names an order by what it holds: equal orders, and only they, have equal content.
func content(ca string, o plan.Order) string {
	text, err := json.Marshal(struct {
		CA    string
		Order plan.Order
	}{ca, o})
	if err != nil {
		// A complete order holds strings, booleans and dates of the years 1 to 9999, all of which JSON takes.
		panic("ca: an order that was checked can't be written: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
