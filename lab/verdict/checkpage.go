package verdict

import (
	"bytes"
	_ "embed" // for the pages
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed checks.yaml
var checkPages []byte

// A CheckExplanation says what one kind of check asks, and what its failure leads to. How that shows, how it is
// reproduced and how it is mended is on the pages of the verdicts.
type CheckExplanation struct {
	Check   string `json:"check" yaml:"check"`
	Title   string `json:"title" yaml:"title"` // the question, without its mark
	Meaning string `json:"meaning" yaml:"meaning"`
	Leads   []Code `json:"leads" yaml:"leads"`
}

// CheckExplanations returns the pages of all checks. An error means that the data is wrong.
func CheckExplanations() ([]CheckExplanation, error) {
	var all []CheckExplanation
	d := yaml.NewDecoder(bytes.NewReader(checkPages))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("checks.yaml: %w", err)
	}
	return all, nil
}

// ExplainCheck returns the page of a check. A name that isn't one gives an error that is fs.ErrNotExist.
func ExplainCheck(name string) (CheckExplanation, error) {
	all, err := CheckExplanations()
	if err != nil {
		return CheckExplanation{}, err
	}
	i := slices.IndexFunc(all, func(c CheckExplanation) bool { return c.Check == name })
	if i < 0 {
		return CheckExplanation{}, fmt.Errorf("explain %q: %w", name, fs.ErrNotExist)
	}
	return all[i], nil
}

// ChecksFor returns the names of the checks whose failure leads to a code.
func ChecksFor(c Code) []string {
	all, err := CheckExplanations()
	if err != nil { // a test reads them
		return nil
	}
	var names []string
	for _, page := range all {
		if slices.Contains(page.Leads, c) {
			names = append(names, page.Check)
		}
	}
	return names
}

// Text returns the page for a terminal. It ends in a line break.
func (c CheckExplanation) Text() string {
	var b strings.Builder
	b.WriteString(wrap(fmt.Sprintf("%s: %s?", c.Check, c.Title), "", "  ") + "\n")
	b.WriteString(wrap(c.Meaning, "", "") + "\n")
	b.WriteString("What a failure leads to, with its signs, how to reproduce and to mend it\n")
	for _, code := range c.Leads {
		fmt.Fprintf(&b, "  edgelab explain %s\n", code)
	}
	return b.String()
}
