package plan

import "time"

// Issuers that an Order can ask for instead of the CA the plan names.
const (
	IssuerPlanned    = ""            // the CA that the plan names
	IssuerUntrusted  = "untrusted"   // a root that nobody's store holds
	IssuerSelfSigned = "self-signed" // the leaf signs itself
	IssuerForged     = "forged"      // it names the planned CA's intermediate, whose key didn't sign it
)

// SignatureRSAPSS is the one signature scheme that can be ordered instead of the usual one for the issuer's key:
// RSASSA-PSS (RFC 4055 §3.1) instead of PKCS #1 v1.5.
const SignatureRSAPSS = "rsa-pss"

// Chains that an end can send.
const (
	ChainFull       = "full"       // leaf and intermediate
	ChainLeafOnly   = "leaf-only"  // the intermediate is missing
	ChainWithRoot   = "with-root"  // leaf, intermediate, root
	ChainMisordered = "misordered" // leaf, root, intermediate
)

// A Name is a SAN entry to be put on a certificate.
type Name struct {
	Kind  SANKind `json:"kind"`
	Value string  `json:"value"`
}

// An Order is a certificate to make, fault by fault: a line of the plan with a scenario's differences applied. It
// is a plain comparable-by-content value; the CA's cache is keyed by it.
type Order struct {
	Subject   string    `json:"subject"` // common name; empty: none
	SANs      []Name    `json:"sans,omitempty"`
	EKUs      []Usage   `json:"ekus,omitempty"`      // nil: no EKU extension
	Key       string    `json:"key"`                 // KeyTypes
	Hash      string    `json:"hash,omitempty"`      // "sha256" (default), "sha384", "sha512", "sha1"
	Signature string    `json:"signature,omitempty"` // SignatureRSAPSS; empty: usual for the issuer's key
	KeyUsage  []string  `json:"key-usage,omitempty"` // "digitalSignature", …; nil: usual for the key; ["none"]: no extension
	CA        bool      `json:"ca,omitempty"`        // basicConstraints CA:TRUE on the leaf
	Critical  bool      `json:"critical,omitempty"`  // adds a critical extension that nobody knows
	NotBefore time.Time `json:"not-before"`          //
	NotAfter  time.Time `json:"not-after"`           //
	NoCDP     bool      `json:"no-cdp,omitempty"`    // leave the CRL distribution point out
	Revoked   bool      `json:"revoked,omitempty"`   // listed on the issuer's CRL
	Issuer    string    `json:"issuer,omitempty"`    // IssuerPlanned, …
	Chain     string    `json:"chain,omitempty"`     // ChainFull, …
	Withhold  bool      `json:"withhold,omitempty"`  // as an initiator, send no certificate though asked
	Holder    string    `json:"holder,omitempty"`    // who has the key, if it isn't all to whom the certificate is given
	None      bool      `json:"none,omitempty"`      // there is no certificate: the services that show it don't start

	// The intermediate that issues it. Where a field is empty it is as the lab's usual one: ECDSA on P-256, signed with
	// SHA-256, valid at every date, without EKU or name constraints, and with a path length of 0.
	IntermediateEKU       []Usage   `json:"intermediate-eku,omitempty"`
	IntermediateCA        *bool     `json:"intermediate-ca,omitempty"`  // false: the intermediate is no CA
	IntermediateKey       string    `json:"intermediate-key,omitempty"` // KeyTypes
	IntermediateHash      string    `json:"intermediate-hash,omitempty"`
	IntermediateNotBefore time.Time `json:"intermediate-not-before,omitzero"`
	IntermediateNotAfter  time.Time `json:"intermediate-not-after,omitzero"`
	Permitted             []string  `json:"permitted-names,omitempty"` // name constraints on the intermediate
	// SubCA puts one more CA between the intermediate and the certificate than the intermediate's path length allows.
	SubCA bool `json:"sub-ca,omitempty"`
}

// A Difference is what a scenario changes on one certificate of the plan. Zero fields change nothing.
type Difference struct {
	Subject   *string       `json:"subject,omitempty"`
	SANs      []Name        `json:"sans,omitempty"` // replaces the plan's
	AddSANs   []Name        `json:"add-sans,omitempty"`
	OmitSANs  []string      `json:"omit-sans,omitempty"`
	EKUs      *[]Usage      `json:"eku,omitempty"` // empty: no EKU extension
	Key       string        `json:"key,omitempty"`
	Hash      string        `json:"hash,omitempty"`
	Signature string        `json:"signature,omitempty"`
	NotBefore *time.Time    `json:"not-before,omitempty"`
	NotAfter  *time.Time    `json:"not-after,omitempty"`
	Lifetime  time.Duration `json:"lifetime,omitempty"`
	NoCDP     bool          `json:"no-cdp,omitempty"`
	Chain     string        `json:"chain,omitempty"`
	Issuer    string        `json:"issuer,omitempty"`
	Revoked   bool          `json:"revoked,omitempty"`
	CA        *bool         `json:"ca,omitempty"`
	KeyUsage  []string      `json:"key-usage,omitempty"`
	Critical  bool          `json:"critical,omitempty"`
	Withhold  bool          `json:"withhold,omitempty"`
	None      bool          `json:"none,omitempty"`

	IntermediateEKU       []Usage    `json:"intermediate-eku,omitempty"`
	IntermediateCA        *bool      `json:"intermediate-ca,omitempty"`
	IntermediateKey       string     `json:"intermediate-key,omitempty"`
	IntermediateHash      string     `json:"intermediate-hash,omitempty"`
	IntermediateNotBefore *time.Time `json:"intermediate-not-before,omitempty"`
	IntermediateNotAfter  *time.Time `json:"intermediate-not-after,omitempty"`
	Permitted             []string   `json:"permitted-names,omitempty"`
	SubCA                 bool       `json:"sub-ca,omitempty"`
}
