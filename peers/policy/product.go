package policy

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A Product judges its peers as one version of one product does, in both roles.
type Product struct {
	file   *productFile
	stacks map[Role]*stack
	off    string // a rule that is never asked
}

// A Rule is one thing that a product asks or does, for people.
type Rule struct {
	ID     string         `json:"id"`
	Check  string         `json:"check"` // a name of CheckNames, or "fact"
	Words  string         `json:"words"`
	Source verdict.Source `json:"source"`
	Role   Role           `json:"role,omitempty"` // empty: both
	Layer  verdict.Layer  `json:"layer"`
	Origin string         `json:"origin"` // the stack or product that the rule belongs to
	// Under are the settings under which the rule is asked, by the product's own names.
	Under map[string]string `json:"under,omitempty"`
}

// protocolTLS is the protocol of a bare stack.
const protocolTLS = "tls"

// factCheck is the Check of rules that no certificate is asked.
const factCheck = "fact"

// ID returns the product's ID, as in "lync-2013".
func (p *Product) ID() string { return p.file.ID }

// Title returns the product's name for people.
func (p *Product) Title() string { return p.file.Title }

// Versions says which versions the policy stands for.
func (p *Product) Versions() string { return p.file.Versions }

// Protocol returns "sip", "xmpp", or "tls" for a bare stack.
func (p *Product) Protocol() string { return p.file.Protocol }

// Note returns what a reader should know beyond the rules, or "".
func (p *Product) Note() string { return p.file.Note }

// Stack returns the title of the TLS stack by which the product judges in a role.
func (p *Product) Stack(role Role) string {
	if s := p.stacks[role]; s != nil {
		return s.title
	}
	return ""
}

// A Setting is one of a product's options.
type Setting struct {
	Name    string   `json:"name"`
	Words   string   `json:"words"`
	Values  []string `json:"values"`
	Default string   `json:"default"` // as packaged
	// DefaultInitiator is the packaged value in the initiator's role.
	DefaultInitiator string         `json:"defaultInitiator"`
	Source           verdict.Source `json:"source"`
}

// Settings returns the product's options, sorted by name.
func (p *Product) Settings() []Setting {
	var out []Setting
	for _, name := range slices.Sorted(maps.Keys(p.file.Settings)) {
		s := p.file.Settings[name]
		out = append(out, Setting{Name: name, Words: s.Words, Values: slices.Clone(s.Values), Default: s.Default, DefaultInitiator: s.packaged(Initiator), Source: s.Source})
	}
	return out
}

// spelt turns any usual spelling of a truth value into the one that the setting's values have.
func (s setting) spelt(v string) string {
	if len(s.Values) == 0 || slices.Contains(s.Values, v) {
		return v
	}
	for _, class := range [][]string{{"true", "yes", "on", "1"}, {"false", "no", "off", "0"}} {
		if !slices.Contains(class, strings.ToLower(v)) {
			continue
		}
		for _, known := range class {
			if slices.Contains(s.Values, known) {
				return known
			}
		}
	}
	return v
}

func (s setting) packaged(role Role) string {
	if role == Initiator && s.Initiator != "" {
		return s.Initiator
	}
	return s.Default
}

// Rules returns everything that the product asks or does, its own rules before its stack's.
func (p *Product) Rules() []Rule {
	var out []Rule
	add := func(r *rule, origin string, role Role) {
		out = append(out, Rule{ID: r.ID, Check: r.Check, Words: r.Words, Source: r.Source, Role: role, Layer: r.Layer, Origin: origin, Under: r.If})
	}
	for _, f := range p.file.Facts {
		out = append(out, Rule{ID: f.ID, Check: factCheck, Words: f.Words, Source: f.Source, Role: f.Role, Layer: verdict.Application, Origin: p.ID(), Under: f.If})
	}
	for i := range p.file.Rules {
		add(&p.file.Rules[i], p.ID(), p.file.Rules[i].Role)
	}
	for _, role := range []Role{Acceptor, Initiator} {
		s := p.stacks[role]
		if s == nil {
			continue
		}
		for _, r := range s.rules {
			if !p.mayAsk(r, role) {
				continue
			}
			if i := slices.IndexFunc(out, func(o Rule) bool { return o.ID == r.ID }); i >= 0 {
				if out[i].Role != role {
					out[i].Role = ""
				}
				continue
			}
			add(r, s.id, role)
		}
	}
	return slices.DeleteFunc(out, func(r Rule) bool { return r.ID == p.off })
}

