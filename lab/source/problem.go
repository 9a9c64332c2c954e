package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems is how many problems are printed; a file that is wrong in more places is the wrong file.
const maxProblems = 20

// A Problem is one thing that is wrong with an input.
type Problem struct {
	Pos
	Width   int    `json:"-"`       // characters to mark, 0: one
	Message string `json:"message"` // what is wrong, and why that is wrong
	Hint    string `json:"hint,omitempty"`
	Excerpt string `json:"excerpt,omitempty"` // the line; empty when the file couldn't be read
}

// String renders the problem like a compiler: place and message, the line, a caret, the way out.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s\n", p.File, p.Line, p.Column, p.Message)
	margin := "   "
	if p.Excerpt != "" {
		number := fmt.Sprint(p.Line)
		margin = strings.Repeat(" ", len(number)+1)
		text, at := quote(p.Excerpt, p.Column)
		marks := min(max(p.Width, 1), max(len([]rune(text))-at, 1))
		fmt.Fprintf(&b, " %s | %s\n", number, text)
		fmt.Fprintf(&b, "%s | %s%s\n", margin, strings.Repeat(" ", at), strings.Repeat("^", marks))
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "%s = %s\n", margin, p.Hint)
	}
	return b.String()
}

// An Error is everything that is wrong with an input, in the order of the text.
type Error struct{ Problems []Problem }

// Error returns all problems as Problem.String renders them.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == maxProblems {
			fmt.Fprintf(&b, "and %d more\n", len(e.Problems)-i)
			break
		}
		b.WriteString(p.String())
	}
	return strings.TrimRight(b.String(), "\n")
}

// Problems collects what is wrong while an input is read. The zero value is ready. It isn't safe for use by several
// goroutines.
type Problems struct {
	list  []Problem
	files map[string][]string
}

// Add notes a problem at a node. A nil node is the beginning of nowhere; its problem is noted without a place.
func (p *Problems) Add(n *Node, hint, format string, args ...any) {
	if n == nil {
		p.AddAt(Pos{}, 0, hint, format, args...)
		return
	}
	p.AddAt(n.Pos, n.width, hint, format, args...)
}

// AddAt notes a problem at a place, marking width characters.
func (p *Problems) AddAt(pos Pos, width int, hint, format string, args ...any) {
	problem := Problem{Pos: pos, Width: width, Hint: hint, Message: fmt.Sprintf(format, args...)}
	if l := p.files[pos.File]; pos.Line >= 1 && pos.Line <= len(l) {
		problem.Excerpt = l[pos.Line-1]
	}
	p.list = append(p.list, problem)
}

// Marked reports whether a problem has been noted at n.
func (p *Problems) Marked(n *Node) bool {
	return n != nil && slices.ContainsFunc(p.list, func(q Problem) bool { return q.Pos == n.Pos })
}

// Len returns how many problems there are.
func (p *Problems) Len() int { return len(p.list) }

// Err returns an *Error with all problems, sorted by place and each once, or nil.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{Problems: slices.Compact(list)}
}

func (p *Problems) keep(name string, text []byte) {
	if p.files == nil {
		p.files = map[string][]string{}
	}
	p.files[name] = lines(text)
}
