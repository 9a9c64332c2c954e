package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/topology"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/wire"
)

// A legBody is what a leg's page shows.
type legBody struct {
	*Loaded
	*Cell
	Run            *Run
	Ends           [2]string            // as the leg's ID has them
	Explanation    *verdict.Explanation // nil: the leg is trusted
	Certificate    *Shown               // that was judged; nil: none was
	Sides          [2]Side
	Steps          []Step
	Previous, Next *Cell // among the broken ones if this is one, else among all
	AsWrittenURL   string
}

// A Side is what one end of a leg did, saw and decided.
type Side struct {
	Name, Role string
	Judgements []Judgement
	Events     []verdict.Event
}

// A Judgement is one end's answer to the other's certificate.
type Judgement struct {
	verdict.Judgement
	AlertName    string
	Failed, Held []verdict.Check
}

// A Step is a row of the ladder, with the certificates that went there.
type Step struct {
	report.Step
	Certificates []Shown
	Failed       []verdict.Check
}

// AlertName is the name of the alert that went there, if one did.
func (s Step) AlertName() string {
	if s.Event.Alert == 0 {
		return ""
	}
	return wire.AlertName(s.Event.Alert)
}

// More reports whether there is something to unfold.
func (s Step) More() bool { return s.Event.Raw != "" || len(s.Certificates) > 0 || len(s.Failed) > 0 }

// A Shown is a certificate as it was shown, with the fields that matter.
type Shown struct {
	Fingerprint string
	Known       bool // it is one that the lab issued for the scenario; an intermediate isn't
	Key         string
	Fields      []CertificateField
}

// A CertificateField is one field, and whether a check failed on it.
type CertificateField struct {
	Name   string
	Values []string
	Bad    bool
	Why    string // the check that failed
}

