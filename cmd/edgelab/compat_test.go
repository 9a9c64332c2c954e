package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
)

// testdata/compat has a folder for each released version, with what that version wrote and was given. What is there never
// changes; a release adds a folder.
func versions(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.FromSlash("testdata/compat/v*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no released versions: %v", err)
	}
	return folders
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func schemaOf(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t *testing.T, s *jsonschema.Schema, text []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Error(err)
	}
}

// Scenario files of every released version still mean the same: all legs as that version expected them.
func TestOldScenarios(t *testing.T) {
	for _, v := range versions(t) {
		files, err := filepath.Glob(filepath.Join(v, "scenarios", "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no scenarios: %v", v, err)
		}
		for _, f := range files {
			t.Run(filepath.ToSlash(f), func(t *testing.T) {
				if code, stdout, stderr := call(t.Context(), nil, "run", f); code != exitOK {
					t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
				}
			})
		}
	}
}

// A report of every released version is one that today's schema allows and today's types read, and what is written today is
// one that the readers of that version, who go by its schema, can read.
func TestOldReports(t *testing.T) {
	_, now, _ := call(t.Context(), nil, "run", "--format", "json", "--filter", "sip-federation")
	for _, v := range versions(t) {
		t.Run(filepath.Base(v), func(t *testing.T) {
			old := read(t, v, "report.json")
			valid(t, schemaOf(t, []byte(report.Schema())), old)
			valid(t, schemaOf(t, read(t, v, "schema.json")), []byte(now))
			var r lab.Result
			if err := json.Unmarshal(old, &r); err != nil || r.Version != lab.ResultVersion || len(r.Scenarios) == 0 || !r.Scenarios[0].Legs[0].OK {
				t.Errorf("%v: version %d, %d scenarios", err, r.Version, len(r.Scenarios))
			}
		})
	}
}

// Exit codes and verdicts of every released version are still there and mean the same.
func TestOldCodes(t *testing.T) {
	for _, v := range versions(t) {
		for line := range strings.Lines(string(read(t, v, "exit-codes.txt"))) {
			code, words, _ := strings.Cut(strings.TrimSpace(line), " ")
			found := false
			for help := range strings.Lines(exitHelp) {
				f := strings.Fields(help)
				found = found || len(f) > 0 && f[0] == code && strings.Contains(help, words)
			}
			if !found {
				t.Errorf("%s: exit code %s is no longer %q", v, code, words)
			}
		}
		for line := range strings.Lines(string(read(t, v, "verdicts.txt"))) {
			if !verdict.Code(strings.TrimSpace(line)).Valid() {
				t.Errorf("%s: the verdict %s is gone", v, line)
			}
		}
	}
}

// A file may name the version of its form, and one that this program can't read says so.
func TestScenarioVersion(t *testing.T) {
	for version, want := range map[string]int{"1": exitOK, "2": exitUsage, "one": exitUsage} {
		path := filepath.Join(t.TempDir(), "v.yaml")
		if err := os.WriteFile(path, []byte("version: "+version+"\nbase: sip-federation\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := call(t.Context(), nil, "run", path)
		if code != want || want == exitUsage && !strings.Contains(stderr, "version of the scenario file's form") {
			t.Errorf("version %s: exit code %d, %s", version, code, stderr)
		}
	}
}
