package request_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/request"
	"github.com/edgelab/edgelab/lab/topology"
)

var update = flag.Bool("update", false, "write the golden files anew")

var at = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// deployment is that of the topic "Certificate summary - SIP, XMPP federation and public instant messaging"
// (2013-03-15).
func deployment(change func(*topology.Topology)) topology.Topology {
	t := topology.Topology{
		Edge:       topology.Edge{Access: "sip.contoso.com", WebConf: "webcon.contoso.com", Internal: "lsedge.contoso.net"},
		SIPDomains: []string{"contoso.com", "fabrikam.com"}, XMPPDomains: []string{"contoso.com", "fabrikam.com"},
		Partners: []topology.Partner{{Name: "aol", Domain: "aol.com", Protocol: topology.SIP, Product: "aol-pic"}},
	}
	if change != nil {
		change(&t)
	}
	return topology.WithDefaults(t)
}

func build(t testing.TB, top topology.Topology, key string, d plan.Difference, opts request.Options) request.Request {
	t.Helper()
	c, ok := plan.For(top).Certificate(key)
	if !ok {
		t.Fatalf("no certificate %s", key)
	}
	o, err := plan.Resolve(c, d, at)
	if err != nil {
		t.Fatal(err)
	}
	opts.Topology = top
	r, err := request.Make(c, o, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (write it anew with -update):\n%s", name, got)
	}
}

func TestWindowsForms(t *testing.T) {
	external := build(t, deployment(nil), plan.External, plan.Difference{}, request.Options{})
	golden(t, "external.inf", external.Inf)
	golden(t, "external.ps1", external.Shell)
	internal := build(t, deployment(nil), plan.Internal, plan.Difference{}, request.Options{CA: `dc01.contoso.net\Contoso CA`})
	golden(t, "internal.inf", internal.Inf)
	golden(t, "internal.ps1", internal.Shell)
	if n := len(external.Notes) + len(internal.Notes); n != 0 {
		t.Errorf("notes %v, %v", external.Notes, internal.Notes)
	}
}

// shellLine returns the cmdlet's line.
func shellLine(t *testing.T, r request.Request) string {
	t.Helper()
	for line := range strings.SplitSeq(r.Shell, "\r\n") {
		if strings.HasPrefix(line, "Request-CsCertificate") {
			return line
		}
	}
	t.Fatalf("no line in\n%s", r.Shell)
	return ""
}

// The parameters of Request-CsCertificate as its reference has them, and what it takes from the topology by itself.
func TestShell(t *testing.T) {
	one := func(top *topology.Topology) {
		top.SIPDomains, top.XMPPDomains, top.Partners = top.SIPDomains[:1], nil, nil
	}
	for _, test := range []struct {
		name   string
		change func(*topology.Topology)
		key    string
		diff   plan.Difference
		opts   request.Options
		want   []string
		not    []string
	}{
		{"source deployment", nil, plan.External, plan.Difference{}, request.Options{},
			[]string{"-New -Type AccessEdgeExternal,DataEdgeExternal,AudioVideoAuthentication ", "-ComputerFqdn \"lsedge.contoso.net\"", `-Template "<template>"`,
				"-PrivateKeyExportable $True", `-DomainName "contoso.com,fabrikam.com"`, " -AllSipDomain ", " -ClientEKU $true ", "-KeySize 2048 -KeyAlg RSA", `-Output C:\external.csr`}, nil},
		{"no AOL, one domain", one, plan.External, plan.Difference{}, request.Options{},
			[]string{"-KeySize 2048"}, []string{"-ClientEKU", "-AllSipDomain", "-DomainName", "-Template"}},
		{"a domain left out", nil, plan.External, plan.Difference{OmitSANs: []string{"sip.fabrikam.com"}}, request.Options{},
			[]string{`-DomainName "contoso.com,fabrikam.com"`}, []string{"-AllSipDomain"}},
		{"own template, ECDSA", nil, plan.External, plan.Difference{Key: "ecdsa-p384"}, request.Options{Template: "EdgeBoth", Computer: "edge01.contoso.net"},
			[]string{`-Template "EdgeBoth"`, "-KeyAlg ECDH_P384", `-ComputerFqdn "edge01.contoso.net"`}, []string{"-KeySize"}},
		{"pool", func(top *topology.Topology) { top.Edge.Layout = topology.ScaledDNSNAT }, plan.External, plan.Difference{}, request.Options{},
			[]string{"-AllSipDomain"}, []string{"-ComputerFqdn"}},
		{"internal", nil, plan.Internal, plan.Difference{}, request.Options{CA: `dc\ca`},
			[]string{"-Type Internal ", `-CA "dc\ca"`}, []string{"-Output", "-DomainName", "-AllSipDomain", "-ClientEKU"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			line := shellLine(t, build(t, deployment(test.change), test.key, test.diff, test.opts))
			for _, w := range test.want {
				if !strings.Contains(line, w) {
					t.Errorf("no %q in\n%s", w, line)
				}
			}
			for _, w := range test.not {
				if strings.Contains(line, w) {
					t.Errorf("%q in\n%s", w, line)
				}
			}
		})
	}
}

