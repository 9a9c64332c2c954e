package lab

import (
	"time"

	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// ResultVersion is the version of Result's JSON form. A change that a reader could stumble over raises it.
const ResultVersion = 1

// A Result is what a run found out.
type Result struct {
	Version   int              `json:"version"`
	Seed      uint64           `json:"seed"`
	Controls  []LegResult      `json:"controls"` // the lab's own proof: known-good legs and their broken twins
	Scenarios []ScenarioResult `json:"scenarios"`
	// Repetition is there if the run was made several times; the scenarios' legs are those of the first time.
	Repetition *Repetition   `json:"repetition,omitempty"`
	Duration   time.Duration `json:"duration"`        // nanoseconds
	Shard      *ShardInfo    `json:"shard,omitempty"` // which part of a run this is, if one
}

// A ScenarioResult is what one scenario's legs did.
type ScenarioResult struct {
	Name         string        `json:"name"`
	Title        string        `json:"title"`
	Teaches      string        `json:"teaches,omitempty"`
	Proves       []string      `json:"proves,omitempty"` // statements S1 to S9 of the source page
	File         string        `json:"file"`             // as given; "catalogue/NAME.yaml" for the embedded one
	At           time.Time     `json:"at"`               // the date on both ends' clocks
	Plan         plan.Plan     `json:"plan"`
	Certificates []Certificate `json:"certificates"` // as issued, with the scenario's differences
	Legs         []LegResult   `json:"legs"`
	Setup        time.Duration `json:"setup,omitempty"` // making certificates and listeners; nanoseconds
	Part         *Part         `json:"part,omitempty"`  // of a run that is split
	Error        string        `json:"error,omitempty"` // the lab couldn't run it: an environment fault
}

// A Certificate is one issued certificate, as far as a report needs it.
type Certificate struct {
	Key         string     `json:"key"` // "external", "internal", a partner's name
	Order       plan.Order `json:"order"`
	Fingerprint string     `json:"fingerprint"` // SHA-256 of the leaf
	Serial      string     `json:"serial"`
	Issuer      string     `json:"issuer"`
	Beside      []string   `json:"beside,omitempty"` // why no well-behaved CA would sell it
}

// A LegResult is what became of one leg.
type LegResult struct {
	ID         string              `json:"id"` // "edge/contoso.com -> litware"
	Kind       string              `json:"kind"`
	Initiator  string              `json:"initiator"`
	Acceptor   string              `json:"acceptor"`
	Node       string              `json:"node,omitempty"` // the server of the pool at the Edge's end
	Expected   verdict.Code        `json:"expected"`
	ExpectedAt string              `json:"expectedAt,omitempty"` // file:line:col of the expectation
	Verdict    verdict.Code        `json:"verdict"`
	OK         bool                `json:"ok"`                   // Verdict is Expected; a partner that can't be asked need only have refused where that is expected
	Reason     string              `json:"reason"`               // one sentence
	Judge      string              `json:"judge,omitempty"`      // the actor whose judgement decided
	Judged     string              `json:"judged,omitempty"`     // key of the certificate it judged
	Seen       []string            `json:"seen,omitempty"`       // on the wire: alerts, SIP statuses, stream errors
	Advice     string              `json:"advice,omitempty"`     // what to change
	Judgements []verdict.Judgement `json:"judgements,omitempty"` // of both sides
	Evidence   []verdict.Event     `json:"evidence"`             // in the order in which it happened
	Duration   time.Duration       `json:"duration"`             // nanoseconds
	Capture    string              `json:"capture,omitempty"`    // the pcapng file of what went over the network, if one was asked for
	Fault      string              `json:"fault,omitempty"`      // the lab's own failure; the verdict is then inconclusive

	began       time.Time // when it was made, on the real clock
	environment error     // the machine's fault behind Fault, if it is one
}

// Failed returns the checks that failed on either side, the ones that products would report first leading.
func (l LegResult) Failed() []verdict.Check {
	var out []verdict.Check
	for _, j := range l.Judgements {
		out = append(out, j.Failed()...)
	}
	return out
}

// Counts of a run.
type Counts struct{ Scenarios, Legs, Differ, Faults int }

// Counts adds up the run's scenarios, controls left out.
func (r Result) Counts() Counts {
	c := Counts{Scenarios: len(r.Scenarios)}
	for _, s := range r.Scenarios {
		if s.Error != "" {
			c.Faults++
		}
		for _, l := range s.Legs {
			c.Legs++
			switch {
			case l.Fault != "":
				c.Faults++
			case !l.OK:
				c.Differ++
			}
		}
	}
	return c
}

// ControlsHold reports whether the lab's own proof holds. If it doesn't, no other verdict counts.
func (r Result) ControlsHold() bool {
	for _, l := range r.Controls {
		if !l.OK {
			return false
		}
	}
	return len(r.Controls) > 0
}
