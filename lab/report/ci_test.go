package report_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
)

// nasty is a text that means something to every reader of a report.
const nasty = "</script><script>alert(1)</script><!--\r\n::error file=x::owned\n# SKIP | **bold** [x](http://evil.example) @someone `code` %0A\x1b[31m\x00\xff\u202e"

// hostile is a run in which everything that a partner or a file can choose is chosen badly.
func hostile() *lab.Result {
	l := refused(verdict.Trusted)
	l.ID, l.Initiator, l.Acceptor, l.Kind = nasty, nasty, nasty, nasty
	l.ExpectedAt = nasty + ":3:3"
	l.Reason, l.Judge, l.Judged, l.Advice = nasty, nasty, nasty, nasty
	l.Seen = []string{nasty}
	for i := range l.Judgements[0].Checks {
		c := &l.Judgements[0].Checks[i]
		c.Name, c.Rule, c.RuleID, c.Detail, c.Source.Ref, c.Certificate = nasty, nasty, nasty, nasty, nasty, nasty
	}
	l.Evidence = append(l.Evidence, verdict.Event{Seq: 4, Side: verdict.Initiator, Host: nasty, Kind: verdict.KindSIPSent, Text: nasty, Raw: nasty, Certs: []string{nasty}})
	f := faulted()
	f.Fault = nasty
	sc := scenario(nasty, l, f)
	sc.Teaches, sc.Proves = nasty, []string{nasty}
	sc.Certificates[0].Order.Subject, sc.Certificates[0].Issuer, sc.Certificates[0].Serial = nasty, nasty, nasty
	lost := broken(nasty)
	lost.Error = nasty
	return result(sc, lost)
}

func write(t *testing.T, f report.Format, r *lab.Result, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, f, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// No format lets control characters through, whatever the names are.
func TestHostileControlCharacters(t *testing.T) {
	for _, f := range report.Formats() {
		if f == report.FormatJSON {
			continue // JSON has escapes of its own
		}
		for _, r := range write(t, f, hostile(), report.Options{Detail: report.Evidence}) {
			if r < ' ' && r != '\n' && r != '\t' || r == '\u202e' || r == '\ufffd' {
				t.Errorf("%s lets %q through", f, r)
				break
			}
		}
	}
}

func TestHostileGitHub(t *testing.T) {
	text := write(t, report.FormatGitHub, hostile(), report.Options{})
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 4 { // a leg that differs, a fault, a scenario that didn't run, and the closing line
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}
	for _, line := range lines[:3] {
		properties, message, ok := strings.Cut(strings.TrimPrefix(line, "::error "), "::")
		if !ok || !strings.HasPrefix(line, "::error file=") || message == "" {
			t.Errorf("no annotation: %s", line)
		}
		for property := range strings.SplitSeq(properties, ",") {
			name, _, _ := strings.Cut(property, "=")
			if !slices.Contains([]string{"file", "line", "col", "title"}, name) {
				t.Errorf("a name made itself the property %q: %s", name, line)
			}
		}
	}
	if strings.HasPrefix(lines[3], "::") {
		t.Errorf("the closing line is a command: %s", lines[3])
	}
}

func TestHostileMarkdown(t *testing.T) {
	text := write(t, report.FormatMarkdown, hostile(), report.Options{})
	for _, bad := range []string{"<script", "<!--", "http://", "**bold", "x](", " `code", "@someone", "\n# SKIP", "\n::error", " | **"} {
		if strings.Contains(text, bad) {
			t.Errorf("the summary has %q", bad)
		}
	}
}

// plan and results, as any reader of TAP counts them
func tests(t *testing.T, tap string) (planned string, ok, failed int) {
	t.Helper()
	for line := range strings.Lines(tap) {
		switch {
		case strings.HasPrefix(line, "1.."):
			planned = strings.TrimSpace(line)
		case strings.HasPrefix(line, "ok "):
			ok++
		case strings.HasPrefix(line, "not ok "):
			failed++
		case strings.HasPrefix(line, "  "), strings.HasPrefix(line, "TAP version 13"), strings.HasPrefix(line, "Bail out!"):
		default:
			t.Errorf("no line of TAP: %q", line)
		}
		if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\#`, ""), "#") && !strings.HasPrefix(line, "  ") {
			t.Errorf("a directive: %q", line)
		}
	}
	return planned, ok, failed
}

func TestTAP(t *testing.T) {
	all := results()
	all["hostile"] = hostile()
	type count struct {
		planned    string
		ok, failed int
	}
	want := map[string]count{
		"good": {"1..4", 4, 0}, "teaches": {"1..4", 4, 0}, "differs": {"1..4", 3, 1}, "faults": {"1..5", 2, 3},
		"controls": {"1..2", 1, 1}, "empty": {"1..0", 0, 0}, "hostile": {"1..5", 2, 3},
	}
	for name, r := range all {
		text := write(t, report.FormatTAP, r, report.Options{})
		planned, ok, failed := tests(t, text)
		if got := (count{planned, ok, failed}); got != want[name] {
			t.Errorf("%s: %v, want %v", name, got, want[name])
		}
		if bails := strings.Contains(text, "\nBail out!"); bails == r.ControlsHold() {
			t.Errorf("%s: controls hold: %v, bails out: %v", name, r.ControlsHold(), bails)
		}
	}
}

