package policy

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/edgelab/edgelab/lab/verdict"
)

// What a product may not be able to digest, for a defect rule's breaks-on.
var indigestible = map[string]func(c *cert) (string, bool){
	// An XmppAddr that is a domain, as RFC 6120 has it for servers: no user, no resource, and every label good for the DNS.
	"xmpp-addr-domain": func(c *cert) (string, bool) {
		for _, n := range otherNames(c, oidXMPPAddr) {
			if _, err := idna.Lookup.ToASCII(n); err == nil && n != "" && !strings.ContainsAny(n, "@/") {
				return "the XmppAddr " + n, true
			}
		}
		return "", false
	},
}

// askDefects puts the product's defect rules to a leaf. A product that has refused the chain doesn't come to the point
// where it would break.
func (p *Product) askDefects(checks []verdict.Check, leaf *cert, q *Question, r roleFile) []verdict.Check {
	if slices.ContainsFunc(checks, func(c verdict.Check) bool { return !c.OK }) {
		return checks
	}
	for i := range p.file.Rules {
		own := &p.file.Rules[i]
		if own.Check != checkDefect || !p.asks(own, q, r) {
			continue
		}
		f := passed
		for _, k := range own.BreaksOn {
			if what, bad := indigestible[k](leaf); bad {
				f = fails(verdict.ProductDefect, p.Title()+" breaks down over "+what+" of "+leaf.label())
				break
			}
		}
		checks = record(checks, own.check(f, leaf))
	}
	return checks
}
