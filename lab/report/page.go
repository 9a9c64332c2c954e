package report

import (
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/wire"
)

// A page is what the HTML template shows.
type page struct {
	*lab.Result
	Closing      string
	Holds        bool // the lab's own proof
	Counts       lab.Counts
	AsExpected   int
	Broken       []lab.LegResult // controls that don't hold
	Scenarios    []*pageScenario
	Attention    []attention // what isn't as expected, in order
	Matrix       matrix
	Verdicts     []pageVerdict
	Rules        []pageRule
	OnlyScenario bool // there is one scenario: its plan is open
	Packed       bool // there are too many legs to have them all in the page as they are: see pack
}

// An attention is a line of the list of what isn't as expected.
type attention struct{ Where, Text, Anchor string }

type pageScenario struct {
	lab.ScenarioResult
	ID     string
	Packed bool // its certificates are in its pack
	Tone   Tone
	Differ int
	Faults int
	Legs   []*pageLeg
	Issued []pageIssued
}

type pageLeg struct {
	lab.LegResult
	Anchor     string
	Tone       Tone
	Place      string
	Quoted     string // the line there
	Packed     bool   // its details are in the scenario's pack
	Judgements []pageJudgement
	Ladder     pageLadder
}

// Shown reports whether the leg is open at first: it isn't as expected.
func (l pageLeg) Shown() bool { return !l.OK || l.Fault != "" }

type pageJudgement struct {
	verdict.Judgement
	Who    string // the actor, if it is known
	Alert  string
	Failed []pageCheck
	Held   []pageCheck
}

type pageCheck struct {
	verdict.Check
	RuleAnchor string
}

type pageLadder struct {
	Left, Right string
	Steps       []pageStep
}

type pageStep struct {
	Step
	Certs []pageCert
	Fails []pageCheck
}

// Alert is the name of the alert that went there, if one did.
func (s pageStep) Alert() string {
	if s.Event.Alert == 0 {
		return ""
	}
	return wire.AlertName(s.Event.Alert)
}

// More reports whether there is something to unfold.
func (s pageStep) More() bool { return s.Event.Raw != "" || len(s.Certs) > 0 || len(s.Fails) > 0 }

// A pageCert is one certificate that went over the wire.
type pageCert struct {
	Fingerprint string
	Key, Anchor string // of the issued certificate, if it is one that the scenario lists
}

type pageVerdict struct {
	verdict.Explanation
	Anchor     string
	Paragraphs []string
	Count      int
}

type pageRule struct {
	ruleWords
	Anchor        string
	Asked, Failed int
}

type ruleWords struct {
	ID, Rule string
	Source   verdict.Source
}

type pageIssued struct {
	lab.Certificate
	Anchor string
	Names  []string
	Usages string
	Unlike []string // how it differs from the plan
}

// pageIDs are the IDs that the template itself gives.
const pageIDs = "summary attention h-attention matrix h-matrix verdicts rules show-all show-differs show-refused by-verdict search open-all close-all found"

// A pager builds a page.
type pager struct {
	options Options
	ids     anchors
	rules   map[ruleWords]int // index in page.Rules
	page    *page
}

func newPage(r *lab.Result, o Options) *page {
	p := pager{options: o, ids: anchors{}, rules: map[ruleWords]int{}, page: &page{
		Result: r, Closing: Closing(r), Holds: r.ControlsHold(), Counts: r.Counts(), OnlyScenario: len(r.Scenarios) == 1,
	}}
	for _, id := range strings.Fields(pageIDs) {
		p.ids[id] = true
	}
	for _, c := range verdict.Codes() {
		p.ids["verdict-"+string(c)] = true
	}
	for _, l := range r.Controls {
		if !l.OK {
			p.page.Broken = append(p.page.Broken, l)
		}
	}
	for _, sc := range r.Scenarios {
		p.page.Scenarios = append(p.page.Scenarios, p.scenario(sc))
	}
	p.page.AsExpected = p.page.Counts.Legs
	for _, sc := range p.page.Scenarios {
		for _, l := range sc.Legs {
			if l.Shown() {
				p.page.AsExpected--
			}
		}
	}
	p.pack()
	p.page.Matrix = newMatrix(p.page.Scenarios)
	p.verdicts()
	slices.SortStableFunc(p.page.Rules, func(a, b pageRule) int { return strings.Compare(a.ID, b.ID) })
	return p.page
}

