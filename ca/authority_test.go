package ca

import (
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/plan"
)

// TestAuthorityHasTheLastWord shows that what goes through an Authority is judged by it: a name outside its
// intermediate's name constraints is refused even if no rule of ours had kept it away.
func TestAuthorityHasTheLastWord(t *testing.T) {
	s := NewSet(Options{})
	defer s.Close()
	kind := intermediateKind{Permitted: []string{"contoso.com"}}
	i, err := s.intermediate(t.Context(), Internal, kind)
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.keys.get(t.Context(), "ecdsa-p256", forEnds, Internal)
	if err != nil {
		t.Fatal(err)
	}
	for name, allowed := range map[string]bool{"sip.contoso.com": true, "*.contoso.com": true, "sip.fabrikam.com": false} {
		o := plan.Order{
			SANs: []plan.Name{{Kind: plan.DNSName, Value: name}}, Hash: hashDefault,
			NotBefore: caNotBefore, NotAfter: caNotAfter,
		}
		tmpl, err := template(o, serialNumber(1, name), "", k.signer.Public(), i.signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		cert, err := i.issue(t.Context(), tmpl, o.SANs, k.request)
		switch {
		case allowed && err != nil:
			t.Errorf("%s: %v", name, err)
		case allowed && cert.SerialNumber.Cmp(tmpl.SerialNumber.Int) != 0:
			t.Errorf("%s: serial number %s, want %s", name, cert.SerialNumber, tmpl.SerialNumber.Int)
		case !allowed && (err == nil || !strings.Contains(err.Error(), "not permitted")):
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

// TestAuthorityKnowsWhatIsRevoked shows that a revocation is the Authority's own, and once for each certificate.
func TestAuthorityKnowsWhatIsRevoked(t *testing.T) {
	s := NewSet(Options{})
	defer s.Close()
	issued, err := s.Issue(t.Context(), Internal, plan.Order{
		Subject: "lsedge.contoso.net", Key: "ecdsa-p256", Revoked: true, NotBefore: caNotBefore, NotAfter: caNotAfter,
	})
	if err != nil {
		t.Fatal(err)
	}
	i, err := s.intermediate(t.Context(), Internal, intermediateKind{})
	if err != nil {
		t.Fatal(err)
	}
	if revoked, err := i.authority.IsRevoked(issued.Leaf.SerialNumber.String()); err != nil || !revoked {
		t.Errorf("the Authority says revoked: %v, %v", revoked, err)
	}
	if err := i.revoke(t.Context(), issued.Leaf); err == nil || !strings.Contains(err.Error(), "already revoked") {
		t.Errorf("revoked again: %v", err)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"rsa2048", "rsa-2048", 1}, {"KITTEN", "sitting", 3}, {strings.Repeat("a", 1<<20), "a", 63}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%.20q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
