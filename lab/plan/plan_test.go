package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sourceDeployment() topology.Topology {
	return topology.WithDefaults(topology.Topology{
		Edge:        topology.Edge{Access: "sip.contoso.com", WebConf: "webcon.contoso.com", Internal: "lsedge.contoso.net"},
		SIPDomains:  []string{"contoso.com", "fabrikam.com"},
		XMPPDomains: []string{"contoso.com", "fabrikam.com"},
		Partners: []topology.Partner{
			{Name: "litware", Domain: "litware.com", Protocol: topology.SIP, Product: "lync-2013"},
			{Name: "aol", Domain: "aol.com", Protocol: topology.SIP, Product: "aol-pic"},
			{Name: "northwind", Domain: "northwind.example", Protocol: topology.XMPP, Product: "xmpp-strict"},
		},
	})
}

func certificate(t *testing.T, top topology.Topology, key string) plan.Certificate {
	t.Helper()
	c, ok := plan.For(top).Certificate(key)
	if !ok {
		t.Fatalf("the plan has no %s certificate", key)
	}
	return c
}

func labels(c plan.Certificate) []string {
	var all []string
	for _, s := range c.SANs {
		all = append(all, s.Label())
	}
	return all
}

// TestSourceTable compares with the table of the source topic (2013-03-15), word for word.
func TestSourceTable(t *testing.T) {
	c := certificate(t, sourceDeployment(), plan.External)
	if c.Component != "External / Access Edge" || c.Subject != "sip.contoso.com" || c.CA != plan.PublicCA {
		t.Errorf("component %q, subject name %q, CA %q", c.Component, c.Subject, c.CA)
	}
	want := []string{
		"sip.contoso.com",
		"webcon.contoso.com",
		"contoso.com (XMPP namespace contoso.com)",
		"sip.fabrikam.com (SIP namespace fabrikam.com)",
		"fabrikam.com (XMPP namespace fabrikam.com)",
	}
	if got := labels(c); !slices.Equal(got, want) {
		t.Errorf("SANs are %q", got)
	}
	var services []string
	for _, a := range c.AssignedTo {
		services = append(services, a.Service+" "+a.Type)
	}
	if want := []string{"Access Edge AccessEdgeExternal", "Web Conferencing Edge DataEdgeExternal", "A/V Edge AudioVideoAuthentication"}; !slices.Equal(services, want) {
		t.Errorf("assigned to %q", services)
	}
	if !c.KeySpec.Exportable || c.KeySpec.Type != "rsa-2048" {
		t.Errorf("key %+v", c.KeySpec)
	}
	in := certificate(t, sourceDeployment(), plan.Internal)
	if in.Subject != "lsedge.contoso.net" || len(in.SANs) != 0 || len(in.EKUs) != 1 || in.EKUs[0].Usage != plan.Server || in.CA != plan.InternalCA {
		t.Errorf("the internal certificate is %+v", in)
	}
}

