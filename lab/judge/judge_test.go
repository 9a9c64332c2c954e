package judge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgelab/edgelab/lab/judge"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/policy"
)

// now is a date on which every certificate of testdata is valid and crl.pem is current.
var now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

var catalogue = sync.OnceValues(policy.Load)

func newJudge(t testing.TB) *judge.Judge {
	t.Helper()
	c, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return judge.New(c, now)
}

func file(name string) judge.Files { return judge.Files{filepath.Join("testdata", name)} }

func text(t testing.TB, names ...string) string {
	t.Helper()
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return string(all)
}

// good is a row that prosody trusts.
func good() judge.Row {
	return judge.Row{Product: "prosody-0.12", Role: "acceptor", Name: "contoso.com", Chain: file("chain-both.pem"), Roots: file("root.pem")}
}

func TestJudge(t *testing.T) {
	openssl := func(r *judge.Row) { r.Product = "openssl-3.0" }
	rows := []struct {
		name    string
		edit    func(*judge.Row)
		outcome verdict.Outcome
		code    verdict.Code
		layer   verdict.Layer
		alert   uint8
	}{
		{"PEM", func(*judge.Row) {}, "trusted", verdict.Trusted, verdict.Application, 0},
		{"DER", func(r *judge.Row) { r.Chain = file("chain-both.der") }, "trusted", verdict.Trusted, verdict.Application, 0},
		{"text between the blocks", func(r *judge.Row) { r.Chain = file("garbage-between.pem") }, "trusted", verdict.Trusted, verdict.Application, 0},
		{"inline", func(r *judge.Row) {
			r.Chain, r.Roots = judge.Files{text(t, "chain-both.pem")}, judge.Files{text(t, "root.pem")}
		}, "trusted", verdict.Trusted, verdict.Application, 0},
		{"roots in several files", func(r *judge.Row) { r.Roots = append(file("other-root.pem"), file("root.pem")...) }, "trusted", verdict.Trusted, verdict.Application, 0},
		{"no intermediate", func(r *judge.Row) { r.Chain = file("both.pem") }, "rejected", verdict.ChainIncomplete, verdict.Application, 0},
		{"another root", func(r *judge.Row) { r.Roots = file("other-root.pem") }, "rejected", verdict.UntrustedRoot, verdict.Application, 0},
		{"an empty store", func(r *judge.Row) { r.Roots = judge.Files{} }, "rejected", verdict.UntrustedRoot, verdict.Application, 0},
		{"another name", func(r *judge.Row) { r.Name = "fabrikam.com" }, "rejected", verdict.NameMismatch, verdict.Application, 0},
		{"a setting", func(r *judge.Row) { r.Name, r.Set = "fabrikam.com", map[string]string{"s2s_secure_auth": "false"} }, "fallback-dialback", verdict.NameMismatch, verdict.Application, 0},
		{"the day after", func(r *judge.Row) { r.At = "2027-01-02" }, "rejected", verdict.Expired, verdict.Application, 0},
		{"the last second", func(r *judge.Row) { r.At = "2027-01-01T00:00:00Z" }, "trusted", verdict.Trusted, verdict.Application, 0},
		{"no certificate", func(r *judge.Row) { r.Chain, r.Roots, r.NoCertificate = nil, nil, true }, "rejected", verdict.NoClientCert, verdict.Application, 0},
		// RFC 8446 §4.4.2.4 has certificate_required; RFC 5246 §7.4.6 handshake_failure.
		{"no certificate in TLS 1.3", func(r *judge.Row) { openssl(r); r.Chain, r.NoCertificate = nil, true }, "rejected", verdict.NoClientCert, verdict.TLS, 116},
		{"no certificate in TLS 1.2", func(r *judge.Row) { openssl(r); r.Chain, r.NoCertificate, r.TLS = nil, true, "1.2" }, "rejected", verdict.NoClientCert, verdict.TLS, 40},
		{"the client EKU is missing", func(r *judge.Row) { openssl(r); r.Chain = file("chain-server.pem") }, "rejected", verdict.ClientEKUMissing, verdict.TLS, 43},
		{"and isn't asked for in the other role", func(r *judge.Row) { openssl(r); r.Chain, r.Role = file("chain-server.pem"), "initiator" }, "trusted", verdict.Trusted, verdict.TLS, 0},
		{"revoked", func(r *judge.Row) {
			openssl(r)
			r.CRL, r.Set = file("crl.pem"), map[string]string{"crl_check": "yes"}
		}, "rejected", verdict.Revoked, verdict.TLS, 44},
		{"revoked, by a DER CRL of version 1", func(r *judge.Row) {
			openssl(r)
			r.CRL, r.Set = file("crl-v1.der"), map[string]string{"crl_check": "yes"}
		}, "rejected", verdict.Revoked, verdict.TLS, 44},
		{"on no CRL", func(r *judge.Row) {
			openssl(r)
			r.Role, r.Chain, r.CRL, r.Set = "initiator", file("chain-server.pem"), file("crl.pem"), map[string]string{"crl_check": "yes"}
		}, "trusted", verdict.Trusted, verdict.TLS, 0},
		{"no CRL at hand", func(r *judge.Row) {
			openssl(r)
			r.Set = map[string]string{"crl_check": "yes"}
		}, "rejected", verdict.RevocationUnknown, verdict.TLS, 48},
	}
	j := newJudge(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := good()
			row.edit(&r)
			got, err := j.Judge(r)
			if err != nil {
				t.Fatal(err)
			}
			if got.Outcome != row.outcome || got.Verdict != row.code || got.Layer != row.layer || got.Alert != row.alert {
				t.Errorf("%s %s, layer %s, alert %d; want %s %s, %s, %d", got.Outcome, got.Verdict, got.Layer, got.Alert, row.outcome, row.code, row.layer, row.alert)
			}
			for _, c := range got.Checks {
				if c.Rule == "" || c.Source.Kind == "" {
					t.Errorf("check %s has no rule or no source", c.RuleID)
				}
			}
		})
	}
}

