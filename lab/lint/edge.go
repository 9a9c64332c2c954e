package lint

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// The topics of the Lync Server 2013 library that the rules are from.
var (
	requirements   = topic("Certificate requirements for external user access", "2016-03-29")
	infrastructure = topic("Certificate infrastructure requirements", "2016-06-23")
	planning       = topic("Plan for Edge Server certificates", "2012-11-05")
	wildcards      = topic("Wildcard certificate support", "2013-03-21")
	summary        = topic("Certificate summary - SIP, XMPP federation and public instant messaging", "2013-03-15")
	rfc5280        = verdict.Source{Kind: verdict.Documented, Ref: "RFC 5280 §4.1.2.5"}
)

func topic(name, date string) verdict.Source {
	return verdict.Source{Kind: verdict.Documented, Ref: `Lync Server 2013, topic "` + name + `" (` + date + `)`}
}

// edgeRules holds the leaf, or the request, against what an Edge Server needs.
func edgeRules(f certfile.File, o Options) []Finding {
	fields, _ := f.Order(o.At)
	e := edge{opts: o, order: fields, leaf: f.Leaf(), name: "leaf"}
	if f.Request != nil {
		e.name = "request"
	}
	e.names()
	e.usages()
	e.key(f)
	if e.leaf != nil {
		e.signature()
		e.validity()
	}
	return e.found
}

type edge struct {
	opts  Options
	order plan.Order
	leaf  *x509.Certificate // nil for a request
	name  string
	found []Finding
}

func (e *edge) add(s Severity, rule string, source verdict.Source, format string, args ...any) {
	e.found = append(e.found, Finding{Severity: s, Rule: "edge/" + rule, Source: source, Detail: fmt.Sprintf(format, args...), Certificate: e.name})
}

func (e *edge) names() {
	var dns, wild []string
	for _, n := range e.order.SANs {
		if n.Kind != plan.DNSName {
			continue
		}
		dns = append(dns, n.Value)
		if strings.Contains(n.Value, "*") {
			wild = append(wild, n.Value)
		}
	}
	subject := e.order.Subject
	switch {
	case subject == "" && e.opts.external():
		e.add(Warning, "subject", requirements, "there is no subject name: Lync Server 2013 does without, Office Communications Server as a peer may not")
	case subject == "":
		e.add(Error, "subject", summary, "there is no subject name: it is the name that the internal interface is known by")
	case strings.Contains(subject, "*"):
		e.add(Error, "subject-wildcard", wildcards, "the subject name %q is a wildcard, which no role supports", subject)
	}
	if !e.opts.external() {
		return // the SAN of the internal certificate is never looked at
	}
	if subject != "" && !slices.ContainsFunc(dns, func(n string) bool { return strings.EqualFold(n, subject) }) {
		e.add(Error, "subject-in-san", requirements, "the subject name %q isn't among the SANs, where alone peers look for it", subject)
	}
	if len(wild) > 0 {
		e.add(Error, "san-wildcard", planning, "%s: the external Edge interface supports no wildcards", strings.Join(wild, ", "))
	}
}

func (e *edge) usages() {
	has := func(u plan.Usage) bool { return slices.Contains(e.order.EKUs, u) }
	if !has(plan.Server) {
		e.add(Error, "server-eku", infrastructure, "the EKU doesn't list server authentication, which every server certificate needs")
	}
	if e.opts.external() && !has(plan.Client) {
		e.add(Notice, "client-eku", summary, "the EKU doesn't list client authentication: AOL's public IM asks for it, and so do partners that judge a connecting server as a client")
	}
}

// key is about the lengths that the topic lists. Nothing says what happens with others.
func (e *edge) key(f certfile.File) {
	name := f.KeyType()
	switch {
	case slices.Contains([]string{"rsa-2048", "rsa-4096", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"}, name):
	case name == "rsa-1024":
		e.add(Warning, "key", infrastructure, "the key is of type %s: 2048 bits or more are recommended", name)
	case strings.HasPrefix(name, "rsa-"):
		e.add(Warning, "key", infrastructure, "the key is of type %s: only lengths of 1024, 2048 and 4096 are listed as supported", name)
	default:
		e.add(Error, "key", infrastructure, "the key is of type %s: only RSA, and ECDSA on P-256, P-384 and P-521, are listed as supported", name)
	}
}

func (e *edge) signature() {
	switch e.leaf.SignatureAlgorithm {
	case x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		e.add(Error, "rsassa-pss", infrastructure, "it is signed with RSASSA-PSS, which isn't supported: sign-in and forwarding of requests fail")
	case x509.MD2WithRSA, x509.MD5WithRSA:
		e.add(Error, "hash", infrastructure, "it is signed with %s: only SHA-1 and SHA-2 are listed as supported", e.leaf.SignatureAlgorithm)
	}
	if len(e.leaf.CRLDistributionPoints) == 0 {
		e.add(Error, "cdp", infrastructure, "it names no CRL distribution point, which every server certificate needs")
	}
}

func (e *edge) validity() {
	if e.opts.At.IsZero() {
		return
	}
	switch at := e.opts.At; {
	case at.Before(e.leaf.NotBefore):
		e.add(Error, "validity", rfc5280, "at %s it isn't valid yet: it begins on %s", day(at), day(e.leaf.NotBefore))
	case at.After(e.leaf.NotAfter):
		e.add(Error, "validity", rfc5280, "at %s it has expired: it ended on %s", day(at), day(e.leaf.NotAfter))
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
