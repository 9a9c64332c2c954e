package csexport

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
)

// A ListKind names the cmdlet that a partner list comes from.
type ListKind string

// The cmdlets.
const (
	AllowedDomains   ListKind = "Get-CsAllowedDomain"
	PublicProviders  ListKind = "Get-CsPublicProvider"
	HostingProviders ListKind = "Get-CsHostingProvider"
	XMPPPartners     ListKind = "Get-CsXmppAllowedPartner"
)

// ListKinds returns every kind of partner list that is read.
func ListKinds() []ListKind {
	return []ListKind{AllowedDomains, PublicProviders, HostingProviders, XMPPPartners}
}

// Products that stand in for what no list says.
const (
	assumedSIP  = "lync-2013"
	assumedXMPP = "xmpp-strict"
	googleTalk  = "google-talk"
)

// A Partner is one entry of a list as a partner of a scenario.
type Partner struct {
	topology.Partner
	source.Pos `json:"position"`
	List       ListKind `json:"list"`
	// LeftOut says why the entry can't be a partner of the scenario; empty: it is one. It is printed as a comment.
	LeftOut string `json:"left-out,omitempty"`
	// Assumed is what the list doesn't say and the entry needed.
	Assumed []string `json:"assumed,omitempty"`
}

// Partners is what one partner list holds.
type Partners struct {
	File    string    `json:"file"`
	Kind    ListKind  `json:"list"`
	Entries []Partner `json:"entries"`
}

// ReadPartners reads a partner list, as Export-Csv or Export-Clixml wrote it. The cmdlet is told by the type of the
// objects, or by their columns. The error is a *source.Error with the place.
func ReadPartners(name string, data []byte) (Partners, error) {
	t, err := newText(name, data)
	if err != nil {
		return Partners{}, err
	}
	var records []record
	if strings.HasPrefix(strings.TrimSpace(string(t.data[:min(len(t.data), 256)])), "<") {
		records, err = t.clixml()
	} else {
		records, err = t.csv()
	}
	if err != nil {
		return Partners{}, err
	}
	start := source.Pos{File: name, Line: 1, Column: 1}
	if len(records) == 0 {
		return Partners{}, t.fault(start, "", "the list is empty: it doesn't even say which cmdlet it is from")
	}
	p := Partners{File: name}
	for _, r := range records {
		kind, ok := r.kind()
		if !ok {
			return Partners{}, t.fault(r.pos, "supported: "+join(ListKinds()), "this isn't an entry of a partner list (type %q, columns %s)", r.typ, strings.Join(r.columns, ", "))
		}
		if p.Kind == "" {
			p.Kind = kind
		}
		if kind != p.Kind {
			return Partners{}, t.fault(r.pos, "export each cmdlet to a file of its own", "an entry of %s among those of %s", kind, p.Kind)
		}
		p.Entries = append(p.Entries, r.partners(kind)...)
	}
	return p, nil
}

