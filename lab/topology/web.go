package topology

import "github.com/edgelab/edgelab/lab/source"

// A ReverseProxy publishes the web services of the pools inside. It has a certificate of its own; no leg of federation
// goes through it.
type ReverseProxy struct {
	Web           []string `json:"web,omitempty"`             // FQDNs of the external web services: the pool's, then the Director's
	SimpleURLs    []string `json:"simple-urls,omitempty"`     // hosts of the simple URLs: dialin, meet
	OfficeWebApps string   `json:"office-web-apps,omitempty"` // FQDN of the Office Web Apps server
	Wildcard      bool     `json:"wildcard,omitempty"`        // one wildcard per domain stands for the simple URLs
}

// Deployed reports whether there is one.
func (r ReverseProxy) Deployed() bool { return len(r.Web) > 0 }

// A Director is the pool that the Edge hands on to, if that isn't a Front End: its FQDN is the Edge's next hop.
type Director struct {
	Nodes    []string `json:"nodes,omitempty"`    // FQDNs of its servers
	Wildcard bool     `json:"wildcard,omitempty"` // one wildcard per domain stands for the simple URLs
}

// Deployed reports whether there is one.
func (d Director) Deployed() bool { return len(d.Nodes) > 0 }

func (d decoder) reverseProxy(n *source.Node) ReverseProxy {
	n = d.Mapping(n, "reverse-proxy", "web", "simple-urls", "office-web-apps", "wildcard")
	r := ReverseProxy{
		Web: d.names(n.Get("web"), "web"), SimpleURLs: d.names(n.Get("simple-urls"), "simple-urls"),
		OfficeWebApps: d.name(n.Get("office-web-apps"), "office-web-apps"),
	}
	r.Wildcard, _ = d.Bool(n.Get("wildcard"), "wildcard")
	return r
}

func (d decoder) director(n *source.Node) Director {
	n = d.Mapping(n, "director", "nodes", "wildcard")
	r := Director{Nodes: d.names(n.Get("nodes"), "nodes")}
	r.Wildcard, _ = d.Bool(n.Get("wildcard"), "wildcard")
	return r
}

// web checks the names of the reverse proxy and the Director. They stand on no certificate of a leg, so they may be
// names of other hosts.
func (c *checker) web() {
	r := c.t.ReverseProxy
	path := source.Path("reverse-proxy")
	if !r.Deployed() && (len(r.SimpleURLs) > 0 || r.OfficeWebApps != "" || r.Wildcard) {
		c.add(path, "for example: web: [webext.contoso.com]", "reverse-proxy.web is missing: the FQDN of the external web services is the subject name")
	}
	for i, name := range r.Web {
		c.fqdn(path.Child("web").At(i), name)
	}
	for i, name := range r.SimpleURLs {
		c.fqdn(path.Child("simple-urls").At(i), name)
	}
	if r.OfficeWebApps != "" {
		c.fqdn(path.Child("office-web-apps"), r.OfficeWebApps)
	}
	for i, name := range c.t.Director.Nodes {
		c.fqdn(source.Path("director.nodes").At(i), name)
	}
	if c.t.Director.Wildcard && !c.t.Director.Deployed() {
		c.add("director", "for example: nodes: [dir01.contoso.net]", "director.nodes is missing: a Director has one server at least")
	}
}