// mayAsk reports whether a product can ever ask a rule of its stack in a role, under whatever settings.
func (p *Product) mayAsk(r *rule, role Role) bool {
	f := p.file.Roles[role]
	if slices.Contains(p.file.Drop, r.ID) || r.Role != "" && r.Role != role {
		return false
	}
	if r.Purpose == "" || f.Purpose == r.Purpose {
		return true
	}
	return slices.ContainsFunc(f.Cases, func(c roleCase) bool { return c.Purpose == r.Purpose })
}

// Behaviour returns how the product acts in a role under settings. An error names a setting or value that the product
// doesn't have, and the nearest that it has.
func (p *Product) Behaviour(role Role, settings map[string]string) (Behaviour, error) {
	if err := p.checkSettings(settings); err != nil {
		return Behaviour{}, err
	}
	r, err := p.role(role, settings)
	if err != nil {
		return Behaviour{}, err
	}
	b := Behaviour{Want: r.Want, Reference: r.Reference, NeedsClientEKU: r.NeedsClientEKU, TLS: r.StartTLS, External: r.External, Dialback: r.Dialback}
	b.MinTLS, b.MaxTLS = tlsVersion(r.MinTLS, tls.VersionTLS12), tlsVersion(r.MaxTLS, tls.VersionTLS13)
	if b.Want == WantRequired && p.presence(role, settings) == nil {
		b.Want = WantOptional
	}
	return b, nil
}

func tlsVersion(s string, unset uint16) uint16 {
	switch s {
	case "1.0":
		return tls.VersionTLS10
	case "1.2":
		return tls.VersionTLS12
	case "1.3":
		return tls.VersionTLS13
	}
	return unset
}

func (p *Product) checkSettings(settings map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		s, ok := p.file.Settings[name]
		if !ok {
			names := slices.Sorted(maps.Keys(p.file.Settings))
			if len(names) == 0 {
				return fmt.Errorf("%s has no settings, so none called %q", p.ID(), name)
			}
			if n := nearest(name, names); n != "" {
				return fmt.Errorf("%s has no setting %q; did you mean %q?", p.ID(), name, n)
			}
			return fmt.Errorf("%s has no setting %q; it has %s", p.ID(), name, strings.Join(names, ", "))
		}
		if v := s.spelt(settings[name]); len(s.Values) > 0 && !slices.Contains(s.Values, v) {
			if n := nearest(v, s.Values); n != "" {
				return fmt.Errorf("%s: %s can't be %q; did you mean %q?", p.ID(), name, v, n)
			}
			return fmt.Errorf("%s: %s can't be %q; it is one of %s", p.ID(), name, v, strings.Join(s.Values, ", "))
		}
	}
	return nil
}

// under reports whether settings, completed by the packaged values, meet a condition. A condition's value may list
// alternatives between bars.
func (p *Product) under(condition, settings map[string]string, role Role) bool {
	for name, want := range condition {
		s := p.file.Settings[name]
		have := s.packaged(role)
		if v, ok := settings[name]; ok {
			have = s.spelt(v)
		}
		if have != want && !slices.Contains(strings.Split(want, "|"), have) {
			return false
		}
	}
	return true
}

// role returns how the product acts in a role under settings.
func (p *Product) role(role Role, settings map[string]string) (roleFile, error) {
	f := p.file.Roles[role]
	if f == nil {
		if role != Acceptor && role != Initiator {
			return roleFile{}, fmt.Errorf("there is no role %q; the roles are %s and %s", role, Acceptor, Initiator)
		}
		return roleFile{}, fmt.Errorf("%s never acts as %s", p.ID(), role)
	}
	r := *f
	for i := range f.Cases {
		c := &f.Cases[i]
		if !p.under(c.If, settings, role) {
			continue
		}
		r.Want = cmp.Or(c.Want, r.Want)
		r.Reference = cmp.Or(c.Reference, r.Reference)
		r.Purpose = cmp.Or(c.Purpose, r.Purpose)
		r.Chain = cmp.Or(c.Chain, r.Chain)
		r.Name = cmp.Or(c.Name, r.Name)
		r.Missing = cmp.Or(c.Missing, r.Missing)
		r.StartTLS = cmp.Or(c.StartTLS, r.StartTLS)
		r.External = *cmp.Or(c.External, &r.External)
		r.Dialback = *cmp.Or(c.Dialback, &r.Dialback)
	}
	return r, nil
}

