package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
)

// OfferedText tells what becomes of the plan when its external certificate is ordered from one issuer on one day: the
// terms that matter, what can't be had and what to do, the certificate that comes, and the legs that it breaks. The text
// ends in a line break.
func OfferedText(offered lab.Offered, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	fmt.Fprintln(&t, t.style.bold(fmt.Sprintf("The external certificate from %s (%s), ordered on %s", offered.Title, offered.CA, date(offered.At))))
	t.WriteString("\n")
	for _, l := range offered.Terms {
		if text, ok := term(l); ok {
			t.field(string(l.Field), text)
		}
	}
	for _, f := range offered.Findings {
		t.WriteString("\n")
		t.offer(f)
	}
	if len(offered.Findings) == 0 {
		t.WriteString("\nIt is sold as the plan has it.\n")
	}
	fmt.Fprintf(&t, "\nWhat comes: %s\n", made(offered.Order))
	switch n := len(offered.Broken); n {
	case 0:
		fmt.Fprintf(&t, "With it %s work as with the plan.\n", count(offered.Legs, "leg"))
	default:
		fmt.Fprintf(&t, "%s\n", t.style.bad(fmt.Sprintf("With it %d of %s no longer work:", n, count(offered.Legs, "leg"))))
		t.breaks("  ", offered.Broken)
	}
	return t.String()
}

// term is a line of an issuer's terms in words; ok is false if it isn't one of those that decide.
func term(l profile.Line) (text string, ok bool) {
	switch l.Field {
	case profile.Trust:
		switch l.Value {
		case profile.TrustBrowsers:
			return "", false
		case profile.TrustPrivate:
			text = "its root is private: the legs below are run as if every partner had installed it"
		default:
			text = "browsers don't have its root: the legs below are run as if every partner had it"
		}
	case profile.ClientEKU, profile.IntermediateEKU:
		text = l.Value
	case profile.Lifetime:
		text = l.Value + " days at most"
	default:
		return "", false
	}
	if !l.From.IsZero() {
		text += ", since " + l.From.String()
	}
	return text + " [" + l.Source.Ref + "]", true
}

// made describes a certificate in a line.
func made(o plan.Order) string {
	text := fmt.Sprintf("EKU %s, %s, %s, valid %s to %s", usages(o.EKUs), count(len(o.SANs), "name"), o.Key, date(o.NotBefore), date(o.NotAfter))
	if len(o.IntermediateEKU) > 0 {
		text += ", intermediate's EKU " + usages(o.IntermediateEKU)
	}
	return text
}

// names lists a certificate's SANs.
func names(o plan.Order) string {
	var all []string
	for _, n := range o.SANs {
		all = append(all, n.String())
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

func date(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// ChosenText tells what becomes of the legs by the recipes that were chosen. The text ends in a line break.
func ChosenText(chosen lab.Chosen, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	var words []string
	for _, key := range slices.Sorted(maps.Keys(chosen.Choices)) {
		words = append(words, key+"="+chosen.Choices[key])
	}
	fmt.Fprintln(&t, t.style.bold("The legs with "+strings.Join(words, ", ")+" in place of the defaults"))
	t.WriteString("\n")
	switch n := len(chosen.Broken); n {
	case 0:
		fmt.Fprintf(&t, "%s\n", t.style.good(fmt.Sprintf("%s work as with the defaults.", count(chosen.Legs, "leg"))))
	default:
		fmt.Fprintf(&t, "%s\n", t.style.bad(fmt.Sprintf("%d of %s no longer work:", n, count(chosen.Legs, "leg"))))
		t.breaks("  ", chosen.Broken)
	}
	if len(chosen.Mended) > 0 {
		fmt.Fprintf(&t, "%s work that don't with the defaults:\n", count(len(chosen.Mended), "leg"))
		for _, b := range together(chosen.Mended) {
			fmt.Fprintf(&t, "  %s\n", b.Leg)
		}
	}
	return t.String()
}
