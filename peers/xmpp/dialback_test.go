package xmpp_test

import (
	"context"
	"testing"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/xmpp"
)

// The example of XEP-0185 §3.
func TestDialbackKey(t *testing.T) {
	got := xmpp.DialbackKey("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F")
	if want := "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFallbackToDialback(t *testing.T) {
	w := newWorld(t)
	fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict-dialback", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	contoso := w.server("edge", "contoso.com", "xmpp-strict-dialback", w.ca.issue("contoso.com", serverAuth))
	w.listen(fabrikam, contoso)

	l := w.run(contoso, fabrikam)
	l.authenticated(verdict.MethodDialback, true)
	l.initiator.judged(t, verdict.OutcomeTrusted, verdict.Trusted)
	l.acceptor.judged(t, verdict.OutcomeFallback, verdict.ClientEKUMissing)
	if len(l.verification) != 1 {
		t.Fatalf("%d connections to verify the key, want 1", len(l.verification))
	}
	l.verification[0].one(t, verdict.KindHandshake)
	l.verification[0].judged(t, verdict.OutcomeTrusted, verdict.Trusted)
	l.verification[0].one(t, verdict.KindClosed)

	back := w.run(fabrikam, contoso)
	back.authenticated(verdict.MethodExternal, true)
}

func TestFallbackForTheAcceptorsName(t *testing.T) {
	w := newWorld(t)
	fabrikam := w.server("fabrikam", "fabrikam.com", "xmpp-strict-dialback", w.ca.issue("fabrikam.com", serverAuth, clientAuth))
	contoso := w.server("edge", "contoso.com", "xmpp-strict-dialback", w.ca.issue("sip.contoso.com", serverAuth, clientAuth))
	w.listen(fabrikam, contoso)
	l := w.run(fabrikam, contoso)
	l.authenticated(verdict.MethodDialback, true)
	l.initiator.judged(t, verdict.OutcomeFallback, verdict.NameMismatch)
	l.acceptor.judged(t, verdict.OutcomeTrusted, verdict.Trusted)
}

func TestPlaintextDialback(t *testing.T) {
	w := newWorld(t)
	google := w.server("google", "gmail.example", "google-talk", nil)
	edge := w.server("edge", "contoso.com", "lync-xmpp-2013", w.ca.issue("contoso.com", serverAuth))
	edge.allow(topology.Allowed{TLS: notSupported, SASL: notSupported, Dialback: true})
	w.listen(google, edge)
	for _, ends := range [][2]*server{{google, edge}, {edge, google}} {
		l := w.run(ends[0], ends[1])
		l.authenticated(verdict.MethodDialback, false)
		for _, side := range []events{l.initiator, l.acceptor, l.verification[0]} {
			side.none(t, verdict.KindHello, verdict.KindHandshake, verdict.KindJudged, verdict.KindTLSNotOffered)
		}
	}
}

// Somebody who takes fabrikam.com's name and has no key of its server's is found out by asking that server.
func TestForgedKey(t *testing.T) {
	w := newWorld(t)
	fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
	contoso := w.server("edge", "contoso.com", "google-talk", nil)
	w.listen(fabrikam, contoso)
	impostor := w.server("impostor", "impostor.example", "google-talk", nil)
	impostor.domain = "fabrikam.com"
	l := w.run(impostor, contoso)
	if used(t, l) != "" {
		t.Error("the impostor was let in")
	}
	r := l.acceptor.all(verdict.KindRefused)
	if len(r) != 1 || r[0].Code != verdict.ApplicationRefused {
		t.Errorf("refused %+v, want once", r)
	}
	l.initiator.one(t, verdict.KindRefused)
}

func TestVerificationFails(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*world, *server)
		want  verdict.Kind
	}{
		"no server": {func(w *world, s *server) { check(w.t, s.Close()) }, verdict.KindConnectFailed},
		"no record": {func(w *world, s *server) {
			w.zone.SetSRV("_xmpp-server._tcp." + s.domain)
			w.zone.SetA(s.domain)
		}, verdict.KindConnectFailed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
			contoso := w.server("edge", "contoso.com", "google-talk", nil)
			w.listen(fabrikam, contoso)
			tt.spoil(w, fabrikam)
			l := w.run(fabrikam, contoso)
			if used(t, l) != "" {
				t.Error("authenticated without a verified key")
			}
			l.verification[0].one(t, tt.want)
			l.initiator.one(t, verdict.KindRefused)
		})
	}
}

