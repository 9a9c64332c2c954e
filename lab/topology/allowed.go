package topology

import (
	"fmt"
	"slices"
)

// A Negotiation is one of the three values of -TlsNegotiation and -SaslNegotiation.
type Negotiation string

// The values, as the cmdlet spells them but in small letters.
const (
	Required     Negotiation = "required"
	Optional     Negotiation = "optional"
	NotSupported Negotiation = "not-supported"
)

// Negotiations returns the three values.
func Negotiations() []Negotiation { return []Negotiation{Required, Optional, NotSupported} }

// Allowed is a partner's entry as New-CsXmppAllowedPartner makes it. Defaults: required, required, true, true.
type Allowed struct {
	TLS       Negotiation `json:"tls,omitempty"`
	SASL      Negotiation `json:"sasl,omitempty"`
	Dialback  bool        `json:"dialback"`
	KeepAlive bool        `json:"keep-alive"`
}

// DefaultAllowed is the entry that New-CsXmppAllowedPartner makes without further parameters.
func DefaultAllowed() Allowed {
	return Allowed{TLS: Required, SASL: Required, Dialback: true, KeepAlive: true}
}

// A Method is a way in which an XMPP partner may end up authenticated.
type Method string

// The methods, best first.
const (
	SASLOverTLS Method = "sasl-tls"     // SASL EXTERNAL by the TLS certificate (XEP-0178, RFC 6120 §13.7)
	TLSDialback Method = "tls-dialback" // XEP-0220 inside TLS
	TCPDialback Method = "tcp-dialback" // XEP-0220 without TLS
)

// NegotiationSource is where the combinations of Allowed.Methods are from.
const NegotiationSource = `Lync Server 2013, topic "Negotiation settings for XMPP federated partners" (2012-10-21)`

// A combination is one row of the topic's table.
type combination struct {
	tls, sasl Negotiation
	dialback  bool
	methods   []Method // none: the combination is invalid
	warn      string
}

const (
	warnNeverDialback = "dialback is allowed but never used: SASL over TLS is required"
	warnMayFail       = "may fail: nothing is left if the partner doesn't offer TLS with SASL EXTERNAL"
	warnMayFallBack   = "may fail: SASL is required, yet the partner may end in dialback, with or without TLS"
	warnPlaintext     = "ends in dialback without TLS: SASL EXTERNAL can't run without TLS; the Control Panel refuses this combination, the cmdlet takes it"
)

// combinations is the full table of the topic. Where the same topic's shorter table of common settings says otherwise
// (it adds TCP dialback to required/optional/true) the full one is followed.
var combinations = []combination{
	{Required, Required, true, []Method{SASLOverTLS}, warnNeverDialback},
	{Required, Required, false, []Method{SASLOverTLS}, ""},
	{Optional, Required, true, []Method{SASLOverTLS, TLSDialback, TCPDialback}, warnMayFallBack},
	{Optional, Required, false, []Method{SASLOverTLS}, warnMayFail},
	{NotSupported, Required, true, []Method{TCPDialback}, warnPlaintext},
	{NotSupported, Required, false, nil, ""},
	{Required, Optional, true, []Method{SASLOverTLS, TLSDialback}, ""},
	{Required, Optional, false, []Method{SASLOverTLS}, ""},
	{Optional, Optional, true, []Method{SASLOverTLS, TLSDialback, TCPDialback}, ""},
	{Optional, Optional, false, []Method{SASLOverTLS}, warnMayFail},
	{NotSupported, Optional, true, []Method{TCPDialback}, warnPlaintext},
	{NotSupported, Optional, false, nil, ""},
	{Required, NotSupported, true, []Method{TLSDialback}, ""},
	{Required, NotSupported, false, nil, ""},
	{Optional, NotSupported, true, []Method{TLSDialback, TCPDialback}, ""},
	{Optional, NotSupported, false, nil, ""},
	{NotSupported, NotSupported, true, []Method{TCPDialback}, ""},
	{NotSupported, NotSupported, false, nil, ""},
}

// Methods returns the ways in which a partner with these settings may end up authenticated, best first, and the
// warning that the table attaches to the combination. The error says why a combination is invalid. Source:
// NegotiationSource.
func (a Allowed) Methods() (methods []Method, warn string, err error) {
	for _, c := range combinations {
		if c.tls != a.TLS || c.sasl != a.SASL || c.dialback != a.Dialback {
			continue
		}
		if len(c.methods) == 0 {
			return nil, "", a.invalid()
		}
		return slices.Clone(c.methods), c.warn, nil
	}
	return nil, "", fmt.Errorf("tls %q and sasl %q aren't among %q", a.TLS, a.SASL, Negotiations())
}

func (a Allowed) invalid() error {
	reason := "SASL EXTERNAL can't run without TLS"
	if a.SASL == NotSupported {
		reason = "there is no SASL"
	}
	return fmt.Errorf("tls %s, sasl %s, dialback false leaves no way to authenticate: %s, and dialback is off (%s)",
		a.TLS, a.SASL, reason, NegotiationSource)
}
