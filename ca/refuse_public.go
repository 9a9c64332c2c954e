package ca

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/edgelab/edgelab/lab/plan"
)

// publicCA holds the rules for certificates that browsers trust: the CA/Browser Forum's Baseline Requirements (BR) for
// TLS server certificates, in version 2.2.6 of 2026-03-31, and Chrome's root programme, which goes further on the
// client EKU. A rule holds for the order's NotBefore where it has changed over time.
func publicCA() []refusal {
	return []refusal{
		{"BR 2.2.6 §7.1.2.7.12", foreignSAN},
		{"BR 2.2.6 §7.1.2.7.12", noHostSAN},
		{"BR 2.2.6 §4.2.2", internalName},
		{"BR 2.2.6 §7.1.2.7.12", malformedName},
		{"BR 2.2.6 §3.2.2.6", wildcard},
		{"BR 2.2.6 §7.1.4.3", subjectNotInSAN},
		{"BR 2.2.6 §7.1.2.7.10", serverUsage},
		{"BR 2.2.6 §7.1.2.7.10", forbiddenUsage},
		{"Chrome Root Program Policy v1.8", clientUsage},
		{"BR 2.2.6 §6.1.5", keyKind},
		{"BR 2.2.6 §7.1.3.2", hashKind},
		{"BR 2.2.6 §7.1.2.7.11", publicKeyUsage},
		{"BR 2.2.6 §7.1.2.11.2", noCDP},
		{"BR 2.2.6 §6.3.2", tooLong},
	}
}

func foreignSAN(o plan.Order, _ time.Time) string {
	var foreign []string
	for _, n := range o.SANs {
		if n.Kind != plan.DNSName {
			foreign = append(foreign, fmt.Sprintf("%s %q", n.Kind, clip(n.Value)))
		}
	}
	if len(foreign) == 0 {
		return ""
	}
	return "its SAN holds " + strings.Join(foreign, ", ") + ": only dNSName and iPAddress are allowed"
}

func noHostSAN(o plan.Order, _ time.Time) string {
	if len(dnsNames(o.SANs)) > 0 {
		return ""
	}
	return "its SAN holds no dNSName"
}

func internalName(o plan.Order, _ time.Time) string {
	var internal []string
	for _, name := range dnsNames(o.SANs) {
		// A name outside ICANN's part of the Public Suffix List has no top-level domain of the root zone.
		suffix, icann := publicsuffix.PublicSuffix(strings.ToLower(name))
		for !icann && strings.Contains(suffix, ".") { // a private suffix such as github.io lies below one of ICANN's
			_, suffix, _ = strings.Cut(suffix, ".")
			suffix, icann = publicsuffix.PublicSuffix(suffix)
		}
		if !icann {
			internal = append(internal, clip(name))
		}
	}
	if len(internal) == 0 {
		return ""
	}
	return strings.Join(internal, ", ") + ": an internal name, not under a public top-level domain"
}

func malformedName(o plan.Order, _ time.Time) string {
	for _, name := range dnsNames(o.SANs) {
		host := strings.TrimPrefix(name, "*.")
		if strings.Contains(host, "*") {
			continue // the rule on wildcards says it
		}
		if _, err := netip.ParseAddr(host); err == nil {
			return fmt.Sprintf("dNSName %q is an IP address", clip(name))
		}
		for label := range strings.SplitSeq(host, ".") {
			if !isLDH(label) {
				return fmt.Sprintf("dNSName %q isn't made of letters, digits and hyphens", clip(name))
			}
		}
	}
	return ""
}

