package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/verdict"
)

// Text writes r for people: the lab's own proof in one line, one line for each scenario, then every leg that didn't
// go as expected in full, and last a line that says it all. The error is w's.
func Text(w io.Writer, r *lab.Result, o Options) error {
	b := bufio.NewWriter(w)
	s := style{o.Colour}
	writeControls(b, r, s)
	width := 0
	for _, sc := range r.Scenarios {
		width = max(width, len(sc.Name))
	}
	for _, sc := range r.Scenarios {
		writeScenario(b, sc, width, s)
	}
	for _, l := range r.Controls {
		if !l.OK {
			fmt.Fprintf(b, "\n%s", LegText(lab.ScenarioResult{Name: "controls"}, l, o))
		}
	}
	for _, sc := range r.Scenarios {
		if sc.Error != "" {
			fmt.Fprintf(b, "\n%s %s\n   = %s\n", s.bad("fault:"), s.bold("the lab couldn't run "+oneLine(sc.Name)), oneLine(sc.Error))
		}
		for _, l := range sc.Legs {
			if told(l, o.Detail) {
				fmt.Fprintf(b, "\n%s", LegText(sc, l, o))
			}
		}
	}
	writeFlakes(b, r.Repetition, s)
	if len(r.Scenarios) > 0 || len(r.Controls) > 0 {
		fmt.Fprintln(b)
	}
	fmt.Fprintln(b, closing(r, s))
	return b.Flush()
}

// Closing returns the last line of the text, without its line break: what a reader needs who reads nothing else.
func Closing(r *lab.Result) string { return closing(r, style{}) }

// told reports whether the text tells leg l.
func told(l lab.LegResult, d Detail) bool {
	switch {
	case !l.OK || l.Fault != "" || d == Evidence:
		return true
	case d == Stories:
		return l.Verdict != verdict.Trusted
	}
	return false
}

func writeControls(b *bufio.Writer, r *lab.Result, s style) {
	broken := 0
	for _, l := range r.Controls {
		if !l.OK {
			broken++
		}
	}
	switch {
	case len(r.Controls) == 0:
		fmt.Fprintf(b, "%s  none was run: nothing below is proven\n", s.bad("controls"))
	case broken > 0:
		fmt.Fprintf(b, "%s  %d of %d don't hold: nothing below counts\n", s.bad("controls"), broken, len(r.Controls))
	default:
		fmt.Fprintf(b, "%s  %s hold: known-good legs pass, and their twins with one EKU less fail\n",
			s.good("controls"), count(len(r.Controls), "leg"))
	}
}

func writeScenario(b *bufio.Writer, sc lab.ScenarioResult, width int, s style) {
	differ, faults := 0, 0
	for _, l := range sc.Legs {
		switch {
		case l.Fault != "":
			faults++
		case !l.OK:
			differ++
		}
	}
	mark, legs := s.good("ok     "), count(len(sc.Legs), "leg")
	switch {
	case sc.Error != "":
		mark, legs = s.bad("fault  "), "not run"
	case faults > 0:
		mark, legs = s.bad("fault  "), fmt.Sprintf("%s, %d not run", legs, faults)
	case differ > 0:
		mark, legs = s.bad("differs"), fmt.Sprintf("%d of %s", differ, legs)
	}
	title := oneLine(sc.Title)
	if title != "" {
		title = "  " + title
	}
	fmt.Fprintf(b, "%s  %-*s  %9s%s\n", mark, width, oneLine(sc.Name), legs, title)
}

func closing(r *lab.Result, s style) string {
	c := r.Counts()
	line := fmt.Sprintf("%s, %s: ", count(c.Scenarios, "scenario"), count(c.Legs, "leg"))
	switch {
	case !r.ControlsHold():
		return s.bad("The lab's own proof failed, so no verdict of this run counts.") + took(r.Duration)
	case c.Differ > 0 && c.Faults > 0:
		line = s.bad(line + differ(c.Differ) + ", " + fault(c.Faults))
	case c.Differ > 0:
		line = s.bad(line + differ(c.Differ))
	case c.Faults > 0:
		line = s.bad(line + fault(c.Faults))
	default:
		line = s.good(line + "all as expected")
	}
	return line + steadiness(r.Repetition, s) + took(r.Duration)
}

// steadiness says what a run that was made several times found out about itself; nothing of one that wasn't.
func steadiness(rep *lab.Repetition, s style) string {
	if rep == nil {
		return ""
	}
	made := fmt.Sprintf("; %s made in %s", count(rep.Legs, "leg"), count(rep.Runs, "run"))
	if len(rep.Flakes) == 0 {
		return made + ", no verdict changed"
	}
	return made + s.bad(", "+count(len(rep.Flakes), "flake"))
}

func writeFlakes(b *bufio.Writer, rep *lab.Repetition, s style) {
	if rep == nil {
		return
	}
	for _, f := range rep.Flakes {
		fmt.Fprintf(b, "\n%s %s, in %s: %.1f %% of %s\n", s.bad("flake:"), s.bold(oneLine(f.Leg)), oneLine(f.Scenario), 100*f.Rate(), count(rep.Runs, "run"))
		for _, d := range f.Drawn {
			fmt.Fprintf(b, "   = %s  %s: %s\n", d.Verdict, times(d.Times), oneLine(d.Reason))
		}
	}
}

func differ(n int) string {
	if n == 1 {
		return "1 leg differs from what is expected"
	}
	return fmt.Sprintf("%d legs differ from what is expected", n)
}

func fault(n int) string { return fmt.Sprintf("the lab failed %s", times(n)) }

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func took(d time.Duration) string { return fmt.Sprintf(" (%.1f s)", d.Seconds()) }

// count is "1 leg", "2 legs".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// oneLine takes the line breaks out of a text that must stay one line, and shows what a terminal would obey.
func oneLine(t string) string {
	t = strings.Join(strings.FieldsFunc(t, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	return printable(t)
}
