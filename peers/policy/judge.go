package policy

import (
	"crypto/tls"
	"slices"

	"github.com/edgelab/edgelab/lab/verdict"
)

// Handshake answers for the TLS stack: does it let the handshake through? Outcome is rejected, with the alert, if it
// doesn't. A product that lets bad chains through and decides later has Outcome trusted here, and the failed checks
// in Checks. A Question that the product has no answer to (a role it never takes, a setting it doesn't have) gives
// Outcome unknown.
func (p *Product) Handshake(q Question) verdict.Judgement {
	j := verdict.Judgement{Product: p.ID(), Role: string(q.Role), Layer: verdict.TLS, Outcome: verdict.OutcomeTrusted, Code: verdict.Trusted}
	r, err := p.role(q.Role, q.Settings)
	if err != nil {
		j.Outcome, j.Code = verdict.OutcomeUnknown, verdict.Unknown
		return j
	}
	s := p.stacks[q.Role]
	if len(q.Chain) == 0 {
		return p.absent(q, r, j)
	}
	way, checks := p.askStack(&q, s, r)
	j.Checks = p.askOwn(checks, &inquiry{q: &q, purpose: r.Purpose, path: way}, r, verdict.TLS)
	p.decide(&j, &q, func(c *verdict.Check) consequence {
		if to := p.consequence(c, r, q.Role); to == refuseTLS {
			return to
		}
		return carryOn
	})
	return j
}

// askOwn puts the product's own rules of one layer, but for those about names, to a path.
func (p *Product) askOwn(checks []verdict.Check, in *inquiry, r roleFile, layer verdict.Layer) []verdict.Check {
	for i := range p.file.Rules {
		own := &p.file.Rules[i]
		if own.Layer != layer || checkers[own.Check].ask == nil || !p.asks(own, in.q, r) {
			continue
		}
		for depth := range in.path.certs {
			if in.concerns(own.Certs, depth) {
				c := answer(own, in, depth)
				checks = p.place(checks, c, in.q.Role, layer == verdict.TLS)
			}
		}
	}
	return checks
}

// absent judges a peer that shows no certificate.
func (p *Product) absent(q Question, r roleFile, j verdict.Judgement) verdict.Judgement {
	own := p.presence(q.Role, q.Settings)
	if own == nil {
		return j
	}
	j.Checks = []verdict.Check{{
		Name: own.Check, Code: verdict.NoClientCert, Rule: own.Words, RuleID: own.ID, Source: own.Source,
		Unknown: own.Unknown, Detail: "the peer showed no certificate",
	}}
	if r.Missing == refuseTLS {
		p.decide(&j, &q, func(*verdict.Check) consequence { return r.Missing })
	}
	return j
}

// presence returns the rule that a certificate must be shown, or nil.
func (p *Product) presence(role Role, settings map[string]string) *rule {
	for i := range p.file.Rules {
		r := &p.file.Rules[i]
		if r.Check == checkPresence && r.ID != p.off && (r.Role == "" || r.Role == role) && p.under(r.If, settings, role) {
			return r
		}
	}
	return nil
}

// asks reports whether the product asks a rule here.
func (p *Product) asks(r *rule, q *Question, role roleFile) bool {
	switch {
	case r.ID == p.off,
		r.Role != "" && r.Role != q.Role,
		r.Purpose != "" && r.Purpose != role.Purpose,
		r.TLS == "1.3" && q.TLS != tls.VersionTLS13,
		r.TLS == "1.2" && q.TLS == tls.VersionTLS13:
		return false
	}
	return len(r.If) == 0 || p.under(r.If, q.Settings, q.Role)
}