// isLDH reports whether a label is of letters, digits and inner hyphens, and at most 63 of them (RFC 5890 §2.3.1).
func isLDH(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

func wildcard(o plan.Order, _ time.Time) string {
	for _, name := range dnsNames(o.SANs) {
		if !strings.Contains(name, "*") {
			continue
		}
		base, found := strings.CutPrefix(name, "*.")
		if !found || strings.Contains(base, "*") {
			return fmt.Sprintf("%q: a wildcard may only be the whole left-most label", clip(name))
		}
		if suffix, icann := publicsuffix.PublicSuffix(strings.ToLower(base)); icann && strings.EqualFold(suffix, base) {
			return fmt.Sprintf("%q covers all of a registry", clip(name))
		}
	}
	return ""
}

func subjectNotInSAN(o plan.Order, _ time.Time) string {
	if o.Subject == "" || slices.Contains(dnsNames(o.SANs), o.Subject) {
		return ""
	}
	return fmt.Sprintf("its common name %q isn't among the SAN's dNSNames, character for character", clip(o.Subject))
}

// usages returns the order's EKUs as dotted OIDs.
func usages(o plan.Order) []string {
	var oids []string
	for _, u := range o.EKUs {
		if oid, err := usageOID(u); err == nil { // a complete order has no other
			oids = append(oids, oid.String())
		}
	}
	return oids
}

func serverUsage(o plan.Order, _ time.Time) string {
	switch {
	case len(o.EKUs) == 0:
		return "it has no EKU extension"
	case !slices.Contains(usages(o), oidServerAuth.String()):
		return "its EKU doesn't list serverAuth"
	}
	return ""
}

func forbiddenUsage(o plan.Order, _ time.Time) string {
	forbidden := map[string]string{
		oidAnyUsage.String():      "anyExtendedKeyUsage",
		"1.3.6.1.5.5.7.3.3":       "codeSigning",
		"1.3.6.1.5.5.7.3.4":       "emailProtection",
		"1.3.6.1.5.5.7.3.8":       "timeStamping",
		"1.3.6.1.5.5.7.3.9":       "OCSPSigning",
		"1.3.6.1.4.1.11129.2.4.4": "precertificate signing",
	}
	for _, oid := range usages(o) {
		if name, ok := forbidden[oid]; ok {
			return "its EKU lists " + name
		}
	}
	return ""
}

func clientUsage(o plan.Order, _ time.Time) string {
	last := time.Date(2027, 3, 15, 0, 0, 0, 0, time.UTC)
	if o.NotBefore.Before(last) || !slices.Contains(usages(o), oidClientAuth.String()) {
		return ""
	}
	return "its EKU lists clientAuth, which no certificate issued from 2027-03-15 may"
}

func keyKind(o plan.Order, _ time.Time) string {
	const permitted = ": only RSA of 2048 bits or more and ECDSA on P-256, P-384 and P-521 are permitted"
	for _, k := range []struct{ whose, key string }{{"its key", o.Key}, {"its issuer's key", o.IntermediateKey}} {
		if k.key == "ed25519" || k.key == "rsa-1024" {
			return k.whose + " is " + k.key + permitted
		}
	}
	return ""
}

// hashKind holds each CA to the hashes that go with its key.
func hashKind(o plan.Order, _ time.Time) string {
	if o.Issuer == plan.IssuerSelfSigned {
		return ""
	}
	if key := cmp.Or(o.IntermediateKey, caKey); !slices.Contains(hashesOf(key), o.Hash) {
		return "a CA with a key of type " + key + " signs with " + strings.Join(hashesOf(key), " or ") + ", not with " + o.Hash
	}
	if h := cmp.Or(o.IntermediateHash, hashDefault); !slices.Contains(hashesOf(caKey), h) {
		return "its issuer's certificate is signed with " + h + " by a CA with a key of type " + caKey
	}
	return ""
}

// hashesOf returns the hashes that a public CA with a key of the given type signs with, in either RSA scheme.
func hashesOf(key string) []string {
	switch key {
	case "ecdsa-p256":
		return []string{"sha256"}
	case "ecdsa-p384":
		return []string{"sha384"}
	case "ecdsa-p521":
		return []string{"sha512"}
	}
	return []string{"sha256", "sha384", "sha512"}
}

func publicKeyUsage(o plan.Order, _ time.Time) string {
	if len(o.KeyUsage) == 0 || slices.Contains(o.KeyUsage, noKeyUsage) {
		return ""
	}
	allowed := []string{"digitalSignature", "keyEncipherment", "dataEncipherment"}
	if strings.HasPrefix(o.Key, "ecdsa-") {
		allowed = []string{"digitalSignature", "keyAgreement"}
		if !slices.Contains(o.KeyUsage, "digitalSignature") {
			return "keyUsage lacks digitalSignature, which an ECDSA key must have"
		}
	}
	for _, name := range o.KeyUsage {
		if !slices.Contains(allowed, name) {
			return "keyUsage has " + name + ", which a key of type " + o.Key + " may not"
		}
	}
	return ""
}

func noCDP(o plan.Order, _ time.Time) string {
	// §1.6.1 calls short-lived what is valid for 10 days at most, from 2026-03-15 for 7, and before 2024-03-15 nothing.
	shortLived := 0
	switch issued := o.NotBefore.Format(time.DateOnly); {
	case issued >= "2026-03-15":
		shortLived = 7
	case issued >= "2024-03-15":
		shortLived = 10
	}
	if !o.NoCDP || days(o) <= shortLived {
		return ""
	}
	return "it names no CRL distribution point and no OCSP responder, and isn't short-lived"
}

// days is the validity period in days of 86,400 seconds, a started one counted whole (BR §6.3.2). Both ends belong to
// the period (RFC 5280 §4.1.2.5).
func days(o plan.Order) int {
	seconds := o.NotAfter.Unix() - o.NotBefore.Unix() + 1
	return int((seconds + 86399) / 86400)
}

// lifetimes are the longest validity periods by date of issuing, the latest first. §6.3.2 of BR 2.2.6 has
// those that end in 2026 and later, §6.3.2 of BR 1.7.4 the dates of the two before.
func lifetimes() []struct {
	since string
	days  int
} {
	return []struct {
		since string
		days  int
	}{
		{"2029-03-15", 47},
		{"2027-03-15", 100},
		{"2026-03-15", 200},
		{"2020-09-01", 398},
		{"2018-03-01", 825},
	}
}

func tooLong(o plan.Order, _ time.Time) string {
	for _, l := range lifetimes() {
		if o.NotBefore.Format(time.DateOnly) < l.since {
			continue
		}
		if n := days(o); n > l.days {
			return fmt.Sprintf("it is valid for %d days; from %s the most is %d", n, l.since, l.days)
		}
		return ""
	}
	return ""
}
