package ca_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
)

func TestOrderErrors(t *testing.T) {
	no := false
	selfSigned := func(o *plan.Order) { o.Issuer = plan.IssuerSelfSigned }
	name := func(kind plan.SANKind, value string) func(*plan.Order) {
		return func(o *plan.Order) { o.SANs = append(o.SANs, plan.Name{Kind: kind, Value: value}) }
	}
	tests := []struct {
		field  string
		change func(*plan.Order)
		says   string
	}{
		{"key", func(o *plan.Order) { o.Key = "rsa2048" }, `key type "rsa2048" is unknown: use rsa-2048, `},
		{"key", func(o *plan.Order) { o.Key = "ecdsa-P265" }, `use ecdsa-p256, `},
		{"key", func(o *plan.Order) { o.Key = "" }, `key type "" is unknown`},
		{"hash", func(o *plan.Order) { o.Hash = "md5" }, `hash "md5" is unknown: use sha`},
		{"chain", func(o *plan.Order) { o.Chain = "leafonly" }, `use leaf-only, `},
		{"issuer", func(o *plan.Order) { o.Issuer = "selfsigned" }, `use self-signed, `},
		{"key-usage", func(o *plan.Order) { o.KeyUsage = []string{"digitalsignature"} }, `use digitalSignature, `},
		{"key-usage", func(o *plan.Order) { o.KeyUsage = []string{"none", "cRLSign"} }, `let it stand alone`},
		{"ekus", func(o *plan.Order) { o.EKUs = []plan.Usage{"sever"} }, `EKU "sever" is unknown: use server, `},
		{"ekus", func(o *plan.Order) { o.EKUs = []plan.Usage{"1.40.1"} }, `no object identifier`},
		{"ekus", func(o *plan.Order) { o.EKUs = []plan.Usage{"1.3.06"} }, `is unknown`},
		{"ekus", func(o *plan.Order) { o.EKUs = []plan.Usage{"1.3.99999999999"} }, `is unknown`},
		{"intermediate-eku", func(o *plan.Order) { o.IntermediateEKU = []plan.Usage{"clint"} }, `use client, `},
		{"sans", name("dnsname", "x"), `SAN kind "dnsname" is unknown: use `},
		{"sans", name(plan.DNSName, ""), `is empty`},
		{"sans", name(plan.DNSName, "bücher.example"), `A-label`},
		{"sans", name(plan.SRVName, "_sip.bücher.example"), `A-label`},
		{"sans", name(plan.XMPPAddr, "\xff"), `UTF-8`},
		{"subject", func(o *plan.Order) { o.Subject = "\xff" }, `UTF-8`},
		{"not-before", func(o *plan.Order) { o.NotBefore = time.Time{} }, `set both`},
		{"not-after", func(o *plan.Order) { o.NotAfter = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, `use 1 to 9999`},
		{"permitted-names", func(o *plan.Order) { o.Permitted = []string{"*.contoso.com"} }, `bare domain`},
		{"hash", func(o *plan.Order) { selfSigned(o); o.Key, o.Hash = "ed25519", "sha384" }, `leave the hash out`},
		{"revoked", func(o *plan.Order) { selfSigned(o); o.Revoked = true }, `drop revoked`},
		{"intermediate-eku", func(o *plan.Order) { selfSigned(o); o.IntermediateEKU = []plan.Usage{plan.Server} }, `drop intermediate-eku`},
		{"intermediate-ca", func(o *plan.Order) { selfSigned(o); o.IntermediateCA = &no }, `drop intermediate-ca`},
		{"issuer", func(o *plan.Order) { o.Issuer = "forgd" }, `use forged, `},
		{"signature", func(o *plan.Order) { o.Signature = "pss" }, `signature scheme "pss" is unknown: use rsa-pss`},
		{"hash", func(o *plan.Order) { o.Signature = plan.SignatureRSAPSS }, `intermediate-key of type rsa-2048`},
		{"hash", func(o *plan.Order) {
			o.Signature, o.IntermediateKey, o.Hash = plan.SignatureRSAPSS, "rsa-2048", "sha1"
		}, `doesn't sign with rsa-pss sha1`},
		{"intermediate-key", func(o *plan.Order) { o.IntermediateKey = "rsa2048" }, `use rsa-2048, `},
		{"intermediate-hash", func(o *plan.Order) { o.IntermediateHash = "sha-1" }, `use sha1, `},
		{"intermediate-not-after", func(o *plan.Order) { o.IntermediateNotAfter = at }, `set both`},
		{"intermediate-key", func(o *plan.Order) { selfSigned(o); o.IntermediateKey = "rsa-2048" }, `drop intermediate-key`},
		{"intermediate-hash", func(o *plan.Order) { selfSigned(o); o.IntermediateHash = "sha1" }, `drop intermediate-hash`},
		{"intermediate-not-after", func(o *plan.Order) {
			selfSigned(o)
			o.IntermediateNotBefore, o.IntermediateNotAfter = at.AddDate(-1, 0, 0), at
		}, `drop intermediate-not-after`},
		{"sub-ca", func(o *plan.Order) { selfSigned(o); o.SubCA = true }, `drop sub-ca`},
		{"permitted-names", func(o *plan.Order) { selfSigned(o); o.Permitted = []string{"contoso.com"} }, `drop permitted-names`},
	}
	s := newSet(t, 1)
	for _, tt := range tests {
		_, err := s.Issue(t.Context(), ca.Public, soldOrder(tt.change))
		var fault *ca.OrderError
		if !errors.As(err, &fault) {
			t.Errorf("%s, %q: got %v, not an OrderError", tt.field, tt.says, err)
			continue
		}
		if fault.Field != tt.field || fault.CA != ca.Public || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("got field %s: %v; want field %s and %q", fault.Field, err, tt.field, tt.says)
		}
		if fault.Order != "sip.contoso.com" && tt.field != "subject" {
			t.Errorf("%v: names the order %q", err, fault.Order)
		}
	}
	if _, err := s.Issue(t.Context(), "partner", soldOrder()); err == nil || !strings.Contains(err.Error(), `CA "partner" is unknown: use `) {
		t.Errorf("unknown CA: %v", err)
	}
}

