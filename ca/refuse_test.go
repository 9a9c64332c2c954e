package ca_test

import (
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
)

func days(from time.Time, n int) func(*plan.Order) {
	// The last second belongs to the validity period (RFC 5280 §4.1.2.5), so n days end a second early.
	return func(o *plan.Order) { o.NotBefore, o.NotAfter = from, from.AddDate(0, 0, n).Add(-time.Second) }
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

func dns(names ...string) func(*plan.Order) {
	return func(o *plan.Order) {
		o.Subject, o.SANs = "", nil
		for _, n := range names {
			o.SANs = append(o.SANs, plan.Name{Kind: plan.DNSName, Value: n})
		}
	}
}

// TestRefusals holds each rule with its twin: what breaks it, and what is as near to that as can be and keeps it.
func TestRefusals(t *testing.T) {
	no := false
	ekus := func(u ...plan.Usage) func(*plan.Order) { return func(o *plan.Order) { o.EKUs = u } }
	key := func(k string) func(*plan.Order) { return func(o *plan.Order) { o.Key = k } }
	usage := func(key string, u ...string) func(*plan.Order) {
		return func(o *plan.Order) { o.Key, o.KeyUsage = key, u }
	}
	issuing := func(from, until time.Time) func(*plan.Order) {
		return func(o *plan.Order) { o.IntermediateNotBefore, o.IntermediateNotAfter = from, until }
	}
	nothing := func(*plan.Order) {}
	tests := []struct {
		name   string
		ca     string
		source string
		broken func(*plan.Order)
		kept   func(*plan.Order)
	}{
		{"self-signed", ca.Internal, "RFC 5280 §3.2", func(o *plan.Order) { o.Issuer = plan.IssuerSelfSigned },
			func(o *plan.Order) { o.Issuer = plan.IssuerUntrusted }},
		{"ends as it begins", ca.Internal, "RFC 5280 §4.1.2.5", func(o *plan.Order) { o.NotBefore, o.NotAfter = at, at },
			func(o *plan.Order) { o.NotBefore, o.NotAfter = at, at.Add(time.Second) }},
		{"ends before it begins", ca.Internal, "RFC 5280 §4.1.2.5", func(o *plan.Order) { o.NotBefore, o.NotAfter = o.NotAfter, o.NotBefore },
			nothing},
		{"expired", ca.Internal, "RFC 5280 §4.1.2.5", func(o *plan.Order) { o.NotAfter = at.Add(-time.Second) },
			func(o *plan.Order) { o.NotAfter = at }},
		{"not yet valid", ca.Internal, "RFC 5280 §4.1.2.5", func(o *plan.Order) { o.NotBefore = at.Add(time.Second) },
			func(o *plan.Order) { o.NotBefore = at }},
		{"SHA-1", ca.Internal, "NIST SP 800-131A Rev. 2 §9", func(o *plan.Order) { o.Hash = "sha1" },
			func(o *plan.Order) { o.Hash = "sha512" }},
		{"RSA of 1024 bits", ca.Internal, "NIST SP 800-131A Rev. 2 §3", key("rsa-1024"), key("rsa-2048")},
		{"leaf is a CA", ca.Internal, "RFC 5280 §4.2.1.9", func(o *plan.Order) { o.CA = true }, nothing},
		{"leaf may sign certificates", ca.Internal, "RFC 5280 §4.2.1.3", usage("ecdsa-p256", "keyCertSign"), usage("ecdsa-p256", "keyAgreement")},
		{"unknown critical extension", ca.Internal, "RFC 5280 §4.2", func(o *plan.Order) { o.Critical = true }, nothing},
		{"issuer is no CA", ca.Internal, "RFC 5280 §4.2.1.9", func(o *plan.Order) { o.IntermediateCA = &no }, nothing},
		{"one CA too many", ca.Internal, "RFC 5280 §4.2.1.9", func(o *plan.Order) { o.SubCA = true }, nothing},
		{"forged", ca.Internal, "RFC 5280 §6.1.3 (a)(1)", func(o *plan.Order) { o.Issuer = plan.IssuerForged }, nothing},
		{"issuer expired", ca.Internal, "RFC 5280 §6.1.3 (a)(2)", issuing(at.AddDate(-1, 0, 0), at.Add(-time.Second)), issuing(at.AddDate(-1, 0, 0), at)},
		{"issuer not yet valid", ca.Internal, "RFC 5280 §6.1.3 (a)(2)", issuing(at.Add(time.Second), at.AddDate(1, 0, 0)), issuing(at, at.AddDate(1, 0, 0))},
		{"issuer's SHA-1", ca.Internal, "NIST SP 800-131A Rev. 2 §9", func(o *plan.Order) { o.IntermediateHash = "sha1" },
			func(o *plan.Order) { o.IntermediateHash = "sha384" }},
		{"issuer's RSA of 1024 bits", ca.Internal, "NIST SP 800-131A Rev. 2 §3", func(o *plan.Order) { o.IntermediateKey = "rsa-1024" },
			func(o *plan.Order) { o.IntermediateKey = "rsa-2048" }},
		{"outside the permitted names", ca.Internal, "RFC 5280 §4.2.1.10", func(o *plan.Order) { o.Permitted = []string{"sip.contoso.com"} },
			func(o *plan.Order) { o.Permitted = []string{"Contoso.com"} }},
		{"no name at all", ca.Internal, "RFC 5280 §4.1.2.6", dns(), func(o *plan.Order) { o.SANs = nil }},
		{"long common name", ca.Internal, "RFC 5280 Appendix A.1", func(o *plan.Order) { o.Subject = strings.Repeat("ü", 65) },
			func(o *plan.Order) { o.Subject = strings.Repeat("ü", 64) }},

		{"otherName", ca.Public, "BR 2.2.6 §7.1.2.7.12", func(o *plan.Order) {
			o.SANs = append(o.SANs, plan.Name{Kind: plan.XMPPAddr, Value: "contoso.com"})
		}, nothing},
		{"URI", ca.Public, "BR 2.2.6 §7.1.2.7.12", func(o *plan.Order) {
			o.SANs = append(o.SANs, plan.Name{Kind: plan.URI, Value: "sip:contoso.com"})
		}, nothing},
		{"no host in the SAN", ca.Public, "BR 2.2.6 §7.1.2.7.12", dns(), dns("contoso.com")},
		{"internal name", ca.Public, "BR 2.2.6 §4.2.2", dns("pool.contoso.local"), dns("pool.contoso.com")},
		{"single label", ca.Public, "BR 2.2.6 §4.2.2", dns("lsedge"), dns("lsedge.contoso.net")},
		{"reserved domain", ca.Public, "BR 2.2.6 §4.2.2", dns("northwind.example"), dns("northwind.github.io")},
		{"underscore", ca.Public, "BR 2.2.6 §7.1.2.7.12", dns("web_con.contoso.com"), dns("web-con.contoso.com")},
		{"trailing dot", ca.Public, "BR 2.2.6 §7.1.2.7.12", dns("contoso.com."), dns("contoso.com")},
		{"address as name", ca.Public, "BR 2.2.6 §7.1.2.7.12", dns("192.0.2.1"), dns("contoso.com")},
		{"wildcard in the middle", ca.Public, "BR 2.2.6 §3.2.2.6", dns("sip.*.contoso.com"), dns("*.sip.contoso.com")},
		{"wildcard in a label", ca.Public, "BR 2.2.6 §3.2.2.6", dns("s*.contoso.com"), dns("*.contoso.com")},
		{"wildcard over a registry", ca.Public, "BR 2.2.6 §3.2.2.6", dns("*.co.uk"), dns("*.contoso.co.uk")},
		{"common name outside the SAN", ca.Public, "BR 2.2.6 §7.1.4.3", func(o *plan.Order) { o.Subject = "SIP.contoso.com" }, nothing},
		{"no EKU", ca.Public, "BR 2.2.6 §7.1.2.7.10", ekus(), ekus(plan.Server)},
		{"client EKU alone", ca.Public, "BR 2.2.6 §7.1.2.7.10", ekus(plan.Client), ekus(plan.Client, "1.3.6.1.5.5.7.3.1")},
		{"any EKU", ca.Public, "BR 2.2.6 §7.1.2.7.10", ekus(plan.Server, plan.Any), ekus(plan.Server, "1.3.6.1.5.5.7.3.20")},
		{"client EKU after its end", ca.Public, "Chrome Root Program Policy v1.8", days(day(2027, 3, 15), 90), days(day(2027, 3, 14), 90)},
		{"Ed25519", ca.Public, "BR 2.2.6 §6.1.5", key("ed25519"), key("ecdsa-p521")},
		{"RSA of 1024 bits, public", ca.Public, "BR 2.2.6 §6.1.5", key("rsa-1024"), key("rsa-2048")},
		{"hash that isn't the key's", ca.Public, "BR 2.2.6 §7.1.3.2", func(o *plan.Order) { o.Hash = "sha384" }, nothing},
		{"hash that isn't the issuer's", ca.Public, "BR 2.2.6 §7.1.3.2", func(o *plan.Order) { o.IntermediateKey = "ecdsa-p384" },
			func(o *plan.Order) { o.IntermediateKey, o.Hash = "ecdsa-p384", "sha384" }},
		{"hash that isn't the root's", ca.Public, "BR 2.2.6 §7.1.3.2", func(o *plan.Order) { o.IntermediateHash = "sha384" }, nothing},
		{"RSASSA-PSS is allowed, SHA-1 isn't", ca.Public, "BR 2.2.6 §7.1.3.2", func(o *plan.Order) { o.IntermediateKey, o.Hash = "rsa-2048", "sha1" },
			func(o *plan.Order) { o.IntermediateKey, o.Signature = "rsa-2048", plan.SignatureRSAPSS }},
		{"issuer's Ed25519", ca.Public, "BR 2.2.6 §6.1.5", func(o *plan.Order) { o.IntermediateKey = "ed25519" },
			func(o *plan.Order) { o.IntermediateKey, o.Hash = "ecdsa-p521", "sha512" }},
		{"key encipherment for ECDSA", ca.Public, "BR 2.2.6 §7.1.2.7.11", usage("ecdsa-p256", "digitalSignature", "keyEncipherment"),
			usage("rsa-2048", "digitalSignature", "keyEncipherment")},
		{"no signature for ECDSA", ca.Public, "BR 2.2.6 §7.1.2.7.11", usage("ecdsa-p256", "keyAgreement"),
			usage("ecdsa-p256", "keyAgreement", "digitalSignature")},
		{"no CDP", ca.Public, "BR 2.2.6 §7.1.2.11.2", func(o *plan.Order) { days(day(2026, 11, 20), 8)(o); o.NoCDP = true },
			func(o *plan.Order) { days(day(2026, 11, 20), 7)(o); o.NoCDP = true }},
		{"longer than 825 days", ca.Public, "BR 2.2.6 §6.3.2", days(day(2020, 8, 31), 826), days(day(2020, 8, 31), 825)},
		{"longer than 398 days", ca.Public, "BR 2.2.6 §6.3.2", days(day(2026, 3, 14), 399), days(day(2026, 3, 14), 398)},
		{"longer than 200 days", ca.Public, "BR 2.2.6 §6.3.2", days(day(2026, 10, 1), 201), days(day(2026, 10, 1), 200)},
		{"longer than 100 days", ca.Public, "BR 2.2.6 §6.3.2", days(day(2027, 3, 15), 101), days(day(2027, 3, 15), 100)},
		{"longer than 47 days", ca.Public, "BR 2.2.6 §6.3.2", days(day(2029, 3, 15), 48), days(day(2029, 3, 15), 47)},
	}
	s := newSet(t, 1)
	has := func(name, source string, change func(*plan.Order)) bool {
		for _, why := range issue(t, s, name, soldOrder(change)).Beside {
			if strings.HasSuffix(why, "]") && strings.Contains(why, "["+source) {
				return true
			}
		}
		return false
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !has(tt.ca, tt.source, tt.broken) {
				t.Errorf("not refused by %s: %v", tt.source, issue(t, s, tt.ca, soldOrder(tt.broken)).Beside)
			}
			if has(tt.ca, tt.source, tt.kept) {
				t.Errorf("its twin is refused: %v", issue(t, s, tt.ca, soldOrder(tt.kept)).Beside)
			}
		})
	}
}