// A key is good for one stream, one pair of domains. Each row asks the authoritative server about a genuine key under
// other circumstances than those it was made for.
func TestKeyIsBoundToItsStream(t *testing.T) {
	const secret = "s3cr3t of fabrikam"
	key := xmpp.DialbackKey(secret, "contoso.com", "fabrikam.com", "stream-1")
	for name, tt := range map[string]struct{ from, to, id, key, want string }{
		"genuine":         {"contoso.com", "fabrikam.com", "stream-1", key, "valid"},
		"another stream":  {"contoso.com", "fabrikam.com", "stream-2", key, "invalid"},
		"another asker":   {"evil.example", "fabrikam.com", "stream-1", key, "invalid"},
		"another key":     {"contoso.com", "fabrikam.com", "stream-1", xmpp.DialbackKey("guess", "contoso.com", "fabrikam.com", "stream-1"), "invalid"},
		"other own name":  {"contoso.com", "child.fabrikam.com", "stream-1", key, "invalid"},
		"no key":          {"contoso.com", "fabrikam.com", "stream-1", "", "invalid"},
		"not served here": {"contoso.com", "northwind.example", "stream-1", key, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
			fabrikam.cfg.Domains = append(fabrikam.cfg.Domains, "child.fabrikam.com")
			w.listen(fabrikam)
			c := w.dial(t, fabrikam)
			c.open(tt.from, "fabrikam.com")
			c.send("<db:verify xmlns:db='jabber:server:dialback' from='%s' to='%s' id='%s'>%s</db:verify>", tt.from, tt.to, tt.id, tt.key)
			c.expect("<db:verify ", "type='"+tt.want+"'", "id='"+tt.id+"'", "from='"+tt.to+"'", "to='"+tt.from+"'")
			c.close()
		})
	}
}

// A genuine key of one domain can't vouch for a stream of another.
func TestKeyOfAnotherDomain(t *testing.T) {
	for name, pair := range map[string][2]string{
		"from another domain": {"northwind.example", "contoso.com"},
		"to another domain":   {"fabrikam.com", "child.contoso.com"},
		"to a foreign domain": {"fabrikam.com", "elsewhere.example"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			contoso := w.server("edge", "contoso.com", "google-talk", nil)
			contoso.cfg.Domains = append(contoso.cfg.Domains, "child.contoso.com")
			w.listen(contoso)
			c := w.dial(t, contoso)
			c.open("fabrikam.com", "contoso.com")
			c.send("<db:result xmlns:db='jabber:server:dialback' from='%s' to='%s'>key</db:result>", pair[0], pair[1])
			c.expect("<stream:error>")
			acceptor := c.close()
			acceptor.one(t, verdict.KindRefused)
			acceptor.none(t, verdict.KindAuthenticated)
		})
	}
}

// The answer to a verification counts for the very stream and domains that were asked about.
func TestAnswerOfAnotherStream(t *testing.T) {
	for name, answer := range map[string]string{
		"another id":     "<db:verify xmlns:db='jabber:server:dialback' from='fabrikam.com' to='contoso.com' id='other' type='valid'/>",
		"another domain": "<db:verify xmlns:db='jabber:server:dialback' from='northwind.example' to='contoso.com' id='%s' type='valid'/>",
		"another asker":  "<db:verify xmlns:db='jabber:server:dialback' from='fabrikam.com' to='northwind.example' id='%s' type='valid'/>",
		"no type":        "<db:verify xmlns:db='jabber:server:dialback' from='fabrikam.com' to='contoso.com' id='%s'/>",
		"a result":       "<db:result xmlns:db='jabber:server:dialback' from='fabrikam.com' to='contoso.com' id='%s' type='valid'/>",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			contoso := w.server("edge", "contoso.com", "google-talk", nil)
			fabrikam := w.server("fabrikam", "fabrikam.com", "google-talk", nil)
			w.listen(contoso)
			w.script(t, fabrikam, func(c *client) {
				c.expect("<stream:stream")
				c.send("%s<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>", streamHeader("fabrikam.com", "contoso.com", "verify-1"))
				question := c.expect("<db:verify ")
				c.sendf(answer, attribute(question, "id"))
				c.expect("<stream:error>")
			})
			l := w.run(fabrikam, contoso)
			if used(t, l) != "" {
				t.Error("authenticated by an answer to something else")
			}
		})
	}
}

func TestDialbackNeedsASecret(t *testing.T) {
	w := newWorld(t)
	contoso := w.server("edge", "contoso.com", "google-talk", nil)
	contoso.cfg.DialbackSecret = ""
	rec := verdict.NewRecord(verdict.Initiator, "edge", "", w.journal.Clock())
	err := xmpp.Connect(context.Background(), contoso.cfg, xmpp.Call{From: "contoso.com", To: "fabrikam.com", Record: rec})
	if err == nil {
		t.Fatal("connected without a secret to make keys from")
	}
	events(rec.Events()).one(t, verdict.KindHarness)
}
