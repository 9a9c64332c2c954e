package edge_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/edge"
	"github.com/edgelab/edgelab/peers/sip"
	"github.com/edgelab/edgelab/peers/sip/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A deployment is the source topic's: two SIP domains behind one Edge, whose certificates are the plan's.
type deployment struct {
	*siptest.World
	topology         topology.Topology
	public, internal *siptest.CA
	external, inside *peers.Host
	nextHop, user    *peers.Host
	partner          *peers.Host
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	w := siptest.New(t, "127.79.0.0")
	d := &deployment{World: w, public: siptest.NewCA(t, "Public Root"), internal: siptest.NewCA(t, "Internal Root")}
	d.topology = topology.Topology{
		Edge: topology.Edge{
			Layout: topology.SingleNAT, Product: "lync-2013", Access: "sip.contoso.com", WebConf: "webcon.contoso.com",
			Internal: "lsedge.contoso.net", NextHop: "pool.contoso.net",
		},
		SIPDomains: []string{"contoso.com", "fabrikam.com"},
		Partners:   []topology.Partner{{Name: "litware", Domain: "litware.com", Protocol: topology.SIP, Product: "lync-2013", Host: "sip.litware.com"}},
	}
	d.external = w.Host("edge", "sip.contoso.com", "lync-2013", d.public)
	d.external.Certificate = d.public.Issue(siptest.Leaf{
		CN: "sip.contoso.com", SAN: []string{"sip.contoso.com", "webcon.contoso.com", "sip.fabrikam.com"}, EKU: siptest.ServerEKU,
	})
	d.inside = w.Host("edge", "", "lync-frontend", d.internal)
	d.inside.FQDN = "lsedge.contoso.net"
	d.inside.Certificate = d.internal.Issue(siptest.Leaf{CN: "lsedge.contoso.net", SAN: []string{}, EKU: siptest.ServerEKU})
	d.nextHop = w.Host(topology.ActorNextHop, "pool.contoso.net", "lync-frontend", d.internal)
	d.nextHop.Certificate = d.internal.Issue(siptest.Leaf{CN: "pool.contoso.net", EKU: siptest.ServerEKU})
	d.user = w.Host(topology.ActorRemoteUser, "", "lync-client", d.public)
	d.partner = w.Host("litware", "sip.litware.com", "lync-2013", d.public)
	d.partner.Certificate = d.public.Issue(siptest.Leaf{CN: "sip.litware.com"})
	w.Zone.SetA("sip.fabrikam.com", w.Net.Address("edge"))
	w.Zone.SetA("webcon.contoso.com", w.Net.Address(edge.WebConfInterface))
	w.Zone.SetA("lsedge.contoso.net", w.Net.Address(edge.InternalInterface))
	w.SRV("contoso.com", "sip.contoso.com")
	w.SRV("fabrikam.com", "sip.fabrikam.com")
	w.SRV("litware.com", "sip.litware.com")
	return d
}

// start runs the Edge and the partner until the test ends.
func (d *deployment) start() *edge.Edge {
	d.T.Helper()
	e, err := edge.Start(d.T.Context(), edge.Config{Topology: d.topology, External: d.external, Internal: d.inside, NextHop: d.nextHop})
	if err != nil {
		d.T.Fatal(err)
	}
	p, err := sip.Listen(d.T.Context(), edge.Partner(d.topology, d.topology.Partners[0], d.partner), sip.FederationPort)
	if err != nil {
		d.T.Fatal(err)
	}
	d.T.Cleanup(func() {
		if err := e.Close(); err != nil {
			d.T.Error(err)
		}
		if err := p.Close(); err != nil {
			d.T.Error(err)
		}
	})
	return e
}

func want(t *testing.T, r siptest.Result, code verdict.Code) verdict.Verdict {
	t.Helper()
	e := verdict.Evidence{Events: slices.Concat(r.Initiator, r.Acceptor)}
	for _, ev := range r.Initiator {
		e.Conn = ev.Conn
	}
	v := verdict.Draw(e)
	if v.Code != code {
		t.Errorf("verdict %s (%s), want %s", v.Code, v.Reason, code)
		r.Dump(t)
	}
	return v
}

