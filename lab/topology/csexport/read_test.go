package csexport_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/topology/csexport"
	"github.com/edgelab/edgelab/scenarios"
)

var update = flag.Bool("update", false, "write the golden files anew")

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func imported(t testing.TB, name string, lists ...string) csexport.Import {
	t.Helper()
	i, err := csexport.Read(name, read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		p, err := csexport.ReadPartners(list, read(t, list))
		if err != nil {
			t.Fatal(err)
		}
		i.AddPartners(p)
	}
	return i
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (write it anew with -update):\n%s", name, got)
	}
}

// The pool that the issue asks for: two nodes, two SIP domains, XMPP. Its names are those of the source topics, so
// its plan is the one of the topics' tables.
func TestReadPool(t *testing.T) {
	i := imported(t, "pool.xml")
	want := topology.Topology{
		Edge: topology.Edge{
			Layout: topology.ScaledDNSNAT, Access: "sip.contoso.com", WebConf: "webcon.contoso.com",
			Internal: "lsedge.contoso.net", NextHop: "fepool01.contoso.net",
			Nodes: []string{"edge01.contoso.net", "edge02.contoso.net"},
		},
		SIPDomains:  []string{"contoso.com", "fabrikam.com"},
		XMPPDomains: []string{"contoso.com", "fabrikam.com"},
	}
	if !reflect.DeepEqual(i.Topology.Edge, want.Edge) || !slices.Equal(i.Topology.SIPDomains, want.SIPDomains) || !slices.Equal(i.Topology.XMPPDomains, want.XMPPDomains) {
		t.Errorf("got %+v\nwant %+v", i.Topology, want)
	}
	c, _ := plan.For(topology.WithDefaults(i.Topology)).Certificate(plan.External)
	var names []string
	for _, s := range c.SANs {
		names = append(names, s.Value)
	}
	// Topic "Certificate summary - XMPP federation" (2012-12-23): there is no public IM without the list of providers.
	if summary := []string{"webcon.contoso.com", "sip.contoso.com", "sip.fabrikam.com", "contoso.com", "fabrikam.com"}; !slices.Equal(names, summary) {
		t.Errorf("SANs %v, want %v", names, summary)
	}
	p := i.Pools[0]
	if len(p.Machines) != 2 || p.Machines[1].FQDN != "edge02.contoso.net" || p.Machines[1].Internal[0].String() != "172.25.33.11" ||
		len(p.Machines[1].External) != 3 || p.Machines[1].External[2].Public.String() != "131.107.155.31" {
		t.Errorf("machines %+v", p.Machines)
	}
	if p.AV.FQDN != "av.contoso.com" || p.AV.Port != 443 || !p.Federation || !p.XMPP || p.Director {
		t.Errorf("pool %+v", p)
	}
}

func TestReadSingle(t *testing.T) {
	i := imported(t, "single.xml")
	if i.Topology.Edge.Layout != topology.SinglePublic || len(i.Topology.XMPPDomains) != 0 || !i.Pools[0].Director {
		t.Errorf("got %+v, pool %+v", i.Topology, i.Pools[0])
	}
	var unknown []string
	for _, n := range i.Notes {
		if n.Kind == csexport.Unknown {
			unknown = append(unknown, n.Message)
		}
	}
	if len(unknown) != 1 || !strings.Contains(unknown[0], "<VideoGateway>") || !strings.Contains(unknown[0], "2 times") {
		t.Errorf("unknown elements %q", unknown)
	}
}

func TestReadBuilder(t *testing.T) {
	i := imported(t, "builder.tbxml")
	e := i.Topology.Edge
	if e.Layout != topology.ScaledDNSNAT || e.Access != "access.contoso.com" || e.WebConf != "" || e.Internal != "edgepool.contoso.net" {
		t.Errorf("edge %+v", e)
	}
	if want := []string{"contoso.com", "fabrikam.com"}; !slices.Equal(i.Topology.SIPDomains, want) {
		t.Errorf("SIP domains %v, want the default one first: %v", i.Topology.SIPDomains, want)
	}
	if want := []string{"dialin.contoso.com", "meet.contoso.com"}; !slices.Equal(i.Web.SimpleURLs, want) {
		t.Errorf("simple URLs %v, want %v", i.Web.SimpleURLs, want)
	}
}

