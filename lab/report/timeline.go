package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
)

// TimelineText tells every purchase to come. The first line names the day on which the client EKU can no longer be had
// and the purchase at which legs break; each day on which something changes follows, with what to do before. The text
// ends in a line break.
func TimelineText(l lab.Timeline, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	for _, line := range headline(l) {
		fmt.Fprintln(&t, t.style.bold(line))
	}
	t.unworking(l)
	told := map[string]bool{} // findings, each told where it comes up first
	for _, s := range l.Steps {
		t.WriteString("\n")
		t.step(s, told)
	}
	purchases := 0
	for _, s := range l.Steps {
		if s.Kind != lab.StepChange {
			purchases++
		}
	}
	fmt.Fprintf(&t, "\n%s from %s to %s. A certificate is renewed 30 days before its end, or a third of its life if that is less.\n",
		count(purchases, "purchase"), date(l.From), date(l.Until))
	return t.String()
}

// headline says when the client EKU goes, and what breaks then.
func headline(l lab.Timeline) []string {
	var lines []string
	switch {
	case l.LastClientEKU != nil:
		last := l.LastClientEKU.From.AddDate(0, 0, -1)
		lines = append(lines, fmt.Sprintf("%s sells the client EKU up to %s; from %s on it can't be had.", l.CA, date(last), l.LastClientEKU.From))
	case len(l.Steps) > 0 && slices.ContainsFunc(l.Steps[0].Findings, func(f profile.Finding) bool { return f.Rule == "client-eku-gone" }):
		i := slices.IndexFunc(l.Steps[0].Findings, func(f profile.Finding) bool { return f.Rule == "client-eku-gone" })
		since := cmp.Or(l.Steps[0].Findings[i].Date.String(), "any time")
		lines = append(lines, fmt.Sprintf("%s hasn't sold the client EKU since %s.", l.CA, since))
	case len(l.Steps) > 0 && slices.ContainsFunc(l.Steps[0].Findings, func(f profile.Finding) bool { return f.Rule == "client-eku-unknown" }):
		lines = append(lines, fmt.Sprintf("Whether %s sells the client EKU no source says.", l.CA))
	default:
		lines = append(lines, fmt.Sprintf("No end of the client EKU at %s touches this order.", l.CA))
	}
	broke := false
	for _, s := range l.Steps {
		if len(s.Broken) > 0 {
			broke = true
			lines = append(lines, fmt.Sprintf("On %s, %s, %s: %s", date(s.Date), kind(s), breakCount(len(s.Broken)), strings.Join(legsOf(s.Broken), ", ")))
		}
	}
	switch n := len(unworking(l)); {
	case !broke && n > 0:
		lines = append(lines, fmt.Sprintf("%s with the first certificate already, and no other breaks until %s.", dont(n), date(l.Until)))
	case !broke:
		lines = append(lines, fmt.Sprintf("No leg breaks until %s.", date(l.Until)))
	case n > 0:
		lines = append(lines, dont(n)+" with the first certificate already.")
	}
	return append([]string{lines[0] + " " + lines[1]}, lines[2:]...)
}

func legsOf(list []lab.Break) []string {
	var out []string
	for _, b := range together(list) {
		out = append(out, b.Leg)
	}
	return out
}

func kind(s lab.Step) string {
	switch s.Kind {
	case lab.StepFirst:
		return "at the first purchase"
	case lab.StepRenewal:
		return "at the renewal"
	}
	return "as the offer changes"
}

// unworking returns the legs that don't work from the beginning: they can't break any more.
func unworking(l lab.Timeline) (list []lab.StepLeg) {
	if len(l.Steps) == 0 {
		return nil
	}
	for _, leg := range l.Steps[0].Legs {
		if !lab.Works(leg.Verdict) {
			list = append(list, leg)
		}
	}
	return list
}

// unworking lists them.
func (t *teller) unworking(l lab.Timeline) {
	for _, leg := range unworking(l) {
		why := ""
		if leg.Verdict == verdict.Unknown {
			why = ": no source says whether it works"
		}
		fmt.Fprintf(t, "  %s  %s%s\n", leg.ID, t.style.bad(string(leg.Verdict)), why)
	}
}

// step tells one day.
func (t *teller) step(s lab.Step, told map[string]bool) {
	what := "the offer changes"
	switch s.Kind {
	case lab.StepFirst:
		what = "first purchase"
	case lab.StepRenewal:
		what = "renewal"
	}
	if s.Kind != lab.StepChange {
		what += fmt.Sprintf(": %d days, until %s, EKU %s", s.Days, date(s.Order.NotAfter), usages(s.Order.EKUs))
	}
	fmt.Fprintf(t, "%s  %s\n", t.style.bold(date(s.Date)), what)
	for _, c := range s.Changes {
		t.texts("changes", fmt.Sprintf("%s: %s, was %s [%s]", c.Field, c.After.Value, c.Before.Value, cmp.Or(c.After.Source.Ref, c.Before.Source.Ref)))
	}
	var advised []string // on this day
	for _, f := range s.Findings {
		key := f.Rule + f.Detail
		if told[key] {
			continue
		}
		told[key] = true
		t.texts(string(f.Severity), f.Detail)
		ways := slices.DeleteFunc(slices.Clone(f.WayOut), func(way string) bool { return slices.Contains(advised, way) })
		t.texts("do before", ways...)
		advised = append(advised, ways...)
	}
	for _, b := range together(s.Broken) {
		t.field(t.style.bad(fmt.Sprintf("%-*s", labelWidth, "breaks")), fmt.Sprintf("%s  %s  %s", b.Leg, b.Verdict, b.Reason))
	}
	for _, leg := range togetherLegs(s.Mended) {
		t.field("works again", leg)
	}
}
