package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/lesson"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
)

// LessonList lists lessons, in the order of teaching.
func LessonList(all []lesson.Lesson) string {
	width := 0
	for _, l := range all {
		width = max(width, len(l.Name))
	}
	var b strings.Builder
	for _, l := range all {
		fmt.Fprintf(&b, "%-*s  %s\n", width, l.Name, l.Title)
	}
	return b.String()
}

// A LessonRun is a lesson with what its legs did.
type LessonRun struct {
	lesson.Lesson
	Run    lab.ScenarioResult
	Breaks []lab.ScenarioResult // of Lesson.Breaks, in their order
	Right  int                  // position of the choice that the legs bear out, as lesson.Lesson.Right has it
}

// Verdicts returns the verdict of each leg, as lesson.Lesson.Right wants them.
func Verdicts(s lab.ScenarioResult) map[string]verdict.Code {
	all := map[string]verdict.Code{}
	for _, l := range s.Legs {
		all[l.ID] = l.Verdict
	}
	return all
}

// Question tells what a lesson asks: the story, the certificate that the run shows, and the guesses. place is the
// lesson's, as "2 of 10".
func (r LessonRun) Question(place string, o Options) string {
	t := tutor{style: style{o.Colour}}
	t.printf("%s  %s\n\n", t.style.bold(r.Title), t.style.dim(fmt.Sprintf("(lesson %s, scenario %s)", place, r.Scenario)))
	t.paragraphs(r.Lesson.Question)
	t.certificate(r.Run)
	for i, c := range r.Choices {
		t.WriteString(Wrap(fmt.Sprintf("  %d  ", i+1), c.Text))
	}
	t.printf("\n")
	return t.String()
}

// Outcome tells what the legs did, which guess was right, and why. guess is a position in Choices, or -1 for none.
func (r LessonRun) Outcome(guess int, o Options) string {
	t := tutor{style: style{o.Colour}}
	t.heading("What the legs did")
	t.legs(r.looked(), 0)
	t.others(r)
	switch {
	case guess == r.Right:
		t.heading(fmt.Sprintf("Your guess, %d, is right", guess+1))
	case guess >= 0:
		t.heading(fmt.Sprintf("Your guess, %d, isn't what happened", guess+1))
		t.WriteString(Wrap("  ", r.Choices[guess].Reply) + "\n")
		t.heading(fmt.Sprintf("It is %d", r.Right+1))
		t.WriteString(Wrap("  ", r.Choices[r.Right].Text))
	default:
		t.heading(fmt.Sprintf("It is %d", r.Right+1))
		t.WriteString(Wrap("  ", r.Choices[r.Right].Text))
	}
	t.WriteString(Wrap("  ", r.Choices[r.Right].Reply) + "\n")
	t.heading("Why")
	t.paragraphs(r.Explanation)
	t.rules(r)
	t.wire(r)
	return t.String()
}

// Variation tells the break at position i: its file, what its legs did otherwise than the lesson's, and why.
func (r LessonRun) Variation(i int, o Options) string {
	t := tutor{style: style{o.Colour}}
	b, run := r.Lesson.Breaks[i], r.Breaks[i]
	t.heading(fmt.Sprintf("Break it another way, %d of %d: %s", i+1, len(r.Breaks), b.Title))
	for line := range strings.Lines(b.Text) {
		t.printf("    %s", printable(line))
	}
	t.printf("\n")
	was := Verdicts(r.Run)
	var shown []lab.LegResult
	for _, l := range run.Legs {
		if was[l.ID] != l.Verdict || l.Verdict != verdict.Trusted {
			shown = append(shown, l)
		}
	}
	t.legs(shown, len(run.Legs)-len(shown))
	t.WriteString(Wrap("  ", b.Explanation) + "\n")
	return t.String()
}

// Closing says where to go on. next is the name of the next lesson, empty after the last.
func (r LessonRun) Closing(next string, o Options) string {
	t := tutor{style: style{o.Colour}}
	t.heading("Sources")
	for _, s := range r.Sources {
		t.WriteString(Wrap("  - ", s))
	}
	t.printf("\n")
	t.heading("Go on")
	t.printf("  edgelab lesson %s --break 1 > mine.yaml    the first variation's file, to change and run\n", r.Name)
	t.printf("  edgelab run --filter %s -v    every event of the lesson's legs\n", r.Scenario)
	codes := map[verdict.Code]bool{}
	for _, l := range r.looked() {
		if l.Verdict != verdict.Trusted && !codes[l.Verdict] {
			codes[l.Verdict] = true
			t.printf("  edgelab explain %s\n", l.Verdict)
		}
	}
	if next != "" {
		t.printf("  edgelab lesson %s    the next lesson\n", next)
	}
	return t.String()
}

// looked returns the legs that the lesson is about, in its order.
func (r LessonRun) looked() []lab.LegResult {
	var out []lab.LegResult
	for _, pattern := range r.Look {
		for _, l := range r.Run.Legs {
			if lesson.Means(pattern, l.ID) && !slices.ContainsFunc(out, func(o lab.LegResult) bool { return o.ID == l.ID }) {
				out = append(out, l)
			}
		}
	}
	return out
}

type tutor struct {
	strings.Builder
	style style
}

