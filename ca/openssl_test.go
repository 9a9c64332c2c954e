package ca_test

import (
	"encoding/pem"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab/plan"
)

// openssl is a second reader of what the lab makes, independent of crypto/x509.
type openssl struct {
	t    *testing.T
	path string
	dir  string
}

func newOpenSSL(t *testing.T) openssl {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl isn't installed; crypto/x509 has read the same certificates in the other tests")
	}
	return openssl{t, path, t.TempDir()}
}

// file writes certificates or CRLs to a PEM file.
func (o openssl) file(kind string, ders ...[]byte) string {
	o.t.Helper()
	f, err := os.CreateTemp(o.dir, "*.pem")
	if err != nil {
		o.t.Fatal(err)
	}
	defer f.Close()
	for _, der := range ders {
		if err := pem.Encode(f, &pem.Block{Type: kind, Bytes: der}); err != nil {
			o.t.Fatal(err)
		}
	}
	return f.Name()
}

func (o openssl) run(args ...string) (string, error) {
	out, err := exec.CommandContext(o.t.Context(), o.path, args...).CombinedOutput()
	return string(out), err
}

func TestOpenSSLReadsTheFields(t *testing.T) {
	o := newOpenSSL(t)
	s := newSet(t, 1)
	issued := issue(t, s, ca.Public, soldOrder(func(o *plan.Order) {
		o.Subject = ""
		o.SANs = []plan.Name{
			{Kind: plan.XMPPAddr, Value: "contoso.com"},
			{Kind: plan.DNSName, Value: "*.Contoso.com"},
			{Kind: plan.SRVName, Value: "_xmpp-server.contoso.com"},
			{Kind: plan.URI, Value: "sip:contoso.com"},
		}
		o.EKUs = []plan.Usage{plan.Client, plan.Any, "1.3.6.1.4.1.32473.2"}
		o.KeyUsage = []string{"keyEncipherment", "cRLSign"}
		o.Critical = true
	}))
	text, err := o.run("x509", "-noout", "-text", "-in", o.file("CERTIFICATE", issued.Leaf.Raw))
	if err != nil {
		t.Fatal(err, text)
	}
	words := strings.Join(strings.Fields(text), " ")
	for _, want := range []string{
		"Issuer: O = \"edgelab lab CA, not for production\", CN = public issuing CA",
		"X509v3 Subject Alternative Name: critical othername: XmppAddr::contoso.com, DNS:*.Contoso.com, " +
			"othername: SRVName::_xmpp-server.contoso.com, URI:sip:contoso.com",
		"X509v3 Extended Key Usage: TLS Web Client Authentication, Any Extended Key Usage, 1.3.6.1.4.1.32473.2",
		"X509v3 Key Usage: critical Key Encipherment, CRL Sign",
		"1.3.6.1.4.1.32473.1: critical",
		"URI:http://crl.public.edgelab.test/issuing.crl",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("openssl doesn't see %q in\n%s", want, text)
		}
	}
}

// TestOpenSSLVerifies holds that OpenSSL accepts what is whole and refuses each fault by the name it has for it.
func TestOpenSSLVerifies(t *testing.T) {
	o := newOpenSSL(t)
	s := newSet(t, 1)
	no := false
	tests := []struct {
		name   string
		change func(*plan.Order)
		args   []string
		says   string
	}{
		{"whole", func(*plan.Order) {}, nil, "OK"},
		{"as client", func(*plan.Order) {}, []string{"-purpose", "sslclient"}, "OK"},
		{"with otherNames", func(o *plan.Order) {
			o.SANs = append(o.SANs, plan.Name{Kind: plan.XMPPAddr, Value: "contoso.com"})
		}, nil, "OK"},
		{"server EKU alone, as client", func(o *plan.Order) { o.EKUs = []plan.Usage{plan.Server} },
			[]string{"-purpose", "sslclient"}, "certificate purpose"},
		{"server-only intermediate, as client", func(o *plan.Order) { o.IntermediateEKU = []plan.Usage{plan.Server} },
			[]string{"-purpose", "sslclient"}, "certificate purpose"},
		{"within the permitted names", func(o *plan.Order) { o.Permitted = []string{"contoso.com"} }, nil, "OK"},
		{"outside the permitted names", func(o *plan.Order) { o.Permitted = []string{"fabrikam.com"} }, nil, "permitted subtree violation"},
		{"issuer is no CA", func(o *plan.Order) { o.IntermediateCA = &no }, nil, "invalid CA certificate"},
		{"no intermediate", func(o *plan.Order) { o.Chain = plan.ChainLeafOnly }, nil, "unable to get local issuer certificate"},
		{"misordered", func(o *plan.Order) { o.Chain = plan.ChainMisordered }, nil, "OK"},
		{"untrusted", func(o *plan.Order) { o.Issuer = plan.IssuerUntrusted }, nil, "unable to get local issuer certificate"},
		{"self-signed", func(o *plan.Order) { o.Issuer = plan.IssuerSelfSigned }, nil, "self-signed certificate"},
		{"expired", func(o *plan.Order) { o.NotAfter = at.Add(-time.Minute) }, nil, "certificate has expired"},
		{"not yet valid", func(o *plan.Order) { o.NotBefore = at.Add(time.Minute) }, nil, "certificate is not yet valid"},
		{"critical extension", func(o *plan.Order) { o.Critical = true }, nil, "unhandled critical extension"},
		{"not revoked", func(*plan.Order) {}, []string{"-crl_check_all"}, "OK"},
		{"revoked", func(o *plan.Order) { o.Revoked = true }, []string{"-crl_check_all"}, "certificate revoked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			issued := issue(t, s, ca.Public, soldOrder(tt.change))
			args := append([]string{"verify", "-attime", strconv.FormatInt(at.Unix(), 10)}, tt.args...)
			args = append(args, "-CAfile", o.file("CERTIFICATE", root(t, s, ca.Public).Raw))
			if rest := issued.TLS.Certificate[1:]; len(rest) > 0 {
				args = append(args, "-untrusted", o.file("CERTIFICATE", rest...))
				var lists [][]byte
				for _, cert := range parsed(t, issued.TLS)[:2] {
					if list, err := s.RevocationList(cert, at); err == nil {
						lists = append(lists, list.Raw)
					}
				}
				args = append(args, "-CRLfile", o.file("X509 CRL", lists...))
			}
			out, err := o.run(append(args, o.file("CERTIFICATE", issued.Leaf.Raw))...)
			if (err == nil) != (tt.says == "OK") || !strings.Contains(out, tt.says) {
				t.Errorf("want %q, got %v\n%s", tt.says, err, out)
			}
		})
	}
}
