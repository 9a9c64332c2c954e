package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
)

// BoughtText tells what a certificate is, how the legs were run with it, and every leg that works with the certificate
// of the plan and not with this one, in full. The text ends in a line break.
func BoughtText(b lab.Bought, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	t.bought(b)
	for _, f := range b.Findings {
		t.WriteString("\n")
		t.file(f)
	}
	if len(b.Result.Scenarios) == 0 {
		fmt.Fprintf(&t, "\n%s\n", closing(&b.Result, t.style))
		return t.String()
	}
	sc := b.Result.Scenarios[0]
	t.WriteString("\n")
	t.how(b)
	for _, x := range together(b.Broken) {
		i := slices.IndexFunc(sc.Legs, func(l lab.LegResult) bool {
			leg, _ := withoutNode(l.ID)
			want, _ := withoutNode(x.Leg)
			return leg == want && l.Verdict == x.Verdict && l.Reason == x.Reason
		})
		if i >= 0 {
			t.WriteString("\n")
			t.broken(x.Leg, sc.Legs[i])
		}
	}
	fmt.Fprintf(&t, "\n%s\n", t.verdict(b, sc))
	return t.String()
}

// bought says what the file holds.
func (t *teller) bought(b lab.Bought) {
	o := b.Order
	what := "issued by " + oneLine(b.Issuer)
	if b.Request {
		what = "a request, which has neither validity nor issuer: those are the lab's"
	}
	fmt.Fprintf(t, "%s: subject name %s, %s\n", t.style.bold(b.File), cmp.Or(oneLine(o.Subject), "none"), what)
	t.texts("SAN", names(o))
	t.field("EKU", usages(o.EKUs))
	t.field("key", fmt.Sprintf("%s, signed with %s", o.Key, o.Hash))
	if b.Request {
		return
	}
	t.field("valid", day(o.NotBefore)+" to "+day(o.NotAfter))
	chain := count(b.Chain, "certificate") + "; the intermediate allows every EKU"
	if len(o.IntermediateEKU) > 0 {
		chain = fmt.Sprintf("%s; the intermediate allows the EKU %s", count(b.Chain, "certificate"), usages(o.IntermediateEKU))
	}
	if b.Chain == 1 {
		chain = "the certificate alone"
	}
	t.field("chain", chain)
}

// how says with what the legs were run, and what the lab held against it.
func (t *teller) how(b lab.Bought) {
	switch {
	case b.Original:
		t.field("run with", "the original: its key and its root are at hand")
	case b.Request:
		t.field("run with", "a certificate that the lab issued for the request, under a chain of its own")
	default:
		t.field("run with", "a twin: the original's private key isn't at hand, so the lab made a certificate of the same")
		t.more("fields under a look-alike chain whose root is trusted")
		if len(b.Disagreements) == 0 {
			t.field("compared", fmt.Sprintf("%s of the original chain by the same engine agree", count(b.Judged, "judgement")))
			t.more("(trust in the root and revocation apart: the twin has its own)")
		}
	}
	for _, d := range b.Disagreements {
		t.field(t.style.bad("DISAGREES"), d)
	}
}

// broken tells a leg that a certificate breaks.
func (t *teller) broken(leg string, l lab.LegResult) {
	fmt.Fprintf(t, "%s: %s\n", t.style.bad(fmt.Sprintf("breaks[%s]", l.Verdict)), t.style.bold(leg))
	t.field("why", l.Reason)
	t.judgements(l)
	for i, seen := range l.Seen {
		if i == 0 {
			t.field("seen", seen)
		} else {
			t.more(oneLine(seen))
		}
	}
	t.field("to mend", l.Advice)
	t.field("more", "edgelab explain "+string(l.Verdict))
}

// verdict is the last line.
func (t *teller) verdict(b lab.Bought, sc lab.ScenarioResult) string {
	if len(b.Disagreements) > 0 {
		return t.style.bad("The lab disagrees with itself about this certificate, so nothing above counts. This is a fault of the lab: please report it.")
	}
	works, fallback, never, faults := 0, 0, 0, 0
	for i, l := range sc.Legs {
		switch {
		case l.Fault != "":
			faults++
		case l.Verdict == verdict.Trusted:
			works++
		case lab.Works(l.Verdict):
			fallback++
		case i < len(b.Planned.Legs) && !lab.Works(b.Planned.Legs[i].Verdict):
			never++
		}
	}
	line := fmt.Sprintf("%s on %s: %d trusted", count(len(sc.Legs), "leg"), date(sc.At), works)
	for _, part := range []struct {
		n    int
		text string
	}{
		{fallback, "%d work by a fallback"}, {len(b.Broken), "%d broken by this certificate"},
		{never, "%d don't work with the plan's either"}, {faults, "%d not run"},
	} {
		if part.n > 0 {
			line += ", " + fmt.Sprintf(part.text, part.n)
		}
	}
	if len(b.Broken)+faults > 0 {
		return t.style.bad(line) + took(b.Result.Duration)
	}
	return t.style.good(line) + took(b.Result.Duration)
}

// RenewalText tells what a renewal changes, and what that breaks. The text ends in a line break.
func RenewalText(r lab.Renewal, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	t.WriteString("old  ")
	t.bought(r.Old)
	t.WriteString("new  ")
	t.bought(r.New)
	for _, f := range r.New.Findings {
		t.WriteString("\n")
		t.file(f)
	}
	t.WriteString("\n")
	t.changes(r.Changes)
	for _, d := range slices.Concat(r.Old.Disagreements, r.New.Disagreements) {
		fmt.Fprintf(&t, "%s: %s\n", t.style.bad("DISAGREES"), d)
	}
	switch n := len(r.Broken); n {
	case 0:
		t.WriteString(t.style.good("It breaks no leg.") + "\n")
	default:
		fmt.Fprintln(&t, t.style.bad(fmt.Sprintf("It breaks %s:", count(n, "leg"))))
		t.breaks("  ", r.Broken)
	}
	if len(r.Mended) > 0 {
		fmt.Fprintf(&t, "It mends %s:\n", count(len(r.Mended), "leg"))
		for _, leg := range togetherLegs(r.Mended) {
			fmt.Fprintf(&t, "  %s\n", leg)
		}
	}
	return t.String()
}

func (t *teller) changes(list []string) {
	if len(list) == 0 {
		t.WriteString("Nothing changes that a peer looks at.\n")
		return
	}
	t.WriteString("What changes:\n")
	for _, c := range list {
		fmt.Fprintf(t, "  %s\n", oneLine(c))
	}
	t.WriteString("\n")
}