func (t *tutor) printf(format string, args ...any) { fmt.Fprintf(t, format, args...) }

func (t *tutor) heading(text string) { t.printf("%s\n", t.style.bold(text)) }

func (t *tutor) paragraphs(text string) {
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		t.WriteString(Wrap("  ", p) + "\n")
	}
}

// certificate shows the external certificate of a run and, where the scenario has changed it, the internal one.
func (t *tutor) certificate(s lab.ScenarioResult) {
	for _, c := range s.Certificates {
		planned, ok := s.Plan.Certificate(c.Key)
		changed := ok && (planned.Subject != c.Order.Subject || len(planned.SANs) != len(c.Order.SANs))
		if c.Key != plan.External && (c.Key != plan.Internal || !changed) {
			continue
		}
		var names []string
		for _, n := range c.Order.SANs {
			names = append(names, n.String())
		}
		if len(names) == 0 {
			names = []string{"none"}
		}
		t.WriteString(Wrap("  ", fmt.Sprintf("The %s certificate: subject name %s; EKU %s; valid %s to %s; SAN %s.", c.Key,
			orNone(c.Order.Subject), usages(c.Order.EKUs), c.Order.NotBefore.UTC().Format("2006-01-02"), c.Order.NotAfter.UTC().Format("2006-01-02"), strings.Join(names, ", "))))
	}
	t.printf("\n")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// legs tells legs with their verdicts; rest is how many more there are of which there is nothing to tell.
func (t *tutor) legs(list []lab.LegResult, rest int) {
	width, code := 0, 0
	for _, l := range list {
		width, code = max(width, len(oneLine(l.ID))), max(code, len(l.Verdict))
	}
	for _, l := range list {
		paint := t.style.bad
		switch {
		case l.Verdict == verdict.Trusted:
			paint = t.style.good
		case l.Verdict.Works():
			paint = t.style.bold
		}
		t.printf("  %-*s  %s\n", width, oneLine(l.ID), paint(string(l.Verdict)))
		if l.Verdict != verdict.Trusted {
			t.WriteString(Wrap("      ", oneLine(l.Reason)))
		}
	}
	if rest > 0 {
		t.printf("  %s, as before: trusted\n", count(rest, "other leg"))
	}
	t.printf("\n")
}

// others says what the lesson doesn't look at, so that nobody thinks that it was hidden.
func (t *tutor) others(r LessonRun) {
	looked := r.looked()
	failed := map[verdict.Code]int{}
	trusted := 0
	for _, l := range r.Run.Legs {
		switch {
		case slices.ContainsFunc(looked, func(o lab.LegResult) bool { return o.ID == l.ID }):
		case l.Verdict == verdict.Trusted:
			trusted++
		default:
			failed[l.Verdict]++
		}
	}
	var parts []string
	if trusted > 0 {
		parts = append(parts, fmt.Sprintf("%d trusted", trusted))
	}
	for _, c := range verdict.Codes() {
		if failed[c] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", failed[c], c))
		}
	}
	if len(parts) > 0 {
		t.printf("  The scenario's other legs: %s\n\n", strings.Join(parts, ", "))
	}
}

// rules tells the rules that decided, as the run asked them.
func (t *tutor) rules(r LessonRun) {
	if len(r.Rules) == 0 {
		return
	}
	t.heading("The rules")
	for _, id := range r.Rules {
		check, held, failed := r.asked(id)
		if check == nil {
			continue
		}
		t.printf("  %s\n", id)
		t.WriteString(Wrap("    ", check.Rule))
		t.WriteString(Wrap("    ", "["+check.Source.String()+"]"))
		if len(failed) > 0 {
			t.WriteString(Wrap("    failed for ", strings.Join(failed, "; ")))
		}
		if len(held) > 0 {
			t.WriteString(Wrap("    held for ", strings.Join(held, "; ")))
		}
	}
	t.printf("\n")
}

// asked returns a rule as the run asked it, and the legs for which it held and failed.
func (r LessonRun) asked(id string) (check *verdict.Check, held, failed []string) {
	for _, l := range r.Run.Legs {
		for _, j := range l.Judgements {
			for _, c := range j.Checks {
				if c.RuleID != id {
					continue
				}
				check = &c
				list := &held
				if !c.OK {
					list = &failed
				}
				if name := oneLine(l.ID); !slices.Contains(*list, name) {
					*list = append(*list, name)
				}
			}
		}
	}
	return check, held, failed
}

// wire shows where the run has what the lesson points to.
func (t *tutor) wire(r LessonRun) {
	if len(r.Wire) == 0 {
		return
	}
	t.heading("What was to be seen")
	for _, l := range r.looked() {
		var lines []string
		for _, e := range l.Evidence {
			line := fmt.Sprintf("%s %s", e.Host, oneLine(eventText(e)))
			if !slices.Contains(lines, line) && slices.ContainsFunc(r.Wire, func(w string) bool { return strings.Contains(line, w) }) {
				lines = append(lines, line)
			}
		}
		if len(lines) == 0 {
			continue
		}
		t.printf("  %s\n", oneLine(l.ID))
		for _, line := range lines {
			t.WriteString(Wrap("    ", line))
		}
	}
	t.printf("\n")
}
