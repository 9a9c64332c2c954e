package plan

import (
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
)

// For returns the certificates to order for a topology: one for the external Edge interface, with two certificates a
// second one for its client role, one for the internal interface, and those of a reverse proxy and a Director if there
// are any.
func For(t topology.Topology) Plan {
	p := Plan{Certificates: []Certificate{external(t)}, Choices: choices(t), Staging: staging(t)}
	if t.Edge.TwoCertificates {
		p.Certificates = append(p.Certificates, clientRole(t))
	}
	p.Certificates = append(p.Certificates, internal(t))
	if t.ReverseProxy.Deployed() {
		p.Certificates = append(p.Certificates, reverseProxy(t))
	}
	if t.Director.Deployed() {
		p.Certificates = append(p.Certificates, directorPool(t), directorOAuth(t))
	}
	return p
}

func internal(t topology.Topology) Certificate {
	layout := layoutTopic(t.Edge.Layout)
	c := Certificate{
		Key: Internal, Component: "Edge internal", CA: InternalCA,
		Subject:       t.Edge.Internal,
		SubjectReason: "the FQDN of the internal interface, of the pool if there is one",
		SubjectSource: layout,
		SANs:          []SAN{},
		EKUs:          []EKU{{Server, "the next hop and MRAS clients are answered with it", layout}},
		KeySpec: Key{
			Type: "rsa-2048", Exportable: true, Source: planning,
			Reason: "copied to each Edge Server of a pool",
		},
		AssignedTo: []Assignment{
			{Service: "Edge internal", Type: "Internal", Note: "for the next hop", Source: layout},
			{Service: "MRAS", Type: "Internal", Note: "A/V authentication runs on the internal interface", Source: summary},
		},
		Notes: []string{"no SAN is needed: the subject name is the only name that is looked for"},
	}
	if t.Chosen(topology.InternalSAN) == topology.SubjectSAN {
		sanList{&c}.add(t.Edge.Internal, "", "the subject name, repeated", sourceOf(t, topology.InternalSAN))
		c.Notes = nil
	}
	if !t.Edge.Layout.Pooled() && t.Chosen(topology.ExportableKey) == topology.PoolOnly {
		c.KeySpec.Exportable, c.KeySpec.Reason, c.KeySpec.Source = false, "with one Edge Server the layout's topic doesn't ask for an exportable key", layout
	}
	return c
}

// ForNextHop returns the certificate of the Front End or Director pool behind the Edge. It isn't part of the order; it
// stands at the other end of the internal legs. A Director's is the one that the plan has for it.
func ForNextHop(t topology.Topology) Certificate {
	if t.Director.Deployed() {
		c := directorPool(t)
		c.Key = NextHop
		return c
	}
	c := Certificate{
		Key: NextHop, Component: "Next hop pool", CA: InternalCA,
		Subject: t.Edge.NextHop, SubjectReason: "the pool FQDN", SubjectSource: director,
		EKUs:    []EKU{{Server, "the Edge is answered with it", infrastructure}},
		KeySpec: Key{Type: "ecdsa-p256", Reason: "one of the key types that Lync Server supports", Source: infrastructure},
	}
	sanList{&c}.add(t.Edge.NextHop, "", "the subject name, repeated", director)
	return c
}

// ForPartner returns the certificate that a well-kept partner has: every name that any product could look for, and
// both EKUs, so that what a leg shows is about our certificate unless the scenario says otherwise.
func ForPartner(p topology.Partner) Certificate {
	c := Certificate{
		Key: p.Name, Component: "Partner " + p.Name, CA: PartnerCA,
		Subject: p.Host, SubjectReason: "the partner's border server", SubjectSource: rfc5922,
		EKUs: []EKU{
			{Server, "the Edge connects to it", rfc5280},
			{Client, "it connects to the Edge, and may be judged by the client purpose", rfc5280},
		},
		KeySpec: Key{Type: "ecdsa-p256", Source: infrastructure},
	}
	names := sanList{&c}
	if p.Protocol == topology.XMPP {
		c.Subject, c.SubjectReason, c.SubjectSource = p.Domain, "the partner's XMPP domain", rfc6120
		names.add(p.Domain, "XMPP namespace "+p.Domain, "the domain of its streams", rfc6120)
		names.add(p.Host, "", "the host that its SRV record names", rfc6120)
		return c
	}
	names.add(p.Host, "", "the host that its SRV record names, or that is on our list", rfc5922)
	names.add("sip."+p.Domain, "SIP namespace "+p.Domain, "clients look for it", requirements)
	names.add(p.Domain, "", "what a strict SIP proxy matches", rfc5922)
	return c
}

// A sanList adds names to a certificate, each once.
type sanList struct{ c *Certificate }

func (l sanList) add(name, note, reason string, source Source) {
	for i := range l.c.SANs {
		if s := &l.c.SANs[i]; s.Value == name {
			s.Reason += "; " + reason
			return
		}
	}
	l.c.SANs = append(l.c.SANs, SAN{Kind: DNSName, Value: name, Note: note, Reason: reason, Source: source})
}

func (l sanList) xmpp(name, domain string) {
	reason := "users of XMPP domain " + name + " may talk to XMPP partners"
	if name != domain {
		reason += ", which is a child domain for part of the users of " + domain
	}
	l.add(name, "XMPP namespace "+name, reason, summary)
}

// belongs returns the longest SIP domain that x is or lies below, or "".
func belongs(x string, domains []string) string {
	best := ""
	for _, d := range domains {
		if (x == d || strings.HasSuffix(x, "."+d)) && len(d) > len(best) {
			best = d
		}
	}
	return best
}
