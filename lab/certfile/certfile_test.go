package certfile_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/plan"
)

// A pki is a root, an intermediate for servers only, a leaf with both EKUs and a stranger.
type pki struct {
	root, intermediate, leaf, stranger *x509.Certificate
	key                                *ecdsa.PrivateKey
}

var at = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func newPKI(t testing.TB) pki {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	serial := int64(0)
	sign := func(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
		serial++
		template.SerialNumber = big.NewInt(serial)
		template.NotBefore, template.NotAfter = at.AddDate(0, 0, -1), at.AddDate(0, 0, 89)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ca := func(name string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	}
	rootKey, interKey, leafKey, strangerKey := key(), key(), key(), key()
	p := pki{key: leafKey}
	root := ca("Test Root")
	p.root = sign(root, root, &rootKey.PublicKey, rootKey)
	inter := ca("Test Intermediate")
	inter.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	p.intermediate = sign(inter, p.root, &interKey.PublicKey, rootKey)
	p.leaf = sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "sip.contoso.com", Organization: []string{"Contoso"}}, DNSNames: []string{"sip.contoso.com", "contoso.com"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		CRLDistributionPoints: []string{"http://crl.example/i.crl"}, IssuingCertificateURL: []string{"http://ca.example/i.cer"},
	}, p.intermediate, &leafKey.PublicKey, interKey)
	other := ca("Another Root")
	p.stranger = sign(other, other, &strangerKey.PublicKey, strangerKey)
	return p
}

func toPEM(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}

func keyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func p7b(t testing.TB, certs ...*x509.Certificate) []byte {
	t.Helper()
	var all []byte
	for _, c := range certs {
		all = append(all, c.Raw...)
	}
	der, err := pkcs7.DegenerateCertificate(all)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func pfx(t testing.TB, encoder *pkcs12.Encoder, p pki) []byte {
	t.Helper()
	der, err := encoder.Encode(p.key, p.leaf, []*x509.Certificate{p.intermediate}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func request(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "sip.contoso.com"}, DNSNames: []string{"sip.contoso.com"},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func rules(findings []certfile.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Rule)
	}
	return strings.Join(all, " ")
}

func TestRead(t *testing.T) {
	p := newPKI(t)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, []byte("some words\n")) }
	der := func(certs ...*x509.Certificate) []byte {
		var all []byte
		for _, c := range certs {
			all = append(all, c.Raw...)
		}
		return all
	}
	for _, test := range []struct {
		name   string
		data   []byte
		format certfile.Format
		chain  int
		key    bool
		rules  string
	}{
		{"chain", toPEM(p.leaf, p.intermediate), certfile.PEM, 2, false, ""},
		{"chain with words around it", join([]byte("subject=\n"), toPEM(p.leaf), toPEM(p.intermediate)), certfile.PEM, 2, false, ""},
		{"any order", toPEM(p.intermediate, p.leaf), certfile.PEM, 2, false, "chain-order"},
		{"root first", toPEM(p.root, p.intermediate, p.leaf), certfile.PEM, 3, false, "chain-order root-included"},
		{"leaf only", toPEM(p.leaf), certfile.PEM, 1, false, "intermediate-missing"},
		{"twice", toPEM(p.leaf, p.leaf, p.intermediate), certfile.PEM, 2, false, ""},
		{"root without intermediate", toPEM(p.leaf, p.root), certfile.PEM, 1, false, "intermediate-missing extra-certificate"},
		{"stranger", toPEM(p.leaf, p.intermediate, p.stranger), certfile.PEM, 2, false, "extra-certificate"},
		{"with its key", join(keyPEM(t, p.key), toPEM(p.leaf, p.intermediate)), certfile.PEM, 2, true, ""},
		{"self-signed", toPEM(p.root), certfile.PEM, 1, false, "self-signed"},
		{"DER", der(p.leaf), certfile.DER, 1, false, "intermediate-missing"},
		{"DER, several", der(p.intermediate, p.leaf), certfile.DER, 2, false, ""},
		{"base64", []byte(base64.StdEncoding.EncodeToString(p.leaf.Raw)), certfile.Base64, 1, false, "intermediate-missing"},
		{"PKCS#7", p7b(t, p.root, p.leaf, p.intermediate), certfile.PKCS7, 3, false, "root-included"},
		{"PKCS#7 in PEM", pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: p7b(t, p.leaf, p.intermediate)}), certfile.PEM, 2, false, ""},
		{"PKCS#12", pfx(t, pkcs12.Modern, p), certfile.PKCS12, 2, true, ""},
		{"PKCS#12 of an old Windows", pfx(t, pkcs12.LegacyRC2, p), certfile.PKCS12, 2, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := certfile.Read("f", test.data, certfile.Options{Password: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			if f.Format != test.format || len(f.Chain) != test.chain || (f.Key != nil) != test.key || rules(f.Findings) != test.rules {
				t.Errorf("format %s, chain of %d, key %t, findings %q; want %s, %d, %t, %q",
					f.Format, len(f.Chain), f.Key != nil, rules(f.Findings), test.format, test.chain, test.key, test.rules)
			}
			if test.name != "self-signed" && !f.Leaf().Equal(p.leaf) {
				t.Errorf("the leaf is %s", f.Leaf().Subject)
			}
		})
	}
}

