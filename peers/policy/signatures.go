package policy

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"sync"
)

// Signatures remembers which signatures were verified and whether they hold. Verifying is by far the dearest part of
// a judgement, and the same few intermediates sign every certificate of a run. It never answers for a signature that
// it hasn't verified: entries are keyed by what was signed, the signature and the key. The zero value is empty; a nil
// *Signatures remembers nothing. It grows with
// what it is shown and belongs to one run. It is safe for concurrent use.
//
// It remembers trust stores too, as the checks need them: a list of roots that a Question was put with must not change.
type Signatures struct {
	known  sync.Map
	stores sync.Map // storeID -> []*cert
}

// A storeID is a list of roots: where it is, and how much of it.
type storeID struct {
	first **x509.Certificate
	n     int
}

// store returns roots as the checks need them.
func (s *Signatures) store(roots []*x509.Certificate) []*cert {
	if s == nil || len(roots) == 0 {
		return newStore(roots)
	}
	id := storeID{&roots[0], len(roots)}
	if v, ok := s.stores.Load(id); ok {
		return slices.Clip(v.([]*cert)) // whoever appends gets a list of its own
	}
	list := newStore(roots)
	s.stores.Store(id, list)
	return slices.Clip(list)
}

func newStore(roots []*x509.Certificate) []*cert {
	list := make([]*cert, len(roots))
	for i, c := range roots {
		list[i] = newCert(c, true)
	}
	return list
}

func (s *Signatures) good(issuer, child *x509.Certificate) bool {
	if s == nil {
		return signed(issuer, child)
	}
	return s.remember(issuer, child.Raw, func() bool { return signed(issuer, child) })
}

func (s *Signatures) goodCRL(issuer *x509.Certificate, crl *x509.RevocationList) bool {
	if s == nil {
		return issued(issuer, crl)
	}
	return s.remember(issuer, crl.Raw, func() bool { return issued(issuer, crl) })
}

func (s *Signatures) remember(issuer *x509.Certificate, raw []byte, verify func() bool) bool {
	h := sha256.New()
	key := sha256.Sum256(issuer.RawSubjectPublicKeyInfo)
	h.Write(key[:])
	h.Write(raw)
	id := [sha256.Size]byte(h.Sum(nil))
	if v, ok := s.known.Load(id); ok {
		return v.(bool)
	}
	ok := verify()
	s.known.Store(id, ok)
	return ok
}
