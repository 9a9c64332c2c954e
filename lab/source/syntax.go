package source

import (
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntax notes an error of the YAML reader, which knows the line at best: that of what it was reading, or the one before.
func (p *Problems) syntax(name string, err error) {
	line, message := splitError(err)
	l := p.files[name]
	switch {
	case strings.HasPrefix(message, "did not find expected key"), strings.HasPrefix(message, "did not find expected '-' indicator"):
		line = firstBad(l, message, line)
	case strings.HasPrefix(message, "did not find expected ',' or"), strings.HasPrefix(message, "did not find expected node content"):
		line++ // counted from 0
	case strings.Contains(message, "tab character") && line < len(l) && !indentedByTab(l[line-1]) && indentedByTab(l[line]):
		line++
	}
	pos, width, hint := Pos{File: name, Line: min(max(line, 1), max(len(l), 1)), Column: 1}, 0, ""
	if pos.Line <= len(l) {
		text := strings.TrimRight(l[pos.Line-1], " \t")
		indent := len(text) - len(strings.TrimLeft(text, " \t"))
		pos.Column, width = utf8.RuneCountInString(text[:indent])+1, utf8.RuneCountInString(text[indent:])
		if indentedByTab(text) {
			hint = "YAML indents with blanks, not with tabs"
		}
	}
	p.AddAt(pos, width, hint, "this isn't YAML: %s", message)
}

func splitError(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	line = 1
	if m := yamlLine.FindStringSubmatchIndex(message); m != nil {
		if n, err := strconv.Atoi(message[m[2]:m[3]]); err == nil {
			line = max(n, 1)
		}
		message = message[m[1]:]
	}
	return line, message
}

// firstBad returns the first line with which the text stops being YAML in the way that message says: the reader itself
// names the line where the block begins. It returns otherwise if there is no such line.
func firstBad(l []string, message string, otherwise int) int {
	bad := func(n int) bool {
		var node yaml.Node
		err := yaml.Unmarshal([]byte(strings.Join(l[:n], "\n")+"\n"), &node)
		if err == nil {
			return false
		}
		_, m := splitError(err)
		return m == message
	}
	n := sort.Search(len(l), bad)
	if n < 1 || n > len(l) || !bad(n) {
		return otherwise
	}
	return n
}

func indentedByTab(line string) bool {
	return strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t")
}
