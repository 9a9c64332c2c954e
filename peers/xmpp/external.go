package xmpp

import (
	"mellium.im/sasl"
)

// external is SASL EXTERNAL (RFC 4422 appendix A), which mellium.im/sasl doesn't have. The initiating side sends
// nothing and so asks for the identity of its stream's from, as XEP-0178 §3 has it. The receiving side compares what it
// is sent, if anything, with the domain that the certificate was judged for.
func external(domain string) sasl.Mechanism {
	return sasl.Mechanism{
		Name: "EXTERNAL",
		Start: func(*sasl.Negotiator) (bool, []byte, any, error) {
			return false, nil, nil, nil
		},
		Next: func(_ *sasl.Negotiator, identity []byte, _ any) (bool, []byte, any, error) {
			if len(identity) > 0 {
				j, err := domainOf(string(identity))
				if err != nil || j.String() != domain {
					return false, nil, nil, sasl.ErrAuthn
				}
			}
			return false, nil, nil, nil
		},
	}
}