// Every leg of the source deployment works with the source's certificates: the external one with the server EKU alone,
// the internal one with a subject name and no SAN.
func TestDeployment(t *testing.T) {
	d := newDeployment(t)
	e := d.start()
	partner := edge.Partner(d.topology, d.topology.Partners[0], d.partner)
	for _, l := range []struct {
		name, actor string
		acceptor    string
		method      string
		play        func(context.Context, *verdict.Record) error
	}{
		{"edge/contoso.com -> litware", "edge", "litware", verdict.MethodCertificate, func(ctx context.Context, rec *verdict.Record) error {
			return e.CallPartner(ctx, "contoso.com", "litware.com", rec)
		}},
		{"edge/fabrikam.com -> litware", "edge", "litware", verdict.MethodCertificate, func(ctx context.Context, rec *verdict.Record) error {
			return e.CallPartner(ctx, "fabrikam.com", "litware.com", rec)
		}},
		{"litware -> edge/contoso.com", "litware", "edge", verdict.MethodCertificate, func(ctx context.Context, rec *verdict.Record) error {
			return sip.Call(ctx, partner, sip.Leg{From: "litware.com", To: "contoso.com", Record: rec})
		}},
		{"litware -> edge/fabrikam.com", "litware", "edge", verdict.MethodCertificate, func(ctx context.Context, rec *verdict.Record) error {
			return sip.Call(ctx, partner, sip.Leg{From: "litware.com", To: "fabrikam.com", Record: rec})
		}},
		{"remote-user -> edge/contoso.com", "remote-user", "edge", verdict.MethodServerTLS, func(ctx context.Context, rec *verdict.Record) error {
			return edge.SignIn(ctx, d.user, "contoso.com", rec)
		}},
		{"remote-user -> edge/fabrikam.com", "remote-user", "edge", verdict.MethodServerTLS, func(ctx context.Context, rec *verdict.Record) error {
			return edge.SignIn(ctx, d.user, "fabrikam.com", rec)
		}},
		{"remote-user -> webconf", "remote-user", "webconf", verdict.MethodServerTLS, func(ctx context.Context, rec *verdict.Record) error {
			return edge.Join(ctx, d.user, d.topology, rec)
		}},
		{"next-hop -> edge", "next-hop", "edge", verdict.MethodCertificate, func(ctx context.Context, rec *verdict.Record) error {
			return edge.CallInternal(ctx, d.nextHop, d.topology, "contoso.com", rec)
		}},
		{"edge -> next-hop", "edge", "next-hop", verdict.MethodCertificate, func(ctx context.Context, rec *verdict.Record) error {
			return e.CallNextHop(ctx, "contoso.com", rec)
		}},
		{"next-hop -> mras", "next-hop", "mras", verdict.MethodCertificate, func(ctx context.Context, rec *verdict.Record) error {
			return edge.Allocate(ctx, d.nextHop, d.topology, rec)
		}},
	} {
		t.Run(l.name, func(t *testing.T) {
			r := d.Run(l.actor, l.play)
			want(t, r, verdict.Trusted)
			if r.Err != nil {
				t.Error(r.Err)
			}
			for i, side := range [][]verdict.Event{r.Initiator, r.Acceptor} {
				if len(side) == 0 {
					t.Fatal("a side recorded nothing")
				}
				if host := []string{l.actor, l.acceptor}[i]; side[0].Host != host {
					t.Errorf("evidence of %s, want %s", side[0].Host, host)
				}
				a := siptest.All(side, verdict.KindAuthenticated)
				if len(a) != 1 || a[0].Method != l.method {
					t.Errorf("authenticated: %+v, want by %s", a, l.method)
				}
				if len(siptest.All(side, verdict.KindClosed)) != 1 {
					t.Errorf("not closed in order")
					r.Dump(t)
				}
			}
		})
	}
}