// askStack puts the stack's rules to the chain, along the path on which the fewest fail.
func (p *Product) askStack(q *Question, s *stack, r roleFile) (*path, []verdict.Check) {
	b := &builder{rules: &s.path, at: q.At, signatures: q.Signatures, store: q.Signatures.store(q.Roots)}
	for _, c := range q.Chain {
		b.presented = append(b.presented, newCert(c, false))
	}
	var best []verdict.Check
	var taken *path
	fewest := -1
	for _, way := range b.paths() {
		checks := p.askPath(&inquiry{q: q, purpose: r.Purpose, path: way}, s, r)
		failed := 0
		for i := range checks {
			if !checks[i].OK {
				failed++
			}
		}
		if fewest < 0 || failed < fewest {
			taken, best, fewest = way, checks, failed
		}
		if failed == 0 {
			break
		}
	}
	return taken, best
}

// askPath puts the stack's rules to one path, in the stack's order.
func (p *Product) askPath(in *inquiry, s *stack, r roleFile) []verdict.Check {
	checks := make([]verdict.Check, 0, len(s.rules))
	n := len(in.path.certs)
	if in.path.leafTrusted && s.path.LeafUnchecked {
		return checks
	}
	for _, st := range s.phases {
		var asked [maxPhase]bool
		for step := range n {
			i := step
			if st.walk == walkDown {
				i = n - 1 - step
			}
			for k, rule := range st.rules {
				if step == 0 {
					asked[k] = p.asks(rule, in.q, r) && !slices.Contains(p.file.Drop, rule.ID)
				}
				if !asked[k] || !in.concerns(rule.Certs, i) {
					continue
				}
				checks = record(checks, answer(rule, in, i))
			}
		}
	}
	return checks
}

// record adds an answer: one line for a rule that every certificate passes, one for each that fails.
func record(checks []verdict.Check, c verdict.Check) []verdict.Check {
	at := slices.IndexFunc(checks, func(o verdict.Check) bool { return o.RuleID == c.RuleID })
	switch {
	case at < 0:
	case c.OK:
		return checks
	case checks[at].OK:
		checks = slices.Delete(checks, at, at+1)
	}
	return append(checks, c)
}

// answer puts one rule to one certificate.
func answer(r *rule, in *inquiry, i int) verdict.Check {
	return r.check(checkers[r.Check].ask(in, r, i), in.path.certs[i])
}

func (r *rule) check(f finding, c *cert) verdict.Check {
	check := verdict.Check{Name: r.Check, OK: f.ok, Rule: r.Words, RuleID: r.ID, Source: r.Source, Detail: f.detail}
	if f.ok {
		return check
	}
	check.Unknown = f.unknown || r.Unknown
	check.Code = f.code
	if r.Code != "" {
		check.Code = r.Code
	}
	check.Certificate = c.label()
	return check
}

// Identify adds to what Handshake found whether the certificate names whom the judge looks for, and what the
// application makes of everything.
func (p *Product) Identify(q Question, h verdict.Judgement) verdict.Judgement {
	j := h
	j.Checks = slices.Clone(h.Checks)
	r, err := p.role(q.Role, q.Settings)
	if err != nil {
		return j
	}
	if len(q.Chain) > 0 {
		leaf := newCert(q.Chain[0], false)
		j.Checks = p.askDefects(j.Checks, leaf, &q, r)
		j.Checks = p.askOwn(j.Checks, &inquiry{q: &q, purpose: r.Purpose, path: &path{certs: []*cert{leaf}}}, r, verdict.Application)
		for i := range p.file.Rules {
			if own := &p.file.Rules[i]; own.Check == checkName && r.Reference != RefNone && p.asks(own, &q, r) {
				j.Checks = p.place(j.Checks, own.check(askName(leaf, own.Name, q.Name), leaf), q.Role, r.Name == refuseTLS)
			}
		}
	}
	for i := range p.file.Rules {
		if own := &p.file.Rules[i]; own.Check == checkUnused && p.asks(own, &q, r) {
			j.Checks = append(j.Checks, verdict.Check{Name: own.Check, Code: verdict.PlaintextDialback, Rule: own.Words,
				RuleID: own.ID, Source: own.Source, Detail: "no certificate is looked at"})
		}
	}
	p.decide(&j, &q, func(c *verdict.Check) consequence { return p.consequence(c, r, q.Role) })
	return j
}

