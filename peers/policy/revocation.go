package policy

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"github.com/edgelab/edgelab/lab/verdict"
)

// What a revocation rule needs.
const (
	needAlways    = "always"       // no current CRL is a failure
	needAvailable = "if-available" // without a CRL the certificate counts as not revoked
	needSound     = "sound"        // a CRL that is at hand must be what crl says; revocation itself isn't asked
)

// What a revocation rule's crl asks of a CRL.
const (
	crlSigned   = "signed"   // its issuer's key made the signature
	crlBegun    = "begun"    // thisUpdate is past
	crlGoing    = "going-on" // nextUpdate isn't
	crlScope    = "scope"    // an issuingDistributionPoint doesn't leave the certificate out
	crlCritical = "critical" // it has no critical extension but that and the deltaCRLIndicator
	crlCanSign  = "crl-sign" // its issuer's keyUsage has cRLSign, if it has one
)

var crlMarks = []string{crlSigned, crlBegun, crlGoing, crlScope, crlCritical, crlCanSign}

var (
	oidDeltaCRL = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidCRLScope = asn1.ObjectIdentifier{2, 5, 29, 28}
)

// lacks says what a CRL has not of what the rule asks, or "".
func (r *rule) lacks(in *inquiry, crl *x509.RevocationList, c, issuer *cert) string {
	find := func(oid asn1.ObjectIdentifier) *pkix.Extension {
		if i := slices.IndexFunc(crl.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oid) }); i >= 0 {
			return &crl.Extensions[i]
		}
		return nil
	}
	scope := find(oidCRLScope)
	for _, mark := range r.CRL {
		switch {
		case mark == crlBegun && in.q.At.Before(crl.ThisUpdate):
			return "the CRL begins at " + stamp(crl.ThisUpdate)
		case mark == crlGoing && !crl.NextUpdate.IsZero() && in.q.At.After(crl.NextUpdate):
			return "the CRL ended at " + stamp(crl.NextUpdate)
		case mark == crlSigned && !in.q.Signatures.goodCRL(issuer.Certificate, crl):
			return "the CRL is not signed by " + issuer.label()
		case mark == crlScope && scope != nil && !inScope(scope.Value, c):
			return "the CRL is not for such certificates"
		case mark == crlCanSign && issuer.hasKU && issuer.KeyUsage&x509.KeyUsageCRLSign == 0:
			return "the keyUsage of " + issuer.label() + " has no cRLSign"
		case mark == crlCritical && slices.ContainsFunc(crl.Extensions, func(e pkix.Extension) bool {
			return e.Critical && !e.Id.Equal(oidDeltaCRL) && !e.Id.Equal(oidCRLScope)
		}):
			return "the CRL has an unknown critical extension"
		}
	}
	return ""
}

// inScope reads onlyContainsUserCerts [1], onlyContainsCACerts [2] and onlyContainsAttributeCerts [5] of an
// issuingDistributionPoint (RFC 5280 §5.2.5).
func inScope(der []byte, c *cert) bool {
	var point asn1.RawValue
	if _, err := asn1.Unmarshal(der, &point); err != nil {
		return false
	}
	ca := c.BasicConstraintsValid && c.IsCA
	for _, p := range parts(point.Bytes) {
		set := len(p.Bytes) == 1 && p.Bytes[0] != 0
		if set && (p.Tag == 1 && ca || p.Tag == 2 && !ca || p.Tag == 5) {
			return false
		}
	}
	return true
}

func askRevocation(in *inquiry, r *rule, i int) finding {
	c := in.path.certs[i]
	lost := func(why string) finding {
		if r.Need == needAlways {
			return fails(verdict.RevocationUnknown, "no current CRL for "+c.label()+": "+why)
		}
		return passed
	}
	issuer := c
	switch {
	case i+1 < len(in.path.certs):
		issuer = in.path.certs[i+1]
	case !in.path.anchored && !c.selfIssued:
		return lost("its issuer is not known")
	case !c.selfIssued:
		return passed
	}
	if in.q.CRL == nil {
		return lost("the judge has none")
	}
	crl, err := in.q.CRL(c.Certificate, issuer.Certificate)
	switch {
	case err != nil:
		return lost(err.Error())
	case crl == nil:
		return lost("there is none")
	case r.Need == needSound:
		if why := r.lacks(in, crl, c, issuer); why != "" {
			return fails(verdict.RevocationUnknown, "no sound CRL for "+c.label()+": "+why)
		}
		return passed
	case !in.q.Signatures.goodCRL(issuer.Certificate, crl):
		return lost("the CRL is not signed by " + issuer.label())
	case !crl.NextUpdate.IsZero() && in.q.At.After(crl.NextUpdate):
		return lost("the CRL ended at " + stamp(crl.NextUpdate))
	}
	if why := r.lacks(in, crl, c, issuer); why != "" {
		return lost(why)
	}
	for _, e := range crl.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(c.SerialNumber) == 0 {
			return fails(verdict.Revoked, c.label()+" was revoked at "+stamp(e.RevocationTime))
		}
	}
	return passed
}

// issued reports whether issuer's key signed crl, whatever the algorithm's worth.
func issued(issuer *x509.Certificate, crl *x509.RevocationList) bool {
	if issuer.PublicKey == nil || crl.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		return true
	}
	return issuer.CheckSignature(crl.SignatureAlgorithm, crl.RawTBSRevocationList, crl.Signature) == nil
}
