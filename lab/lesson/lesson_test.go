package lesson_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/lesson"
	"github.com/edgelab/edgelab/lab/source"
	"github.com/edgelab/edgelab/lab/verdict"
	"github.com/edgelab/edgelab/scenarios"
)

// The topics that there is a lesson for, in the order of teaching.
func TestNames(t *testing.T) {
	want := []string{
		"subject-in-san", "two-ekus", "aol", "xmpp-names", "wildcard", "intermediate", "dialback", "mras", "renewal", "second-domain",
	}
	if got := lesson.Names(); !slices.Equal(got, want) {
		t.Errorf("lessons %v, want %v", got, want)
	}
	all, err := lesson.All()
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range all {
		if l.Name != want[i] {
			t.Errorf("lesson %d is %s, want %s", i, l.Name, want[i])
		}
		found, err := lesson.Find(l.Name)
		if err != nil || found.Title != l.Title {
			t.Errorf("Find(%q) = %q, %v", l.Name, found.Title, err)
		}
	}
	for _, name := range []string{"", "no-such", "10-subject-in-san", "../doc"} {
		if _, err := lesson.Find(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Find(%q): %v, want one that is fs.ErrNotExist", name, err)
		}
	}
}

// A break's text is a scenario file: whoever copies it out gets the scenario that the lesson runs.
func TestBreaksCanBeCopied(t *testing.T) {
	all, err := lesson.All()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, l := range all {
		for _, b := range l.Breaks {
			in, err := b.Load(scenarios.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if names[in.Name] {
				t.Errorf("two breaks are called %s", in.Name)
			}
			names[in.Name] = true
			out, err := scenarios.Load("copy.yaml", []byte(b.Text), scenarios.Options{})
			if err != nil {
				t.Errorf("%s: %q: %v", l.Name, b.Title, err)
			}
			if len(in.Expect) != len(out.Expect) || in.At != out.At || len(in.Differences) != len(out.Differences) {
				t.Errorf("%s: %q: the copy differs", l.Name, b.Title)
			}
		}
	}
}

func TestMeans(t *testing.T) {
	for _, test := range []struct {
		pattern, id string
		want        bool
	}{
		{"edge -> aol", "edge/contoso.com -> aol", true},
		{"edge/contoso.com -> aol", "edge/contoso.com -> aol", true},
		{"edge/fabrikam.com -> aol", "edge/contoso.com -> aol", false},
		{"any -> edge/contoso.com", "aol -> edge/contoso.com", true},
		{"aol -> edge", "edge/contoso.com -> aol", false},
		{"next-hop -> mras", "next-hop -> mras", true},
		{"no pattern", "next-hop -> mras", false},
		{"edge -> aol", "no leg", false},
	} {
		if got := lesson.Means(test.pattern, test.id); got != test.want {
			t.Errorf("Means(%q, %q) = %v", test.pattern, test.id, got)
		}
	}
}

func TestRight(t *testing.T) {
	l := lesson.Lesson{Name: "x", Choices: []lesson.Choice{
		{Claims: []lesson.Claim{{Legs: "edge -> aol", Is: lesson.Works}, {Legs: "aol -> edge", Is: lesson.Works}}},
		{Claims: []lesson.Claim{{Legs: "edge -> aol", Is: lesson.Fails}}},
		{Claims: []lesson.Claim{{Legs: "edge -> aol", Is: string(verdict.FallbackDialback)}}},
	}}
	legs := func(out, in verdict.Code) map[string]verdict.Code {
		return map[string]verdict.Code{"edge/contoso.com -> aol": out, "aol -> edge/contoso.com": in}
	}
	for _, test := range []struct {
		name     string
		verdicts map[string]verdict.Code
		want     int // -1: an error
	}{
		{"both work", legs(verdict.Trusted, verdict.Trusted), 0},
		{"one fails", legs(verdict.ClientEKUMissing, verdict.Trusted), 1},
		{"a fallback works, and is one", legs(verdict.FallbackDialback, verdict.Trusted), -1},
		{"none of them", legs(verdict.Trusted, verdict.Expired), -1},
		{"no legs at all", nil, -1},
	} {
		got, err := l.Right(test.verdicts)
		if test.want < 0 && err == nil || test.want >= 0 && (err != nil || got != test.want) {
			t.Errorf("%s: %d, %v; want %d", test.name, got, err, test.want)
		}
	}
}

const good = `title: A lesson
scenario: public-im-aol-no-client-eku
question: What?
look: [edge -> aol]
choices:
  - text: Yes
    reply: No.
    claims: {edge -> aol: works}
  - text: No
    reply: Yes.
    claims: {edge -> aol: client-eku-missing}
answer: 2
explanation: Because.
breaks:
  - title: One way
    explanation: It breaks.
    scenario: |
      base: sip-federation
      certificates:
        external: {omit-san: [sip.contoso.com]}
  - title: Another
    explanation: It breaks.
    scenario: |
      base: sip-federation
sources: [RFC 5280]
`

func TestLoad(t *testing.T) {
	l, err := lesson.Load("12-good-one.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if l.Name != "good-one" || l.Answer != 1 || len(l.Breaks) != 2 {
		t.Errorf("name %q, answer %d, %d breaks", l.Name, l.Answer, len(l.Breaks))
	}
	for _, test := range []struct{ from, to, want string }{
		{"title: A lesson", "titel: A lesson", `bad.yaml:1:1: unknown key "titel" in a lesson`},
		{"question: What?", "question: ''", "bad.yaml:3:1: question is missing"},
		{"scenario: public-im-aol-no-client-eku", "scenario: public-im-aol-no-client-ekus", `bad.yaml:2:11: the catalogue has no scenario`},
		{"look: [edge -> aol]", "look: [edge -> oal]", `bad.yaml:4:8: no leg is called "edge -> oal"`},
		{"look: [edge -> aol]", "look: []", "bad.yaml:1:1: a lesson says which legs"},
		{"answer: 2", "answer: 3", "bad.yaml:12:9: answer must be a whole number from 1 to 2"},
		{"answer: 2\n", "", "bad.yaml:1:1: answer is missing"},
		{"aol: works", "aol: work", `bad.yaml:8:27: "work" is no verdict`},
		{"{edge -> aol: works}", "{}", "bad.yaml:6:5: a choice without claims"},
		{"sources: [RFC 5280]", "sources: []", "bad.yaml:1:1: a lesson without sources"},
		{"  - title: Another\n    explanation: It breaks.\n    scenario: |\n      base: sip-federation\n", "", "bad.yaml:1:1: a lesson has 2 breaks at least"},
		// What is wrong in a scenario of a break is said where it stands in the lesson.
		{"{omit-san: [sip.contoso.com]}", "{omit-sans: [sip.contoso.com]}", `bad.yaml:20:20: unknown key "omit-sans"`},
		{"base: sip-federation\nsources", "base: sip-federatoin\nsources", `bad.yaml:24:13: base "sip-federatoin" can't be read`},
	} {
		text := strings.Replace(good, test.from, test.to, 1)
		if text == good {
			t.Fatalf("%q isn't there", test.from)
		}
		_, err := lesson.Load("bad.yaml", []byte(text))
		var problems *source.Error
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("with %q:\n%v\nwant %s", test.to, err, test.want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	paths, err := filepath.Glob("lessons/*.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no lessons: %v", err)
	}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := lesson.Load("fuzz.yaml", text)
		var problems *source.Error
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("%T: %v", err, err)
		}
		if err == nil && (l.Answer < 0 || l.Answer >= len(l.Choices)) {
			t.Fatalf("answer %d of %d", l.Answer, len(l.Choices))
		}
	})
}
