package ca

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.step.sm/crypto/x509util"

	"github.com/edgelab/edgelab/lab/plan"
)

// Options are the inputs of a Set besides its orders.
type Options struct {
	// Seed makes serial numbers reproducible: the same seed and order give the same one. Keys, and what is derived
	// from them (key identifiers, signatures), differ from run to run.
	Seed uint64
	// At is the date at which the CAs are asked: by then an order may have expired or be for later, which no CA
	// sells. Zero: dates aren't held against an order.
	At time.Time
	// Keys is where the certificates' keys come from; nil: the Set has a pool of its own.
	Keys *KeyPool
}

// ErrClosed is returned by a Set that was closed.
var ErrClosed = errors.New("the lab's CAs are closed")

// A Set is the CAs of a run. Each is made when it is first asked for. A Set is safe for concurrent use, and starts no
// goroutines.
type Set struct {
	seed   uint64
	at     time.Time
	keys   *KeyPool
	closed atomic.Bool

	roots         flight[*issuer] // by CA name
	intermediates flight[*issuer] // by CA name and kind
	leaves        flight[*leaf]   // by content of the order, but for what is only about sending it
	issued        flight[*Issued] // by content of the order
}

// A leaf is a certificate, the CAs above it, and its key.
type leaf struct {
	cert     *x509.Certificate
	above    []*issuer // those below the root, the one that issued it first; none: it signs itself
	root     *issuer
	signer   crypto.Signer
	refusals []string
}

// NewSet returns a Set without any CA yet.
func NewSet(o Options) *Set {
	s := &Set{seed: o.Seed, at: o.At, keys: o.Keys}
	if s.keys == nil {
		s.keys = new(KeyPool)
	}
	return s
}

// Issue makes the ordered certificate on the named CA: Public, Internal, Untrusted or a PartnerCA. The same order on
// the same CA gives the same *Issued. Its error is an *OrderError when the order is at fault; otherwise it is about the
// CA's name, ErrClosed, or ctx's.
func (s *Set) Issue(ctx context.Context, ca string, o plan.Order) (*Issued, error) {
	if err := s.ready(ctx, ca); err != nil {
		return nil, err
	}
	o, field, err := complete(o)
	if err != nil {
		return nil, &OrderError{CA: ca, Order: title(o), Field: field, Err: err}
	}
	return s.issued.do(ctx, content(ca, o), func() (*Issued, error) {
		// Others may be waiting for this order, so this caller's cancellation doesn't end it; it is short.
		ctx := context.WithoutCancel(ctx)
		// How a certificate is sent doesn't change it.
		made := o
		made.Chain, made.Withhold = "", false
		id := content(ca, made)
		l, err := s.leaves.do(ctx, id, func() (*leaf, error) { return s.newLeaf(ctx, ca, made, id) })
		if err != nil {
			return nil, err
		}
		return &Issued{
			Order:  o,
			Leaf:   l.cert,
			TLS:    tls.Certificate{Certificate: l.chain(o.Chain), PrivateKey: l.signer, Leaf: l.cert},
			Beside: l.refusals,
		}, nil
	})
}

// newLeaf makes the certificate of a complete order; id is the order's content.
func (s *Set) newLeaf(ctx context.Context, ca string, o plan.Order, id string) (*leaf, error) {
	owner := ca
	if o.Issuer == plan.IssuerUntrusted {
		owner = Untrusted
	}
	fail := func(field string, err error) (*leaf, error) {
		return nil, &OrderError{CA: ca, Order: title(o), Field: field, Err: err}
	}
	k, err := s.keys.get(ctx, o.Key, held(forEnds, o.Holder), owner)
	if err != nil {
		return fail("key", err)
	}
	l := &leaf{signer: k.signer, refusals: refusals(owner, o, s.at)}
	serial := serialNumber(s.seed, id)
	public := k.signer.Public()

	if o.Issuer == plan.IssuerSelfSigned {
		t, err := template(o, serial, "", public, public)
		if err != nil {
			return fail("hash", err)
		}
		self := t.GetCertificate()
		if l.cert, err = x509util.CreateCertificate(self, self, public, k.signer); err != nil {
			return fail("", err)
		}
		return l, nil
	}

	if l.root, err = s.root(ctx, owner); err != nil {
		return nil, err
	}
	by, err := s.intermediate(ctx, owner, kindOf(o))
	if err != nil {
		return fail("", err)
	}
	l.above = []*issuer{by}
	if o.SubCA {
		upper, err := s.intermediate(ctx, owner, intermediateKind{})
		if err != nil {
			return fail("", err)
		}
		l.above = append(l.above, upper)
	}
	cdp := by.cdp
	if o.NoCDP {
		cdp = ""
	}
	t, err := template(o, serial, cdp, public, by.signer.Public())
	if err != nil {
		return fail("hash", err)
	}
	switch {
	case o.Issuer == plan.IssuerForged:
		var other key
		if other, err = s.keys.get(ctx, cmp.Or(o.IntermediateKey, caKey), forForgers, owner); err != nil {
			return fail("issuer", err)
		}
		l.cert, err = by.forge(t, other.signer)
	case len(l.refusals) == 0:
		l.cert, err = by.issue(ctx, t, o.SANs, k.request)
	default:
		l.cert, err = by.issueBeside(t)
	}
	if err != nil {
		return fail("", err)
	}
	if o.Revoked {
		if err := by.revoke(ctx, l.cert); err != nil {
			return fail("revoked", err)
		}
	}
	return l, nil
}