// MRAS is reached over mutual TLS with the internal certificate; its token, and nothing else, opens an allocation on
// the A/V Edge, which shows no certificate (statement S7 of the source topic).
func TestMRASAllocation(t *testing.T) {
	d := newDeployment(t)
	d.start()
	r := d.Run("next-hop", func(ctx context.Context, rec *verdict.Record) error {
		return edge.Allocate(ctx, d.nextHop, d.topology, rec)
	})
	want(t, r, verdict.Trusted)
	alloc := siptest.All(r.Initiator, verdict.KindRelayAllocation)
	if len(alloc) != 1 || !strings.Contains(alloc[0].Text, d.Net.Address(edge.AVInterface).String()) {
		t.Errorf("allocations: %+v", alloc)
	}
	seen := siptest.All(r.Initiator, verdict.KindCertSeen)
	if len(seen) != 1 || !strings.Contains(seen[0].Text, "CN=lsedge.contoso.net") {
		t.Errorf("certificates seen: %+v, want the internal one alone", seen)
	}
}

// With the external certificate on the internal interface neither MRAS nor the next hop can be reached.
func TestMRASWrongCertificate(t *testing.T) {
	d := newDeployment(t)
	d.inside.Certificate = d.external.Certificate
	d.nextHop.Roots = append(d.nextHop.Roots, d.public.Cert)
	d.start()
	r := d.Run("next-hop", func(ctx context.Context, rec *verdict.Record) error {
		return edge.Allocate(ctx, d.nextHop, d.topology, rec)
	})
	if v := want(t, r, verdict.NameMismatch); v.By != "next-hop" {
		t.Errorf("decided by %s", v.By)
	}
	if len(siptest.All(r.Initiator, verdict.KindRelayAllocation)) != 0 {
		t.Error("an allocation was opened")
	}
}

// Only the next hop gets a token.
func TestMRASStranger(t *testing.T) {
	d := newDeployment(t)
	d.start()
	d.nextHop.Certificate = d.internal.Issue(siptest.Leaf{CN: "stranger.contoso.net", EKU: siptest.ServerEKU})
	r := d.Run("next-hop", func(ctx context.Context, rec *verdict.Record) error {
		return edge.Allocate(ctx, d.nextHop, d.topology, rec)
	})
	if v := want(t, r, verdict.NameMismatch); v.By != "mras" {
		t.Errorf("decided by %s", v.By)
	}
}

// Each name on the external certificate has a leg that needs it.
func TestExternalNames(t *testing.T) {
	all := []string{"sip.contoso.com", "webcon.contoso.com", "sip.fabrikam.com"}
	for _, missing := range all[1:] {
		t.Run(missing, func(t *testing.T) {
			d := newDeployment(t)
			d.external.Certificate = d.public.Issue(siptest.Leaf{
				CN: "sip.contoso.com", EKU: siptest.ServerEKU,
				SAN: slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == missing }),
			})
			e := d.start()
			join := d.Run("remote-user", func(ctx context.Context, rec *verdict.Record) error { return edge.Join(ctx, d.user, d.topology, rec) })
			signIn := d.Run("remote-user", func(ctx context.Context, rec *verdict.Record) error {
				return edge.SignIn(ctx, d.user, "fabrikam.com", rec)
			})
			call := d.Run("edge", func(ctx context.Context, rec *verdict.Record) error {
				return e.CallPartner(ctx, "fabrikam.com", "litware.com", rec)
			})
			if missing == "webcon.contoso.com" {
				want(t, join, verdict.NameMismatch)
				want(t, signIn, verdict.Trusted)
				want(t, call, verdict.Trusted)
			} else {
				want(t, join, verdict.Trusted)
				want(t, signIn, verdict.NameMismatch)
				want(t, call, verdict.NameMismatch)
			}
		})
	}
}

// A remote user of a domain that isn't the deployment's is turned away.
func TestForeignUser(t *testing.T) {
	d := newDeployment(t)
	d.external.Certificate = d.public.Issue(siptest.Leaf{CN: "sip.contoso.com", SAN: []string{"sip.contoso.com", "sip.litware.com"}})
	d.start()
	d.Zone.SetA("sip.litware.com", d.Net.Address("edge"))
	r := d.Run("remote-user", func(ctx context.Context, rec *verdict.Record) error {
		return edge.SignIn(ctx, d.user, "litware.com", rec)
	})
	want(t, r, verdict.NotAllowed)
}
