package scenarios_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/scenarios"
)

var options = scenarios.Options{Products: products}

func load(text string) (scenarios.Scenario, error) {
	return scenarios.Load("contoso.yaml", []byte(text), options)
}

// head is a small good deployment that the tests below add to.
const head = `edge: {access: sip.contoso.com, internal: lsedge.contoso.net}
sip-domains: [contoso.com]
xmpp-domains: [contoso.com]
partners:
  - {name: litware, domain: litware.com, protocol: sip, product: lync-2013}
  - {name: northwind, domain: northwind.example, protocol: xmpp, product: xmpp-strict}
`

// TestBadInput has one row for each kind of bad input; each must give file, line and column, the line, and the nearest
// valid name where there is one.
func TestBadInput(t *testing.T) {
	for name, test := range map[string]struct{ text, place, message, hint string }{
		"unknown key":          {"edge:\n  acces: sip.contoso.com\n", "contoso.yaml:2:3", `unknown key "acces" in edge`, `did you mean "access"?`},
		"unknown key, top":     {head + "certificate: {}\n", "contoso.yaml:7:1", `unknown key "certificate" in a scenario`, `did you mean "certificates"?`},
		"unknown key, partner": {head + "  - {name: a, domain: a.com, protocol: sip, prodct: lync-2013}\n", "contoso.yaml:7:45", `unknown key "prodct"`, `did you mean "product"?`},
		"wrong type":           {"edge: {access: 5}\nsip-domains: [contoso.com]\n", "contoso.yaml:1:16", "access must be text, not the number 5", `"5"`},
		"wrong type, list":     {"edge: {access: sip.contoso.com}\nsip-domains: contoso.com\n", "contoso.yaml:2:14", "sip-domains must be a list", "write [contoso.com]"},
		"wrong type, mapping":  {"edge: sip.contoso.com\nsip-domains: [contoso.com]\n", "contoso.yaml:1:7", "edge must be a mapping", ""},
		"unknown product":      {head + "  - {name: a, domain: a.com, protocol: sip, product: lync-2031}\n", "contoso.yaml:7:54", `unknown product "lync-2031"`, `did you mean "lync-2013"?`},
		"FQDN with a space":    {"edge:\n  access: sip contoso.com\nsip-domains: [contoso.com]\n", "contoso.yaml:2:11", `the FQDN "sip contoso.com" has a space in it`, `write "sip.contoso.com"`},
		"IDN":                  {"edge:\n  access: sip.bücher.example\nsip-domains: [contoso.com]\n", "contoso.yaml:2:11", "certificates hold its A-label", `write "sip.xn--bcher-kva.example"`},
		"IDN in a SAN":         {head + "certificates:\n  external:\n    add-san: [bücher.example]\n", "contoso.yaml:9:15", "certificates hold its A-label", `write "xn--bcher-kva.example"`},
		"duplicate SAN":        {head + "certificates:\n  external:\n    add-san: [Contoso.com]\n", "contoso.yaml:9:15", "duplicate SAN Contoso.com", ""},
		"duplicate SAN, list":  {head + "certificates:\n  external:\n    san: [a.com, b.com, a.com]\n", "contoso.yaml:9:25", "duplicate SAN a.com", ""},
		"no such SAN":          {head + "certificates:\n  external:\n    omit-san: [contso.com]\n", "contoso.yaml:9:16", "contso.com isn't a SAN of the certificate", `did you mean "contoso.com"?`},
		"duplicate key":        {head + "edge: {}\n", "contoso.yaml:7:1", `key "edge" is there twice; the first is in line 1`, ""},
		"domain in two partners": {head + "  - {name: a, domain: litware.com, host: a.litware.com, protocol: sip, product: lync-2013}\n", "contoso.yaml:7:23",
			"litware.com already belongs to partner litware", ""},
		"empty file":           {"", "contoso.yaml:1:1", "the file is empty", "edgelab init"},
		"10 MB":                {strings.Repeat("# padding\n", 1<<20), "contoso.yaml:1:1", "more than 1 MiB", ""},
		"binary":               {"\x7fELF\x02\x01\x01\x00", "contoso.yaml:1:5", "the file is binary", ""},
		"alias bomb":           {"title: &a x\nteaches: *a\n", "contoso.yaml:2:10", "YAML aliases aren't read here", "base"},
		"several documents":    {head + "---\nedge: {}\n", "contoso.yaml:7:1", "a second YAML document begins here", ""},
		"not a mapping":        {"- a\n", "contoso.yaml:1:1", "a scenario is a mapping", ""},
		"no such leg":          {head + "expect:\n  edge -> litwear: trusted\n", "contoso.yaml:8:3", `no leg is called "edge -> litwear"`, `did you mean "edge -> litware"?`},
		"no such domain's leg": {head + "expect:\n  edge/fabrikam.com -> litware: trusted\n", "contoso.yaml:8:3", "no leg is called", `did you mean "edge/contoso.com -> litware"?`},
		"leg of another shape": {head + "expect:\n  litware: trusted\n", "contoso.yaml:8:3", `"litware" isn't a leg`, ""},
		"no such verdict":      {head + "expect:\n  edge -> litware: client-eku-misisng\n", "contoso.yaml:8:20", `"client-eku-misisng" is no verdict`, `did you mean "client-eku-missing"?`},
		"expected twice":       {head + "expect:\n  edge -> litware: trusted\n  edge->litware: trusted\n", "contoso.yaml:9:3", "is expected twice", ""},
		"no verdict":           {head + "expect:\n  edge -> litware:\n", "contoso.yaml:8:3", "no verdict is given", ""},
		"unknown certificate":  {head + "certificates: {extrenal: {}}\n", "contoso.yaml:7:16", `no certificate is called "extrenal"`, `did you mean "external"?`},
		"unknown EKU":          {head + "certificates: {external: {eku: [sever]}}\n", "contoso.yaml:7:33", `"sever" is no EKU`, `did you mean "server"?`},
		"impossible OID":       {head + "certificates: {external: {eku: [1.50.3]}}\n", "contoso.yaml:7:33", `"1.50.3" is no EKU`, ""},
		"unknown key type":     {head + "certificates: {external: {key: rsa-2084}}\n", "contoso.yaml:7:32", `"rsa-2084" is no key type`, `did you mean "rsa-2048"?`},
		"unknown scheme":       {head + "certificates: {external: {signature: rsa-psss}}\n", "contoso.yaml:7:38", `"rsa-psss" is no signature scheme`, `did you mean "rsa-pss"?`},
		"unknown issuer":       {head + "certificates: {external: {issuer: forgd}}\n", "contoso.yaml:7:35", `"forgd" is no issuer`, `did you mean "forged"?`},
		"unknown CA key":       {head + "certificates: {external: {intermediate-key: rsa-1204}}\n", "contoso.yaml:7:45", `"rsa-1204" is no key type`, `did you mean "rsa-1024"?`},
		"unknown CA hash":      {head + "certificates: {external: {intermediate-hash: sha-1}}\n", "contoso.yaml:7:46", `"sha-1" is no signature hash`, `did you mean "sha1"?`},
		"unknown difference":   {head + "certificates: {external: {subca: true}}\n", "contoso.yaml:7:27", `unknown key "subca" in a certificate`, `did you mean "sub-ca"?`},
		"sub-CA that isn't":    {head + "certificates: {external: {sub-ca: 1}}\n", "contoso.yaml:7:35", "sub-ca must be", ""},
		"PSS with P-256":       {head + "certificates: {external: {signature: rsa-pss}}\n", "contoso.yaml:7:38", "add intermediate-key: rsa-2048", ""},
		"self-signed, revoked": {head + "certificates: {external: {issuer: self-signed, revoked: true}}\n", "contoso.yaml:7:57", "a self-signed certificate has no issuer", ""},
		"unknown SAN kind":     {head + "certificates: {external: {san: [{dsn: a.com}]}}\n", "contoso.yaml:7:34", `unknown key "dsn" in a SAN`, `did you mean "dns"?`},
		"SRVName":              {head + "certificates: {external: {san: [{srv-name: contoso.com}]}}\n", "contoso.yaml:7:44", "isn't an SRVName", "_xmpp-server.contoso.com"},
		"URI":                  {head + "certificates: {external: {san: [{uri: contoso.com}]}}\n", "contoso.yaml:7:39", "isn't a URI", "sip:contoso.com"},
		"ends before it begins": {head + "certificates: {external: {valid: {from: 2026-12-01, until: 2026-11-01}}}\n", "contoso.yaml:7:34",
			"it ends (2026-11-01T00:00:00Z) before it begins", ""},
		"no date":      {head + "at: tomorrow\n", "contoso.yaml:7:5", "at must be a date such as 2026-11-24", ""},
		"lifetime":     {head + "certificates: {external: {lifetime: 90d}}\n", "contoso.yaml:7:37", "lifetime (days) must be a whole number", ""},
		"statement":    {head + "proves: [S10]\n", "contoso.yaml:7:10", `"S10" is no statement`, `did you mean "S1"?`},
		"no such base": {"base: source-deploymnet\n", "contoso.yaml:1:7", `base "source-deploymnet" can't be read: there is no such scenario`, `did you mean "source-deployment"?`},
		"invalid XMPP entry": {strings.Replace(head, "xmpp-strict}", "xmpp-strict, xmpp: {tls: not-supported, sasl: required, dialback: false}}", 1), "contoso.yaml:6:94",
			"leaves no way to authenticate: SASL EXTERNAL can't run without TLS", "dialback: true"},
		"reserved name":    {head + "  - {name: edge, domain: a.com, protocol: sip, product: lync-2013}\n", "contoso.yaml:7:12", `a partner can't be called "edge"`, ""},
		"nothing to serve": {"title: x\n", "contoso.yaml:1:1", "edge.access is missing", "access: sip.contoso.com"},
		"long subject":     {head + "certificates: {external: {subject: " + strings.Repeat("a", 60) + ".com" + strings.Repeat(".a", 10) + "}}\n", "contoso.yaml:7:36", "holds 64 at most", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(test.text)
			var all *source.Error
			if !errors.As(err, &all) {
				t.Fatalf("got %v, want a *source.Error", err)
			}
			i := slices.IndexFunc(all.Problems, func(p source.Problem) bool { return strings.Contains(p.Message, test.message) })
			if i < 0 {
				t.Fatalf("got\n%v\nwant %s", err, test.message)
			}
			p := all.Problems[i]
			if place := fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column); place != test.place {
				t.Errorf("at %s, want %s\n%s", place, test.place, p)
			}
			if !strings.Contains(p.Hint, test.hint) {
				t.Errorf("hint %q, want %q", p.Hint, test.hint)
			}
		})
	}
}

