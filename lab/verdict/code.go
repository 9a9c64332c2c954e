package verdict

import "slices"

// A Code is the verdict on a leg. Codes are stable: they appear in scenario files, in machine output and as
// arguments of edgelab explain, and are never renamed.
type Code string

// The codes. What each means, how to reproduce it and how to mend it is in Explain.
const (
	Trusted Code = "trusted" // both ends authenticated each other by certificate and exchanged messages

	// What a judge found wrong with a certificate.
	ClientEKUMissing  Code = "client-eku-missing"
	ServerEKUMissing  Code = "server-eku-missing"
	IntermediateEKU   Code = "intermediate-eku"   // a CA certificate's EKU excludes the purpose
	KeyUsage          Code = "key-usage"          // keyUsage forbids what the handshake needs
	BasicConstraints  Code = "basic-constraints"  // a CA as leaf, or an issuer that is no CA
	CriticalExtension Code = "critical-extension" // a critical extension the judge doesn't know
	NameConstraints   Code = "name-constraints"
	PolicyMissing     Code = "policy-missing" // a CA requires a certificate policy
	Unreadable        Code = "unreadable"     // the judge can't read the certificate
	NameMismatch      Code = "name-mismatch"
	SubjectNotInSAN   Code = "subject-not-in-san"
	WildcardRefused   Code = "wildcard-refused"
	ChainIncomplete   Code = "chain-incomplete" // an intermediate wasn't sent
	UntrustedRoot     Code = "untrusted-root"
	SelfSigned        Code = "self-signed" // a self-signed leaf that the judge's store doesn't hold
	Expired           Code = "expired"
	NotYetValid       Code = "not-yet-valid"
	Revoked           Code = "revoked"
	RevocationUnknown Code = "revocation-unknown" // the judge insists on a CRL and couldn't have one
	WeakKey           Code = "weak-key"
	WeakSignature     Code = "weak-signature"
	NoClientCert      Code = "no-client-certificate"

	// What an application found wrong beyond the certificate.
	SRVMismatch        Code = "srv-mismatch" // the SRV target isn't in the domain it serves
	SRVMissing         Code = "srv-missing"
	NotAllowed         Code = "not-allowed" // the domain or server isn't on the allow list
	ApplicationRefused Code = "application-refused"
	ProductDefect      Code = "product-defect" // a sound certificate on which the product breaks down

	// Works, without certificate trust.
	FallbackDialback  Code = "fallback-dialback"  // XEP-0220 inside TLS
	PlaintextDialback Code = "plaintext-dialback" // XEP-0220 without TLS

	// The connection itself.
	TLSRefused Code = "tls-refused" // TLS not offered, or refused with an alert no judge of ours explains
	NoAnswer   Code = "no-answer"   // nothing listens, or time ran out

	// The lab can't say.
	Unknown      Code = "unknown"      // the leg hinges on a rule that no source settles
	Inconclusive Code = "inconclusive" // the two ends' evidence contradicts itself, or the lab failed
)

var codes = []Code{
	Trusted, ClientEKUMissing, ServerEKUMissing, IntermediateEKU, KeyUsage, BasicConstraints, CriticalExtension,
	NameConstraints, PolicyMissing, Unreadable, NameMismatch, SubjectNotInSAN, WildcardRefused, ChainIncomplete, UntrustedRoot, SelfSigned, Expired,
	NotYetValid, Revoked, RevocationUnknown, WeakKey, WeakSignature, NoClientCert, SRVMismatch, SRVMissing, NotAllowed,
	ApplicationRefused, ProductDefect, FallbackDialback, PlaintextDialback, TLSRefused, NoAnswer, Unknown, Inconclusive,
}

// Codes returns every code, in the order in which documentation lists them.
func Codes() []Code { return slices.Clone(codes) }

// Valid reports whether c is one of Codes.
func (c Code) Valid() bool { return slices.Contains(codes, c) }

// Works reports whether messages get through on a leg with this verdict, by trust or by a fallback.
func (c Code) Works() bool { return c == Trusted || c == FallbackDialback || c == PlaintextDialback }
