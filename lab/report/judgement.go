package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab/judge"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/wire"
)

// JudgementText tells what a product made of one chain: the outcome in a line, the failed checks, the one that the
// product reports first marked with an arrow, and then in a line each what held. The text ends in a line break.
func JudgementText(r judge.Result, o Options) string {
	s := style{o.Colour}
	t := teller{style: s}
	mark := s.bad(string(r.Outcome))
	if r.Outcome == verdict.OutcomeTrusted {
		mark = s.good(string(r.Outcome))
	}
	fmt.Fprintf(&t, "%s: %s as %s, %s\n", mark, s.bold(r.Product), r.Role, decisive(r))
	if r.Own {
		t.field("asked", "does it take this certificate as its own")
	}
	t.field("name", r.Name)
	circumstances := []string{day(r.At) + " UTC", "TLS " + r.TLS}
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		circumstances = append(circumstances, name+"="+r.Settings[name])
	}
	t.field("judged at", strings.Join(circumstances, ", "))
	failed := verdict.Judgement{Checks: r.Checks}.Failed()
	if len(failed) > 0 {
		t.field("failed", count(len(failed), "check"))
	}
	for _, c := range failed {
		t.check(c)
	}
	if held := len(r.Checks) - len(failed); held > 0 {
		t.field("held", count(held, "check"))
	}
	for _, c := range r.Checks {
		if c.OK {
			t.more(fmt.Sprintf("  %s: %s %s", s.bold(c.Name), oneLine(c.Rule), s.dim("["+c.RuleID+"]")))
		}
	}
	if r.Verdict != verdict.Trusted && r.Verdict.Valid() {
		t.field("more", "edgelab explain "+string(r.Verdict))
	}
	return t.String()
}

// decisive says how the outcome comes to the peer's notice.
func decisive(r judge.Result) string {
	if r.Own && r.Outcome == verdict.OutcomeRejected {
		return string(r.Verdict) + ", before any handshake"
	}
	if r.Own && len(r.Checks) == 0 {
		return "no source tells of a gate for its own certificates"
	}
	failed := slices.ContainsFunc(r.Checks, func(c verdict.Check) bool { return !c.OK })
	switch r.Outcome {
	case verdict.OutcomeTrusted:
		if failed {
			return "in spite of what failed"
		}
		return "nothing failed"
	case verdict.OutcomeFallback:
		return string(r.Verdict) + "; dialback may still vouch for the peer"
	case verdict.OutcomeUnknown:
		return "it hinges on a rule that no source settles"
	}
	if r.Layer == verdict.TLS {
		return fmt.Sprintf("%s, with TLS alert %s", r.Verdict, wire.AlertName(r.Alert))
	}
	return string(r.Verdict) + ", by the application after the handshake"
}
