package certfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // the default of RFC 8018; files are read with it, not written
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"hash"
)

// The part of RFC 7292 that holds certificates. The library reads PKCS#12 files with a key only; one without is what
// openssl pkcs12 -nokeys writes.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	encryptedData struct {
		Version int
		Info    struct {
			Type      asn1.ObjectIdentifier
			Algorithm struct {
				ID         asn1.ObjectIdentifier
				Parameters pbes2 `asn1:"optional"`
			}
			Content []byte `asn1:"tag:0,optional"`
		}
	}
	safeBag struct {
		ID         asn1.ObjectIdentifier
		Value      asn1.RawValue `asn1:"tag:0,explicit"`
		Attributes asn1.RawValue `asn1:"set,optional"`
	}
	// pbes2 are the parameters of RFC 8018, appendix A.4.
	pbes2 struct {
		KDF struct {
			ID         asn1.ObjectIdentifier
			Parameters struct {
				Salt   []byte
				Count  int
				Length int `asn1:"optional"`
				PRF    struct {
					ID         asn1.ObjectIdentifier
					Parameters asn1.RawValue `asn1:"optional"`
				} `asn1:"optional"`
			}
		}
		Cipher struct {
			ID asn1.ObjectIdentifier
			IV []byte
		}
	}
	certBag struct {
		ID   asn1.ObjectIdentifier
		Data []byte `asn1:"tag:0,explicit"`
	}
)

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidPBES2         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidCertBag       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
)

var (
	errForm   = errors.New("it isn't made as RFC 7292 says")
	errCipher = errors.New("it isn't encrypted with AES (PBES2)")
)

// keyless returns the certificates of a PKCS#12 file. The password isn't checked beforehand (the file's MAC is passed
// over); a wrong one makes the decryption fail, or what comes out of it makes no sense.
func keyless(der []byte, password string) ([]*x509.Certificate, error) {
	var pfx struct {
		Version  int
		AuthSafe contentInfo
		Mac      asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &pfx); err != nil {
		return nil, errForm
	}
	safe, err := octets(pfx.AuthSafe)
	if err != nil {
		return nil, err
	}
	var contents []contentInfo
	if _, err := asn1.Unmarshal(safe, &contents); err != nil {
		return nil, errForm
	}
	var all []*x509.Certificate
	for _, c := range contents {
		plain, err := decrypt(c, password)
		if err != nil {
			return nil, err
		}
		var bags []safeBag
		if _, err := asn1.Unmarshal(plain, &bags); err != nil {
			return nil, ErrPassword
		}
		for _, b := range bags {
			if !b.ID.Equal(oidCertBag) {
				continue
			}
			var bag certBag
			if _, err := asn1.Unmarshal(b.Value.Bytes, &bag); err != nil {
				return nil, errForm
			}
			certs, err := x509.ParseCertificates(bag.Data)
			if err != nil {
				return nil, err
			}
			all = append(all, certs...)
		}
	}
	return all, nil
}

// octets returns the contents of plain data.
func octets(c contentInfo) ([]byte, error) {
	var text []byte
	if !c.Type.Equal(oidData) {
		return nil, errForm
	}
	if _, err := asn1.Unmarshal(c.Content.Bytes, &text); err != nil {
		return nil, errForm
	}
	return text, nil
}

// decrypt returns what a content of a file holds.
func decrypt(c contentInfo, password string) ([]byte, error) {
	if !c.Type.Equal(oidEncryptedData) {
		return octets(c)
	}
	var e encryptedData
	if _, err := asn1.Unmarshal(c.Content.Bytes, &e); err != nil {
		return nil, errCipher // the parameters of older algorithms have another form
	}
	algorithm := e.Info.Algorithm
	size, known := keySizes[algorithm.Parameters.Cipher.ID.String()]
	kdf := algorithm.Parameters.KDF
	prf, knownPRF := prfs[kdf.Parameters.PRF.ID.String()]
	if !algorithm.ID.Equal(oidPBES2) || !kdf.ID.Equal(oidPBKDF2) || !known || !knownPRF {
		return nil, errCipher
	}
	iv, text := algorithm.Parameters.Cipher.IV, bytes.Clone(e.Info.Content)
	if len(iv) != aes.BlockSize || len(text) == 0 || len(text)%aes.BlockSize != 0 || kdf.Parameters.Count < 1 {
		return nil, errForm
	}
	key, err := pbkdf2.Key(prf, password, kdf.Parameters.Salt, kdf.Parameters.Count, size)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	return unpad(text)
}

// unpad takes the padding of RFC 8018 §6.1.1 away; where there is none the password was wrong.
func unpad(text []byte) ([]byte, error) {
	n := int(text[len(text)-1])
	if n < 1 || n > aes.BlockSize || !bytes.Equal(text[len(text)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, ErrPassword
	}
	return text[:len(text)-n], nil
}

// keySizes are those of AES in CBC mode.
var keySizes = map[string]int{
	"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32,
}

// prfs are the hashes of PBKDF2's HMAC; SHA-1 is the default (RFC 8018, appendix A.2).
var prfs = map[string]func() hash.Hash{
	"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New, "1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
}