// TestNames gives topologies and the SANs that the rules lead to.
func TestNames(t *testing.T) {
	for name, test := range map[string]struct {
		edge      topology.Edge
		sip, xmpp []string
		want      string
	}{
		"one domain":             {topology.Edge{Access: "sip.a.com"}, []string{"a.com"}, nil, "sip.a.com"},
		"access of another name": {topology.Edge{Access: "edge.a.com"}, []string{"a.com"}, nil, "edge.a.com sip.a.com"},
		"child domain":           {topology.Edge{Access: "sip.a.com"}, []string{"a.com"}, []string{"corp.a.com"}, "sip.a.com corp.a.com"},
		"root and child":         {topology.Edge{Access: "sip.a.com"}, []string{"a.com"}, []string{"corp.a.com", "a.com"}, "sip.a.com corp.a.com a.com"},
		"second domain":          {topology.Edge{Access: "sip.a.com"}, []string{"a.com", "b.com"}, []string{"b.com"}, "sip.a.com sip.b.com b.com"},
		"XMPP alone":             {topology.Edge{Access: "sip.a.com"}, []string{"a.com"}, []string{"c.com"}, "sip.a.com c.com"},
		"SIP child domain":       {topology.Edge{Access: "sip.a.com"}, []string{"a.com", "x.a.com"}, []string{"x.a.com"}, "sip.a.com sip.x.a.com x.a.com"},
		"name with two reasons":  {topology.Edge{Access: "sip.a.com"}, []string{"a.com"}, []string{"sip.a.com"}, "sip.a.com"},
		"web conferencing":       {topology.Edge{Access: "sip.a.com", WebConf: "w.a.com"}, []string{"a.com"}, nil, "w.a.com sip.a.com"},
	} {
		c := certificate(t, topology.WithDefaults(topology.Topology{Edge: test.edge, SIPDomains: test.sip, XMPPDomains: test.xmpp}), plan.External)
		var names []string
		for _, s := range c.SANs {
			names = append(names, s.Value)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if name == "name with two reasons" && strings.Count(c.SANs[0].Reason, ";") != 2 {
			t.Errorf("%s: reason %q", name, c.SANs[0].Reason)
		}
	}
}

// TestClientEKU: of all products AOL's public IM alone puts the client EKU on the plan.
func TestClientEKU(t *testing.T) {
	for _, product := range []string{"lync-2013", "lync-2010", "ocs-2007r2", "msn-pic", "yahoo-pic", "sip-rfc5922", "aol-pic"} {
		d := sourceDeployment()
		d.Partners = []topology.Partner{{Name: "p", Domain: "p.example", Protocol: topology.SIP, Product: product}}
		has := slices.ContainsFunc(certificate(t, d, plan.External).EKUs, func(e plan.EKU) bool { return e.Usage == plan.Client })
		if has != (product == "aol-pic") {
			t.Errorf("%s: client EKU %v", product, has)
		}
	}
}

// TestReasons wants a reason and a documented source for everything that a plan says.
func TestReasons(t *testing.T) {
	sourced := func(what string, s verdict.Source) {
		if s.Kind != verdict.Documented || s.Ref == "" {
			t.Errorf("%s has no documented source: %+v", what, s)
		}
	}
	top := sourceDeployment()
	for _, layout := range topology.Layouts() {
		top.Edge.Layout = layout
		all := slices.Concat(plan.For(top).Certificates, []plan.Certificate{plan.ForNextHop(top)})
		for _, p := range top.Partners {
			all = append(all, plan.ForPartner(p))
		}
		for _, c := range all {
			if c.SubjectReason == "" {
				t.Errorf("%s: the subject name has no reason", c.Key)
			}
			sourced(c.Key+" subject name", c.SubjectSource)
			sourced(c.Key+" key", c.KeySpec.Source)
			for _, s := range c.SANs {
				if s.Reason == "" {
					t.Errorf("%s: SAN %s has no reason", c.Key, s.Value)
				}
				sourced(c.Key+" SAN "+s.Value, s.Source)
			}
			for _, e := range c.EKUs {
				if e.Reason == "" {
					t.Errorf("%s: EKU %s has no reason", c.Key, e.Usage)
				}
				sourced(c.Key+" EKU", e.Source)
			}
			for _, a := range c.AssignedTo {
				sourced(c.Key+" "+a.Service, a.Source)
			}
		}
	}
}

func TestForPartner(t *testing.T) {
	top := sourceDeployment()
	for i, want := range []string{
		"sip.litware.com: sip.litware.com litware.com",
		"sip.aol.com: sip.aol.com aol.com",
		"northwind.example: northwind.example xmpp.northwind.example",
	} {
		c := plan.ForPartner(top.Partners[i])
		got := c.Subject + ":"
		for _, s := range c.SANs {
			got += " " + s.Value
		}
		if got != want || len(c.EKUs) != 2 {
			t.Errorf("got %s with %d EKUs, want %s with both", got, len(c.EKUs), want)
		}
	}
}

func TestRender(t *testing.T) {
	for format, file := range map[plan.Format]string{
		plan.Table: "source.txt", plan.Markdown: "source.md", plan.JSON: "source.json", plan.YAML: "source.yaml",
	} {
		var b bytes.Buffer
		if err := plan.Render(&b, plan.For(sourceDeployment()), format); err != nil {
			t.Fatal(err)
		}
		golden(t, file, b.Bytes())
	}
	if err := plan.Render(&bytes.Buffer{}, plan.Plan{}, "html"); err == nil {
		t.Error("a format that isn't there is taken")
	}
}

// TestMachineForms reads the JSON and the YAML back.
func TestMachineForms(t *testing.T) {
	want := plan.For(sourceDeployment())
	var text bytes.Buffer
	if err := plan.Render(&text, want, plan.JSON); err != nil {
		t.Fatal(err)
	}
	var got plan.Plan
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the JSON form doesn't hold the whole plan")
	}
	var fromJSON, fromYAML any
	if err := json.Unmarshal(text.Bytes(), &fromJSON); err != nil {
		t.Fatal(err)
	}
	text.Reset()
	if err := plan.Render(&text, want, plan.YAML); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text.Bytes(), &fromYAML); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	first, err := json.Marshal(fromJSON)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, again) {
		t.Error("JSON and YAML differ")
	}
}

