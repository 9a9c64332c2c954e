package policy_test

import (
	"crypto/x509"
	"encoding/asn1"
	"math/rand/v2"
	"testing"
	"time"
)

// A presentation is what is put to a judge: made by combining faults at random.
type presentation struct {
	chain, roots []*x509.Certificate
	name         string
	faults       []string
}

// A fault spoils something about the specs of a hierarchy, or about what of it is shown and trusted.
type fault struct {
	name string
	spec func(r *rand.Rand, d *draft)
}

// A draft is a hierarchy before it is made.
type draft struct {
	leaf, inter, upper, root spec
	twoLevels                bool
	selfSigned               bool
	byRoot                   bool
	crossRoot                bool // another root that issued the same intermediate
	show                     func(leaf, inter, upper, root *x509.Certificate, other []*x509.Certificate) []*x509.Certificate
	trust                    func(leaf, inter, upper, root *x509.Certificate, other []*x509.Certificate) []*x509.Certificate
	name                     string
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func somewhere(r *rand.Rand, d *draft) *spec { return pick(r, &d.leaf, &d.inter, &d.upper, &d.root) }

var (
	emailOnly = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	sgc       = []x509.ExtKeyUsage{x509.ExtKeyUsageNetscapeServerGatedCrypto}
	anyServer = []x509.ExtKeyUsage{x509.ExtKeyUsageAny, x509.ExtKeyUsageServerAuth}
)

func ekus(r *rand.Rand) []x509.ExtKeyUsage {
	return pick(r, nil, serverOnly, clientOnly, both, anyUsage, emailOnly, sgc, anyServer)
}

type certs = []*x509.Certificate

// faults are what a draft can have wrong, or merely unusual.
func faults() []fault {
	const day = 24 * time.Hour
	sip := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}
	return []fault{
		{"leaf EKU", func(r *rand.Rand, d *draft) { d.leaf.eku = ekus(r) }},
		{"leaf EKU sipDomain", func(r *rand.Rand, d *draft) {
			d.leaf.eku, d.leaf.ekuOIDs = pick(r, nil, serverOnly, both), []asn1.ObjectIdentifier{sip}
		}},
		{"CA EKU", func(r *rand.Rand, d *draft) { pick(r, &d.inter, &d.upper, &d.root).eku = ekus(r) }},
		{"leaf keyUsage", func(r *rand.Rand, d *draft) {
			d.leaf.ku = pick(r, x509.KeyUsageKeyEncipherment, x509.KeyUsageKeyAgreement, x509.KeyUsageCertSign, x509.KeyUsageCRLSign,
				x509.KeyUsageContentCommitment, x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment, x509.KeyUsageDataEncipherment)
		}},
		{"no keyUsage", func(r *rand.Rand, d *draft) { somewhere(r, d).noKU = true }},
		{"CA keyUsage", func(r *rand.Rand, d *draft) {
			pick(r, &d.inter, &d.upper, &d.root).ku = pick(r, x509.KeyUsageDigitalSignature, x509.KeyUsageCRLSign, x509.KeyUsageCertSign)
		}},
		{"no basicConstraints", func(r *rand.Rand, d *draft) { somewhere(r, d).noBC = true }},
		{"CA:FALSE", func(r *rand.Rand, d *draft) { pick(r, &d.inter, &d.upper, &d.root).ca = false }},
		{"leaf CA", func(_ *rand.Rand, d *draft) { d.leaf.ca = true }},
		{"path length", func(r *rand.Rand, d *draft) { pick(r, &d.inter, &d.upper, &d.root).pathLen = pick(r, -1, 1) }},
		{"two intermediates", func(_ *rand.Rand, d *draft) { d.twoLevels = true }},
		{"by root", func(_ *rand.Rand, d *draft) { d.byRoot = true }},
		{"critical extension", func(r *rand.Rand, d *draft) { somewhere(r, d).critical = true }},
		{"expired", func(r *rand.Rand, d *draft) {
			s := somewhere(r, d)
			s.notBefore, s.notAfter = now.Add(-90*day), now.Add(-day)
		}},
		{"not yet valid", func(r *rand.Rand, d *draft) {
			s := somewhere(r, d)
			s.notBefore, s.notAfter = now.Add(day), now.Add(90*day)
		}},
		{"key", func(r *rand.Rand, d *draft) {
			somewhere(r, d).key = pick(r, "rsa1024", "rsa2048", "p384", "p521", "ed25519", "p224")
		}},
		{"SHA-1", func(r *rand.Rand, d *draft) {
			d.inter.key, d.upper.key, d.root.key = "rsa2048", "rsa2048", "rsa2048"
			somewhere(r, d).sig = x509.SHA1WithRSA
			d.leaf.key = "rsa2048"
		}},
		{"PSS", func(r *rand.Rand, d *draft) {
			d.inter.key, d.upper.key, d.root.key, d.leaf.key = "rsa2048", "rsa2048", "rsa2048", "rsa2048"
			somewhere(r, d).sig = x509.SHA256WithRSAPSS
		}},
		{"permitted names", func(r *rand.Rand, d *draft) {
			pick(r, &d.inter, &d.upper, &d.root).permitted = pick(r, []string{"contoso.com"}, []string{"fabrikam.com"}, []string{"sip.contoso.com", "com"})
		}},
		{"excluded names", func(r *rand.Rand, d *draft) {
			pick(r, &d.inter, &d.upper, &d.root).excluded = pick(r, []string{"contoso.com"}, []string{"fabrikam.com"}, []string{"a.sip.contoso.com"})
		}},
		{"no SAN", func(_ *rand.Rand, d *draft) { d.leaf.dns = nil }},
		{"other SAN", func(r *rand.Rand, d *draft) {
			d.leaf.dns = nil
			switch r.IntN(5) {
			case 0:
				d.leaf.uris = []string{"sip:contoso.com"}
			case 1:
				d.leaf.ips = []string{"192.0.2.1"}
			case 2:
				d.leaf.email = []string{"a@contoso.com"}
			case 3:
				d.leaf.xmpp = []string{"sip.contoso.com"}
			case 4:
				d.leaf.srv = []string{"_xmpp-server.sip.contoso.com"}
			}
		}},
		{"names", func(r *rand.Rand, d *draft) {
			d.leaf.dns = pick(r, []string{"*.contoso.com"}, []string{"s*.contoso.com"}, []string{"*p.contoso.com"}, []string{"s*p.contoso.com"},
				[]string{"*.com"}, []string{"sip.*.com"}, []string{"*.*.com"}, []string{"SIP.Contoso.COM"}, []string{"sip.contoso.com."},
				[]string{"contoso.com"}, []string{"a.sip.contoso.com"}, []string{"*.sip.contoso.com"}, []string{"x.example", "sip.contoso.com"},
				[]string{"xn--bcher-kva.contoso.com"}, []string{"*"}, []string{"xn--*.contoso.com"}, []string{"**.contoso.com"}, []string{".contoso.com"})
		}},
		{"common name", func(r *rand.Rand, d *draft) {
			d.leaf.cn = pick(r, "contoso.com", "*.contoso.com", "SIP.contoso.com", "Contoso Ltd", "s*.contoso.com", "*.com", "sip.contoso.com.")
			if r.IntN(2) == 0 {
				d.leaf.dns = nil
			}
		}},
		{"several common names", func(r *rand.Rand, d *draft) {
			d.leaf.names, d.leaf.dns = pick(r, []string{"x.example"}, []string{"sip.contoso.com"}), nil
			if r.IntN(2) == 0 {
				d.leaf.cn = "other.example"
			}
		}},
		{"sought", func(r *rand.Rand, d *draft) {
			d.name = pick(r, "SIP.CONTOSO.com", "contoso.com", "sip.contoso.com.", "a.b.contoso.com", "xn--bcher-kva.contoso.com", "sip", "com")
		}},
		{"no key identifiers", func(r *rand.Rand, d *draft) { pick(r, &d.leaf, &d.inter).noIDs = true }},
		{"issuer in capitals", func(r *rand.Rand, d *draft) { pick(r, &d.leaf, &d.inter).shout = true }},
		{"shown", func(r *rand.Rand, d *draft) {
			d.show = pick(r,
				func(l, _, _, _ *x509.Certificate, _ certs) certs { return certs{l} },
				func(l, i, u, root *x509.Certificate, _ certs) certs { return certs{l, i, u, root} },
				func(l, i, u, root *x509.Certificate, _ certs) certs { return certs{l, root, u, i} },
				func(l, i, u, _ *x509.Certificate, o certs) certs { return append(certs{l, i, u}, o...) },
				func(l, i, u, _ *x509.Certificate, o certs) certs { return append(append(certs{l}, o...), u, i) },
				func(l, i, u, _ *x509.Certificate, _ certs) certs { return certs{l, i, i, l, u} },
				func(l, i, _, _ *x509.Certificate, _ certs) certs { return certs{l, i} },
				func(l, _, u, root *x509.Certificate, _ certs) certs { return certs{l, u, root} },
			)
		}},
		{"trusted", func(r *rand.Rand, d *draft) {
			d.trust = pick(r,
				func(_, i, _, _ *x509.Certificate, _ certs) certs { return certs{i} },
				func(_, i, u, root *x509.Certificate, _ certs) certs { return certs{i, u, root} },
				func(l, _, _, _ *x509.Certificate, _ certs) certs { return certs{l} },
				func(l, _, _, root *x509.Certificate, _ certs) certs { return certs{root, l} },
				func(_, _, u, _ *x509.Certificate, _ certs) certs { return certs{u} },
				func(_, _, _, _ *x509.Certificate, o certs) certs { return o },
				func(_, _, _, root *x509.Certificate, o certs) certs { return append(certs{root}, o...) },
				func(_, _, _, root *x509.Certificate, o certs) certs { return append(append(certs{}, o...), root) },
			)
		}},
		{"self-signed", func(r *rand.Rand, d *draft) {
			d.selfSigned = true
			if r.IntN(3) > 0 {
				d.trust = func(l, _, _, _ *x509.Certificate, _ certs) certs { return certs{l} }
			}
		}},
		{"cross-signed", func(_ *rand.Rand, d *draft) { d.crossRoot = true }},
	}
}

