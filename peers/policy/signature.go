package policy

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"strconv"
	"strings"
)

// signatureFits reports whether child's signature is of a kind that issuer's key can make.
func signatureFits(issuer, child *x509.Certificate) bool {
	switch child.SignatureAlgorithm {
	case x509.UnknownSignatureAlgorithm:
		return true
	case x509.ECDSAWithSHA1, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return issuer.PublicKeyAlgorithm == x509.ECDSA
	case x509.PureEd25519:
		return issuer.PublicKeyAlgorithm == x509.Ed25519
	case x509.DSAWithSHA1, x509.DSAWithSHA256:
		return issuer.PublicKeyAlgorithm == x509.DSA
	case x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		kind, _ := keyKind(issuer)
		return kind == "rsa" || kind == "rsa-pss"
	default:
		return issuer.PublicKeyAlgorithm == x509.RSA
	}
}

// signed reports whether issuer's key made child's signature. It says nothing about whether the algorithm is any
// good. A signature that can't be checked here (an algorithm or key that Go doesn't know) counts as good: what is
// judged is whether a product takes it, and rules about algorithms say that.
func signed(issuer, child *x509.Certificate) bool {
	switch child.SignatureAlgorithm {
	case x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256:
		return true
	case x509.MD5WithRSA:
		return verifyMD5(issuer, child)
	}
	if pub, ok := issuer.PublicKey.(*rsa.PublicKey); ok && pub.N.BitLen() < 1024 {
		return true // crypto/rsa refuses such keys
	}
	if issuer.PublicKey == nil {
		return true
	}
	return issuer.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature) == nil
}

// verifyMD5 verifies an RSA signature with MD5 by PKCS #1 v1.5, which crypto/x509 won't.
func verifyMD5(issuer, child *x509.Certificate) bool {
	pub, ok := issuer.PublicKey.(*rsa.PublicKey)
	if !ok {
		return false
	}
	h := crypto.MD5.New()
	h.Write(child.RawTBSCertificate)
	digest := asn1.RawValue{Tag: asn1.TagOctetString, Bytes: h.Sum(nil)}
	type algorithm struct {
		ID   asn1.ObjectIdentifier
		Null asn1.RawValue
	}
	info, err := asn1.Marshal(struct {
		Algorithm algorithm
		Digest    asn1.RawValue
	}{algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}, asn1.NullRawValue}, digest})
	if err != nil {
		return false
	}
	size := pub.Size()
	m := new(big.Int).Exp(new(big.Int).SetBytes(child.Signature), big.NewInt(int64(pub.E)), pub.N).FillBytes(make([]byte, size))
	pad := size - 3 - len(info)
	if pad < 8 {
		return false
	}
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, pad)...)
	want = append(append(want, 0), info...)
	return bytes.Equal(m, want)
}

// signatureHash names the hash of c's signature: "md5", "sha1", "sha256", …; "ed25519" has its own; "" if unknown.
func signatureHash(c *x509.Certificate) string {
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA:
		return "md2"
	case x509.MD5WithRSA:
		return "md5"
	case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return "sha1"
	case x509.SHA256WithRSA, x509.DSAWithSHA256, x509.ECDSAWithSHA256, x509.SHA256WithRSAPSS:
		return "sha256"
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		return "sha384"
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		return "sha512"
	case x509.PureEd25519:
		return "ed25519"
	}
	return ""
}

// isPSS reports whether c is signed with RSASSA-PSS.
func isPSS(c *x509.Certificate) bool {
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		return true
	}
	return false
}

// keyFamily names the kind of c's key: "rsa", "ecdsa", "ed25519", "unknown".
func keyFamily(c *x509.Certificate) string {
	kind, _ := keyKind(c)
	family, _, _ := strings.Cut(kind, "-")
	return family
}

// keyKind names c's key: "rsa", "ecdsa-p256", "ed25519", …, and its size in bits (0 if unknown).
func keyKind(c *x509.Certificate) (kind string, bits int) {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "rsa", k.N.BitLen()
	case *ecdsa.PublicKey:
		bits = k.Params().BitSize
		return "ecdsa-p" + strconv.Itoa(bits), bits
	case ed25519.PublicKey:
		return "ed25519", 256
	}
	return otherKey(c)
}