// TestAllAtOnce: a file with several mistakes reports each of them, and nothing besides.
func TestAllAtOnce(t *testing.T) {
	_, err := load("edge: {acces: x, layout: single}\nsip-domains: [contoso.com, contoso.com]\nxmpp-domians: []\n")
	var all *source.Error
	if !errors.As(err, &all) {
		t.Fatal(err)
	}
	var got []string
	for _, p := range all.Problems {
		got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Message))
	}
	want := []string{
		`1:7 edge.access is missing: the Access Edge FQDN is the subject name of the external certificate`,
		`1:8 unknown key "acces" in edge`,
		`2:28 contoso.com is there twice in sip-domains`,
		`3:1 unknown key "xmpp-domians" in a scenario`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestCircle(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": "base: b.yaml\n", "b.yaml": "base: ./c.yaml\n", "c.yaml": "title: c\nbase: a.yaml\n", "self.yaml": "base: self.yaml\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, place := range map[string]string{"a.yaml": "c.yaml:2:7: base goes round in a circle: ", "self.yaml": "self.yaml:1:7: base goes round in a circle: "} {
		_, err := scenarios.LoadFile(filepath.Join(dir, file), options)
		if err == nil || !strings.Contains(err.Error(), place) {
			t.Errorf("%s: got %v, want %s", file, err, place)
		}
	}
	if _, err := scenarios.LoadFile(filepath.Join(dir, "none.yaml"), options); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that isn't there: %v", err)
	}
}

