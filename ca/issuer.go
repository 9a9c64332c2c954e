package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/smallstep/certificates/authority"
	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/authority/provisioner"
	"github.com/smallstep/certificates/db"
	"go.step.sm/crypto/x509util"

	"github.com/edgelab/edgelab/lab/plan"
)

// labOrganization is in the subject of every CA certificate, so that none of them is ever taken for a real CA.
const labOrganization = "edgelab lab CA, not for production"

// The lab's CAs are valid at every date that a scenario may be played at.
var (
	caNotBefore = time.Date(2006, 1, 1, 0, 0, 0, 0, time.UTC)
	caNotAfter  = time.Date(2056, 1, 1, 0, 0, 0, 0, time.UTC)
)

// An issuer is one CA certificate with its key, and for intermediates the Authority that issues with it.
type issuer struct {
	id        string // names its CRL: "root", "issuing", …
	cdp       string // URL of the CRL of the certificates it issues
	cert      *x509.Certificate
	signer    crypto.Signer
	authority *authority.Authority // nil for a root

	mu      sync.Mutex
	revoked []*x509.Certificate
	list    signedList
}

// newRoot makes a self-signed CA certificate with a key of its own.
func newRoot(label, cdp string, seed uint64) (*issuer, error) {
	t := caTemplate(label+" root CA", seed, label+"/root")
	signer, err := newCAKey(t)
	if err != nil {
		return nil, err
	}
	return newIssuer("root", cdp, t, signer, nil)
}

// An intermediateKind is what sets an intermediate apart from its CA's usual one.
type intermediateKind struct {
	EKUs                []plan.Usage
	NotCA               bool
	Key                 string // empty: a P-256 key of its own
	Hash                string // of its issuer's signature; empty: the usual one
	NotBefore, NotAfter time.Time
	Permitted           []string
	Sub                 bool // it stands below the CA's usual intermediate, not below the root
}

func kindOf(o plan.Order) intermediateKind {
	return intermediateKind{
		EKUs: o.IntermediateEKU, NotCA: o.IntermediateCA != nil && !*o.IntermediateCA, Key: o.IntermediateKey, Hash: o.IntermediateHash,
		NotBefore: o.IntermediateNotBefore, NotAfter: o.IntermediateNotAfter, Permitted: o.Permitted, Sub: o.SubCA,
	}
}

func (k intermediateKind) id() string {
	id := content("", plan.Order{
		IntermediateEKU: k.EKUs, CA: k.NotCA, IntermediateKey: k.Key, IntermediateHash: k.Hash, IntermediateNotBefore: k.NotBefore,
		IntermediateNotAfter: k.NotAfter, Permitted: k.Permitted, SubCA: k.Sub,
	})
	if id == content("", plan.Order{}) {
		return "issuing"
	}
	return "issuing-" + id[:12]
}

// newIntermediate makes an intermediate of the given kind under parent, with an Authority. A nil signer stands for a
// P-256 key of its own.
func newIntermediate(label, cdp string, seed uint64, kind intermediateKind, signer crypto.Signer, parent, root *issuer) (*issuer, error) {
	t := caTemplate(label+" "+kind.id()+" CA", seed, label+"/"+kind.id())
	t.MaxPathLen, t.MaxPathLenZero = 0, true
	t.CRLDistributionPoints = []string{parent.cdp}
	if !kind.NotAfter.IsZero() {
		t.NotBefore, t.NotAfter = kind.NotBefore, kind.NotAfter
	}
	var err error
	if kind.Hash != "" {
		if t.SignatureAlgorithm, err = signatureAlgorithm(parent.signer.Public(), kind.Hash, ""); err != nil {
			return nil, err
		}
	}
	t.PermittedDNSDomains = kind.Permitted
	t.PermittedDNSDomainsCritical = len(kind.Permitted) > 0 // RFC 5280 §4.2.1.10
	if kind.NotCA {
		// Only basicConstraints says so; the key usages stay, so that this is the one thing that is wrong.
		t.IsCA, t.MaxPathLen, t.MaxPathLenZero = false, 0, false
	}
	if len(kind.EKUs) > 0 {
		ekus, err := ekuExtension(kind.EKUs)
		if err != nil {
			return nil, err
		}
		t.ExtraExtensions = append(t.ExtraExtensions, ekus)
	}
	if signer == nil {
		if signer, err = newCAKey(t); err != nil {
			return nil, err
		}
	}
	i, err := newIssuer(kind.id(), cdp, t, signer, parent)
	if err != nil {
		return nil, err
	}
	i.authority, err = newAuthority(root.cert, i.cert, i.signer)
	if err != nil {
		return nil, fmt.Errorf("start the Authority of %q: %w", i.cert.Subject.CommonName, err)
	}
	return i, nil
}

