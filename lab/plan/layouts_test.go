package plan_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/topology"
)

// layoutTopics are the five topics with a certificate table, and what they say of where the names lead.
var layoutTopics = []struct {
	layout   topology.Layout
	name     string
	date     string
	leads    string // what the subject name resolves to
	copied   bool   // the key must be exportable and certificate and key copied to every Edge Server
	internal string // FQDN of the internal interface: the server's own, or the pool's
}{
	{topology.SingleNAT, "Certificate summary - Single consolidated edge with private IP addresses using NAT", "2012-10-22",
		"the public address that NAT maps to the server", false, "lsedge.contoso.net"},
	{topology.SinglePublic, "Certificate summary - Single consolidated edge with public IP addresses", "2012-09-08",
		"the server's public address", false, "lsedge.contoso.net"},
	{topology.ScaledDNSNAT, "Certificate summary - Scaled consolidated edge, DNS load balancing with private IP addresses using NAT", "2012-09-08",
		"the public addresses that NAT maps to the servers of the pool", true, "lsedge.contoso.net"},
	{topology.ScaledDNSPublic, "Certificate summary - Scaled consolidated edge, DNS load balancing with public IP addresses", "2012-09-08",
		"the public addresses of the servers of the pool", true, "lsedge.contoso.net"},
	{topology.ScaledHLB, "Certificate summary - Scaled consolidated edge with hardware load balancers", "2012-10-22",
		"the virtual address of the hardware load balancer", true, "lsedge.contoso.net"},
}

// tables are the tables that each of the five topics has, with the same names in all of them, to the letter: the column of
// names is headed "SAN/Order", so the order is compared too.
var tables = []struct {
	name     string
	title    string
	partners []topology.Partner
	xmpp     []string
	names    []string
	usages   []plan.Usage
}{
	{"edge", "the layout's own", nil, nil, []string{"webcon.contoso.com", "sip.contoso.com", "sip.fabrikam.com"}, []plan.Usage{plan.Server}},
	{"public-im", "public instant messaging, with AOL", []topology.Partner{{Name: "aol", Domain: "aol.com", Protocol: topology.SIP, Product: "aol-pic"}}, nil,
		[]string{"sip.contoso.com", "webcon.contoso.com", "sip.fabrikam.com"}, []plan.Usage{plan.Server, plan.Client}},
	{"xmpp", "XMPP, of which xmpp-names: host-and-wildcard is the recipe", nil, []string{"contoso.com"},
		[]string{"webcon.contoso.com", "sip.contoso.com", "sip.fabrikam.com", "xmpp.contoso.com", "*.contoso.com"}, []plan.Usage{plan.Server}},
}

// TestLayouts compares with the tables of the five topics, row by row. The golden files show what a reader gets.
func TestLayouts(t *testing.T) {
	for _, l := range layoutTopics {
		var b bytes.Buffer
		for _, table := range tables {
			t.Run(string(l.layout)+" "+table.name, func(t *testing.T) {
				top := topology.WithDefaults(topology.Topology{
					Edge:       topology.Edge{Layout: l.layout, Access: "sip.contoso.com", WebConf: "webcon.contoso.com", Internal: l.internal},
					SIPDomains: []string{"contoso.com", "fabrikam.com"}, XMPPDomains: table.xmpp, Partners: table.partners,
					Choices: map[string]string{topology.XMPPNames: topology.HostAndWildcard},
				})
				external, internal := certificate(t, top, plan.External), certificate(t, top, plan.Internal)
				if names := labelValues(external); external.Subject != "sip.contoso.com" || !slices.Equal(names, table.names) || external.CA != plan.PublicCA {
					t.Errorf("external: subject name %s, SAN %v, CA %s", external.Subject, names, external.CA)
				}
				if got := usagesOf(external); !slices.Equal(got, table.usages) {
					t.Errorf("external: EKU %v, want %v", got, table.usages)
				}
				var services []string
				for _, a := range external.AssignedTo {
					services = append(services, a.Type)
				}
				if want := []string{"AccessEdgeExternal", "DataEdgeExternal", "AudioVideoAuthentication"}; !slices.Equal(services, want) {
					t.Errorf("external: assigned to %v, want %v", services, want)
				}
				if !strings.Contains(external.SubjectReason, l.leads) {
					t.Errorf("the subject name's reason is %q, want it to lead to %s", external.SubjectReason, l.leads)
				}
				if internal.Subject != l.internal || len(internal.SANs) != 0 || internal.CA != plan.InternalCA || !slices.Equal(usagesOf(internal), []plan.Usage{plan.Server}) {
					t.Errorf("internal: %+v", internal)
				}
				if want := fmt.Sprintf("Lync Server 2013, topic %q (%s)", l.name, l.date); internal.SubjectSource.Ref != want {
					t.Errorf("source %s, want %s", internal.SubjectSource.Ref, want)
				}
				copied := slices.ContainsFunc(external.Notes, func(n string) bool { return strings.Contains(n, "every Edge Server of the pool") })
				if copied != l.copied || !external.KeySpec.Exportable {
					t.Errorf("the key is copied: %v, want %v; exportable: %v", copied, l.copied, external.KeySpec.Exportable)
				}
				servers := 1
				if l.copied {
					servers = 2
				}
				if s := plan.For(top).Staging; s.Servers != servers || s.Usual != 2 || s.Rolled != 3 {
					t.Errorf("staging: %+v, want %d servers, 2 certificates, 3 with -Roll", s, servers)
				}
				fmt.Fprintf(&b, "%s\nTable: %s\n\n", internal.SubjectSource.Ref, table.title)
				if err := plan.Render(&b, plan.For(top), plan.Table); err != nil {
					t.Fatal(err)
				}
				b.WriteString("\n")
			})
		}
		golden(t, "layout-"+string(l.layout)+".txt", b.Bytes())
	}
	if len(layoutTopics) != len(topology.Layouts()) {
		t.Errorf("%d layouts have a topic here, and there are %d", len(layoutTopics), len(topology.Layouts()))
	}
}

func labelValues(c plan.Certificate) (out []string) {
	for _, s := range c.SANs {
		out = append(out, s.Value)
	}
	return out
}

func usagesOf(c plan.Certificate) (out []plan.Usage) {
	for _, e := range c.EKUs {
		out = append(out, e.Usage)
	}
	return out
}
