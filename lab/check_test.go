package lab_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/ca"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// bought has a certificate made by a CA that the run knows nothing of, and returns it as a CA would send it.
func bought(t *testing.T, change func(*plan.Order)) certfile.File {
	t.Helper()
	s, _ := scenario(t, "source-deployment")
	order, err := s.Order(plan.External)
	if err != nil {
		t.Fatal(err)
	}
	change(&order)
	set := ca.NewSet(ca.Options{Seed: 99, At: s.At})
	defer set.Close()
	issued, err := set.Issue(context.Background(), ca.Public, order)
	if err != nil {
		t.Fatal(err)
	}
	root, err := set.Root(context.Background(), ca.Public)
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, der := range append(slices.Clone(issued.TLS.Certificate), root.Raw) {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	f, err := certfile.Read("bought.pem", text, certfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestCheckCertificate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*plan.Order)
		broken map[string]verdict.Code // legs that don't work, and why
	}{
		{"as planned", func(*plan.Order) {}, nil},
		{"without the client EKU", func(o *plan.Order) { o.EKUs = []plan.Usage{plan.Server} }, map[string]verdict.Code{
			"edge/contoso.com -> aol": verdict.ClientEKUMissing, "edge/fabrikam.com -> aol": verdict.ClientEKUMissing,
			"edge/contoso.com -> northwind": verdict.ClientEKUMissing, "edge/fabrikam.com -> northwind": verdict.ClientEKUMissing,
		}},
		{"without webcon", func(o *plan.Order) {
			o.SANs = slices.DeleteFunc(o.SANs, func(n plan.Name) bool { return strings.HasPrefix(n.Value, "webcon.") })
		}, map[string]verdict.Code{"remote-user -> webconf": verdict.NameMismatch}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, opts := scenario(t, "source-deployment")
			b, err := lab.CheckCertificate(context.Background(), s, bought(t, tt.change), nil, opts)
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Disagreements) > 0 {
				t.Errorf("twin and original differ: %v", b.Disagreements)
			}
			if b.Judged == 0 || !b.Rooted {
				t.Errorf("%d judgements of the original, root at hand: %v", b.Judged, b.Rooted)
			}
			for _, l := range b.Result.Scenarios[0].Legs {
				want, ok := tt.broken[l.ID]
				if !ok {
					want = l.Expected
				}
				if l.Verdict != want {
					t.Errorf("%s: %s, want %s: %s", l.ID, l.Verdict, want, l.Reason)
				}
			}
		})
	}
}

func TestCompareCertificates(t *testing.T) {
	s, opts := scenario(t, "source-deployment")
	r, err := lab.CompareCertificates(context.Background(), s, bought(t, func(*plan.Order) {}),
		bought(t, func(o *plan.Order) { o.EKUs = []plan.Usage{plan.Server} }), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range r.Broken { // those of AOL and of the strict XMPP partner
		if b.Verdict != verdict.ClientEKUMissing || !strings.HasPrefix(b.Leg, "edge/") {
			t.Errorf("broken: %v", b)
		}
	}
	if len(r.Broken) != 4 {
		t.Errorf("%d legs broken, want 4", len(r.Broken))
	}
	if len(r.Changes) != 1 || !strings.HasPrefix(r.Changes[0], "EKU") {
		t.Errorf("changes: %v", r.Changes)
	}
}

// A file with its key and its root needs no twin: the legs are run with the original.
func TestCheckOriginal(t *testing.T) {
	s, opts := scenario(t, "source-deployment")
	order, err := s.Order(plan.External)
	if err != nil {
		t.Fatal(err)
	}
	order.EKUs = []plan.Usage{plan.Server}
	set := ca.NewSet(ca.Options{Seed: 99, At: s.At})
	defer set.Close()
	issued, err := set.Issue(context.Background(), ca.Public, order)
	if err != nil {
		t.Fatal(err)
	}
	root, err := set.Root(context.Background(), ca.Public)
	if err != nil {
		t.Fatal(err)
	}
	f := bought(t, func(o *plan.Order) { *o = order })
	f.Chain = []*x509.Certificate{issued.Leaf, f.Chain[1]}
	if f.Chain[1], err = x509.ParseCertificate(issued.TLS.Certificate[1]); err != nil {
		t.Fatal(err)
	}
	f.Key = issued.TLS.PrivateKey.(crypto.Signer)
	b, err := lab.CheckCertificate(context.Background(), s, f, []*x509.Certificate{root}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Original || !b.Rooted || b.Result.Scenarios[0].Certificates[0].Serial != fmt.Sprintf("%x", issued.Leaf.SerialNumber) {
		t.Errorf("original %v, rooted %v, certificate %+v", b.Original, b.Rooted, b.Result.Scenarios[0].Certificates[0])
	}
	if len(b.Broken) != 4 { // both domains to AOL and to the strict XMPP partner
		t.Errorf("broken: %v", b.Broken)
	}
	// Nobody trusts it without its root, so the lab makes a twin, whose root is trusted.
	if b, err = lab.CheckCertificate(context.Background(), s, f, nil, opts); err != nil || b.Original {
		t.Errorf("without the root: original %v, %v", b.Original, err)
	}
	// A root that isn't its own is said to be the wrong one, and trusts nothing.
	other := ca.NewSet(ca.Options{Seed: 5, At: s.At})
	defer other.Close()
	wrong, err := other.Root(context.Background(), ca.Public)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = lab.CheckCertificate(context.Background(), s, f, []*x509.Certificate{wrong}, opts); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(b.Findings, func(f certfile.Finding) bool { return f.Rule == "root-mismatch" }) || len(b.Broken) < 10 {
		t.Errorf("with the wrong root: %v, %d legs broken", b.Findings, len(b.Broken))
	}
}