var at = time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC)

func day(s string) *time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return &d
}

func TestResolve(t *testing.T) {
	c := certificate(t, sourceDeployment(), plan.External)
	empty, no, yes := "", false, true
	for name, test := range map[string]struct {
		d     plan.Difference
		check func(plan.Order) bool
	}{
		"nothing": {plan.Difference{}, func(o plan.Order) bool {
			return o.Subject == "sip.contoso.com" && len(o.SANs) == 5 && slices.Equal(o.EKUs, []plan.Usage{plan.Server, plan.Client}) &&
				o.Key == "rsa-2048" && o.Hash == "sha256" && o.Chain == plan.ChainFull &&
				o.NotBefore.Equal(at.AddDate(0, 0, -1)) && o.NotAfter.Sub(o.NotBefore) == 90*24*time.Hour
		}},
		"no subject name":  {plan.Difference{Subject: &empty}, func(o plan.Order) bool { return o.Subject == "" && len(o.SANs) == 5 }},
		"no SAN":           {plan.Difference{SANs: []plan.Name{}}, func(o plan.Order) bool { return o.SANs == nil }},
		"other SANs":       {plan.Difference{SANs: []plan.Name{{Kind: plan.DNSName, Value: "a.b"}}}, func(o plan.Order) bool { return len(o.SANs) == 1 }},
		"one less":         {plan.Difference{OmitSANs: []string{"CONTOSO.com"}}, func(o plan.Order) bool { return len(o.SANs) == 4 && o.SANs[2].Value == "sip.fabrikam.com" }},
		"one more":         {plan.Difference{AddSANs: []plan.Name{{Kind: plan.XMPPAddr, Value: "contoso.com"}}}, func(o plan.Order) bool { return len(o.SANs) == 6 }},
		"no EKU":           {plan.Difference{EKUs: &[]plan.Usage{}}, func(o plan.Order) bool { return o.EKUs == nil }},
		"server only":      {plan.Difference{EKUs: &[]plan.Usage{plan.Server}}, func(o plan.Order) bool { return slices.Equal(o.EKUs, []plan.Usage{plan.Server}) }},
		"expired":          {plan.Difference{NotAfter: day("2026-11-01")}, func(o plan.Order) bool { return o.NotAfter.Equal(*day("2026-11-01")) && o.NotBefore.Before(o.NotAfter) }},
		"ends later":       {plan.Difference{NotAfter: day("2026-12-01")}, func(o plan.Order) bool { return o.NotBefore.Equal(at.AddDate(0, 0, -1)) }},
		"begins later":     {plan.Difference{NotBefore: day("2026-12-01")}, func(o plan.Order) bool { return o.NotAfter.Sub(o.NotBefore) == plan.DefaultLifetime }},
		"lifetime":         {plan.Difference{Lifetime: 24 * time.Hour}, func(o plan.Order) bool { return o.NotAfter.Sub(o.NotBefore) == 24*time.Hour }},
		"lifetime and end": {plan.Difference{NotAfter: day("2026-12-01"), Lifetime: 24 * time.Hour}, func(o plan.Order) bool { return o.NotBefore.Equal(*day("2026-11-30")) }},
		"the rest": {plan.Difference{Key: "ed25519", Hash: "sha1", Chain: plan.ChainLeafOnly, Issuer: plan.IssuerUntrusted, Revoked: true, NoCDP: true, Withhold: true, Critical: true,
			IntermediateEKU: []plan.Usage{plan.Server}, IntermediateCA: &no, CA: &no, KeyUsage: []string{"none"}, Permitted: []string{"a.b"}}, func(o plan.Order) bool {
			return o.Key == "ed25519" && o.Hash == "sha1" && o.Chain == plan.ChainLeafOnly && o.Issuer == plan.IssuerUntrusted && o.Revoked && o.NoCDP && o.Withhold && o.Critical &&
				len(o.IntermediateEKU) == 1 && !*o.IntermediateCA && !o.CA && len(o.KeyUsage) == 1 && len(o.Permitted) == 1
		}},
		"intermediate": {plan.Difference{IntermediateKey: "rsa-2048", IntermediateHash: "sha1", Signature: plan.SignatureRSAPSS, SubCA: true}, func(o plan.Order) bool {
			return o.IntermediateKey == "rsa-2048" && o.IntermediateHash == "sha1" && o.Signature == plan.SignatureRSAPSS && o.SubCA &&
				o.IntermediateNotBefore.IsZero() && o.IntermediateNotAfter.IsZero()
		}},
		"intermediate expired": {plan.Difference{IntermediateNotAfter: day("2026-11-01")}, func(o plan.Order) bool {
			return o.IntermediateNotAfter.Equal(*day("2026-11-01")) && o.IntermediateNotBefore.Equal(at.AddDate(-1, 0, 0))
		}},
		"intermediate long expired": {plan.Difference{IntermediateNotAfter: day("2020-11-01")}, func(o plan.Order) bool {
			return o.IntermediateNotAfter.Sub(o.IntermediateNotBefore) == plan.CALifetime
		}},
		"intermediate begins": {plan.Difference{IntermediateNotBefore: day("2026-12-01")}, func(o plan.Order) bool {
			return o.IntermediateNotBefore.Equal(*day("2026-12-01")) && o.IntermediateNotAfter.Sub(o.IntermediateNotBefore) == plan.CALifetime
		}},
		"self-signed with its own key": {plan.Difference{Issuer: plan.IssuerSelfSigned, Key: "rsa-2048", Signature: plan.SignatureRSAPSS, IntermediateCA: &yes}, func(o plan.Order) bool {
			return o.Issuer == plan.IssuerSelfSigned && o.Signature == plan.SignatureRSAPSS
		}},
	} {
		o, err := plan.Resolve(c, test.d, at)
		if err != nil || !test.check(o) {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
	for name, test := range map[string]struct {
		d     plan.Difference
		field string
	}{
		"omits what isn't there":        {plan.Difference{OmitSANs: []string{"nobody.com"}}, "omit-san"},
		"adds what is there":            {plan.Difference{AddSANs: []plan.Name{{Kind: plan.DNSName, Value: "Contoso.com"}}}, "add-san"},
		"names one twice":               {plan.Difference{SANs: []plan.Name{{Kind: plan.DNSName, Value: "a.b"}, {Kind: plan.DNSName, Value: "A.b"}}}, "san"},
		"ends before it begins":         {plan.Difference{NotBefore: day("2026-12-01"), NotAfter: day("2026-11-01")}, "valid"},
		"ends the day that it begins":   {plan.Difference{NotBefore: day("2026-12-01"), NotAfter: day("2026-12-01")}, "valid"},
		"intermediate ends first":       {plan.Difference{IntermediateNotBefore: day("2026-12-01"), IntermediateNotAfter: day("2026-11-01")}, "intermediate-valid"},
		"PSS without an RSA key":        {plan.Difference{Signature: plan.SignatureRSAPSS}, "signature"},
		"PSS with SHA-1":                {plan.Difference{Signature: plan.SignatureRSAPSS, IntermediateKey: "rsa-2048", Hash: "sha1"}, "hash"},
		"Ed25519 with another hash":     {plan.Difference{IntermediateKey: "ed25519", Hash: "sha384"}, "hash"},
		"self-signed and revoked":       {plan.Difference{Issuer: plan.IssuerSelfSigned, Revoked: true}, "revoked"},
		"self-signed below a CA":        {plan.Difference{Issuer: plan.IssuerSelfSigned, SubCA: true}, "sub-ca"},
		"self-signed with a CA's key":   {plan.Difference{Issuer: plan.IssuerSelfSigned, IntermediateKey: "rsa-2048"}, "intermediate-key"},
		"self-signed with a CA's hash":  {plan.Difference{Issuer: plan.IssuerSelfSigned, IntermediateHash: "sha1"}, "intermediate-hash"},
		"self-signed with a CA's dates": {plan.Difference{Issuer: plan.IssuerSelfSigned, IntermediateNotAfter: day("2026-12-01")}, "intermediate-valid"},
	} {
		_, err := plan.Resolve(c, test.d, at)
		fault, ok := err.(*plan.DifferenceError) //nolint:errorlint // its documented type
		if !ok || fault.Field != test.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestResolveLeavesThePlanAlone: a plan can be resolved many times.
func TestResolveLeavesThePlanAlone(t *testing.T) {
	c := certificate(t, sourceDeployment(), plan.External)
	before := len(c.SANs)
	for range 2 {
		if _, err := plan.Resolve(c, plan.Difference{OmitSANs: []string{"contoso.com"}}, at); err != nil || len(c.SANs) != before {
			t.Fatalf("%d SANs left, %v", len(c.SANs), err)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got\n%s", path, got)
	}
}