// Where a form can't say what is ordered it says so.
func TestNotes(t *testing.T) {
	subject := "edge.contoso.com"
	for _, test := range []struct {
		name string
		diff plan.Difference
		want string
	}{
		{"XMPP address", plan.Difference{AddSANs: []plan.Name{{Kind: plan.XMPPAddr, Value: "contoso.com"}}}, "certreq has no word for the SAN xmpp-addr:contoso.com"},
		{"derived name", plan.Difference{OmitSANs: []string{"webcon.contoso.com"}}, "adds webcon.contoso.com by itself"},
		{"subject", plan.Difference{Subject: &subject}, "takes the subject name sip.contoso.com from the topology"},
		{"EKU", plan.Difference{EKUs: &[]plan.Usage{plan.Server, "1.3.6.1.5.5.7.3.20"}}, "can't ask for the EKU 1.3.6.1.5.5.7.3.20"},
		{"no server EKU", plan.Difference{EKUs: &[]plan.Usage{plan.Client}}, "asks for the server EKU"},
		{"key for certreq only", plan.Difference{Key: "rsa-3072"}, "makes no key of type rsa-3072"},
		{"key for neither", plan.Difference{Key: "ed25519"}, "Windows makes no key of type ed25519"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := build(t, deployment(nil), plan.External, test.diff, request.Options{})
			if !slices.ContainsFunc(r.Notes, func(n request.Note) bool { return strings.Contains(n.Detail, test.want) }) {
				t.Errorf("got %v, want %q", r.Notes, test.want)
			}
		})
	}
}

