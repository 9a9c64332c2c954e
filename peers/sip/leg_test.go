package sip_test

import (
	"context"
	"crypto/tls"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/sip"
	"github.com/edgelab/edgelab/peers/sip/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A federation is contoso.com's Edge and one partner, litware.com, whom it may call and be called by.
type federation struct {
	*siptest.World
	public, private *siptest.CA
	edge, partner   sip.Config
}

// newFederation makes both ends well, each with a certificate that names host, domain and both EKUs.
func newFederation(t testing.TB, partnerProduct string) *federation {
	t.Helper()
	w := siptest.New(t, "127.78.0.0")
	f := &federation{World: w, public: siptest.NewCA(t, "Public Root"), private: siptest.NewCA(t, "Litware Root")}
	edge := w.Host("edge", "sip.contoso.com", "lync-2013", f.public, f.private)
	edge.Certificate = f.public.Issue(siptest.Leaf{CN: "sip.contoso.com", SAN: []string{"sip.contoso.com", "contoso.com"}})
	f.edge = sip.Config{Host: edge, Domains: []string{"contoso.com"},
		Routing: sip.Routing{Partners: []sip.Partner{{Domain: "litware.com", Listing: topology.AllowedDomain}}}}
	partner := w.Host("litware", "sip.litware.com", partnerProduct, f.public, f.private)
	partner.Certificate = f.private.Issue(siptest.Leaf{CN: "sip.litware.com", SAN: []string{"sip.litware.com", "litware.com"}})
	f.partner = sip.Config{Host: partner, Domains: []string{"litware.com"},
		Routing: sip.Routing{Partners: []sip.Partner{{Domain: "contoso.com", Listing: topology.AllowedDomain}}}}
	w.SRV("contoso.com", "sip.contoso.com")
	w.SRV("litware.com", "sip.litware.com")
	return f
}

// call listens with one end and calls from the other.
func (f *federation) call(from, to sip.Config) siptest.Result {
	f.T.Helper()
	srv, err := sip.Listen(f.T.Context(), to, sip.FederationPort)
	if err != nil {
		f.T.Fatal(err)
	}
	defer func() {
		if err := srv.Close(); err != nil {
			f.T.Error(err)
		}
	}()
	return f.Run(from.Host.Actor, func(ctx context.Context, rec *verdict.Record) error {
		return sip.Call(ctx, from, sip.Leg{From: from.Domains[0], To: to.Domains[0], Record: rec})
	})
}

func (f *federation) fromEdge() siptest.Result { f.T.Helper(); return f.call(f.edge, f.partner) }
func (f *federation) toEdge() siptest.Result   { f.T.Helper(); return f.call(f.partner, f.edge) }

func draw(r siptest.Result) verdict.Verdict {
	e := verdict.Evidence{Events: slices.Concat(r.Initiator, r.Acceptor), OneSided: r.Acceptor == nil}
	for _, ev := range r.Initiator {
		e.Conn = ev.Conn
	}
	return verdict.Draw(e)
}

// want draws the verdict from the evidence and compares it.
func want(t *testing.T, r siptest.Result, code verdict.Code) verdict.Verdict {
	t.Helper()
	v := draw(r)
	if v.Code != code {
		t.Errorf("verdict %s (%s), want %s", v.Code, v.Reason, code)
		r.Dump(t)
	}
	if (r.Err == nil) != (code == verdict.Trusted || code == verdict.Unknown) {
		t.Errorf("verdict %s and error %v", code, r.Err)
	}
	return v
}

func TestFederationTrusted(t *testing.T) {
	for _, product := range []string{"lync-2013", "lync-2010", "ocs-2007r2", "sip-rfc5922"} {
		t.Run(product, func(t *testing.T) {
			f := newFederation(t, product)
			for name, r := range map[string]siptest.Result{"from the edge": f.fromEdge(), "to the edge": f.toEdge()} {
				t.Run(name, func(t *testing.T) {
					want(t, r, verdict.Trusted)
					for _, side := range [][]verdict.Event{r.Initiator, r.Acceptor} {
						if j := siptest.Judgement(t, side); j == nil || j.Outcome != verdict.OutcomeTrusted {
							t.Errorf("judgement %+v, want trusted", j)
						}
						auth := siptest.All(side, verdict.KindAuthenticated)
						if len(auth) != 1 || auth[0].Method != verdict.MethodCertificate || !auth[0].Encrypted {
							t.Errorf("authenticated: %+v", auth)
						}
						if n := len(siptest.All(side, verdict.KindExchanged)); n != 1 {
							t.Errorf("%d exchanges", n)
						}
						if n := len(siptest.All(side, verdict.KindClosed)); n != 1 {
							t.Errorf("%d times closed", n)
						}
					}
				})
			}
		})
	}
}

// AOL is told the Access Edge's name when it is provisioned, and wants the client EKU (statement S4 of the source topic).
func TestPublicIM(t *testing.T) {
	for name, tt := range map[string]struct {
		leaf     siptest.Leaf
		from, to verdict.Code
	}{
		"both EKUs":  {siptest.Leaf{CN: "sip.contoso.com"}, verdict.Trusted, verdict.Trusted},
		"server EKU": {siptest.Leaf{CN: "sip.contoso.com", EKU: siptest.ServerEKU}, verdict.ClientEKUMissing, verdict.Trusted},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFederation(t, "aol-pic")
			f.edge.Routing.Partners = []sip.Partner{{Domain: "litware.com", Listing: topology.PublicIM, Server: "sip.litware.com"}}
			f.partner.Routing.Partners = []sip.Partner{{Domain: "contoso.com", Listing: topology.AllowedServer, Server: "sip.contoso.com"}}
			f.edge.Host.Certificate = f.public.Issue(tt.leaf)
			want(t, f.fromEdge(), tt.from)
			want(t, f.toEdge(), tt.to)
		})
	}
}

