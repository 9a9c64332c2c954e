package policy

import (
	"bytes"
	"slices"
	"time"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A path is the way from the leaf up to where the stack stopped.
type path struct {
	certs []*cert
	// anchored is set if the path ends in a certificate that the stack trusts by itself.
	anchored bool
	// anchorSent is set if the anchor was cut off from what the peer sent.
	anchorSent bool
	// leafTrusted is set if the leaf itself is what the stack trusts.
	leafTrusted bool
	// code and detail say why the path isn't anchored.
	code   verdict.Code
	detail string
	// forged is the depth of a certificate whose signature its issuer didn't make; 0 with badSig unset: none.
	forged int
	badSig bool
}

// maxPaths bounds the search for paths among certificates that sign each other.
const maxPaths = 64

// maxLength bounds a path.
const maxLength = 100

// A builder builds paths for one chain.
type builder struct {
	rules     *pathRules
	presented []*cert // leaf first
	store     []*cert
	at        time.Time
	// signatures holds what was verified before; nil: nothing was.
	signatures *Signatures
}

// paths returns at least one path. Only the allPaths strategy returns more.
func (b *builder) paths() []*path {
	switch b.rules.Strategy {
	case allPaths:
		return b.all()
	case noPath:
		return []*path{{certs: b.presented[:1], anchored: true}}
	case sorted:
		return b.sent(b.sort())
	default:
		return []*path{b.first()}
	}
}

func validAt(c *cert, at time.Time) bool { return !at.Before(c.NotBefore) && !at.After(c.NotAfter) }

// pick returns the certificate among pool that the first-match strategy takes as child's issuer: the first that fits
// and is valid, else the one that expires last.
func (b *builder) pick(pool, chain []*cert, child *cert) *cert {
	var best *cert
	for _, c := range pool {
		if !canIssue(c, child, b.rules) || b.rules.VerifyFirst && !signed(c.Certificate, child.Certificate) {
			continue
		}
		if !(child.selfIssued && len(chain) == 1) && slices.ContainsFunc(chain, c.equal) {
			continue
		}
		if validAt(c, b.at) {
			return c
		}
		if best == nil || c.NotAfter.After(best.NotAfter) {
			best = c
		}
	}
	return best
}

// first builds the one path of the first-match strategy: the store is asked first, what the peer sent only as long as
// the store has no answer, and never again after that. Signatures are not looked at until the path is complete.
func (b *builder) first() *path {
	p := &path{certs: []*cert{b.presented[0]}}
	extra := slices.Clone(b.presented[1:])
	untrusted := true
	for len(p.certs) < maxLength {
		last := p.certs[len(p.certs)-1]
		if issuer := b.pick(b.store, nil, last); issuer != nil {
			self := last.selfSigned()
			switch {
			case !self:
				p.certs = append(p.certs, issuer)
				self = issuer.selfSigned()
			case last.equal(issuer):
				p.certs[len(p.certs)-1] = issuer
			default:
				issuer = nil // a look-alike of a trusted root
			}
			if issuer != nil {
				untrusted = false
				if self || b.rules.PartialChain {
					p.anchored = true
					break
				}
				continue
			}
		}
		if !untrusted {
			break
		}
		var next *cert
		if !last.selfSigned() {
			next = b.pick(extra, p.certs, last)
		}
		if next == nil {
			untrusted = false
			continue
		}
		extra = slices.DeleteFunc(extra, func(c *cert) bool { return c == next })
		p.certs = append(p.certs, next)
	}
	if !p.anchored && len(p.certs) >= 1 && !slices.ContainsFunc(p.certs, func(c *cert) bool { return c.inStore }) &&
		b.rules.PartialChain {
		if i := slices.IndexFunc(b.store, p.certs[0].equal); i >= 0 {
			p.certs = []*cert{b.store[i]}
			p.anchored, p.leafTrusted = true, true
		}
	}
	if b.rules.SelfSignedLeaf == "refused" && len(b.presented) == 1 && b.presented[0].selfIssued {
		p.anchored = false
	}
	b.finish(p)
	return p
}

// all builds every path from the leaf to a certificate of the store, following only signatures that hold. Only where
// there is no such path does it follow names alone, so that a signature that doesn't hold is what is wrong then, and
// not a certificate that is there and seems to be missing.
func (b *builder) all() []*path {
	leaf := b.presented[0]
	if b.rules.LeafAnchor && slices.ContainsFunc(b.store, leaf.equal) {
		return []*path{{certs: []*cert{leaf}, anchored: true, leafTrusted: true}}
	}
	var found []*path
	longest := []*cert{leaf}
	steps, byName := 0, false
	var walk func(chain []*cert)
	walk = func(chain []*cert) {
		last := chain[len(chain)-1]
		if len(chain) > len(longest) {
			longest = slices.Clone(chain)
		}
		pools := [2][]*cert{b.store, b.presented[1:]}
		if b.rules.PresentedFirst {
			pools = [2][]*cert{b.presented[1:], b.store}
		}
		for i, pool := range pools {
			anchors := b.rules.PresentedFirst && i == 1
			if anchors {
				pool = b.anchorsFor(last)
			}
			for _, c := range pool {
				if steps++; steps > 100*maxPaths || len(found) >= maxPaths || len(chain) >= maxLength {
					return
				}
				if !canIssue(c, last, b.rules) || !anchors && repeats(chain, c) || !byName && !b.signatures.good(c.Certificate, last.Certificate) {
					continue
				}
				next := append(slices.Clip(chain), c)
				if c.inStore && (b.rules.PartialChain || c.selfSigned()) {
					found = append(found, &path{certs: next, anchored: true})
					continue
				}
				walk(next)
			}
		}
	}
	walk([]*cert{leaf})
	if b.rules.SelfSignedLeaf == "refused" && leaf.selfIssued {
		p := &path{certs: []*cert{leaf}}
		b.finish(p)
		if len(b.presented) > 1 {
			p.code = verdict.UntrustedRoot
		}
		return []*path{p}
	}
	if len(found) > 0 {
		return found
	}
	steps, byName = 0, true
	walk([]*cert{leaf})
	if len(found) == 0 {
		found = []*path{{certs: longest}}
	}
	for _, p := range found {
		b.finish(p)
	}
	return found
}

// anchorsFor returns the certificates of the store that may issue child where what was sent comes first: all if nothing
// that was sent fits, else the roots alone, and none if a root was sent.
func (b *builder) anchorsFor(child *cert) []*cert {
	rootsOnly := false
	for _, c := range b.presented[1:] {
		if !canIssue(c, child, b.rules) || c.equal(child) {
			continue
		}
		if c.selfSigned() {
			return nil
		}
		rootsOnly = true
	}
	if !rootsOnly {
		return b.store
	}
	return slices.DeleteFunc(slices.Clone(b.store), func(c *cert) bool { return !c.selfSigned() })
}

// repeats reports whether c, or another certificate for the same name and key, is in chain.
func repeats(chain []*cert, c *cert) bool {
	return slices.ContainsFunc(chain, func(o *cert) bool {
		return o.equal(c) || sameKey(o, c)
	})
}

// sort puts the presented certificates into issuing order, and the root, if it was sent, out.
func (b *builder) sort() []*cert {
	chain := []*cert{b.presented[0]}
	rest := slices.Clone(b.presented[1:])
	for last := chain[0]; !b.issued(last, last); last = chain[len(chain)-1] {
		i := slices.IndexFunc(rest, func(c *cert) bool { return b.issued(c, last) })
		if i < 0 {
			break
		}
		chain = append(chain, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	if last := chain[len(chain)-1]; len(chain) > 1 && b.issued(last, last) {
		chain = chain[:len(chain)-1]
	}
	return chain
}

// shorten drops what the store holds itself, and whatever comes after it.
func (b *builder) shorten(chain []*cert) []*cert {
	if !b.rules.Shorten {
		return chain
	}
	for i := 1; i < len(chain); i++ {
		if slices.ContainsFunc(b.store, chain[i].equal) {
			return chain[:i]
		}
	}
	return chain
}

// issued reports whether issuer fits child by name and key identifier.
func (b *builder) issued(issuer, child *cert) bool {
	return bears(issuer, child, b.rules.Names) && b.rules.keyIDsFit(issuer, child)
}

// sent takes chain as the path and ends it with the store's issuer of its last certificate or, if there is none or it
// is not valid, with a certificate of chain that the store holds. Where that one comes first in the chain, the rest
// isn't looked at.
func (b *builder) sent(sorted []*cert) []*path {
	chain := b.shorten(sorted)
	last := chain[len(chain)-1]
	var found []*path
	for _, name := range [][]byte{last.RawIssuer, last.RawSubject} {
		p := b.endAt(chain, name)
		if p == nil {
			continue
		}
		found = append(found, p)
		if validAt(p.certs[len(p.certs)-1], b.at) {
			break
		}
	}
	if len(found) == 0 {
		found = []*path{{certs: chain}}
	}
	for _, p := range found {
		p.anchorSent = len(chain) < len(sorted)
		b.finish(p)
	}
	return found
}

// endAt ends chain with a certificate of the store that has the given name, or returns nil if none fits.
func (b *builder) endAt(chain []*cert, name []byte) *path {
	var pool []*cert
	for _, c := range b.store {
		if sameName(c.RawSubject, name, b.rules.Names) {
			pool = append(pool, c)
		}
	}
	for i, c := range chain {
		held := slices.IndexFunc(pool, func(s *cert) bool {
			return s.equal(c) || i > 0 && sameKey(s, c) && b.issued(s, chain[i-1])
		})
		if held >= 0 {
			return &path{certs: append(slices.Clone(chain[:i]), pool[held]), anchored: true, leafTrusted: i == 0}
		}
	}
	if issuer := b.pickTrusted(pool, chain[len(chain)-1]); issuer != nil {
		return &path{certs: append(slices.Clip(chain), issuer), anchored: true}
	}
	return nil
}

// pickTrusted returns the certificate of pool that issued child: the last valid one if several fit.
func (b *builder) pickTrusted(pool []*cert, child *cert) *cert {
	var best *cert
	for _, c := range pool {
		if b.issued(c, child) && (best == nil || validAt(c, b.at)) {
			best = c
		}
	}
	return best
}

// sameKey reports whether two certificates are for the same name and key.
func sameKey(a, b *cert) bool {
	return bytes.Equal(a.RawSubject, b.RawSubject) && slices.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}

// finish says why a path isn't anchored, and finds a signature in it that doesn't hold.
func (b *builder) finish(p *path) {
	for i := 0; i+1 < len(p.certs); i++ {
		if !b.signatures.good(p.certs[i+1].Certificate, p.certs[i].Certificate) {
			p.forged, p.badSig = i, true
		}
	}
	if p.anchored {
		return
	}
	last := p.certs[len(p.certs)-1]
	switch {
	case last.selfSigned() && len(p.certs) == 1:
		p.code, p.detail = verdict.SelfSigned, "the certificate signs itself and is not in the store"
	case last.selfSigned():
		p.code, p.detail = verdict.UntrustedRoot, "the chain ends in "+last.label()+", which is not in the store"
	case len(p.certs) == 1:
		p.code, p.detail = verdict.ChainIncomplete, "no certificate for its issuer "+issuerLabel(last)+" was sent, and the store has none"
	case last.inStore:
		p.code, p.detail = verdict.UntrustedRoot, last.label()+" is in the store, but is no root, and its issuer isn't there"
	default:
		p.code, p.detail = verdict.UntrustedRoot, "the store has no certificate for "+issuerLabel(last)+", the issuer of "+last.label()
	}
}

func issuerLabel(c *cert) string {
	if cn := c.Issuer.CommonName; cn != "" {
		return cn
	}
	if s := c.Issuer.String(); s != "" {
		return s
	}
	return "(no name)"
}
