package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
)

// MutationsText tells which names and EKUs are load-bearing: a matrix of elements and legs, then each element with the
// legs that break without it, then those that nothing needs. The text ends in a line break.
func MutationsText(m lab.Mutations, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	legs := m.Baseline.Legs
	fmt.Fprintf(&t, "%s on %s: %s, made again without each of %s\n\n", t.style.bold(m.Baseline.Name), date(m.Baseline.At),
		count(len(legs), "leg"), elements(len(m.Rows)))
	t.matrix(m)
	for _, r := range m.Rows {
		switch {
		case r.Error != "":
			fmt.Fprintf(&t, "%s: %s\n   = %s\n\n", t.style.bad("fault"), t.style.bold("the lab couldn't run it without "+element(r.Element)), oneLine(r.Error))
		case len(r.Broken) > 0:
			t.needed(r)
			t.WriteString("\n")
		}
	}
	t.neverWorked(m.Baseline)
	redundant := m.Redundant()
	for _, e := range redundant {
		fmt.Fprintf(&t, "%s %s: no leg needs it\n", t.style.bad("redundant:"), t.style.bold(element(e)))
	}
	switch len(redundant) {
	case 0:
		fmt.Fprintln(&t, t.style.good("Every element is needed by some leg."))
	default:
		fmt.Fprintf(&t, "\n%s needed by no leg of this topology; edgelab minimize proves what can go together.\n", are(len(redundant)))
	}
	return t.String()
}

func are(n int) string {
	if n == 1 {
		return "1 element is"
	}
	return fmt.Sprintf("%d elements are", n)
}

func elements(n int) string {
	if n == 1 {
		return "1 name or EKU"
	}
	return fmt.Sprintf("%d names and EKUs", n)
}

// element names one in words: "SAN sip.contoso.com of the external certificate".
func element(e lab.Element) string {
	return fmt.Sprintf("%s %s of the %s certificate", strings.ToUpper(e.Kind), e.Value, e.Certificate)
}

// matrix draws a row for each element and a column for each leg, marked where the leg breaks without the element. The
// columns are numbered, and the numbers stand below with their legs.
func (t *teller) matrix(m lab.Mutations) {
	const marked, free = "x", "."
	width := 0
	label := func(e lab.Element) string {
		return fmt.Sprintf("%s %s %s", e.Certificate, strings.ToUpper(e.Kind), e.Value)
	}
	for _, r := range m.Rows {
		width = max(width, len(label(r.Element)))
	}
	column := max(3, len(strconv.Itoa(len(m.Baseline.Legs)))+1)
	head := strings.Repeat(" ", width)
	for i := range m.Baseline.Legs {
		head += fmt.Sprintf("%*d", column, i+1)
	}
	fmt.Fprintln(t, t.style.dim(head))
	for _, r := range m.Rows {
		fmt.Fprintf(t, "%-*s", width, label(r.Element))
		for _, l := range m.Baseline.Legs {
			mark := t.style.dim(fmt.Sprintf("%*s", column, free))
			if slices.ContainsFunc(r.Broken, func(b lab.Break) bool { return b.Leg == l.ID }) {
				mark = t.style.bad(fmt.Sprintf("%*s", column, marked))
			}
			t.WriteString(mark)
		}
		t.WriteString("\n")
	}
	t.WriteString("\n")
	for i, l := range m.Baseline.Legs {
		fmt.Fprintf(t, "%3d  %s\n", i+1, l.ID)
	}
	t.WriteString("\n")
}

// needed tells what breaks without an element.
func (t *teller) needed(m lab.Mutation) {
	fmt.Fprintf(t, "Without %s %s:\n", t.style.bold(element(m.Element)), breakCount(len(m.Broken)))
	t.breaks("  ", m.Broken)
}

func breakCount(n int) string {
	if n == 1 {
		return "1 leg breaks"
	}
	return fmt.Sprintf("%d legs break", n)
}

// neverWorked tells of legs that need nothing, since they don't work as things are.
func (t *teller) neverWorked(s lab.ScenarioResult) {
	var list []lab.LegResult
	for _, l := range s.Legs {
		if !lab.Works(l.Verdict) {
			list = append(list, l)
		}
	}
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(t, "%s before anything is taken away, and so need nothing:\n", dont(len(list)))
	for _, l := range list {
		fmt.Fprintf(t, "  %s  %s\n", l.ID, l.Verdict)
	}
	t.WriteString("\n")
}

func dont(n int) string {
	if n == 1 {
		return "1 leg doesn't work"
	}
	return fmt.Sprintf("%d legs don't work", n)
}

// MinimumText tells what can be left out of the certificates, what must stay and why, and what they then are. The text
// ends in a line break.
func MinimumText(m lab.Minimum, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	fmt.Fprintf(&t, "%s on %s\n\n", t.style.bold(m.Proof.Name), date(m.Proof.At))
	if len(m.Removed) == 0 {
		t.WriteString("Nothing can be left out.\n\n")
	} else {
		t.WriteString("Can be left out, all of it together:\n")
		for _, e := range m.Removed {
			fmt.Fprintf(&t, "  %s\n", element(e))
		}
		t.WriteString("\n")
	}
	for _, k := range m.Kept {
		t.needed(k)
		t.WriteString("\n")
	}
	t.neverWorked(m.Proof)
	t.WriteString("What is left to order:\n")
	for _, key := range []string{plan.External, plan.ClientRole, plan.Internal} {
		i := slices.IndexFunc(m.Proof.Certificates, func(c lab.Certificate) bool { return c.Key == key })
		if i < 0 {
			continue
		}
		c := m.Proof.Certificates[i].Order
		fmt.Fprintf(&t, "\n  %s: subject name %s\n", t.style.bold(key), cmp.Or(c.Subject, "none"))
		t.texts("SAN", names(c))
		t.field("EKU", usages(c.EKUs))
		t.field("key", c.Key)
	}
	works := 0
	for _, l := range m.Proof.Legs {
		if lab.Works(l.Verdict) {
			works++
		}
	}
	line := fmt.Sprintf("Proven: with it %d of %s work, as before; without any one element more at least one breaks.", works, count(len(m.Proof.Legs), "leg"))
	fmt.Fprintf(&t, "\n%s\n", t.style.good(line))
	t.WriteString("The last EKU of a certificate isn't tried: without the extension every usage is allowed.\n" +
		"The legs are those of this topology; leave in what serves a partner that it doesn't have.\n")
	return t.String()
}
