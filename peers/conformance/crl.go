package conformance

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// crl makes the CRL of e, odd in what kind says: see Variant.CRL.
func (f *forge) crl(e entity, leaf *big.Int, revoked bool, kind string, stranger *entity) (*x509.RevocationList, error) {
	serial := big.NewInt(7)
	if revoked {
		serial = leaf
	}
	issuer := *e.cert // faults of the CA (no cRLSign, no CA:TRUE) don't stop its CRL from being made
	issuer.KeyUsage |= x509.KeyUsageCRLSign
	if issuer.SubjectKeyId == nil {
		issuer.SubjectKeyId = []byte(e.cert.Subject.CommonName)
	}
	list := &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: f.at.Add(-time.Hour), NextUpdate: f.at.Add(30 * day),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: serial, RevocationTime: f.at.Add(-2 * time.Hour), ReasonCode: 1}},
	}
	critical := func(value []byte, oid ...int) {
		list.ExtraExtensions = append(list.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier(oid), Critical: true, Value: value})
	}
	key := e.key
	switch kind {
	case "":
	case "expired":
		list.ThisUpdate, list.NextUpdate = f.at.Add(-40*day), f.at.Add(-day)
	case "future":
		list.ThisUpdate = f.at.Add(day)
	case "forged":
		key = stranger.key
	case "delta": // deltaCRLIndicator, BaseCRLNumber 1
		critical([]byte{2, 1, 1}, 2, 5, 29, 27)
	case "critical":
		critical([]byte{5, 0}, 1, 2, 3, 4)
	case "users-only": // issuingDistributionPoint, onlyContainsUserCerts [1]
		critical([]byte{0x30, 3, 0x81, 1, 0xff}, 2, 5, 29, 28)
	case "cas-only": // onlyContainsCACerts [2]
		critical([]byte{0x30, 3, 0x82, 1, 0xff}, 2, 5, 29, 28)
	default:
		return nil, fmt.Errorf("no CRL %q", kind)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, &issuer, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseRevocationList(der)
}
