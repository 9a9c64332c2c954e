package scenarios_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/scenarios"
)

// products are the policies that catalogue scenarios may name.
var products = []string{
	"lync-2013", "lync-2010", "ocs-2007r2", "sip-rfc5922", "aol-pic", "msn-pic", "yahoo-pic", "xmpp-strict",
	"xmpp-strict-dialback", "google-talk", "prosody-0.12", "kamailio-5.6", "lync-client", "lync-frontend", "openssl-3.0", "openssl-3.5", "java-17", "java-21", "erlang-25", "ejabberd-24", "openfire", "asterisk-22",
}

func catalogue(t *testing.T) []scenarios.Scenario {
	t.Helper()
	all, err := scenarios.Catalogue(scenarios.Options{Products: products})
	if err != nil {
		t.Fatalf("the catalogue doesn't load:\n%v", err)
	}
	return all
}

func TestCatalogue(t *testing.T) {
	proven := map[string][]string{}
	codes := map[verdict.Code]bool{}
	for _, s := range catalogue(t) {
		if s.Title == "" || !strings.HasSuffix(s.Teaches, ".") {
			t.Errorf("%s: wants a title, and a sentence on what it teaches", s.Name)
		}
		for _, id := range s.Proves {
			proven[id] = append(proven[id], s.Name)
		}
		for _, leg := range topology.Legs(s.Topology) {
			e, _ := s.Expected(leg)
			codes[e.Code] = true
		}
		for _, key := range s.CertificateKeys() {
			if _, err := s.Order(key); err != nil {
				t.Errorf("%s: %s: %v", s.Name, key, err)
			}
		}
	}
	for _, id := range scenarios.Statements() {
		if len(proven[id]) == 0 {
			t.Errorf("no scenario proves %s", id)
		}
	}
	for _, code := range []verdict.Code{
		verdict.Trusted, verdict.ClientEKUMissing, verdict.ServerEKUMissing, verdict.NameMismatch, verdict.SubjectNotInSAN,
		verdict.WildcardRefused, verdict.ChainIncomplete, verdict.UntrustedRoot, verdict.Expired, verdict.NotYetValid,
		verdict.Revoked, verdict.WeakKey, verdict.WeakSignature, verdict.NoClientCert, verdict.IntermediateEKU,
		verdict.SRVMismatch, verdict.NotAllowed, verdict.FallbackDialback, verdict.PlaintextDialback, verdict.TLSRefused, verdict.NoAnswer,
	} {
		if !codes[code] {
			t.Errorf("no scenario expects %s", code)
		}
	}
}

var dateLike = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// TestCatalogueTwins sees that what builds on a known-good scenario differs from it, and that a scenario that is named
// as a twin exists.
func TestCatalogueTwins(t *testing.T) {
	names := scenarios.Names()
	for _, s := range catalogue(t) {
		for _, word := range strings.FieldsFunc(s.Teaches, func(r rune) bool { return r == ' ' || r == '.' || r == ',' || r == ':' || r == ';' }) {
			if strings.Count(word, "-") >= 2 && !dateLike.MatchString(word) && !slices.Contains(names, word) {
				t.Errorf("%s speaks of %q, which isn't there", s.Name, word)
			}
		}
	}
}

// TestExpected checks single legs against what the domain's documents say, leg by leg.
func TestExpected(t *testing.T) {
	for _, test := range []struct {
		scenario, leg string
		want          verdict.Code
	}{
		{"public-im-aol-no-client-eku", "edge/contoso.com -> aol", verdict.ClientEKUMissing},
		{"public-im-aol-no-client-eku", "aol -> edge/contoso.com", verdict.Trusted},
		{"public-im-aol-no-client-eku", "edge/fabrikam.com -> litware", verdict.Trusted},
		{"xmpp-domain-missing", "edge/fabrikam.com -> northwind", verdict.NameMismatch},
		{"xmpp-domain-missing", "northwind -> edge/contoso.com", verdict.Trusted},
		{"second-domain-missing", "remote-user -> edge/fabrikam.com", verdict.NameMismatch},
		{"second-domain-srv", "remote-user -> edge/fabrikam.com", verdict.Trusted},
		{"second-domain-srv-pinned", "litware -> edge/fabrikam.com", verdict.Trusted},
		{"untrusted-root", "next-hop -> mras", verdict.Trusted},
		{"untrusted-root", "edge -> next-hop", verdict.Trusted},
		{"untrusted-root", "litware -> edge/contoso.com", verdict.UntrustedRoot},
		{"google-talk-without-san", "gtalk -> edge/contoso.com", verdict.PlaintextDialback},
		{"expiry-day-before", "litware -> edge/contoso.com", verdict.Trusted},
		{"expiry-day-after", "remote-user -> webconf", verdict.Expired},
		{"client-eku-alone", "edge/contoso.com -> northwind", verdict.Trusted},
	} {
		s, err := scenarios.LoadCatalogue(test.scenario, scenarios.Options{Products: products})
		if err != nil {
			t.Fatal(err)
		}
		legs, err := topology.Match(test.leg, topology.Legs(s.Topology))
		if err != nil || len(legs) != 1 {
			t.Errorf("%s: %s: %d legs, %v", test.scenario, test.leg, len(legs), err)
			continue
		}
		if e, _ := s.Expected(legs[0]); e.Code != test.want {
			t.Errorf("%s: %s is expected %s, want %s", test.scenario, test.leg, e.Code, test.want)
		}
	}
}
