package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A stack is a TLS library's rules, ready to be asked.
type stack struct {
	id, title string
	path      pathRules
	phases    []stage
	alerts    map[verdict.Code]alert
	rules     []*rule
	// rank is the phase of each rule. The checks name and revocation stand in it for the product's own rules, where
	// the product has the stack ask them.
	rank map[string]int
}

// A stage is a phase with its rules.
type stage struct {
	walk  walk
	rules []*rule
}

// maxPhase is the most rules that a phase may ask.
const maxPhase = 32

// defaultAlert is the key of a stack's alert for codes that have none of their own.
const defaultAlert verdict.Code = "default"

func compileStack(f *stackFile) (*stack, error) {
	fail := func(format string, args ...any) (*stack, error) {
		return nil, fmt.Errorf("policy: stack %s: %s", f.ID, fmt.Sprintf(format, args...))
	}
	s := &stack{id: f.ID, title: f.Title, path: f.Path, alerts: f.Alerts, rank: map[string]int{}}
	if f.Title == "" {
		return fail("it has no title")
	}
	if !slices.Contains([]strategy{firstMatch, allPaths, noPath, sorted}, f.Path.Strategy) {
		return fail("the path strategy %q doesn't exist", f.Path.Strategy)
	}
	if !slices.Contains([]string{"", canonicalNames, textNames}, f.Path.Names) {
		return fail("names are compared %s, as %s, or byte by byte, not %q", canonicalNames, textNames, f.Path.Names)
	}
	if err := checkSource(f.Path.Source); err != nil {
		return fail("path: %v", err)
	}
	for code := range f.Alerts {
		if code != defaultAlert && !code.Valid() {
			return fail("there is no verdict %q to have an alert", code)
		}
	}
	byID := map[string]*rule{}
	for i := range f.Rules {
		r := &f.Rules[i]
		if err := r.validate(); err != nil {
			return fail("%v", err)
		}
		if r.Layer == "" {
			r.Layer = verdict.TLS
		}
		if byID[r.ID] != nil {
			return fail("two rules are called %s", r.ID)
		}
		byID[r.ID] = r
		s.rules = append(s.rules, r)
	}
	placed := map[string]bool{}
	for i, p := range f.Order {
		st := stage{walk: p.Walk}
		if p.Walk != walkUp && p.Walk != walkDown {
			return fail("the walk %q of phase %d is neither up nor down", p.Walk, i+1)
		}
		for _, id := range p.Rules {
			s.rank[id] = i
			placed[id] = true
			if id == checkName || id == checkRevocation {
				continue
			}
			r := byID[id]
			if r == nil && slices.Contains(f.Drop, id) {
				continue
			}
			if r == nil {
				return fail("phase %d asks %s, which doesn't exist", i+1, id)
			}
			st.rules = append(st.rules, r)
		}
		if len(st.rules) > maxPhase {
			return fail("phase %d asks more than %d rules", i+1, maxPhase)
		}
		s.phases = append(s.phases, st)
	}
	for id := range byID {
		if !placed[id] {
			return fail("no phase asks the rule %s", id)
		}
	}
	return s, nil
}

// alert returns the alert that a failed rule leads to. r is nil for what no rule of a file says.
func (s *stack) alert(r *rule, code verdict.Code, when alertCase) uint8 {
	if r != nil {
		if a, ok := r.Alert[when]; ok {
			return a
		}
	}
	if a, ok := s.alerts[code][when]; ok {
		return a
	}
	return s.alerts[defaultAlert][when]
}

// validate refuses a rule that says nothing, says it without a source, or has parameters that can't be.
func (r *rule) validate() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("rule %q: %s", r.ID, fmt.Sprintf(format, args...))
	}
	switch {
	case r.ID == "" || !strings.Contains(r.ID, "/"):
		return fail("an ID is owner/name")
	case !slices.Contains(CheckNames(), r.Check):
		return fail("the check %q doesn't exist; the nearest is %q", r.Check, nearest(r.Check, CheckNames()))
	case r.Words == "":
		return fail("it has no words")
	case r.Role != "" && r.Role != Acceptor && r.Role != Initiator:
		return fail("the role %q doesn't exist", r.Role)
	case !slices.Contains([]purpose{"", purposeServer, purposeClient, purposeNone}, r.Purpose):
		return fail("the purpose %q doesn't exist", r.Purpose)
	case !slices.Contains([]string{"", "1.2", "1.3"}, r.TLS):
		return fail("the TLS version %q is neither 1.2 nor 1.3", r.TLS)
	case !slices.Contains([]verdict.Layer{"", verdict.TLS, verdict.Application}, r.Layer):
		return fail("the layer %q doesn't exist", r.Layer)
	case !slices.Contains([]certs{"", certsLeaf, certsIssuers, certsCAs, certsNoRoot, certsAll, certsSent, certsAnchor}, r.Certs):
		return fail("there is no part %q of a path", r.Certs)
	case r.Code != "" && !r.Code.Valid():
		return fail("there is no verdict %q", r.Code)
	}
	if err := checkSource(r.Source); err != nil {
		return fail("%v", err)
	}
	if err := r.validateParameters(); err != nil {
		return fail("%v", err)
	}
	if r.Certs == "" {
		r.Certs = checkers[r.Check].certs
	}
	return nil
}

