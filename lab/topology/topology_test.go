package topology_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
)

// sourceDeployment is the deployment of the source topic with one partner of each kind.
func sourceDeployment() topology.Topology {
	return topology.WithDefaults(topology.Topology{
		Edge:        topology.Edge{Access: "sip.contoso.com", WebConf: "webcon.contoso.com", Internal: "lsedge.contoso.net"},
		SIPDomains:  []string{"contoso.com", "fabrikam.com"},
		XMPPDomains: []string{"contoso.com"},
		Partners: []topology.Partner{
			{Name: "litware", Domain: "litware.com", Protocol: topology.SIP, Product: "lync-2013"},
			{Name: "aol", Domain: "aol.com", Protocol: topology.SIP, Product: "aol-pic", OwnDomains: []string{"contoso.com"}},
			{Name: "northwind", Domain: "northwind.example", Protocol: topology.XMPP, Product: "xmpp-strict"},
		},
	})
}

// TestNegotiation is the full table of the topic "Negotiation settings for XMPP federated partners" (2012-10-21).
func TestNegotiation(t *testing.T) {
	const (
		r, o, n       = topology.Required, topology.Optional, topology.NotSupported
		sasl, tls, tc = topology.SASLOverTLS, topology.TLSDialback, topology.TCPDialback
	)
	rows := []struct {
		tls, sasl topology.Negotiation
		dialback  bool
		methods   string // empty: invalid
		warns     bool
	}{
		{r, r, true, "sasl-tls", true},
		{r, r, false, "sasl-tls", false},
		{o, r, true, "sasl-tls tls-dialback tcp-dialback", true},
		{o, r, false, "sasl-tls", true},
		{n, r, true, "tcp-dialback", true},
		{n, r, false, "", false},
		{r, o, true, "sasl-tls tls-dialback", false},
		{r, o, false, "sasl-tls", false},
		{o, o, true, "sasl-tls tls-dialback tcp-dialback", false},
		{o, o, false, "sasl-tls", true},
		{n, o, true, "tcp-dialback", true},
		{n, o, false, "", false},
		{r, n, true, "tls-dialback", false},
		{r, n, false, "", false},
		{o, n, true, "tls-dialback tcp-dialback", false},
		{o, n, false, "", false},
		{n, n, true, "tcp-dialback", false},
		{n, n, false, "", false},
	}
	if len(rows) != 18 {
		t.Fatalf("%d rows, want 18", len(rows))
	}
	for _, row := range rows {
		a := topology.Allowed{TLS: row.tls, SASL: row.sasl, Dialback: row.dialback}
		methods, warn, err := a.Methods()
		var names []string
		for _, m := range methods {
			names = append(names, string(m))
		}
		if got := strings.Join(names, " "); got != row.methods || (warn != "") != row.warns || (err != nil) != (row.methods == "") {
			t.Errorf("%s/%s/%v: methods %q, warning %q, error %v; want %q, warning %v", row.tls, row.sasl, row.dialback, got, warn, err, row.methods, row.warns)
		}
		if err != nil && !strings.Contains(err.Error(), topology.NegotiationSource) {
			t.Errorf("%s/%s/%v: the reason has no source: %v", row.tls, row.sasl, row.dialback, err)
		}
	}
	if _, _, err := (topology.Allowed{TLS: "maybe", SASL: r}).Methods(); err == nil {
		t.Error("an unknown value is taken")
	}
	if _, _, err := topology.DefaultAllowed().Methods(); err != nil {
		t.Errorf("the cmdlet's defaults are refused: %v", err)
	}
}

