package csexport_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/topology/csexport"
)

func TestReadPartners(t *testing.T) {
	for _, test := range []struct {
		file string
		kind csexport.ListKind
		want []topology.Partner
	}{
		{"allowed.csv", csexport.AllowedDomains, []topology.Partner{
			{Name: "litware-com", Domain: "litware.com", Protocol: topology.SIP, Product: "lync-2013", Listing: topology.AllowedDomain},
			{Name: "northwindtraders-com", Domain: "northwindtraders.com", Protocol: topology.SIP, Product: "lync-2013",
				Host: "edge.northwindtraders.com", Listing: topology.AllowedServer},
			{Name: "fabrikam-com", Domain: "fabrikam.com", Protocol: topology.SIP, Product: "lync-2013", Listing: topology.AllowedDomain},
		}},
		{"public.csv", csexport.PublicProviders, []topology.Partner{
			{Name: "aol", Domain: "aol.com", Protocol: topology.SIP, Product: "aol-pic", Host: "sip.aol.example", Listing: topology.PublicIM},
			{Name: "yahoo", Domain: "yahoo.com", Protocol: topology.SIP, Product: "yahoo-pic", Host: "sip.yahoo.example", Listing: topology.PublicIM},
		}},
		{"hosting.csv", csexport.HostingProviders, []topology.Partner{
			{Name: "skype-for-business-online", Protocol: topology.SIP, Product: "lync-2013", Host: "sipfed.online.lync.com", Listing: topology.AllowedServer},
		}},
		{"xmpp.xml", csexport.XMPPPartners, []topology.Partner{
			{Name: "northwind-example", Domain: "northwind.example", Protocol: topology.XMPP, Product: "xmpp-strict",
				XMPP: topology.Allowed{TLS: topology.Required, SASL: topology.Optional, Dialback: true, KeepAlive: true}},
			{Name: "lab-northwind-example", Domain: "lab.northwind.example", Protocol: topology.XMPP, Product: "xmpp-strict",
				XMPP: topology.Allowed{TLS: topology.Required, SASL: topology.Optional, Dialback: true, KeepAlive: true}},
			{Name: "gmail-com", Domain: "gmail.com", Protocol: topology.XMPP, Product: "google-talk", Host: "xmpp.gmail.example",
				XMPP: topology.Allowed{TLS: topology.NotSupported, SASL: topology.NotSupported, Dialback: true}},
		}},
		{"xmpp.csv", csexport.XMPPPartners, []topology.Partner{
			{Name: "northwind-example", Domain: "northwind.example", Protocol: topology.XMPP, Product: "xmpp-strict",
				XMPP: topology.Allowed{TLS: topology.Required, SASL: topology.Required, KeepAlive: true}},
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			got, err := csexport.ReadPartners(test.file, read(t, test.file))
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != test.kind || len(got.Entries) != len(test.want) {
				t.Fatalf("%s with %d entries, want %s with %d", got.Kind, len(got.Entries), test.kind, len(test.want))
			}
			for i, want := range test.want {
				p := got.Entries[i].Partner
				if p.Name != want.Name || p.Domain != want.Domain || p.Protocol != want.Protocol || p.Product != want.Product ||
					p.Host != want.Host || p.Listing != want.Listing || p.XMPP != want.XMPP {
					t.Errorf("entry %d\ngot  %+v\nwant %+v", i, p, want)
				}
			}
		})
	}
}

// Entries that a scenario can't hold are kept, with the reason.
func TestAddPartners(t *testing.T) {
	i := imported(t, "pool.xml", "allowed.csv", "allowed.csv", "public.csv", "hosting.csv")
	left := map[string]string{}
	for _, p := range i.Partners {
		left[p.Name] = p.LeftOut
	}
	for name, want := range map[string]string{
		"litware-com": "", "aol": "",
		"litware-com-2":             "litware.com already belongs to partner litware-com",
		"fabrikam-com":              "fabrikam.com already belongs to the Edge itself",
		"yahoo":                     "it is disabled",
		"skype-for-business-online": "serves many domains",
	} {
		if got, ok := left[name]; !ok || !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: left out for %q, want %q", name, got, want)
		}
	}
	if n := len(i.Topology.Partners); n != 3 {
		t.Errorf("%d partners, want litware, northwindtraders, aol", n)
	}
	single := imported(t, "single.xml", "xmpp.xml")
	for _, p := range single.Partners {
		if !strings.Contains(p.LeftOut, "XMPP federation isn't enabled") {
			t.Errorf("%s: %q", p.Name, p.LeftOut)
		}
	}
}

func TestReadPartnersErrors(t *testing.T) {
	for _, test := range []struct{ name, text, place, want string }{
		{"empty", "\n", "l:1:1", "empty"},
		{"header only", "Identity,Domain,ProxyFqdn\n", "l:1:1", "the list is empty"},
		{"other cmdlet", "Name,Size\na,1\n", "l:2:1", "isn't an entry of a partner list"},
		{"quote", "Identity,Domain,ProxyFqdn\n\"a,b,c\n", "l:2:8", "isn't CSV"},
		{"short line", "#TYPE x\nIdentity,Domain,ProxyFqdn\na,b\n", "l:3:1", "wrong number of fields"},
		{"topology", string(read(t, "pool.xml")), "l:2:1", "this is a topology"},
		{"other XML", "<Objs xmlns='urn:x'/>", "l:1:1", "isn't what Export-Clixml writes"},
		{"truncated", "<Objs xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">\n<Obj>", "l:2:6", "breaks off"},
		{"entity bomb", "<!DOCTYPE x [<!ENTITY a 'b'>]><Objs/>", "l:1:1", "document type"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := csexport.ReadPartners("l", []byte(test.text))
			var e *source.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a *source.Error", err)
			}
			if text := err.Error(); !strings.Contains(text, test.want) || !strings.HasPrefix(text, test.place) {
				t.Errorf("got\n%s\nwant %s … %s", text, test.place, test.want)
			}
		})
	}
}

func FuzzReadPartners(f *testing.F) {
	for _, name := range []string{"allowed.csv", "public.csv", "hosting.csv", "xmpp.xml", "xmpp.csv"} {
		f.Add(read(f, name))
	}
	pool := read(f, "pool.xml")
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := csexport.ReadPartners("fuzz", data)
		if err != nil || len(p.Entries) > 100 {
			return
		}
		i, err := csexport.Read("pool.xml", pool)
		if err != nil {
			t.Fatal(err)
		}
		i.AddPartners(p)
		loads(t, csexport.YAML(i))
	})
}
