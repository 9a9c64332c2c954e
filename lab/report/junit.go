package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"github.com/edgelab/edgelab/lab"
)

// JUnit writes r as JUnit XML, in the shape that Jenkins and GitLab read: a testsuite for each scenario and one for the
// lab's own proof, a testcase for each leg. A verdict that differs is a failure; what the lab couldn't do, a broken
// control among it, is an error. A leg's evidence is its system-out. The error is w's.
func JUnit(w io.Writer, r *lab.Result, o Options) error {
	o.Colour, o.Detail = false, Evidence
	root := junitSuites{Name: "edgelab", Time: seconds(r.Duration)}
	root.add(controlSuite(r, o))
	for _, sc := range r.Scenarios {
		root.add(scenarioSuite(sc, o))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(root); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	File     string      `xml:"file,attr,omitempty"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	Time    string      `xml:"time,attr"`
	Failure *junitFault `xml:"failure"`
	Error   *junitFault `xml:"error"`
	Output  *junitText  `xml:"system-out"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

func (r *junitSuites) add(s junitSuite) {
	r.Tests += s.Tests
	r.Failures += s.Failures
	r.Errors += s.Errors
	r.Suites = append(r.Suites, s)
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	}
	s.Cases = append(s.Cases, c)
}

func controlSuite(r *lab.Result, o Options) junitSuite {
	suite := junitSuite{Name: "controls"}
	var spent time.Duration
	for _, l := range r.Controls {
		c := legCase(lab.ScenarioResult{Name: "controls"}, l, o)
		if c.Failure != nil { // a control that fails is the lab's fault, never the deployment's
			c.Failure.Type = "control"
			c.Error, c.Failure = c.Failure, nil
		}
		spent += l.Duration
		suite.add(c)
	}
	if len(r.Controls) == 0 {
		suite.add(junitCase{Name: "controls", Class: "controls", Time: seconds(0),
			Error: &junitFault{Message: "no control was run, so no verdict counts", Type: "control"}})
	}
	suite.Time = seconds(spent)
	return suite
}

func scenarioSuite(sc lab.ScenarioResult, o Options) junitSuite {
	suite := junitSuite{Name: printable(sc.Name), File: printable(sc.File)}
	var spent time.Duration
	for _, l := range sc.Legs {
		spent += l.Duration
		suite.add(legCase(sc, l, o))
	}
	if sc.Error != "" {
		suite.add(junitCase{Name: "scenario", Class: printable(sc.Name), Time: seconds(0),
			Error: &junitFault{Message: oneLine(sc.Error), Type: "environment", Text: printable(sc.Error)}})
	}
	suite.Time = seconds(spent)
	return suite
}

func legCase(sc lab.ScenarioResult, l lab.LegResult, o Options) junitCase {
	text := printable(LegText(sc, l, o)) // CDATA is written as it is
	c := junitCase{Name: printable(l.ID), Class: printable(sc.Name), Time: seconds(l.Duration), Output: &junitText{text}}
	switch {
	case l.Fault != "":
		c.Error = &junitFault{Message: oneLine(l.Fault), Type: "lab", Text: text}
	case !l.OK:
		brief := o
		brief.Detail = Brief
		c.Failure = &junitFault{
			Message: oneLine(fmt.Sprintf("expected %s, got %s: %s", l.Expected, l.Verdict, l.Reason)),
			Type:    string(l.Verdict),
			Text:    printable(LegText(sc, l, brief)),
		}
	}
	return c
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
