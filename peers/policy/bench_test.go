package policy_test

import (
	"testing"

	"github.com/edgelab/edgelab/peers/policy"
)

// BenchmarkJudge judges a leaf and an intermediate, with signatures verified anew and with signatures remembered.
func BenchmarkJudge(b *testing.B) {
	for _, id := range []string{"openssl-3.0", "lync-2013", "xmpp-strict"} {
		h := build(b, nil)
		p := product(b, id)
		b.Run(id+"/anew", func(b *testing.B) {
			q := question(h, policy.Acceptor, "contoso.com")
			for b.Loop() {
				p.Judge(q)
			}
		})
		b.Run(id+"/remembered", func(b *testing.B) {
			q := question(h, policy.Acceptor, "contoso.com")
			q.Signatures = new(policy.Signatures)
			for b.Loop() {
				p.Judge(q)
			}
		})
	}
}
