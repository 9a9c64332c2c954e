package conformance

import (
	"strings"
	"time"
)

// A Role is which end of the connection the product is.
type Role string

const (
	Acceptor  Role = "acceptor"  // the product judges the connecting side's certificate
	Initiator Role = "initiator" // the product judges the answering side's certificate
)

// A Spec is a certificate, written as what differs from a sound one. The sound leaf has the judged name as CN and
// as its only dNSName, server and client EKU, keyUsage digitalSignature, basicConstraints CA:FALSE, a P-256 key and a
// SHA-256 signature, and is valid. The sound CA has keyUsage keyCertSign and cRLSign, basicConstraints CA:TRUE and
// no EKU.
//
// In names, {name} stands for the judged name, {parent} for the domain above it and {host} for the SRV target.
type Spec struct {
	CN       string   `json:"cn,omitempty"` // "-": empty subject
	DNS      []string `json:"dns,omitempty"`
	URI      []string `json:"uri,omitempty"`
	IP       []string `json:"ip,omitempty"`
	XMPPAddr []string `json:"xmppAddr,omitempty"` // otherName id-on-xmppAddr, RFC 6120 §13.7.1.4
	SRVName  []string `json:"srvName,omitempty"`  // otherName id-on-dnsSRV, RFC 4985
	Email    []string `json:"email,omitempty"`
	NoSAN    bool     `json:"noSAN,omitempty"`
	// MoreCN are common names that follow CN.
	MoreCN      []string `json:"moreCN,omitempty"`
	SANCritical bool     `json:"sanCritical,omitempty"`

	EKU      []string `json:"eku,omitempty"`      // see ekuOIDs; {"none"}: no extension
	KeyUsage []string `json:"keyUsage,omitempty"` // see keyUsages; {"none"}: no extension

	CA      string `json:"ca,omitempty"`      // basicConstraints: "true", "false", "absent"
	PathLen *int   `json:"pathLen,omitempty"` // with CA "true"

	Key  string `json:"key,omitempty"`  // see newKey
	Hash string `json:"hash,omitempty"` // of the signature on this certificate: "md5", "sha1", "sha384", "pss"
	V1   bool   `json:"v1,omitempty"`   // a version 1 certificate, without extensions
	// NegativeSerial is what RFC 5280 §4.1.2.2 forbids.
	NegativeSerial bool `json:"negativeSerial,omitempty"`

	// How the issuer is named: "shout" (in capitals), "utf8" (in UTF8Strings), "spaces" (more of them); and the authority
	// key identifier: "none", or "wrong" (not the issuer's subject key identifier).
	Issuer string `json:"issuer,omitempty"`
	KeyID  string `json:"keyID,omitempty"`

	Policies      []string `json:"policies,omitempty"`      // OIDs of certificatePolicies
	RequirePolicy bool     `json:"requirePolicy,omitempty"` // policyConstraints, requireExplicitPolicy 0, critical

	From  time.Duration `json:"from,omitempty"`  // notBefore, from the judge's now; 0: an hour ago
	Until time.Duration `json:"until,omitempty"` // notAfter, from the judge's now; 0: thirty days on

	CriticalExtension bool `json:"criticalExtension,omitempty"` // 1.2.3.4, critical, nobody knows it
	// Name constraints, critical. A form stands before a colon: "email:", "ip:" (a prefix), "uri:", "dir:" (an
	// organisation); without one it is a dNSName.
	Permitted []string `json:"permitted,omitempty"`
	Excluded  []string `json:"excluded,omitempty"`
}

// The places a certificate of a variant can be named by in Present and Store.
const (
	atLeaf          = "leaf"
	atIntermediate  = "intermediate"
	atIntermediate2 = "intermediate2" // between intermediate and root, when there are two
	atRoot          = "root"
	atStranger      = "stranger"   // a CA certificate that has nothing to do with the chain
	atCross         = "cross"      // the intermediate's name and key, certified by the stranger
	atCrossRoot     = "cross-root" // the root's name and key, certified by the stranger
	atRootTwin      = "root-twin"  // the root's name and key, certified by itself once more
)

// A Variant is one question put to every product: a chain as presented, a trust store and a name to look for.
type Variant struct {
	Name  string // stable; part of the judged name
	Asks  string // the question, for people
	Group string // "eku", "key-usage", …

	Leaf, Intermediate, Root Spec
	Intermediate2            *Spec

	// Second certificates for a name and key that the chain has: see atCross, atCrossRoot, atRootTwin. Nil: there is none.
	Cross, CrossRoot, RootTwin *Spec
	Stranger                   Spec

	// Kind of chain: the issuer of the leaf.
	SelfSigned bool // the leaf signs itself
	ByRoot     bool // the root signs the leaf; there is no intermediate

	Present []string // nil: leaf, intermediate (and intermediate2); empty and NoCertificate: none
	Store   []string // nil: root

	NoCertificate bool // the connecting side shows none
	Revoked       bool // the issuer's CRL lists the leaf
	// CRL says what is odd about the CRL of the leaf's issuer: "expired", "future", "forged", "delta", "critical",
	// "users-only", "cas-only", "none".
	CRL string
	// Thorough keeps the variant for products that are asked everything: see Product. Bare keeps it from those that are
	// more than a stack.
	Thorough, Bare bool

	Judged string // the name to look for; "": {name}
	Roles  []Role // nil: both
}

// nameOf returns the name that the product looks for.
func (v Variant) nameOf() string {
	if v.Judged == "" {
		return v.expand("{name}")
	}
	return v.expand(v.Judged)
}

func (v Variant) expand(s string) string {
	parent := v.Name + ".example"
	return strings.NewReplacer("{name}", "im."+parent, "{parent}", parent, "{host}", "xmpp-host."+parent).Replace(s)
}

func (v Variant) expandAll(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = v.expand(s)
	}
	return out
}

func (v Variant) in(role Role) bool {
	if len(v.Roles) == 0 {
		return true
	}
	for _, r := range v.Roles {
		if r == role {
			return true
		}
	}
	return false
}