// FuzzIssue holds that an order, whatever is in it, gives a certificate that can be read back, or an error.
func FuzzIssue(f *testing.F) {
	s := newSet(f, 1)
	f.Add("sip.contoso.com", "dns", "*.contoso.com", "server", "contoso.com", "digitalSignature", "sha256", int64(0), int64(90))
	f.Add("", "uri", "sip:contoso.com", "1.3.6.1.5.5.7.3.20", ".contoso.com", "none", "sha1", int64(-1), int64(-2))
	f.Add("\x00", "uri", "://%zz", "2.999", "..", "keyCertSign", "sha512", int64(-800000), int64(2900000))
	f.Add("a b", "dns", "a b..", "any", "1", "cRLSign", "", int64(1), int64(1))
	f.Add("ü", "xmpp-addr", "ü@ü", "client", "-", "keyAgreement", "sha384", int64(9), int64(9))
	f.Add("x", "srv-name", "_xmpp-server.contoso.com", "0.39", "contoso.com", "", "", int64(9), int64(19))
	f.Fuzz(func(t *testing.T, subject, kind, value, eku, permitted, usage, hash string, from, to int64) {
		o := plan.Order{
			Subject: subject, SANs: []plan.Name{{Kind: plan.SANKind(kind), Value: value}}, EKUs: []plan.Usage{plan.Usage(eku)},
			Key: "ecdsa-p256", Hash: hash, KeyUsage: []string{usage},
			NotBefore: at.Add(time.Duration(from) * time.Hour), NotAfter: at.Add(time.Duration(to) * time.Hour),
		}
		if permitted != "" {
			o.Permitted = []string{permitted}
		}
		for _, name := range []string{ca.Public, ca.Internal} {
			issued, err := s.Issue(t.Context(), name, o)
			if err != nil {
				var fault *ca.OrderError
				if !errors.As(err, &fault) {
					t.Errorf("%v isn't an OrderError", err)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("an error of several lines: %v", err)
				}
				continue
			}
			if _, err := x509.ParseCertificate(issued.TLS.Certificate[0]); err != nil {
				t.Error(err)
			}
		}
	})
}
