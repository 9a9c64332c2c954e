package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
)

// A keyType is one kind of key that a certificate can be ordered with.
type keyType struct {
	name     string
	generate func() (crypto.Signer, error)
	// slow keys are made once per pool and shared by all CAs: an RSA key costs thousands of times what an ECDSA
	// key costs, and no check of the lab compares two ends' keys.
	slow bool
}

func keyTypes() []keyType {
	rsaKey := func(bits int) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) }
	}
	ecdsaKey := func(curve elliptic.Curve) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
	}
	return []keyType{
		{"rsa-1024", rsaKey(1024), true},
		{"rsa-2048", rsaKey(2048), true},
		{"rsa-3072", rsaKey(3072), true},
		{"rsa-4096", rsaKey(4096), true},
		{"ecdsa-p256", ecdsaKey(elliptic.P256()), false},
		{"ecdsa-p384", ecdsaKey(elliptic.P384()), false},
		{"ecdsa-p521", ecdsaKey(elliptic.P521()), false},
		{"ed25519", func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}, false},
	}
}

// KeyTypes returns the key types that an order can name, weakest RSA key first.
func KeyTypes() []string {
	var names []string
	for _, t := range keyTypes() {
		names = append(names, t.name)
	}
	return names
}

// A key is a private key and the request that proves its possession to an Authority. The request holds no names:
// they come from the order.
type key struct {
	signer  crypto.Signer
	request *x509.CertificateRequest
}

// A KeyPool keeps the keys that certificates are made with, in memory only. It may serve several Sets, which spares
// each of them its own RSA keys. The zero value is ready for use, by several goroutines at once.
type KeyPool struct {
	keys flight[key]
}

// What the keys of a pool are for. One key never serves two purposes: a CA's is no end's.
const (
	forEnds    = "ends"
	forIssuers = "issuers"
	forForgers = "forgers"
)

// held is the purpose of a key that one holder has for itself.
func held(purpose, holder string) string {
	if holder == "" {
		return purpose
	}
	return purpose + " held by " + holder
}

// get returns the key of the given type and purpose for the given CA.
func (p *KeyPool) get(ctx context.Context, typ, purpose, ca string) (key, error) {
	for _, t := range keyTypes() {
		if t.name != typ {
			continue
		}
		slot := typ + " for " + purpose
		if !t.slow {
			slot += " of " + ca
		}
		return p.keys.do(ctx, slot, func() (key, error) { return newKey(t) })
	}
	return key{}, fmt.Errorf("no key type %q; known: %s", typ, strings.Join(KeyTypes(), ", "))
}

func newKey(t keyType) (key, error) {
	signer, err := t.generate()
	if err != nil {
		return key{}, fmt.Errorf("generate a key of type %s: %w", t.name, err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, signer)
	if err != nil {
		return key{}, fmt.Errorf("certificate request for a key of type %s: %w", t.name, err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return key{}, fmt.Errorf("certificate request for a key of type %s: %w", t.name, err)
	}
	return key{signer, request}, nil
}
