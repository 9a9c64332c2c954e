package plan

import (
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Source is where a rule comes from.
type Source = verdict.Source

// The topics and standards that the plan follows. Topics are those of the Lync Server 2013 library.
var (
	summary        = topic("Certificate summary - SIP, XMPP federation and public instant messaging", "2013-03-15")
	requirements   = topic("Certificate requirements for external user access", "2016-03-29")
	infrastructure = topic("Certificate infrastructure requirements", "2016-06-23")
	planning       = topic("Plan for Edge Server certificates", "2012-11-05")
	reverse        = topic("Certificate summary - Reverse proxy", "2012-11-14")
	roll           = Source{Kind: verdict.Documented, Ref: `Lync Server 2013, topic "Staging AV and OAuth certificates using -Roll"; Set-CsCertificate`}
	director       = topic("Certificate summary - Scaled Director pool, hardware load balancer", "2012-10-20")

	rfc5280 = Source{Kind: verdict.Documented, Ref: "RFC 5280 §4.2.1.12"}
	rfc5922 = Source{Kind: verdict.Documented, Ref: "RFC 5922 §7.1"}
	rfc6120 = Source{Kind: verdict.Documented, Ref: "RFC 6120 §13.7"}
)

// layoutTopic returns the topic with the certificate table of a layout.
func layoutTopic(l topology.Layout) Source {
	switch l {
	case topology.SinglePublic:
		return topic("Certificate summary - Single consolidated edge with public IP addresses", "2012-09-08")
	case topology.ScaledDNSNAT:
		return topic("Certificate summary - Scaled consolidated edge, DNS load balancing with private IP addresses using NAT", "2012-09-08")
	case topology.ScaledDNSPublic:
		return topic("Certificate summary - Scaled consolidated edge, DNS load balancing with public IP addresses", "2012-09-08")
	case topology.ScaledHLB:
		return topic("Certificate summary - Scaled consolidated edge with hardware load balancers", "2012-10-22")
	}
	return topic("Certificate summary - Single consolidated edge with private IP addresses using NAT", "2012-10-22")
}

func topic(name, date string) Source {
	return Source{Kind: verdict.Documented, Ref: `Lync Server 2013, topic "` + name + `" (` + date + `)`}
}

// Notes that go with a certificate as a whole.
const (
	noteClientEKU = "the Certificate Wizard can't ask for the client EKU: use Request-CsCertificate -ClientEKU $true with a template of your own " +
		`(topic "Set up certificates for the external edge interface", 2012-09-08); public CAs stop selling it in 2026 and 2027`
	noteWildcard      = `no wildcard: the Edge's external interface doesn't support one (topics "Plan for Edge Server certificates", 2012-11-05, and "Wildcard certificate support", 2013-03-21)`
	noteWildcardTaken = `a wildcard, which the choice of XMPP names asks for: other topics rule it out on the Edge's external interface ` +
		`("Plan for Edge Server certificates", 2012-11-05, and "Wildcard certificate support", 2013-03-21)`
	notePool = "one certificate, with its key, for every Edge Server of the pool"
)
