package plan

import (
	"fmt"
	"strings"
	"time"
)

// CALifetime is how long an intermediate is valid if a difference gives only one end of that.
const CALifetime = 5 * 365 * 24 * time.Hour

// resolveIssuer completes what an order says of its issuer, and refuses what no issuer can do.
func resolveIssuer(o *Order, d Difference, at time.Time) error {
	if o.Issuer == IssuerSelfSigned {
		if field := aboutIssuer(d); field != "" {
			return &DifferenceError{Field: field, Reason: fmt.Sprintf("a self-signed certificate has no issuer that %s could apply to: "+
				"leave it out, or have a CA issue the certificate", field)}
		}
	}
	if err := resolveIntermediateValidity(o, d, at); err != nil {
		return err
	}
	key := signingKey(*o)
	switch {
	case o.Signature == SignatureRSAPSS && !strings.HasPrefix(key, "rsa-"):
		return &DifferenceError{Field: "signature", Reason: fmt.Sprintf("only an RSA key signs with RSASSA-PSS, and the issuer's is %s: "+
			"add intermediate-key: rsa-2048", key)}
	case o.Signature == SignatureRSAPSS && o.Hash == "sha1":
		return &DifferenceError{Field: "hash", Reason: "RSASSA-PSS goes with SHA-256, SHA-384 or SHA-512 here"}
	case key == "ed25519" && o.Hash != "sha256":
		return &DifferenceError{Field: "hash", Reason: "the issuer's Ed25519 key signs with a hash of its own (RFC 8032): leave hash out"}
	}
	return nil
}

// signingKey returns the type of the key that signs the certificate.
func signingKey(o Order) string {
	switch {
	case o.Issuer == IssuerSelfSigned:
		return o.Key
	case o.IntermediateKey != "":
		return o.IntermediateKey
	}
	return "ecdsa-p256"
}

// aboutIssuer returns the first field of a difference, as in a scenario file, that is about the certificate's issuer.
func aboutIssuer(d Difference) string {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"revoked", d.Revoked},
		{"intermediate-eku", len(d.IntermediateEKU) > 0},
		{"intermediate-ca", d.IntermediateCA != nil && !*d.IntermediateCA},
		{"intermediate-key", d.IntermediateKey != ""},
		{"intermediate-hash", d.IntermediateHash != ""},
		{"intermediate-valid", d.IntermediateNotBefore != nil || d.IntermediateNotAfter != nil},
		{"permitted-names", len(d.Permitted) > 0},
		{"sub-ca", d.SubCA},
	} {
		if f.set {
			return f.name
		}
	}
	return ""
}

func resolveIntermediateValidity(o *Order, d Difference, at time.Time) error {
	from, until := d.IntermediateNotBefore, d.IntermediateNotAfter
	if from == nil && until == nil {
		return nil
	}
	o.IntermediateNotBefore = at.AddDate(-1, 0, 0)
	switch {
	case from != nil:
		o.IntermediateNotBefore = *from
	case !until.After(o.IntermediateNotBefore):
		o.IntermediateNotBefore = until.Add(-CALifetime)
	}
	o.IntermediateNotAfter = o.IntermediateNotBefore.Add(CALifetime)
	if until != nil {
		o.IntermediateNotAfter = *until
	}
	o.IntermediateNotBefore = o.IntermediateNotBefore.UTC().Truncate(time.Second)
	o.IntermediateNotAfter = o.IntermediateNotAfter.UTC().Truncate(time.Second)
	if !o.IntermediateNotAfter.After(o.IntermediateNotBefore) {
		return &DifferenceError{Field: "intermediate-valid", Reason: fmt.Sprintf("it ends (%s) before it begins (%s)",
			o.IntermediateNotAfter.Format(time.RFC3339), o.IntermediateNotBefore.Format(time.RFC3339))}
	}
	return nil
}
