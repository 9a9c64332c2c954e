package plan

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

var columns = []string{"Component", "Subject name", "Subject alternative names", "Comments"}

// commentWidth is how wide the last column gets.
const commentWidth = 44

// lineWidth is how wide the list of reasons gets.
const lineWidth = 100

func renderText(p Plan) string {
	var b strings.Builder
	for _, g := range groups(p) {
		fmt.Fprintf(&b, "%s\n\n", g.title)
		writeTable(&b, g.certificates)
		b.WriteString("\n")
	}
	for _, c := range p.Certificates {
		fmt.Fprintf(&b, "Why each entry is there: %s\n", c.Component)
		for _, r := range reasonsOf(c) {
			fmt.Fprintf(&b, "\n  %s\n", r.title)
			for _, row := range r.rows {
				fmt.Fprintf(&b, "    %s\n", row.entry)
				writeWrapped(&b, "        ", row.why)
				if row.source.Ref != "" {
					writeWrapped(&b, "        ", "["+row.source.Ref+"]")
				}
			}
		}
		if len(c.Notes) > 0 {
			b.WriteString("\n  Notes\n")
			for _, note := range c.Notes {
				writeWrapped(&b, "    ", note)
			}
		}
		b.WriteString("\n")
	}
	writeChoices(&b, p.Choices)
	b.WriteString("How many certificates\n\n")
	for _, line := range p.Staging.sentences() {
		writeWrapped(&b, "  ", line)
	}
	writeWrapped(&b, "  ", "["+p.Staging.Source.Ref+"]")
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// writeChoices lists what the topics contradict each other on, each with its answers.
func writeChoices(b *strings.Builder, list []Choice) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", contradictions)
	for _, c := range list {
		fmt.Fprintf(b, "\n  %s: %s\n", c.Key, c.Question)
		for _, o := range c.Options {
			fmt.Fprintf(b, "    %s\n", c.label(o))
			writeWrapped(b, "        ", o.Words)
			writeWrapped(b, "        ", "["+o.Source.Ref+"]")
		}
		writeWrapped(b, "    ", "default because "+c.Why)
		writeWrapped(b, "    ", howToChoose(c))
	}
	b.WriteString("\n")
}

func writeTable(b *strings.Builder, certificates []Certificate) {
	cells := [][][]string{}
	widths := make([]int, len(columns))
	measure := func(row [][]string) {
		for i, lines := range row {
			for _, l := range lines {
				widths[i] = max(widths[i], utf8.RuneCountInString(l))
			}
		}
		cells = append(cells, row)
	}
	var head [][]string
	for _, c := range columns {
		head = append(head, []string{c})
	}
	measure(head)
	for _, c := range certificates {
		names := []string{"none needed"}
		if len(c.SANs) > 0 {
			names = nil
		}
		for _, s := range c.SANs {
			names = append(names, s.Label())
		}
		var comments []string
		for _, line := range c.Comments() {
			comments = append(comments, wrap(line, commentWidth)...)
		}
		measure([][]string{{c.Component}, {c.Subject}, names, comments})
	}
	rule := make([][]string, len(widths))
	for i, w := range widths {
		rule[i] = []string{strings.Repeat("-", w)}
	}
	writeRow(b, cells[0], widths)
	for _, row := range cells[1:] {
		writeRow(b, rule, widths)
		writeRow(b, row, widths)
	}
}

func writeRow(b *strings.Builder, row [][]string, widths []int) {
	height := 0
	for _, lines := range row {
		height = max(height, len(lines))
	}
	for y := range height {
		var line strings.Builder
		for i, lines := range row {
			cell := ""
			if y < len(lines) {
				cell = lines[y]
			}
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

func writeWrapped(b *strings.Builder, indent, text string) {
	for _, line := range wrap(text, lineWidth-len(indent)) {
		b.WriteString(indent + line + "\n")
	}
}

// wrap breaks text at blanks into lines of at most width characters; a longer word has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
