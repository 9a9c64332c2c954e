package policy

import (
	"crypto/x509"

	"github.com/edgelab/edgelab/lab/verdict"
)

// What a revocation rule needs.
const (
	needAlways    = "always"       // no current CRL is a failure
	needAvailable = "if-available" // without a CRL the certificate counts as not revoked
)

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
	case !in.q.Signatures.goodCRL(issuer.Certificate, crl):
		return lost("the CRL is not signed by " + issuer.label())
	case !crl.NextUpdate.IsZero() && in.q.At.After(crl.NextUpdate):
		return lost("the CRL ended at " + stamp(crl.NextUpdate))
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
