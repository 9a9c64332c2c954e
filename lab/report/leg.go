package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/peers/wire"
)

// LegText tells one leg of scenario sc the way a good compiler tells an error: what it is, where the expectation
// stands, why it came out so, which certificate and which rule decided, what was seen on the wire, and what to change.
// With Detail Evidence all that happened follows. The text ends in a line break.
func LegText(sc lab.ScenarioResult, l lab.LegResult, o Options) string {
	t := teller{style: style{o.Colour}, margin: "  "}
	t.heading(sc, l)
	t.place(l, o)
	if l.Fault != "" {
		t.field("fault", l.Fault)
	}
	t.field("why", l.Reason)
	t.certificate(sc, l)
	t.judgements(l)
	t.field("seen", strings.Join(l.Seen, "; "))
	t.field("capture", l.Capture)
	if !l.OK || l.Verdict != verdict.Trusted {
		t.field("to mend", l.Advice)
	}
	if o.Detail == Evidence {
		t.evidence(l.Evidence)
	}
	if l.Verdict != verdict.Trusted && l.Verdict.Valid() {
		t.field("more", "edgelab explain "+string(l.Verdict))
	}
	return t.String()
}

// A teller writes one leg. margin is the column of line numbers, as blanks.
type teller struct {
	strings.Builder
	style  style
	margin string
}

// labelWidth is that of the longest label.
const labelWidth = len("certificate")

func (t *teller) field(label, text string) {
	if text != "" {
		fmt.Fprintf(t, "%s %s %s  %s\n", t.margin, t.style.dim("="), t.style.bold(fmt.Sprintf("%-*s", labelWidth, label)), oneLine(text))
	}
}

// more continues a field on a line of its own.
func (t *teller) more(text string) {
	if text != "" {
		fmt.Fprintf(t, "%s   %*s  %s\n", t.margin, labelWidth, "", text)
	}
}

func (t *teller) heading(sc lab.ScenarioResult, l lab.LegResult) {
	var mark, tail string
	switch {
	case l.Fault != "":
		mark, tail = t.style.bad("fault"), ", expected "+string(l.Expected)
	case !l.OK:
		mark, tail = t.style.bad(fmt.Sprintf("differs[%s]", l.Verdict)), ", expected "+string(l.Expected)
	default:
		mark, tail = t.style.good(fmt.Sprintf("ok[%s]", l.Verdict)), ""
	}
	fmt.Fprintf(t, "%s: %s%s, in %s\n", mark, t.style.bold(oneLine(l.ID)), tail, oneLine(sc.Name))
}

// place shows where the expectation stands, and quotes it.
func (t *teller) place(l lab.LegResult, o Options) {
	if l.ExpectedAt == "" {
		if !l.OK {
			fmt.Fprintf(t, "%s %s no expectation is written for this leg; every leg is then expected to be %s\n", t.margin, t.style.dim("-->"), l.Expected)
		}
		return
	}
	fmt.Fprintf(t, "%s %s %s\n", t.margin, t.style.dim("-->"), oneLine(l.ExpectedAt))
	file, line, ok := splitPlace(l.ExpectedAt)
	if !ok || o.Line == nil {
		return
	}
	text, ok := o.Line(file, line)
	if !ok {
		return
	}
	number := strconv.Itoa(line)
	t.margin = strings.Repeat(" ", max(len(number), len(t.margin)))
	bar := t.style.dim("|")
	fmt.Fprintf(t, "%s %s\n%*s %s %s\n%s %s\n", t.margin, bar, len(t.margin), number, bar, printable(text), t.margin, bar)
}