// The same certificate, two legs, two verdicts. TLS 1.3 lets the initiator believe that all is well; its refusal must
// come with the first read all the same. The strict proxy speaks both versions.
func TestRefusalInBothVersions(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			f := newFederation(t, "sip-rfc5922")
			if version == tls.VersionTLS13 {
				f.edge.Host.Product = f.partner.Host.Product // a Lync Edge ends at TLS 1.2
			}
			f.edge.Host.Certificate = f.public.Issue(siptest.Leaf{CN: "contoso.com", EKU: siptest.ServerEKU})
			r := f.fromEdge()
			v := want(t, r, verdict.ClientEKUMissing)
			if v.By != "litware" {
				t.Errorf("decided by %s, want the acceptor", v.By)
			}
			alerts := siptest.All(r.Initiator, verdict.KindAlertReceived)
			if len(alerts) != 1 || alerts[0].Alert == 0 || alerts[0].Alert != siptest.Judgement(t, r.Acceptor).Alert {
				t.Errorf("the initiator read %+v", alerts)
			}
			if len(siptest.All(r.Initiator, verdict.KindTimeout)) != 0 {
				t.Error("the refusal was taken for a time-out")
			}
			hello := siptest.All(r.Initiator, verdict.KindHandshake)
			if (version == tls.VersionTLS13) != (len(hello) == 1) {
				t.Errorf("handshakes that the initiator saw end: %+v", hello)
			}
		})
	}
}

func TestServerEKUMissing(t *testing.T) {
	f := newFederation(t, "lync-2013")
	f.edge.Host.Certificate = f.public.Issue(siptest.Leaf{CN: "sip.contoso.com", EKU: siptest.ClientEKU})
	want(t, f.toEdge(), verdict.ServerEKUMissing)
	want(t, f.fromEdge(), verdict.Unknown) // no page says what Lync does about a connecting certificate without serverAuth
}

