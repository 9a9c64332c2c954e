package certfile

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// file makes a File of what was collected.
func (r *reader) file() (File, error) {
	f := File{Name: r.name, Format: r.format}
	switch {
	case len(r.certs) > maxCertificates:
		return File{}, r.fault("is it a root store?", "the file holds %d certificates; %d are the most that are searched for a chain", len(r.certs), maxCertificates)
	case len(r.requests) > 1:
		return File{}, r.fault("put each into a file of its own", "the file holds %d certificate requests", len(r.requests))
	case len(r.keys) > 1:
		return File{}, r.fault("leave in the one of this certificate", "the file holds %d private keys", len(r.keys))
	case len(r.certs) == 0 && len(r.requests) == 0:
		return File{}, r.fault("add the certificate", "the file holds a private key only")
	}
	if len(r.keys) == 1 {
		f.Key = r.keys[0]
	}
	if len(r.certs) == 0 {
		f.Request = r.requests[0]
		if err := f.Request.CheckSignature(); err != nil {
			f.add("request-signature", "make the request again", "the request isn't signed by its own key: %s", short(err))
		}
		if f.Key != nil && !sameKey(f.Key.Public(), f.Request.PublicKey) {
			f.add("key-mismatch", "look for the key that the request was made with", "the private key isn't the request's")
		}
		return f, nil
	}
	leaf, err := r.leaf(f.Key)
	if err != nil {
		return File{}, err
	}
	r.chain(&f, leaf)
	return f, nil
}

func (f *File) add(rule, wayOut, format string, args ...any) {
	f.Findings = append(f.Findings, Finding{Rule: rule, Detail: fmt.Sprintf(format, args...), WayOut: wayOut})
}

// leaf finds the certificate that the file is about: the one of the key, or else the only one that isn't a CA's, or
// else the only one that issued none of the others.
func (r *reader) leaf(key crypto.Signer) (*x509.Certificate, error) {
	var once []*x509.Certificate
	for _, c := range r.certs {
		if !slices.ContainsFunc(once, c.Equal) {
			once = append(once, c)
		}
	}
	r.certs = once
	if key != nil {
		for _, c := range r.certs {
			if sameKey(key.Public(), c.PublicKey) {
				return c, nil
			}
		}
	}
	var leaves []*x509.Certificate
	for _, c := range r.certs {
		issues := slices.ContainsFunc(r.certs, func(d *x509.Certificate) bool { return d != c && issued(c, d) })
		if !c.IsCA && !issues {
			leaves = append(leaves, c)
		}
	}
	switch {
	case len(leaves) == 1:
		return leaves[0], nil
	case len(leaves) > 1:
		var names []string
		for _, c := range leaves {
			names = append(names, title(c))
		}
		return nil, r.fault("put each with its chain into a file of its own", "the file holds %d certificates that aren't a CA's: %s", len(leaves), strings.Join(names, ", "))
	case len(r.certs) == 1:
		return r.certs[0], nil // a CA:TRUE leaf, or a CA certificate on its own: that is for the checks to say
	}
	return nil, r.fault("add the server's own certificate", "the file holds %d certificates of CAs, and none of a server", len(r.certs))
}

// chain orders the certificates from the leaf up and notes what is out of place.
func (r *reader) chain(f *File, leaf *x509.Certificate) {
	f.Chain = []*x509.Certificate{leaf}
	rest := slices.DeleteFunc(slices.Clone(r.certs), leaf.Equal)
	for last := leaf; !selfIssued(last); {
		i := slices.IndexFunc(rest, func(c *x509.Certificate) bool { return issued(c, last) })
		if i < 0 {
			break
		}
		last = rest[i]
		f.Chain = append(f.Chain, last)
		rest = slices.DeleteFunc(rest, last.Equal)
	}
	f.Extra = rest
	r.findings(f)
}

func (r *reader) findings(f *File) {
	leaf, last := f.Chain[0], f.Chain[len(f.Chain)-1]
	if f.Key != nil && !sameKey(f.Key.Public(), leaf.PublicKey) {
		f.add("key-mismatch", "look for the key that the request was made with", "the private key isn't that of %s", title(leaf))
	}
	inOrder := len(r.certs) >= len(f.Chain)
	for i := range f.Chain {
		inOrder = inOrder && r.certs[i].Equal(f.Chain[i])
	}
	if !inOrder && r.format == PEM {
		f.add("chain-order", "write the leaf first, then each issuer", "the certificates aren't in order; they are read as if they were")
	}
	switch {
	case selfIssued(leaf):
		f.add("self-signed", "", "%s signs itself: nobody trusts it who hasn't been given it", title(leaf))
	case len(f.Chain) == 1:
		wayOut := "get it from the CA and put it behind the leaf"
		if len(leaf.IssuingCertificateURL) > 0 {
			wayOut = "get it from " + clean(leaf.IssuingCertificateURL[0]) + " and put it behind the leaf"
		}
		f.add("intermediate-missing", wayOut, "the certificate of the issuer, %s, isn't in the file: a peer that doesn't have it can't build the chain", clean(leaf.Issuer.String()))
	case selfIssued(last):
		f.add("root-included", "leave it out", "the root, %s, is in the file: it is of no use to a peer, who trusts its own copy or none", title(last))
	}
	for _, c := range f.Extra {
		f.add("extra-certificate", "leave it out", "%s doesn't belong to the chain", title(c))
	}
}

// issued reports whether c is the issuer of d. The signature settles it; where the algorithm is too old to be
// verified, names and key identifiers do.
func issued(c, d *x509.Certificate) bool {
	if !bytes.Equal(c.RawSubject, d.RawIssuer) {
		return false
	}
	if len(c.SubjectKeyId) > 0 && len(d.AuthorityKeyId) > 0 && !bytes.Equal(c.SubjectKeyId, d.AuthorityKeyId) {
		return false
	}
	err := c.CheckSignature(d.SignatureAlgorithm, d.RawTBSCertificate, d.Signature)
	if err == nil {
		return true
	}
	_, insecure := err.(x509.InsecureAlgorithmError) //nolint:errorlint // returned as it is
	return insecure || d.SignatureAlgorithm == x509.UnknownSignatureAlgorithm
}

func selfIssued(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && issued(c, c)
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// title is what messages call a certificate.
func title(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return clean(c.Subject.CommonName)
	case len(c.DNSNames) > 0:
		return clean(c.DNSNames[0])
	}
	return clean(c.Subject.String())
}

// clean keeps a message on its line, whatever a certificate holds.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
	const longest = 120
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return s
}