func TestMissingIntermediateSaysWhere(t *testing.T) {
	f, err := certfile.Read("f", toPEM(newPKI(t).leaf), certfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.Findings[0].WayOut, "http://ca.example/i.cer") || !strings.Contains(f.Findings[0].Detail, "CN=Test Intermediate") {
		t.Errorf("got %+v", f.Findings[0])
	}
}

func TestReadRequest(t *testing.T) {
	p := newPKI(t)
	der := request(t, p.key)
	for name, data := range map[string][]byte{
		"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
		"Windows": pem.EncodeToMemory(&pem.Block{Type: "NEW CERTIFICATE REQUEST", Bytes: der}),
	} {
		f, err := certfile.Read("f", data, certfile.Options{})
		if err != nil || f.Request == nil || f.Leaf() != nil || len(f.Findings) != 0 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	wrong := newPKI(t)
	data := slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), keyPEM(t, wrong.key))
	if f, err := certfile.Read("f", data, certfile.Options{}); err != nil || rules(f.Findings) != "key-mismatch" {
		t.Errorf("with another's key: %q, %v", rules(f.Findings), err)
	}
}

func TestReadErrors(t *testing.T) {
	p, q := newPKI(t), newPKI(t)
	whole := toPEM(p.leaf)
	cut, _, _ := bytes.Cut(whole, []byte("-----END"))
	nested := bytes.Repeat([]byte{0x30, 0x80}, 1000)
	for _, test := range []struct {
		name     string
		data     []byte
		password string
		want     string
	}{
		{"empty", []byte(" \n"), "", "the file is empty"},
		{"garbage", []byte("hello"), "", "neither a certificate nor a request"},
		{"cut", cut, "", "no complete PEM block"},
		{"second cut", slices.Concat(whole, cut), "", "the last PEM block isn't complete"},
		{"not base64", []byte("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"), "", "no complete PEM block"},
		{"broken certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.leaf.Raw[:100]}), "", "a certificate can't be read"},
		{"broken DER", slices.Concat(p.leaf.Raw[:40], []byte{0xff, 0xff}, p.leaf.Raw[42:]), "", "can't be read"},
		{"another block", pem.EncodeToMemory(&pem.Block{Type: "PGP MESSAGE", Bytes: []byte("x")}), "", `of type "PGP MESSAGE"`},
		{"two leaves", toPEM(p.leaf, q.leaf), "", "2 certificates that aren't a CA's: sip.contoso.com, sip.contoso.com"},
		{"CAs only", toPEM(p.intermediate, p.root), "", "none of a server"},
		{"key only", keyPEM(t, p.key), "", "a private key only"},
		{"two keys", slices.Concat(whole, keyPEM(t, p.key), keyPEM(t, q.key)), "", "2 private keys"},
		{"encrypted key", slices.Concat(whole, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}})), "", "its key is encrypted"},
		{"no password", pfx(t, pkcs12.Modern, p), "", "has a password"},
		{"wrong password", pfx(t, pkcs12.Modern, p), "guess", "the password doesn't open"},
		{"nested", nested, "", "nested deeper"},
		{"too large", make([]byte, certfile.MaxSize+1), "", "more than 1024 KiB"},
		{"root store", bytes.Repeat(toPEM(p.leaf), 65), "", "65 certificates"},
		{"PKCS#7 without certificates", p7b(t), "", "no certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := certfile.Read("f.cer", test.data, certfile.Options{Password: test.password})
			var e *certfile.Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "f.cer: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an *Error with %q", err, test.want)
			}
			if strings.Contains(test.want, "password") != errors.Is(err, certfile.ErrPassword) && test.name != "encrypted key" {
				t.Errorf("ErrPassword: %v", err)
			}
		})
	}
}

