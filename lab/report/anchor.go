package report

import (
	"strconv"
	"strings"
)

// anchors hands out the IDs of a page's elements: words of a name, so that a link says where it leads and stays the same
// from run to run, each once.
type anchors map[string]bool

// of returns an ID that wasn't handed out before.
func (a anchors) of(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		for _, r := range strings.ToLower(strings.ReplaceAll(name, "->", "to")) {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
				b.WriteRune(r)
			} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
				b.WriteByte('-')
			}
		}
		b.WriteByte('-')
	}
	id := strings.Trim(b.String(), "-")
	for n := 1; ; n++ {
		try := id
		if n > 1 || id == "" {
			try += "-" + strconv.Itoa(n)
		}
		if !a[try] {
			a[try] = true
			return try
		}
	}
}
