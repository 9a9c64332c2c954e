package sip

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/dns"
	"github.com/edgelab/edgelab/peers/policy"
)

// Names of the checks that an application puts to a partner beside those put to its certificate.
const (
	checkAllowed = "allowed" // the domain or server is on the list
	checkSRV     = "srv"     // the domain's SRV record, and where it leads
)

// Sources of the Access Edge's rules about domains.
var (
	sourceAllowed = verdict.Source{Kind: verdict.Documented,
		Ref: `topic "Configure support for allowed external domains", 2012-10-19`}
	sourceSRV = verdict.Source{Kind: verdict.Documented,
		Ref: `Cisco document 212383, 2017-10-23 (traces of an Edge); topic "Determine DNS requirements"`}
	sourceProvisioned = verdict.Source{Kind: verdict.Documented,
		Ref: "New-CsPublicProvider -ProxyFqdn: a public IM provider is told the Access Edge's FQDN when it is provisioned"}
)

// A route is what an end's lists and DNS say about a domain.
type route struct {
	host   string // the server to connect to, or the one that must have connected; empty: none found
	port   uint16
	name   string // what its certificate is asked for
	checks []verdict.Check
}

// failed returns the check that ends the route, nil if none does.
func (rt route) failed() *verdict.Check {
	for i := range rt.checks {
		if !rt.checks[i].OK {
			return &rt.checks[i]
		}
	}
	return nil
}

// A router answers for one end.
type router struct {
	cfg Config
	// reference is the name that the end's product looks for in the role it is in.
	reference policy.Reference
	// edge says that the product is an Access Edge: an SRV target must be in the domain it serves.
	edge bool
}

func newRouter(cfg Config, b policy.Behaviour) router {
	acceptor, err := cfg.Host.Product.Behaviour(policy.Acceptor, cfg.Host.Settings)
	return router{cfg: cfg, reference: b.Reference, edge: err == nil && acceptor.Reference == policy.RefSRVTarget}
}

// find routes to, or admits, domain. Its error is the lab's own: that DNS has no record is a failed check.
func (r router) find(ctx context.Context, rec *verdict.Record, domain string) (route, error) {
	p, listed := r.cfg.Routing.partner(domain)
	rt := route{port: FederationPort, checks: []verdict.Check{r.allowed(domain, p, listed)}}
	if rt.failed() != nil {
		return rt, nil
	}
	switch {
	case p.Server != "":
		rt.host = p.Server
	case r.reference == policy.RefProvisioned:
		rt.checks = append(rt.checks, verdict.Check{
			Name: checkAllowed, Code: verdict.NotAllowed, First: true, RuleID: "federation/provisioned", Source: sourceProvisioned,
			Rule: "a server is provisioned for the domain", Detail: "no server is provisioned for " + domain,
		})
		return rt, nil
	default:
		if err := r.discover(ctx, rec, domain, &rt); err != nil || rt.host == "" {
			return rt, err
		}
	}
	switch r.reference {
	case policy.RefDomain:
		rt.name = domain
	case policy.RefNone:
	default:
		rt.name = rt.host
	}
	return rt, nil
}

// allowed asks the lists.
func (r router) allowed(domain string, p Partner, listed bool) verdict.Check {
	c := verdict.Check{
		Name: checkAllowed, RuleID: "access-edge/allowed", Source: sourceAllowed,
		Rule: "the domain is on the list of allowed domains, or partner discovery is enabled",
	}
	switch {
	case p.Listing == topology.NotListed:
		c.Detail = domain + " is on no list"
	case listed && p.Listing != topology.Discovered && p.Server != "":
		c.OK, c.Detail = true, fmt.Sprintf("%s is listed, with the server %s", domain, p.Server)
	case listed && p.Listing != topology.Discovered:
		c.OK, c.Detail = true, domain+" is listed"
	case r.cfg.Routing.Discovery:
		c.OK, c.Detail = true, domain+" is on no list; partner discovery is enabled"
	default:
		c.Detail = domain + " is on no list and partner discovery isn't enabled"
	}
	if !c.OK {
		c.Code, c.First = verdict.NotAllowed, true
	}
	return c
}

// discover looks up the domain's SRV record and applies the rule about where it may lead.
func (r router) discover(ctx context.Context, rec *verdict.Record, domain string, rt *route) error {
	c := verdict.Check{Name: checkSRV, RuleID: "access-edge/srv", Source: sourceSRV,
		Rule: "the domain has an SRV record " + dns.SIPFederation + ".<domain>"}
	targets, err := r.cfg.Host.DNS.SRV(ctx, rec, dns.SIPFederation, domain)
	if errors.Is(err, dns.ErrNotFound) {
		c.Code, c.First, c.Detail = verdict.SRVMissing, true, fmt.Sprintf("there is no %s.%s", dns.SIPFederation, domain)
		rt.checks = append(rt.checks, c)
		return nil
	}
	if err != nil {
		return err
	}
	rt.host, rt.port = targets[0].Host, targets[0].Port
	c.Detail = fmt.Sprintf("%s.%s is %s:%d", dns.SIPFederation, domain, rt.host, rt.port)
	if r.edge {
		c.Rule = "the SRV record of the domain leads to a host in the domain itself: host.<domain>"
		if !hostOf(rt.host, domain) {
			c.Code, c.First = verdict.SRVMismatch, true
			c.Detail += ", which isn't a host of " + domain
			rt.checks = append(rt.checks, c)
			return nil
		}
	}
	c.OK = true
	rt.checks = append(rt.checks, c)
	return nil
}

// hostOf reports whether fqdn is host.<domain> with one label before the domain: neither a sub-domain's host nor
// another domain's passes.
func hostOf(fqdn, domain string) bool {
	label, rest, ok := strings.Cut(fqdn, ".")
	return ok && label != "" && strings.EqualFold(rest, strings.TrimSuffix(domain, "."))
}

// decide puts the route's checks in front of what the product said of the certificate. The lists are asked before the
// certificate, so a failure of theirs is the one that is reported.
func (rt route) decide(j verdict.Judgement) verdict.Judgement {
	checks := append([]verdict.Check(nil), rt.checks...)
	failed := rt.failed()
	for _, c := range j.Checks {
		if failed != nil {
			c.First = false
		}
		checks = append(checks, c)
	}
	j.Checks = checks
	if failed != nil {
		j.Outcome, j.Layer, j.Code, j.Alert = verdict.OutcomeRejected, verdict.Application, failed.Code, 0
	}
	return j
}

// question returns what host puts to its product about a chain.
func question(h *peers.Host, role policy.Role, name string) policy.Question {
	return policy.Question{Role: role, Roots: h.Roots, Name: name, At: h.Now(), Settings: h.Settings, CRL: h.CRL, Signatures: h.Signatures}
}