func TestPublicRulesAreThePublicCAs(t *testing.T) {
	s := newSet(t, 1)
	o := soldOrder(func(o *plan.Order) {
		o.Subject = "lsedge.contoso.local"
		o.SANs = []plan.Name{{Kind: plan.XMPPAddr, Value: "contoso.com"}}
		o.EKUs, o.NoCDP, o.NotAfter, o.Key = nil, true, at.AddDate(20, 0, 0), "ed25519"
	})
	for _, name := range []string{ca.Internal, ca.Untrusted, ca.PartnerCA("litware")} {
		if beside := issue(t, s, name, o).Beside; len(beside) != 0 {
			t.Errorf("%s: %v", name, beside)
		}
	}
	if beside := issue(t, s, ca.Public, o).Beside; len(beside) < 6 {
		t.Errorf("the public CA has only these reasons: %v", beside)
	}
}

func TestWithoutADateNothingIsExpired(t *testing.T) {
	s := ca.NewSet(ca.Options{Keys: &keys})
	defer s.Close()
	issued := issue(t, s, ca.Internal, soldOrder(func(o *plan.Order) { o.NotBefore, o.NotAfter = day(2010, 1, 1), day(2011, 1, 1) }))
	if len(issued.Beside) != 0 {
		t.Errorf("%v", issued.Beside)
	}
}
