package plan

import (
	"fmt"
	"strings"
)

func renderMarkdown(p Plan) string {
	var b strings.Builder
	for _, g := range groups(p) {
		fmt.Fprintf(&b, "## %s\n\n| %s |\n|%s\n", g.title, strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
		for _, c := range g.certificates {
			names := []string{"none needed"}
			if len(c.SANs) > 0 {
				names = nil
			}
			for _, s := range c.SANs {
				names = append(names, escape(s.Label()))
			}
			comments := []string{}
			for _, line := range c.Comments() {
				comments = append(comments, escape(line))
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", escape(c.Component), escape(c.Subject),
				strings.Join(names, "<br>"), strings.Join(comments, "<br>"))
		}
		b.WriteString("\n")
	}
	for _, c := range p.Certificates {
		fmt.Fprintf(&b, "## Why each entry is there: %s\n\n", escape(c.Component))
		for _, r := range reasonsOf(c) {
			fmt.Fprintf(&b, "### %s\n\n", r.title)
			for _, row := range r.rows {
				fmt.Fprintf(&b, "- **%s**: %s", escape(row.entry), escape(row.why))
				if row.source.Ref != "" {
					fmt.Fprintf(&b, " *(%s)*", escape(row.source.Ref))
				}
				b.WriteString("\n")
			}
			b.WriteString("\n")
		}
		if len(c.Notes) > 0 {
			b.WriteString("### Notes\n\n")
			for _, note := range c.Notes {
				fmt.Fprintf(&b, "- %s\n", escape(note))
			}
			b.WriteString("\n")
		}
	}
	if len(p.Choices) > 0 {
		fmt.Fprintf(&b, "## %s\n\n", contradictions)
	}
	for _, c := range p.Choices {
		fmt.Fprintf(&b, "### %s: %s\n\n", escape(c.Key), escape(c.Question))
		for _, o := range c.Options {
			fmt.Fprintf(&b, "- **%s**: %s *(%s)*\n", escape(c.label(o)), escape(o.Words), escape(o.Source.Ref))
		}
		fmt.Fprintf(&b, "\nDefault because %s; %s.\n\n", escape(c.Why), escape(howToChoose(c)))
	}
	fmt.Fprintf(&b, "## How many certificates\n\n%s *(%s)*\n", escape(strings.Join(p.Staging.sentences(), " ")), escape(p.Staging.Source.Ref))
	return strings.TrimRight(b.String(), "\n") + "\n"
}

var escaper = strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;", "_", `\_`)

// escape keeps what Markdown would read as its own.
func escape(s string) string { return escaper.Replace(s) }
