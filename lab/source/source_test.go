package source_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func parse(text string) (*source.Node, error) {
	var p source.Problems
	n := source.Parse("contoso.yaml", []byte(text), &p)
	return n, p.Err()
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":             {"", "contoso.yaml:1:1: the file is empty"},
		"comments only":     {"# nothing\n\n", "contoso.yaml:1:1: the file is empty"},
		"NUL":               {"edge:\n  a: \x00b", "contoso.yaml:2:6: the file is binary: byte 0x00 at offset 11"},
		"not UTF-8":         {"a: b\xff", "contoso.yaml:1:5: the file is binary: byte 0xff at offset 4"},
		"UTF-16":            {"\xff\xfea\x00", "contoso.yaml:1:1: the file is UTF-16"},
		"too large":         {"a: " + strings.Repeat("x", source.MaxSize), "contoso.yaml:1:1: the file has more than 1 MiB (1048576 bytes)"},
		"list left open":    {"a: b\nc: [d\n", "contoso.yaml:2:1: this isn't YAML"},
		"bad indentation":   {"x: 1\na:\n  b: c\n  d: e\n e: f\n", "contoso.yaml:5:2: this isn't YAML: did not find expected key"},
		"bad list":          {"x: 1\na:\n  - b\n  c: d\n", "contoso.yaml:4:3: this isn't YAML"},
		"quote left open":   {"x: 1\na: \"b\n", "this isn't YAML: found unexpected end of stream"},
		"tab":               {"edge:\n  a: b\n\tc: d\n", "contoso.yaml:3:2: this isn't YAML"},
		"second document":   {"a: b\n---\nc: d\n", "contoso.yaml:2:1: a second YAML document begins here"},
		"alias":             {"a: &x b\nc: *x\n", "contoso.yaml:2:4: YAML aliases aren't read here: *x"},
		"anchor":            {"a: &x b\n", "contoso.yaml:1:4: YAML anchors aren't read here: &x"},
		"merge key":         {"a: {<<: {b: c}}\n", "contoso.yaml:1:5: YAML merge keys aren't read here"},
		"tag":               {"a: !!binary aGk=\n", "contoso.yaml:1:4: YAML tags aren't read here: !!binary"},
		"duplicate key":     {"a: b\nc: d\na: e\n", `contoso.yaml:3:1: key "a" is there twice; the first is in line 1`},
		"key is a list":     {"[a]: b\n", "contoso.yaml:1:1: a key must be a word, not a list"},
		"nested too deep":   {strings.Repeat("[", 40) + strings.Repeat("]", 40), "nested deeper than 32 levels"},
		"nested absurdly":   {strings.Repeat("[", 100_000), "this isn't YAML"},
		"too many values":   {"[" + strings.Repeat("a,", 60_000) + "]", "more than 50000 values in one file"},
		"alias bomb":        {"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "contoso.yaml:2:8: YAML aliases"},
		"unknown alias":     {"a: *b\n", "this isn't YAML: unknown anchor"},
		"control character": {"a: \x1b[31m", "contoso.yaml:1:4: the file is binary: byte 0x1b"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got\n%v\nwant %s", err, test.want)
			}
		})
	}
}

func TestParsePositions(t *testing.T) {
	n, err := parse("\ufeff# ä\r\nedge:\r\n  access: \"sip.contoso.com\"\r\n  tags: [ä, b]\r\n")
	if err != nil {
		t.Fatal(err)
	}
	x := source.NewIndex(n)
	for path, want := range map[source.Path][2]int{
		"edge": {2, 1}, "edge.access": {3, 3}, "edge.tags": {4, 3}, "edge.tags[0]": {4, 10}, "edge.tags[1]": {4, 13},
	} {
		if pos := x.Positions()[path]; pos.Line != want[0] || pos.Column != want[1] {
			t.Errorf("%s is at %d:%d, want %d:%d", path, pos.Line, pos.Column, want[0], want[1])
		}
	}
	if got := x.Value("edge.access.none").Value; got != "sip.contoso.com" {
		t.Errorf("the nearest value above is %q", got)
	}
}

// TestRender fixes how problems look, with every kind of line that is hard to quote.
func TestRender(t *testing.T) {
	text := "edge:\n" +
		"  acess: sip.contoso.com\n" +
		"  internal: \"ünternal\"\n" +
		"  webconf: {a:\tb}\n" +
		"partners: [" + strings.Repeat("{name: litware, domain: litware.com}, ", 6) + "{nam: x}]\n"
	var p source.Problems
	root := source.Parse("contoso.yaml", []byte(text), &p)
	edge := p.Mapping(root.Get("edge"), "edge", "access", "internal", "webconf")
	p.Add(edge.Get("internal"), "write \"xn--nternal-n2a\"", "not ASCII")
	p.Text(edge.Get("webconf"), "webconf")
	for _, item := range p.List(root.Get("partners"), "partners") {
		p.Mapping(item, "a partner", "name", "domain")
	}
	p.AddAt(source.Pos{File: "other.yaml", Line: 7, Column: 3}, 0, "", "a place whose text isn't known")
	golden(t, "render.txt", p.Err().Error()+"\n")
}

func TestManyProblems(t *testing.T) {
	_, err := parse(strings.Repeat("a: b\n", 100))
	var all *source.Error
	if !errors.As(err, &all) || len(all.Problems) != 99 {
		t.Fatalf("%d problems, want 99", len(all.Problems))
	}
	if !strings.HasSuffix(err.Error(), "and 79 more") {
		t.Errorf("the end is %q", err.Error()[len(err.Error())-20:])
	}
}