func TestNames(t *testing.T) {
	f := newFederation(t, "lync-2013")
	f.edge.Host.Certificate = f.public.Issue(siptest.Leaf{CN: "access.contoso.com"})

	t.Run("outgoing", func(t *testing.T) {
		r := f.toEdge()
		want(t, r, verdict.NameMismatch)
		refused := siptest.All(r.Initiator, verdict.KindRefused)
		if len(refused) != 1 || refused[0].Code != verdict.NameMismatch {
			t.Errorf("refusals: %+v", refused)
		}
		if len(siptest.All(r.Initiator, verdict.KindSIPSent)) != 0 {
			t.Error("a request went to a server that isn't trusted")
		}
		if !mentions(r.Initiator, "1010;reason=") {
			t.Error("ms-diagnostics 1010 isn't in the evidence")
			r.Dump(t)
		}
	})
	t.Run("incoming", func(t *testing.T) {
		r := f.fromEdge()
		want(t, r, verdict.NameMismatch)
		sent := siptest.All(r.Acceptor, verdict.KindRefused)
		if len(sent) != 1 || sent[0].Status != 504 || sent[0].Code != verdict.NameMismatch {
			t.Errorf("refusals: %+v", sent)
		}
		if !mentions(sent, "0xc3e93d67") {
			t.Error("the Edge's own trace isn't in the evidence")
		}
		got := siptest.All(r.Initiator, verdict.KindRefused)
		if len(got) != 1 || got[0].Status != 504 || mentions(got, "ms-diagnostics") {
			t.Errorf("the initiator got %+v, want a bare 504", got)
		}
	})
}

func TestStrictProxyAnswers403(t *testing.T) {
	f := newFederation(t, "sip-rfc5922")
	f.edge.Host.Certificate = f.public.Issue(siptest.Leaf{CN: "sip.contoso.com"}) // the bare domain is missing
	r := f.fromEdge()
	want(t, r, verdict.NameMismatch)
	if got := siptest.All(r.Initiator, verdict.KindRefused); len(got) != 1 || got[0].Status != 403 {
		t.Errorf("refusals: %+v", got)
	}
}