func (p *pager) scenario(sc lab.ScenarioResult) *pageScenario {
	out := &pageScenario{ScenarioResult: sc, ID: p.ids.of(sc.Name), Tone: Fine}
	for _, c := range sc.Certificates {
		i := pageIssued{Certificate: c, Anchor: p.ids.of(sc.Name, "certificate", c.Key), Usages: usages(c.Order.EKUs)}
		for _, n := range c.Order.SANs {
			i.Names = append(i.Names, n.String())
		}
		if planned, ok := sc.Plan.Certificate(c.Key); ok {
			i.Unlike = unlike(planned, c.Order)
		}
		out.Issued = append(out.Issued, i)
	}
	for _, l := range sc.Legs {
		leg := p.leg(out, l)
		out.Legs = append(out.Legs, leg)
		switch {
		case l.Fault != "":
			out.Faults++
		case !l.OK:
			out.Differ++
		}
		if text, bad := finding(l); bad {
			p.page.Attention = append(p.page.Attention, attention{sc.Name + ": " + l.ID, text, leg.Anchor})
		}
	}
	if sc.Error != "" {
		out.Faults++
		p.page.Attention = append(p.page.Attention, attention{sc.Name, "the lab couldn't run it: " + sc.Error, out.ID})
	}
	switch {
	case out.Faults > 0:
		out.Tone = Doubt
	case out.Differ > 0:
		out.Tone = Bad
	}
	return out
}

func (p *pager) leg(sc *pageScenario, l lab.LegResult) *pageLeg {
	out := &pageLeg{LegResult: l, Anchor: p.ids.of(sc.Name, l.ID), Tone: Fine, Place: l.ExpectedAt}
	switch {
	case l.Fault != "":
		out.Tone = Doubt
	case !l.OK:
		out.Tone = Bad
	}
	if file, line, ok := splitPlace(l.ExpectedAt); ok && p.options.Line != nil {
		if text, ok := p.options.Line(file, line); ok {
			out.Quoted = printable(text)
		}
	}
	for _, j := range l.Judgements {
		pj := pageJudgement{Judgement: j, Who: judgeOf(l, j)}
		if j.Alert != 0 {
			pj.Alert = wire.AlertName(j.Alert)
		}
		for _, c := range j.Failed() {
			pj.Failed = append(pj.Failed, p.check(c))
		}
		for _, c := range j.Checks {
			if c.OK {
				pj.Held = append(pj.Held, p.check(c))
			}
		}
		out.Judgements = append(out.Judgements, pj)
	}
	ladder := NewLadder(l)
	out.Ladder = pageLadder{Left: ladder.Left, Right: ladder.Right}
	for _, s := range ladder.Steps {
		ps := pageStep{Step: s}
		for _, print := range s.Event.Certs {
			cert := pageCert{Fingerprint: print}
			if i := slices.IndexFunc(sc.Issued, func(c pageIssued) bool { return c.Fingerprint == print }); i >= 0 {
				cert.Key, cert.Anchor = sc.Issued[i].Key, sc.Issued[i].Anchor
			}
			ps.Certs = append(ps.Certs, cert)
		}
		if s.Event.Judgement != nil {
			for _, c := range s.Event.Judgement.Failed() {
				ps.Fails = append(ps.Fails, p.checked(c))
			}
		}
		out.Ladder.Steps = append(out.Ladder.Steps, ps)
	}
	return out
}

// judgeOf is the actor whose judgement j is: a judgement's role is the end at which it was made.
func judgeOf(l lab.LegResult, j verdict.Judgement) string {
	switch verdict.Side(j.Role) {
	case verdict.Initiator:
		return l.Initiator
	case verdict.Acceptor:
		return l.Acceptor
	}
	return ""
}
