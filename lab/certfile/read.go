package certfile

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/smallstep/pkcs7"
	"software.sslmate.com/src/go-pkcs12"
)

// A reader collects what a file holds, whatever its form.
type reader struct {
	name     string
	opts     Options
	format   Format
	certs    []*x509.Certificate
	requests []*x509.CertificateRequest
	keys     []crypto.Signer
}

func (r *reader) read(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return r.fault("", "the file is empty")
	case bytes.Contains(data, []byte("-----BEGIN")):
		r.format = PEM
		return r.pem(data)
	}
	if der, ok := decodeBase64(data); ok {
		r.format = Base64
		return r.der(der)
	}
	r.format = DER
	return r.der(data)
}

// decodeBase64 reads base64 that has lost its BEGIN and END lines, as it is pasted from a CA's web page.
func decodeBase64(data []byte) ([]byte, bool) {
	text := strings.Join(strings.Fields(string(data)), "")
	if len(text) < 64 {
		return nil, false
	}
	der, err := base64.StdEncoding.DecodeString(text)
	return der, err == nil
}

func (r *reader) pem(data []byte) error {
	found := 0
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		found++
		if err := r.block(block); err != nil {
			return err
		}
	}
	if found == 0 {
		return r.fault("copy everything from the BEGIN to the END line", "a BEGIN line is there, but no complete PEM block")
	}
	if bytes.Contains(data, []byte("-----BEGIN")) {
		return r.fault("copy everything from the BEGIN to the END line", "the last PEM block isn't complete, or isn't base64")
	}
	return nil
}

func (r *reader) block(b *pem.Block) error {
	switch b.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		// OpenSSL writes its trust settings after a trusted certificate.
		var first asn1.RawValue
		if _, err := asn1.Unmarshal(b.Bytes, &first); err == nil && b.Type == "TRUSTED CERTIFICATE" {
			return r.certificates(first.FullBytes)
		}
		return r.certificates(b.Bytes)
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return r.request(b.Bytes)
	case "PKCS7", "CMS":
		return r.pkcs7(b.Bytes)
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
		if b.Headers["DEK-Info"] != "" {
			return &Error{File: r.name, Reason: "its key is encrypted in OpenSSL's old form", WayOut: "decrypt it with openssl pkey, or leave it out", Err: ErrPassword}
		}
		key, err := parseKey(b.Bytes)
		if err != nil {
			return r.wrap(err, "", "its private key can't be read")
		}
		r.keys = append(r.keys, key)
		return nil
	case "ENCRYPTED PRIVATE KEY":
		return &Error{File: r.name, Reason: "its key is encrypted", WayOut: "decrypt it with openssl pkey, put it into a PKCS#12 file, or leave it out", Err: ErrPassword}
	case "EC PARAMETERS", "DH PARAMETERS":
		return nil
	}
	return r.fault("it should hold certificates, a request or a key", "there is a PEM block of type %q", b.Type)
}

// der tells the binary forms apart by trying them: none has a mark of its own.
func (r *reader) der(data []byte) error {
	if err := r.bounds(data); err != nil {
		return err
	}
	certs, certErr := x509.ParseCertificates(data)
	if certErr == nil && len(certs) > 0 {
		r.certs = certs
		return nil
	}
	if req, err := x509.ParseCertificateRequest(data); err == nil {
		r.requests = append(r.requests, req)
		return nil
	}
	switch kind(data) {
	case PKCS7:
		return r.pkcs7(data)
	case PKCS12:
		return r.pkcs12(data)
	}
	if key, err := parseKey(data); err == nil {
		r.keys = append(r.keys, key)
		return nil
	}
	if looksLikeCertificate(data) {
		return r.wrap(certErr, "ask the CA for a certificate that keeps to RFC 5280", "the certificate can't be read")
	}
	return r.fault("", "the file is neither a certificate nor a request, in none of the forms PEM, DER, PKCS#7 (.p7b) and PKCS#12 (.pfx)")
}

