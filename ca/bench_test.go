package ca_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strconv"
	"testing"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
)

// BenchmarkIssue compares a certificate from the Authority, one made beside it, and one that was made before with the
// floor, x509.CreateCertificate with the same kinds of keys. The figure to watch is the ratio, reported as "floor";
// both are measured in turns, so that it holds on a busy machine too. (ns/op is of both together.)
func BenchmarkIssue(b *testing.B) {
	for name, order := range map[string]func(i int) plan.Order{
		"authority": func(i int) plan.Order {
			return soldOrder(func(o *plan.Order) { o.Subject = "host" + strconv.Itoa(i) })
		},
		"beside": func(i int) plan.Order {
			return soldOrder(func(o *plan.Order) { o.Subject, o.Critical = "host"+strconv.Itoa(i), true })
		},
		"again": func(int) plan.Order { return soldOrder() },
	} {
		b.Run(name, func(b *testing.B) {
			s := newSet(b, 1)
			issue(b, s, ca.Internal, soldOrder())
			floor := newFloor(b)
			var lab, least time.Duration
			for i := range b.N {
				start := time.Now()
				issue(b, s, ca.Internal, order(i))
				lab += time.Since(start)
				start = time.Now()
				floor()
				least += time.Since(start)
			}
			b.ReportMetric(float64(lab)/float64(least), "floor")
		})
	}
}

// newFloor returns what makes one certificate with a P-256 issuer and a P-256 subject.
func newFloor(b *testing.B) func() {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	o := soldOrder()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: o.Subject}, DNSNames: []string{o.Subject, "webcon.contoso.com"},
		NotBefore: o.NotBefore, NotAfter: o.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	return func() {
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := x509.ParseCertificate(der); err != nil {
			b.Fatal(err)
		}
	}
}