func (r *rule) validateParameters() error {
	if eku := r.Check == checkEKU || r.Check == checkCAEKU || r.Check == checkOwn; eku != (len(r.Cases) > 0) {
		return fmt.Errorf("cases belong to %s and %s", checkEKU, checkCAEKU)
	}
	for i := range r.Cases {
		k := &r.Cases[i]
		if ekuConditions[k.When] == nil {
			return fmt.Errorf("the condition %q doesn't exist", k.When)
		}
		if k.Answer != answerOK && k.Answer != answerRefuse && k.Answer != answerUnknown {
			return fmt.Errorf("the answer %q is none of ok, refuse, unknown", k.Answer)
		}
		if k.Source != (verdict.Source{}) {
			if err := checkSource(k.Source); err != nil {
				return fmt.Errorf("case %s: %w", k.When, err)
			}
		}
	}
	if len(r.AnyOf) > 0 != (r.Check == checkKeyUsage) {
		return fmt.Errorf("any-of belongs to %s", checkKeyUsage)
	}
	for _, b := range r.AnyOf {
		if keyUsageBits[b] == 0 {
			return fmt.Errorf("keyUsage has no bit %q", b)
		}
	}
	if r.WithEKU != "" && ekuConditions[r.WithEKU] == nil {
		return fmt.Errorf("the condition %q doesn't exist", r.WithEKU)
	}
	for _, k := range r.Keys {
		if !slices.Contains([]string{"rsa", "ecdsa", "ed25519"}, k) {
			return fmt.Errorf("there are no keys of kind %q", k)
		}
	}
	if len(r.Fields) > 0 != (r.Check == checkCA) {
		return fmt.Errorf("fields belong to %s", checkCA)
	}
	for _, f := range r.Fields {
		if !slices.Contains([]string{markPresent, markFlag, markSign, markSome, markSignCA, markV3}, f) {
			return fmt.Errorf("a CA has no mark %q", f)
		}
	}
	for _, f := range r.Forms {
		if !slices.Contains(forms, f) {
			return fmt.Errorf("there is no name form %q", f)
		}
	}
	if len(r.Unreadable) > 0 != (r.Check == checkEncoding) {
		return fmt.Errorf("unreadable belongs to %s", checkEncoding)
	}
	for _, k := range r.Unreadable {
		if oddities[k] == nil {
			return fmt.Errorf("there is no oddity %q", k)
		}
	}
	for _, k := range r.CRL {
		if !slices.Contains(crlMarks, k) || r.Check != checkRevocation {
			return fmt.Errorf("%s asks nothing called %q of a CRL", r.Check, k)
		}
	}
	if len(r.BreaksOn) > 0 != (r.Check == checkDefect) {
		return fmt.Errorf("breaks-on belongs to %s", checkDefect)
	}
	for _, k := range r.BreaksOn {
		if indigestible[k] == nil {
			return fmt.Errorf("nothing breaks on %q", k)
		}
	}
	if (r.Name != nil) != (r.Check == checkName) {
		return fmt.Errorf("name belongs to %s", checkName)
	}
	if r.Name != nil {
		return r.Name.validate()
	}
	if slices.Contains([]string{needAlways, needAvailable, needSound}, r.Need) != (r.Check == checkRevocation) {
		return fmt.Errorf("need, always, if-available or sound, belongs to %s", checkRevocation)
	}
	return nil
}

func (r *nameRules) validate() error {
	for _, k := range r.Kinds {
		if !slices.Contains([]string{kindDNS, kindSIPURI, kindXMPPAddr, kindSRVName, kindIP}, k) {
			return fmt.Errorf("names of kind %q can't be compared", k)
		}
	}
	for _, k := range r.Without {
		if !slices.Contains([]string{kindDNS, kindSIPURI, kindURI, kindXMPPAddr, kindSRVName, kindIP, kindEmail}, k) {
			return fmt.Errorf("there are no names of kind %q", k)
		}
	}
	switch {
	case !slices.Contains([]string{"never", "no-san", "no-match", "without"}, r.CN):
		return fmt.Errorf("cn %q is none of never, no-san, no-match, without", r.CN)
	case !slices.Contains([]string{"", "any", "first", "last", "none"}, r.Several):
		return fmt.Errorf("several %q is none of any, first, last, none", r.Several)
	case !slices.Contains(wildcards, r.Wildcard) || r.CNWildcard != "" && !slices.Contains(wildcards, r.CNWildcard):
		return fmt.Errorf("wildcard %q or cn-wildcard %q is none of %s", r.Wildcard, r.CNWildcard, strings.Join(wildcards, ", "))
	case !slices.Contains([]string{"", "kept", "removed", "removed-or-same", "ignored", "ignored-in-cn"}, r.Dot):
		return fmt.Errorf("trailing-dot %q is none of kept, removed, removed-or-same, ignored, ignored-in-cn", r.Dot)
	case !slices.Contains([]string{"", "any", "host", "ldh-host", "ldh"}, r.Sought):
		return fmt.Errorf("sought %q is none of any, host, ldh-host, ldh", r.Sought)
	case r.EmptySAN != "" && r.EmptySAN != "refused":
		return fmt.Errorf("empty-san %q is not refused", r.EmptySAN)
	case !slices.Contains([]string{"", "ignored", "kept", "kept-in-dns", "kept-behind-wildcard"}, r.Case):
		return fmt.Errorf("case %q is none of ignored, kept, kept-in-dns, kept-behind-wildcard", r.Case)
	}
	return nil
}

// checkSource refuses a source that leads nowhere.
func checkSource(s verdict.Source) error {
	switch s.Kind {
	case verdict.Documented, verdict.Measured, verdict.UnknownSource:
	default:
		return fmt.Errorf("the source's kind %q is none of documented, measured, unknown", s.Kind)
	}
	if strings.TrimSpace(s.Ref) == "" {
		return fmt.Errorf("the source says nothing")
	}
	return nil
}