// place puts the answer to one of the product's own rules where it is asked: at the place that the stack has for such
// checks if the stack asks it, else after everything.
func (p *Product) place(checks []verdict.Check, c verdict.Check, role Role, inStack bool) []verdict.Check {
	s := p.stacks[role]
	rank, ok := s.rank[c.Name]
	if !inStack || !ok {
		return record(checks, c)
	}
	at := slices.IndexFunc(checks, func(o verdict.Check) bool {
		other, known := s.rank[o.RuleID]
		return known && other > rank
	})
	if at < 0 {
		return record(checks, c)
	}
	return slices.Insert(checks, at, c)
}

// consequence says what a failed check leads to.
func (p *Product) consequence(c *verdict.Check, r roleFile, role Role) consequence {
	switch c.Name {
	case checkPresence, checkUnused:
		return r.Missing
	case checkName:
		return r.Name
	case checkDefect:
		if r.Name == carryOn {
			return carryOn // it doesn't look
		}
		return refuseApp
	}
	own := p.rule(c.RuleID, role)
	switch {
	case own == nil:
	case own.Fatal:
		return refuseTLS
	case own.Layer == verdict.Application:
		return r.Name
	}
	return r.Chain
}

// weight orders consequences: the gravest failure decides the outcome.
func (c consequence) weight() int {
	return slices.Index([]consequence{carryOn, notSettled, fallBack, refuseApp, refuseTLS}, c)
}

// decide draws the outcome from the failed checks. A failure that some source settles beats one that none does.
func (p *Product) decide(j *verdict.Judgement, q *Question, consequenceOf func(*verdict.Check) consequence) {
	var decisive *verdict.Check
	worst := carryOn
	for i := range j.Checks {
		c := &j.Checks[i]
		c.First = false
		if c.OK {
			continue
		}
		to := consequenceOf(c)
		if c.Unknown && to != carryOn {
			to = notSettled
		}
		if to.weight() > worst.weight() {
			worst, decisive = to, c
		}
	}
	j.Alert = 0
	switch worst {
	case carryOn:
		j.Outcome, j.Code, j.Layer = verdict.OutcomeTrusted, verdict.Trusted, verdict.TLS
		if p.file.Protocol != protocolTLS {
			j.Layer = verdict.Application
		}
		return
	case notSettled:
		j.Outcome, j.Code, j.Layer = verdict.OutcomeUnknown, verdict.Unknown, verdict.Application
		decisive.First = true
		return
	case fallBack:
		j.Outcome, j.Layer = verdict.OutcomeFallback, verdict.Application
	case refuseApp:
		j.Outcome, j.Layer = verdict.OutcomeRejected, verdict.Application
	case refuseTLS:
		j.Outcome, j.Layer = verdict.OutcomeRejected, verdict.TLS
		j.Alert = p.alertFor(decisive, q)
	}
	j.Code = decisive.Code
	decisive.First = true
}

// alertFor returns the alert with which the product refuses a handshake for a failed check.
func (p *Product) alertFor(c *verdict.Check, q *Question) uint8 {
	return p.stacks[q.Role].alert(p.rule(c.RuleID, q.Role), c.Code, alertCase{q.Role, q.TLS == tls.VersionTLS13})
}

// rule returns the rule with an ID that the product asks in a role, or nil.
func (p *Product) rule(id string, role Role) *rule {
	same := func(r *rule) bool { return r.ID == id }
	if i := slices.IndexFunc(p.stacks[role].rules, same); i >= 0 {
		return p.stacks[role].rules[i]
	}
	for i := range p.file.Rules {
		if r := &p.file.Rules[i]; same(r) {
			return r
		}
	}
	return nil
}

// Judge answers for stack and application together.
func (p *Product) Judge(q Question) verdict.Judgement { return p.Identify(q, p.Handshake(q)) }
