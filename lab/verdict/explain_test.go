package verdict_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/edgelab/edgelab/lab/verdict"
)

func TestEveryCodeHasAPage(t *testing.T) {
	for _, c := range verdict.Codes() {
		t.Run(string(c), func(t *testing.T) {
			page, err := verdict.Explain(c)
			if err != nil {
				t.Fatal(err)
			}
			if page.Code != c {
				t.Errorf("the page says it is for %q", page.Code)
			}
			if page.Title == "" || strings.ContainsAny(page.Title, "\n") || strings.HasSuffix(page.Title, ".") {
				t.Errorf("title %q: want one line without a full stop", page.Title)
			}
			if strings.TrimSpace(page.Meaning) == "" || len(page.Mend) == 0 || len(page.Sources) == 0 {
				t.Error("meaning, mend and sources must be there")
			}
			for _, s := range page.Signs {
				if s.Where == "" || s.Shows == "" {
					t.Errorf("sign %+v: where and shows must be there", s)
				}
				if (s.Source == "") != (s.Shows == verdict.SignUnknown) {
					t.Errorf("sign at %s: what is known has a source, what isn't is %q", s.Where, verdict.SignUnknown)
				}
			}
			ways := 0
			for _, way := range []string{page.Reproduce.Scenario, page.Reproduce.File, page.Reproduce.Never} {
				if way != "" {
					ways++
				}
			}
			if ways != 1 {
				t.Errorf("reproduce has %d of scenario, file and never; want one", ways)
			}
		})
	}
}

func TestEveryPageHasACode(t *testing.T) {
	files, err := os.ReadDir("explain")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if code, ok := strings.CutSuffix(f.Name(), ".yaml"); !ok || !slices.Contains(verdict.Codes(), verdict.Code(code)) {
			t.Errorf("explain/%s explains no code", f.Name())
		}
	}
}

func TestExplainUnknownCode(t *testing.T) {
	for _, c := range []verdict.Code{"", "no-such", "../doc", "trusted.yaml"} {
		if _, err := verdict.Explain(c); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Explain(%q): %v, want one that is fs.ErrNotExist", c, err)
		}
	}
}

func TestExplanationText(t *testing.T) {
	page, err := verdict.Explain(verdict.ClientEKUMissing)
	if err != nil {
		t.Fatal(err)
	}
	text := page.Text()
	for _, want := range []string{"client-eku-missing: ", "What an administrator sees\n", "How to reproduce it\n", "How to mend it\n", "Sources\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if len([]rune(line)) > 89 {
			t.Errorf("line longer than 88 characters: %q", line)
		}
	}
}
