package report

import (
	"cmp"
	"strconv"

	"github.com/edgelab/edgelab/lab"
)

// A place is where in an input file something is said. line and column count from 1; 0: the file as a whole.
type place struct {
	file         string
	line, column int
}

// String is the place as "file:line", or the file alone.
func (p place) String() string {
	if p.line == 0 {
		return p.file
	}
	return p.file + ":" + strconv.Itoa(p.line)
}

// placeOf returns where leg l's expectation stands, or else its scenario's file, named as o names files.
func placeOf(sc lab.ScenarioResult, l lab.LegResult, o Options) place {
	p := place{file: sc.File}
	if rest, column, ok := cutLast(l.ExpectedAt); ok {
		if file, line, ok := splitPlace(l.ExpectedAt); ok {
			p.file, p.line = cmp.Or(file, sc.File), line
			if n, err := strconv.Atoi(column); err == nil && n > 0 && rest != "" {
				p.column = n
			}
		}
	}
	if o.Name != nil {
		p.file = o.Name(p.file)
	}
	return p
}

// finding says in one sentence what is wrong with a leg; ok is false if nothing is.
func finding(l lab.LegResult) (text string, ok bool) {
	switch {
	case l.Fault != "":
		return "the lab failed: " + l.Fault, true
	case !l.OK:
		return "expected " + string(l.Expected) + ", got " + string(l.Verdict) + ": " + l.Reason, true
	}
	return "", false
}