// splitPlace takes "file:line:col" apart; the file's name may hold colons.
func splitPlace(at string) (file string, line int, ok bool) {
	rest, _, ok := cutLast(at)
	if !ok {
		return "", 0, false
	}
	file, number, ok := cutLast(rest)
	if !ok {
		return "", 0, false
	}
	line, err := strconv.Atoi(number)
	return file, line, err == nil && line > 0
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// certificate describes the one that was judged.
func (t *teller) certificate(sc lab.ScenarioResult, l lab.LegResult) {
	if l.Judged == "" {
		return
	}
	i := slices.IndexFunc(sc.Certificates, func(c lab.Certificate) bool { return c.Key == l.Judged })
	if i < 0 {
		t.field("certificate", l.Judged)
		return
	}
	c := sc.Certificates[i]
	t.field("certificate", fmt.Sprintf("%s: subject name %s, issued by %s", c.Key, cmp.Or(c.Order.Subject, "none"), cmp.Or(c.Issuer, "nobody known")))
	var names []string
	for _, n := range c.Order.SANs {
		name := n.Value
		if n.Kind != plan.DNSName {
			name = string(n.Kind) + ":" + n.Value
		}
		names = append(names, name)
	}
	t.more("SAN " + oneLine(cmp.Or(strings.Join(names, ", "), "none")))
	t.more(fmt.Sprintf("EKU %s; %s; valid %s to %s", usages(c.Order.EKUs), c.Order.Key, day(c.Order.NotBefore), day(c.Order.NotAfter)))
	if len(c.Beside) > 0 {
		t.more("no public CA would sell it: " + strings.Join(c.Beside, "; "))
	}
}

func usages(list []plan.Usage) string {
	var all []string
	for _, u := range list {
		all = append(all, string(u))
	}
	return cmp.Or(strings.Join(all, " and "), "none")
}

func day(at time.Time) string { return at.UTC().Format("2006-01-02 15:04") }

// judgements lists the checks that failed, side by side with the judges, or says that none did.
func (t *teller) judgements(l lab.LegResult) {
	for _, j := range l.Judgements {
		failed := j.Failed()
		if len(failed) == 0 {
			continue
		}
		line := fmt.Sprintf("%s as %s: %s", j.Product, j.Role, j.Outcome)
		switch {
		case j.Outcome == verdict.OutcomeTrusted:
			line += " all the same"
		case j.Alert != 0:
			line += ", with TLS alert " + wire.AlertName(j.Alert)
		case j.Layer == verdict.Application:
			line += " by the application, after the handshake"
		}
		t.field("judge", line)
		for _, c := range failed {
			t.check(c)
		}
	}
}

// check is one failed check, the one that the product reports first marked with an arrow.
func (t *teller) check(c verdict.Check) {
	mark := " "
	if c.First {
		mark = t.style.bad(">")
	}
	name := c.Name
	if c.Unknown {
		name += " (unknown)"
	}
	t.more(fmt.Sprintf("%s %s: %s", mark, t.style.bold(oneLine(name)), oneLine(c.Rule)))
	if c.Detail != "" {
		t.more("    " + oneLine(c.Detail))
	}
	t.more("    " + t.style.dim(fmt.Sprintf("[%s, %s]", oneLine(c.RuleID), oneLine(c.Source.String()))))
}

func (t *teller) evidence(events []verdict.Event) {
	if len(events) == 0 {
		return
	}
	host, kind := 0, 0
	for _, e := range events {
		host, kind = max(host, len(e.Host)), max(kind, len(e.Kind))
	}
	t.field("evidence", fmt.Sprintf("%s; time in ms", count(len(events), "event")))
	for _, e := range events {
		t.more(strings.TrimRight(fmt.Sprintf("%7.2f  %-*s  %-*s  %s", float64(e.At.Microseconds())/1000, host, oneLine(e.Host), kind, e.Kind, oneLine(eventText(e))), " "))
	}
}

// eventText is an event in words, with what its text leaves out.
func eventText(e verdict.Event) string {
	if e.Text != "" {
		return e.Text
	}
	switch {
	case e.Alert != 0:
		return "alert " + wire.AlertName(e.Alert)
	case e.Status != 0:
		return fmt.Sprintf("status %d", e.Status)
	case e.Judgement != nil:
		return fmt.Sprintf("%s as %s: %s", e.Judgement.Product, e.Judgement.Role, e.Judgement.Outcome)
	case len(e.Certs) > 0:
		return count(len(e.Certs), "certificate")
	}
	return e.Method
}
