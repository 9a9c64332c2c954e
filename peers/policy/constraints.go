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
	// The common name as a DNS name, if the leaf has no dNSName: if it looks like one, or whatever it looks like if the
	// EKU lets the leaf be a server's, and there may be one only.
	formCN       = "cn-like-dns"
	formCNServer = "cn-of-servers"
	// formDotless takes trailing dots off DNS names before they are compared.
	formDotless = "dotless"
	// formReadable refuses names that can't be compared, if there are any constraints at all.
	formReadable = "readable"
	// formDirectory compares the subject with directoryName constraints.
	formDirectory = "directory"
	// formBelow takes what is below a host for covered, in URIs and e-mail addresses too.
	formBelow = "below-hosts"
	// formWildcard takes a wildcard for excluded that covers an excluded name.
	formWildcard = "wildcards-excluded"
	// formFamily holds an address only against the ranges of its own family.
	formFamily = "own-family"
	// Constraints that aren't compared, and refused instead: excluded directory names; excluded URIs, if there is a URI;
	// an empty permitted dNSName; a SIP URI, which has no host by RFC 3986, against URI constraints.
	formNoDirectory = "no-directory-excluded"
	formNoURI       = "no-uri-excluded"
	formNoEmpty     = "no-empty"
	formHosted      = "uris-have-hosts"
	// Addresses under any constraint on addresses; a subject that is empty under directory names.
	formNoAddress = "no-addresses"
	formSubject   = "subject-needed"
	// formDotSelf takes a leading dot of a dNSName constraint for nothing; formMailbox leaves excluded mailboxes alone.
	formDotSelf = "dots-ignored"
	formMailbox = "mailboxes-not-excluded"
)

// forms are all of them.
var forms = []string{formDNS, formEmail, formIP, formURI, formCN, formCNServer, formDotless, formReadable, formDirectory,
	formBelow, formWildcard, formFamily, formNoDirectory, formNoURI, formNoEmpty, formHosted,
	formNoAddress, formSubject, formDotSelf, formMailbox}

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
	if what, bad := uncompared(ca, c, forms); bad {
		return what, true
	}
	if slices.Contains(forms, formDirectory) && !directoryAllowed(ca, c) {
		return "the subject " + c.Subject.String(), true
	}
	mailbox, host := underMailbox, underURI
	if slices.Contains(forms, formBelow) {
		mailbox = func(name, constraint string) bool {
			_, domain, _ := strings.Cut(name, "@")
			return underMailbox(name, constraint) || !strings.Contains(constraint, "@") && underDomain(domain, constraint)
		}
		host = func(u *url.URL, constraint string) bool { return underDomain(u.Hostname(), constraint) }
	}
	under := underDomain
	if slices.Contains(forms, formDotSelf) {
		under = func(name, constraint string) bool { return underDomain(name, strings.TrimPrefix(constraint, ".")) }
	}
	excluded := ca.ExcludedEmailAddresses
	if slices.Contains(forms, formMailbox) {
		excluded = slices.DeleteFunc(slices.Clone(excluded), func(m string) bool { return strings.Contains(m, "@") })
	}
	if slices.Contains(forms, formDNS) {
		names := c.DNSNames
		if leaf && len(names) == 0 && len(ca.PermittedDNSDomains)+len(ca.ExcludedDNSDomains) > 0 {
			names = hostsInSubject(c, forms)
		}
		for _, n := range names {
			if slices.Contains(forms, formDotless) {
				n = strings.TrimRight(n, ".")
			}
			if !allowed(n, ca.PermittedDNSDomains, ca.ExcludedDNSDomains, under) ||
				slices.Contains(forms, formWildcard) && coversExcluded(n, ca.ExcludedDNSDomains) {
				return n, true
			}
		}
	}
	if slices.Contains(forms, formReadable) {
		if name, bad := unreadable(c); bad {
			return name, true
		}
	}
	if slices.Contains(forms, formEmail) {
		for _, n := range c.EmailAddresses {
			if !allowed(n, ca.PermittedEmailAddresses, excluded, mailbox) {
				return n, true
			}
		}
	}
	if slices.Contains(forms, formURI) {
		for _, u := range c.URIs {
			if !allowed(u, ca.PermittedURIDomains, ca.ExcludedURIDomains, host) {
				return u.String(), true
			}
		}
	}
	if slices.Contains(forms, formIP) {
		for _, ip := range c.IPAddresses {
			permitted := ca.PermittedIPRanges
			if slices.Contains(forms, formFamily) {
				permitted = slices.DeleteFunc(slices.Clone(permitted), func(n *net.IPNet) bool { return (n.IP.To4() == nil) != (ip.To4() == nil) })
			}
			if !allowed(ip, permitted, ca.ExcludedIPRanges, underNet) {
				return ip.String(), true
			}
		}
	}
	return "", false
}

// hostsInSubject returns the common names that count as DNS names.
func hostsInSubject(c *cert, forms []string) []string {
	cns := commonNames(c)
	switch {
	case slices.Contains(forms, formCN):
		return slices.DeleteFunc(cns, func(cn string) bool { return !looksLikeHost(cn) })
	case slices.Contains(forms, formCNServer) && serverByEKU(c):
		if len(cns) > 1 {
			return []string{"one of several common names"}
		}
		return cns
	}
	return nil
}

func serverByEKU(c *cert) bool {
	return ekuConditions["absent"](c) || ekuConditions["has-server"](c) || ekuConditions["has-any"](c)
}

// unreadable returns a name of c that is no proper dNSName, or a URI without a host name.
func unreadable(c *cert) (string, bool) {
	for _, n := range c.DNSNames {
		if n == "" || slices.Contains(strings.Split(n, "."), "") {
			return "the unreadable name " + n, true
		}
	}
	for _, u := range c.URIs {
		if u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
			return u.String() + ", which has no host", true
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

// looksLikeHost reports whether a common name could be a DNS name: two labels or more of letters, digits, underscores
// and inner hyphens.
func looksLikeHost(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(l, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		}) {
			return false
		}
	}
	return true
}
