package policy

import (
	"crypto/x509"

	"github.com/edgelab/edgelab/lab/verdict"
)

// HasGate reports whether the product is known to refuse some certificates of its own in a role.
func (p *Product) HasGate(role Role) bool {
	for i := range p.file.Rules {
		if r := &p.file.Rules[i]; r.Check == checkOwn && r.ID != p.off && (r.Role == "" || r.Role == role) {
			return true
		}
	}
	return false
}

// Own answers for the gate before any handshake: does the product take a certificate as its own, to show it in a role?
// Some refuse to install one, some install it and don't send it. Outcome is rejected if it doesn't, unknown if no source
// says, and trusted otherwise, also for a product without such a gate.
func (p *Product) Own(role Role, leaf *x509.Certificate, settings map[string]string) verdict.Judgement {
	j := verdict.Judgement{Product: p.ID(), Role: string(role), Layer: verdict.Application}
	r, err := p.role(role, settings)
	if err != nil {
		j.Outcome, j.Code = verdict.OutcomeUnknown, verdict.Unknown
		return j
	}
	purpose := purposeServer
	if role == Initiator {
		purpose = purposeClient
	}
	q := Question{Role: role, Settings: settings}
	in := &inquiry{q: &q, purpose: purpose, path: &path{certs: []*cert{newCert(leaf, false)}}}
	for i := range p.file.Rules {
		if own := &p.file.Rules[i]; own.Check == checkOwn && p.asks(own, &q, r) {
			j.Checks = record(j.Checks, own.check(askEKU(in, own, 0), in.path.certs[0]))
		}
	}
	p.decide(&j, &q, func(*verdict.Check) consequence { return refuseApp })
	j.Layer = verdict.Application
	return j
}
