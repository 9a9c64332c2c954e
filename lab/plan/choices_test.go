package plan_test

import (
	"slices"
	"testing"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
)

// The stand-alone topics' tables, names in their order: "Certificate summary - XMPP federation" (2012-12-23), "Certificate
// summary - Public instant messaging connectivity" (2013-02-19), and the current Skype for Business Server topic "Edge
// Server environmental requirements" are covered by the recipes.
func TestRecipes(t *testing.T) {
	base := topology.Topology{
		Edge:       topology.Edge{Access: "sip.contoso.com", WebConf: "webcon.contoso.com", Internal: "lsedge.contoso.net", AV: "av.contoso.com"},
		SIPDomains: []string{"contoso.com", "fabrikam.com"}, XMPPDomains: []string{"contoso.com"},
	}
	for name, test := range map[string]struct {
		choices map[string]string
		want    []string
	}{
		"default": {nil, []string{"webcon.contoso.com", "sip.contoso.com", "sip.fabrikam.com", "contoso.com"}},
		"host and wildcard": {map[string]string{topology.XMPPNames: topology.HostAndWildcard},
			[]string{"webcon.contoso.com", "sip.contoso.com", "sip.fabrikam.com", "xmpp.contoso.com", "*.contoso.com"}},
		"wildcard alone": {map[string]string{topology.XMPPNames: topology.WildcardAlone},
			[]string{"webcon.contoso.com", "sip.contoso.com", "sip.fabrikam.com", "*.contoso.com"}},
		"the A/V Edge too": {map[string]string{topology.AVName: topology.Included},
			[]string{"webcon.contoso.com", "sip.contoso.com", "sip.fabrikam.com", "contoso.com", "av.contoso.com"}},
	} {
		top := base
		top.Choices = test.choices
		top = topology.WithDefaults(top)
		if got := labelValues(certificate(t, top, plan.External)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
		for _, c := range plan.For(top).Choices {
			if want, ok := test.choices[c.Key]; ok && c.Taken != want || !ok && c.Taken != c.Default {
				t.Errorf("%s: %s is %s, and the default %s", name, c.Key, c.Taken, c.Default)
			}
			if len(c.Options) < 2 || c.Why == "" {
				t.Errorf("%s has no alternative or no reason: %+v", c.Key, c)
			}
		}
	}
	for _, test := range []struct {
		layout     topology.Layout
		choice     string
		exportable bool
	}{{topology.SingleNAT, "", true}, {topology.SingleNAT, topology.PoolOnly, false}, {topology.ScaledHLB, topology.PoolOnly, true}} {
		top := base
		top.Edge.Layout = test.layout
		if test.choice != "" {
			top.Choices = map[string]string{topology.ExportableKey: test.choice}
		}
		for _, key := range []string{plan.External, plan.Internal} {
			if got := certificate(t, topology.WithDefaults(top), key).KeySpec.Exportable; got != test.exportable {
				t.Errorf("%s, %s: the key of %s is exportable: %v", test.layout, test.choice, key, got)
			}
		}
	}
}

// The tables of "Certificate summary - Reverse proxy" (2012-11-14) and "Certificate summary - Scaled Director pool, hardware
// load balancer" (2012-10-20).
func TestReverseProxyAndDirector(t *testing.T) {
	top := topology.WithDefaults(topology.Topology{
		Edge:       topology.Edge{Access: "sip.contoso.com", Internal: "lsedge.contoso.net", NextHop: "dirpool01.contoso.net"},
		SIPDomains: []string{"contoso.com"},
		ReverseProxy: topology.ReverseProxy{
			Web:        []string{"webext.contoso.com", "webdirext.contoso.com"},
			SimpleURLs: []string{"dialin.contoso.com", "meet.contoso.com"}, OfficeWebApps: "officewebapps01.contoso.com",
		},
		Director: topology.Director{Nodes: []string{"dir01.contoso.net"}},
	})
	for _, test := range []struct {
		key, subject string
		names        []string
		ca           plan.CAKind
	}{
		{plan.ReverseProxy, "webext.contoso.com", []string{"webext.contoso.com", "webdirext.contoso.com", "dialin.contoso.com", "meet.contoso.com",
			"officewebapps01.contoso.com", "lyncdiscover.contoso.com"}, plan.PublicCA},
		{plan.Director, "dirpool01.contoso.net", []string{"dirpool01.contoso.net", "dir01.contoso.net", "dialin.contoso.com", "meet.contoso.com",
			"lyncdiscoverinternal.contoso.com", "lyncdiscover.contoso.com"}, plan.InternalCA},
		{plan.DirectorOAuth, "dir01.contoso.net", nil, plan.InternalCA},
	} {
		c := certificate(t, top, test.key)
		if got := labelValues(c); c.Subject != test.subject || !slices.Equal(got, test.names) || c.CA != test.ca || !slices.Equal(usagesOf(c), []plan.Usage{plan.Server}) {
			t.Errorf("%s: subject name %s, SAN %v, CA %s, EKU %v", test.key, c.Subject, got, c.CA, usagesOf(c))
		}
	}
	top.ReverseProxy.Wildcard, top.Director.Wildcard = true, true
	if got := labelValues(certificate(t, top, plan.ReverseProxy)); slices.Contains(got, "meet.contoso.com") || !slices.Contains(got, "*.contoso.com") {
		t.Errorf("with the wildcard: %v", got)
	}
	if got := labelValues(plan.ForNextHop(top)); !slices.Contains(got, "dir01.contoso.net") {
		t.Errorf("the next hop's certificate: %v", got)
	}
}

// With two certificates the public one has no client EKU, and the private one nothing else, with the same names.
func TestTwoCertificates(t *testing.T) {
	top := sourceDeployment()
	top.Edge.TwoCertificates = true
	external, client := certificate(t, top, plan.External), certificate(t, top, plan.ClientRole)
	if !slices.Equal(usagesOf(external), []plan.Usage{plan.Server}) || !slices.Equal(usagesOf(client), []plan.Usage{plan.Client}) {
		t.Errorf("EKUs %v and %v", usagesOf(external), usagesOf(client))
	}
	if client.CA != plan.PrivateCA || client.Subject != external.Subject || !slices.Equal(labelValues(client), labelValues(external)) {
		t.Errorf("client role: %+v", client)
	}
}