// A product that speaks no TLS 1.3 isn't made to.
func TestVersionIsNegotiated(t *testing.T) {
	r := judge.Row{Product: "lync-2013", Role: "initiator", Name: "sip.contoso.com", Chain: file("chain-both.pem"), Roots: file("root.pem"), TLS: "1.3"}
	got, err := newJudge(t).Judge(r)
	if err != nil {
		t.Fatal(err)
	}
	if got.TLS != "1.2" {
		t.Errorf("negotiated TLS %s; want 1.2, which is Lync's last", got.TLS)
	}
}

func TestJudgeErrors(t *testing.T) {
	folder := t.TempDir()
	write := func(name, data string) judge.Files {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return judge.Files{path}
	}
	damaged := strings.Replace(text(t, "chain-both.pem"), "M", "!", 1)
	rows := []struct {
		name string
		edit func(*judge.Row)
		want string
	}{
		{"no product", func(r *judge.Row) { r.Product = "" }, "no product"},
		{"unknown product", func(r *judge.Row) { r.Product = "prosodi-0.12" }, `did you mean "prosody-0.12"?`},
		{"no role", func(r *judge.Row) { r.Role = "" }, "no role"},
		{"unknown role", func(r *judge.Row) { r.Role = "aceptor" }, `did you mean "acceptor"?`},
		{"a role it never takes", func(r *judge.Row) { r.Product = "lync-client" }, "lync-client never acts as acceptor"},
		{"unknown setting", func(r *judge.Row) { r.Set = map[string]string{"s2s_secure_aut": "true"} }, `did you mean "s2s_secure_auth"?`},
		{"unknown value", func(r *judge.Row) { r.Set = map[string]string{"s2s_secure_auth": "maybe"} }, "true, false"},
		{"no chain", func(r *judge.Row) { r.Chain = nil }, "no chain is given"},
		{"an empty chain", func(r *judge.Row) { r.Chain = judge.Files{} }, "no chain is given"},
		{"a chain and none", func(r *judge.Row) { r.NoCertificate = true }, "no-certificate as well"},
		{"no roots", func(r *judge.Row) { r.Roots = nil }, "no roots are given"},
		{"no name", func(r *judge.Row) { r.Name = "" }, "no name is given"},
		{"bad date", func(r *judge.Row) { r.At = "2026-13-01" }, `"2026-13-01" is no date`},
		{"bad TLS version", func(r *judge.Row) { r.TLS = "1.1" }, "it is 1.2 or 1.3"},
		{"missing file", func(r *judge.Row) { r.Chain = judge.Files{"no-such.pem"} }, "chain: no-such.pem: no such file"},
		{"a folder", func(r *judge.Row) { r.Roots = judge.Files{folder} }, "is a directory"},
		{"empty file", func(r *judge.Row) { r.Chain = write("empty", "") }, "it is empty"},
		{"not PEM", func(r *judge.Row) { r.Chain = write("text", "hello") }, "neither PEM nor DER"},
		{"cut DER", func(r *judge.Row) { r.Chain = write("cut.der", text(t, "chain-both.der")[:200]) }, "can't be read"},
		{"damaged PEM", func(r *judge.Row) { r.Chain = write("damaged.pem", damaged) }, "of 2 PEM blocks 1 can be read"},
		{"damaged certificate", func(r *judge.Row) {
			r.Chain = judge.Files{"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"}
		}, "certificate 1 can't be read"},
		{"PKCS#7", func(r *judge.Row) { r.Chain = judge.Files{"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n"} }, "openssl pkcs7"},
		{"a CRL for a chain", func(r *judge.Row) { r.Chain = file("crl.pem") }, "chain: there is no certificate in it"},
		{"a certificate for a CRL", func(r *judge.Row) { r.CRL = file("root.pem") }, "crl: there is no CRL in it"},
		{"a store for a chain", func(r *judge.Row) { r.Chain = judge.Files{strings.Repeat(text(t, "root.pem"), 101)} }, "a root store isn't a chain"},
	}
	j := newJudge(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := good()
			row.edit(&r)
			_, err := j.Judge(r)
			var e *judge.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v; want an *Error with %q", err, row.want)
			}
		})
	}
}