// kind tells PKCS#7, which begins with the object identifier of signed data, from PKCS#12, which begins with its
// version. Anything else has no kind.
func kind(data []byte) Format {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(data, &outer); err != nil || outer.Tag != asn1.TagSequence {
		if len(data) > 2 && data[0] == 0x30 && data[1] == 0x80 { // BER of indefinite length, as some CAs write PKCS#7
			return PKCS7
		}
		return ""
	}
	var first asn1.RawValue
	if _, err := asn1.Unmarshal(outer.Bytes, &first); err != nil {
		return ""
	}
	switch {
	case first.Tag == asn1.TagOID:
		return PKCS7
	case first.Tag == asn1.TagInteger && bytes.Equal(first.Bytes, []byte{3}):
		return PKCS12
	}
	return ""
}

// looksLikeCertificate reports whether data is a sequence of a sequence, an algorithm and a signature.
func looksLikeCertificate(data []byte) bool {
	var c struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	_, err := asn1.Unmarshal(data, &c)
	return err == nil && c.TBS.Tag == asn1.TagSequence
}

func (r *reader) certificates(der []byte) error {
	if err := r.bounds(der); err != nil {
		return err
	}
	certs, err := x509.ParseCertificates(der)
	if err != nil {
		return r.wrap(err, "", "a certificate can't be read")
	}
	r.certs = append(r.certs, certs...)
	return nil
}

func (r *reader) request(der []byte) error {
	req, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return r.wrap(err, "", "the certificate request can't be read")
	}
	r.requests = append(r.requests, req)
	return nil
}

func (r *reader) pkcs7(der []byte) error {
	if r.format != PEM {
		r.format = PKCS7
	}
	if err := r.bounds(der); err != nil {
		return err
	}
	var p *pkcs7.PKCS7
	err := guarded(func() (err error) {
		p, err = pkcs7.Parse(der)
		return err
	})
	if err != nil {
		return r.wrap(err, "a CA's .p7b holds certificates only", "this isn't PKCS#7 with certificates")
	}
	if len(p.Certificates) == 0 {
		return r.fault("", "the PKCS#7 file holds no certificate")
	}
	r.certs = append(r.certs, p.Certificates...)
	return nil
}

func (r *reader) pkcs12(der []byte) error {
	r.format = PKCS12
	var key any
	var leaf *x509.Certificate
	var issuers []*x509.Certificate
	err := guarded(func() (err error) {
		key, leaf, issuers, err = pkcs12.DecodeChain(der, r.opts.Password)
		return err
	})
	if err == nil {
		r.certs = append([]*x509.Certificate{leaf}, issuers...)
		if signer, ok := key.(crypto.Signer); ok {
			r.keys = append(r.keys, signer)
		}
		return nil
	}
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		return r.password()
	}
	certs, keylessErr := keyless(der, r.opts.Password)
	switch {
	case errors.Is(keylessErr, ErrPassword):
		return r.password()
	case keylessErr != nil || len(certs) == 0:
		return r.wrap(err, "export it again, with AES", "the PKCS#12 file can't be read")
	}
	r.certs = append(r.certs, certs...)
	return nil
}

func (r *reader) password() error {
	reason := "the password doesn't open the PKCS#12 file"
	if r.opts.Password == "" {
		reason = "the PKCS#12 file has a password"
	}
	return &Error{File: r.name, Reason: reason, WayOut: "give the password it was exported with", Err: ErrPassword}
}

// guarded calls a library's parser. That of PKCS#7 runs over the end of some broken inputs, as the fuzz test's corpus
// shows; a panic says no more than that the input is broken.
func guarded(parse func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the ASN.1 is broken (%v)", v)
		}
	}()
	return parse()
}

// parseKey reads a private key in any of its three forms.
func parseKey(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, errors.New("it isn't a key for signatures")
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, err
}