// sample makes a presentation with up to four faults. The same seed gives the same faults; keys differ.
func sample(t testing.TB, seed uint64) presentation {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	d := draft{
		leaf: spec{cn: "sip.contoso.com", dns: []string{"sip.contoso.com", "contoso.com"}, eku: both},
		name: "sip.contoso.com",
	}
	d.inter, d.upper, d.root = spec{cn: "Intermediate CA", ca: true}, spec{cn: "Upper CA", ca: true}, spec{cn: "Root CA", ca: true}
	var p presentation
	all := faults()
	for range r.IntN(5) {
		f := all[r.IntN(len(all))]
		f.spec(r, &d)
		p.faults = append(p.faults, f.name)
	}
	settle(&d)
	root := issue(t, d.root, nil)
	upper, interIssuer := root, root
	if d.twoLevels {
		upper = issue(t, d.upper, root)
		interIssuer = upper
	}
	inter := issue(t, d.inter, interIssuer)
	leafIssuer := inter
	if d.byRoot {
		leafIssuer, inter, upper = root, root, root
	}
	if d.selfSigned {
		leafIssuer = nil
	}
	leaf := issue(t, d.leaf, leafIssuer)
	stranger := issue(t, spec{cn: "Stranger CA", ca: true}, nil)
	others := certs{stranger.cert}
	if d.crossRoot {
		second := issue(t, spec{cn: "Second Root CA", ca: true}, nil)
		crossed := d.inter
		crossed.notBefore, crossed.notAfter = time.Time{}, time.Time{}
		others = certs{second.cert, issue(t, crossed, second).cert}
	}
	p.name = d.name
	show := d.show
	if show == nil {
		show = func(l, i, u, _ *x509.Certificate, _ certs) certs { return certs{l, i, u} }
	}
	trust := d.trust
	if trust == nil {
		trust = func(_, _, _, root *x509.Certificate, _ certs) certs { return certs{root} }
	}
	p.chain = show(leaf.cert, inter.cert, upper.cert, root.cert, others)
	if d.selfSigned {
		p.chain = p.chain[:1]
	} else if d.show == nil && (d.byRoot || !d.twoLevels) {
		p.chain = p.chain[:2]
		if d.byRoot {
			p.chain = p.chain[:1]
		}
	}
	p.roots = trust(leaf.cert, inter.cert, upper.cert, root.cert, others)
	return p
}

// settle makes signature algorithms fit the keys that will sign.
func settle(d *draft) {
	isRSA := func(s *spec) bool { return s.key == "rsa1024" || s.key == "rsa2048" }
	issuerOf := map[*spec]*spec{&d.leaf: &d.inter, &d.inter: &d.root, &d.upper: &d.root, &d.root: &d.root}
	if d.twoLevels {
		issuerOf[&d.inter] = &d.upper
	}
	if d.byRoot {
		issuerOf[&d.leaf] = &d.root
	}
	if d.selfSigned {
		issuerOf[&d.leaf] = &d.leaf
	}
	for s, issuer := range issuerOf {
		if s.sig != 0 && !isRSA(issuer) {
			s.sig = 0
		}
	}
	for _, s := range []*spec{&d.leaf, &d.inter, &d.upper, &d.root} {
		if s.noBC || !s.ca {
			s.pathLen = 0
		}
	}
	if d.crossRoot {
		d.inter.sig = 0
	}
}
