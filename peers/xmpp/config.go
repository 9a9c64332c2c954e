package xmpp

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"mellium.im/xmpp/jid"

	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers"
	"github.com/edgelab/edgelab/peers/policy"
)

// Port is the server-to-server port (RFC 6120 §14.8).
const Port = 5269

// Config says who an XMPP end is and whom it deals with. One Config serves a host's acceptor and its initiators, so
// that dialback keys made by one are known to the other.
type Config struct {
	Host    *peers.Host
	Domains []string // the domains it serves
	// Partners returns the rules for a remote domain, false for a domain it doesn't deal with. They stand above
	// what the product does on its own: where they allow dialback, a certificate that the product would reject
	// leads to dialback, and where they don't, one that would lead to dialback is rejected. nil: deal with every
	// domain, by the product's own behaviour.
	Partners func(domain string) (topology.Allowed, bool)
	// DialbackSecret is what dialback keys are made from (XEP-0185). Needed where dialback is allowed.
	DialbackSecret string
	// Random is read for stream and stanza IDs; nil: crypto/rand.
	Random io.Reader

	// limit, if set, changes the time that one phase has: tests let it run out in the phase they mean.
	limit func(phase string, d time.Duration) time.Duration
}

// A Call is one leg to run.
type Call struct {
	From, To string // own and remote domain
	Record   *verdict.Record
}

func (c *Config) check() error {
	switch {
	case c.Host == nil || c.Host.Product == nil || c.Host.Net == nil || c.Host.DNS == nil || c.Host.Journal == nil || c.Host.Now == nil:
		return errors.New("XMPP: the host needs a product, a network, a resolver, a journal and a date")
	case len(c.Domains) == 0:
		return fmt.Errorf("XMPP on %s: it serves no domain", c.Host.Actor)
	}
	for _, d := range c.Domains {
		if _, err := domainOf(d); err != nil {
			return fmt.Errorf("XMPP on %s: %w", c.Host.Actor, err)
		}
	}
	return nil
}

// serves reports whether domain is one of the own domains.
func (c *Config) serves(domain string) bool {
	return slices.ContainsFunc(c.Domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

func (c *Config) timeouts() peers.Timeouts {
	t := c.Host.Timeouts
	if t.Connect <= 0 {
		t.Connect = peers.DefaultTimeouts.Connect
	}
	if t.Handshake <= 0 {
		t.Handshake = peers.DefaultTimeouts.Handshake
	}
	if t.Exchange <= 0 {
		t.Exchange = peers.DefaultTimeouts.Exchange
	}
	return t
}

// within returns the time that a phase has.
func (c *Config) within(phase string, d time.Duration) time.Duration {
	if c.limit != nil {
		return c.limit(phase, d)
	}
	return d
}

// id returns a fresh identifier that can't be guessed: whoever guesses a stream ID can reuse a dialback key.
func (c *Config) id() (string, error) {
	r := c.Random
	if r == nil {
		r = rand.Reader
	}
	b := make([]byte, 12)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", fmt.Errorf("XMPP on %s: no randomness for an ID: %w", c.Host.Actor, err)
	}
	return hex.EncodeToString(b), nil
}

// domainOf parses a bare domain.
func domainOf(s string) (jid.JID, error) {
	j, err := jid.Parse(s)
	if err != nil {
		return jid.JID{}, fmt.Errorf("%q is no XMPP domain: %w", s, err)
	}
	if j.Localpart() != "" || j.Resourcepart() != "" {
		return jid.JID{}, fmt.Errorf("%q is no XMPP domain: it names a user", s)
	}
	return j, nil
}

// rules are what one end may do with one remote domain, in one role.
type rules struct {
	behaviour policy.Behaviour
	allowed   topology.Allowed
	explicit  bool // allowed comes from Config.Partners
	methods   []Method
}

// rulesFor returns the rules for a remote domain; ok is false if it isn't dealt with.
func (c *Config) rulesFor(domain string, role policy.Role) (r rules, ok bool, err error) {
	r.behaviour, err = c.Host.Product.Behaviour(role, c.Host.Settings)
	if err != nil {
		return rules{}, false, fmt.Errorf("XMPP on %s: %w", c.Host.Actor, err)
	}
	if c.Partners == nil {
		r.allowed = AllowedBy(r.behaviour)
	} else {
		r.explicit = true
		if r.allowed, ok = c.Partners(domain); !ok {
			return r, false, nil
		}
		r.allowed = withDefaults(r.allowed)
	}
	r.methods = Methods(r.allowed)
	if !r.behaviour.External {
		r.methods = slices.DeleteFunc(r.methods, func(m Method) bool { return m == SASLOverTLS })
	}
	if len(r.methods) == 0 {
		return r, false, fmt.Errorf("XMPP on %s: TLS %s, SASL %s, dialback %t leaves no way to authenticate %s", c.Host.Actor, r.allowed.TLS, r.allowed.SASL, r.allowed.Dialback, domain)
	}
	if c.DialbackSecret == "" && (r.may(DialbackOverTLS) || r.may(DialbackOverTCP)) {
		return r, false, fmt.Errorf("XMPP on %s: dialback with %s is allowed, and there is no secret to make keys from", c.Host.Actor, domain)
	}
	return r, true, nil
}

func (r rules) may(m Method) bool { return slices.Contains(r.methods, m) }

// dialback reports whether dialback is allowed on a stream with or without TLS.
func (r rules) dialback(secure bool) bool {
	if secure {
		return r.may(DialbackOverTLS)
	}
	return r.may(DialbackOverTCP)
}

// settle puts the rules for the partner above the product's own consequence.
func (r rules) settle(j verdict.Judgement) verdict.Judgement {
	switch {
	case j.Outcome == verdict.OutcomeFallback && !r.may(DialbackOverTLS):
		j.Outcome = verdict.OutcomeRejected
	case j.Code == verdict.ProductDefect: // no setting keeps a product from breaking down
	case j.Outcome == verdict.OutcomeRejected && j.Layer == verdict.Application && r.explicit && r.may(DialbackOverTLS):
		j.Outcome = verdict.OutcomeFallback
	}
	return j
}
