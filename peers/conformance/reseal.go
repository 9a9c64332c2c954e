package conformance

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// A body is a TBSCertificate (RFC 5280 §4.1) as far as it is rewritten here.
type body struct {
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Signature  asn1.RawValue
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	Key        asn1.RawValue
	Extensions asn1.RawValue `asn1:"optional,explicit,tag:3"`
}

type envelope struct {
	Body      asn1.RawValue
	Algorithm asn1.RawValue
	Signature asn1.BitString
}

var oidMD5WithRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}

// reseal makes of a certificate one that crypto/x509 doesn't make: of version 1, or signed with MD5.
func reseal(der []byte, s Spec, signer crypto.Signer) ([]byte, error) {
	var e envelope
	var b body
	if _, err := asn1.Unmarshal(der, &e); err != nil {
		return nil, err
	}
	if _, err := asn1.Unmarshal(e.Body.FullBytes, &b); err != nil {
		return nil, err
	}
	hash := crypto.SHA256
	if s.Hash == "md5" {
		hash = crypto.MD5
		der, err := asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: oidMD5WithRSA, Parameters: asn1.NullRawValue})
		if err != nil {
			return nil, err
		}
		b.Signature = asn1.RawValue{FullBytes: der}
		e.Algorithm = b.Signature
	}
	if s.NegativeSerial {
		b.Serial = new(big.Int).Neg(b.Serial)
	}
	if s.V1 {
		b.Version, b.Extensions = 0, asn1.RawValue{}
	}
	tbs, err := asn1.Marshal(b)
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(tbs)
	sum := h.Sum(nil)
	var signature []byte
	if key, ok := signer.(*rsa.PrivateKey); ok {
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, hash, sum)
	} else {
		signature, err = signer.Sign(rand.Reader, sum, hash)
	}
	if err != nil {
		return nil, err
	}
	e.Body = asn1.RawValue{FullBytes: tbs}
	e.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return asn1.Marshal(e)
}

// rename changes how parent, which is to sign, is named and identified in what it signs.
func rename(parent *x509.Certificate, s Spec) error {
	switch s.KeyID {
	case "":
	case "none":
		parent.SubjectKeyId = nil
	case "wrong":
		parent.SubjectKeyId = []byte("of somebody else")
	default:
		return fmt.Errorf("no key identifier %q", s.KeyID)
	}
	if s.Issuer == "" {
		return nil
	}
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	type attributes []attribute // SET OF
	var names pkix.RDNSequence
	if rest, err := asn1.Unmarshal(parent.RawSubject, &names); err != nil || len(rest) > 0 {
		return errors.Join(err, errors.New("the issuer has no readable name"))
	}
	var out []asn1.RawValue
	for _, rdn := range names {
		var set attributes
		for _, a := range rdn {
			text := fmt.Sprint(a.Value)
			value := asn1.RawValue{Tag: asn1.TagPrintableString}
			switch s.Issuer {
			case "shout":
				text = strings.ToUpper(text)
			case "utf8":
				value.Tag = asn1.TagUTF8String
			case "spaces":
				text = strings.ReplaceAll(text, " ", "  ")
			default:
				return fmt.Errorf("no way to name an issuer %q", s.Issuer)
			}
			value.Bytes = []byte(text)
			set = append(set, attribute{a.Type, value})
		}
		der, err := asn1.MarshalWithParams(set, "set")
		if err != nil {
			return err
		}
		out = append(out, asn1.RawValue{FullBytes: der})
	}
	der, err := asn1.Marshal(out)
	parent.RawSubject = der
	return err
}