// An iteration count that would keep the reader busy for hours is refused.
func TestIterations(t *testing.T) {
	data := pfx(t, pkcs12.Modern, newPKI(t))
	old, err := asn1.Marshal(2048)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := asn1.Marshal(32000) // of the same length
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(data, old) == 0 {
		t.Fatalf("no iteration count of 2048 in the file")
	}
	if _, err := certfile.Read("f", bytes.ReplaceAll(data, old, slow), certfile.Options{Password: "secret"}); err == nil {
		t.Error("a changed count was taken")
	}
	// A MacData of its own, as the end of a PKCS#12 file has it: salt, then count.
	mac, err := asn1.Marshal(struct {
		Salt  []byte
		Count int
	}{[]byte("salt"), 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certfile.Read("f", mac, certfile.Options{}); err == nil || !strings.Contains(err.Error(), "hashed more than") {
		t.Errorf("got %v", err)
	}
}

// PKCS#12 without a key, as openssl writes it with -nokeys.
func TestPKCS12WithoutKey(t *testing.T) {
	p := newPKI(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pem"), filepath.Join(dir, "out.pfx")
	if err := os.WriteFile(in, toPEM(p.leaf, p.intermediate), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.CommandContext(t.Context(), "openssl", "pkcs12", "-export", "-nokeys", "-in", in, "-out", out, "-passout", "pass:secret").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	f, err := certfile.ReadFile(out, certfile.Options{Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Chain) != 2 || f.Key != nil || f.Format != certfile.PKCS12 {
		t.Errorf("got %+v", f)
	}
	if _, err := certfile.ReadFile(out, certfile.Options{Password: "guess"}); !errors.Is(err, certfile.ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
}

func TestReadFileMissing(t *testing.T) {
	if _, err := certfile.ReadFile(filepath.Join(t.TempDir(), "no.pem"), certfile.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestOrder(t *testing.T) {
	p := newPKI(t)
	f, err := certfile.Read("f", toPEM(p.leaf, p.intermediate), certfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o, lost := f.Order(at)
	if o.Subject != "sip.contoso.com" || !slices.Equal(o.SANs, []plan.Name{{Kind: plan.DNSName, Value: "sip.contoso.com"}, {Kind: plan.DNSName, Value: "contoso.com"}}) ||
		!slices.Equal(o.EKUs, []plan.Usage{plan.Server, plan.Client}) || !slices.Equal(o.IntermediateEKU, []plan.Usage{plan.Server}) ||
		o.Key != "ecdsa-p256" || o.Hash != "sha256" || !slices.Equal(o.KeyUsage, []string{"digitalSignature"}) || o.NoCDP || o.CA || o.Chain != plan.ChainFull ||
		!o.NotBefore.Equal(p.leaf.NotBefore) || !o.NotAfter.Equal(p.leaf.NotAfter) {
		t.Errorf("got %+v", o)
	}
	if rules(lost) != "subject-attributes" { // the organisation
		t.Errorf("lost %v", lost)
	}
	alone, err := certfile.Read("f", toPEM(p.leaf), certfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if o, _ := alone.Order(at); o.Chain != plan.ChainLeafOnly {
		t.Errorf("leaf only: chain %q", o.Chain)
	}
}

func FuzzRead(f *testing.F) {
	p := newPKI(f)
	f.Add(toPEM(p.leaf, p.intermediate))
	f.Add(p.leaf.Raw)
	f.Add(p7b(f, p.leaf))
	f.Add(pfx(f, pkcs12.LegacyDES, p))
	f.Add(pfx(f, pkcs12.Modern, p))
	f.Add(request(f, p.key))
	f.Add([]byte(base64.StdEncoding.EncodeToString(p.leaf.Raw)))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := certfile.Read("fuzz", data, certfile.Options{Password: "secret"})
		if err != nil {
			var e *certfile.Error
			if !errors.As(err, &e) {
				t.Errorf("got %T: %v", err, err)
			}
			return
		}
		if (file.Leaf() == nil) == (file.Request == nil) {
			t.Errorf("a leaf or a request, and not both: %+v", file)
		}
		file.Order(at)
	})
}
