package policy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A Conduct is how a product acts in a role, beyond the questions that it puts to certificates: what it asks for, whom
// it looks for, and what a failure leads to.
type Conduct struct {
	Role   Role              `json:"role"`
	Under  map[string]string `json:"under,omitempty"` // the settings under which it does; empty: unless a later one says otherwise
	Words  []string          `json:"words"`
	Source verdict.Source    `json:"source"`
}

// Roles returns the roles that the product takes.
func (p *Product) Roles() []Role {
	return slices.Sorted(maps.Keys(p.file.Roles))
}

// Conduct returns how the product acts in each of its roles: as packaged first, and then what settings change.
func (p *Product) Conduct() []Conduct {
	var out []Conduct
	for _, role := range p.Roles() {
		f := p.file.Roles[role]
		base := roleCase{Want: f.Want, Reference: f.Reference, Purpose: f.Purpose, Chain: f.Chain, Name: f.Name, Missing: f.Missing, StartTLS: f.StartTLS}
		if p.file.Protocol == "xmpp" {
			base.External, base.Dialback = &f.External, &f.Dialback
		}
		words := base.words(role)
		if f.NeedsClientEKU {
			words = append(words, "sends no certificate of its own that lacks the client EKU")
		}
		if f.MinTLS != "" || f.MaxTLS != "" {
			words = append(words, "speaks TLS "+cmp.Or(f.MinTLS, "1.2")+" to "+cmp.Or(f.MaxTLS, "1.3"))
		}
		out = append(out, Conduct{Role: role, Words: words, Source: f.Source})
		for i := range f.Cases {
			c := &f.Cases[i]
			out = append(out, Conduct{Role: role, Under: maps.Clone(c.If), Words: c.words(role), Source: c.Source})
		}
	}
	return out
}

// words says what a case sets.
func (c *roleCase) words(role Role) []string {
	var out []string
	say := func(text string) {
		if text != "" {
			out = append(out, text)
		}
	}
	if role == Acceptor {
		say(map[Want]string{
			WantNone:     "doesn't ask for a certificate",
			WantOptional: "asks for a certificate, and goes on without one",
			WantRequired: "asks for a certificate, and refuses a peer that has none",
		}[c.Want])
	}
	say(map[purpose]string{
		purposeServer: "verifies the certificate as a server's",
		purposeClient: "verifies the certificate as a client's",
		purposeNone:   "verifies the certificate for no purpose in particular",
	}[c.Purpose])
	if c.Reference == RefNone {
		say("compares no names")
	} else if c.Reference != "" {
		say("looks for " + c.Reference.Words() + " in the certificate")
	}
	say(map[string]string{
		"required":      "demands STARTTLS",
		"optional":      "takes STARTTLS if the peer does",
		"not-supported": "has no STARTTLS",
	}[c.StartTLS])
	for _, f := range []struct {
		has     *bool
		yes, no string
	}{
		{c.External, "takes a certificate by SASL EXTERNAL", "does without SASL EXTERNAL"},
		{c.Dialback, "takes dialback", "does without dialback"},
	} {
		switch {
		case f.has == nil:
		case *f.has:
			say(f.yes)
		default:
			say(f.no)
		}
	}
	for _, f := range []struct {
		what string
		to   consequence
	}{{"no certificate", c.Missing}, {"a chain that fails", c.Chain}, {"a name that fails", c.Name}} {
		if f.to != "" {
			say(f.what + ": " + f.to.words())
		}
	}
	return out
}

func (c consequence) words() string {
	return map[consequence]string{
		refuseTLS:  "refused with a TLS alert",
		refuseApp:  "refused by the application after the handshake",
		fallBack:   "left to dialback",
		carryOn:    "ignored",
		notSettled: "unknown, no source says what becomes of it",
	}[c]
}

// Words says which name a product looks for, as in "the host it connected to".
func (r Reference) Words() string {
	return map[Reference]string{
		RefNone:        "no name",
		RefHost:        "the host it connected to",
		RefDomain:      "the domain of the stream, of From or of the request URI",
		RefSRVTarget:   "the host that the SRV record of the From domain leads to",
		RefProvisioned: "the FQDN that its administrator entered",
	}[r]
}