// prove, which Perl brings, reads TAP as CI servers do.
func TestTAPIsReadByProve(t *testing.T) {
	prove := tool(t, "prove")
	all := results()
	all["hostile"] = hostile()
	for name, r := range all {
		path := filepath.Join(t.TempDir(), name+".tap")
		if err := os.WriteFile(path, []byte(write(t, report.FormatTAP, r, report.Options{})), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), prove, "--exec", "cat", path).CombinedOutput()
		c := r.Counts()
		if good := r.ControlsHold() && c.Differ+c.Faults == 0; good != (err == nil) {
			t.Errorf("%s: all good: %v, prove says %v\n%s", name, good, err, out)
		}
		if strings.Contains(string(out), "Parse errors") || strings.Contains(string(out), "skipped") && r.ControlsHold() {
			t.Errorf("%s: prove stumbles\n%s", name, out)
		}
	}
}

// compiled compiles a JSON Schema in which formats count.
func compiled(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text string) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Error(err)
	}
}

type sarifLog struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Rules []struct{ ID, HelpURI string }
			}
		}
		Invocations []struct{ ExecutionSuccessful bool }
		Results     []sarifResult
	}
}

type sarifResult struct {
	RuleID    string
	RuleIndex int
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI, URIBaseID string }
			Region           struct{ StartLine, StartColumn int }
		}
	}
	PartialFingerprints map[string]string
}

func sarifOf(t *testing.T, r *lab.Result, o report.Options) (log sarifLog, text string) {
	t.Helper()
	text = write(t, report.FormatSARIF, r, o)
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	return log, text
}

// What SARIF requires is there, rules and results belong together, and only what differs is a result.
func TestSARIF(t *testing.T) {
	text, err := os.ReadFile("testdata/sarif.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	schema := compiled(t, text)
	all := results()
	all["hostile"] = hostile()
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			log, text := sarifOf(t, r, report.Options{})
			validate(t, schema, text)
			run, c := log.Runs[0], r.Counts()
			if len(run.Results) != c.Differ+c.Faults {
				t.Errorf("%d results, want %d", len(run.Results), c.Differ+c.Faults)
			}
			if run.Invocations[0].ExecutionSuccessful != r.ControlsHold() {
				t.Error("whether the controls hold isn't whether the run was successful")
			}
			for _, x := range run.Results {
				if rules := run.Tool.Driver.Rules; x.RuleIndex < 0 || rules[x.RuleIndex].ID != x.RuleID || !verdict.Code(x.RuleID).Valid() {
					t.Errorf("result of %s has rule %d of %v", x.RuleID, x.RuleIndex, rules)
				}
			}
		})
	}
}

// A page of each rule is in the repository where helpUri says.
func TestSARIFHelp(t *testing.T) {
	log, _ := sarifOf(t, results()["faults"], report.Options{})
	for _, rule := range log.Runs[0].Tool.Driver.Rules {
		file, ok := strings.CutPrefix(rule.HelpURI, "https://github.com/edgelab/edgelab/blob/main/")
		if _, err := os.Stat(filepath.Join("../..", filepath.FromSlash(file))); !ok || err != nil {
			t.Errorf("%s: %s isn't there", rule.ID, rule.HelpURI)
		}
	}
}

func TestSARIFPlaces(t *testing.T) {
	leg := func(at string) *lab.Result {
		l := refused(verdict.Trusted)
		l.ExpectedAt = at
		return result(scenario("contoso", l))
	}
	for _, tt := range []struct {
		name, at string
		options  report.Options
		uri, id  string
		line     int
	}{
		{"where it is expected", "contoso.yaml:3:5", report.Options{}, "contoso.yaml", "%SRCROOT%", 3},
		{"nowhere", "", report.Options{}, "contoso.yaml", "%SRCROOT%", 1},
		{"in a base", "./bases/b.yaml:12:1", report.Options{}, "bases/b.yaml", "%SRCROOT%", 12},
		{"elsewhere", "/srv/b c.yaml:12:1", report.Options{}, "file:///srv/b%20c.yaml", "", 12},
		{"colons and spaces", "a:b c.yaml:7:1", report.Options{}, "./a:b%20c.yaml", "%SRCROOT%", 7},
		{"a folder as Windows writes it", `a\b.yaml:7:1`, report.Options{}, "a/b.yaml", "%SRCROOT%", 7},
		{"named from the root", "b.yaml:7:1", report.Options{Name: func(f string) string { return "lab/" + f }}, "lab/b.yaml", "%SRCROOT%", 7},
	} {
		log, _ := sarifOf(t, leg(tt.at), tt.options)
		at := log.Runs[0].Results[0].Locations[0].PhysicalLocation
		if at.ArtifactLocation.URI != tt.uri || at.ArtifactLocation.URIBaseID != tt.id || at.Region.StartLine != tt.line {
			t.Errorf("%s: %+v, want %s in %q, line %d", tt.name, at, tt.uri, tt.id, tt.line)
		}
	}
}

// A fingerprint is the leg's and its verdict's: it stays when lines move, and no two results share one.
func TestSARIFFingerprints(t *testing.T) {
	prints := func(at, id string) []string {
		l := refused(verdict.Trusted)
		l.ExpectedAt, l.ID = at, id
		log, _ := sarifOf(t, result(scenario("contoso", l), scenario("other", l)), report.Options{})
		var all []string
		for _, x := range log.Runs[0].Results {
			all = append(all, slices.Collect(maps.Values(x.PartialFingerprints))...)
		}
		return all
	}
	a, moved, b := prints("contoso.yaml:3:3", "edge -> aol"), prints("contoso.yaml:30:3", "edge -> aol"), prints("contoso.yaml:3:3", "edge -> msn")
	if !slices.Equal(a, moved) {
		t.Errorf("moved lines changed %v to %v", a, moved)
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
	if len(distinct) != 4 {
		t.Errorf("four results, fingerprints %v", distinct)
	}
}
