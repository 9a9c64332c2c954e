package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
)

// markdownLegs is how many legs Markdown tells in full: GitHub refuses a job summary of more than 1 MiB.
const markdownLegs = 200

// Markdown writes r for a job summary or a merge request: the closing line, a table of the scenarios, and each leg that
// differs with its reason, the first 200 in full. The error is w's.
func Markdown(w io.Writer, r *lab.Result, o Options) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# edgelab\n\n**%s**\n\n", md(Closing(r)))
	writeMarkdownControls(b, r)
	if len(r.Scenarios) > 0 {
		fmt.Fprint(b, "| | scenario | legs | differ | faults | about |\n|---|---|---:|---:|---:|---|\n")
	}
	for _, sc := range r.Scenarios {
		c := lab.Result{Scenarios: []lab.ScenarioResult{sc}}.Counts()
		mark := "✅ ok"
		switch {
		case c.Faults > 0:
			mark = "⚠️ fault"
		case c.Differ > 0:
			mark = "❌ differs"
		}
		fmt.Fprintf(b, "| %s | %s | %d | %d | %d | %s |\n", mark, md(sc.Name), c.Legs, c.Differ, c.Faults, md(sc.Title))
	}
	told := 0
	for _, sc := range r.Scenarios {
		if sc.Error != "" {
			fmt.Fprintf(b, "\n## ⚠️ %s\n\nThe lab couldn't run it: %s\n", md(sc.Name), md(sc.Error))
		}
		for _, l := range sc.Legs {
			if _, bad := finding(l); !bad {
				continue
			}
			if told++; told <= markdownLegs {
				writeMarkdownLeg(b, sc, l, o)
			}
		}
	}
	if more := told - markdownLegs; more > 0 {
		fmt.Fprintf(b, "\nAnd %s more; the JSON and HTML reports tell them all.\n", count(more, "leg"))
	}
	return b.Flush()
}

func writeMarkdownControls(b *bufio.Writer, r *lab.Result) {
	for _, l := range r.Controls {
		if text, bad := finding(l); bad {
			fmt.Fprintf(b, "- ⚠️ the lab's own proof, %s: %s\n", md(l.ID), md(text))
		}
	}
	if !r.ControlsHold() {
		fmt.Fprint(b, "\n")
	}
}

func writeMarkdownLeg(b *bufio.Writer, sc lab.ScenarioResult, l lab.LegResult, o Options) {
	mark := "❌"
	if l.Fault != "" {
		mark = "⚠️"
	}
	fmt.Fprintf(b, "\n## %s %s: %s\n\n", mark, md(sc.Name), md(l.ID))
	item := func(label, text string) {
		if text != "" {
			fmt.Fprintf(b, "- **%s:** %s\n", label, md(text))
		}
	}
	item("expected", string(l.Expected))
	item("verdict", string(l.Verdict))
	item("where", placeOf(sc, l, o).String())
	item("fault", l.Fault)
	item("why", l.Reason)
	item("certificate", l.Judged)
	item("seen", strings.Join(l.Seen, "; "))
	item("to mend", l.Advice)
	for _, j := range l.Judgements {
		if failed := j.Failed(); len(failed) > 0 {
			item("judge", fmt.Sprintf("%s as %s: %s", j.Product, j.Role, j.Outcome))
			for _, c := range failed {
				fmt.Fprintf(b, "  - %s: %s%s *(%s, %s)*\n", md(c.Name), md(c.Rule), md(detail(c)), md(c.RuleID), md(cmp.Or(c.Source.String(), "no source")))
			}
		}
	}
}

func detail(c verdict.Check) string {
	if c.Detail == "" {
		return ""
	}
	return "; " + c.Detail
}

// md is text in which Markdown and HTML find nothing of their own, and GitHub nothing to link to and nobody to mention:
// it looks for names and addresses in the text between tags, entities or not.
func md(text string) string { return markdownEscaper.Replace(oneLine(text)) }

var markdownEscaper = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`,
	"~", `\~`, "#", `\#`, "@", "<span>@</span>", "://", "&#58;//", "www.", "www&#46;", "$", `\$`)
