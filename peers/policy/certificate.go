package policy

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
)

var (
	oidSAN             = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidKeyUsage        = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidExtKeyUsage     = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidSIPDomain       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20} // RFC 5924
	oidXMPPAddr        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5}  // RFC 6120 §13.7.1.4
	oidSRVName         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7}  // RFC 4985
	oidCommonName      = asn1.ObjectIdentifier{2, 5, 4, 3}
)

// A cert is a certificate with what the checks ask of it more than once.
type cert struct {
	*x509.Certificate
	inStore    bool // taken from the judge's store
	selfIssued bool // subject and issuer are the same name
	hasKU      bool
	hasEKU     bool
	hasSAN     bool
}

func newCert(c *x509.Certificate, inStore bool) *cert {
	return &cert{
		Certificate: c,
		inStore:     inStore,
		selfIssued:  bytes.Equal(c.RawSubject, c.RawIssuer),
		hasKU:       hasExtension(c, oidKeyUsage),
		hasEKU:      hasExtension(c, oidExtKeyUsage),
		hasSAN:      hasExtension(c, oidSAN),
	}
}

func hasExtension(c *x509.Certificate, oid asn1.ObjectIdentifier) bool {
	for i := range c.Extensions {
		if c.Extensions[i].Id.Equal(oid) {
			return true
		}
	}
	return false
}

// selfSigned reports whether c looks self-signed, without verifying that: it issued itself by name, its key
// identifiers don't contradict that, and its signature could come from its own key.
func (c *cert) selfSigned() bool {
	return c.selfIssued && keyIDsAgree(c, c) && signatureFits(c.Certificate, c.Certificate)
}

func (c *cert) equal(other *cert) bool {
	return c == other || bytes.Equal(c.Raw, other.Raw)
}

// label names c in a check's detail and certificate field.
func (c *cert) label() string {
	if cn := c.Subject.CommonName; cn != "" {
		return cn
	}
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	if s := c.Subject.String(); s != "" {
		return s
	}
	return "(no name)"
}

func (c *cert) listsEKU(u x509.ExtKeyUsage) bool { return slices.Contains(c.ExtKeyUsage, u) }

func (c *cert) listsUnknownEKU(oid asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.UnknownExtKeyUsage, oid.Equal)
}

// keyIDsAgree reports whether the child's authority key identifier, if it has one, can mean the issuer.
func keyIDsAgree(issuer, child *cert) bool {
	return len(child.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 ||
		bytes.Equal(child.AuthorityKeyId, issuer.SubjectKeyId)
}

// canIssue reports whether issuer fits child by name, by key identifier where the stack compares these, and by
// the kind of its key. It doesn't verify the signature.
func canIssue(issuer, child *cert, r *pathRules) bool {
	return bears(issuer, child, r.Names) && r.keyIDsFit(issuer, child) && signatureFits(issuer.Certificate, child.Certificate)
}

// keyIDsFit compares key identifiers as far as the stack does.
func (r *pathRules) keyIDsFit(issuer, child *cert) bool {
	return !r.KeyIDs && !(r.AnchorKeyIDs && issuer.inStore) || keyIDsAgree(issuer, child)
}

// The values of pathRules.Names.
const (
	canonicalNames = "canonical" // forgives spelling
	textNames      = "text"      // forgives the string type
)

// sameName compares two encoded distinguished names. Canonically, the values of attributes are compared without regard
// to case and with runs of white space as one (RFC 5280 §7.1).
func sameName(a, b []byte, how string) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if how == "" {
		return false
	}
	same := sameAttribute
	if how == textNames {
		same = sameText
	}
	var x, y pkix.RDNSequence
	if _, err := asn1.Unmarshal(a, &x); err != nil {
		return false
	}
	if _, err := asn1.Unmarshal(b, &y); err != nil {
		return false
	}
	return slices.EqualFunc(x, y, func(m, n pkix.RelativeDistinguishedNameSET) bool {
		return slices.EqualFunc(m, n, same)
	})
}

func sameAttribute(s, t pkix.AttributeTypeAndValue) bool {
	v, ok := s.Value.(string)
	w, both := t.Value.(string)
	return s.Type.Equal(t.Type) && ok && both && (strings.EqualFold(v, w) || strings.EqualFold(squeeze(v), squeeze(w)))
}

func sameText(s, t pkix.AttributeTypeAndValue) bool {
	v, ok := s.Value.(string)
	w, both := t.Value.(string)
	return s.Type.Equal(t.Type) && ok && both && v == w
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// bears is sameName for an issuer's subject and the issuer that a child names. Most pairs of a store differ, and
// crypto/x509 has decoded their names already: only where these agree are the encodings worth a second look.
func bears(issuer, child *cert, how string) bool {
	a, b := issuer.Subject.Names, child.Issuer.Names
	if how != "" && len(a) > 0 && len(b) > 0 && !slices.EqualFunc(a, b, sameAttribute) {
		return false
	}
	return sameName(issuer.RawSubject, child.RawIssuer, how)
}
