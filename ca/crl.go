package ca

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How long a CRL is valid before and after the date it is asked for: an hour, so that a clock that is somewhat slow
// takes it too, and in all less than the ten days that BR 2.2.6 §7.2 allows.
const (
	crlBefore = time.Hour
	crlAfter  = 7 * 24 * time.Hour
)

// CDPHost returns the host name in the CRL distribution points of the named CA. The lab's DNS must know it.
func (s *Set) CDPHost(ca string) string { return "crl." + label(ca) + ".edgelab.test" }

func (s *Set) crlURL(ca, id string) string {
	return "http://" + s.CDPHost(ca) + crlPath(id)
}

func crlPath(id string) string { return "/" + id + ".crl" }

// CRL returns the DER of a list, current at the given date, of what one CA certificate of this Set has revoked: of, or
// with nil the usual intermediate of the named CA. It lists the orders with Revoked that were issued so far.
func (s *Set) CRL(ctx context.Context, ca string, at time.Time, of *x509.Certificate) ([]byte, error) {
	if err := s.ready(ctx, ca); err != nil {
		return nil, err
	}
	if of == nil {
		i, err := s.intermediate(ctx, ca, intermediateKind{})
		if err != nil {
			return nil, err
		}
		return i.crl(at)
	}
	i := s.find(func(i *issuer) bool { return bytes.Equal(i.cert.Raw, of.Raw) })
	if i == nil {
		return nil, fmt.Errorf("no CA of this lab has the certificate %q: pass an intermediate or root that this Set has made",
			of.Subject.String())
	}
	return i.crl(at)
}

// RevocationList returns, as of the given date, the list that the certificate's CRL distribution point names. It is
// what a verifier gets that fetches the CRL, without the network. The signature is the verifier's to check.
func (s *Set) RevocationList(cert *x509.Certificate, at time.Time) (*x509.RevocationList, error) {
	if len(cert.CRLDistributionPoints) == 0 {
		return nil, fmt.Errorf("certificate %q names no CRL distribution point", cert.Subject.String())
	}
	for _, url := range cert.CRLDistributionPoints {
		i := s.find(func(i *issuer) bool { return i.cdp == url })
		if i == nil {
			continue
		}
		der, err := i.crl(at)
		if err != nil {
			return nil, err
		}
		return x509.ParseRevocationList(der)
	}
	return nil, fmt.Errorf("no CA of this lab publishes %v, the CRL distribution points of %q",
		cert.CRLDistributionPoints, cert.Subject.String())
}

// Handler serves the CRLs at the URLs that certificates name, by host and path, as of what now returns.
func (s *Set) Handler(now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "a CRL is fetched with GET", http.StatusMethodNotAllowed)
			return
		}
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		url := "http://" + strings.ToLower(strings.TrimSuffix(host, ".")) + r.URL.Path
		i := s.find(func(i *issuer) bool { return i.cdp == url })
		if i == nil {
			http.Error(w, "no CA of this lab publishes "+url, http.StatusNotFound)
			return
		}
		der, err := i.crl(now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/pkix-crl") // RFC 2585 §4.2
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(der))
	})
}

// find returns the first issuer made so far that is wanted, or nil.
func (s *Set) find(wanted func(*issuer) bool) *issuer {
	for _, i := range append(s.intermediates.finished(), s.roots.finished()...) {
		if wanted(i) {
			return i
		}
	}
	return nil
}

// crl signs the issuer's list as of the given date. The Authority can't: it dates a CRL by the wall clock.
func (i *issuer) crl(at time.Time) ([]byte, error) {
	if at.IsZero() {
		return nil, errors.New("a CRL needs the date at which it is to be current")
	}
	at = at.UTC().Truncate(time.Second)
	thisUpdate := at.Add(-crlBefore)

	i.mu.Lock()
	defer i.mu.Unlock()
	if l := i.list; l.der != nil && l.at.Equal(at) && l.revoked == len(i.revoked) {
		return l.der, nil
	}
	revoked := slices.Clone(i.revoked)
	slices.SortFunc(revoked, func(a, b *x509.Certificate) int { return a.SerialNumber.Cmp(b.SerialNumber) })

	var entries []x509.RevocationListEntry
	for _, cert := range revoked {
		entries = append(entries, x509.RevocationListEntry{
			SerialNumber:   cert.SerialNumber,
			RevocationTime: slices.MinFunc([]time.Time{cert.NotBefore, thisUpdate}, time.Time.Compare),
			ReasonCode:     reasonKeyCompromise,
		})
	}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		RevokedCertificateEntries: entries,
		Number:                    big.NewInt(cmp.Or(max(at.Unix(), 0), 1)), // grows with the date, RFC 5280 §5.2.3
		ThisUpdate:                thisUpdate,
		NextUpdate:                at.Add(crlAfter),
	}, i.cert, i.signer)
	if err != nil {
		return nil, fmt.Errorf("sign the CRL of %q: %w", i.cert.Subject.CommonName, err)
	}
	i.list = signedList{at, len(revoked), der}
	return der, nil
}

// A signedList is a CRL that need not be signed again until the date or what is revoked differs.
type signedList struct {
	at      time.Time
	revoked int
	der     []byte
}
