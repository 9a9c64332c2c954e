package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/edgelab/edgelab/lab"
)

// GitHub writes an annotation for each leg that differs, each fault and each broken control, as workflow commands that
// GitHub Actions shows beside the line of the scenario, and last the closing line. GitHub shows ten errors per step; the
// rest stays in the log. (docs.github.com, Workflow commands for GitHub Actions.) The error is w's.
func GitHub(w io.Writer, r *lab.Result, o Options) error {
	b := bufio.NewWriter(w)
	for _, l := range r.Controls {
		if text, bad := finding(l); bad {
			annotate(b, place{}, "the lab's own proof: "+l.ID, text)
		}
	}
	if len(r.Controls) == 0 {
		annotate(b, place{}, "the lab's own proof", "no control was run, so no verdict counts")
	}
	for _, sc := range r.Scenarios {
		if sc.Error != "" {
			annotate(b, placeOf(sc, lab.LegResult{}, o), sc.Name, "the lab couldn't run it: "+sc.Error)
		}
		for _, l := range sc.Legs {
			text, bad := finding(l)
			if !bad {
				continue
			}
			if l.Advice != "" {
				text += "\nto mend: " + l.Advice
			}
			annotate(b, placeOf(sc, l, o), sc.Name+": "+l.ID, text)
		}
	}
	fmt.Fprintln(b, Closing(r))
	return b.Flush()
}

// annotate writes one workflow command. What a partner chose ends neither the command nor a property of it.
func annotate(b *bufio.Writer, at place, title, message string) {
	var properties []string
	property := func(name, value string) {
		properties = append(properties, name+"="+propertyEscaper.Replace(printable(value)))
	}
	if at.file != "" {
		property("file", at.file)
		if at.line > 0 {
			property("line", strconv.Itoa(at.line))
		}
		if at.column > 0 {
			property("col", strconv.Itoa(at.column))
		}
	}
	property("title", title)
	fmt.Fprintf(b, "::error %s::%s\n", strings.Join(properties, ","), dataEscaper.Replace(printable(message)))
}

// As the runner itself unescapes them (actions/toolkit, packages/core/src/command.ts).
var (
	dataEscaper     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscaper = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
