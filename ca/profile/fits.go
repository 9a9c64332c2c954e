package profile

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// A Severity says how much a finding weighs.
type Severity string

// The severities.
const (
	Error     Severity = "error"   // it can't be had from this issuer at this date
	Warning   Severity = "warning" // it can be had, and something must be done or will go wrong
	Unsettled Severity = "unknown" // no source says whether it can be had
)

// A Finding is one thing about an order that an issuer's offer doesn't simply meet.
type Finding struct {
	Rule     string         `json:"rule"` // stable: "client-eku-gone"
	Severity Severity       `json:"severity"`
	Field    Field          `json:"field"`
	Detail   string         `json:"detail"`
	Date     Date           `json:"date,omitzero"` // since when, or of a warning about what is to come, from when
	WayOut   []string       `json:"way-out,omitempty"`
	Source   verdict.Source `json:"source,omitzero"` // zero: there is none
}

func (f Finding) String() string {
	text := string(f.Severity) + ": " + f.Detail
	if f.Source.Ref != "" {
		text += " [" + f.Source.Ref + "]"
	}
	return text
}

// Fits holds an order, issued at the offer's date, against the offer. It returns what can't be had, what must be asked
// for and what no source settles, in a fixed order; none: the issuer sells it as it stands.
func (o Offer) Fits(order plan.Order) []Finding {
	c := fitting{Offer: o, order: order}
	c.clientEKU()
	c.usages()
	c.lifetime()
	c.names()
	c.key()
	c.revocation()
	return c.found
}

type fitting struct {
	Offer
	order plan.Order
	found []Finding
}

// add notes a finding that a line is the reason for.
func (c *fitting) add(rule string, severity Severity, l Line, wayOut []string, format string, args ...any) {
	detail := fmt.Sprintf(format, args...)
	if l.Note != "" {
		detail += " (" + l.Note + ")"
	}
	c.found = append(c.found, Finding{Rule: rule, Severity: severity, Field: l.Field, Detail: detail, Date: l.From, WayOut: wayOut, Source: l.Source})
}

// unknown notes that no source says whether something can be had.
func (c *fitting) unknown(rule string, l Line, what string) {
	c.add(rule, Unsettled, l, []string{"ask " + c.Profile.Title + " before you order"}, "no source says %s", what)
}

func isClient(u plan.Usage) bool { return u == plan.Client || u == "1.3.6.1.5.5.7.3.2" }
func isServer(u plan.Usage) bool { return u == plan.Server || u == "1.3.6.1.5.5.7.3.1" }
func isAny(u plan.Usage) bool    { return u == plan.Any || u == "2.5.29.37.0" }

func (c *fitting) clientEKU() {
	if !slices.ContainsFunc(c.order.EKUs, isClient) {
		return
	}
	l, known := c.Get(ClientEKU)
	switch a := c.ClientEKU(); {
	case !known:
		c.unknown("client-eku-unknown", l, "whether "+c.Profile.Title+" sells the client EKU")
		return
	case a == Gone:
		c.add("client-eku-gone", Error, l, c.waysWithoutClientEKU(), "%s hasn't sold the client EKU since %s", c.Profile.Title, c.since(l))
		return
	case a == OptIn:
		c.add("client-eku-opt-in", Warning, l, []string{"ask for the client EKU when you order, and look for it in what comes"},
			"%s puts the client EKU in only if asked", c.Profile.Title)
	}
	if end, ok := c.Ends(); ok {
		way := []string{fmt.Sprintf("renew before %s: what was issued until then keeps the client EKU until it expires", end.From)}
		c.add("client-eku-ends", Warning, end, append(way, c.waysWithoutClientEKU()...), "%s sells no client EKU from %s on", c.Profile.Title, end.From)
	}
	c.nesting()
}