// Topic "Define your edge topology" (2012-09-28): NAT is declared by a public address for the A/V Edge service, and
// doesn't go with hardware load balancing.
func TestLayouts(t *testing.T) {
	pool, single := string(read(t, "pool.xml")), string(read(t, "single.xml"))
	undeclared := func(s string) string {
		for _, a := range []string{"131.107.155.30", "131.107.155.31"} {
			s = strings.ReplaceAll(s, ` ConfiguredIPAddress="`+a+`"`, "")
		}
		return s
	}
	for _, test := range []struct {
		name, xml string
		want      topology.Layout
		try       string
	}{
		{"one machine, NAT", strings.ReplaceAll(single, `IPAddress="131.107.155.30"`, `IPAddress="10.0.0.3" ConfiguredIPAddress="131.107.155.30"`), topology.SingleNAT, ""},
		{"one machine, public", single, topology.SinglePublic, ""},
		{"pool, NAT", pool, topology.ScaledDNSNAT, ""},
		{"pool, public", strings.ReplaceAll(undeclared(pool), "10.45.16.", "131.107.155."), topology.ScaledDNSPublic, "layout: scaled-hlb"},
		{"pool, private, nothing declared", undeclared(pool), topology.ScaledDNSNAT, "layout: scaled-dns-public"},
		{"one machine, no address", strings.ReplaceAll(single, "131.107.155.", "0.0.0.0x"), topology.SingleNAT, "layout: single-public"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i, err := csexport.Read("t.xml", []byte(test.xml))
			if err != nil {
				t.Fatal(err)
			}
			var try []string
			for _, n := range i.Notes {
				if n.Key == "layout" {
					try = append(try, n.Try...)
				}
			}
			if i.Topology.Edge.Layout != test.want || strings.Join(try, ";") != test.try {
				t.Errorf("layout %s, choices %q; want %s, %q", i.Topology.Edge.Layout, try, test.want, test.try)
			}
		})
	}
}

