package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/edgelab/edgelab/ca/profile"
	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/certfile"
	"github.com/edgelab/edgelab/lab/lint"
)

// fieldWidth is how wide the text of a field gets where it is broken into lines.
const fieldWidth = 96

// finding tells one thing that somebody should know: how much it weighs, which rule says so, what it is.
func (t *teller) finding(severity, rule, detail string) {
	mark := fmt.Sprintf("%s[%s]", severity, rule)
	if severity == string(profile.Error) {
		mark = t.style.bad(mark)
	} else {
		mark = t.style.bold(mark)
	}
	fmt.Fprintf(t, "%s: %s\n", mark, oneLine(detail))
}

// texts is a field of several texts, each broken into lines; the label stands at the first.
func (t *teller) texts(label string, texts ...string) {
	first := true
	for _, text := range texts {
		for i, line := range wrap(oneLine(text), fieldWidth) {
			switch {
			case first:
				t.field(label, line)
			case i == 0 && len(texts) > 1:
				t.more(line)
			default:
				t.more("  " + line)
			}
			first = false
		}
	}
}

// offer tells what an issuer doesn't simply sell.
func (t *teller) offer(f profile.Finding) {
	t.finding(string(f.Severity), f.Rule, f.Detail)
	if f.Source.Ref != "" {
		t.texts("source", f.Source.String())
	}
	t.texts("way out", f.WayOut...)
}

// file tells what a certificate's owner should know.
func (t *teller) file(f certfile.Finding) {
	t.finding("note", f.Rule, f.Detail)
	if f.WayOut != "" {
		t.texts("way out", f.WayOut)
	}
}

// breaks lists legs that no longer work, and why.
func (t *teller) breaks(indent string, list []lab.Break) {
	list = together(list)
	leg, code := 0, 0
	for _, b := range list {
		leg, code = max(leg, len(b.Leg)), max(code, len(b.Verdict))
	}
	for _, b := range list {
		fmt.Fprintf(t, "%s%-*s  %s  %s\n", indent, leg, b.Leg, t.style.bad(fmt.Sprintf("%-*s", code, b.Verdict)), oneLine(b.Reason))
	}
}

// wrap breaks text at blanks into lines of at most width characters; a longer word has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// LintText tells what the rules find in a certificate or a request, the heaviest first, and counts it in the last line.
func LintText(file string, found []lint.Finding, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	for _, f := range found {
		t.finding(string(f.Severity), f.Rule, f.Detail)
		t.field("certificate", f.Certificate)
		t.texts("source", f.Source.String())
		t.WriteString("\n")
	}
	var counts []string
	for _, s := range []lint.Severity{lint.Error, lint.Warning, lint.Notice} {
		n := 0
		for _, f := range found {
			if f.Severity == s {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, count(n, string(s)))
		}
	}
	line := file + ": " + cmp.Or(strings.Join(counts, ", "), "nothing to find fault with")
	if slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Severity == lint.Error }) {
		line = t.style.bad(line)
	}
	fmt.Fprintln(&t, line+"; whether legs work only a run says: edgelab check")
	return t.String()
}