// nesting is about stacks that ask the intermediate too.
func (c *fitting) nesting() {
	l, known := c.Get(IntermediateEKU)
	if !known {
		c.unknown("intermediate-eku-unknown", l, "whether the intermediate of "+c.Profile.Title+" allows the client EKU; "+
			"OpenSSL, GnuTLS, Go and Erlang refuse the leaf's if it doesn't")
		return
	}
	if !slices.Contains(l.words(), "none") && !slices.ContainsFunc(l.words(), func(w string) bool { return isClient(plan.Usage(w)) }) {
		c.add("intermediate-eku", Error, l, c.waysWithoutClientEKU(),
			"the intermediate of %s is for servers only: OpenSSL, GnuTLS, Go and Erlang refuse a client EKU below it", c.Profile.Title)
	}
}

func (c *fitting) since(l Line) string {
	if l.From.IsZero() {
		return "any time"
	}
	return l.From.String()
}

// TwoCertificates is the way out that only some products can take: policy.Product.TwoCertificates says which.
const TwoCertificates = "two certificates: this one for the server role, one of a private CA for the client role; the partners must trust that CA"

// waysWithoutClientEKU are what to do when an issuer sells no client EKU.
func (c *fitting) waysWithoutClientEKU() []string {
	ways := []string{TwoCertificates}
	var others []string
	for _, p := range c.all.Selling(c.Date) {
		if p.ID != c.Profile.ID {
			others = append(others, p.ID)
		}
	}
	if len(others) > 0 {
		ways = append(ways, "another issuer or root that sells it on that day: "+strings.Join(others, ", ")+"; the partner must trust its root")
	}
	return append(ways, "the partner judges the certificate of a connecting server by the server purpose, or not by EKU at all")
}

func (c *fitting) usages() {
	trust, _ := c.Get(Trust)
	if trust.Value != TrustBrowsers {
		return
	}
	rules := trust
	rules.Source, rules.From, rules.Note = verdict.Source{Kind: verdict.Documented, Ref: "BR 2.2.6 §7.1.2.7.10"}, Date{}, ""
	if !slices.ContainsFunc(c.order.EKUs, isServer) {
		c.add("server-eku", Error, rules, []string{"order it with the server EKU, or from a private CA"},
			"a certificate that browsers trust must list the server EKU")
	}
	for _, u := range c.order.EKUs {
		switch {
		case isAny(u):
			c.add("any-eku", Error, rules, []string{"list the usages one by one, or order from a private CA"}, "anyExtendedKeyUsage isn't allowed")
		case !isServer(u) && !isClient(u):
			rules.Source = verdict.Source{}
			c.unknown("other-eku-unknown", rules, fmt.Sprintf("whether %s sells the EKU %s", c.Profile.Title, u))
		}
	}
}

func (c *fitting) lifetime() {
	l, known := c.Get(Lifetime)
	if !known {
		c.unknown("lifetime-unknown", l, "how long "+c.Profile.Title+" lets a certificate live")
		return
	}
	if n := days(c.order); n > number(l) {
		c.add("lifetime", Error, l, []string{fmt.Sprintf("order it for %d days, and plan the renewals", number(l))},
			"%d days are too long: %d are the most", n, number(l))
	}
}

// days is the validity in days, a started one counted whole; both ends belong to it (BR §6.3.2, RFC 5280 §4.1.2.5).
func days(o plan.Order) int {
	d := o.NotAfter.Sub(o.NotBefore) + time.Second
	return int((d + 24*time.Hour - 1) / (24 * time.Hour))
}

func isWildcard(n plan.Name) bool { return n.Kind == plan.DNSName && strings.Contains(n.Value, "*") }

