package verdict

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The pages: one file for each code.
//
//go:embed explain/*.yaml
var pages embed.FS

// An Explanation says what a code means to somebody who has met it.
type Explanation struct {
	Code      Code         `json:"code" yaml:"code"`
	Title     string       `json:"title" yaml:"title"`     // one line
	Meaning   string       `json:"meaning" yaml:"meaning"` // paragraphs, separated by empty lines
	Signs     []Sign       `json:"signs" yaml:"signs"`     // what an administrator sees of it
	Reproduce Reproduction `json:"reproduce" yaml:"reproduce"`
	Mend      []string     `json:"mend" yaml:"mend"` // what to do, best first
	Sources   []string     `json:"sources" yaml:"sources"`
}

// A Sign is how a fault shows itself in one place outside the lab.
type Sign struct {
	Where  string `json:"where" yaml:"where"`   // "Schannel, System log of the Edge Server"
	Shows  string `json:"shows" yaml:"shows"`   // SignUnknown if no source tells
	Source string `json:"source" yaml:"source"` // empty with SignUnknown
}

// SignUnknown is what a Sign shows where no source tells.
const SignUnknown = "unknown"

// A Reproduction is how to see a code in the lab: a scenario of the catalogue, or a file that stands here in full, or
// the reason why no scenario leads there.
type Reproduction struct {
	Scenario string `json:"scenario,omitempty" yaml:"scenario"`
	File     string `json:"file,omitempty" yaml:"file"` // a whole scenario file
	Never    string `json:"never,omitempty" yaml:"never"`
}

// Explain returns the page of a code. A code that isn't one gives an error that is fs.ErrNotExist.
func Explain(c Code) (Explanation, error) {
	if !c.Valid() {
		return Explanation{}, fmt.Errorf("explain %q: %w", string(c), fs.ErrNotExist)
	}
	name := "explain/" + string(c) + ".yaml"
	text, err := pages.ReadFile(name)
	if err != nil {
		return Explanation{}, fmt.Errorf("explain %q: %w", string(c), err)
	}
	var page Explanation
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&page); err != nil {
		return Explanation{}, fmt.Errorf("%s: %w", name, err)
	}
	return page, nil
}

// textWidth is the width of Text's paragraphs, in characters.
const textWidth = 88

// Text returns the page for a terminal. It ends in a line break.
func (e Explanation) Text() string {
	var b strings.Builder
	b.WriteString(wrap(fmt.Sprintf("%s: %s", e.Code, e.Title), "", "  ") + "\n")
	for _, paragraph := range strings.Split(strings.TrimSpace(e.Meaning), "\n\n") {
		b.WriteString(wrap(paragraph, "", "") + "\n")
	}
	if len(e.Signs) > 0 {
		b.WriteString("What an administrator sees\n")
		for _, s := range e.Signs {
			text := s.Where + ": " + s.Shows
			if s.Source != "" {
				text += " [" + s.Source + "]"
			}
			b.WriteString(wrap(text, "  - ", "    "))
		}
		b.WriteString("\n")
	}
	if checks := ChecksFor(e.Code); len(checks) > 0 {
		b.WriteString("Which rules lead there\n")
		for _, name := range checks {
			fmt.Fprintf(&b, "  edgelab explain %s\n", name)
		}
		b.WriteString("\n")
	}
	b.WriteString("How to reproduce it\n")
	switch r := e.Reproduce; {
	case r.Scenario != "":
		fmt.Fprintf(&b, "  edgelab run --filter %s\n\n", r.Scenario)
	case r.File != "":
		fmt.Fprintf(&b, "  edgelab run with this file:\n\n%s\n", indent(r.File, "    "))
	default:
		b.WriteString(wrap(r.Never, "  ", "  ") + "\n")
	}
	b.WriteString("How to mend it\n")
	for _, m := range e.Mend {
		b.WriteString(wrap(m, "  - ", "    "))
	}
	if len(e.Sources) > 0 {
		b.WriteString("\nSources\n")
		for _, s := range e.Sources {
			b.WriteString(wrap(s, "  - ", "    "))
		}
	}
	return b.String()
}

// wrap breaks text into lines of textWidth, the first with the prefix first, the others with rest.
func wrap(text, first, rest string) string {
	var b strings.Builder
	line, empty := first, true
	for _, word := range strings.Fields(text) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > textWidth {
			b.WriteString(line + "\n")
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	b.WriteString(line + "\n")
	return b.String()
}

func indent(text, by string) string {
	lines := strings.SplitAfter(strings.TrimRight(text, "\n")+"\n", "\n")
	return by + strings.TrimSuffix(strings.Join(lines, by), by)
}
