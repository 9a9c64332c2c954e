package policy

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/verdict"
)

// Name forms that a name-constraints rule compares.
const (
	formDNS   = "dns"
	formEmail = "email"
	formIP    = "ip"
	formURI   = "uri"
	formCN    = "cn-without-dns" // the common name, as a DNS name, if the certificate has no dNSName
)

// askConstraints asks the CA at depth i whether its name constraints allow every certificate below it.
func askConstraints(in *inquiry, r *rule, i int) finding {
	ca := in.path.certs[i]
	if !hasExtension(ca.Certificate, oidNameConstraints) {
		return passed
	}
	for depth := i - 1; depth >= 0; depth-- {
		c := in.path.certs[depth]
		if depth > 0 && c.selfIssued {
			continue
		}
		if name, bad := outside(ca, c, r.Forms, depth == 0); bad {
			return fails(verdict.NameConstraints, ca.label()+" may not issue for "+name)
		}
	}
	return passed
}

// outside returns the first name of c that ca's constraints don't allow.
func outside(ca, c *cert, forms []string, leaf bool) (string, bool) {
	if slices.Contains(forms, formDNS) {
		names := c.DNSNames
		if cn := c.Subject.CommonName; leaf && len(names) == 0 && slices.Contains(forms, formCN) && looksLikeHost(cn) {
			names = []string{cn}
		}
		for _, n := range names {
			if !allowed(n, ca.PermittedDNSDomains, ca.ExcludedDNSDomains, underDomain) {
				return n, true
			}
		}
	}
	if slices.Contains(forms, formEmail) {
		for _, n := range c.EmailAddresses {
			if !allowed(n, ca.PermittedEmailAddresses, ca.ExcludedEmailAddresses, underMailbox) {
				return n, true
			}
		}
	}
	if slices.Contains(forms, formURI) {
		for _, u := range c.URIs {
			if !allowed(u, ca.PermittedURIDomains, ca.ExcludedURIDomains, underURI) {
				return u.String(), true
			}
		}
	}
	if slices.Contains(forms, formIP) {
		for _, ip := range c.IPAddresses {
			if !allowed(ip, ca.PermittedIPRanges, ca.ExcludedIPRanges, underNet) {
				return ip.String(), true
			}
		}
	}
	return "", false
}

// allowed applies RFC 5280 §4.2.1.10: no excluded subtree covers the name, and if any are permitted one of these does.
func allowed[N, C any](name N, permitted, excluded []C, under func(N, C) bool) bool {
	covers := func(c C) bool { return under(name, c) }
	if slices.ContainsFunc(excluded, covers) {
		return false
	}
	return len(permitted) == 0 || slices.ContainsFunc(permitted, covers)
}

func underDomain(name, constraint string) bool {
	name, constraint = strings.ToLower(name), strings.ToLower(constraint)
	if constraint == "" {
		return true
	}
	if strings.HasPrefix(constraint, ".") {
		return strings.HasSuffix(name, constraint)
	}
	return name == constraint || strings.HasSuffix(name, "."+constraint)
}

func underMailbox(name, constraint string) bool {
	if strings.Contains(constraint, "@") {
		return strings.EqualFold(name, constraint)
	}
	_, host, _ := strings.Cut(name, "@")
	return underHost(host, constraint)
}

func underURI(u *url.URL, constraint string) bool { return underHost(u.Hostname(), constraint) }

// underHost is the rule for hosts in e-mail addresses and URIs: a constraint with a leading dot covers what is below
// it, one without covers exactly that host.
func underHost(host, constraint string) bool {
	if strings.HasPrefix(constraint, ".") {
		return strings.HasSuffix(strings.ToLower(host), strings.ToLower(constraint))
	}
	return strings.EqualFold(host, constraint)
}

func underNet(ip net.IP, constraint *net.IPNet) bool { return constraint.Contains(ip) }

func looksLikeHost(s string) bool {
	return strings.Contains(s, ".") && !strings.ContainsAny(s, " @/:")
}