func (c *fitting) names() {
	kinds, known := c.Get(SANKinds)
	var foreign, internal, wild []string
	for _, n := range c.order.SANs {
		switch {
		case known && !slices.Contains(kinds.words(), string(n.Kind)):
			foreign = append(foreign, n.String())
		case n.Kind == plan.DNSName && isInternal(n.Value):
			internal = append(internal, n.Value)
		}
		if isWildcard(n) {
			wild = append(wild, n.Value)
		}
	}
	if len(foreign) > 0 {
		c.add("san-kind", Error, kinds, []string{"leave it out, or order from a private CA"}, "%s can't be a SAN", strings.Join(foreign, ", "))
	}
	if !known && slices.ContainsFunc(c.order.SANs, func(n plan.Name) bool { return n.Kind != plan.DNSName }) {
		c.unknown("san-kind-unknown", kinds, "which kinds of SAN "+c.Profile.Title+" sells")
	}
	if l, known := c.Get(PublicNames); known && l.Value == "yes" && len(internal) > 0 {
		c.add("internal-name", Error, l, []string{"use a name of a public domain, or an internal CA"},
			"%s isn't a name that a public CA can vouch for", strings.Join(internal, ", "))
	}
	if l, known := c.Get(Wildcard); len(wild) > 0 && !known {
		c.unknown("wildcard-unknown", l, "whether "+c.Profile.Title+" sells wildcards")
	} else if len(wild) > 0 && l.Value == "no" {
		c.add("wildcard", Error, l, []string{"list the names one by one"}, "no wildcards are sold: %s", strings.Join(wild, ", "))
	}
	if l, known := c.Get(MaxNames); known && len(c.order.SANs) > number(l) {
		c.add("max-names", Error, l, []string{"split the order"}, "%d names are too many: %d are the most", len(c.order.SANs), number(l))
	}
	c.subject()
}

func (c *fitting) subject() {
	l, known := c.Get(CommonName)
	if !known || c.order.Subject == "" {
		return
	}
	repeated := slices.ContainsFunc(c.order.SANs, func(n plan.Name) bool { return n.Kind == plan.DNSName && n.Value == c.order.Subject })
	switch {
	case l.Value == "no":
		c.add("common-name", Warning, l, []string{"see that every partner looks at the SAN only"}, "the subject name is left out")
	case l.Value == "san" && !repeated:
		c.add("common-name", Error, l, []string{"repeat the subject name among the SANs"}, "the subject name %q must be one of the SANs", c.order.Subject)
	}
}

// isInternal reports whether a name isn't below a public top-level domain, or isn't a host name (RFC 1123 §2.1).
func isInternal(name string) bool {
	name = strings.ToLower(strings.TrimPrefix(name, "*."))
	if _, err := netip.ParseAddr(name); err == nil || strings.Contains(name, "_") {
		return true
	}
	suffix, icann := publicsuffix.PublicSuffix(name)
	for !icann && strings.Contains(suffix, ".") { // a private suffix such as github.io lies below one of ICANN's
		_, suffix, _ = strings.Cut(suffix, ".")
		suffix, icann = publicsuffix.PublicSuffix(suffix)
	}
	return !icann
}

func (c *fitting) key() {
	for _, f := range []struct {
		field Field
		value string
	}{{Keys, c.order.Key}, {Hashes, c.order.Hash}} {
		if f.value == "" {
			continue
		}
		if l, known := c.Get(f.field); known && !slices.Contains(l.words(), f.value) {
			c.add(string(f.field), Error, l, []string{"take one of " + strings.Join(l.words(), ", ")}, "%s isn't sold", f.value)
		}
	}
}

// revocation is about the CDP: Lync Server needs one in every server certificate (topic "Certificate infrastructure
// requirements", 2016-06-23), whatever the order says.
func (c *fitting) revocation() {
	l, known := c.Get(CDP)
	switch {
	case known && l.Value == "no":
		c.add("cdp", Error, l, []string{"take another issuer: Lync Server and Skype for Business ask for a CDP in every server certificate"},
			"the certificates of %s name no CRL distribution point", c.Profile.Title)
	case !known || l.Value != "yes":
		c.add("cdp-unknown", Unsettled, l, []string{"look for it in a certificate of theirs: Lync Server and Skype for Business ask for a CDP in every server certificate"},
			"no source says whether the certificates of %s name a CRL distribution point", c.Profile.Title)
	}
}