func TestParseRow(t *testing.T) {
	r, err := judge.ParseRow([]byte(`{"product":"p","role":"acceptor","name":"n","chain":["a","b"],"roots":"","crl":null,` +
		`"at":"2026-11-24","tls":1.2,"set":{"a":false,"b":3,"c":"x"},"no_certificate":true,"variant":{"x":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	if r.Product != "p" || r.Role != "acceptor" || r.Name != "n" || r.At != "2026-11-24" || r.TLS != "1.2" || !r.NoCertificate {
		t.Errorf("read %+v", r)
	}
	if !slices.Equal(r.Chain, judge.Files{"a", "b"}) || r.Roots == nil || len(r.Roots) != 0 || r.CRL != nil {
		t.Errorf("chain %v, roots %#v, crl %#v; want two files, an empty list, nothing", r.Chain, r.Roots, r.CRL)
	}
	if r.Set["a"] != "false" || r.Set["b"] != "3" || r.Set["c"] != "x" || string(r.Labels["variant"]) != `{"x":1}` {
		t.Errorf("set %v, labels %v", r.Set, r.Labels)
	}
	for in, want := range map[string]string{
		``:                      "no JSON object",
		`[]`:                    "no JSON object",
		`null`:                  "no JSON object",
		`{} {}`:                 "no JSON object",
		`{"product":1}`:         `field "product": a string is wanted, not a number`,
		`{"chain":1}`:           `field "chain": a path`,
		`{"set":1}`:             `field "set": an object`,
		`{"set":["a"]}`:         "write name=value",
		`{"set":{"a":{}}}`:      `setting "a"`,
		`{"prodct":"p"}`:        `did you mean "product"?`,
		`{"no-certificate":""}`: `field "no-certificate"`,
	} {
		if _, err := judge.ParseRow([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want %q", in, err, want)
		}
	}
}

func TestResultJSON(t *testing.T) {
	r, err := newJudge(t).Judge(good())
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Outcome, Layer, Verdict *string
		Alert                   *int
		Checks                  []struct {
			Check, Rule, Detail *string
			OK                  *bool
			Source              *struct{ Kind, Ref *string }
		}
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Outcome == nil || got.Layer == nil || got.Verdict == nil || got.Alert == nil || len(got.Checks) == 0 {
		t.Fatalf("a field is missing in %s", data)
	}
	for _, c := range got.Checks {
		if c.Check == nil || c.OK == nil || c.Rule == nil || c.Detail == nil || c.Source == nil || c.Source.Kind == nil || c.Source.Ref == nil {
			t.Errorf("a check lacks a field in %s", data)
		}
	}
}

func FuzzRow(f *testing.F) {
	row := func(chain string) []byte {
		data, err := json.Marshal(map[string]any{"product": "openssl-3.0", "role": "acceptor", "chain": chain,
			"roots": text(f, "root.pem"), "crl": text(f, "crl.pem"), "set": map[string]any{"crl_check": true}})
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	f.Add(row(text(f, "chain-both.pem")))
	f.Add(row(text(f, "garbage-between.pem")))
	f.Add(bytes.Replace(row(text(f, "crl-v1.pem")), []byte("chain"), []byte("crl"), 1))
	f.Add([]byte(`{"product":"go","role":"initiator","name":"","no-certificate":true}`))
	j := newJudge(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := judge.ParseRow(line)
		if err == nil {
			for _, list := range []judge.Files{r.Chain, r.Roots, r.CRL} {
				for _, file := range list {
					if !strings.Contains(file, "-----BEGIN ") {
						return // no files of this machine
					}
				}
			}
			_, err = j.Judge(r)
		}
		var e *judge.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("error %T %v; want an *Error", err, err)
		}
	})
}
