// Package report turns a run's result into what people and machines read: text for a terminal, one HTML file for a
// browser, JSON for programs, and what CI servers show: JUnit XML, SARIF, TAP, Markdown and GitHub's annotations. Everything here is a pure function of the result; what differs between two runs of the
// same scenarios is only what the result itself says differs (durations, port numbers, fingerprints).
package report

import (
	"fmt"
	"io"

	"github.com/edgelab/edgelab/lab"
)

// A Format is one way to write a result.
type Format string

// The formats.
const (
	FormatText     Format = "text"     // for people
	FormatHTML     Format = "html"     // see HTML
	FormatJSON     Format = "json"     // lab.Result as it is; see JSON
	FormatJUnit    Format = "junit"    // see JUnit
	FormatSARIF    Format = "sarif"    // see SARIF
	FormatTAP      Format = "tap"      // see TAP
	FormatMarkdown Format = "markdown" // see Markdown
	FormatGitHub   Format = "github"   // see GitHub
)

// Formats returns every format.
func Formats() []Format {
	return []Format{FormatText, FormatHTML, FormatJSON, FormatJUnit, FormatSARIF, FormatTAP, FormatMarkdown, FormatGitHub}
}

// A Detail is how much of a leg that went as expected the text tells. A leg that didn't is always told in full.
type Detail int

// The levels of detail.
const (
	Brief    Detail = iota // nothing: its scenario has a line
	Stories                // why, for each leg that isn't trusted: a scenario that teaches a failure shows it
	Evidence               // all that happened, of every leg
)

// Options are what a reader can choose.
type Options struct {
	Detail Detail // text
	Colour bool   // text: with ANSI escape sequences
	// Line returns one line of an input file, so that the text can quote an expectation; ok is false when the file
	// can't be read again (it came from a pipe). nil: nothing is quoted.
	Line func(file string, line int) (text string, ok bool)
	// Name returns an input file's name as a CI server knows it: from the repository's root, with slashes. nil: as it was
	// given.
	Name func(file string) string
}

// Write writes r to w in the given format.
func Write(w io.Writer, f Format, r *lab.Result, o Options) error {
	switch f {
	case FormatText:
		return Text(w, r, o)
	case FormatHTML:
		return HTML(w, r, o)
	case FormatJSON:
		return JSON(w, r)
	case FormatJUnit:
		return JUnit(w, r, o)
	case FormatSARIF:
		return SARIF(w, r, o)
	case FormatTAP:
		return TAP(w, r, o)
	case FormatMarkdown:
		return Markdown(w, r, o)
	case FormatGitHub:
		return GitHub(w, r, o)
	}
	return fmt.Errorf("report: no format %q", f)
}
