package conformance

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"time"
)

// Where the bench puts its files in a sandbox.
const (
	storePath   = "/edgelab/store.pem"    // every certificate that some variant wants trusted
	crlPath     = "/edgelab/crl.pem"      // the same, with the CRLs of every CA
	rootCRLPath = "/edgelab/root-crl.pem" // the CRLs of the roots of the variants about revocation
	certPath    = "/edgelab/product.pem"
	keyPath     = "/edgelab/product.key"
)

// A bench is one sandbox with everything in place to measure one product: the credentials of all variants, one trust
// store that serves them all (each variant has CAs of its own, so that none helps another), and a certificate for
// the product itself.
type bench struct {
	*sandbox
	credentials []*Credential
	product     *Credential
}

func newBench(ctx context.Context, root string, credentials []*Credential, product *Credential) (*bench, error) {
	s, err := openSandbox(ctx, root)
	if err != nil {
		return nil, err
	}
	b := &bench{sandbox: s, credentials: credentials, product: product}
	var store, crls, rootCRLs, chain bytes.Buffer
	for _, c := range append(slices.Clone(credentials), product) {
		for _, cert := range c.Store {
			writePEM(&store, "CERTIFICATE", cert.Raw)
		}
		for _, crl := range c.CRLs {
			writePEM(&crls, "X509 CRL", crl.Raw)
			if byRoot(c.Variant) && slices.Equal(crl.RawIssuer, c.Store[0].RawSubject) {
				writePEM(&rootCRLs, "X509 CRL", crl.Raw)
			}
		}
	}
	for _, cert := range product.Presented {
		writePEM(&chain, "CERTIFICATE", cert.Raw)
	}
	key, err := x509.MarshalPKCS8PrivateKey(product.Key)
	if err != nil {
		s.Close()
		return nil, err
	}
	for path, data := range map[string][]byte{
		storePath: store.Bytes(), crlPath: slices.Concat(store.Bytes(), crls.Bytes()), certPath: chain.Bytes(),
		rootCRLPath: rootCRLs.Bytes(), keyPath: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		if err := s.WriteFile(path, data, 0o644); err != nil {
			s.Close()
			return nil, err
		}
	}
	return b, nil
}

func writePEM(b *bytes.Buffer, kind string, der []byte) {
	b.Write(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// A session is a running product, set up one way, in one role.
type session interface {
	// probe puts c to the product. An error means that the harness failed, and is no measurement.
	probe(ctx context.Context, c *Credential, version uint16) (Observation, error)
	// judged returns the name that the product looks for in c; empty: none.
	judged(c *Credential) string
	stop()
}

// A setup is one way to run a product in one role.
type setup struct {
	role     Role
	settings map[string]string
	start    func(ctx context.Context, b *bench) (session, error)
	only     func(v Variant) bool // nil: every variant
}

// keeps reports whether a variant is asked here. Those about odd CRLs are only where CRLs are looked at.
func (su setup) keeps(v Variant) bool {
	if su.only == nil {
		return v.Group != "crl"
	}
	return su.only(v)
}

// measure puts every variant to the product in each of its set-ups.
func (b *bench) measure(ctx context.Context, setups []setup, keep func(Variant) bool) ([]Row, error) {
	var rows []Row
	for _, su := range setups {
		got, err := b.measureSetup(ctx, su, keep)
		if err != nil {
			return nil, err
		}
		rows = append(rows, got...)
	}
	return rows, nil
}

func (b *bench) measureSetup(ctx context.Context, su setup, keep func(Variant) bool) ([]Row, error) {
	startCtx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	s, err := su.start(startCtx, b)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var asked []*Credential
	for _, c := range b.credentials {
		if c.Variant.in(su.role) && su.keeps(c.Variant) && (keep == nil || keep(c.Variant)) {
			asked = append(asked, c)
		}
	}
	versions := []uint16{tls.VersionTLS12, tls.VersionTLS13}
	rows := make([]Row, len(asked)*len(versions))
	// One version after the other, so that a product that remembers a domain for a while has forgotten it.
	for v, version := range versions {
		for i, c := range asked {
			row := Row{Variant: c.Variant.Name, Role: su.role, Settings: su.settings, TLS: versionName(version), Name: s.judged(c)}
			probeCtx, cancel := context.WithTimeout(ctx, 3*patience)
			row.Observation, err = s.probe(probeCtx, c, version)
			cancel()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", row.Key(), err)
			}
			rows[i*len(versions)+v] = row
		}
	}
	return rows, nil
}
