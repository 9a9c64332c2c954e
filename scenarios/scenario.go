package scenarios

import (
	"crypto"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
)

// DefaultAt is the date of a scenario that names none.
var DefaultAt = time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC)

// A Scenario is what one run is about.
type Scenario struct {
	Name     string            `json:"name"` // the file's name without .yaml
	File     string            `json:"file"` // as it was given; catalogue files start with scenarios/catalogue/
	Title    string            `json:"title,omitempty"`
	Teaches  string            `json:"teaches,omitempty"` // the point of it, in a sentence
	Proves   []string          `json:"proves,omitempty"`  // statements of the source topic: S1 to S9
	Base     string            `json:"base,omitempty"`    // the scenario that it builds on
	Topology topology.Topology `json:"topology"`
	// Differences is what to change on certificates: those of the plan by their keys (external, internal), the
	// next-hop's, a partner's by its name. external@edge02 is a certificate that this server of the pool has for itself,
	// the plan's with these differences, in place of the one that the others share.
	Differences map[string]plan.Difference `json:"differences,omitempty"`
	// Orders, by the same keys, replaces what follows from plan and differences: for callers that know a certificate
	// field by field, such as one that was bought.
	Orders map[string]plan.Order `json:"-"`
	// Installed, by the same keys, are certificates that exist already: they are shown as they are.
	Installed map[string]Installed `json:"-"`
	Expect    []Expectation        `json:"expect,omitempty"` // sorted by pattern
	At        time.Time            `json:"at"`               // the date at which everybody judges
	// Positions is where each value was written, by its path: expect."edge -> aol", certificates.external.eku,
	// partners[0].product. A path that isn't there has its default.
	Positions map[source.Path]source.Pos `json:"-"`
}

// An Installed is a certificate with its private key that the lab didn't make.
type Installed struct {
	Chain []*x509.Certificate // as it is sent, leaf first
	Key   crypto.Signer
	Roots []*x509.Certificate // which all who judge it trust besides the lab's own
}

// An Expectation is the verdict expected of the legs that a pattern means.
type Expectation struct {
	Pattern string       `json:"legs"`
	Code    verdict.Code `json:"verdict"`
	Pos     source.Pos   `json:"position"`
}

// Expected returns the verdict that the scenario expects of a leg, by its most specific expectation. explicit is
// false if there is none: then it is trusted.
func (s Scenario) Expected(l topology.Leg) (e Expectation, explicit bool) {
	e, best := Expectation{Pattern: l.ID, Code: verdict.Trusted}, -1
	for _, x := range s.Expect {
		p, err := topology.ParsePattern(x.Pattern)
		if err != nil {
			continue
		}
		if n, ok := p.Matches(l); ok && n > best {
			e, best = x, n
		}
	}
	return e, best >= 0
}

// Pos returns where the value at path was written, or the nearest value above it.
func (s Scenario) Pos(path source.Path) source.Pos {
	for {
		if pos, ok := s.Positions[path]; ok || path == "" {
			return pos
		}
		path = path.Parent()
	}
}

// Order returns what is to be made for the certificate with the given key: plan.External, plan.Internal,
// plan.NextHop, or a partner's name.
func (s Scenario) Order(key string) (plan.Order, error) {
	if o, ok := s.Orders[key]; ok {
		return o, nil
	}
	c, ok := s.certificate(key)
	if !ok {
		return plan.Order{}, &plan.DifferenceError{Field: key, Reason: "no certificate is called " + key, Valid: s.CertificateKeys()}
	}
	o, err := plan.Resolve(c, s.Differences[key], s.At)
	_, o.Holder = plan.Shared(key) // a server's own certificate has a key of its own
	return o, err
}

// CertificateKeys returns the keys of all certificates that stand in the scenario, the deployment's own first. An Edge
// Server of a pool has certificates of its own only where the scenario says so.
func (s Scenario) CertificateKeys() []string {
	keys := append(s.OwnKeys(), plan.NextHop)
	for _, p := range s.Topology.Partners {
		keys = append(keys, p.Name)
	}
	for _, key := range s.nodeKeys() {
		if _, ok := s.Differences[key]; ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// OwnKeys returns the keys of the Edge's own certificates that legs show.
func (s Scenario) OwnKeys() []string {
	if s.Topology.Edge.TwoCertificates {
		return []string{plan.External, plan.ClientRole, plan.Internal}
	}
	return []string{plan.External, plan.Internal}
}

// Shown returns the key of the certificate that an actor shows on a leg.
func (s Scenario) Shown(l topology.Leg, actor string) string {
	switch actor {
	case topology.ActorEdge, topology.ActorMRAS, topology.ActorWebConf:
		switch {
		case l.Kind == topology.NextHopSIP || l.Kind == topology.MRASRequest:
			return s.KeyAt(plan.Internal, l.Node)
		case s.Topology.Edge.TwoCertificates && l.Initiator == actor:
			return plan.ClientRole
		}
		return s.KeyAt(plan.External, l.Node)
	}
	return actor // a partner, the next hop
}

// nodeKeys returns the keys of the certificates that single servers of the pool can have.
func (s Scenario) nodeKeys() []string {
	var keys []string
	for _, node := range s.Topology.Edge.NodeNames() {
		keys = append(keys, plan.AtNode(plan.External, node), plan.AtNode(plan.Internal, node))
	}
	return keys
}

// KeyAt returns the key of the certificate that an Edge Server of a pool shows: its own if it has one, else the pool's.
func (s Scenario) KeyAt(key, node string) string {
	own := plan.AtNode(key, node)
	if _, ok := s.Differences[own]; ok && node != "" {
		return own
	}
	return key
}

func (s Scenario) certificate(key string) (plan.Certificate, bool) {
	if slices.Contains(s.nodeKeys(), key) {
		key, _ = plan.Shared(key)
	}
	if key == plan.NextHop {
		return plan.ForNextHop(s.Topology), true
	}
	if c, ok := plan.For(s.Topology).Certificate(key); ok {
		return c, true
	}
	for _, p := range s.Topology.Partners {
		if p.Name == key {
			return plan.ForPartner(p), true
		}
	}
	return plan.Certificate{}, false
}

// nameOf returns the scenario's name for a file's path.
func nameOf(path string) string {
	if i := strings.LastIndexAny(path, `/\`); i >= 0 {
		path = path[i+1:]
	}
	return strings.TrimSuffix(strings.TrimSuffix(path, ".yaml"), ".yml")
}
