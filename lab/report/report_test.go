package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/edgelab/edgelab/lab"
	"github.com/edgelab/edgelab/lab/plan"
	"github.com/edgelab/edgelab/lab/report"
	"github.com/edgelab/edgelab/lab/verdict"
)

var update = flag.Bool("update", false, "write the golden files")

// at is the date of all results here.
var at = time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC)

// good is a leg that went as expected, and trusted.
func good(id string) lab.LegResult {
	return lab.LegResult{
		ID: id, Kind: "sip-federation", Initiator: "edge", Acceptor: "litware",
		Expected: verdict.Trusted, Verdict: verdict.Trusted, OK: true,
		Reason: "both ends authenticated each other by certificate, and OPTIONS was answered",
		Evidence: []verdict.Event{
			{Seq: 1, At: 120 * time.Microsecond, Side: verdict.Initiator, Host: "edge", Kind: verdict.KindDNS, Text: "SRV _sipfederationtls._tcp.litware.com: sip.litware.com:5061"},
			{Seq: 2, At: 2500 * time.Microsecond, Side: verdict.Acceptor, Host: "litware", Kind: verdict.KindHandshake, Text: "TLS 1.3"},
			{Seq: 3, At: 3 * time.Millisecond, Side: verdict.Initiator, Host: "edge", Kind: verdict.KindSIPReceived, Status: 200},
		},
		Duration: 3 * time.Millisecond,
	}
}

// refused is a leg whose initiator's certificate lacks the client EKU.
func refused(expected verdict.Code) lab.LegResult {
	judgement := verdict.Judgement{
		Product: "aol-pic", Role: "acceptor", Outcome: verdict.OutcomeRejected, Layer: verdict.TLS,
		Code: verdict.ClientEKUMissing, Alert: 43,
		Checks: []verdict.Check{
			{Name: "chain", OK: true, Rule: "a path must lead to a trusted root", RuleID: "test/chain", Source: verdict.Source{Kind: verdict.Documented, Ref: "RFC 5280 §6.1"}},
			{Name: "validity", Code: verdict.Expired, Rule: "the leaf must be valid now", RuleID: "test/validity",
				Source: verdict.Source{Kind: verdict.Documented, Ref: "RFC 5280 §4.1.2.5"}, Detail: "valid until 2026-11-01"},
			{Name: "eku", Code: verdict.ClientEKUMissing, First: true, Rule: "the leaf's EKU must list clientAuth", RuleID: "test/eku-client",
				Source: verdict.Source{Kind: verdict.Documented, Ref: "RFC 5280 §4.2.1.12"}, Detail: "asked for clientAuth; the leaf has serverAuth"},
		},
	}
	return lab.LegResult{
		ID: "edge/contoso.com -> aol", Kind: "sip-federation", Initiator: "edge", Acceptor: "aol",
		Expected: expected, ExpectedAt: "contoso.yaml:3:3", Verdict: verdict.ClientEKUMissing, OK: expected == verdict.ClientEKUMissing,
		Reason: "aol refused the certificate that edge showed: no client EKU", Judge: "aol", Judged: plan.External,
		Seen: []string{"alert 43 unsupported_certificate, sent by aol"}, Advice: "order the external certificate with the client EKU",
		Judgements: []verdict.Judgement{judgement},
		Evidence: []verdict.Event{
			{Seq: 1, At: time.Millisecond, Side: verdict.Acceptor, Host: "aol", Kind: verdict.KindJudged, Judgement: &judgement},
			{Seq: 2, At: 1100 * time.Microsecond, Side: verdict.Initiator, Host: "edge", Kind: verdict.KindAlertReceived, Alert: 43},
			{Seq: 3, At: 1200 * time.Microsecond, Side: verdict.Initiator, Host: "edge", Kind: verdict.KindNote, Text: "bell \a, escape \x1b[31m, bad byte \xff, two\nlines"},
		},
		Duration: 1200 * time.Microsecond,
	}
}

func control(id string, ok bool) lab.LegResult {
	l := good(id)
	l.OK = ok
	if !ok {
		l.Verdict, l.Reason = verdict.NoAnswer, "nothing listens on 127.0.0.1:5061"
	}
	return l
}

func scenario(name string, legs ...lab.LegResult) lab.ScenarioResult {
	return lab.ScenarioResult{
		Name: name, Title: "About " + name, File: name + ".yaml", At: at, Legs: legs,
		Certificates: []lab.Certificate{{
			Key: plan.External, Issuer: "Public CA 1", Serial: "17", Fingerprint: "ab12",
			Order: plan.Order{
				Subject: "sip.contoso.com", Key: "rsa-2048", EKUs: []plan.Usage{plan.Server},
				SANs:      []plan.Name{{Kind: plan.DNSName, Value: "sip.contoso.com"}, {Kind: plan.XMPPAddr, Value: "contoso.com"}},
				NotBefore: at.AddDate(0, 0, -1), NotAfter: at.AddDate(0, 6, 0),
			},
			Beside: []string{"otherName in the SAN"},
		}},
	}
}

func broken(name string) lab.ScenarioResult {
	s := lab.ScenarioResult{Name: name, Title: "About " + name, File: name + ".yaml", At: at}
	s.Error = "listen for edge on 127.16.0.1:5061: too many open files"
	return s
}

func faulted() lab.LegResult {
	l := good("edge/contoso.com -> litware")
	l.OK, l.Verdict, l.Fault = false, verdict.Inconclusive, "the acceptor's record never came"
	l.Reason = "the lab failed"
	return l
}

func result(scenarios ...lab.ScenarioResult) *lab.Result {
	return &lab.Result{
		Version: lab.ResultVersion, Seed: 1, Duration: 940 * time.Millisecond, Scenarios: scenarios,
		Controls: []lab.LegResult{control("edge -> known-good", true), control("edge -> twin", true)},
	}
}

