package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/edgelab/edgelab/lab"
)

// TAP writes r in the Test Anything Protocol, version 13, which prove and the plugins of CI servers read: a test for
// each control and each leg, what is wrong with one in a YAML block below it. If the lab's own proof doesn't hold no
// verdict counts, so that the protocol's "Bail out!" stands in place of the legs. The error is w's.
func TAP(w io.Writer, r *lab.Result, o Options) error {
	b := bufio.NewWriter(w)
	t := tapWriter{Writer: b}
	total := len(r.Controls)
	if r.ControlsHold() {
		for _, sc := range r.Scenarios {
			total += len(sc.Legs)
			if sc.Error != "" {
				total++
			}
		}
	}
	fmt.Fprintf(b, "TAP version 13\n1..%d\n", total)
	for _, l := range r.Controls {
		t.leg(lab.ScenarioResult{Name: "controls"}, l, o)
	}
	if !r.ControlsHold() {
		fmt.Fprintln(b, "Bail out! The lab's own proof failed, so no verdict of this run counts.")
		return b.Flush()
	}
	for _, sc := range r.Scenarios {
		if sc.Error != "" {
			t.test(false, sc.Name)
			t.block([]tapField{{"message", "the lab couldn't run it: " + sc.Error}, {"at", placeOf(sc, lab.LegResult{}, o).String()}})
		}
		for _, l := range sc.Legs {
			t.leg(sc, l, o)
		}
	}
	return b.Flush()
}

type tapWriter struct {
	*bufio.Writer
	number int
}

type tapField struct{ key, value string }

func (t *tapWriter) leg(sc lab.ScenarioResult, l lab.LegResult, o Options) {
	text, bad := finding(l)
	t.test(!bad, sc.Name+": "+l.ID)
	if !bad {
		return
	}
	t.block([]tapField{
		{"message", text}, {"at", placeOf(sc, l, o).String()}, {"expected", string(l.Expected)}, {"verdict", string(l.Verdict)},
		{"judge", l.Judge}, {"certificate", l.Judged}, {"mend", l.Advice},
	})
}

// test writes a test line. A # would begin a directive, with which a test that failed could call itself a todo.
func (t *tapWriter) test(ok bool, description string) {
	t.number++
	mark := "ok"
	if !ok {
		mark = "not ok"
	}
	fmt.Fprintf(t, "%s %d - %s\n", mark, t.number, tapEscaper.Replace(oneLine(description)))
}

// block writes a YAML block. Its values are JSON strings, which YAML reads as they are.
func (t *tapWriter) block(fields []tapField) {
	fmt.Fprintln(t, "  ---")
	for _, f := range fields {
		if f.value == "" {
			continue
		}
		var text strings.Builder
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(printable(f.value)); err != nil {
			continue // a string always encodes
		}
		fmt.Fprintf(t, "  %s: %s", f.key, text.String())
	}
	fmt.Fprintln(t, "  ...")
}

var tapEscaper = strings.NewReplacer(`\`, `\\`, "#", `\#`)
