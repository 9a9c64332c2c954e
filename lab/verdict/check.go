package verdict

// A SourceKind says how a rule is known.
type SourceKind string

const (
	Documented    SourceKind = "documented" // a standard or a vendor's page, with section or date
	Measured      SourceKind = "measured"   // seen in the named version of the real product
	UnknownSource SourceKind = "unknown"    // nothing settles it; a leg that hinges on it says so
)

// A Source is where a rule comes from.
type Source struct {
	Kind SourceKind `json:"kind" yaml:"kind"`
	Ref  string     `json:"ref" yaml:"ref"` // "RFC 6120 §13.7.2", "OpenSSL 3.0.17, conformance row eku-any/client"
}

func (s Source) String() string {
	if s.Ref == "" {
		return string(s.Kind)
	}
	return s.Ref
}

// A Layer is where a judgement takes effect.
type Layer string

const (
	TLS         Layer = "tls"         // the handshake is refused with an alert
	Application Layer = "application" // the handshake is let through; SIP or XMPP says no
)

// A Check is one question put to a certificate, with its answer.
type Check struct {
	Name        string `json:"check"`             // "eku", "name", "validity", "chain", …: see policy.CheckNames
	OK          bool   `json:"ok"`                // false with Unknown set means: no source settles it
	Unknown     bool   `json:"unknown,omitempty"` // the answer hinges on an unknown rule
	Code        Code   `json:"code,omitempty"`    // the verdict that this check leads to when it fails
	First       bool   `json:"first,omitempty"`   // the failure that the product itself would report
	Rule        string `json:"rule"`              // in words: "the leaf's EKU must list clientAuth"
	RuleID      string `json:"ruleId"`            // stable: "openssl/eku-client"
	Source      Source `json:"source"`
	Detail      string `json:"detail"` // what was asked for and what was there
	Certificate string `json:"certificate,omitempty"`
}

// An Outcome is what a judge decides about its peer.
type Outcome string

const (
	OutcomeTrusted  Outcome = "trusted"
	OutcomeRejected Outcome = "rejected"
	OutcomeFallback Outcome = "fallback-dialback" // not trusted by certificate; dialback may still vouch for it
	OutcomeUnknown  Outcome = "unknown"
)

// A Judgement is one product's answer to one presented chain, in one role.
type Judgement struct {
	Product string  `json:"product"`
	Role    string  `json:"role"` // "acceptor" or "initiator"
	Outcome Outcome `json:"outcome"`
	Layer   Layer   `json:"layer"`
	Code    Code    `json:"verdict"`
	Alert   uint8   `json:"alert,omitempty"` // TLS alert that the product sends; 0: none
	Checks  []Check `json:"checks"`
}

// Failed returns the checks that failed, the one the product reports first leading.
func (j Judgement) Failed() []Check {
	var first, rest []Check
	for _, c := range j.Checks {
		switch {
		case c.OK:
		case c.First:
			first = append(first, c)
		default:
			rest = append(rest, c)
		}
	}
	return append(first, rest...)
}