// What is asked for is what the order says, as another reader sees it.
func TestCSR(t *testing.T) {
	for _, key := range []string{"rsa-2048", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519"} {
		r := build(t, deployment(nil), plan.External, plan.Difference{Key: key, AddSANs: []plan.Name{
			{Kind: plan.URI, Value: "sip:contoso.com"}, {Kind: plan.XMPPAddr, Value: "contoso.com"}, {Kind: plan.SRVName, Value: "_xmpp-server.contoso.com"},
		}}, request.Options{})
		f, err := certfile.Read(key, r.CSRPEM(), certfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, lost := f.Order(at)
		if got.Subject != r.Order.Subject || !slices.Equal(got.SANs, r.Order.SANs) || !slices.Equal(got.EKUs, r.Order.EKUs) || got.Key != key || len(lost) != 0 {
			t.Errorf("%s\ngot  %+v (lost %v)\nwant %+v", key, got, lost, r.Order)
		}
		usage := []string{"digitalSignature"}
		if strings.HasPrefix(key, "rsa") {
			usage = append(usage, "keyEncipherment")
		}
		if !slices.Equal(got.KeyUsage, usage) {
			t.Errorf("%s: key usage %v, want %v", key, got.KeyUsage, usage)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	external := build(t, deployment(nil), plan.External, plan.Difference{}, request.Options{})
	internal := build(t, deployment(nil), plan.Internal, plan.Difference{Key: "ecdsa-p256"}, request.Options{})
	paths, err := request.Write(dir, external, internal)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 8 {
		t.Errorf("wrote %v", paths)
	}
	for _, name := range []string{"external", "internal"} {
		info, err := os.Stat(filepath.Join(dir, name+".key"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s.key: %v, %v", name, info.Mode(), err)
		}
		// openssl judges the request, and that the key is the request's.
		text, err := exec.CommandContext(t.Context(), "openssl", "req", "-verify", "-noout", "-text", "-in", filepath.Join(dir, name+".csr")).CombinedOutput()
		if err != nil || !bytes.Contains(text, []byte("verify OK")) {
			t.Errorf("openssl: %v\n%s", err, text)
		}
		if name == "external" && !bytes.Contains(text, []byte("DNS:sip.contoso.com, DNS:webcon.contoso.com, DNS:contoso.com, DNS:sip.fabrikam.com, DNS:fabrikam.com")) {
			t.Errorf("openssl sees\n%s", text)
		}
		data, err := os.ReadFile(filepath.Join(dir, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil || block.Type != "PRIVATE KEY" {
			t.Errorf("%s.key: %s, %v", name, block.Type, err)
		}
		both := slices.Concat(data, external.CSRPEM())
		if name == "external" {
			if f, err := certfile.Read("both", both, certfile.Options{}); err != nil || len(f.Findings) != 0 {
				t.Errorf("the key isn't the request's: %v, %v", f.Findings, err)
			}
		}
	}
	rest, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(rest) != 0 {
		t.Errorf("left behind: %v, %v", rest, err)
	}
}

// A key that is there stays, and nothing else is written.
func TestWriteRefuses(t *testing.T) {
	for _, name := range []string{"external.key", "external.csr", "internal.ps1"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := request.Write(dir, build(t, deployment(nil), plan.External, plan.Difference{Key: "ecdsa-p256"}, request.Options{}),
			build(t, deployment(nil), plan.Internal, plan.Difference{Key: "ecdsa-p256"}, request.Options{}))
		var exists *request.ExistsError
		if !errors.As(err, &exists) || exists.Path != path || !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: got %v", name, err)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != "mine" {
			t.Errorf("%s was changed: %q, %v", name, data, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%s: the folder has %d files, %v", name, len(entries), err)
		}
	}
}

func TestWriteNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := request.Write(path, build(t, deployment(nil), plan.Internal, plan.Difference{Key: "ecdsa-p256"}, request.Options{})); err == nil {
		t.Error("no error for a folder that is a file")
	}
}

func TestMakeErrors(t *testing.T) {
	c, _ := plan.For(deployment(nil)).Certificate(plan.External)
	for _, test := range []struct {
		name   string
		change func(*plan.Order)
		want   string
	}{
		{"key", func(o *plan.Order) { o.Key = "rsa-2084" }, `did you mean "rsa-2048"?`},
		{"weak key", func(o *plan.Order) { o.Key = "rsa-1024" }, "take rsa-2048"},
		{"quote", func(o *plan.Order) { o.SANs[0].Value = `a".com` }, `the character '"'`},
		{"line", func(o *plan.Order) { o.Subject = "a\r\n[Extensions]" }, "the character"},
		{"shell", func(o *plan.Order) { o.SANs[0].Value = "$(calc)" }, "the character '$'"},
		{"umlaut", func(o *plan.Order) { o.SANs[0].Value = "bücher.example" }, "A-label"},
		{"EKU", func(o *plan.Order) { o.EKUs = []plan.Usage{"clinet"} }, "neither server, client, any"},
		{"key usage", func(o *plan.Order) { o.KeyUsage = []string{"digitalSignatur"} }, `did you mean "digitalSignature"?`},
		{"SAN kind", func(o *plan.Order) { o.SANs[0].Kind = "mail" }, "no kind of SAN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, err := plan.Resolve(c, plan.Difference{Key: "ecdsa-p256"}, at)
			if err != nil {
				t.Fatal(err)
			}
			test.change(&o)
			if _, err := request.Make(c, o, request.Options{}); err == nil || !strings.HasPrefix(err.Error(), "request external: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
