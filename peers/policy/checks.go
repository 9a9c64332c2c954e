package policy

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
)

// Names of the checks, as a rule's check field and verdict.Check.Name have them.
const (
	checkPresence    = "presence"           // is a certificate shown at all
	checkChain       = "chain"              // does the path end in something trusted
	checkSignature   = "signature"          // does every issuer's signature hold
	checkValidity    = "validity"           // dates
	checkCritical    = "critical-extension" //
	checkCA          = "basic-constraints"  // may an issuer issue
	checkLeafCA      = "leaf-not-ca"        // is the leaf itself a CA
	checkPathLength  = "path-length"        //
	checkEKU         = "eku"                // of the leaf
	checkCAEKU       = "eku-ca"             // of the certificates above it
	checkKeyUsage    = "key-usage"          // of the leaf
	checkConstraints = "name-constraints"   //
	checkKey         = "key-strength"       //
	checkHash        = "signature-strength" //
	checkRevocation  = "revocation"         //
	checkUnused      = "certificate-unused" // fails always: the product never looks at a certificate
	checkPolicy      = "policy"             // certificate policies that a CA requires
	checkEncoding    = "encoding"           // can the certificate be read at all
	checkOwn         = "own-eku"            // of the product's own certificate: is it installed, is it sent
	checkDefect      = "defect"             // does the product crash on a certificate that it has nothing against
	checkName        = "name"               // the only one that needs Question.Name
)

// CheckNames returns the names of all checks.
func CheckNames() []string {
	return []string{checkPresence, checkChain, checkSignature, checkValidity, checkCritical, checkCA, checkLeafCA,
		checkPathLength, checkEKU, checkCAEKU, checkKeyUsage, checkConstraints, checkKey, checkHash, checkRevocation,
		checkUnused, checkPolicy, checkEncoding, checkOwn, checkDefect, checkName}
}

// A finding is the answer to one rule for one certificate.
type finding struct {
	ok      bool
	unknown bool
	code    verdict.Code
	detail  string
}

var passed = finding{ok: true}

func fails(code verdict.Code, detail string) finding { return finding{code: code, detail: detail} }

// An inquiry is one path put to one product's rules.
type inquiry struct {
	q       *Question
	purpose purpose
	path    *path
}

// A checker answers a rule for the certificate at depth i of the path.
type checker func(in *inquiry, r *rule, i int) finding

// checkers are the checks that are asked certificate by certificate, with the part of the path that they concern
// unless a rule says otherwise.
var checkers = map[string]struct {
	ask   checker
	certs certs
}{
	checkChain:       {askChain, certsLeaf},
	checkSignature:   {askSignature, certsAll},
	checkValidity:    {askValidity, certsAll},
	checkCritical:    {askCritical, certsAll},
	checkCA:          {askCA, certsIssuers},
	checkLeafCA:      {askLeafCA, certsLeaf},
	checkPathLength:  {askPathLength, certsIssuers},
	checkEKU:         {askEKU, certsLeaf},
	checkCAEKU:       {askEKU, certsIssuers},
	checkKeyUsage:    {askKeyUsage, certsLeaf},
	checkConstraints: {askConstraints, certsIssuers},
	checkKey:         {askKey, certsAll},
	checkHash:        {askHash, certsNoRoot},
	checkRevocation:  {askRevocation, certsLeaf},
	checkPolicy:      {askPolicy, certsLeaf},
	checkEncoding:    {askEncoding, certsAll},
}

// concerns reports whether a part of the path includes depth i.
func (in *inquiry) concerns(part certs, i int) bool {
	last := len(in.path.certs) - 1
	anchor := in.path.anchored && i == last
	switch part {
	case certsLeaf:
		return i == 0
	case certsIssuers:
		return i > 0
	case certsCAs:
		return i > 0 && !anchor
	case certsSent:
		return i > 0 && (!anchor || in.path.anchorSent)
	case certsNoRoot:
		return !anchor
	case certsAnchor:
		return anchor && i > 0
	default:
		return true
	}
}