func join[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// A record is one object of a list.
type record struct {
	pos     source.Pos
	typ     string
	columns []string
	values  map[string][]string // several for a list
	lost    []string            // columns whose list Export-Csv replaced by the name of its type
}

func (r record) get(column string) string {
	if v := r.values[column]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

func (r record) has(column string) bool { return slices.Contains(r.columns, column) }

// kind tells by the type's name, which Export-Csv leaves out with -NoTypeInformation, or by the columns.
func (r record) kind() (ListKind, bool) {
	for _, k := range []struct {
		typ  string
		kind ListKind
	}{
		{"AllowedDomain", AllowedDomains}, {"PublicProvider", PublicProviders}, {"HostingProvider", HostingProviders}, {"AllowedPartner", XMPPPartners},
	} {
		if strings.Contains(r.typ, k.typ) {
			return k.kind, true
		}
	}
	switch {
	case r.has("TlsNegotiation"):
		return XMPPPartners, true
	case r.has("EnabledSharedAddressSpace"), r.has("HostsOCSUsers"):
		return HostingProviders, true
	case r.has("Enabled") && r.has("ProxyFqdn"):
		return PublicProviders, true
	case r.has("ProxyFqdn") && (r.has("Domain") || r.has("Identity")):
		return AllowedDomains, true
	}
	return "", false
}

// partners turns an entry into partners: one for each of its domains.
func (r record) partners(kind ListKind) []Partner {
	p := Partner{Pos: r.pos, List: kind, Partner: topology.Partner{Protocol: topology.SIP, Host: strings.ToLower(r.get("ProxyFqdn"))}}
	domain := r.get("Domain")
	if domain == "" {
		domain = r.get("Identity")
	}
	p.Domain = strings.ToLower(domain)
	p.Name = slug(p.Domain)
	switch kind {
	case AllowedDomains:
		p.Listing = topology.AllowedDomain
		if p.Host != "" {
			p.Listing = topology.AllowedServer
		}
		p.Product = assumedSIP
		p.Assumed = append(p.Assumed, "product: by whose rules it judges isn't on the list")
	case PublicProviders:
		r.publicProvider(&p)
	case HostingProviders:
		p.Name, p.Domain, p.Listing = slug(r.get("Identity")), "", topology.AllowedServer
		p.Product = assumedSIP
		p.LeftOut = "a hosting provider serves many domains; name the one of the users you federate with"
		r.disabled(&p)
	case XMPPPartners:
		return r.xmppPartners(p)
	}
	return []Partner{p}
}

// providers are the public IM providers by a word of their names. The domains are those of the scenarios' partners.
var providers = []struct{ word, product, domain string }{
	{"aol", "aol-pic", "aol.com"},
	{"yahoo", "yahoo-pic", "yahoo.com"},
	{"msn", "msn-pic", "msn.com"},
	{"live", "msn-pic", "msn.com"},
	{"skype", "msn-pic", "msn.com"},
	{"messenger", "msn-pic", "msn.com"},
}

func (r record) publicProvider(p *Partner) {
	identity := r.get("Identity")
	p.Name, p.Domain, p.Listing = slug(identity), "", topology.PublicIM
	for _, known := range providers {
		if strings.Contains(strings.ToLower(identity+" "+p.Host), known.word) {
			p.Product, p.Domain = known.product, known.domain
			p.Assumed = append(p.Assumed, "product and domain: told by the name "+identity)
			break
		}
	}
	if p.Product == "" {
		p.LeftOut = "no public IM provider of that name is known"
	}
	r.disabled(p)
}

func (r record) disabled(p *Partner) {
	if strings.EqualFold(r.get("Enabled"), "false") {
		p.LeftOut = "it is disabled (Enabled is False)"
	}
}

func (r record) xmppPartners(p Partner) []Partner {
	p.Protocol, p.Listing, p.Product = topology.XMPP, "", assumedXMPP
	p.Assumed = append(p.Assumed, "product: by whose rules it judges isn't on the list")
	p.XMPP = topology.DefaultAllowed()
	for _, n := range []struct {
		column string
		field  *topology.Negotiation
	}{{"TlsNegotiation", &p.XMPP.TLS}, {"SaslNegotiation", &p.XMPP.SASL}} {
		switch v := strings.ToLower(r.get(n.column)); v {
		case "", "required", "optional":
			if v != "" {
				*n.field = topology.Negotiation(v)
			}
		case "notsupported":
			*n.field = topology.NotSupported
		default:
			p.LeftOut = fmt.Sprintf("%s is %q, which is none of Required, Optional, NotSupported", n.column, r.get(n.column))
		}
	}
	for _, b := range []struct {
		column string
		field  *bool
	}{{"SupportDialbackNegotiation", &p.XMPP.Dialback}, {"EnableKeepAlive", &p.XMPP.KeepAlive}} {
		if v := r.get(b.column); v != "" {
			*b.field = strings.EqualFold(v, "true")
		}
	}
	if _, _, err := p.XMPP.Methods(); err != nil && p.LeftOut == "" {
		p.LeftOut = err.Error()
	}
	if slices.Contains(r.lost, "AdditionalDomains") {
		p.Assumed = append(p.Assumed, "additional domains: Export-Csv doesn't write lists; use Export-Clixml")
	}
	if p.Domain == "gmail.com" && p.XMPP.TLS == topology.NotSupported {
		p.Product = googleTalk
		p.Assumed[0] = `product: the settings are those of the topic "Example XMPP configuration - Google Talk" (2014-04-22)`
	}
	all := []Partner{p}
	for _, domain := range r.values["AdditionalDomains"] {
		q := p
		q.Domain = strings.ToLower(strings.TrimSpace(domain))
		q.Name = slug(q.Domain)
		q.Assumed = append(slices.Clone(p.Assumed), "one of the additional domains of "+p.Domain)
		all = append(all, q)
	}
	return all
}

// AddPartners takes the entries of lists over into the topology. An entry that a scenario can't hold, because another
// one has its domain or its host already, or for a reason of its own, is kept in i.Partners with LeftOut set.
func (i *Import) AddPartners(lists ...Partners) {
	for _, list := range lists {
		for _, p := range list.Entries {
			i.addPartner(p)
		}
	}
}

func (i *Import) addPartner(p Partner) {
	if slices.Contains(topology.Reserved(), p.Name) || p.Name == "" {
		p.Name = strings.TrimSuffix("partner-"+p.Name, "-")
	}
	for n, base := 2, p.Name; slices.ContainsFunc(i.Partners, func(q Partner) bool { return q.Name == p.Name }); n++ {
		p.Name = fmt.Sprintf("%s-%d", base, n)
	}
	if p.LeftOut == "" {
		p.LeftOut = i.conflict(p.Partner)
	}
	if p.LeftOut == "" {
		i.Topology.Partners = append(i.Topology.Partners, p.Partner)
	}
	i.Partners = append(i.Partners, p)
}

// conflict says why a topology can't take a partner: what its check finds with this one alone, or another partner that
// has its domain or its host.
func (i *Import) conflict(p topology.Partner) string {
	if p.Protocol == topology.XMPP && len(i.Topology.XMPPDomains) == 0 {
		return "it federates over XMPP, and XMPP federation isn't enabled for the Edge pool"
	}
	t := i.Topology
	t.Partners = nil
	before := topology.Check(topology.WithDefaults(t), topology.Options{})
	t.Partners = []topology.Partner{p}
	t = topology.WithDefaults(t)
	for _, f := range topology.Check(t, topology.Options{}) {
		if !slices.Contains(before, f) {
			return f.Message
		}
	}
	host := t.Partners[0].Host
	for _, q := range i.Topology.Partners {
		switch {
		case q.Domain == p.Domain:
			return q.Domain + " already belongs to partner " + q.Name + "; a domain is served by one side only"
		case topology.WithDefaults(topology.Topology{Partners: []topology.Partner{q}}).Partners[0].Host == host:
			return host + " is already the host of partner " + q.Name + "; each has an address of its own"
		}
	}
	return ""
}