// chain is what an end sends, in the given form. A self-signed certificate comes alone in each.
func (l *leaf) chain(form string) [][]byte {
	chain := [][]byte{l.cert.Raw}
	if len(l.above) == 0 || form == plan.ChainLeafOnly {
		return chain
	}
	if form == plan.ChainMisordered {
		chain = append(chain, l.root.cert.Raw)
	}
	for _, i := range l.above {
		chain = append(chain, i.cert.Raw)
	}
	if form == plan.ChainWithRoot {
		chain = append(chain, l.root.cert.Raw)
	}
	return chain
}

// Root returns the root certificate of the named CA, making the CA if need be.
func (s *Set) Root(ctx context.Context, ca string) (*x509.Certificate, error) {
	if err := s.ready(ctx, ca); err != nil {
		return nil, err
	}
	root, err := s.root(ctx, ca)
	if err != nil {
		return nil, err
	}
	return root.cert, nil
}

// Intermediate returns the usual issuing certificate of the named CA, making the CA if need be.
func (s *Set) Intermediate(ctx context.Context, ca string) (*x509.Certificate, error) {
	if err := s.ready(ctx, ca); err != nil {
		return nil, err
	}
	i, err := s.intermediate(ctx, ca, intermediateKind{})
	if err != nil {
		return nil, err
	}
	return i.cert, nil
}

// Close ends the CAs' Authorities. The certificates that were issued stay usable.
func (s *Set) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	var errs []error
	for _, i := range s.intermediates.finished() {
		if err := i.authority.Shutdown(); err != nil {
			errs = append(errs, fmt.Errorf("shut the Authority of %q down: %w", i.cert.Subject.CommonName, err))
		}
	}
	return errors.Join(errs...)
}

// ready says whether the Set can serve a call about the named CA.
func (s *Set) ready(ctx context.Context, ca string) error {
	if s.closed.Load() {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	switch {
	case ca == Public, ca == Internal, ca == Untrusted:
		return nil
	case strings.HasPrefix(ca, partnerPrefix) && len(ca) > len(partnerPrefix):
		return nil
	}
	return unknown("CA", clip(ca), []string{Public, Internal, Untrusted, PartnerCA("<name>")})
}

func (s *Set) root(ctx context.Context, ca string) (*issuer, error) {
	return s.roots.do(ctx, ca, func() (*issuer, error) {
		return newRoot(label(ca), s.crlURL(ca, "root"), s.seed)
	})
}

func (s *Set) intermediate(ctx context.Context, ca string, kind intermediateKind) (*issuer, error) {
	root, err := s.root(ctx, ca)
	if err != nil {
		return nil, err
	}
	parent := root
	if kind.Sub {
		if parent, err = s.intermediate(ctx, ca, intermediateKind{}); err != nil {
			return nil, err
		}
	}
	var signer crypto.Signer // of its own, unless a type is asked for
	if kind.Key != "" {
		k, err := s.keys.get(ctx, kind.Key, forIssuers, ca)
		if err != nil {
			return nil, err
		}
		signer = k.signer
	}
	return s.intermediates.do(ctx, ca+" "+kind.id(), func() (*issuer, error) {
		return newIntermediate(label(ca), s.crlURL(ca, kind.id()), s.seed, kind, signer, parent, root)
	})
}

// label names a CA by one DNS label: "public", "internal", "untrusted", "partner-litware". A partner whose name
// doesn't fit gets a digest added, so that two partners never share a label.
func label(ca string) string {
	const longest = 40 // leaves room for " … CA" within the 64 characters of a common name (RFC 5280, ub-common-name)
	text := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '-'
	}, strings.Replace(ca, partnerPrefix, "partner-", 1))
	if strings.Replace(text, "partner-", partnerPrefix, 1) == ca && len(text) <= longest && !strings.HasSuffix(text, "-") {
		return text
	}
	sum := sha256.Sum256([]byte(ca))
	return strings.TrimRight(text[:min(len(text), longest-13)], "-") + "-" + hex.EncodeToString(sum[:6])
}