func askChain(in *inquiry, _ *rule, _ int) finding {
	if in.path.anchored {
		return passed
	}
	return fails(in.path.code, in.path.detail)
}

func askSignature(in *inquiry, _ *rule, i int) finding {
	if in.path.badSig && in.path.forged == i {
		return fails(verdict.UntrustedRoot, "the key of "+in.path.certs[i+1].label()+" did not sign "+in.path.certs[i].label())
	}
	return passed
}

func askValidity(in *inquiry, _ *rule, i int) finding {
	c := in.path.certs[i]
	switch {
	case in.q.At.Before(c.NotBefore):
		return fails(verdict.NotYetValid, fmt.Sprintf("%s is valid from %s, judged at %s", c.label(), stamp(c.NotBefore), stamp(in.q.At)))
	case in.q.At.After(c.NotAfter):
		return fails(verdict.Expired, fmt.Sprintf("%s expired at %s, judged at %s", c.label(), stamp(c.NotAfter), stamp(in.q.At)))
	}
	return passed
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// knownToGo in a rule's known list stands for what crypto/x509 processes, which depends on an extension's content too.
const knownToGo = "as-go-parses"

func askCritical(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	if slices.Contains(r.Known, knownToGo) {
		if len(c.UnhandledCriticalExtensions) > 0 {
			return fails(verdict.CriticalExtension, c.label()+" has the critical extension "+c.UnhandledCriticalExtensions[0].String())
		}
		return passed
	}
	for _, e := range c.Extensions {
		if e.Critical && !slices.Contains(r.Known, e.Id.String()) {
			return fails(verdict.CriticalExtension, c.label()+" has the critical extension "+e.Id.String())
		}
	}
	return passed
}

// The marks of a CA, for a rule's fields.
const (
	markPresent = "present"   // the extension basicConstraints is there
	markFlag    = "ca"        // basicConstraints says cA, if it is there
	markSign    = "cert-sign" // keyUsage has keyCertSign, if it is there
	// markSome asks a certificate without basicConstraints for a keyUsage with keyCertSign instead, unless it is a
	// version 1 certificate that signs itself.
	markSome = "present-or-cert-sign"
	// markSignCA asks a certificate whose keyUsage has keyCertSign for basicConstraints with cA.
	markSignCA = "ca-if-cert-sign"
	// markV3 asks only version 3 certificates for the extension.
	markV3 = "present-if-v3"
)

func askCA(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	canSign := c.KeyUsage&x509.KeyUsageCertSign != 0
	for _, f := range r.Fields {
		switch {
		case f == markSign && c.hasKU && !canSign:
			return fails(verdict.KeyUsage, c.label()+" issues certificates, but its keyUsage has no keyCertSign")
		case f == markFlag && c.BasicConstraintsValid && !c.IsCA:
			return fails(verdict.BasicConstraints, c.label()+" issues certificates, but its basicConstraints say CA:FALSE")
		case f == markSignCA && c.hasKU && canSign && !(c.BasicConstraintsValid && c.IsCA):
			return fails(verdict.BasicConstraints, c.label()+" has keyCertSign in its keyUsage, but is no CA by basicConstraints")
		case (f == markPresent || f == markV3 && c.Version == 3) && !c.BasicConstraintsValid,
			f == markSome && !c.BasicConstraintsValid && !(c.hasKU && canSign) && !(c.Version == 1 && c.selfSigned()):
			return fails(verdict.BasicConstraints, c.label()+" issues certificates, but has no basicConstraints")
		}
	}
	return passed
}

func askLeafCA(in *inquiry, _ *rule, _ int) finding {
	if c := in.path.certs[0]; c.BasicConstraintsValid && c.IsCA {
		return fails(verdict.BasicConstraints, c.label()+" is a CA certificate")
	}
	return passed
}

func askPathLength(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	if !c.BasicConstraintsValid || c.MaxPathLen < 0 || c.MaxPathLen == 0 && !c.MaxPathLenZero {
		return passed
	}
	below := 0
	for _, o := range in.path.certs[1:i] {
		if !o.selfIssued || r.SelfIssued == "counted" {
			below++
		}
	}
	if below > c.MaxPathLen {
		return fails(verdict.BasicConstraints, fmt.Sprintf("%s allows %d CA certificates below it, there are %d", c.label(), c.MaxPathLen, below))
	}
	return passed
}

// The bits of keyUsage by the names that RFC 5280 §4.2.1.3 gives them.
var keyUsageBits = map[string]x509.KeyUsage{
	"digitalSignature": x509.KeyUsageDigitalSignature,
	"nonRepudiation":   x509.KeyUsageContentCommitment,
	"keyEncipherment":  x509.KeyUsageKeyEncipherment,
	"dataEncipherment": x509.KeyUsageDataEncipherment,
	"keyAgreement":     x509.KeyUsageKeyAgreement,
	"keyCertSign":      x509.KeyUsageCertSign,
	"cRLSign":          x509.KeyUsageCRLSign,
}

func askKeyUsage(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	if r.WithEKU != "" && !ekuConditions[r.WithEKU](c) || r.NotCA && c.BasicConstraintsValid && c.IsCA {
		return passed
	}
	if !c.hasKU || len(r.Keys) > 0 && !slices.Contains(r.Keys, keyFamily(c.Certificate)) {
		return passed
	}
	for _, name := range r.AnyOf {
		if c.KeyUsage&keyUsageBits[name] != 0 {
			return passed
		}
	}
	return fails(verdict.KeyUsage, fmt.Sprintf("%s has keyUsage %s; %s is needed", c.label(), usageNames(c.KeyUsage), strings.Join(r.AnyOf, " or ")))
}

func usageNames(u x509.KeyUsage) string {
	var names []string
	for name, bit := range keyUsageBits {
		if u&bit != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "with no known bit"
	}
	return strings.Join(names, ", ")
}

func askKey(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	kind, bits := keyKind(c.Certificate)
	if len(r.Kinds) > 0 && !slices.Contains(r.Kinds, kind) {
		return fails(verdict.WeakKey, c.label()+" has a key of a kind that the judge doesn't take: "+kind)
	}
	if kind == "rsa" && bits < r.MinRSA {
		return fails(verdict.WeakKey, c.label()+" has an RSA key of "+strconv.Itoa(bits)+" bits; "+strconv.Itoa(r.MinRSA)+" are needed")
	}
	if strings.HasPrefix(kind, "ecdsa") && bits > 0 && bits < r.MinEC {
		return fails(verdict.WeakKey, c.label()+" has an elliptic-curve key of "+strconv.Itoa(bits)+" bits; "+strconv.Itoa(r.MinEC)+" are needed")
	}
	return passed
}

// refusePSS in a rule's refuse list stands for RSASSA-PSS with any hash.
const refusePSS = "rsa-pss"

func askHash(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	if isPSS(c.Certificate) && slices.Contains(r.Refuse, refusePSS) {
		return fails(verdict.WeakSignature, c.label()+" is signed with RSASSA-PSS")
	}
	if family, _, _ := strings.Cut(c.SignatureAlgorithm.String(), "-"); slices.Contains(r.Refuse, strings.ToLower(family)+"-"+signatureHash(c.Certificate)) {
		return fails(verdict.WeakSignature, c.label()+" is signed with "+c.SignatureAlgorithm.String())
	}
	if h := signatureHash(c.Certificate); slices.Contains(r.Refuse, h) {
		return fails(verdict.WeakSignature, c.label()+" is signed with "+c.SignatureAlgorithm.String())
	}
	return passed
}