// results are the hand-made runs that the golden files show.
func results() map[string]*lab.Result {
	lost := result(scenario("a", good("edge/contoso.com -> litware")))
	lost.Controls[1] = control("edge -> twin", false)
	lost.Scenarios = nil
	return map[string]*lab.Result{
		"good":     result(scenario("source-deployment", good("edge/contoso.com -> litware"), good("litware -> edge/contoso.com"))),
		"teaches":  result(scenario("aol-without-client-eku", good("edge/contoso.com -> litware"), refused(verdict.ClientEKUMissing))),
		"differs":  result(scenario("fine", good("edge/contoso.com -> litware")), scenario("contoso", refused(verdict.Trusted))),
		"faults":   result(scenario("contoso", faulted(), refused(verdict.Trusted)), broken("fabrikam")),
		"controls": lost,
		"empty":    {Version: lab.ResultVersion},
	}
}

func quote(file string, line int) (string, bool) {
	return "  edge -> aol: trusted", file == "contoso.yaml" && line == 3
}

func TestGolden(t *testing.T) {
	forms := []struct {
		suffix string
		format report.Format
		opts   report.Options
	}{
		{".txt", report.FormatText, report.Options{Line: quote}},
		{".stories.txt", report.FormatText, report.Options{Line: quote, Detail: report.Stories}},
		{".verbose.txt", report.FormatText, report.Options{Line: quote, Detail: report.Evidence}},
		{".json", report.FormatJSON, report.Options{}},
		{".xml", report.FormatJUnit, report.Options{Line: quote}},
		{".sarif", report.FormatSARIF, report.Options{}},
		{".tap", report.FormatTAP, report.Options{}},
		{".md", report.FormatMarkdown, report.Options{}},
		{".github", report.FormatGitHub, report.Options{}},
	}
	for name, r := range results() {
		for _, f := range forms {
			t.Run(name+f.suffix, func(t *testing.T) {
				var b bytes.Buffer
				if err := report.Write(&b, f.format, r, f.opts); err != nil {
					t.Fatal(err)
				}
				golden(t, name+f.suffix, b.Bytes())
			})
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; go test -update shows how\n%s", path, got)
	}
}

// A difference in the layers below must not be able to move a reader's cursor or break a CI server's parser.
func TestNothingUnprintable(t *testing.T) {
	r := results()["teaches"]
	for _, f := range []report.Format{report.FormatText, report.FormatJUnit} {
		var b bytes.Buffer
		if err := report.Write(&b, f, r, report.Options{Detail: report.Evidence}); err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsAny(b.Bytes(), "\a\x1b") || !utf8.Valid(b.Bytes()) {
			t.Errorf("%s lets control characters through", f)
		}
		if !strings.Contains(b.String(), `\x1b[31m`) || !strings.Contains(b.String(), `\xff`) {
			t.Errorf("%s hides that there were control characters", f)
		}
	}
}

func TestColourOnlyOnRequest(t *testing.T) {
	for name, r := range results() {
		for _, colour := range []bool{false, true} {
			var b bytes.Buffer
			if err := report.Text(&b, r, report.Options{Colour: colour}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(b.String(), "\x1b["); got != colour {
				t.Errorf("%s: colour asked for: %v, colours: %v", name, colour, got)
			}
		}
	}
}

// JUnit: what CI servers count must be what the result counts, and every document well-formed.
func TestJUnitCounts(t *testing.T) {
	want := map[string][3]int{ // tests, failures, errors
		"good": {4, 0, 0}, "teaches": {4, 0, 0}, "differs": {4, 1, 0}, "faults": {5, 1, 2}, "controls": {2, 0, 1}, "empty": {1, 0, 1},
	}
	for name, r := range results() {
		var b bytes.Buffer
		if err := report.JUnit(&b, r, report.Options{}); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Suites   []struct {
				Tests int `xml:"tests,attr"`
				Cases []struct {
					Failure *struct{} `xml:"failure"`
					Error   *struct{} `xml:"error"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		counted := [3]int{}
		for _, s := range doc.Suites {
			if s.Tests != len(s.Cases) {
				t.Errorf("%s: a suite says it has %d tests and has %d", name, s.Tests, len(s.Cases))
			}
			for _, c := range s.Cases {
				counted[0]++
				if c.Failure != nil {
					counted[1]++
				}
				if c.Error != nil {
					counted[2]++
				}
			}
		}
		if got := [3]int{doc.Tests, doc.Failures, doc.Errors}; got != want[name] || counted != want[name] {
			t.Errorf("%s: says %v, has %v, want %v", name, got, counted, want[name])
		}
	}
}

// JSON: what was written is what was found, but for bytes that aren't UTF-8.
func TestJSONRoundTrip(t *testing.T) {
	for name, r := range results() {
		var first, second bytes.Buffer
		if err := report.JSON(&first, r); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(first.String(), ": null") {
			t.Errorf("%s: a list is null", name)
		}
		var back, again lab.Result
		if err := json.Unmarshal(first.Bytes(), &back); err != nil {
			t.Fatal(err)
		}
		if err := report.JSON(&second, &back); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(second.Bytes(), &again); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, again) {
			t.Errorf("%s: JSON changed on its way there and back", name)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := report.Write(io.Discard, "yaml", results()["good"], report.Options{}); err == nil {
		t.Error("want an error")
	}
}

var errFull = errors.New("no space left on device")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	for _, f := range report.Formats() {
		if err := report.Write(fullDisk{}, f, results()["differs"], report.Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v, want the writer's error", f, err)
		}
	}
}