// The Access Edge's rules about partner domains, in both directions.
func TestDomainRules(t *testing.T) {
	for _, tt := range []struct {
		name    string
		set     func(f *federation)
		from    verdict.Code
		diag    string // that its own side is told
		to      verdict.Code
		trace   string
		listing string // the check that is listed, and failed
	}{
		{
			name: "SRV of another domain", from: verdict.SRVMismatch, diag: "1009;reason=", to: verdict.SRVMismatch, trace: "0xc3e93d6f", listing: "access-edge/srv",
			set: func(f *federation) { f.SRV("litware.com", "sip.contoso.com") },
		},
		{
			name: "SRV in a sub-domain", from: verdict.SRVMismatch, diag: "1009;reason=", to: verdict.SRVMismatch, trace: "0xc3e93d6f", listing: "access-edge/srv",
			set: func(f *federation) { f.SRV("litware.com", "sip.eu.litware.com") },
		},
		{
			name: "no SRV", from: verdict.SRVMissing, diag: "1008;reason=", to: verdict.SRVMissing, trace: "0xc3e93d6f", listing: "access-edge/srv",
			set: func(f *federation) { f.Zone.SetSRV("_sipfederationtls._tcp.litware.com") },
		},
		{
			name: "on no list", from: verdict.NotAllowed, diag: "1027;reason=", to: verdict.NotAllowed, listing: "access-edge/allowed",
			set: func(f *federation) { f.edge.Routing.Partners = nil },
		},
		{
			name: "decidedly on no list", from: verdict.NotAllowed, diag: "1027;reason=", to: verdict.NotAllowed, listing: "access-edge/allowed",
			set: func(f *federation) {
				f.edge.Routing.Partners[0].Listing = topology.NotListed
				f.edge.Routing.Discovery = true
			},
		},
		{
			name: "discovered", from: verdict.Trusted, to: verdict.Trusted,
			set: func(f *federation) { f.edge.Routing.Partners, f.edge.Routing.Discovery = nil, true },
		},
		{
			name: "allowed server, no SRV", from: verdict.Trusted, to: verdict.Trusted,
			set: func(f *federation) {
				f.Zone.SetSRV("_sipfederationtls._tcp.litware.com")
				f.edge.Routing.Partners[0] = sip.Partner{Domain: "litware.com", Listing: topology.AllowedServer, Server: "sip.litware.com"}
			},
		},
		{
			name: "another server than the allowed one", from: verdict.NoAnswer, to: verdict.NameMismatch, trace: "0xc3e93d67",
			set: func(f *federation) {
				f.edge.Routing.Partners[0] = sip.Partner{Domain: "litware.com", Listing: topology.AllowedServer, Server: "edge.litware.com"}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFederation(t, "lync-2013")
			tt.set(f)
			out := f.fromEdge()
			want(t, out, tt.from)
			if tt.diag != "" && !mentions(out.Initiator, tt.diag) {
				t.Errorf("ms-diagnostics %s isn't in the evidence", tt.diag)
				out.Dump(t)
			}
			in := f.toEdge()
			want(t, in, tt.to)
			if tt.to != verdict.Trusted {
				got := siptest.All(in.Initiator, verdict.KindRefused)
				if len(got) != 1 || got[0].Status != 504 || mentions(got, "ms-diagnostics") {
					t.Errorf("the partner got %+v, want a bare 504", got)
				}
			}
			if tt.trace != "" && !mentions(in.Acceptor, tt.trace) {
				t.Errorf("%s isn't in the evidence", tt.trace)
			}
			if tt.listing != "" {
				for _, j := range []*verdict.Judgement{siptest.Judgement(t, out.Initiator), siptest.Judgement(t, in.Acceptor)} {
					if j == nil || len(j.Failed()) == 0 || j.Failed()[0].RuleID != tt.listing || !j.Failed()[0].First || j.Failed()[0].Source.Ref == "" {
						t.Errorf("judgement %+v, want %s reported first", j, tt.listing)
					}
				}
			}
		})
	}
}

func TestNoClientCertificate(t *testing.T) {
	for name, set := range map[string]func(h *peers.Host){
		"it has none": func(h *peers.Host) { h.Certificate = nil },
		"withheld":    func(h *peers.Host) { h.Withhold = true },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFederation(t, "lync-2013")
			set(f.edge.Host)
			r := f.fromEdge()
			want(t, r, verdict.NoClientCert)
			if len(siptest.All(r.Initiator, verdict.KindCertWithheld)) != 1 {
				t.Error("that the certificate was withheld isn't in the evidence")
			}
			if len(siptest.All(r.Acceptor, verdict.KindNoCertSeen)) != 1 {
				t.Error("that none was seen isn't in the evidence")
			}
		})
	}
}

// As packaged, Kamailio asks nobody for a certificate: the leg works, and only one end was authenticated.
func TestServerOnlyPartner(t *testing.T) {
	f := newFederation(t, "kamailio-5.6")
	f.partner.Routing.Discovery = true
	r := f.fromEdge()
	want(t, r, verdict.Trusted)
	for _, side := range [][]verdict.Event{r.Initiator, r.Acceptor} {
		if a := siptest.All(side, verdict.KindAuthenticated); len(a) != 1 || a[0].Method != verdict.MethodServerTLS {
			t.Errorf("authenticated: %+v", a)
		}
	}
	if siptest.Judgement(t, r.Acceptor) != nil {
		t.Error("an acceptor that asks for no certificate judged one")
	}
}

func mentions(events []verdict.Event, text string) bool {
	return slices.ContainsFunc(events, func(e verdict.Event) bool { return contains(e, text) })
}
