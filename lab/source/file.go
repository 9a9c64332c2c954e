package source

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxSize is the most bytes that an input may have.
const MaxSize = 1 << 20

// excerptWidth is how much of a long line is quoted, in characters.
const excerptWidth = 100

// A Pos is a place in an input. Lines and columns count from 1, columns in characters. The zero Pos is no place.
type Pos struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// IsZero reports whether p is no place.
func (p Pos) IsZero() bool { return p == Pos{} }

// lines splits text the way editors number it.
func lines(text []byte) []string {
	return strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
}

// quote prepares a line for printing with a caret line below it: tabs become one blank, what can't be printed becomes
// a dot, and a long line is cut around the column. It returns the text and the column within it, from 0.
func quote(line string, column int) (string, int) {
	var runes []rune
	for len(line) > 0 {
		r, n := utf8.DecodeRuneInString(line)
		switch {
		case r == '\t':
			r = ' '
		case r == utf8.RuneError && n == 1, !unicode.IsPrint(r):
			r = '·'
		}
		runes = append(runes, r)
		line = line[n:]
	}
	at := min(max(column-1, 0), len(runes))
	start := 0
	if len(runes) > excerptWidth && at > excerptWidth/2 {
		start = min(at-excerptWidth/2, len(runes)-excerptWidth)
	}
	end := min(start+excerptWidth, len(runes))
	cut := string(runes[start:end])
	at -= start
	if start > 0 {
		cut, at = "…"+cut, at+1
	}
	if end < len(runes) {
		cut += "…"
	}
	return strings.TrimRight(cut, " "), at
}
