package profile

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/edgelab/edgelab/lab/plan"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func profiles(t testing.TB) *Profiles {
	t.Helper()
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The issuers that the deployments of the sources can turn to.
func TestIssuers(t *testing.T) {
	want := []string{"adcs", "amazon", "certum", "digicert", "digicert-nonbrowser", "godaddy", "gts", "letsencrypt", "sectigo", "sslcom", "step-ca", "zerossl"}
	if got := profiles(t).IDs(); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// The loader refuses such a line; this holds the loader to it.
func TestEachLineHasASource(t *testing.T) {
	p := profiles(t)
	all := p.All()
	for _, rules := range p.rules {
		all = append(all, rules)
	}
	for _, profile := range all {
		for _, l := range profile.Lines {
			if l.Source.Ref == "" || l.Read.IsZero() {
				t.Errorf("%s: %s from %q has no source, or no day on which it was read", profile.ID, l.Field, l.From)
			}
		}
	}
}

// Days on which the client EKU goes away, as the issuers and Chrome's root programme have published them.
func TestClientEKU(t *testing.T) {
	p := profiles(t)
	for _, test := range []struct {
		id, date string
		want     Availability
	}{
		{"letsencrypt", "2026-02-10", Default}, {"letsencrypt", "2026-02-11", OptIn}, {"letsencrypt", "2026-07-07", OptIn}, {"letsencrypt", "2026-07-08", Gone},
		{"digicert", "2025-09-30", Default}, {"digicert", "2025-10-01", OptIn}, {"digicert", "2027-02-28", OptIn}, {"digicert", "2027-03-01", Gone},
		{"digicert-nonbrowser", "2027-02-28", ""}, {"digicert-nonbrowser", "2027-03-01", Available}, {"digicert-nonbrowser", "2029-01-01", Available},
		{"sectigo", "2025-10-06", Default}, {"sectigo", "2025-10-07", OptIn}, {"sectigo", "2027-02-09", OptIn}, {"sectigo", "2027-02-10", Gone},
		{"gts", "2026-04-12", OptIn}, {"gts", "2026-04-13", Gone},
		{"amazon", "2025-06-10", Default}, {"amazon", "2025-06-11", Gone},
		{"godaddy", "2026-06-14", Default}, {"godaddy", "2026-06-15", Gone},
		{"sslcom", "2025-09-14", Default}, {"sslcom", "2025-09-15", Gone},
		{"zerossl", "2025-10-14", Default}, {"zerossl", "2025-10-15", Gone},
		{"certum", "2026-05-14", Default}, {"certum", "2026-05-15", Gone},
		{"adcs", "2030-01-01", OptIn}, {"step-ca", "2030-01-01", Available},
	} {
		o, err := p.At(test.id, day(test.date))
		if err != nil {
			t.Fatal(err)
		}
		if got := o.ClientEKU(); got != test.want {
			t.Errorf("%s at %s: %q, want %q", test.id, test.date, got, test.want)
		}
	}
}

// BR 2.2.6 §6.3.2; Let's Encrypt's own limit is lower until the last step.
func TestLifetime(t *testing.T) {
	p := profiles(t)
	for _, test := range []struct {
		id, date string
		want     int
	}{
		{"digicert", "2026-03-14", 398}, {"digicert", "2026-03-15", 200}, {"digicert", "2027-03-14", 200}, {"digicert", "2027-03-15", 100},
		{"digicert", "2029-03-14", 100}, {"digicert", "2029-03-15", 47},
		{"letsencrypt", "2026-11-24", 90}, {"letsencrypt", "2029-03-15", 47},
	} {
		o, err := p.At(test.id, day(test.date))
		if err != nil {
			t.Fatal(err)
		}
		if got, known := o.Days(); !known || got != test.want {
			t.Errorf("%s at %s: %d days, want %d", test.id, test.date, got, test.want)
		}
	}
	for _, id := range []string{"digicert-nonbrowser", "adcs", "step-ca"} {
		o, err := p.At(id, day("2027-04-01"))
		if err != nil {
			t.Fatal(err)
		}
		if _, known := o.Days(); known {
			t.Errorf("%s: a lifetime is known, though no source says it", id)
		}
	}
}

// What no source says is unknown for every issuer, not guessed.
func TestUnknown(t *testing.T) {
	p := profiles(t)
	for _, profile := range p.All() {
		o, err := p.At(profile.ID, day("2026-11-24"))
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Value(Price); got != Unknown {
			t.Errorf("%s: price %q", profile.ID, got)
		}
	}
	if _, err := p.At("letsencript", day("2026-11-24")); err == nil || !strings.Contains(err.Error(), `did you mean "letsencrypt"?`) {
		t.Errorf("got %v", err)
	}
}

func TestChanges(t *testing.T) {
	p := profiles(t)
	got, err := p.Changes("digicert", day("2026-11-24"), day("2030-01-01"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range got {
		lines = append(lines, c.Date.String()+" "+string(c.Field)+" "+c.Before.Value+" "+c.After.Value)
	}
	// Chrome's own day, 2027-03-15, changes nothing any more: DigiCert is earlier.
	want := []string{"2027-03-01 client-eku opt-in gone", "2027-03-15 lifetime 200 100", "2029-03-15 lifetime 100 47"}
	if !slices.Equal(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
	if got, err := p.Changes("adcs", day("2020-01-01"), time.Time{}); err != nil || len(got) != 0 {
		t.Errorf("an internal CA changes: %v, %v", got, err)
	}
	if _, err := p.Changes("nobody", day("2026-01-01"), time.Time{}); err == nil {
		t.Error("no error for an issuer that isn't there")
	}
}

func order(date string, days int, change func(*plan.Order)) plan.Order {
	o := plan.Order{
		Subject: "sip.contoso.com", SANs: []plan.Name{{Kind: plan.DNSName, Value: "sip.contoso.com"}, {Kind: plan.DNSName, Value: "contoso.com"}},
		EKUs: []plan.Usage{plan.Server, plan.Client}, Key: "rsa-2048", Hash: "sha256",
		NotBefore: day(date), NotAfter: day(date).AddDate(0, 0, days).Add(-time.Second),
	}
	if change != nil {
		change(&o)
	}
	return o
}

func TestFits(t *testing.T) {
	p := profiles(t)
	dns := func(names ...string) func(*plan.Order) {
		return func(o *plan.Order) {
			for _, n := range names {
				o.SANs = append(o.SANs, plan.Name{Kind: plan.DNSName, Value: n})
			}
			o.EKUs = []plan.Usage{plan.Server}
		}
	}
	for _, test := range []struct {
		id, date string
		days     int
		change   func(*plan.Order)
		want     string // rules in order
	}{
		{"letsencrypt", "2026-11-24", 90, dns(), ""},
		{"letsencrypt", "2026-11-24", 90, nil, "client-eku-gone"},
		{"letsencrypt", "2026-11-24", 91, dns(), "lifetime"},
		{"letsencrypt", "2026-11-24", 90, dns("*.contoso.com"), ""},
		{"letsencrypt", "2026-03-01", 90, nil, "client-eku-opt-in client-eku-ends intermediate-eku"},
		{"digicert", "2026-11-24", 200, nil, "client-eku-opt-in client-eku-ends intermediate-eku-unknown cdp-unknown"},
		{"digicert", "2027-04-01", 100, nil, "client-eku-gone cdp-unknown"},
		{"digicert", "2027-04-01", 101, dns("*.contoso.com"), "lifetime wildcard-unknown cdp-unknown"},
		{"digicert-nonbrowser", "2027-04-01", 100, nil, "intermediate-eku-unknown lifetime-unknown cdp-unknown"},
		{"digicert-nonbrowser", "2027-04-01", 100, dns("*.contoso.com"), "lifetime-unknown wildcard cdp-unknown"},
		{"godaddy", "2026-06-01", 200, nil, "client-eku-ends cdp-unknown"},
		{"letsencrypt", "2026-11-24", 90, dns("edge01.contoso.local", "my_edge.contoso.com"), "internal-name"},
		{"letsencrypt", "2026-11-24", 90, func(o *plan.Order) {
			o.EKUs = []plan.Usage{plan.Server}
			o.SANs = append(o.SANs, plan.Name{Kind: plan.XMPPAddr, Value: "contoso.com"})
		}, "san-kind"},
		{"letsencrypt", "2026-11-24", 90, func(o *plan.Order) { o.EKUs = nil }, "server-eku"},
		{"letsencrypt", "2026-11-24", 90, func(o *plan.Order) { o.EKUs = []plan.Usage{plan.Any} }, "server-eku any-eku"},
		{"letsencrypt", "2026-11-24", 90, func(o *plan.Order) { o.EKUs = []plan.Usage{plan.Server, "1.3.6.1.5.5.7.3.20"} }, "other-eku-unknown"},
		{"letsencrypt", "2026-11-24", 90, func(o *plan.Order) { o.EKUs, o.Subject = []plan.Usage{plan.Server}, "edge.contoso.com" }, "common-name"},
		{"letsencrypt", "2026-11-24", 90, func(o *plan.Order) { o.EKUs, o.Key, o.Hash = []plan.Usage{plan.Server}, "rsa-1024", "sha1" }, "keys hashes"},
		{"adcs", "2027-04-01", 700, nil, "client-eku-opt-in intermediate-eku-unknown lifetime-unknown cdp-unknown"},
	} {
		o, err := p.At(test.id, day(test.date))
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, f := range o.Fits(order(test.date, test.days, test.change)) {
			rules = append(rules, f.Rule)
			if f.Detail == "" || len(f.WayOut) == 0 || f.Severity != Unsettled && f.Source.Ref == "" {
				t.Errorf("%s: a finding lacks its detail, its way out or its source: %+v", test.id, f)
			}
		}
		if got := strings.Join(rules, " "); got != test.want {
			t.Errorf("%s at %s, %d days: got %q, want %q", test.id, test.date, test.days, got, test.want)
		}
	}
}

// The finding that the whole is about: the day, and what to do.
func TestClientEKUGone(t *testing.T) {
	o, err := profiles(t).At("digicert", day("2027-04-01"))
	if err != nil {
		t.Fatal(err)
	}
	f := o.Fits(order("2027-04-01", 100, nil))[0]
	ways := strings.Join(f.WayOut, "\n")
	if f.Date.String() != "2027-03-01" || f.Severity != Error || !strings.Contains(ways, "private CA for the client role") ||
		!strings.Contains(ways, "adcs, digicert-nonbrowser, step-ca") || !strings.Contains(ways, "server purpose") {
		t.Errorf("got %+v", f)
	}
}

func TestMake(t *testing.T) {
	p := profiles(t)
	o, err := p.At("letsencrypt", day("2026-11-24"))
	if err != nil {
		t.Fatal(err)
	}
	asked := order("2026-11-24", 200, func(o *plan.Order) {
		o.SANs = append(o.SANs, plan.Name{Kind: plan.XMPPAddr, Value: "contoso.com"})
	})
	got := o.Make(asked)
	if !slices.Equal(got.EKUs, []plan.Usage{plan.Server}) || len(got.SANs) != 2 || days(got) != 90 ||
		!slices.Equal(got.IntermediateEKU, []plan.Usage{plan.Server}) || got.NoCDP || got.Subject != "sip.contoso.com" {
		t.Errorf("got %+v", got)
	}
	if len(asked.EKUs) != 2 || len(asked.SANs) != 3 {
		t.Errorf("the order itself was changed: %+v", asked)
	}
	for _, f := range o.Fits(got) {
		if f.Severity == Error {
			t.Errorf("what the issuer makes doesn't fit its own offer: %s", f)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	const head = "profile: x\ntitle: X\nlines:\n"
	const rest = ", read: 2026-11-24, source: {kind: documented, ref: a page}}\n"
	for _, test := range []struct{ name, text, want string }{
		{"unknown key", head + "  - {feild: trust}\n", "feild"},
		{"no source", head + "  - {field: trust, value: private, read: 2026-11-24}\n", "it has no source"},
		{"no kind", head + "  - {field: trust, value: private, read: 2026-11-24, source: {ref: x}}\n", "there are documented and measured"},
		{"not read", head + "  - {field: trust, value: private, source: {kind: documented, ref: x}}\n", "when its source was read"},
		{"unknown field", head + "  - {field: trsut, value: private" + rest, `did you mean "trust"?`},
		{"unknown value", head + "  - {field: client-eku, value: gon" + rest, `did you mean "gone"?`},
		{"two values", head + "  - {field: wildcard, value: yes no" + rest, "isn't one value"},
		{"no number", head + "  - {field: lifetime, value: long" + rest, "no number"},
		{"no note", head + "  - {field: lifetime, value: unknown" + rest, "needs a note"},
		{"price", head + "  - {field: price, value: cheap" + rest, "prices aren't kept"},
		{"bad day", head + "  - {field: lifetime, value: 1, from: soon" + rest, "is no day"},
		{"twice", head + strings.Repeat("  - {field: lifetime, value: 1"+rest, 2), "is there twice"},
		{"no base", "profile: x\ntitle: X\nbase: y\n", `no rules are called "y"`},
		{"no title", "profile: x\n", "a title"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(fs.FS(fstest.MapFS{"data/x.yaml": {Data: []byte(test.text)}}))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
