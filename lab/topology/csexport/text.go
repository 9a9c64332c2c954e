package csexport

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/edgelab/edgelab/lab/source"
)

// Bounds on an export. The largest deployments have topologies of a few hundred kilobytes.
const (
	MaxSize     = 16 << 20 // bytes
	maxDepth    = 64       // elements within each other
	maxElements = 200_000
)

// A text is an input with what is needed to name places in it.
type text struct {
	name   string
	data   []byte // UTF-8, without a byte order mark
	starts []int  // offset of each line
	last   place  // where pos was asked last: places are mostly asked for in order
}

// A place is an offset, its line from 0, and how many characters of the line lie before it.
type place struct{ offset, line, column int }

// newText decodes an input. PowerShell writes UTF-16 with a byte order mark unless it is told otherwise, so that is
// read too.
func newText(name string, data []byte) (*text, error) {
	t := &text{name: name}
	start := source.Pos{File: name, Line: 1, Column: 1}
	switch {
	case len(data) > MaxSize:
		return nil, t.fault(start, "is it the right file? A topology has a few hundred kilobytes at most",
			"the file has more than %d MiB, the most that is read", MaxSize>>20)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil, t.fault(start, "Export-CsConfiguration writes a zip file; run Get-CsTopology -AsXml instead", "the file is a zip archive")
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		data = decodeUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		data = decodeUTF16(data[2:], binary.BigEndian)
	default:
		data = bytes.TrimPrefix(data, []byte("\ufeff"))
	}
	t.data = data
	t.starts = []int{0}
	for i, b := range data {
		if b == '\n' {
			t.starts = append(t.starts, i+1)
		}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, t.fault(start, "", "the file is empty")
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 || r == 0 {
			return nil, t.fault(t.pos(i), "save it as UTF-8 or UTF-16", "the file isn't text: byte 0x%02x", data[i])
		}
		i += n
	}
	return t, nil
}

func decodeUTF16(data []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// pos returns the place of a byte.
func (t *text) pos(offset int) source.Pos {
	offset = min(max(offset, 0), len(t.data))
	line := sort.Search(len(t.starts), func(i int) bool { return t.starts[i] > offset }) - 1
	from := place{offset: t.starts[line], line: line}
	if t.last.line == line && t.last.offset >= from.offset && t.last.offset <= offset {
		from = t.last
	}
	t.last = place{offset, line, from.column + utf8.RuneCount(t.data[from.offset:offset])}
	return source.Pos{File: t.name, Line: line + 1, Column: t.last.column + 1}
}

// fault returns an error at one place.
func (t *text) fault(pos source.Pos, hint, format string, args ...any) error {
	p := source.Problem{Pos: pos, Hint: hint, Message: fmt.Sprintf(format, args...)}
	if pos.Line >= 1 && pos.Line <= len(t.starts) {
		line := t.data[t.starts[pos.Line-1]:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		p.Excerpt = strings.TrimRight(string(line), "\r")
	}
	return &source.Error{Problems: []source.Problem{p}}
}

// A Content is what a file holds.
type Content string

// The contents.
const (
	TopologyXML Content = "topology"     // for Read
	PartnerList Content = "partner-list" // for ReadPartners
)

// Sniff guesses from the beginning of a file which function reads it, so that a command can take files of both kinds
// in any order. A wrong guess costs nothing: that function then says what is wrong.
func Sniff(data []byte) Content {
	t, err := newText("", data[:min(len(data), 4096)&^1])
	if err != nil {
		return TopologyXML
	}
	head := bytes.TrimSpace(t.data)
	if !bytes.HasPrefix(head, []byte("<")) || bytes.Contains(head, []byte("<Objs")) {
		return PartnerList
	}
	return TopologyXML
}
