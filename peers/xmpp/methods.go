package xmpp

import (
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/peers/policy"
)

// A Method is a way in which a partner's stream may end up authenticated. The names are those of the topic
// "Negotiation settings for XMPP federated partners" (2012-10-21).
type Method string

const (
	SASLOverTLS     Method = "SASL/TLS"     // SASL EXTERNAL with the certificate shown in TLS (XEP-0178)
	DialbackOverTLS Method = "TLS dialback" // XEP-0220 on an encrypted stream
	DialbackOverTCP Method = "TCP dialback" // XEP-0220 on a plain stream
)

// Methods returns the ways in which a stream may be authenticated under a partner's settings, as the matrix of that
// topic has them. None means that the combination is invalid. TLS and SASL both required leave nothing for dialback
// to do, even where it is turned on.
func Methods(a topology.Allowed) []Method {
	var out []Method
	if a.TLS != topology.NotSupported && a.SASL != topology.NotSupported {
		out = append(out, SASLOverTLS)
	}
	if a.Dialback && a.TLS != topology.NotSupported && (a.TLS != topology.Required || a.SASL != topology.Required) {
		out = append(out, DialbackOverTLS)
	}
	if a.Dialback && a.TLS != topology.Required {
		out = append(out, DialbackOverTCP)
	}
	return out
}

// AllowedBy returns the settings that describe what a product does on its own.
func AllowedBy(b policy.Behaviour) topology.Allowed {
	a := topology.Allowed{TLS: topology.Negotiation(b.TLS), SASL: topology.NotSupported, Dialback: b.Dialback}
	switch {
	case b.External && b.Dialback:
		a.SASL = topology.Optional
	case b.External:
		a.SASL = topology.Required
	}
	return withDefaults(a)
}

// withDefaults fills in what New-CsXmppAllowedPartner assumes for settings that aren't given.
func withDefaults(a topology.Allowed) topology.Allowed {
	if a.TLS == "" {
		a.TLS = topology.Required
	}
	if a.SASL == "" {
		a.SASL = topology.Required
	}
	return a
}
