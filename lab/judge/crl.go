package judge

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/edgelab/edgelab/peers/policy"
)

// parseCRL reads a CRL. Package crypto/x509 takes version 2 only; version 1, which openssl ca makes unless it is told
// otherwise, has no extensions and is read here (RFC 5280 §5.1).
func parseCRL(der []byte) (*x509.RevocationList, error) {
	crl, err := x509.ParseRevocationList(der)
	if err == nil {
		return crl, nil
	}
	var first firstCRL
	if rest, bad := asn1.Unmarshal(der, &first); bad != nil || len(rest) > 0 {
		return nil, err
	}
	crl = &x509.RevocationList{
		Raw: der, RawTBSRevocationList: first.TBS.Raw, RawIssuer: first.TBS.Issuer.FullBytes,
		Signature: first.Signature.RightAlign(), SignatureAlgorithm: policy.SignatureAlgorithm(first.Algorithm.Algorithm),
		ThisUpdate: first.TBS.ThisUpdate, NextUpdate: first.TBS.NextUpdate,
	}
	if !first.TBS.Algorithm.Algorithm.Equal(first.Algorithm.Algorithm) {
		return nil, errors.New("the CRL names two signature algorithms")
	}
	var issuer pkix.RDNSequence
	if _, err := asn1.Unmarshal(crl.RawIssuer, &issuer); err != nil {
		return nil, fmt.Errorf("the CRL's issuer: %w", err)
	}
	crl.Issuer.FillFromRDNSequence(&issuer)
	for _, e := range first.TBS.Revoked {
		crl.RevokedCertificateEntries = append(crl.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: e.Serial, RevocationTime: e.At})
	}
	return crl, nil
}

// A firstCRL is a CertificateList of version 1.
type firstCRL struct {
	TBS struct {
		Raw        asn1.RawContent
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time `asn1:"optional"`
		Revoked    []struct {
			Serial *big.Int
			At     time.Time
		} `asn1:"optional"`
	}
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// crlOf returns the look-up of CRLs for a judge that has these at hand. Of several by one issuer the newest counts.
func crlOf(lists []*x509.RevocationList) func(cert, issuer *x509.Certificate) (*x509.RevocationList, error) {
	if len(lists) == 0 {
		return nil
	}
	return func(cert, issuer *x509.Certificate) (*x509.RevocationList, error) {
		var newest *x509.RevocationList
		for _, l := range lists {
			switch {
			case !bytes.Equal(l.RawIssuer, cert.RawIssuer):
			case len(l.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(l.AuthorityKeyId, issuer.SubjectKeyId):
			case newest == nil || l.ThisUpdate.After(newest.ThisUpdate):
				newest = l
			}
		}
		if newest == nil {
			return nil, fmt.Errorf("none of the CRLs at hand is that of %s", cert.Issuer)
		}
		return newest, nil
	}
}
