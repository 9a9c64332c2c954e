package topology

import (
	"maps"
	"slices"

	"github.com/edgelab/edgelab/lab/source"
)

// A Choice is a question to which the vendor's topics give more than one answer.
type Choice struct {
	Key      string
	Question string
	Options  []Option // the first is the default
	Why      string   // the default is the default
}

// An Option is one answer, by the name that a scenario file has for it.
type Option struct {
	Name   string
	Words  string
	Source string // topic and date
}

// The choices and their options, under the names that scenario files use.
const (
	XMPPNames = "xmpp-names"

	BareDomain      = "bare-domain"
	HostAndWildcard = "host-and-wildcard"
	WildcardAlone   = "wildcard"

	XMPPServer = "xmpp-srv"

	AccessEdge = "access-edge"
	XMPPHost   = "xmpp-host"

	ExportableKey = "exportable-key"

	Always   = "always"
	PoolOnly = "pool-only"

	InternalSAN = "internal-san"

	NoSAN      = "none"
	SubjectSAN = "subject"

	AVName = "av-name"

	LeftOut  = "left-out"
	Included = "included"
)

// Choices returns every question on which the topics contradict each other and that changes certificates or records.
func Choices() []Choice {
	return []Choice{
		{XMPPNames, "which names an XMPP domain puts on the external certificate", []Option{
			{BareDomain, "the domain itself", `"Certificate summary - SIP, XMPP federation and public instant messaging" (2013-03-15) and "Certificate summary - XMPP federation" (2012-12-23)`},
			{HostAndWildcard, "xmpp.<domain> and *.<domain>", `the XMPP table of the five topics "Certificate summary - Single consolidated edge …" and "Scaled consolidated edge …" (2012-09-08 and 2012-10-22)`},
			{WildcardAlone, "*.<domain> alone", `the comment in the same XMPP table, that the entry allows XMPP for all domains with the suffix <domain>; "Plan for Edge Server certificates" (2012-11-05) rules wildcards out`},
		}, "XMPP partners look for the domain of the stream, and a wildcard stands for one label more, never for none (RFC 6120 §13.7.2)"},
		{XMPPServer, "where the SRV record of an XMPP domain leads", []Option{
			{AccessEdge, "the Access Edge FQDN", `"Example XMPP configuration - Google Talk" (2014-04-22)`},
			{XMPPHost, "xmpp.<domain>, with the address of the Access Edge", `"DNS summary - XMPP federation" (2014-04-08)`},
		}, "partners compare the domain, not the host, so either works; this one needs no further name"},
		{ExportableKey, "whether the key must be exportable", []Option{
			{Always, "with one Edge Server too", `"Certificate requirements for external user access" (2016-03-29)`},
			{PoolOnly, "with several Edge Servers only", `the topics "Certificate summary - Single consolidated edge …" don't mention it (2012-09-08 and 2012-10-22)`},
		}, "a key that can't be exported can't be copied to a second server later"},
		{InternalSAN, "whether the internal certificate has a SAN", []Option{
			{NoSAN, "none is needed", `"Certificate summary - Single consolidated edge …" and "Scaled consolidated edge …" (2012-09-08 and 2012-10-22)`},
			{SubjectSAN, "the subject name, repeated", "Request-CsCertificate, the example for -Type Internal"},
		}, "the tables have none, and Lync Server looks at the subject name then"},
		{AVName, "whether the A/V Edge FQDN is on the external certificate", []Option{
			{LeftOut, "the A/V Edge service uses neither subject name nor SAN", `"Certificate requirements for external user access" (2016-03-29)`},
			{Included, "as a SAN", `"Plan for Edge Server certificates" (2012-11-05)`},
		}, "no table lists it, and nothing looks for it"},
	}
}

// Open returns the questions that matter to a topology: XMPP's if it has XMPP domains, the exportable key's with one
// server, the A/V Edge's if its FQDN is known.
func (t Topology) Open() []Choice {
	return slices.DeleteFunc(Choices(), func(c Choice) bool {
		switch c.Key {
		case XMPPNames, XMPPServer:
			return len(t.XMPPDomains) == 0
		case ExportableKey:
			return t.Edge.Layout.Pooled()
		case AVName:
			return t.Edge.AV == ""
		}
		return false
	})
}

// Chosen returns the option that the topology takes: what it says, else the default.
func (t Topology) Chosen(key string) string {
	if name, ok := t.Choices[key]; ok {
		return name
	}
	for _, c := range Choices() {
		if c.Key == key {
			return c.Options[0].Name
		}
	}
	return ""
}

// choices checks what is chosen.
func (c *checker) choices() {
	var keys []string
	for _, choice := range Choices() {
		keys = append(keys, choice.Key)
	}
	for _, key := range slices.Sorted(maps.Keys(c.t.Choices)) {
		path, name := source.Path("choices").Child(key), c.t.Choices[key]
		i := slices.Index(keys, key)
		if i < 0 {
			c.add(path, source.Suggest(key, keys), "the sources don't contradict each other on %q", key)
			continue
		}
		var names []string
		for _, o := range Choices()[i].Options {
			names = append(names, o.Name)
		}
		if !slices.Contains(names, name) {
			c.add(path, source.Suggest(name, names), "%q is no answer to %s", name, key)
		}
	}
}