func TestLegs(t *testing.T) {
	want := []string{
		"edge/contoso.com -> litware sip-federation",
		"litware -> edge/contoso.com sip-federation",
		"edge/fabrikam.com -> litware sip-federation",
		"litware -> edge/fabrikam.com sip-federation",
		"edge/contoso.com -> aol sip-federation",
		"aol -> edge/contoso.com sip-federation",
		"edge/contoso.com -> northwind xmpp-federation",
		"northwind -> edge/contoso.com xmpp-federation",
		"remote-user -> edge/contoso.com remote-user",
		"remote-user -> edge/fabrikam.com remote-user",
		"remote-user -> webconf web-conference",
		"next-hop -> edge next-hop-sip",
		"edge -> next-hop next-hop-sip",
		"next-hop -> mras mras-request",
	}
	var got []string
	for _, l := range topology.Legs(sourceDeployment()) {
		got = append(got, l.ID+" "+string(l.Kind))
		if strings.HasSuffix(string(l.Kind), "federation") != (l.Partner != nil) {
			t.Errorf("%s: partner %v", l.ID, l.Partner)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	d := sourceDeployment()
	d.Edge.WebConf = ""
	for _, l := range topology.Legs(d) {
		if l.Acceptor == topology.ActorWebConf {
			t.Error("a leg to the Web Conferencing Edge, which isn't deployed")
		}
	}
}

func TestMatch(t *testing.T) {
	legs := topology.Legs(sourceDeployment())
	for pattern, want := range map[string]int{
		"edge -> litware": 2, "edge/contoso.com -> litware": 1, "edge/fabrikam.com->litware": 1, "  edge  ->  litware ": 2,
		"litware -> edge": 2, "any -> edge": 7, "edge -> any": 5, "any -> any": len(legs), "edge/contoso.com -> any": 3,
		"remote-user -> any": 3, "next-hop -> any": 2, "any -> mras": 1, "next-hop -> edge": 1, "edge/Contoso.com -> aol": 1,
		"edge -> nobody": 0, "edge/fabrikam.com -> aol": 0, "litware/contoso.com -> edge": 0, "litware": 0, "-> edge": 0, "a -> b -> c": 0, "": 0,
	} {
		got, err := topology.Match(pattern, legs)
		if len(got) != want || (err == nil) != (want > 0) {
			t.Errorf("%q matches %d legs, want %d (%v)", pattern, len(got), want, err)
		}
	}
}

// TestSpecificity gives patterns from the least specific to the most; each leg must never see two equals.
func TestSpecificity(t *testing.T) {
	order := []string{
		"any -> any", "edge -> any", "edge/contoso.com -> any", "any -> litware", "edge -> litware", "edge/contoso.com -> litware",
	}
	legs, err := topology.Match("edge/contoso.com -> litware", topology.Legs(sourceDeployment()))
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, s := range order {
		p, err := topology.ParsePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		n, ok := p.Matches(legs[0])
		if !ok || n <= last {
			t.Errorf("%s is %d specific, not more than what stands before it (%d)", s, n, last)
		}
		last = n
	}
	ends := []string{"any", "edge", "edge/contoso.com", "litware", "aol", "northwind", "remote-user", "webconf", "next-hop", "mras"}
	for _, l := range topology.Legs(sourceDeployment()) {
		seen := map[int]string{}
		for _, a := range ends {
			for _, b := range ends {
				s := a + " -> " + b
				p, err := topology.ParsePattern(s)
				if err != nil {
					t.Fatal(err)
				}
				n, ok := p.Matches(l)
				if other, equal := seen[n]; ok && equal {
					t.Errorf("%s: %q and %q are equally specific", l.ID, s, other)
				}
				if ok {
					seen[n] = s
				}
			}
		}
	}
}

func TestNearestLeg(t *testing.T) {
	legs := topology.Legs(sourceDeployment())
	for pattern, want := range map[string]string{
		"edge -> litwear": "edge -> litware", "edge/contso.com -> litware": "edge/contoso.com -> litware",
		"mras -> next-hop": "next-hop -> mras", "webconf -> remote-user": "remote-user -> webconf", "banana": "",
	} {
		if got, _ := topology.NearestLeg(pattern, legs); got != want {
			t.Errorf("nearest to %q is %q, want %q", pattern, got, want)
		}
	}
}

func TestCheckFQDN(t *testing.T) {
	for name, want := range map[string][2]string{
		"sip.contoso.com":                 {},
		"SIP.Contoso.COM":                 {},
		"xn--bcher-kva.example":           {},
		"":                                {"an FQDN is missing", ""},
		"sip contoso.com":                 {"has a space in it", `write "sip.contoso.com"`},
		" sip.contoso.com":                {"has a space in it", `write "sip.contoso.com"`},
		"bücher.example":                  {"internationalised name", `write "xn--bcher-kva.example"`},
		"sip.contoso.com.":                {"ends in a dot", `write "sip.contoso.com"`},
		"*.contoso.com":                   {"is a wildcard", `write "contoso.com"`},
		"https://sip.contoso.com":         {"is a URL", `write "sip.contoso.com"`},
		"anna@contoso.com":                {"is an address", `write "contoso.com"`},
		"192.0.2.1":                       {"is an IP address", ""},
		"2001:db8::1":                     {"is an IP address", ""},
		"contoso":                         {"isn't fully qualified", "contoso.example"},
		"sip..contoso.com":                {"has an empty label", ""},
		".contoso.com":                    {"has an empty label", ""},
		"-sip.contoso.com":                {"begins or ends with a hyphen", ""},
		"sip_1.contoso.com":               {"has an underscore", `write "sip-1.contoso.com"`},
		"sip!.contoso.com":                {"has the character '!'", ""},
		strings.Repeat("a", 64) + ".com":  {"64 characters long; 63 is the most", ""},
		strings.Repeat("a.", 127) + "com": {"253 is the most", ""},
	} {
		wrong, hint := topology.CheckFQDN(name)
		if (wrong == "") != (want[0] == "") || !strings.Contains(wrong, want[0]) || !strings.Contains(hint, want[1]) {
			t.Errorf("%.40q: %q, %q; want %q, %q", name, wrong, hint, want[0], want[1])
		}
	}
}

func TestDefaults(t *testing.T) {
	d := topology.WithDefaults(topology.Topology{
		Edge: topology.Edge{Access: "sip.contoso.com"},
		Partners: []topology.Partner{
			{Domain: "litware.com", Protocol: topology.SIP, Product: "kamailio-5.6"},
			{Domain: "aol.com", Protocol: topology.SIP, Product: "aol-pic"},
			{Domain: "northwind.example", Protocol: topology.XMPP, Product: "xmpp-strict"},
		},
	})
	p := d.Partners
	for what, pair := range map[string][2]string{
		"layout":           {string(d.Edge.Layout), "single-nat"},
		"product":          {d.Edge.Product, "lync-2013"},
		"internal":         {d.Edge.Internal, "lsedge.contoso.com"},
		"next hop":         {d.Edge.NextHop, "fe.contoso.com"},
		"SIP host":         {p[0].Host, "sip.litware.com"},
		"SIP listing":      {string(p[0].Listing), "allowed-domain"},
		"PIC listing":      {string(p[1].Listing), "public-im"},
		"PIC's name of us": {p[1].EdgeFQDN, "sip.contoso.com"},
		"others look":      {p[0].EdgeFQDN, ""},
		"XMPP host":        {p[2].Host, "xmpp.northwind.example"},
		"XMPP listing":     {string(p[2].Listing), ""},
		"XMPP entry":       {fmt.Sprint(p[2].XMPP), fmt.Sprint(topology.DefaultAllowed())},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
}

func TestCheck(t *testing.T) {
	if faults := topology.Check(sourceDeployment(), topology.Options{}); len(faults) > 0 {
		t.Fatalf("the source deployment has faults: %v", faults)
	}
	for name, test := range map[string]struct {
		change func(*topology.Topology)
		path   source.Path
		want   string
	}{
		"no access":        {func(d *topology.Topology) { d.Edge.Access = "" }, "edge.access", "edge.access is missing"},
		"no SIP domain":    {func(d *topology.Topology) { d.SIPDomains = nil }, "sip-domains", "at least one SIP domain"},
		"layout":           {func(d *topology.Topology) { d.Edge.Layout = "single" }, "edge.layout", `"single" is no layout`},
		"same name twice":  {func(d *topology.Topology) { d.Edge.WebConf = "sip.contoso.com" }, "edge.webconf", "already the name of the Access Edge"},
		"subject too long": {func(d *topology.Topology) { d.Edge.Access = strings.Repeat("a", 60) + ".contoso.com" }, "edge.access", "64 characters at most"},
		"own domain twice": {func(d *topology.Topology) { d.SIPDomains = []string{"a.com", "a.com"} }, "sip-domains[1]", "is there twice"},
		"partner's own":    {func(d *topology.Topology) { d.Partners[0].Domain = "fabrikam.com" }, "partners[0].domain", "already belongs to the Edge itself"},
		"two partners":     {func(d *topology.Topology) { d.Partners[2].Domain = "litware.com" }, "partners[2].domain", "already belongs to partner litware"},
		"two names":        {func(d *topology.Topology) { d.Partners[1].Name = "litware" }, "partners[1].name", "two partners are called"},
		"reserved name":    {func(d *topology.Topology) { d.Partners[0].Name = "mras" }, "partners[0].name", `can't be called "mras"`},
		"odd name":         {func(d *topology.Topology) { d.Partners[0].Name = "Lit ware" }, "partners[0].name", "small letters"},
		"host of another":  {func(d *topology.Topology) { d.Partners[1].Host = "sip.litware.com" }, "partners[1].host", "already the name of partner litware"},
		"no protocol":      {func(d *topology.Topology) { d.Partners[0].Protocol = "" }, "partners[0]", "has no protocol"},
		"discovery off":    {func(d *topology.Topology) { d.Partners[0].Listing = topology.Discovered }, "partners[0].listing", "off by default"},
		"listing":          {func(d *topology.Topology) { d.Partners[0].Listing = "allowed" }, "partners[0].listing", "is no listing"},
		"listing, XMPP":    {func(d *topology.Topology) { d.Partners[2].Listing = topology.PublicIM }, "partners[2].listing", "a listing is a SIP partner's"},
		"xmpp, SIP":        {func(d *topology.Topology) { d.Partners[0].XMPP = topology.DefaultAllowed() }, "partners[0].xmpp", "federates over SIP"},
		"no XMPP domain":   {func(d *topology.Topology) { d.XMPPDomains = nil }, "partners[2].protocol", "has no xmpp-domains"},
		"invalid settings": {func(d *topology.Topology) {
			d.Partners[2].XMPP = topology.Allowed{TLS: "not-supported", SASL: "required"}
		}, "partners[2].xmpp", "leaves no way to authenticate"},
		"foreign own domain": {func(d *topology.Topology) { d.Partners[0].OwnDomains = []string{"litware.com"} }, "partners[0].own-domains[0]", "isn't among sip-domains"},
		"SRV service":        {func(d *topology.Topology) { d.DNS.SRV = map[string]string{"_sip._tcp.contoso.com": ""} }, `dns.srv."_sip._tcp.contoso.com"`, "names no service"},
		"SRV domain":         {func(d *topology.Topology) { d.DNS.SRV = map[string]string{"_xmpp-server._tcp.contso.com": ""} }, `dns.srv."_xmpp-server._tcp.contso.com"`, "isn't a domain"},
		"unknown host":       {func(d *topology.Topology) { d.DNS.Missing = []string{"sip.nowhere.com"} }, "dns.missing[0]", "isn't the name of a host"},
	} {
		t.Run(name, func(t *testing.T) {
			d := sourceDeployment()
			test.change(&d)
			faults := topology.Check(d, topology.Options{})
			if !slices.ContainsFunc(faults, func(f topology.Fault) bool { return f.Path == test.path && strings.Contains(f.Message, test.want) }) {
				t.Errorf("got %v, want %s at %s", faults, test.want, test.path)
			}
		})
	}
}

func TestCheckProducts(t *testing.T) {
	opts := topology.Options{
		Products: []string{"lync-2013", "aol-pic", "xmpp-strict"},
		Serves: func(product string, p topology.Protocol) bool {
			return (p == topology.XMPP) == (product == "xmpp-strict")
		},
	}
	d := sourceDeployment()
	if faults := topology.Check(d, opts); len(faults) > 0 {
		t.Errorf("good products have faults: %v", faults)
	}
	d.Partners[0].Product, d.Partners[2].Product = "lync-2031", "lync-2013"
	faults := topology.Check(d, opts)
	if len(faults) != 2 || faults[0].Hint != `did you mean "lync-2013"?` || faults[1].Message != "lync-2013 doesn't speak xmpp" {
		t.Errorf("got %v", faults)
	}
}