func caTemplate(name string, seed uint64, what string) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{labOrganization}, CommonName: name},
		SerialNumber:          serialNumber(seed, what),
		NotBefore:             caNotBefore,
		NotAfter:              caNotAfter,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            -1,
	}
}

func newCAKey(t *x509.Certificate) (crypto.Signer, error) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate the key of %q: %w", t.Subject.CommonName, err)
	}
	return signer, nil
}

// newIssuer has parent, or with nil the key itself, sign the certificate for a CA's key.
func newIssuer(id, cdp string, t *x509.Certificate, signer crypto.Signer, parent *issuer) (*issuer, error) {
	parentCert, parentSigner := t, signer
	if parent != nil {
		parentCert, parentSigner = parent.cert, parent.signer
	}
	cert, err := x509util.CreateCertificate(t, parentCert, signer.Public(), parentSigner)
	if err != nil {
		return nil, fmt.Errorf("make the CA certificate %q: %w", t.Subject.CommonName, err)
	}
	return &issuer{id: id, cdp: cdp, cert: cert, signer: signer}, nil
}

// newAuthority starts a step-ca without a disk, a listener, a provisioner or a goroutine.
func newAuthority(root, intermediate *x509.Certificate, signer crypto.Signer) (*authority.Authority, error) {
	simple, err := db.New(nil)
	if err != nil {
		return nil, err
	}
	return authority.NewEmbedded(
		authority.WithQuietInit(),
		authority.WithConfig(&config.Config{
			// Without this the Authority takes a minute off each lifetime and refuses one of exactly a minute.
			AuthorityConfig: &config.AuthConfig{Backdate: &provisioner.Duration{}},
		}),
		authority.WithX509RootCerts(root),
		authority.WithX509Signer(intermediate, signer),
		authority.WithX509IntermediateCerts(intermediate), // so that it keeps to its own name constraints
		authority.WithDatabase(&revocations{AuthDB: simple}),
	)
}

// issue has the Authority sign the template for the key.
func (i *issuer) issue(ctx context.Context, t *x509util.Certificate, sans []plan.Name, request *x509.CertificateRequest) (*x509.Certificate, error) {
	text, err := newOrdered(t)
	if err != nil {
		return nil, err
	}
	chain, err := i.authority.SignWithContext(ctx, request, provisioner.SignOptions{}, text, finishing(t.SerialNumber.Int, sans))
	if err != nil {
		return nil, fmt.Errorf("the Authority of %q refuses: %w", i.cert.Subject.CommonName, err)
	}
	return chain[0], nil
}

// issueBeside signs what the Authority should not, with the same library and the same key.
func (i *issuer) issueBeside(t *x509util.Certificate) (*x509.Certificate, error) {
	return x509util.CreateCertificate(t.GetCertificate(), i.cert, t.PublicKey, i.signer)
}

// forge signs with another key in the issuer's name: everything in the certificate is as if the issuer had issued it,
// but for the signature.
func (i *issuer) forge(t *x509util.Certificate, signer crypto.Signer) (*x509.Certificate, error) {
	imitated := *i.cert
	imitated.PublicKey = nil // else the signer's key would be compared with it
	return x509util.CreateCertificate(t.GetCertificate(), &imitated, t.PublicKey, signer)
}

// reasonKeyCompromise is the CRLReason that the lab revokes with, RFC 5280 §5.3.1.
const reasonKeyCompromise = 1

// revoke has the Authority revoke the certificate, and lists it on the issuer's CRLs.
func (i *issuer) revoke(ctx context.Context, cert *x509.Certificate) error {
	if i.authority == nil {
		return errors.New("a root revokes nothing here")
	}
	err := i.authority.Revoke(provisioner.NewContextWithMethod(ctx, provisioner.RevokeMethod), &authority.RevokeOptions{
		Serial:      cert.SerialNumber.String(),
		ReasonCode:  reasonKeyCompromise,
		Reason:      "ordered as revoked",
		PassiveOnly: true,
		MTLS:        true, // the certificate itself authorises it: no token, no provisioner
		Crt:         cert,
	})
	if err != nil {
		return fmt.Errorf("revoke %q: %w", cert.Subject.CommonName, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.revoked = append(i.revoked, cert)
	return nil
}

// revocations is the part of an Authority's database that revoking needs; the rest is step-ca's own database in
// memory, which stores nothing.
type revocations struct {
	db.AuthDB
	serials sync.Map // decimal serial number → *db.RevokedCertificateInfo
}

// Revoke implements db.AuthDB.
func (r *revocations) Revoke(info *db.RevokedCertificateInfo) error {
	if _, found := r.serials.LoadOrStore(info.Serial, info); found {
		return db.ErrAlreadyExists
	}
	return nil
}

// IsRevoked implements db.AuthDB.
func (r *revocations) IsRevoked(serial string) (bool, error) {
	_, found := r.serials.Load(serial)
	return found, nil
}
