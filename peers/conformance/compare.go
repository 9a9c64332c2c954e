package conformance

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/edgelab/edgelab/peers/policy"
)

// A Difference is a row about which the real product and what is said about it don't agree.
type Difference struct {
	Product  string `json:"product"` // the ID of a Product, "prosody/trixie"
	Row      string `json:"row"`     // the Key of a Row
	Against  string `json:"against"` // "matrix" or "engine"
	Real     string `json:"real"`    // the product's answer, in the words of Row.Answer
	Said     string `json:"said"`    // what the committed matrix or the engine says
	Detail   string `json:"detail,omitempty"`
	Reason   string `json:"reason,omitempty"` // why, where that is known: see Known
	Expected bool   `json:"expected"`         // it is in the list of known differences
}

// Against, of a Difference.
const (
	againstMatrix = "matrix"
	againstEngine = "engine"
)

// notMeasured is Real of a committed row that wasn't measured again.
const notMeasured = "not measured"

// An engine puts the rows of a matrix to the policies.
type engine struct {
	catalogue   *policy.Catalogue
	credentials map[string]*Credential
	at          time.Time
	signatures  *policy.Signatures
}

// newEngine judges credentials at a moment.
func newEngine(credentials []*Credential, at time.Time) (*engine, error) {
	catalogue, err := policy.Load()
	if err != nil {
		return nil, err
	}
	e := &engine{catalogue: catalogue, credentials: map[string]*Credential{}, at: at, signatures: new(policy.Signatures)}
	for _, c := range credentials {
		e.credentials[c.Variant.Name] = c
	}
	return e, nil
}

// judge returns what the engine says about a row: what the product with a policy makes of its variant.
func (e *engine) judge(id string, r Row) (Observation, error) {
	p, ok := e.catalogue.Product(id)
	if !ok {
		return Observation{}, fmt.Errorf("no policy %s", id)
	}
	c, ok := e.credentials[r.Variant]
	if !ok {
		return Observation{}, fmt.Errorf("no variant %s", r.Variant)
	}
	if _, err := p.Behaviour(policy.Role(r.Role), r.Settings); err != nil {
		return Observation{}, fmt.Errorf("%s: %w", r.Key(), err)
	}
	j := p.Judge(policy.Question{
		Role: policy.Role(r.Role), Chain: c.Presented, Roots: c.Store, Name: r.Name, At: e.at, TLS: versionNumber(r.TLS),
		Settings: r.Settings, CRL: c.CRL, Signatures: e.signatures,
	})
	o := Observation{Outcome: Outcome(j.Outcome), Layer: string(j.Layer), Alert: j.Alert}
	if failed := j.Failed(); len(failed) > 0 {
		o.Detail = failed[0].RuleID + ": " + failed[0].Detail
	}
	return o, nil
}

func versionNumber(name string) uint16 {
	if name == "1.2" {
		return tls.VersionTLS12
	}
	return tls.VersionTLS13
}

// differences compares every row of m with the engine and returns those that differ.
func (e *engine) differences(p Product, m Matrix) ([]Difference, error) {
	var out []Difference
	for _, r := range m.Rows {
		said, err := e.judge(m.Policy, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.ID(), err)
		}
		if answer := said.Answer(); answer != r.Answer() {
			out = append(out, Difference{Product: p.ID(), Row: r.Key(), Against: againstEngine, Real: r.Answer(), Said: answer,
				Detail: strings.Trim(r.Detail+"; "+said.Detail, "; ")})
		}
	}
	return out, nil
}

// changes compares a measurement with the committed one of the same product and release. A row that only one of them
// has is a difference too.
func changes(p Product, measured, committed Matrix) []Difference {
	before := map[string]Row{}
	for _, r := range committed.Rows {
		before[r.Key()] = r
	}
	var out []Difference
	add := func(key, is, was, detail string) {
		out = append(out, Difference{Product: p.ID(), Row: key, Against: againstMatrix, Real: is, Said: was, Detail: detail})
	}
	for _, r := range measured.Rows {
		was, ok := before[r.Key()]
		delete(before, r.Key())
		switch {
		case !ok:
			add(r.Key(), r.Answer(), "no such row", r.Detail)
		case was.Answer() != r.Answer() || was.Name != r.Name:
			add(r.Key(), r.Answer(), was.Answer(), r.Detail)
		}
	}
	for _, r := range committed.Rows {
		if _, left := before[r.Key()]; left {
			add(r.Key(), notMeasured, r.Answer(), r.Detail)
		}
	}
	return out
}
