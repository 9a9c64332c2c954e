package ca_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
)

func revoked(o *plan.Order) { o.Revoked = true }

func listed(list *x509.RevocationList, cert *x509.Certificate) bool {
	for _, e := range list.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(cert.SerialNumber) == 0 {
			return true
		}
	}
	return false
}

func TestCRLListsWhatIsRevoked(t *testing.T) {
	s := newSet(t, 1)
	good := issue(t, s, ca.Public, soldOrder())
	bad := issue(t, s, ca.Public, soldOrder(revoked))
	if len(bad.Beside) != 0 {
		t.Errorf("a revoked certificate was made beside the Authority: %v", bad.Beside)
	}
	intermediate := parsed(t, bad.TLS)[1]

	der, err := s.CRL(t.Context(), ca.Public, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(intermediate); err != nil {
		t.Error(err)
	}
	if !list.ThisUpdate.Before(at) || !list.NextUpdate.After(at) || list.NextUpdate.Sub(list.ThisUpdate) > 10*24*time.Hour {
		t.Errorf("valid from %s to %s, asked for %s", list.ThisUpdate, list.NextUpdate, at)
	}
	if !listed(list, bad.Leaf) || listed(list, good.Leaf) {
		t.Errorf("the list holds the revoked one: %v, and the good one: %v", listed(list, bad.Leaf), listed(list, good.Leaf))
	}
	if e := list.RevokedCertificateEntries[0]; e.ReasonCode != 1 || e.RevocationTime.After(list.ThisUpdate) {
		t.Errorf("reason %d, revoked at %s, listed at %s", e.ReasonCode, e.RevocationTime, list.ThisUpdate)
	}
}

func TestCRLIsPerIssuer(t *testing.T) {
	s := newSet(t, 1)
	no := false
	kinds := map[string]func(*plan.Order){
		"usual":      func(*plan.Order) {},
		"server EKU": func(o *plan.Order) { o.IntermediateEKU = []plan.Usage{plan.Server} },
		"no CA":      func(o *plan.Order) { o.IntermediateCA = &no },
		"permitted":  func(o *plan.Order) { o.Permitted = []string{"contoso.com"} },
		"untrusted":  func(o *plan.Order) { o.Issuer = plan.IssuerUntrusted },
		"beside":     func(o *plan.Order) { o.NotAfter = at.AddDate(0, 0, -1); o.NotBefore = at.AddDate(0, 0, -9) },
	}
	bad := map[string]*ca.Issued{}
	for kind, change := range kinds {
		bad[kind] = issue(t, s, ca.Public, soldOrder(change, revoked))
	}
	for kind, issued := range bad {
		list, err := s.RevocationList(issued.Leaf, at)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		intermediate := parsed(t, issued.TLS)[1]
		err = intermediate.CheckSignature(list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature)
		if err != nil || !listed(list, issued.Leaf) {
			t.Errorf("%s: signature %v, listed %v", kind, err, listed(list, issued.Leaf))
		}
		der, err := s.CRL(t.Context(), ca.Public, at, intermediate)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		} else if same, err := x509.ParseRevocationList(der); err != nil || !listed(same, issued.Leaf) {
			t.Errorf("%s: by issuer: %v", kind, err)
		}
		if up, err := s.RevocationList(intermediate, at); err != nil || len(up.RevokedCertificateEntries) != 0 {
			t.Errorf("%s: the list about the intermediate: %v", kind, err)
		}
	}
}

func TestCRLAtOtherDates(t *testing.T) {
	s := newSet(t, 1)
	bad := issue(t, s, ca.Public, soldOrder(revoked))
	for _, at := range []time.Time{at.AddDate(-3, 0, 0), at, at.AddDate(10, 0, 0)} {
		list, err := s.RevocationList(bad.Leaf, at)
		if err != nil {
			t.Fatal(err)
		}
		if list.ThisUpdate.After(at) || list.NextUpdate.Before(at) {
			t.Errorf("at %s the list is valid from %s to %s", at, list.ThisUpdate, list.NextUpdate)
		}
		if e := list.RevokedCertificateEntries[0]; e.RevocationTime.After(at) {
			t.Errorf("at %s the list has a revocation of %s", at, e.RevocationTime)
		}
	}
}

func TestNoCRL(t *testing.T) {
	s := newSet(t, 1)
	without := issue(t, s, ca.Public, soldOrder(func(o *plan.Order) { o.NoCDP = true }))
	elsewhere := issue(t, newSet(t, 2), ca.PartnerCA("litware"), soldOrder())
	for what, call := range map[string]func() error{
		"names no CRL distribution point": func() error { _, err := s.RevocationList(without.Leaf, at); return err },
		"publishes":                       func() error { _, err := s.RevocationList(elsewhere.Leaf, at); return err },
		"has the certificate":             func() error { _, err := s.CRL(t.Context(), ca.Public, at, elsewhere.Leaf); return err },
		"needs the date":                  func() error { _, err := s.CRL(t.Context(), ca.Public, time.Time{}, nil); return err },
		"is unknown":                      func() error { _, err := s.CRL(t.Context(), "pubic", at, nil); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("got %v, want an error with %q", err, what)
		}
	}
}

func TestHandler(t *testing.T) {
	s := newSet(t, 1)
	bad := issue(t, s, ca.PartnerCA("litware"), soldOrder(revoked))
	handler := s.Handler(func() time.Time { return at })
	get := func(method, url string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, url, nil))
		return w
	}

	cdp := bad.Leaf.CRLDistributionPoints[0]
	if want := "http://" + s.CDPHost(ca.PartnerCA("litware")) + "/"; !strings.HasPrefix(cdp, want) {
		t.Errorf("the CRL distribution point %s isn't on %s", cdp, want)
	}
	for _, url := range []string{cdp, strings.Replace(cdp, ".test/", ".test:8080/", 1), strings.Replace(cdp, "edgelab", "EdgeLab", 1)} {
		r := get(http.MethodGet, url)
		if kind := r.Header().Get("Content-Type"); r.Code != http.StatusOK || kind != "application/pkix-crl" {
			t.Errorf("%s: %d, %s", url, r.Code, kind)
			continue
		}
		if list, err := x509.ParseRevocationList(r.Body.Bytes()); err != nil || !listed(list, bad.Leaf) {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{
		"http://crl.public.edgelab.test/issuing.crl", // not made in this set
		"http://" + s.CDPHost(ca.PartnerCA("litware")) + "/other.crl",
		"http://" + s.CDPHost(ca.PartnerCA("litware")) + "/",
	} {
		if r := get(http.MethodGet, url); r.Code != http.StatusNotFound {
			t.Errorf("%s: %d", url, r.Code)
		}
	}
	if r := get(http.MethodPost, cdp); r.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.Code)
	}
}
