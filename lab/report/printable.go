package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable shows what a terminal would obey and XML 1.0 forbids (control characters, bytes that aren't UTF-8,
// noncharacters) as escapes. A partner chooses much of what a report quotes; none of it may move the cursor.
func printable(t string) string {
	if strings.IndexFunc(t, unprintable) < 0 {
		return t
	}
	var b strings.Builder
	for len(t) > 0 {
		r, n := utf8.DecodeRuneInString(t)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, t[0])
		case r < 0x80 && unprintable(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case unprintable(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(t[:n])
		}
		t = t[n:]
	}
	return b.String()
}

func unprintable(r rune) bool {
	switch r {
	case '\t', '\n':
		return false
	case utf8.RuneError, 0xfffe, 0xffff:
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}