func compileProduct(f *productFile, stacks map[string]*stack) (*Product, error) {
	fail := func(format string, args ...any) (*Product, error) {
		return nil, fmt.Errorf("policy: product %s: %s", f.ID, fmt.Sprintf(format, args...))
	}
	switch {
	case f.Title == "" || f.Versions == "":
		return fail("it needs a title and versions")
	case !slices.Contains([]string{"sip", "xmpp", protocolTLS}, f.Protocol):
		return fail("the protocol %q is none of sip, xmpp, tls", f.Protocol)
	case len(f.Roles) == 0:
		return fail("it has no role")
	}
	p := &Product{file: f, stacks: map[Role]*stack{}}
	if err := f.TwoCertificates.check(); err != nil {
		return fail("%v", err)
	}
	for name, s := range f.Settings {
		if err := checkSource(s.Source); err != nil || s.Words == "" {
			return fail("setting %s: words and a source are needed (%v)", name, err)
		}
		if len(s.Values) > 0 && !slices.Contains(s.Values, s.Default) {
			return fail("setting %s: the packaged value %q is none of its values", name, s.Default)
		}
	}
	for role, r := range f.Roles {
		if role != Acceptor && role != Initiator {
			return fail("there is no role %q", role)
		}
		id := cmp.Or(r.Stack, f.Stack)
		if p.stacks[role] = stacks[id]; p.stacks[role] == nil {
			return fail("the stack %q doesn't exist", id)
		}
		if err := p.checkRole(r); err != nil {
			return fail("role %s: %v", role, err)
		}
	}
	seen := map[string]bool{}
	for i := range f.Rules {
		r := &f.Rules[i]
		if err := r.validate(); err != nil {
			return fail("%v", err)
		}
		if r.Layer == "" {
			r.Layer = verdict.Application
		}
		if err := p.checkCondition(r.If); err != nil || seen[r.ID] {
			return fail("rule %s: %v, or its ID is taken", r.ID, err)
		}
		seen[r.ID] = true
	}
	for _, k := range f.Facts {
		err := errors.Join(checkSource(k.Source), p.checkCondition(k.If))
		if k.ID == "" || k.Words == "" || err != nil {
			return fail("fact %q: it needs an ID, words and a source: %v", k.ID, err)
		}
	}
	return p, nil
}

func (p *Product) checkRole(r *roleFile) error {
	if err := checkSource(r.Source); err != nil {
		return err
	}
	if !slices.Contains([]Want{"", WantNone, WantOptional, WantRequired}, r.Want) ||
		!slices.Contains([]Reference{RefNone, RefHost, RefDomain, RefSRVTarget, RefProvisioned}, r.Reference) ||
		!slices.Contains([]purpose{purposeServer, purposeClient, purposeNone}, r.Purpose) {
		return fmt.Errorf("want %q, reference %q or purpose %q doesn't exist", r.Want, r.Reference, r.Purpose)
	}
	consequences := []consequence{refuseTLS, refuseApp, fallBack, carryOn, notSettled}
	for _, c := range []consequence{r.Chain, r.Name, r.Missing} {
		if !slices.Contains(consequences, c) {
			return fmt.Errorf("a failure can't lead to %q", c)
		}
	}
	for i := range r.Cases {
		c := &r.Cases[i]
		if len(c.If) == 0 {
			return fmt.Errorf("case %d: it has no condition", i+1)
		}
		if err := errors.Join(checkSource(c.Source), p.checkCondition(c.If)); err != nil {
			return fmt.Errorf("case %d: %w", i+1, err)
		}
		for _, k := range []consequence{c.Chain, c.Name, c.Missing} {
			if k != "" && !slices.Contains(consequences, k) {
				return fmt.Errorf("case %d: a failure can't lead to %q", i+1, k)
			}
		}
	}
	return nil
}

// checkCondition refuses a condition over settings or values that the product doesn't have.
func (p *Product) checkCondition(condition map[string]string) error {
	for name, values := range condition {
		s, ok := p.file.Settings[name]
		if !ok {
			return fmt.Errorf("there is no setting %q", name)
		}
		for v := range strings.SplitSeq(values, "|") {
			if len(s.Values) > 0 && !slices.Contains(s.Values, v) {
				return fmt.Errorf("%s can't be %q", name, v)
			}
		}
	}
	return nil
}