func TestReaders(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		read func(*source.Problems, *source.Node)
		want string // "" for no problem
	}{
		"text":             {"a: b", func(p *source.Problems, n *source.Node) { p.Text(n, "a") }, ""},
		"text, a number":   {"a: 5", func(p *source.Problems, n *source.Node) { p.Text(n, "a") }, "a must be text, not the number 5"},
		"text, a list":     {"a: [b]", func(p *source.Problems, n *source.Node) { p.Text(n, "a") }, "a must be text, not a list"},
		"text, a date":     {"a: 2026-11-24", func(p *source.Problems, n *source.Node) { p.Text(n, "a") }, "a must be text, not the date"},
		"list, text":       {"a: b", func(p *source.Problems, n *source.Node) { p.Texts(n, "a") }, "write [b]"},
		"list, empty item": {"a: [b, ]", func(p *source.Problems, n *source.Node) { p.Texts(n, "a") }, ""},
		"list, null item":  {"a: [b, ~]", func(p *source.Problems, n *source.Node) { p.Texts(n, "a") }, "an entry of a is empty"},
		"mapping, text":    {"a: b", func(p *source.Problems, n *source.Node) { p.Mapping(n, "a", "x") }, "a must be a mapping"},
		"bool, yes":        {"a: yes", func(p *source.Problems, n *source.Node) { p.Bool(n, "a") }, "= write true"},
		"bool, true":       {"a: true", func(p *source.Problems, n *source.Node) { p.Bool(n, "a") }, ""},
		"int":              {"a: 90", func(p *source.Problems, n *source.Node) { p.Int(n, "a", 1, 90) }, ""},
		"int, too large":   {"a: 91", func(p *source.Problems, n *source.Node) { p.Int(n, "a", 1, 90) }, "from 1 to 90, not the number 91"},
		"int, huge":        {"a: 99999999999999999999", func(p *source.Problems, n *source.Node) { p.Int(n, "a", 1, 90) }, "from 1 to 90"},
		"time, date":       {"a: 2026-11-24", func(p *source.Problems, n *source.Node) { p.Time(n, "a") }, ""},
		"time, with zone":  {"a: 2026-11-24T12:00:00+01:00", func(p *source.Problems, n *source.Node) { p.Time(n, "a") }, ""},
		"time, no date":    {"a: 2026-02-30", func(p *source.Problems, n *source.Node) { p.Time(n, "a") }, "a must be a date"},
		"one of":           {"a: sipp", func(p *source.Problems, n *source.Node) { p.OneOf(n, "protocol", []string{"sip", "xmpp"}) }, `did you mean "sip"?`},
		"literal":          {"a: false", func(p *source.Problems, n *source.Node) { p.Literal(n, "a") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var p source.Problems
			n := source.Parse("f.yaml", []byte(test.text), &p)
			test.read(&p, n.Get("a"))
			test.read(&p, n.Get("absent"))
			switch err := p.Err(); {
			case test.want == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"access", "webconf", "internal", "next-hop", "lync-2013", "lync-2010"}
	for word, want := range map[string]string{
		"acess": "access", "acecss": "access", "accesses": "access", "Access": "access", "lync-2031": "lync-2013",
		"nexthop": "next-hop", "banana": "", "x": "", "": "", strings.Repeat("a", 10_000): "",
	} {
		if got, _ := source.Nearest(word, names); got != want {
			t.Errorf("nearest to %.20q is %q, want %q", word, got, want)
		}
	}
}

func TestMerge(t *testing.T) {
	var p source.Problems
	base := source.Parse("base.yaml", []byte("a: {b: 1, c: 2, d: [x]}\np: [{name: n, v: 1, w: 2}, {name: m}]\nq: 1\n"), &p)
	over := source.Parse("over.yaml", []byte("a: {c: 3, d: [y], b: null}\np: [{name: n, v: 9}, {name: o}]\n"), &p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	n := source.Merge(base, over, func(path source.Path) bool { return path == "p" })
	x := source.NewIndex(n)
	for path, want := range map[source.Path]string{
		"a.c": "3", "a.d[0]": "y", "p[0].v": "9", "p[0].w": "2", "p[1].name": "m", "p[2].name": "o", "q": "1",
	} {
		if !x.Has(path) || x.Value(path).Value != want {
			t.Errorf("%s is missing or not %s", path, want)
		}
	}
	if x.Has("a.b") {
		t.Error("null didn't take a.b away")
	}
	if pos := x.Positions()["p[0].w"]; pos.File != "base.yaml" {
		t.Errorf("what comes from the base is placed in %s", pos.File)
	}
}

func TestPath(t *testing.T) {
	p := source.Path("expect").Child("edge/contoso.com -> aol")
	if want := source.Path(`expect."edge/contoso.com -> aol"`); p != want || p.Parent() != "expect" {
		t.Errorf("path %s, parent %s", p, p.Parent())
	}
	if p := source.Path("a").At(3).Child("b"); p != "a[3].b" || p.Parent() != "a[3]" || p.Parent().Parent() != "a" {
		t.Errorf("path %s", p)
	}
}

// FuzzParse wants no panic, a problem or a tree, and every problem placed inside the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a: b", "a: &x [*x]", "- {a: [b, 'c']}", "a: |\n  b\n", "? a\n: b", "%YAML 1.1\n---\na", "\ta: b", "a: 2026-11-24"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var p source.Problems
		n := source.Parse("f.yaml", text, &p)
		err := p.Err()
		if n == nil && err == nil {
			t.Error("neither a tree nor a problem")
		}
		lines := 1 + bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r"))
		var all *source.Error
		if errors.As(err, &all) {
			for _, q := range all.Problems {
				if q.Line < 1 || q.Column < 1 || q.Line > lines+1 {
					t.Errorf("a problem at %d:%d of %d lines: %s", q.Line, q.Column, lines, q.Message)
				}
			}
		}
	})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got\n%s", path, got)
	}
}
