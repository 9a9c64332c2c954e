package plan

import (
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
)

// reverseProxy returns the certificate of the reverse proxy, a topic and an order of its own.
func reverseProxy(t topology.Topology) Certificate {
	r := t.ReverseProxy
	c := Certificate{
		Key: ReverseProxy, Component: "Reverse proxy", CA: PublicCA,
		Subject: r.Web[0], SubjectReason: "the FQDN of the external web services", SubjectSource: reverse,
		EKUs:       []EKU{{Server, "clients on the Internet are answered with it", reverse}},
		KeySpec:    Key{Type: "rsa-2048", Reason: "2048 bits are recommended", Source: infrastructure},
		AssignedTo: []Assignment{{Service: "reverse proxy", Note: "the listener that publishes the web services", Source: reverse}},
		Notes:      []string{"no leg of federation goes through the reverse proxy: the lab makes none with this certificate"},
	}
	names := sanList{&c}
	names.add(r.Web[0], "", "the subject name, repeated", reverse)
	for _, name := range r.Web[1:] {
		names.add(name, "", "the external web services of the Director", reverse)
	}
	simple(names, r.SimpleURLs, r.Wildcard, reverse)
	if r.OfficeWebApps != "" {
		names.add(r.OfficeWebApps, "", "Office Web Apps", reverse)
	}
	for _, domain := range t.SIPDomains {
		names.add("lyncdiscover."+domain, "", "mobile clients of SIP domain "+domain+" look for it", reverse)
	}
	return c
}

// simple adds the hosts of the simple URLs, or the wildcards that stand for them.
func simple(names sanList, hosts []string, wildcard bool, source Source) {
	for _, host := range hosts {
		if _, domain, ok := strings.Cut(host, "."); ok && wildcard {
			names.add("*."+domain, "", "stands for the simple URL "+host, source)
			continue
		}
		names.add(host, "", "a simple URL", source)
	}
}

// directorPool returns the default certificate of the Director that the Edge hands on to.
func directorPool(t topology.Topology) Certificate {
	c := Certificate{
		Key: Director, Component: "Director (next hop)", CA: InternalCA,
		Subject: t.Edge.NextHop, SubjectReason: "the FQDN of the Director pool", SubjectSource: director,
		EKUs:       []EKU{{Server, "the Edge and clients are answered with it", infrastructure}},
		KeySpec:    Key{Type: "rsa-2048", Reason: "2048 bits are recommended", Source: infrastructure},
		AssignedTo: []Assignment{{Service: "Director", Type: "Default", Source: director}},
	}
	names := sanList{&c}
	names.add(t.Edge.NextHop, "", "the subject name, repeated", director)
	for _, node := range t.Director.Nodes {
		names.add(node, "", "a server of the pool", director)
	}
	simple(names, t.ReverseProxy.SimpleURLs, t.Director.Wildcard, director)
	for _, prefix := range []string{"lyncdiscoverinternal.", "lyncdiscover."} {
		for _, domain := range t.SIPDomains {
			names.add(prefix+domain, "", "clients of SIP domain "+domain+" look for it", director)
		}
	}
	return c
}

// directorOAuth returns the certificate with which the Director signs tokens.
func directorOAuth(t topology.Topology) Certificate {
	return Certificate{
		Key: DirectorOAuth, Component: "Director, OAuth", CA: InternalCA, SANs: []SAN{},
		Subject: t.Director.Nodes[0], SubjectReason: "the FQDN of the first server, as in the topic's table", SubjectSource: director,
		EKUs:       []EKU{{Server, "every server certificate needs it", infrastructure}},
		KeySpec:    Key{Type: "rsa-2048", Exportable: true, Reason: "one for the whole organisation; 1024 bits are the least, 2048 recommended", Source: director},
		AssignedTo: []Assignment{{Service: "server-to-server authentication", Type: "OAuthTokenIssuer", Source: director}},
	}
}