// TestLongChain: bases that never end aren't followed forever.
func TestLongChain(t *testing.T) {
	opts := options
	n := 0
	opts.Base = func(_, _ string) ([]byte, string, error) {
		n++
		return fmt.Appendf(nil, "base: b%d\n", n+1), fmt.Sprintf("b%d", n), nil
	}
	if _, err := scenarios.Load("b0", []byte("base: b1\n"), opts); err == nil || !strings.Contains(err.Error(), "more than 16 scenarios") {
		t.Errorf("got %v", err)
	}
}

func TestBase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "base.yaml"), []byte(head+"title: base\nproves: [S1]\ncertificates: {external: {eku: [server]}}\nexpect: {edge -> northwind: client-eku-missing}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "contoso.yaml")
	text := `base: base.yaml
sip-domains: [contoso.com, fabrikam.com]
partners:
  - {name: northwind, product: prosody-0.12}
  - {name: aol, domain: aol.com, protocol: sip, product: aol-pic}
certificates: {external: {key: ecdsa-p256}, litware: {revoked: true}}
expect: {edge -> northwind: null, edge -> aol: client-eku-missing}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.LoadFile(file, options)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "contoso" || s.Title != "" || s.Proves != nil || s.Base != "base.yaml" {
		t.Errorf("name %q, title %q, proves %v, base %q", s.Name, s.Title, s.Proves, s.Base)
	}
	if len(s.Topology.Partners) != 3 || s.Topology.Partners[1].Product != "prosody-0.12" || s.Topology.Partners[1].Domain != "northwind.example" {
		t.Errorf("partners %+v", s.Topology.Partners)
	}
	d := s.Differences[plan.External]
	if d.Key != "ecdsa-p256" || d.EKUs == nil || !slices.Equal(*d.EKUs, []plan.Usage{plan.Server}) || !s.Differences["litware"].Revoked {
		t.Errorf("differences %+v", s.Differences)
	}
	if len(s.Expect) != 1 || s.Expect[0].Code != verdict.ClientEKUMissing || s.Expect[0].Pos.Line != 7 {
		t.Errorf("expectations %+v", s.Expect)
	}
	if pos := s.Pos("certificates.external.eku"); filepath.Base(pos.File) != "base.yaml" || pos.Line != 9 {
		t.Errorf("the base's EKU is placed at %+v", pos)
	}
	if pos := s.Pos("certificates.litware.revoked.nothing"); pos.Line != 6 {
		t.Errorf("the nearest place is %+v", pos)
	}
}

func TestDifference(t *testing.T) {
	s, err := load(head + `certificates:
  external:
    subject: ""
    san: [a.com, "*.b.com", {dns: c.com}, {uri: "sip:d.com"}, {xmpp-addr: e.com}, {srv-name: _xmpp-server.f.com}]
    add-san: [g.com]
    omit-san: [a.com]
    eku: [1.3.6.1.5.5.7.3.2, any, 1.3.6.1.5.5.7.3.20]
    intermediate-eku: [server]
    intermediate-ca: false
    permitted-names: [a.com]
    intermediate-key: rsa-2048
    intermediate-hash: sha1
    intermediate-valid: {from: 2021-11-01, until: 2026-11-01}
    sub-ca: true
    signature: rsa-pss
    key: ecdsa-p384
    hash: sha384
    valid: {from: 2026-11-01T10:00:00Z, until: 2026-12-01}
    cdp: false
    chain: misordered
    issuer: untrusted
    revoked: true
    ca: true
    key-usage: [digitalSignature, keyEncipherment]
    critical-extension: true
    withhold: true
  internal: {eku: []}
`)
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Order(plan.External)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	want := plan.Order{
		SANs: []plan.Name{
			{Kind: plan.DNSName, Value: "*.b.com"}, {Kind: plan.DNSName, Value: "c.com"}, {Kind: plan.URI, Value: "sip:d.com"},
			{Kind: plan.XMPPAddr, Value: "e.com"}, {Kind: plan.SRVName, Value: "_xmpp-server.f.com"}, {Kind: plan.DNSName, Value: "g.com"},
		},
		EKUs: []plan.Usage{plan.Client, plan.Any, "1.3.6.1.5.5.7.3.20"}, IntermediateEKU: []plan.Usage{plan.Server}, IntermediateCA: &no,
		IntermediateKey: "rsa-2048", IntermediateHash: "sha1", IntermediateNotBefore: time.Date(2021, 11, 1, 0, 0, 0, 0, time.UTC),
		IntermediateNotAfter: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), SubCA: true, Signature: plan.SignatureRSAPSS,
		Permitted: []string{"a.com"}, Key: "ecdsa-p384", Hash: "sha384", NoCDP: true, Chain: plan.ChainMisordered, Issuer: plan.IssuerUntrusted,
		Revoked: true, CA: true, KeyUsage: []string{"digitalSignature", "keyEncipherment"}, Critical: true, Withhold: true,
		NotBefore: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got\n%+v\nwant\n%+v", o, want)
	}
	if o, err := s.Order(plan.Internal); err != nil || o.EKUs != nil {
		t.Errorf("EKUs of the internal certificate: %v, %v", o.EKUs, err)
	}
	if o, err := s.Order("litware"); err != nil || o.Key != "ecdsa-p256" || len(o.EKUs) != 2 {
		t.Errorf("the partner's certificate: %+v, %v", o, err)
	}
	if _, err := s.Order("nobody"); err == nil {
		t.Error("a certificate of nobody")
	}
}

func TestInit(t *testing.T) {
	s, err := scenarios.Load("init.yaml", scenarios.Init(), options)
	if err != nil {
		t.Fatal(err)
	}
	book, err := scenarios.LoadCatalogue("source-deployment", options)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s.Topology, book.Topology) {
		t.Errorf("init is another deployment than the source's:\n%+v", s.Topology)
	}
	var lines []string
	for line := range strings.Lines(string(scenarios.Init())) { // every commented-out example must be good too
		rest, ok := strings.CutPrefix(line, "# ")
		if !ok || !strings.Contains(rest, ":") || strings.HasPrefix(rest, "Build") {
			lines = append(lines, line)
			continue
		}
		switch key, _, _ := strings.Cut(strings.TrimSpace(rest), ":"); {
		case slices.Contains([]string{"certificates", "dns", "expect", "at", "choices", "reverse-proxy", "director"}, key), strings.HasPrefix(rest, "  "):
			lines = append(lines, rest)
		}
	}
	if _, err := load(strings.Join(lines, "")); err != nil {
		t.Errorf("the examples aren't good:\n%v", err)
	}
}

// TestOrderOfKeys: the order of keys in a file means nothing, and loading twice gives the same.
func TestOrderOfKeys(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range scenarios.Names() {
		text, err := scenarios.Text(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := load(string(text))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			got, err := load(shuffled(t, text, random))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(plain(got), plain(want)) {
				t.Errorf("%s: another order of keys gives\n%+v\ninstead of\n%+v", name, plain(got), plain(want))
			}
			if !reflect.DeepEqual(plan.For(got.Topology), plan.For(want.Topology)) || !reflect.DeepEqual(topology.Legs(got.Topology), topology.Legs(want.Topology)) {
				t.Errorf("%s: another order of keys gives another plan or other legs", name)
			}
		}
	}
}

func shuffled(t *testing.T, text []byte, random *rand.Rand) string {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		t.Fatal(err)
	}
	var shuffle func(*yaml.Node)
	shuffle = func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode {
			random.Shuffle(len(n.Content)/2, func(i, j int) {
				n.Content[2*i], n.Content[2*j] = n.Content[2*j], n.Content[2*i]
				n.Content[2*i+1], n.Content[2*j+1] = n.Content[2*j+1], n.Content[2*i+1]
			})
		}
		for _, c := range n.Content {
			shuffle(c)
		}
	}
	shuffle(&n)
	out, err := yaml.Marshal(&n)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// plain is a scenario without its places in the text.
func plain(s scenarios.Scenario) scenarios.Scenario {
	s.Positions = nil
	s.Expect = slices.Clone(s.Expect)
	for i := range s.Expect {
		s.Expect[i].Pos = source.Pos{}
	}
	return s
}

// FuzzLoad wants no panic, and of every scenario that loads its orders, plan and legs.
func FuzzLoad(f *testing.F) {
	for _, name := range scenarios.Names() {
		text, err := scenarios.Text(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(head + "certificates: {external: {san: [{uri: 'sip:a'}], valid: {until: 2026-01-01}}}\nexpect: {any -> any: trusted}\n"))
	f.Add(scenarios.Init())
	opts := options
	opts.Base = func(from, name string) ([]byte, string, error) { // the catalogue only: no files
		if strings.ContainsAny(name, `/\.`) {
			return nil, "", os.ErrNotExist
		}
		return scenarios.BaseFile(from, name)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := scenarios.Load("f.yaml", text, opts)
		var all *source.Error
		if err != nil {
			if !errors.As(err, &all) || err.Error() == "" {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		for _, key := range s.CertificateKeys() {
			if _, err := s.Order(key); err != nil {
				t.Errorf("a good scenario's order for %s: %v", key, err)
			}
		}
		for _, leg := range topology.Legs(s.Topology) {
			if e, _ := s.Expected(leg); !e.Code.Valid() {
				t.Errorf("%s is expected %q", leg.ID, e.Code)
			}
		}
	})
}