func TestYAML(t *testing.T) {
	for _, test := range []struct {
		golden, file string
		lists        []string
	}{
		{"pool.yaml", "pool.xml", []string{"allowed.csv", "public.csv", "hosting.csv", "xmpp.xml"}},
		{"single.yaml", "single.xml", nil},
		{"builder.yaml", "builder.tbxml", []string{"xmpp.csv"}},
	} {
		t.Run(test.golden, func(t *testing.T) {
			i := imported(t, test.file, test.lists...)
			text := csexport.YAML(i)
			golden(t, test.golden, text)
			s, err := scenarios.Load(test.golden, text, scenarios.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if want := topology.WithDefaults(i.Topology); len(s.Topology.Partners) != len(want.Partners) || !reflect.DeepEqual(s.Topology.Edge, want.Edge) {
				t.Errorf("loaded %+v\nwant %+v", s.Topology, want)
			}
		})
	}
}

func TestUTF16(t *testing.T) {
	text := strings.Replace(string(read(t, "pool.xml")), `encoding="utf-8"`, `encoding="utf-16"`, 1)
	var b bytes.Buffer
	b.Write([]byte{0xff, 0xfe})
	if err := binary.Write(&b, binary.LittleEndian, utf16.Encode([]rune(text))); err != nil {
		t.Fatal(err)
	}
	i, err := csexport.Read("pool.xml", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if i.Topology.Edge.Access != "sip.contoso.com" {
		t.Errorf("edge %+v", i.Topology.Edge)
	}
}

func TestReadErrors(t *testing.T) {
	pool := string(read(t, "pool.xml"))
	cut, _, _ := strings.Cut(pool, "</Clusters>")
	for _, test := range []struct {
		name, text, place, want string
	}{
		{"empty", " \n", "t.xml:1:1", "the file is empty"},
		{"binary", "<a>\xff", "t.xml:1:4", "isn't text"},
		{"zip", "PK\x03\x04....", "t.xml:1:1", "zip archive"},
		{"no XML", "hello", "t.xml:1:6", "no XML element"},
		{"broken", strings.Replace(pool, "</InternalDomains>", "</InternalDomain>", 1), "t.xml:6:20", "isn't well-formed"},
		{"truncated", cut, "t.xml:36:3", "breaks off here: <Clusters>, begun in line 13"},
		{"other schema", strings.ReplaceAll(pool, "Deploy.Topology.2008", "Deploy.Topology.2031"), "t.xml:2:1", `supported: <Topology xmlns="urn:schema:Microsoft.Rtc.Management.Deploy.Topology.2008">`},
		{"no namespace", strings.ReplaceAll(pool, ` xmlns="urn:schema:Microsoft.Rtc.Management.Deploy.Topology.2008"`, ""), "t.xml:2:1", "no namespace"},
		{"other root", "<html/>", "t.xml:1:1", "isn't a topology"},
		{"partner list", string(read(t, "xmpp.xml")), "t.xml:1:1", "Export-Clixml"},
		{"no edge", strings.ReplaceAll(pool, "EdgeServer", "MediationServer"), "t.xml:2:1", "the topology has no Edge"},
		{"document type", "<?xml version=\"1.0\"?>\n<!DOCTYPE Topology [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\n<Topology>&b;</Topology>", "t.xml:2:1", "document type"},
		{"external entity", "<!DOCTYPE t SYSTEM \"file:///etc/passwd\"><Topology/>", "t.xml:1:1", "document type"},
		{"entity", strings.Replace(pool, "Headquarters", "&bomb;", 1), "t.xml:9:19", "entities that a document defines"},
		{"encoding", strings.Replace(pool, "utf-8", "ebcdic", 1), "t.xml:1:40", `encoding "ebcdic" isn't read`},
		{"too deep", strings.Replace(pool, "<Sites>", strings.Repeat("<Sites>", 100), 1), "t.xml:7:", "nested deeper"},
		{"too many", strings.Replace(pool, "<Sites>", strings.Repeat("<Name/>", 200_001)+"<Sites>", 1), "t.xml:7:", "more than 200000 elements"},
		{"too large", pool + strings.Repeat(" ", csexport.MaxSize), "t.xml:1:1", "more than 16 MiB"},
		{"two documents", pool + "<Topology xmlns=\"urn:schema:Microsoft.Rtc.Management.Deploy.Topology.2008\"/>", "t.xml:91:1", "second document"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := csexport.Read("t.xml", []byte(test.text))
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

func TestSniff(t *testing.T) {
	for name, want := range map[string]csexport.Content{
		"pool.xml": csexport.TopologyXML, "builder.tbxml": csexport.TopologyXML,
		"xmpp.xml": csexport.PartnerList, "allowed.csv": csexport.PartnerList, "xmpp.csv": csexport.PartnerList,
	} {
		if got := csexport.Sniff(read(t, name)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// Whatever the input, reading ends without a panic, and what comes out is YAML that the loader takes unless a note
// says that it won't.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"pool.xml", "single.xml", "builder.tbxml"} {
		f.Add(read(f, name))
	}
	f.Add([]byte("<Topology xmlns=\"urn:schema:Microsoft.Rtc.Management.Deploy.Topology.2008\"/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := csexport.Read("fuzz.xml", data)
		if err != nil {
			return
		}
		_, err = scenarios.Load("fuzz.yaml", csexport.YAML(i), scenarios.Options{})
		invalid := slices.ContainsFunc(i.Notes, func(n csexport.Note) bool { return n.Kind == csexport.Invalid })
		if err != nil && !invalid {
			t.Errorf("%v\n%s", err, csexport.YAML(i))
		}
	})
}

func loads(t *testing.T, text []byte) {
	t.Helper()
	if _, err := scenarios.Load("fuzz.yaml", text, scenarios.Options{}); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