// leg shows one leg: the run that its plan's page showed, or a new one.
func (s *Site) leg(v *visit) error {
	l, err := v.state()
	if err != nil {
		return err
	}
	id := v.r.URL.Query().Get("leg")
	legs := topology.Legs(l.Scenario.Topology)
	at := slices.IndexFunc(legs, func(leg topology.Leg) bool { return leg.ID == id })
	if at < 0 {
		hint := ""
		if near, ok := topology.NearestLeg(id, legs); ok {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return &notFound{fmt.Sprintf("The scenario has no leg %q.", id), hint}
	}
	run := s.runs.find(l.URL(""))
	if run == nil || v.r.URL.Query().Has("again") {
		if run, err = s.run(v, l); err != nil {
			return err
		}
	}
	if at >= len(run.Legs) {
		return &notFound{"The run didn't come to this leg.", ""}
	}
	b := newLegBody(l, run, at)
	return v.show(200, "leg", Page{Title: id + ": " + title(l), View: "lab", State: &l.State, About: l, Body: b})
}

func newLegBody(l *Loaded, run *Run, at int) legBody {
	t := table(l, run)
	c := t.Cells[at]
	b := legBody{Loaded: l, Cell: c, Run: run, AsWrittenURL: l.AsWritten().LegURL(c.ID)}
	b.Ends[0], b.Ends[1], _ = strings.Cut(c.ID, " -> ")
	if c.Verdict != verdict.Trusted && c.Verdict.Valid() {
		if page, err := verdict.Explain(c.Verdict); err == nil {
			b.Explanation = &page
		}
	}
	among := t.Cells
	if !c.Works {
		among = t.Broken
	}
	if i := slices.Index(among, c); i >= 0 {
		if i > 0 {
			b.Previous = among[i-1]
		}
		if i+1 < len(among) {
			b.Next = among[i+1]
		}
	}
	for i, side := range []verdict.Side{verdict.Initiator, verdict.Acceptor} {
		name := c.Initiator
		if side == verdict.Acceptor {
			name = c.Acceptor
		}
		b.Sides[i] = newSide(c.LegResult, side, name)
	}
	if c.Judged != "" {
		if i := slices.IndexFunc(run.Certificates, func(x lab.Certificate) bool { return x.Key == c.Judged }); i >= 0 {
			shown := show(run.Certificates[i], c.Failed())
			b.Certificate = &shown
		}
	}
	for _, step := range report.NewLadder(c.LegResult).Steps {
		st := Step{Step: step}
		for _, print := range step.Event.Certs {
			sh := Shown{Fingerprint: print}
			if i := slices.IndexFunc(run.Certificates, func(x lab.Certificate) bool { return x.Fingerprint == print }); i >= 0 {
				var failed []verdict.Check
				for _, j := range c.Judgements { // of whoever was shown it
					if verdict.Side(j.Role) != step.Event.Side == (step.Event.Kind == verdict.KindCertSent) {
						failed = append(failed, j.Failed()...)
					}
				}
				sh = show(run.Certificates[i], failed)
			}
			st.Certificates = append(st.Certificates, sh)
		}
		if step.Event.Judgement != nil {
			st.Failed = step.Event.Judgement.Failed()
		}
		b.Steps = append(b.Steps, st)
	}
	return b
}

func newSide(l lab.LegResult, side verdict.Side, name string) Side {
	out := Side{Name: name, Role: string(side)}
	for _, j := range l.Judgements {
		if verdict.Side(j.Role) != side {
			continue
		}
		pj := Judgement{Judgement: j, Failed: j.Failed()}
		if j.Alert != 0 {
			pj.AlertName = wire.AlertName(j.Alert)
		}
		for _, c := range j.Checks {
			if c.OK {
				pj.Held = append(pj.Held, c)
			}
		}
		out.Judgements = append(out.Judgements, pj)
	}
	for _, e := range l.Evidence {
		if e.Side == side && e.Kind != verdict.KindJudged {
			out.Events = append(out.Events, e)
		}
	}
	return out
}

// fieldOf says which field of a certificate a check looks at.
var fieldOf = map[string]string{
	"name": fieldSAN, "name-constraints": fieldSAN, "eku": fieldEKU, "validity": fieldValid, "revocation": fieldStatus,
	"key-strength": fieldKey, "key-usage": fieldKey, "signature-strength": fieldIssuer, "signature": fieldIssuer, "chain": fieldIssuer,
	"eku-ca": fieldIssuer, "basic-constraints": fieldIssuer, "path-length": fieldIssuer,
}

// The fields that are shown.
const (
	fieldSubject = "Subject name"
	fieldSAN     = "SAN"
	fieldEKU     = "EKU"
	fieldKey     = "Key"
	fieldValid   = "Valid"
	fieldIssuer  = "Issuer"
	fieldStatus  = "Revocation"
)

// show describes a certificate, with the checks that failed on it.
func show(c lab.Certificate, failed []verdict.Check) Shown {
	o := c.Order
	out := Shown{Fingerprint: c.Fingerprint, Known: true, Key: c.Key}
	add := func(name string, values ...string) {
		f := CertificateField{Name: name, Values: values}
		for _, check := range failed {
			if fieldOf[check.Name] == name {
				f.Bad, f.Why = true, check.Detail
				break
			}
		}
		out.Fields = append(out.Fields, f)
	}
	var names, usages []string
	for _, n := range o.SANs {
		names = append(names, n.String())
	}
	for _, u := range o.EKUs {
		usages = append(usages, string(u))
	}
	add(fieldSubject, cmp.Or(o.Subject, "none"))
	add(fieldSAN, orNone(names)...)
	add(fieldEKU, strings.Join(orNone(usages), ", "))
	add(fieldKey, o.Key)
	add(fieldValid, o.NotBefore.UTC().Format("2006-01-02 15:04")+" to "+o.NotAfter.UTC().Format("2006-01-02 15:04")+" UTC")
	issuer := []string{cmp.Or(c.Issuer, "nobody known")}
	if len(o.IntermediateEKU) > 0 {
		var of []string
		for _, u := range o.IntermediateEKU {
			of = append(of, string(u))
		}
		issuer = append(issuer, "its EKU: "+strings.Join(of, ", "))
	}
	if o.Chain != "" && o.Chain != plan.ChainFull {
		issuer = append(issuer, "chain sent: "+o.Chain)
	}
	add(fieldIssuer, issuer...)
	status := "CRL distribution point"
	switch {
	case o.Revoked:
		status = "revoked"
	case o.NoCDP:
		status = "no CRL distribution point"
	}
	add(fieldStatus, status)
	return out
}

func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{"none"}
	}
	return list
}
